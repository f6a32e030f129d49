--- The one error record, and the one table from its kind to an exit code.
--- Pure. `new` raises on an unknown kind, because that is a bug here.

local M = {}

---@alias err.Kind
---| "usage" | "auth" | "forbidden" | "not_found" | "conflict" | "rejected"
---| "timeout" | "rate_limited" | "declined" | "partial" | "canceled"
---| "error" | "network" | "server" | "invalid" | "capacity" | "quota"
---| "config" | "protocol" | "bug"

---@class err.Record
---@field kind err.Kind
---@field message string lower case, no final period, names the subject
---@field hint string? what to do next
---@field code string? the host's stable code (ENOENT, ETIMEDOUT, …)
---@field status integer? HTTP status
---@field request_id string? as the server named the request
---@field warnings string[]? what was to be told on the side before it came to this
---@field detail any? what a program may want beyond the message

--- Exit code of every kind; the command's documentation prints this table.
---@type table<err.Kind, integer>
M.EXIT = {
  error = 1, network = 1, server = 1, capacity = 1, quota = 1,
  config = 1, protocol = 1, bug = 1,
  usage = 2,
  auth = 3, forbidden = 3,
  not_found = 4,
  conflict = 5,
  rejected = 6, invalid = 6,
  timeout = 7,
  rate_limited = 8,
  declined = 9,
  partial = 10,
  canceled = 130,
}

-- What the host's codes mean to a caller; every other code is a plain error.
local HOST_KINDS = {
  ECANCELED = "canceled",
  ETIMEDOUT = "timeout",
  ENOENT = "not_found",
  EINVAL = "invalid", E2BIG = "invalid", EMSGSIZE = "invalid",
  EPROTO = "protocol", EHTTP = "protocol",
  ETLS = "network",
  EAI_AGAIN = "network", EAI_FAIL = "network", EAI_NODATA = "network",
  EAI_NONAME = "network", EAI_SERVICE = "network",
  ECONNABORTED = "network", ECONNREFUSED = "network", ECONNRESET = "network",
  EHOSTUNREACH = "network", ENETDOWN = "network", ENETUNREACH = "network",
  ENOTCONN = "network", EPIPE = "network",
}

local meta = {
  __name = "err",
  __tostring = function(e)
    return e.message
  end,
}

--- Makes the given fields an error record (the table itself, not a copy).
---@param fields err.Record|table
---@return err.Record
function M.new(fields)
  if not M.EXIT[fields.kind] then
    error("unknown kind of error: " .. tostring(fields.kind), 2)
  end
  if type(fields.message) ~= "string" then
    error("an error needs a message", 2)
  end
  return setmetatable(fields, meta)
end

---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == meta
end

--- The exit code for any error value; a foreign value is a plain failure.
---@param e any
---@return integer
function M.exit_code(e)
  return M.is(e) and M.EXIT[e.kind] or 1
end

--- What stands before a printed message: "error (not found)". A plain error,
--- and a value that is none of ours, is just an "error".
---@param e any
---@return string
function M.label(e)
  if not M.is(e) or e.kind == "error" then
    return "error"
  end
  return ("error (%s)"):format((e.kind:gsub("_", " ")))
end

--- Turns the host's triplet into a record.
---@param message string?
---@param code string?
---@param subject string? put before the message, as in "config: …"
---@return err.Record
function M.from_host(message, code, subject)
  local text = tostring(message or code or "unknown error")
  if subject then
    text = subject .. ": " .. text
  end
  return M.new({ kind = HOST_KINDS[code] or "error", message = text, code = code })
end

--- What a function of the host gave: its value, or nil and its triplet as a
--- record.
---@generic T
---@param value T?
---@param message string?
---@param code string?
---@return T?, err.Record?
function M.outcome(value, message, code)
  if value == nil then
    return nil, M.from_host(message, code)
  end
  return value
end

--- The same error seen from further out: everything kept, the message told
--- with its subject before it.
---@param e err.Record|string
---@param subject string
---@return err.Record
function M.wrap(e, subject)
  if not M.is(e) then
    return M.new({ kind = "error", message = subject .. ": " .. tostring(e) })
  end
  local copy = {}
  for key, value in pairs(e) do
    copy[key] = value
  end
  copy.message = subject .. ": " .. e.message
  return M.new(copy)
end

return M
