--- From flags to a machine's config: for a new machine as a table, for an
--- existing one as changes to the text of its config.
--- Pure.

local err = require "base.err"
local guests = require "ops.guest"
local json = require "base.json"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

-- Handlers that belong to the well-known ports.
local HANDLERS = { [80] = { "http" }, [443] = { "tls", "http" } }

local function refuse(text, why, hint)
  return nil, err.new({
    kind = "usage", message = ("%q %s"):format(text, why), hint = hint,
  })
end

local PORT_HINT = "write PUBLIC:INTERNAL[/PROTOCOL[:HANDLER…]], such as 443:8080"

local function port_number(digits)
  local number = math.tointeger(tonumber(digits))
  return number and number >= 1 and number <= 65535 and number or nil
end

--- Reads "443:8080/tcp:tls:http".
---@param text string
---@return { port: integer, internal: integer, protocol: string, handlers: string[] }?
---@return err.Record?
function M.port(text)
  local public, internal, rest = text:match("^(%d+):(%d+)(.*)$")
  local protocol, handlers = (rest or ""):match("^/(%l+)([:%l_]*)$")
  if not public or (rest ~= "" and not protocol) then
    return refuse(text, "is no port", PORT_HINT)
  end
  local port, inside = port_number(public), port_number(internal)
  if not port or not inside then
    return refuse(text, "has a port that is none", "ports are 1 to 65535")
  elseif protocol and protocol ~= "tcp" and protocol ~= "udp" then
    return refuse(text, "has a protocol other than tcp and udp", PORT_HINT)
  end
  local list = {}
  for handler in (handlers or ""):gmatch(":([%l_]+)") do
    list[#list + 1] = handler
  end
  protocol = protocol or "tcp"
  if #list == 0 and protocol == "tcp" then
    list = HANDLERS[port] or list
  end
  return { port = port, internal = inside, protocol = protocol, handlers = list }
end

--- The services of ports: those that lead to one place inside are one service.
---@param texts string[]
---@return table[]?
---@return err.Record?
function M.services(texts)
  local services, by_place = json.array(), {}
  for _, text in ipairs(texts) do
    local port, e = M.port(text)
    if not port then
      return nil, e
    end
    local place = port.protocol .. port.internal
    local service = by_place[place]
    if not service then
      service = {
        protocol = port.protocol, internal_port = port.internal,
        ports = json.array(),
      }
      by_place[place] = service
      services[#services + 1] = service
    end
    service.ports[#service.ports + 1] = {
      port = port.port, handlers = json.array(tbl.copy(port.handlers)),
    }
  end
  return services
end

--- Reads "vol_123:/data".
---@param text string
---@return { volume: string, path: string }?
---@return err.Record?
function M.mount(text)
  local volume, path = text:match("^([^:]+):(/.*)$")
  if not volume or path == "/" then
    return refuse(text, "is no mount", "write VOLUME:/PATH, such as data:/data")
  end
  return { volume = volume, path = path }
end

--- The config of a new machine; its mounts are added by who knows the volumes.
---@param args table
---@return table? config
---@return err.Record?
function M.config(args)
  local guest, e = guests.resolve(args)
  if not guest then
    return nil, e
  end
  local config = { image = args.image, guest = guest }
  if args.port then
    config.services, e = M.services(args.port)
    if not config.services then
      return nil, e
    end
  end
  config.env, config.metadata = args.env, args.metadata
  config.schedule, config.auto_destroy = args.schedule, args.auto_destroy
  if args.restart then
    config.restart = { policy = args.restart }
  end
  if args.command then
    config.init = { cmd = json.array(tbl.copy(args.command)) }
  end
  return config
end

-- One change for each entry of a map.
local function add_map(changes, name, map)
  for key, value in tbl.sorted(map or {}) do
    changes[#changes + 1] = { { name, key }, value }
  end
end

local function guest_changes(changes, args, current)
  if not guests.is_asked(args) then
    return true
  end
  local guest, e = guests.resolve(args, current)
  if not guest then
    return nil, e
  end
  for _, field in ipairs({ "cpu_kind", "cpus", "memory_mb" }) do
    if not current or current[field] ~= guest[field] then
      changes[#changes + 1] = { { "guest", field }, guest[field] }
    end
  end
  return true
end

--- The changes to an existing config that the arguments ask for.
---@param args table
---@param current ops.Guest? its size as it is
---@return { [1]: string[], [2]: any }[]? changes for base.json.edit
---@return err.Record?
function M.changes(args, current)
  local changes = {}
  for _, field in ipairs({ "image", "schedule", "auto_destroy" }) do
    if args[field] ~= nil then
      changes[#changes + 1] = { { field }, args[field] }
    end
  end
  local ok, e = guest_changes(changes, args, current)
  if not ok then
    return nil, e
  end
  if args.port then
    local services, why = M.services(args.port)
    if not services then
      return nil, why
    end
    changes[#changes + 1] = { { "services" }, services }
  end
  add_map(changes, "env", args.env)
  add_map(changes, "metadata", args.metadata)
  if args.restart then
    changes[#changes + 1] = { { "restart", "policy" }, args.restart }
  end
  if args.command then
    changes[#changes + 1] = { { "init", "cmd" }, json.array(tbl.copy(args.command)) }
  end
  return changes
end

--- What a volume is called: its id where it looks like one, else its name.
---@param text string
---@return boolean
function M.is_volume_id(text)
  return str.starts_with(text, "vol_")
end

return M
