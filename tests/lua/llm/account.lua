--- A small account for questions: three apps in two organizations, seven
--- machines in four regions, three volumes. Pure; counts the calls made to it.

local M = {}

local function machine(id, name, app, region, state, memory, cpus, kind)
  return {
    id = id, name = name, app_name = app, region = region, state = state,
    created_at = ("2025-01-0%sT00:00:00Z"):format(id:sub(-1)),
    config = {
      image = "registry.example.com/" .. app .. ":v1",
      guest = { cpu_kind = kind or "shared", cpus = cpus, memory_mb = memory },
    },
  }
end

local function app(name, org, status)
  return { name = name, status = status, organization = { slug = org } }
end

local LISTS = {
  ["apps.list"] = {
    app("web", "acme", "deployed"), app("worker", "acme", "deployed"),
    app("blog", "personal", "suspended"),
  },
  ["machines.list"] = {
    machine("m1", "w1", "web", "ams", "started", 512, 1),
    machine("m2", "w2", "web", "fra", "started", 1024, 2),
    machine("m3", "w3", "web", "ams", "stopped", 512, 1),
    machine("m4", "k1", "worker", "ord", "started", 4096, 2, "performance"),
    machine("m5", "k2", "worker", "ord", "suspended", 256, 1),
    machine("m6", "b1", "blog", "syd", "stopped", 256, 1),
    machine("m7", "b2", "blog", "syd", "created", 256, 1),
  },
  ["volumes.list"] = {
    { id = "vol_1", name = "data", app_name = "web", region = "ams",
      size_gb = 10, state = "created", attached_machine_id = "m1",
      encrypted = true },
    { id = "vol_2", name = "old", app_name = "web", region = "ams",
      size_gb = 3, state = "created" },
    { id = "vol_3", name = "pg", app_name = "worker", region = "ord",
      size_gb = 20, state = "created", attached_machine_id = "m4" },
  },
  ["regions.list"] = {
    { code = "ams", name = "Amsterdam, Netherlands" },
    { code = "fra", name = "Frankfurt, Germany" },
    { code = "gig", name = "Rio de Janeiro, Brazil" },
    { code = "ord", name = "Chicago, Illinois (US)" },
    { code = "syd", name = "Sydney, Australia" },
  },
  ["orgs.list"] = {
    { slug = "acme", name = "Acme", type = "SHARED" },
    { slug = "personal", name = "Dev", type = "PERSONAL" },
  },
  ["auth.whoami"] = { email = "dev@example.com", name = "Dev" },
}

local PER_APP = {
  ["secrets.list"] = {
    web = { { name = "DATABASE_URL", digest = "1f2e3d" } },
  },
  ["ips.list"] = {
    web = { { ip = "203.0.113.7", type = "v4", region = "global" } },
  },
  ["certs.list"] = {
    web = { { hostname = "www.example.com", configured = true,
      status = "ready" } },
  },
  ["releases.list"] = {
    web = {
      { version = 2, status = "failed", created_at = "2025-01-01T00:00:00Z" },
      { version = 3, status = "complete", created_at = "2025-02-01T00:00:00Z" },
    },
    worker = {
      { version = 7, status = "complete", created_at = "2025-01-15T00:00:00Z",
        user = { email = "dev@example.com" } },
    },
  },
}

--- A context of the answerer over this account.
---@param overrides table<string, any>? replies by operation, or { error = e }
---@return llm.Context
---@return string[] calls the operations called, as they come
function M.context(overrides)
  local calls = {}
  return {
    calls = calls,
    call = function(id, args)
      calls[#calls + 1] = id
      local own = (overrides or {})[id]
      if own and own.error then
        return nil, own.error
      end
      return own or LISTS[id] or PER_APP[id][args.app] or {}
    end,
    map = function(list, fn)
      local results = {}
      for i, item in ipairs(list) do
        results[i] = fn(item)
      end
      return results
    end,
    now = function()
      return 1740000000 -- 2025-02-19
    end,
  }
end

return M
