--- What flyctl knows and the simulated one does not do: commands and flags that
--- are read as flyctl reads them, and then refused by name.
--- Data, in the notation of sim.flyctl.commands.

local M = {}

local SIZE_REST = ""
  .. "cpus>vm-cpus=int host-dedication-id=string memory>vm-memory=string "
  .. "vm-cpukind>vm-cpu-kind=string vm-gpu-kind=string vm-gpukind>vm-gpu-kind=string "
  .. "vm-gpus=int vm-max-memory=string "
local SIZE = "vm-cpu-kind=string vm-cpus=int vm-memory=string vm-size=string "
local MACHINE = ""
  .. "autostart autostop=string! build-arg=list build-context-warn-size=string build-depot "
  .. "build-local-only build-nixpacks build-only build-remote-only build-target=string "
  .. "cachedrive-size=string dockerfile=string entrypoint=string file-literal=list "
  .. "file-local=list file-secret=list image-label=string kernel-arg=list "
  .. "machine-config=string no-build-cache port/p=list rootfs-persist=string "
  .. "rootfs-size=string schedule=string skip-dns-registration standby-for=list "
  .. "swap-size=string "
local CONSOLE = ""
  .. "address/A=string command/C=string container=string group>process-group=string "
  .. "machine=string no-container org/o=string process-group/g=string pty quiet/q "
  .. "region/r=string select/s user/u=string "
local TOKEN = "expiry/x=duration json/j name/n=string "
local APP = "app/a=string config/c=string "
local YES = "auto-confirm>yes yes/y "

--- Flags of commands that are done; "a>b" is another name of one that is.
---@type table<string, string>
M.FLAGS = {
  ["apps create"] = "auto-confirm>yes generate-name machines save",
  ["apps destroy"] = "auto-confirm>yes",
  ["machine destroy"] = "select",
  ["machine run"] = SIZE_REST .. MACHINE .. "command=string container=string id=string "
    .. "org=string shell use-zstd user=string wg",
  ["machine start"] = "select",
  ["machine stop"] = "select",
  ["machine status"] = "select",
  ["machine update"] = SIZE_REST .. MACHINE .. "auto-confirm>yes buildkit "
    .. "buildkit-addr=string buildkit-image=string command/C=string container=string "
    .. "mount-point=string select",
  ["machine restart"] = "select",
  ["machine exec"] = "json/j no-container select",
  ["machine cordon"] = "select",
  ["machine uncordon"] = "select",
  ["machine suspend"] = "select",
  version = "saveinstall/s=string",
  deploy = SIZE_REST .. "auto-confirm>yes build-context-warn-size=string "
    .. "builder-pool=string! buildkit buildkit-addr=string buildkit-image=string "
    .. "buildpacks-docker-host=string buildpacks-volume=list compression-level=int "
    .. "compression=string deploy-retries=string depot-scope=string export-manifest=string "
    .. "file-literal=list file-local=list file-secret=list force-machines "
    .. "from-manifest=string http-failover>https-failover https-failover "
    .. "immediate-max-concurrent=int max-concurrent=int nixpacks only-regions>regions=list "
    .. "recreate-builder volume-initial-size=int wg",
  status = "deployment rate=int watch",
  logs = "instance/i>machine=string select/s",
  ["volumes create"] = SIZE_REST .. "auto-confirm>yes fs-type=string scheduled-snapshots "
    .. "unique-zone-app-wide",
  ["volumes destroy"] = "auto-confirm>yes",
  ["volumes extend"] = "auto-confirm>yes",
  ["postgres attach"] = "auto-confirm>yes",
  ["postgres create"] = SIZE_REST .. "autostart consul-url=string fork-from=string "
    .. "generate-name snapshot-id=string stolon",
  ["postgres db"] = "json/j",
  ["postgres events"] = "json/j",
  ["postgres barman"] = "json/j",
  ["ips allocate-v4"] = "auto-confirm>yes",
  ["ssh console"] = "group>process-group=string no-container",
  ["scale vm"] = "group>process-group=string memory>vm-memory=int",
  ["scale memory"] = "group>process-group=string",
  ["scale count"] = SIZE_REST .. "auto-confirm>yes from-snapshot=string "
    .. "group>process-group=string",
  ["certs remove"] = "auto-confirm>yes",
}

--- Groups of commands, and their other names.
M.GROUPS = {
  { "apps resume" },
  { "apps suspend" },
  { "machine leases", "lease" },
  { "machine egress-ip" },
  { "orgs replay-sources" },
  { "orgs cross-network-replays" },
  { "volumes snapshots", "snapshot", "snaps" },
  { "postgres backup config" },
  { "postgres config" },
  { "postgres db" },
  { "postgres users" },
  { "postgres events" },
  { "postgres barman" },
  { "secrets keys" },
  { "ssh sftp" },
  { "tokens 3p", "third-party" },
}

--- Commands: path, arguments, flags, other names.
M.COMMANDS = {
  { "apps move", "1", YES .. "org/o=string skip-health-checks" },
  { "apps open", "0-1", APP },
  { "apps releases", "0", APP .. "image json/j" },
  { "apps errors", "0", APP },
  { "machine kill", "0..1", APP .. "select" },
  {
    "machine create", "1+",
    SIZE_REST .. SIZE .. MACHINE .. APP .. "detach env/e=list id=string metadata/m=list "
    .. "name/n=string org=string region/r=string restart=string rm use-zstd volume/v=list",
  },
  { "machine wait", "0..1", APP .. "select state=string wait-timeout/w=duration" },
  { "machine api-proxy", "0+", "org/o=string quiet/q" },
  {
    "machine clone", "0..1",
    SIZE_REST .. SIZE .. APP .. "attach-volume=string clear-auto-destroy clear-cmd detach "
    .. "from-snapshot=string name=string override-cmd=string region/r=string select "
    .. "standby-for=list volume-requires-unique-zone",
  },
  { "machine leases view", "0+", APP .. "json/j select" },
  { "machine leases clear", "0+", APP .. "select" },
  { "machine egress-ip allocate", "1", APP .. YES },
  { "machine egress-ip list", "0", APP },
  { "machine egress-ip promote", "1", APP .. YES },
  { "machine egress-ip release", "1", APP .. YES },
  {
    "machine place", "0",
    SIZE_REST .. SIZE .. "config/c=string count=int json/j org/o=string region=string "
    .. "volume-name=string volume-size=int weights=list",
  },
  { "version save-install", "0+", "channel=string disable-auto-update" },
  { "version upgrade", "0+", "", "update" },
  { "orgs show", "0-1", "json/j" },
  { "orgs invite", "0-2", "json/j" },
  { "orgs remove", "0-2", "" },
  { "orgs create", "0-1", "apps-v2-default-on json/j" },
  { "orgs delete", "0-1", YES },
  { "orgs replay-sources list", "0+", "json/j org/o=string", "ls" },
  { "orgs replay-sources add", "0+", "org/o=string" },
  { "orgs replay-sources remove", "0+", YES .. "org/o=string" },
  { "orgs cross-network-replays status", "0+", "json/j org/o=string" },
  { "orgs cross-network-replays enable", "0+", YES .. "org/o=string" },
  { "orgs cross-network-replays disable", "0+", YES .. "org/o=string" },
  { "auth token", "0+", "json/j quiet/q" },
  { "auth login", "0+", "email=string interactive/i otp=string password=string" },
  { "auth docker", "0+", "" },
  { "auth logout", "0+", "" },
  { "auth signup", "0+", "" },
  { "platform status", "0-1", "json/j" },
  { "platform vm-sizes", "0", "json/j" },
  { "volumes update", "1", APP .. "json/j scheduled-snapshots snapshot-retention=int" },
  {
    "volumes fork", "0-1",
    SIZE_REST .. SIZE .. APP .. "json/j name/n=string region/r=string require-unique-zone "
    .. "unique-zone-app-wide",
  },
  { "volumes snapshots list", "1", "app/a=string json/j", "ls" },
  { "volumes snapshots create", "1", "app/a=string json/j" },
  { "postgres backup config show", "0+", APP },
  {
    "postgres backup config update", "0+",
    APP .. "archive-timeout=string full-backup-frequency=string minimum-redundancy=string "
    .. "recovery-window=string",
  },
  {
    "postgres backup restore", "1",
    APP .. "detach image-ref=string restore-target-inclusive restore-target-name=string "
    .. "restore-target-time=string",
  },
  { "postgres config show", "0+", APP, "view" },
  {
    "postgres config update", "0+",
    APP .. YES .. "detach force log-min-duration-statement=string log-statement=string "
    .. "maintenance-work-mem=string max-connections=string max-replication-slots=string "
    .. "max-wal-senders=string shared-buffers=string shared-preload-libraries=string "
    .. "wal-level=string work-mem=string",
  },
  { "postgres connect", "0+", APP .. "database/d=string password/p=string user/u=string" },
  { "postgres db list", "0+", APP, "ls" },
  { "postgres renew-certs", "0+", APP .. "valid-days=int" },
  { "postgres restart", "0+", APP .. "force skip-health-checks" },
  { "postgres users list", "0+", APP .. "json/j", "ls" },
  { "postgres add_flycast", "0+", APP },
  {
    "postgres import", "1",
    APP .. "clean create data-only image=string no-owner region=string vm-size=string",
  },
  {
    "postgres events list", "0+",
    APP .. "all/o compact/d event/e=string limit/l=string node-id/i=string "
    .. "node-name/n=string",
  },
  { "postgres barman create", "0+", APP .. "region/r=string vm-size=string volume-size=int" },
  { "postgres barman check", "0+", APP },
  { "postgres barman list-backup", "0+", APP },
  { "postgres barman show-backup", "1", APP },
  { "postgres barman backup", "0+", APP },
  { "postgres barman switch-wal", "0+", APP },
  { "postgres barman recover", "1", APP .. "backup-id/b=string target-time/T=string" },
  { "ips allocate", "0+", APP .. "region/r=string" },
  { "ips allocate-egress", "0+", APP .. YES .. "region/r=string" },
  { "ips private", "0+", APP .. "json/j" },
  { "ips release-egress", "1+", APP },
  { "secrets sync", "0+", APP .. "detach dns-checks stage" },
  { "secrets keys list", "0+", APP .. "json/j", "ls" },
  { "secrets keys generate", "2", APP .. "force/f noversion/n quiet/q", "gen" },
  { "secrets keys delete", "1", APP .. "force/f noversion/n", "rm" },
  { "ssh issue", "0-3", "agent dotssh/d hours=int org/o=string overwrite username/u=list" },
  { "ssh log", "0+", "json/j org/o=string" },
  { "ssh sftp find", "0+", CONSOLE .. APP },
  { "ssh sftp shell", "0+", CONSOLE .. APP },
  { "ssh sftp get", "0-2", CONSOLE .. APP .. "recursive/R" },
  { "ssh sftp put", "1-2", CONSOLE .. APP .. "mode/m=string recursive/R" },
  { "tokens create deploy", "0+", TOKEN .. APP },
  {
    "tokens create machine-exec", "0+",
    TOKEN .. APP .. "command-prefix/p=list command/C=list",
  },
  { "tokens create org", "0+", TOKEN .. "org/o=string" },
  { "tokens create litefs-cloud", "0+", TOKEN .. "cluster/c=string org/o=string" },
  { "tokens create ssh", "0+", TOKEN .. APP },
  { "tokens create wireguard", "0+", TOKEN .. "org/o=string" },
  { "tokens list", "0+", APP .. "org/o=string scope/s=string", "ls" },
  { "tokens revoke", "0+", "" },
  { "tokens attenuate", "0+", "file/f=string location/l=string" },
  { "tokens debug", "0+", "file/f=string" },
  { "tokens 3p add", "0+", "location/l=string secret-file/s=string secret/S=string" },
  { "tokens 3p ticket", "0+", "location/l=string" },
  {
    "tokens 3p discharge", "0+",
    "location/l=string secret-file/s=string secret/S=string ticket=string",
  },
  { "tokens 3p add-discharge", "0+", "discharge/d=string" },
  { "tokens deploy", "0+", TOKEN .. APP },
  { "tokens org", "0+", TOKEN .. "org/o=string" },
  { "certs import", "1", APP .. "fullchain=string* json/j private-key=string*" },
  { "certs setup", "1", APP .. "json/j" },
}

--- Commands at the root whose insides are not known here, and their other names.
M.OPAQUE = {
  { "docs" }, { "history" }, { "doctor" }, { "dig" }, { "litefs-cloud", "lfsc" },
  { "agent" }, { "image", "img" }, { "incidents" }, { "ping" }, { "proxy" }, { "mcp" },
  { "mpg" }, { "sftp" }, { "redis" }, { "registry" }, { "checks" }, { "launch" },
  { "info" }, { "jobs" }, { "services" }, { "config" }, { "extensions", "ext" },
  { "consul" }, { "dashboard", "dash" }, { "wireguard", "wg" }, { "console" },
  { "settings" }, { "storage", "tigris" }, { "metrics" }, { "synthetics" }, { "curl" },
  { "open" }, { "create" }, { "destroy" }, { "move" }, { "suspend" }, { "resume" },
  { "regions" }, { "help" }, { "completion" },
}

return M
