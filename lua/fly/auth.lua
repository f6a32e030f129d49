--- Which credentials a token string holds and which header each service wants.
--- Works on secret handles only: no byte of a token becomes a Lua string.

local err = require "base.err"
local hints = require "fly.hints"
local secret = require "sys.secret"

local M = {}

---@alias fly.Service
---| "machines" # Machines API (also Managed Postgres under /v1)
---| "logs"     # /api/v1/apps/{app}/logs
---| "graphql"
---| "uiex"     # every other route under /api/v1

---@class fly.Auth
---@field macaroons table[] secrets that start with fm1r_, fm1a_ or fm2_
---@field users table[] every other part, for example fo1_…
---@field fingerprint string tells tokens apart without revealing them
---@field source string? where the token came from
---@field headers table<string, table> Authorization values made so far
local Auth = {}
Auth.__index = Auth
Auth.__name = "fly.auth"

local SCHEMES = { "bearer", "flyv1" }
local MACAROONS = { "fm1r_", "fm1a_", "fm2_" }

--- A token of more parts is not one that Fly makes.
local MAX_PARTS = 64

--- Salt of the fingerprint: it keeps the digest apart from other uses of the token.
local FINGERPRINT_KEY = "clanker rate limit"

---@param token table secret
---@return table secret without one leading scheme word; the same when there is none
---@return boolean found
local function drop_scheme(token)
  for _, word in ipairs(SCHEMES) do
    if token:starts_with(word, true) then
      local rest = token:sub(#word + 1)
      if rest:len() == 0 or rest:find_class("space") == 1 then
        return rest:trim(), true
      end
    end
  end
  return token, false
end

--- Without the scheme words in front, however often they were pasted.
---@param token table secret
---@return table secret
local function bare(token)
  local found = true
  token = token:trim()
  while found do
    token, found = drop_scheme(token)
  end
  return token
end

---@param part table secret
---@return boolean
local function is_macaroon(part)
  for _, prefix in ipairs(MACAROONS) do
    if part:starts_with(prefix) then
      return true
    end
  end
  return false
end

--- The error of having no token at all.
---@return table err
function M.missing()
  return err.new {
    kind = "auth",
    message = "no Fly API token",
    hint = hints.GIVE_TOKEN,
  }
end

---@param source string?
---@param why string
---@return table err
local function bad_token(source, why)
  return err.new {
    kind = "auth",
    message = ("the token from %s %s"):format(source or "the caller", why),
    hint = "copy it again as one line of text, as printed by `fly tokens create`",
  }
end

---@param self fly.Auth
---@param part table secret
---@return table? err
local function add_part(self, part)
  part = bare(part):remove_space()
  if part:len() == 0 then
    return nil
  end
  if part:find_class("control") then
    return bad_token(self.source, "has a control character in the middle")
  end
  local list = is_macaroon(part) and self.macaroons or self.users
  list[#list + 1] = part
  return nil
end

--- Takes a token string apart: trimmed, unwrapped, without scheme words.
---@param token table? secret
---@param source string? where it came from, for messages
---@return fly.Auth? auth, table? err
function M.new(token, source)
  if not token then
    return nil, M.missing()
  end
  local self = setmetatable({
    macaroons = {}, users = {}, headers = {}, source = source,
  }, Auth)
  local parts = bare(token):split(",")
  if #parts > MAX_PARTS then
    return nil, bad_token(source, "has too many parts")
  end
  for _, part in ipairs(parts) do
    local e = add_part(self, part)
    if e then
      return nil, e
    end
  end
  if #self.macaroons + #self.users == 0 then
    return nil, M.missing()
  end
  local whole <close> = self:joined(true)
  self.fingerprint = whole:digest(FINGERPRINT_KEY)
  return self
end

--- The parts joined by commas, macaroons first.
---@param all boolean false: leave user tokens out when there is a macaroon
---@param scheme string? word put in front
---@return table secret
function Auth:joined(all, scheme)
  local pieces = { scheme and (scheme .. " ") }
  local has_macaroon = #self.macaroons > 0
  local start = #pieces
  local function append(list)
    for _, part in ipairs(list) do
      if #pieces > start then
        pieces[#pieces + 1] = ","
      end
      pieces[#pieces + 1] = part
    end
  end
  append(self.macaroons)
  if all or not has_macaroon then
    append(self.users)
  end
  return secret.concat(pieces)
end

--- The value of the Authorization header for a service.
---@param service fly.Service
---@return table secret
function Auth:header(service)
  local value = self.headers[service]
  if value then
    return value
  end
  local scheme = #self.macaroons > 0 and "FlyV1" or "Bearer"
  if service == "uiex" then
    value = self:joined(true, "Bearer")
  else
    value = self:joined(service == "graphql", scheme)
  end
  self.headers[service] = value
  return value
end

--- Whether there is a macaroon, which Managed Postgres insists on.
---@return boolean
function Auth:has_macaroon()
  return #self.macaroons > 0
end

--- Wipes the parts and the headers made of them.
function Auth:close()
  for _, list in ipairs { self.macaroons, self.users } do
    for _, part in ipairs(list) do
      part:close()
    end
  end
  for _, value in pairs(self.headers) do
    value:close()
  end
  self.macaroons, self.users, self.headers = {}, {}, {}
end

return M
