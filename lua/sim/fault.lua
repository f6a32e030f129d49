--- Mishaps on purpose, for tests of a client's resilience.
--- Pure. Grammar, rules separated by `;` (a space after it is fine):
---
---     rule    = [METHOD " "] path ":" action {"," action} ["*" count]
---     path    = "*", or a path in which "*" stands for any text
---     action  = status            e.g. 503: answered instead of the reply
---             | status "=" text   with this error message
---             | "latency=" ms     before the reply
---             | "retry-after=" s  a header of the reply
---             | "html" | "empty" | "text" | "garbage"  the reply's body
---             | "reset"           the connection ends without a reply
---             | "truncate"        the connection ends inside the body
---             | "lost"            done, then the connection ends
---     count   = how many requests; without it every one
---
--- The first rule that matches and is not used up counts.

local json = require "base.json"
local tbl = require "base.tbl"

local M = {}

---@class sim.FaultRule
---@field method string?
---@field pattern string Lua pattern of the whole path
---@field status integer?
---@field message string?
---@field latency number? seconds
---@field retry_after integer?
---@field body string? html, empty, text or garbage
---@field ending string? reset, truncate or lost
---@field left number requests it still meets

local METHODS = tbl.set {
  "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT",
}

local BODIES = { html = true, empty = true, text = true, garbage = true }
local ENDINGS = { reset = true, truncate = true, lost = true }

-- A readable refusal of a wrong spec: where, and what is wrong.
local function wrong(at, message)
  return nil, ("position %d: %s"):format(at, message)
end

-- Reads "503", "503=text", "latency=200", "html" … into the rule.
local function read_action(rule, text, at)
  local name, value = text:match("^([^=]+)=(.*)$")
  name = name or text
  if name:find("^%d+$") then
    local status = tonumber(name)
    if status < 200 or status > 599 then
      return wrong(at, "a status is from 200 to 599")
    end
    rule.status, rule.message = math.tointeger(status), value
  elseif name == "latency" or name == "retry-after" then
    local number = value and value:match("^%d+$") and tonumber(value)
    if not number or number > 600000 then
      return wrong(at, name .. " takes a whole number up to 600000")
    end
    if name == "latency" then
      rule.latency = number / 1000
    else
      rule.retry_after = math.tointeger(number)
    end
  elseif BODIES[text] then
    rule.body = text
  elseif ENDINGS[text] then
    rule.ending = text
  else
    return wrong(at, ("unknown action %q"):format(text))
  end
  return true
end

local function to_pattern(path)
  local escaped = path:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0")
  return "^" .. escaped:gsub("%*", ".*") .. "$"
end

-- The part of a rule before its colon.
local function read_target(rule, text, at)
  local method, path = text:match("^(%u+)%s+(%S+)$")
  path = path or text
  if method and not METHODS[method] then
    return wrong(at, ("%q is no method"):format(method))
  elseif path ~= "*" and path:sub(1, 1) ~= "/" then
    return wrong(at, ("%q is neither a path nor *"):format(path))
  end
  rule.method, rule.pattern = method, to_pattern(path)
  return true
end

local function read_rule(text, at)
  local rule = { left = math.huge }
  local target, colon, rest = text:match("^(.-)():(.*)$")
  if not target then
    return wrong(at, "a rule needs a colon before its action")
  end
  local ok, e = read_target(rule, target, at)
  if not ok then
    return nil, e
  end
  local offset = at + colon
  local actions, count = rest:match("^(.-)%*(%d*)$")
  if actions then
    rule.left = tonumber(count)
    if not rule.left or rule.left < 1 then
      return wrong(offset + #actions, "a count is a whole number from 1")
    end
  end
  for from, action in (actions or rest):gmatch("()([^,]*)") do
    ok, e = read_action(rule, action, offset + from - 1)
    if not ok then
      return nil, e
    end
  end
  return rule
end

---@class sim.Faults
---@field private rules sim.FaultRule[]
local Faults = {}
Faults.__index = Faults

--- Reads a spec.
---@param spec string
---@return sim.Faults?
---@return string? message names the position
function M.parse(spec)
  local rules = {}
  for from, text in spec:gmatch("()([^;]+)") do
    local spaces = #text:match("^%s*")
    local trimmed = text:match("^%s*(.-)%s*$")
    if trimmed ~= "" then
      local rule, e = read_rule(trimmed, from + spaces)
      if not rule then
        return nil, e
      end
      rules[#rules + 1] = rule
    end
  end
  if #rules == 0 then
    return wrong(1, "there is no rule")
  end
  return setmetatable({ rules = rules }, Faults)
end

--- The rule that a request meets; it is used up by one.
---@param method string
---@param path string raw
---@return sim.FaultRule?
function Faults:meet(method, path)
  for _, rule in ipairs(self.rules) do
    if rule.left > 0 and (not rule.method or rule.method == method)
      and path:find(rule.pattern) then
      rule.left = rule.left - 1
      return rule
    end
  end
end

local BODY_TEXTS = {
  html = { "text/html", "<html><head><title>502 Bad Gateway</title></head>"
    .. "<body><h1>Bad Gateway</h1></body></html>\n" },
  empty = { "application/json", "" },
  text = { "text/plain", "upstream connect error or disconnect\n" },
  garbage = { "application/json", '{"machines": [{"id": "' },
}

--- The reply that a rule puts in place of the true one; nil when it leaves the
--- true one alone.
---@param rule sim.FaultRule
---@return integer? status
---@return string? body
---@return string? content_type
function M.reply(rule)
  if rule.body then
    local kind, text = table.unpack(BODY_TEXTS[rule.body])
    return rule.status or 200, text, kind
  elseif rule.status then
    local message = rule.message or "this fault was asked for"
    return rule.status, json.encode({ error = message }), "application/json"
  end
end

return M
