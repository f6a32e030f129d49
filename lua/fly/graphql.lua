--- GraphQL over HTTP: what to post, and whether the answer is a failure.
--- Pure. A non-empty `errors` is a failure whatever the HTTP status says.

local err = require "base.err"
local errors = require "fly.errors"
local hints = require "fly.hints"
local json = require "base.json"
local tbl = require "base.tbl"
local text = require "fly.text"

local M = {}

M.PATH = "/graphql"

--- Errors in one reply beyond this many are not looked at.
local MAX_ERRORS = 20

local CODES = {
  UNAUTHORIZED = "auth",
  UNAUTHENTICATED = "auth",
  FORBIDDEN = "forbidden",
  NOT_FOUND = "not_found",
  RATE_LIMITED = "rate_limited",
  THROTTLED = "rate_limited",
  INTERNAL_SERVER_ERROR = "server",
  SERVER_ERROR = "server",
  UNPROCESSABLE = "invalid",
  BAD_USER_INPUT = "invalid",
}

-- Only the message tells: kind, and a Lua pattern on the lower-case message.
local SAYINGS = {
  { "auth", "must be authenticated" },
  { "auth", "^unauthorized" },
  { "forbidden", "not authorized" },
  { "forbidden", "does not have permission" },
  { "not_found", "could not find" },
  { "not_found", "could not resolve" },
  { "not_found", "not found" },
  { "conflict", "has already been taken" },
  { "conflict", "already exists" },
  { "quota", "payment method" },
  { "quota", "credit card" },
  { "protocol", "doesn't exist on type" },
  { "protocol", "doesn't accept argument" },
  { "protocol", "parse error" },
}

-- The status that the same failure has on the REST side, for hints.
local STATUS = { auth = 401, forbidden = 403, not_found = 404, conflict = 409, rate_limited = 429 }

--- The text to post for a row's document.
---@param made op.GraphQL
---@param after string? cursor of the page to ask for
---@return string
function M.body(made, after)
  local variables = tbl.copy(made.variables)
  variables.after = after
  return json.encode { query = made.text, variables = variables, operationName = made.name }
end

---@param message string
---@param code string?
---@return string
local function kind_of(message, code)
  if CODES[code] then
    return CODES[code]
  end
  local lower = message:lower()
  for _, row in ipairs(SAYINGS) do
    if lower:find(row[2]) then
      return row[1]
    end
  end
  return "error"
end

--- The first error's words, and how many more there are.
---@param list any decoded `errors`
---@return string message, string? code
local function first_error(list)
  if type(list) ~= "table" then
    return text.line(tostring(list)), nil
  end
  local first = list[1] == nil and list or list[1]
  if type(first) ~= "table" then
    return text.line(tostring(first)), nil
  end
  local extensions = type(first.extensions) == "table" and first.extensions or {}
  local code = type(extensions.code) == "string" and text.line(extensions.code, 60) or nil
  local message = type(first.message) == "string" and text.line(first.message) or ""
  if message == "" then
    message = code or "the query failed without a message"
  end
  return message, code
end

---@param reply table
---@param list any decoded `errors`
---@param about fly.About
---@return table err
local function failure(reply, list, about)
  local message, code = first_error(list)
  local kind = kind_of(message, code)
  local count = type(list) == "table" and math.min(#list, MAX_ERRORS) or 1
  if count > 1 then
    message = ("%s (and %d more)"):format(message, count - 1)
  end
  local detail = { action = about.action, word = code }
  return err.new {
    kind = kind,
    message = message,
    code = code,
    status = math.tointeger(reply.status),
    request_id = errors.request_id(reply),
    hint = hints.for_reply(kind, STATUS[kind] or reply.status, about, detail),
    detail = detail,
  }
end

--- Asked for by name, and there is no such thing: null without any error.
---@param reply table
---@param field string
---@param about fly.About
---@return table err
local function absent(reply, field, about)
  return err.new {
    kind = "not_found",
    message = ("Fly knows no such %s"):format(field),
    status = math.tointeger(reply.status),
    request_id = errors.request_id(reply),
    hint = hints.for_reply("not_found", 404, about, {}),
    detail = { action = about.action },
  }
end

---@param raw string?
---@return boolean
local function says_nothing(raw)
  return raw == nil or raw == "null" or raw:match("^%[%s*%]$") ~= nil
end

--- The failure a reply of a successful status reports, or nil.
---@param reply {status: integer, headers: table, body: string}
---@param about fly.About
---@param field string? the field of `data` that was asked for
---@return table? err
function M.failure(reply, about, field)
  local body = reply.body
  if type(body) ~= "string" or not body:find("%S") then
    return errors.bad_reply(reply, about, "is empty")
  end
  if not body:find("^[%s]*{") then
    return errors.bad_reply(reply, about, "is not a JSON object")
  end
  local raw, e = json.get_raw(body, { "errors" })
  if e then
    return errors.bad_reply(reply, about, "is not the JSON expected: " .. e.message)
  end
  if not says_nothing(raw) then
    return failure(reply, (json.decode(raw)) or raw, about)
  end
  local data, bad = json.get_raw(body, { "data" })
  if bad then
    return errors.bad_reply(reply, about, "is not the JSON expected: " .. bad.message)
  end
  if data == nil or data == "null" then
    return errors.bad_reply(reply, about, "holds no data")
  end
  if field and json.get_raw(data, { field }) == "null" then
    return absent(reply, field, about)
  end
  return nil
end

return M
