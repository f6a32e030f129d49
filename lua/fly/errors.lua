--- Turns what Fly answered, or did not, into one typed error record.
--- Pure, and total: any status with any body gives a record that is safe to show.

local err = require "base.err"
local hints = require "fly.hints"
local json = require "base.json"
local text = require "fly.text"

local M = {}

--- What a failed request was about; it colours messages and hints.
---@class fly.About
---@field op string? operation id
---@field action string? "GET /v1/apps/{app}"
---@field app string? the app the request named
---@field org string? the organization the request named
---@field id string? the machine, volume or other thing the request named
---@field token_source string? where the token came from
---@field can_write boolean? true when the request may have changed something

--- Error bodies longer than this are sliced for their message, not decoded.
local DECODE_MAX = 64 * 1024

local KINDS = {
  [400] = "invalid",
  [401] = "auth",
  [402] = "quota",
  [403] = "forbidden",
  [404] = "not_found",
  [408] = "timeout",
  [409] = "conflict",
  [410] = "not_found",
  [412] = "conflict",
  [413] = "invalid",
  [422] = "invalid",
  [429] = "rate_limited",
}

local REASONS = {
  [400] = "the request is not valid",
  [401] = "the token was not accepted",
  [402] = "a payment method is missing",
  [403] = "the token is not allowed to do this",
  [404] = "not found",
  [405] = "the server does not know this action",
  [408] = "the server gave up waiting",
  [409] = "it conflicts with another change",
  [410] = "it is deleted or being deleted",
  [412] = "it changed in the meantime",
  [413] = "the request is too large",
  [422] = "the request was refused",
  [429] = "too many requests",
  [500] = "the server failed",
  [502] = "the server behind the gateway failed",
  [503] = "the service is unavailable",
  [504] = "the server behind the gateway did not answer",
}

-- The word in the body's `status`, which tells more than the HTTP status.
local WORDS = {
  insufficient_capacity = "capacity",
  volume_placement_capacity = "capacity",
  name_taken = "conflict",
}

-- What only the message tells: kind, Lua pattern on the lower-case message, statuses it may refine.
local SAYINGS = {
  { "conflict", "lease currently held" },
  { "conflict", "lease nonce" },
  { "capacity", "insufficient resources" },
  { "capacity", "insufficient memory" },
  { "capacity", "insufficient cpu" },
  { "capacity", "insufficient capacity" },
  { "capacity", "could not reserve resource" },
  { "capacity", "no capacity" },
  { "timeout", "deadline_exceeded" },
  { "conflict", "failed_precondition" },
  { "conflict", "name has already been taken" },
  { "quota", "quota" },
  { "quota", "limit of %d+" },
  { "quota", "machine limit" },
  { "quota", "volume limit" },
  { "quota", "payment method" },
  { "quota", "trial has ended" },
}

---@param reply table
---@param name string lower-case header name
---@return string?
local function header(reply, name)
  local value = type(reply.headers) == "table" and reply.headers[name]
  return type(value) == "string" and value ~= "" and text.line(value, 120) or nil
end

--- The request id of a reply, clean enough to print.
---@param reply table
---@return string?
function M.request_id(reply)
  return header(reply, "fly-request-id")
end

---@param value any
---@return string?
local function saying(value)
  if type(value) ~= "string" then
    return nil
  end
  local line = text.line(value)
  return line ~= "" and line or nil
end

--- A member of a JSON text too long to decode.
---@param body string
---@param name string
---@return any
local function member(body, name)
  local raw = json.get_raw(body, name)
  if type(raw) ~= "string" or #raw > DECODE_MAX then
    return nil
  end
  return (json.decode(raw))
end

---@param body string
---@return table?
local function decode_body(body)
  local first = body:match("^[%s\239\187\191]*(.)")
  if first ~= "{" then
    return nil
  end
  if #body <= DECODE_MAX then
    local value = json.decode(body)
    return type(value) == "table" and value or nil
  end
  return {
    message = member(body, "message"),
    error = member(body, "error"),
    status = member(body, "status"),
  }
end

--- The first text found in `errors`: `{detail = "…"}`, `{"…"}`, `{{message = "…"}}`.
---@param errors any
---@return string?
local function first_text(errors)
  if type(errors) ~= "table" then
    return saying(errors)
  end
  local first = errors.detail or errors.message or errors[1]
  if type(first) == "table" then
    first = first.message or first.detail
  end
  return saying(first)
end

---@param body string
---@return string?
local function markup_title(body)
  local head = body:sub(1, 16 * 1024)
  if not head:match("^%s*<") then
    return nil
  end
  local title = saying(head:match("<[tT][iI][tT][lL][eE][^>]*>(.-)</"))
  return title and ("a web page titled \"" .. title .. "\"") or "a web page"
end

--- What the body says went wrong, and its `status` word.
---@param body any
---@return string? message, string? word
local function read_body(body)
  if type(body) ~= "string" or not body:find("%S") then
    return nil, nil
  end
  local value = decode_body(body)
  if value then
    local word = type(value.status) == "string" and text.line(value.status, 60) or nil
    return saying(value.message) or saying(value.error) or first_text(value.errors), word
  end
  local page = markup_title(body)
  if page then
    return "the server answered with " .. page, nil
  end
  return saying(body), nil
end

---@param message string?
---@return string?
local function kind_of_message(message)
  local lower = message and message:lower() or ""
  for _, row in ipairs(SAYINGS) do
    if lower:find(row[2]) then
      return row[1]
    end
  end
  return nil
end

-- Statuses whose meaning is certain, whatever the message says.
local FIRM = { [401] = true, [404] = true, [408] = true, [410] = true, [429] = true }

---@param status integer
---@param word string?
---@param message string?
---@return string
local function kind_of(status, word, message)
  local kind = WORDS[word]
  if not kind and not FIRM[status] then
    kind = kind_of_message(message)
  end
  if kind then
    return kind
  end
  if status >= 500 then
    return "server"
  end
  return KINDS[status] or (status >= 400 and "invalid" or "protocol")
end

---@param message string?
---@return {owner: string, expires_at: string}?
local function lease_of(message)
  if not message then
    return nil
  end
  local owner, expires_at = message:match("lease currently held by ([^,]+), expires at (.+)$")
  return owner and { owner = owner, expires_at = expires_at } or nil
end

--- The record of a reply whose status is not a success.
---@param reply {status: integer, headers: table?, body: string?}
---@param about fly.About?
---@param retry_after number? seconds the server asks to wait
---@return table err
function M.from_reply(reply, about, retry_after)
  about = about or {}
  local status = math.tointeger(reply.status) or 0
  local message, word = read_body(reply.body)
  local kind = kind_of(status, word, message)
  local detail = {
    action = about.action, word = word, lease = lease_of(message), retry_after = retry_after,
  }
  return err.new {
    kind = kind,
    message = message or REASONS[status] or ("the server answered with status " .. status),
    status = status,
    request_id = M.request_id(reply),
    hint = hints.for_reply(kind, status, about, detail),
    detail = detail,
  }
end

--- The record of a reply that claims success and cannot be used.
---@param reply {status: integer, headers: table?, body: string?}
---@param about fly.About?
---@param why string "is empty", "is not JSON: …"
---@return table err
function M.bad_reply(reply, about, why)
  about = about or {}
  local page = type(reply.body) == "string" and markup_title(reply.body)
  return err.new {
    kind = "protocol",
    message = page and ("the server answered with " .. page .. " instead of JSON")
      or ("the reply " .. text.line(why)),
    status = math.tointeger(reply.status),
    request_id = M.request_id(reply),
    hint = hints.for_bad_reply(about),
    detail = { action = about.action },
  }
end

--- Adds what to do next to an error of the transport (no reply came).
---@param e table record of sys.http
---@param about fly.About?
---@return table err the same record
function M.from_transport(e, about)
  about = about or {}
  if not e.hint then
    e.hint = hints.for_transport(e, about)
  end
  if type(e.detail) ~= "table" then
    e.detail = { action = about.action }
  end
  return e
end

return M
