--- Who is calling, and what they may see and change.
--- Pure: tokens are records of the world.

local problem = require "sim.problem"

local M = {}

---@class sim.Token: sim.Record
---@field secret string the token itself
---@field kind "user"|"macaroon"
---@field name string
---@field profile string user, deploy, org, readonly, …
---@field org string? a macaroon's organization
---@field app string? the one app it is for
---@field is_readonly boolean?
---@field user string id of the user it acts for
---@field created_at number
---@field expires_at number?
---@field revoked_at number?

---@class sim.Caller
---@field tokens sim.Token[]
---@field key string names the caller in rate limits
---@field owner string how leases and releases name the caller
---@field user table the user behind the token
---@field is_user boolean whether a user's own token is among them

local function find_token(world, secret)
  for _, token in ipairs(world:list("token")) do
    if token.secret == secret then
      return token
    end
  end
end

local function is_live(token, now)
  return not token.revoked_at
    and (not token.expires_at or token.expires_at > now)
end

-- "FlyV1 fm2_a,fm2_b" and "Bearer fo1_x", the scheme in any case.
local function split_header(header)
  local scheme, rest = header:match("^%s*(%a[%w]*)%s+(%S.*)$")
  if not scheme then
    return nil
  end
  scheme = scheme:lower()
  if scheme ~= "bearer" and scheme ~= "flyv1" then
    return nil
  end
  return scheme, rest
end

local function describe(world, tokens)
  local first, is_user = tokens[1], false
  for _, token in ipairs(tokens) do
    is_user = is_user or token.kind == "user"
  end
  local user = world:get("user", first.user)
  return {
    tokens = tokens,
    key = first.id,
    user = user,
    is_user = is_user,
    owner = is_user and user.email or first.id .. "@tokens.fly.io",
  }
end

--- The caller that an Authorization header names.
---@param world sim.World
---@param header string?
---@return sim.Caller? caller nil when no live token is in the header
---@return string? scheme "bearer" or "flyv1"
function M.caller(world, header)
  local scheme, rest = split_header(header or "")
  if not scheme then
    return nil
  end
  local tokens = {}
  for part in rest:gmatch("[^,%s]+") do
    local token = find_token(world, part)
    if token and is_live(token, world:now()) then
      tokens[#tokens + 1] = token
    end
  end
  if not tokens[1] then
    return nil
  end
  return describe(world, tokens), scheme
end

local function is_member(org, user)
  for _, member in ipairs(org.members) do
    if member.user == user then
      return true
    end
  end
  return false
end

-- Whether a token reaches into an organization; `app` narrows the question.
local function reaches(token, org, app)
  if token.kind == "user" then
    return is_member(org, token.user)
  end
  return token.org == org.id and (not token.app or token.app == app)
end

local function may(caller, org, app, is_write)
  for _, token in ipairs(caller.tokens) do
    if reaches(token, org, app) and not (is_write and token.is_readonly) then
      return true
    end
  end
  return false
end

--- The organizations the caller sees, in order of creation.
---@param world sim.World
---@param caller sim.Caller
---@return table[]
function M.orgs(world, caller)
  local out = {}
  for _, org in ipairs(world:list("org")) do
    if may(caller, org) then
      out[#out + 1] = org
    end
  end
  return out
end

--- An organization by what people call it: slug, raw slug or node id; the slug
--- `personal` is the caller's own.
---@param world sim.World
---@param caller sim.Caller
---@param name string
---@return table? org
function M.find_org(world, caller, name)
  for _, org in ipairs(world:list("org")) do
    if name == "personal" then
      if org.type == "PERSONAL" and is_member(org, caller.user.id) then
        return org
      end
    elseif org.id == name or org.node_id == name then
      return org
    end
  end
end

--- The organization, if the caller may read it (or change it).
---@param world sim.World
---@param caller sim.Caller
---@param name string
---@param is_write boolean? whether it is to be changed
---@return table? org
---@return sim.Problem?
function M.org(world, caller, name, is_write)
  local org = M.find_org(world, caller, name)
  if not org then
    return problem.not_found("organization", name)
  end
  if not may(caller, org, nil, is_write) then
    return problem.forbidden()
  end
  return org
end

--- Whether the caller may read (or change) an app.
---@param world sim.World
---@param caller sim.Caller
---@param app table a record
---@param is_write boolean? whether it is to be changed
---@return boolean
function M.may_use_app(world, caller, app, is_write)
  return may(caller, world:get("org", app.owner), app.id, is_write)
end

--- The app, if the caller may read it (or change it). A name that belongs to
--- somebody else is refused, a free one is not found.
---@param world sim.World
---@param caller sim.Caller
---@param name string
---@param is_write boolean? whether it is to be changed
---@return table? app
---@return sim.Problem?
function M.app(world, caller, name, is_write)
  local app = world:get("app", name)
  if not app then
    if world.meta.foreign and world.meta.foreign[name] then
      return problem.forbidden()
    end
    return problem.no_app(name)
  end
  if not M.may_use_app(world, caller, app, is_write) then
    return problem.forbidden()
  end
  return app
end

--- The apps the caller sees, in order of creation.
---@param world sim.World
---@param caller sim.Caller
---@return table[]
function M.apps(world, caller)
  local out = {}
  for _, app in ipairs(world:list("app")) do
    if M.may_use_app(world, caller, app) then
      out[#out + 1] = app
    end
  end
  return out
end

return M
