--- The files that declare operations, in the order of their declarations.
--- Data.

return {
  "orgs", "apps", "app_life", "machines", "machine_calls", "machine_life",
  "machine_make", "volumes", "volume_life", "regions", "secrets",
  "secret_writes", "ips", "certs", "releases", "scale", "scale_count",
  "postgres", "postgres_life", "mpg",
  "addons", "addon_life", "tokens", "wireguard", "peer_life", "deploy", "leases", "logs",
  "auth",
}
