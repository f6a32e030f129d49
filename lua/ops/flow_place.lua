--- Where things can be: regions there are, and regions with room.
--- Waits in the injected context only.

local err = require "base.err"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

--- What a row must name among its calls to learn which regions have room.
M.ROOM = { "apps.get", "regions.placements" }

--- What a row that uses this module must name among its calls.
M.CALLS = tbl.flatten({ { "regions.list_all" }, M.ROOM })

-- Regions named in a hint.
local MOST = 8

local GIGABYTE = 1024 * 1024 * 1024

--- Refuses a region that is none, or is being closed, before anything is asked
--- for. Where the regions cannot be listed, the server judges.
---@async
---@param ctx op.Context
---@param code string?
---@return true?
---@return err.Record?
function M.check(ctx, code)
  local list = code and ctx.call("regions.list_all", {})
  if not list then
    return true
  end
  local codes = {}
  for _, region in ipairs(list) do
    if region.code == code and not region.deprecated then
      return true
    elseif region.code == code then
      return nil, err.new({ kind = "usage",
        message = ("region %s is being closed; nothing new is placed there"):format(code),
        hint = "clanker fly list regions shows the others" })
    end
    codes[#codes + 1] = region.code
  end
  local near = str.did_you_mean(code, codes)
  return nil, err.new({
    kind = "usage", message = ("there is no region %s"):format(code),
    hint = (near and ("did you mean %s? "):format(near) or "")
      .. "clanker fly list regions shows them",
  })
end

-- The regions with room for such a machine or volume; nil when it cannot be
-- told.
local function with_room(ctx, wanted)
  local app = ctx.call("apps.get", { app = wanted.app })
  local org = tbl.get(app or {}, "organization.slug")
  local rows = org and ctx.call("regions.placements", {
    org = org, guest = wanted.guest, volume = wanted.volume,
    volume_bytes = wanted.gigabytes and wanted.gigabytes * GIGABYTE,
  })
  return rows and tbl.map(rows, function(row)
    return row.region
  end)
end

-- "ams, fra and ord": so many that a line holds them.
local function names(codes)
  return str.join(table.move(codes, 1, math.min(#codes, MOST), 1, {}))
end

--- An error for want of room, with the regions that have some as its hint. Any
--- other error is left as it is.
---@async
---@param ctx op.Context
---@param e err.Record
---@param wanted { app: string, region: string?, guest: table?, volume: string?,
--- gigabytes: integer?, how: string? } `volume` is the name of a new one, and
--- `how` says what to do with such a region
---@return err.Record
function M.suggest(ctx, e, wanted)
  if e.kind ~= "capacity" then
    return e
  end
  local codes = with_room(ctx, wanted)
  codes = tbl.filter(codes or {}, function(code)
    return code ~= wanted.region
  end)
  if #codes > 0 then
    table.sort(codes)
    e.hint = ("there is room in %s%s"):format(names(codes),
      wanted.how and ": " .. wanted.how or "")
  end
  return e
end

--- An error for want of room where a machine is, which cannot move: with the
--- regions a copy could be made in. Any other error is left as it is.
---@async
---@param ctx op.Context its row calls M.ROOM
---@param e err.Record
---@param at ops.Target
---@param machine table
---@param guest table? the size there is no room for; the machine's unless told
---@return err.Record
function M.elsewhere(ctx, e, at, machine, guest)
  if e.kind ~= "capacity" then
    return e
  end
  local codes = with_room(ctx, {
    app = at.app, guest = guest or tbl.get(machine, "config.guest"),
  })
  table.sort(codes or {}, function(a, b)
    local home = machine.region -- another host there is the nearest
    return a ~= b and (a == home or (b ~= home and a < b))
  end)
  local found = codes and codes[1]
  local mounts = tbl.get(machine, "config.mounts")
  e.hint = ("%sa machine stays on its host; try again later, or copy it: clanker fly clone %s"
    .. " --region %s --app %s%s"):format(
    found and ("there is room in %s; "):format(names(codes)) or "", at.id, found or "REGION",
    at.app, type(mounts) == "table" and next(mounts) and " (with empty volumes)" or "")
  return e
end

return M
