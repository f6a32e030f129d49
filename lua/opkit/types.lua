--- The registry of parameter types: what a value may be, and how every view
--- shows, completes and redacts it.
--- Pure. `check` takes text (from argv, forms) or the typed value (from JSON,
--- Lua) and returns the value, or nil and what it must be.

local fmt = require "base.fmt"
local net = require "base.net"
local str = require "base.str"
local tbl = require "base.tbl"
local time = require "base.time"

local M = {}

---@class op.Complete where candidate values come from
---@field op string? id of a list operation
---@field value string? path of the value in its items
---@field describe string? path of a short description in its items
---@field from string[]? parameters to pass on to that operation
---@field files boolean? names of files

---@class op.Type
---@field metavar string stands for the value in usage lines
---@field check fun(value: any, param: op.Param): any, string?
---@field json fun(param: op.Param): table JSON Schema of the value
---@field complete op.Complete?
---@field sensitive boolean? never shown, logged or offered to a model
---@field show (fun(value: any): string)? how the value reads in a sentence
---@field widget string "text" "textarea" "number" "checkbox" "select"
--- "password" "list"
---@field is_flag boolean? may stand without a value
---@field collects boolean? check gets the whole list of a repeated flag

---@type table<string, op.Type>
local types = {}

--- Adds a type. Raises when the name is taken.
---@param name string
---@param spec op.Type
function M.define(name, spec)
  if types[name] then
    error("parameter type defined twice: " .. name, 2)
  end
  types[name] = spec
end

---@param name string
---@return op.Type?
function M.get(name)
  return types[name]
end

---@return string[]
function M.names()
  return tbl.keys(types)
end

-- Longest text value: a larger one belongs into a file.
local MAX_TEXT = 64 * 1024

local function plain_text(value, param)
  if type(value) ~= "string" then
    return nil, "must be a text"
  elseif #value > (param.max or MAX_TEXT) then
    return nil, ("must be at most %d bytes long"):format(param.max or MAX_TEXT)
  elseif value:find("\0", 1, true) then
    return nil, "must not contain a NUL byte"
  end
  return value
end

-- One line that names something: not empty, no control characters.
local function name(value, param)
  local text, why = plain_text(value, param)
  if not text then
    return nil, why
  elseif text == "" then
    return nil, "must not be empty"
  elseif #text > 255 then
    return nil, "must be at most 255 bytes long"
  elseif text:find("%c") then
    return nil, "must not contain control characters"
  end
  return text
end

-- A type for names that match a Lua pattern; `more` has where candidates come
-- from (`complete`) and the longest length (`max`).
local function pattern_type(metavar, lua_pattern, regex, what, more)
  local most = more and more.max or 63
  local spec = {
    metavar = metavar,
    widget = "text",
    check = function(value, param)
      local text, why = name(value, param)
      if not text then
        return nil, why
      elseif not text:find(lua_pattern) or #text > most then
        return nil, "must be " .. what
      end
      return text
    end,
    json = function()
      return { type = "string", pattern = regex }
    end,
  }
  spec.complete = more and more.complete
  return spec
end

-- A type for names that only the server can judge.
local function name_type(metavar, complete)
  return {
    metavar = metavar,
    widget = "text",
    complete = complete,
    check = name,
    json = function()
      return { type = "string", minLength = 1 }
    end,
  }
end

local function string_json()
  return { type = "string" }
end

M.define("string", {
  metavar = "TEXT", widget = "text", json = string_json, check = plain_text,
})

M.define("text", {
  metavar = "TEXT", widget = "textarea", json = string_json,
  check = plain_text,
})

M.define("name", name_type("NAME"))

-- What exists already: metavar, the operation that lists it, which field of an item
-- is the value and which describes it, and the parameters it is listed by. The
-- server judges these names: whatever is given is escaped on the way, so an odd one
-- is a 404 and never another path.
local EXISTING = {
  app = { "APP", "apps.list", "name", "organization.slug" },
  org = { "ORG", "orgs.list", "slug", "name" },
  machine = { "ID", "machines.list", "id", "name", { "app" } },
  volume = { "ID", "volumes.list", "id", "name", { "app" } },
  cluster = { "ID", "mpg.list", "id", "name" },
  any_cluster = { "ID", "postgres.list", "name", "kind" },
  own_cluster = { "APP", "postgres.list_apps", "name", "organization.slug" },
  peer = { "NAME", "wireguard.list", "name", "region", { "org" } },
  token = { "ID", "tokens.list", "id", "name", { "app", "org" } },
  redis = { "NAME", "redis.list", "name", "region" },
  bucket = { "NAME", "tigris.list", "name", "org.slug" },
}

for kind, row in pairs(EXISTING) do
  M.define(kind, name_type(row[1], {
    op = row[2], value = row[3], describe = row[4], from = row[5],
  }))
end

M.define("new_app", pattern_type("NAME", "^%l[%l%d-]*$", "^[a-z][a-z0-9-]*$",
  "lower-case letters, digits and dashes, starting with a letter"))

M.define("volume_name", pattern_type("NAME", "^[%l%d_]+$", "^[a-z0-9_]{1,30}$",
  "at most 30 lower-case letters, digits and underscores", { max = 30 }))

M.define("region", pattern_type("REGION", "^%l%l%l$", "^[a-z]{3}$",
  "a region's three-letter code, such as iad", {
    complete = { op = "regions.list", value = "code", describe = "name" },
  }))

M.define("hostname", {
  metavar = "HOST",
  widget = "text",
  complete = {
    op = "certs.list", value = "hostname", describe = "status",
    from = { "app" },
  },
  json = function()
    return { type = "string", format = "hostname" }
  end,
  check = function(value, param)
    local text, why = name(value, param)
    if not text then
      return nil, why
    end
    local host = net.bare_host(text)
    if text:find("[%s/:@?#]") then
      local what = "must be a bare host name, without scheme, port, path or space"
      return nil, net.is_host_name(host) and ("%s (did you mean %s?)"):format(what, host)
        or what
    elseif not net.is_host_name(host) then
      return nil, "must be a host name, such as www.example.com"
    end
    return host
  end,
})

M.define("ip", {
  metavar = "ADDRESS",
  widget = "text",
  complete = {
    op = "ips.list", value = "ip", describe = "type", from = { "app" },
  },
  json = string_json,
  check = function(value)
    if type(value) ~= "string" or not (net.is_ipv4(value) or net.is_ipv6(value)) then
      return nil, "must be an IPv4 or IPv6 address"
    end
    return value:lower()
  end,
})

M.define("cidr", {
  metavar = "CIDR",
  widget = "text",
  json = string_json,
  check = function(value)
    local address, bits = tostring(value):match("^(.-)/(%d%d?%d?)$")
    local most = address and (net.is_ipv4(address) and 32 or net.is_ipv6(address) and 128)
    if not most or tonumber(bits) > most then
      return nil, "must be an address range such as 10.0.0.0/8"
    end
    return value:lower()
  end,
})

-- "at least 1", "between 1 and 10": the range a number's parameter allows.
local function range_text(param)
  if param.min and param.max then
    return ("between %d and %d"):format(param.min, param.max)
  end
  return param.min and "at least " .. param.min or "at most " .. param.max
end

local function in_range(number, param)
  if (param.min and number < param.min) or (param.max and number > param.max) then
    return nil, "must be " .. range_text(param)
  end
  return number
end

local function number_json(kind, param)
  return { type = kind, minimum = param.min, maximum = param.max }
end

M.define("integer", {
  metavar = "N",
  widget = "number",
  json = function(param)
    return number_json("integer", param)
  end,
  check = function(value, param)
    if type(value) == "string" and not value:find("^[+-]?%d+$") then
      return nil, "must be a whole number"
    end
    local number = math.tointeger(tonumber(value))
    if not number then
      return nil, "must be a whole number"
    end
    return in_range(number, param)
  end,
})

-- The number of a release: flyctl shows them with a v in front.
M.define("release", {
  metavar = "N",
  widget = "number",
  complete = {
    op = "releases.list", value = "version", describe = "status", from = { "app" },
  },
  json = function()
    return { type = "integer", minimum = 1 }
  end,
  check = function(value)
    if type(value) == "string" then
      value = tonumber(value:match("^v?(%d+)$"))
    end
    local number = math.tointeger(value)
    if not number or number < 1 then
      return nil, "must be the number of a release, such as 3"
    end
    return number
  end,
})

M.define("number", {
  metavar = "N",
  widget = "number",
  json = function(param)
    return number_json("number", param)
  end,
  check = function(value, param)
    if type(value) == "string" and not value:find("^[+-]?%d+%.?%d*$") then
      return nil, "must be a number"
    end
    local number = tonumber(value)
    if not number then
      return nil, "must be a number"
    end
    return in_range(math.tointeger(number) or number, param)
  end,
})

local BOOLEANS = {
  ["true"] = true, yes = true, on = true, ["1"] = true,
  ["false"] = false, no = false, off = false, ["0"] = false,
}

M.define("boolean", {
  metavar = "true|false",
  widget = "checkbox",
  is_flag = true,
  json = function()
    return { type = "boolean" }
  end,
  check = function(value)
    if type(value) == "boolean" then
      return value
    end
    local word = BOOLEANS[tostring(value):lower()]
    if word == nil then
      return nil, "must be true or false"
    end
    return word
  end,
})

M.define("enum", {
  metavar = "WORD",
  widget = "select",
  json = function(param)
    return { type = "string", enum = tbl.copy(param.values) }
  end,
  check = function(value, param)
    if tbl.contains(param.values, value) then
      return value
    end
    local text = "must be one of " .. str.join(param.values, "or")
    local near = type(value) == "string" and str.did_you_mean(value, param.values)
    return nil, near and ("%s (did you mean %s?)"):format(text, near) or text
  end,
})

M.define("duration", {
  metavar = "DURATION",
  widget = "text",
  show = fmt.duration,
  json = function()
    return {
      type = { "number", "string" },
      description = "seconds, or a text such as 90s, 5m, 1h30m",
    }
  end,
  check = function(value, param)
    local seconds = value
    if type(value) == "string" then
      seconds = time.parse_duration(value)
    end
    if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 then
      return nil, "must be a duration such as 90s, 5m or 1h30m"
    end
    return in_range(seconds, param)
  end,
})

local SIZE_UNITS = {
  [""] = 1, b = 1, k = 2 ^ 10, kb = 2 ^ 10, kib = 2 ^ 10,
  m = 2 ^ 20, mb = 2 ^ 20, mib = 2 ^ 20, g = 2 ^ 30, gb = 2 ^ 30, gib = 2 ^ 30,
  t = 2 ^ 40, tb = 2 ^ 40, tib = 2 ^ 40,
}

-- A size in units of `unit` bytes; a bare number counts those units.
local function size_type(metavar, unit, example)
  return {
    metavar = metavar,
    widget = "number",
    show = function(value)
      return fmt.bytes(value * unit)
    end,
    json = function(param)
      return number_json("integer", param)
    end,
    check = function(value, param)
      local digits, suffix = tostring(value):match("^(%d+%.?%d*)%s*(%a*)$")
      local factor = digits and SIZE_UNITS[suffix:lower()]
      if not factor then
        return nil, "must be a size such as " .. example
      end
      local bytes = tonumber(digits) * (suffix == "" and unit or factor)
      local count = math.tointeger(bytes / unit)
      if not count then
        return nil, ("must be a whole number of %s"):format(metavar)
      end
      return in_range(count, param)
    end,
  }
end

M.define("bytes", size_type("BYTES", 1, "512, 64KB or 1MB"))
M.define("megabytes", size_type("MB", 2 ^ 20, "512, 512MB or 2GB"))
M.define("gigabytes", size_type("GB", 2 ^ 30, "10 or 10GB"))

-- NAME=VALUE pairs: from argv one pair at a time, from JSON an object. The
-- value of a `pairs` parameter is always a map from name to value.
local function check_pair(key, value)
  if type(key) ~= "string" or not key:find("^[%a_][%w_.-]*$") then
    return nil, "must be NAME=VALUE with a name of letters, digits and _"
  elseif type(value) ~= "string" or value:find("\0", 1, true) then
    return nil, "must be NAME=VALUE with a text as its value"
  end
  return true
end

M.define("pairs", {
  metavar = "NAME=VALUE",
  collects = true,
  widget = "list",
  json = function()
    return { type = "object", additionalProperties = { type = "string" } }
  end,
  check = function(value)
    local given = type(value) == "table" and value or { value }
    local map = {}
    for key, item in pairs(given) do
      local wanted, text = key, item
      if math.type(key) == "integer" then
        wanted, text = tostring(item):match("^([^=]*)=(.*)$")
      end
      local ok, why = check_pair(wanted, text)
      if not ok then
        return nil, why
      end
      map[wanted] = text
    end
    return map
  end,
})

-- A moment: RFC 3339, or how long ago ("1h" is one hour before now). The
-- value stays as given: only who runs the operation knows the time.
M.define("time", {
  metavar = "TIME",
  widget = "text",
  json = function()
    return {
      type = "string",
      description = "RFC 3339 time, or an age such as 15m or 2h",
    }
  end,
  check = function(value)
    if type(value) == "string"
      and (time.parse(value) or time.parse_duration(value)) then
      return value
    end
    return nil, "must be a time such as 2024-05-01T12:00:00Z, or an age such as 15m"
  end,
})

M.define("file", {
  metavar = "FILE",
  widget = "text",
  complete = { files = true },
  json = string_json,
  check = function(value, param)
    local text, why = plain_text(value, param)
    if text == "" then
      return nil, "must not be empty"
    end
    return text, why
  end,
})

-- Bytes that must not leak: only an opaque handle is a value.
M.define("secret", {
  metavar = "SECRET",
  widget = "password",
  sensitive = true,
  show = function()
    return "[secret]"
  end,
  json = function()
    return { type = "string", writeOnly = true }
  end,
  check = function(value)
    if type(value) ~= "userdata" then
      return nil, "must come from standard input, a file or a prompt"
    end
    return value
  end,
})

-- Names and secret values, or null to take a name away. Programs may give texts;
-- a face that reads them from its user gives handles.
M.define("secret_values", {
  metavar = "NAME=SECRET",
  widget = "password",
  sensitive = true,
  collects = true,
  show = function()
    return "[secret]"
  end,
  json = function()
    return {
      type = "object", writeOnly = true,
      additionalProperties = { type = { "string", "null" } },
    }
  end,
  check = function(value)
    if type(value) ~= "table" then
      return nil, "must be names with their values"
    end
    for key, item in pairs(value) do
      if not M.is_secret_name(key) then
        return nil, "must have names of letters, digits and _, the first no digit"
      elseif type(item) ~= "string" and type(item) ~= "userdata" then
        return nil, "must have texts or secrets as values"
      end
    end
    return value
  end,
})

--- Whether a secret can have this name: it becomes an environment variable.
---@param key any
---@return boolean
function M.is_secret_name(key)
  return type(key) == "string" and #key <= 256 and key:find("^[%a_][%w_]*$") ~= nil
end

M.define("secret_name", {
  metavar = "NAME",
  widget = "text",
  complete = {
    op = "secrets.list", value = "name", describe = "status", from = { "app" },
  },
  json = function()
    return { type = "string", pattern = "^[A-Za-z_][A-Za-z0-9_]*$" }
  end,
  check = function(value)
    if not M.is_secret_name(value) then
      return nil, "must be a name of letters, digits and _, the first no digit"
    end
    return value
  end,
})

-- NAME=VALUE, NAME=- or NAME as somebody typed it: it may hold a value, so it is
-- never shown.
M.define("assignment", {
  metavar = "NAME=VALUE",
  widget = "password",
  sensitive = true,
  json = string_json,
  check = function(value)
    local key = type(value) == "string" and value:match("^[^=]*")
    if not M.is_secret_name(key) then
      return nil, "must be NAME=VALUE, NAME=- or NAME, the name of letters,"
        .. " digits and _"
    end
    return value
  end,
})

-- Any JSON value, as decoded.
M.define("json", {
  metavar = "JSON",
  widget = "textarea",
  json = function()
    return {}
  end,
  check = function(value)
    if type(value) == "function" or type(value) == "userdata" then
      return nil, "must be plain data"
    end
    return value
  end,
})

return M
