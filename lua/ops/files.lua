--- The files that declare operations, in the order of their declarations.
--- Data.

return {
  "orgs", "apps", "machines", "machine_calls", "machine_life", "volumes",
  "regions", "secrets", "ips", "certs", "releases", "scale", "postgres", "mpg",
  "addons", "tokens", "wireguard", "leases", "logs", "auth",
}
