--- Where token, organization and hosts come from, and a file that is not right.

local err = require "base.err"
local fs = require "sys.fs"
local secret = require "sys.secret"
local settings = require "fly.settings"
local t = require "kit"

--- Loads with an environment of its own and a configuration file, if any.
local function load(options)
  local env = options.env or {}
  local path
  if options.yaml then
    path = t.tmpdir() .. "/clanker.yaml"
    -- As a secret: in a text, tokens that others still hold would be masked.
    t.ok(fs.write(path, secret.new(options.yaml), { mode = options.mode or tonumber("600", 8) }))
  end
  local found, e = settings.load {
    config_path = options.path or path or (t.tmpdir() .. "/none.yaml"),
    env = function(name)
      return env[name]
    end,
    secret_env = function(name)
      return env[name] and secret.new(env[name]) or nil
    end,
    flags = options.flags,
  }
  return found, e, path
end

--- Without a file: an empty one stands in, since a named file must exist.
local function plain(env, flags)
  return assert(load { yaml = "{}\n", env = env, flags = flags })
end

local function token_is(found, text)
  return found.token ~= nil and found.token:equals(secret.new(text))
end

t.test("the token comes from flag, file, FLY_API_TOKEN, FLY_ACCESS_TOKEN, in that order", function()
  local env = { FLY_API_TOKEN = "fo1_api", FLY_ACCESS_TOKEN = "fo1_access" }
  local yaml = "flyio:\n  api_token: fo1_file\n"
  local found = assert(load {
    yaml = yaml, env = env, flags = { api_token = secret.new("fo1_flag") },
  })
  t.ok(token_is(found, "fo1_flag"))
  t.eq(found.token_source, "--api-token")
  found = assert(load { yaml = yaml, env = env })
  t.ok(token_is(found, "fo1_file"))
  t.has(found.token_source, "flyio.api_token")
  found = plain(env)
  t.ok(token_is(found, "fo1_api"))
  t.eq(found.token_source, "FLY_API_TOKEN")
  found = plain { FLY_ACCESS_TOKEN = "fo1_access" }
  t.ok(token_is(found, "fo1_access"))
  t.eq(found.token_source, "FLY_ACCESS_TOKEN")
  t.eq(plain({}).token, nil)
end)

t.test("without a path ~/.clanker.yaml is read, and need not be there", function()
  local path = assert(fs.home()) .. "/.clanker.yaml"
  if fs.exists(path) then
    return t.skip("there is a " .. path .. " on this machine")
  end
  local nothing = function() end
  local found = assert(settings.load { env = nothing, secret_env = nothing })
  t.eq({ found.path, found.token, #found.warnings }, { path, nil, 0 })
  t.cleanup(function()
    fs.remove(path)
  end)
  t.ok(fs.write(path, "flyio:\n  org_slug: acme\n"))
  t.eq(assert(settings.load { env = nothing, secret_env = nothing }).org, "acme")
end)

t.test("empty and blank values count as absent", function()
  local found = assert(load {
    yaml = 'flyio:\n  api_token: ""\n  org_slug: "  "\n  api_hostname:\n',
    env = {
      FLY_API_TOKEN = "  ", FLY_ACCESS_TOKEN = "fo1_access", FLY_ORG = "", FLY_ORG_SLUG = "acme",
      FLY_API_HOSTNAME = "", FLY_API_BASE_URL = " ",
    },
  })
  t.ok(token_is(found, "fo1_access"))
  t.eq(found.org, "acme")
  t.eq(found.org_source, "FLY_ORG_SLUG")
  t.eq(found.bases, { machines = "https://api.machines.dev", api = "https://api.fly.io" })
end)

t.test("the organization comes from flag, file, FLY_ORG, FLY_ORG_SLUG, in that order", function()
  local env = { FLY_ORG = "one", FLY_ORG_SLUG = "two" }
  local yaml = "flyio:\n  org_slug: filed\n"
  t.eq(assert(load { yaml = yaml, env = env, flags = { org = "flag" } }).org, "flag")
  t.eq(assert(load { yaml = yaml, env = env }).org, "filed")
  t.eq(plain(env).org, "one")
  t.eq(plain({ FLY_ORG_SLUG = "two" }).org, "two")
  t.eq(plain({}).org, nil)
end)

t.test("a slug that YAML reads as a number is still a slug", function()
  t.eq(assert(load { yaml = "flyio:\n  org_slug: 123\n" }).org, "123")
end)

t.test("hosts come from file or environment, cleaned", function()
  local found = plain {
    FLY_API_HOSTNAME = "https://machines.example.com/v1/",
    FLY_FLAPS_BASE_URL = "https://other.example.com",
    FLY_API_BASE_URL = "https://api.example.com/",
  }
  t.eq(found.bases, { machines = "https://machines.example.com", api = "https://api.example.com" })
  t.eq(plain({ FLY_FLAPS_BASE_URL = "https://flaps.example.com" }).bases.machines,
    "https://flaps.example.com")
  found = assert(load {
    yaml = "flyio:\n  api_hostname: https://m.example.com\n  api_base_url: https://a.example.com\n",
    env = { FLY_API_HOSTNAME = "https://env.example.com" },
  })
  t.eq(found.bases, { machines = "https://m.example.com", api = "https://a.example.com" })
end)

t.test("plain http to a non-local host is refused unless allowed by flag or file", function()
  local env = { FLY_API_HOSTNAME = "http://example.com" }
  local e = t.err(nil, select(2, load { yaml = "{}", env = env }), "config")
  t.has(e.message, "FLY_API_HOSTNAME")
  t.has(e.hint, "--allow-http")
  t.eq(plain(env, { allow_http = true }).bases.machines, "http://example.com")
  t.eq(assert(load { yaml = "flyio:\n  allow_http: true\n", env = env }).allow_http, true)
  t.eq(plain({ FLY_API_HOSTNAME = "http://_api.internal:4280" }).bases.machines,
    "http://_api.internal:4280")
end)

t.test("a token file is read as a secret", function()
  local path = t.tmpdir() .. "/token"
  t.ok(fs.write(path, "FlyV1 fm2_aaa\n", { mode = tonumber("600", 8) }))
  local found = plain({ FLY_API_TOKEN = "fo1_env" }, { api_token_file = path })
  t.eq(found.token_source, "--api-token-file")
  t.ok(token_is(found, "FlyV1 fm2_aaa\n"))
end)

t.test("a token file that is missing, empty or a directory is an error", function()
  local dir = t.tmpdir()
  t.ok(fs.write(dir .. "/empty", " \n", { mode = tonumber("600", 8) }))
  for _, path in ipairs { dir .. "/none", dir .. "/empty", dir } do
    local e = t.err(nil, select(2, load { yaml = "{}", flags = { api_token_file = path } }), "auth")
    t.has(e.message, "--api-token-file")
    t.eq(err.exit_code(e), 3)
  end
end)

t.test("a token given as a word on the command line is warned about", function()
  local found = plain({}, { api_token = "fo1_visible" })
  t.ok(token_is(found, "fo1_visible"))
  t.has(found.warnings[1], "--api-token-file")
  t.lacks(found.warnings[1], "fo1_visible")
end)

t.test("a file that does not parse is a hard error with line and column", function()
  local bad = {
    ["flyio:\n\tapi_token: x\n"] = 2,
    ["flyio:\n  org_slug: a\n  org_slug: b\n"] = 3,
    ["flyio: [unclosed\n"] = false,
    ["flyio:\n  org_slug: 'open\n"] = false,
    ["a: b: c\n"] = 1,
  }
  for yaml, line in pairs(bad) do
    local _, e, path = load { yaml = yaml }
    t.err(nil, e, "config")
    t.has(e.message, path)
    t.match(e.message, "line %d+, column %d+")
    if line then
      t.eq(e.detail.line, line, yaml)
    end
  end
end)

t.test("parse errors never show a token", function()
  local _, e = load { yaml = "flyio:\n  api_token: fo1_hunter2\n  api_token: fo1_hunter3\n" }
  t.err(nil, e, "config")
  t.lacks(e.message .. e.hint, "hunter")
end)

t.test("a directory and a missing named file are errors", function()
  local dir = t.tmpdir()
  t.has(t.err(nil, select(2, load { path = dir }), "config").message, "is a directory")
  t.has(t.err(nil, select(2, load { path = dir .. "/none.yaml" }), "config").message, "none.yaml")
end)

t.test("sections and values of the wrong type are named", function()
  local bad = {
    ["- a\n"] = "mapping", ["text\n"] = "mapping", ["flyio: text\n"] = "flyio",
    ["flyio:\n  org_slug: [a]\n"] = "flyio.org_slug",
    ["flyio:\n  api_token: {a: b}\n"] = "line 2",
    ["flyio:\n  allow_http: maybe\n"] = "flyio.allow_http",
    ["flyio:\n  timeout: -1\n"] = "flyio.timeout",
    ["flyio:\n  api_hostname: [x]\n"] = "flyio.api_hostname",
  }
  for yaml, name in pairs(bad) do
    t.has(t.err(nil, select(2, load { yaml = yaml }), "config").message, name)
  end
end)

t.test("unknown keys are warned about with the key that was meant", function()
  local found = assert(load {
    yaml = "flyio:\n  org_slog: acme\nflyoi: {}\nai:\n  anything: goes\n",
  })
  t.eq(#found.warnings, 2)
  t.has(found.warnings[1], '"org_slog"')
  t.has(found.warnings[1], '"org_slug"')
  t.has(found.warnings[2], '"flyio"')
  t.eq(found.config.ai.anything, "goes")
end)

t.test("an empty file and a file of comments are fine", function()
  for _, yaml in ipairs { "", "# nothing\n", "flyio:\n", "{}\n" } do
    local found = assert(load { yaml = yaml })
    t.eq(found.token, nil)
    t.eq(#found.warnings, 0)
  end
end)

t.test("a file with a token that others can read is warned about with the exact chmod", function()
  local yaml = "flyio:\n  api_token: fo1_x\n"
  for _, mode in ipairs { "644", "640", "604", "660" } do
    local found, _, path = load { yaml = yaml, mode = tonumber(mode, 8) }
    t.eq(#found.warnings, 1, mode)
    t.has(found.warnings[1], "chmod 600 " .. path)
    t.lacks(found.warnings[1], "fo1_x")
  end
  t.eq(#assert(load { yaml = yaml }).warnings, 0)
  t.eq(#assert(load { yaml = "flyio:\n  org_slug: a\n", mode = tonumber("644", 8) }).warnings, 0)
end)

t.test("keys of other parts are read as secrets too", function()
  local found = assert(load {
    yaml = "backend:\n  url: https://example.com\n  api_key: bk_1\n", mode = tonumber("644", 8),
  })
  t.eq(tostring(found.config.backend.api_key), "[secret]")
  t.has(found.warnings[1], "chmod 600")
end)

t.test("timeout and the authority's file come from flag or file", function()
  local found = assert(load { yaml = "flyio:\n  timeout: 7.5\n  ca_file: /tmp/ca.pem\n" })
  t.eq(found.timeout, 7.5)
  t.eq(found.ca_file, "/tmp/ca.pem")
  t.eq(assert(load { yaml = "flyio:\n  timeout: 7\n", flags = { timeout = 3 } }).timeout, 3)
end)
