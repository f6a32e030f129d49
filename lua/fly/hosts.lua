--- Base URLs: read, cleaned, and refused when a token would travel in the clear.
--- Pure.

local err = require "base.err"
local text = require "fly.text"

local M = {}

--- Where the two services live unless told otherwise.
M.DEFAULTS = { machines = "https://api.machines.dev", api = "https://api.fly.io" }

--- The Machines API inside Fly's private network, encrypted by WireGuard.
M.INTERNAL = "_api.internal"

---@param source string
---@param value string
---@param why string
---@param hint string?
---@return nil, table err
local function refuse(source, value, why, hint)
  return nil, err.new {
    kind = "config",
    message = ("%s: %q %s"):format(source, text.line(value, 80), why),
    hint = hint or "give a base URL such as https://api.machines.dev",
  }
end

---@param authority string "host", "host:port", "[::1]:port"
---@return string? host lower case, without brackets
local function host_of(authority)
  local host, port = authority:match("^%[([%x:.]+)%](.*)$")
  if not host then
    host, port = authority:match("^([%w._%-]+)(.*)$")
  end
  if not host or not (port == "" or port:match("^:%d%d?%d?%d?%d?$")) then
    return nil
  end
  return host:lower()
end

--- Whether a host is this machine itself.
---@param host string lower case
---@return boolean
function M.is_local(host)
  return host == "localhost" or host == "::1"
    or host:match("^127%.%d+%.%d+%.%d+$") ~= nil
end

---@param value string
---@return string? scheme, string? authority, string? path
local function take_apart(value)
  if not value:find("://", 1, true) then
    value = "https://" .. value
  end
  return value:match("^(%a[%w+.-]*)://([^/?#]+)([^?#]*)$")
end

--- A base URL without trailing slashes and without `/v1` at the end.
---@param value string
---@param source string the setting's name, for messages
---@param allow_http boolean?
---@return string? url, table? err
function M.base(value, source, allow_http)
  if value:find("[%s%c]") then
    return refuse(source, value, "has white space or a control character in it")
  end
  if value:match("^[^/]*//[^/]*@") then
    return refuse(source, "…", "must not carry a user name or password")
  end
  local scheme, authority, path = take_apart(value)
  scheme = scheme and scheme:lower()
  local host = authority and host_of(authority)
  if not host or (scheme ~= "https" and scheme ~= "http") then
    return refuse(source, value, "is not a base URL")
  end
  if scheme == "http" and not (allow_http or host == M.INTERNAL or M.is_local(host)) then
    return refuse(source, value, "would send the token unencrypted to another machine",
      "use https://, or --allow-http if the network itself is trusted")
  end
  path = path:gsub("/+$", ""):gsub("/v1$", ""):gsub("/+$", "")
  return scheme .. "://" .. authority .. path
end

return M
