--- A large account for measurements: 100 apps, 1000 machines of about 4 KB.
--- Data, generated; always the same.

local APPS, MACHINES = 100, 10

local REGIONS = {
  "ams", "cdg", "dfw", "fra", "iad", "lhr", "nrt", "ord", "sin", "syd",
}
local SIZES = { 256, 512, 1024, 2048 }

-- Variables that bring a machine to the size of a real deploy's.
local function environment(app, machine)
  local env = { FLY_PROCESS_GROUP = "app", PRIMARY_REGION = "iad" }
  for i = 1, 40 do
    env[("SETTING_%02d"):format(i)] =
      ("value %d of machine %d in app %d, example.com"):format(
        i, machine, app)
  end
  return env
end

local function machine(app, number)
  return {
    name = ("bench-%03d-%02d"):format(app, number),
    region = REGIONS[(app + number) % #REGIONS + 1],
    state = (app + number) % 7 == 0 and "stopped" or "started",
    age = (app * MACHINES + number) * 60,
    config = {
      image = ("registry.fly.io/bench-%03d:deployment-01"):format(app),
      env = environment(app, number),
      guest = {
        cpu_kind = "shared", cpus = 1, memory_mb = SIZES[number % 4 + 1],
      },
      metadata = { fly_process_group = "app", fly_platform_version = "v2" },
      services = {
        {
          protocol = "tcp", internal_port = 8080,
          ports = { { port = 443, handlers = { "http", "tls" } } },
          checks = { { type = "http", path = "/healthz", port = 8080 } },
        },
      },
    },
  }
end

local function app(number)
  local machines = {}
  for i = 1, MACHINES do
    machines[i] = machine(number, i)
  end
  return {
    name = ("bench-%03d"):format(number), org = "bench",
    age = number * 3600, machines = machines,
    volumes = { { name = "data", region = REGIONS[number % 10 + 1] } },
    releases = {
      { image_ref = ("registry.fly.io/bench-%03d:deployment-01"):format(
        number), age = 3600 },
    },
  }
end

local apps = {}
for i = 1, APPS do
  apps[i] = app(i)
end

return {
  seed = 1000,
  orgs = {
    {
      slug = "personal", raw_slug = "sim-user", type = "PERSONAL",
      name = "Sim User", members = { { user = "user_sim" } },
    },
    { slug = "bench", name = "Bench", members = { { user = "user_sim" } } },
  },
  apps = apps,
}
