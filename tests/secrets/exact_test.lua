-- Values arrive byte for byte, by whichever route is chosen.

local client = require "fly.client"
local flyctls = require "kit.flyctl"
local json = require "base.json"
local process = require "sys.process"
local secret = require "sys.secret"
local secret_api = require "kit.secret_api"
local t = require "kit"
local tbl = require "base.tbl"

require "ops"

-- A client of the API, with this flyctl or without one.
local function open(api, flyctl)
  local account = client.new({
    settings = {
      token = secret.new("fo1_simtoken"), token_source = "test",
      bases = { machines = api.url, api = api.url }, allow_http = false,
    },
    process = flyctls.process(flyctl),
    limiter = {
      acquire = function() return true end, delay = function() return 0 end,
      penalize = function() end,
    },
  })
  t.cleanup(function() account:close() end)
  return account
end

-- Sets values; what arrived, by either route, and how many came by each.
local function send(account, api, flyctl, values, via)
  local handles = {}
  for name, value in pairs(values) do
    handles[name] = secret.new(value)
    api.names[name] = true
  end
  local rows, e = account:call("secrets.set",
    { app = "web", values = handles, stage = true, via = via })
  for _, handle in pairs(handles) do
    handle:close()
  end
  t.ok(rows, tostring(e))
  local by_flyctl = flyctl and flyctl:values() or {}
  local arrived = tbl.merge(by_flyctl, api.values)
  local counts = { flyctl = #tbl.keys(by_flyctl), api = #tbl.keys(api.values) }
  api.values, api.names = {}, {}
  if flyctl then
    flyctl:forget()
  end
  return arrived, counts
end

local function check(arrived, values)
  for name, value in pairs(values) do
    if arrived[name] ~= value then
      error(("%s: %q arrived as %q"):format(name, value:sub(1, 200),
        tostring(arrived[name]):sub(1, 200)))
    end
  end
  t.eq(#tbl.keys(arrived), #tbl.keys(values))
end

t.test("the stand-in understands input as flyctl does", function()
  local path = t.shared("secrets-import-vectors.json")
  if not path then
    return t.skip("no ../shared/fly/secrets-import-vectors.json")
  end
  local flyctl, count = flyctls.build(), 0
  for _, vector in ipairs(json.decode(t.read_file(path)).vectors) do
    local stdin = vector.stdin:gsub("<(%d+) x>", function(n)
      return ("x"):rep(math.tointeger(n))
    end)
    local result = assert(process.run({
      argv = { flyctl.path, "secrets", "import" }, stdin = stdin,
      env = { FLY_CONFIG_DIR = flyctl.dir },
    }))
    if vector.error or vector.crash then
      t.ok(result.code ~= 0, vector.name)
    else
      t.eq(result.code, 0, vector.name)
      t.eq(flyctl:values(), vector.result, vector.name)
    end
    flyctl:forget()
    count = count + 1
  end
  t.ok(count >= 48)
end)

t.test("the values of all vectors arrive, by both routes", function()
  local path = t.shared("secrets-import-vectors.json")
  if not path then
    return t.skip("no ../shared/fly/secrets-import-vectors.json")
  end
  local api, flyctl = secret_api.start(), flyctls.build()
  local account, plain = open(api, flyctl), open(api, nil)
  local values, count = {}, 0
  for _, vector in ipairs(json.decode(t.read_file(path)).vectors) do
    for _, value in tbl.sorted(vector.result ~= json.null and vector.result or {}) do
      count = count + 1
      values["V" .. count] = value
    end
  end
  t.ok(count > 40)
  for name, value in pairs(values) do
    local one = { [name] = value }
    check(send(account, api, flyctl, one), one)
    check(send(plain, api, nil, one), one)
  end
end)

local PIECES = {
  "#", '"', "'", '"""', "\n", "\r\n", "\r", "\\", "\\n", "=", " ", "\t", "\0", "\1",
  "\27[31m", "\127", "$", "${X}", "export ", "é", "☃", "\u{1F511}", "\u{2028}", "a",
  "key", "0", "\n#x\n", '"#"', "-----BEGIN KEY-----\n", "-----END KEY-----\n",
}

local function random_value(n)
  local pieces = {}
  local length = n % 100 == 0 and math.random(2000, 9000) or math.random(0, 24)
  for i = 1, length do
    pieces[i] = PIECES[math.random(#PIECES)]
  end
  local value = table.concat(pieces)
  if n % 250 == 0 then
    value = (value .. ("x"):rep(65536)):sub(1, 65536)
    value = value:sub(1, utf8.offset(value, -1) - 1)
  end
  return value
end

t.test("10,000 random values arrive, alone or among others", function()
  math.randomseed(20240601)
  local api, flyctl = secret_api.start(), flyctls.build()
  local account = open(api, flyctl)
  local total = { flyctl = 0, api = 0 }
  local n = 0
  -- Batches of one let the value choose the route, larger ones the worst of many.
  while n < 10000 do
    local values, size = {}, n < 300 and 1 or n < 5000 and 50 or 400
    for i = 1, math.min(size, 10000 - n) do
      n = n + 1
      values["R_" .. i] = random_value(n)
    end
    local arrived, counts = send(account, api, flyctl, values)
    check(arrived, values)
    total.flyctl = total.flyctl + counts.flyctl
    total.api = total.api + counts.api
  end
  t.eq(total.flyctl + total.api, 10000)
  t.ok(total.flyctl > 50 and total.api > 1000)
end)

t.test("values that flyctl reads as they are come by flyctl, many at once", function()
  math.randomseed(20240602)
  local api, flyctl = secret_api.start(), flyctls.build()
  local account, count = open(api, flyctl), 0
  for _ = 1, 20 do
    local values = {}
    for i = 1, 100 do
      local value = random_value(i)
      local handle <close> = secret.new(value)
      if handle:fits_import("R_" .. i) then
        values["R_" .. i] = value
      end
    end
    local arrived, counts = send(account, api, flyctl, values, "flyctl")
    check(arrived, values)
    count = count + counts.flyctl
  end
  t.ok(count > 500)
end)

t.test("what flyctl cannot read is refused when only flyctl may be used", function()
  local api, flyctl = secret_api.start(), flyctls.build()
  local account = open(api, flyctl)
  local rows, e = account:call("secrets.set", {
    app = "web", values = { A = "plain", B = 'x"#y' }, via = "flyctl",
  })
  t.err(rows, e, "usage")
  t.match(e.message, "value of B")
  t.eq(flyctl:kept("argv"), "")
  rows, e = open(api, nil):call("secrets.set",
    { app = "web", values = { A = "plain" }, via = "flyctl" })
  t.err(rows, e, "not installed")
end)

t.test("bytes that are no text are refused before anything is sent", function()
  local api, flyctl = secret_api.start(), flyctls.build()
  for _, account in ipairs({ open(api, flyctl), open(api, nil) }) do
    local rows, e = account:call("secrets.set",
      { app = "web", values = { A = "ok", B = secret.new("\xff\xfe") } })
    t.err(rows, e, "usage")
    t.match(e.message, "value of B is not UTF%-8 text")
    t.match(e.hint, "base64")
  end
  t.eq(api.values, {})
  t.eq(flyctl:kept("argv"), "")
end)

t.test("what flyctl silently left out is an error", function()
  local api, flyctl = secret_api.start(), flyctls.build()
  local rows, e = open(api, flyctl):call("secrets.set",
    { app = "web", values = { LOST = "value" }, stage = true })
  t.err(rows, e, "protocol")
  t.match(e.message, "no secret LOST")
end)
