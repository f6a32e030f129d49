--- Looks up what arguments name, as far as the caller may know of it.
--- Pure. GraphQL's ids are generous: an app's name, its id or its number.

local tbl = require "base.tbl"

local access = require "sim.access"
local json = require "base.json"
local problem = require "sim.problem"

local M = {}

--- An argument, with a given null read as absent.
---@param args table
---@param name string
---@return any
function M.arg(args, name)
  local value = args[name]
  if value == json.null or value == "" then
    return nil
  end
  return value
end

local function app_by_id(world, id)
  return world:get("app", id) or tbl.find(world:list("app"), function(app)
    return app.hash == id or tostring(app.internal_numeric_id) == id
  end)
end

--- An app, if the caller may read it (or change it).
---@param ctx sim.Context
---@param id string
---@param is_write boolean?
---@return sim.App?
---@return sim.Problem?
function M.app(ctx, id, is_write)
  local app = id and app_by_id(ctx.world, id)
  if not app or not access.may_use_app(ctx.world, ctx.caller, app) then
    return problem.new(404, ("Could not find App %q"):format(id or ""))
  elseif is_write
    and not access.may_use_app(ctx.world, ctx.caller, app, true) then
    return problem.new(403, "You are not authorized to change this App")
  end
  return app
end

--- An organization, if the caller may read it (or change it).
---@param ctx table the caller and the world
---@param id string
---@param is_write boolean? whether it is to be changed
---@return table?
---@return sim.Problem?
function M.org(ctx, id, is_write)
  local org = id and access.org(ctx.world, ctx.caller, id)
  if not org then
    return problem.new(404, ("Could not find Organization %q"):format(
      id or ""))
  elseif is_write and not access.org(ctx.world, ctx.caller, id, true) then
    return problem.new(403, "You are not authorized to change this "
      .. "Organization")
  end
  return org
end

--- The records of a kind in all organizations the caller sees.
---@param ctx table the caller and the world
---@param kind string
---@param keep (fun(record: table): boolean)?
---@return table[]
function M.in_orgs(ctx, kind, keep)
  local out = {}
  for _, org in ipairs(access.orgs(ctx.world, ctx.caller)) do
    for _, record in ipairs(ctx.world:list(kind, org.id)) do
      if not keep or keep(record) then
        out[#out + 1] = record
      end
    end
  end
  return out
end

return M
