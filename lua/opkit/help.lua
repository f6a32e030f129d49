--- Help of one operation: the usage line and the whole page, as plain text.
--- Pure; derived from the row, so there is nothing to keep in step.

local effect = require "opkit.effect"
local page = require "base.page"
local paths = require "opkit.paths"
local registry = require "opkit.registry"
local request = require "opkit.request"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

---@class op.HelpOptions
---@field program string? "clanker fly" unless told
---@field width integer? 80 unless told

--- All command paths of the operation; the first is the one to show. A row
--- without a resource is no operation but a face's own command.
---@param op op.Row
---@return string[]
function M.paths(op)
  if not op.resource then
    return op.cli
  end
  return paths.of(op, registry.resource(op.resource))
end

local function metavar(param)
  return param.metavar or param.kind.metavar
end

local function argument(param)
  local name = "<" .. param.name:gsub("_", "-") .. ">"
  name = param.many and name .. "..." or name
  return param.required and name or "[" .. name .. "]"
end

local function flag(param)
  if not param.kind.is_flag then
    return param.flag .. " " .. metavar(param)
  end
  return param.default == true and param.flag .. "=false" or param.flag
end

local function shown(op)
  return tbl.filter(op.params, function(param)
    return not param.hidden
  end)
end

--- The usage line.
---@param op op.Row
---@param opts op.HelpOptions?
---@return string
function M.usage(op, opts)
  local path = M.paths(op)[1]
  local is_in_path = tbl.set(str.slots(path))
  local words = { opts and opts.program or "clanker fly", path }
  for _, param in ipairs(op.positional) do
    if not is_in_path[param.name] then
      words[#words + 1] = argument(param)
    end
  end
  local has_optional = false
  for _, param in ipairs(shown(op)) do
    if param.required and not param.pos and not param.rest then
      words[#words + 1] = flag(param)
    end
    has_optional = has_optional
      or not (param.required or param.pos or param.rest)
  end
  if has_optional then
    words[#words + 1] = "[flags]"
  end
  for _, param in ipairs(op.params) do
    if param.rest then
      words[#words + 1] = "-- " .. metavar(param) .. "..."
    end
  end
  return table.concat(words, " ")
end

-- What a flag's line says after its description.
local function remarks(param)
  local list = {}
  if param.required and not param.pos then
    list[#list + 1] = "required"
  end
  if param.values then
    list[#list + 1] = table.concat(param.values, ", ")
  end
  if param.default ~= nil and param.default ~= false then
    list[#list + 1] = "default " .. effect.show(param, param.default)
  end
  if param.many and not param.pos then
    list[#list + 1] = "may be repeated"
  end
  return #list > 0 and " (" .. table.concat(list, "; ") .. ")" or ""
end

local function entry(param)
  local name = param.pos and argument(param) or flag(param)
  if param.rest then
    name = "-- " .. metavar(param) .. "..."
  elseif param.short then
    name = ("-%s, %s"):format(param.short, name)
  end
  return { name, param.text .. remarks(param) }
end

--- The lines about parameters: how each is written, and what it is.
---@param list op.Param[]
---@return { [1]: string, [2]: string }[]
function M.entries(list)
  return tbl.map(shown({ params = list }), entry)
end

local function indent(text, width)
  local lines = {}
  for _, paragraph in ipairs(str.split(str.dedent(text), "\n\n")) do
    if #lines > 0 then
      lines[#lines + 1] = ""
    end
    for _, line in ipairs(str.wrap(paragraph, width)) do
      lines[#lines + 1] = line
    end
  end
  return lines
end

local EFFECTS = {
  write = "This changes things.",
  destroy = "This destroys things and asks first; --yes or --force answers.",
  exec = "This runs a command remotely.",
}

--- When the operation asks first, each reason once.
---@param op op.Row
---@return string[]
function M.reasons(op)
  local reasons = {}
  for _, rule in ipairs(op.escalate or {}) do
    if not tbl.contains(reasons, rule.why) then
      reasons[#reasons + 1] = rule.why
    end
  end
  return reasons
end

local function effect_lines(op, width)
  local lines = {}
  if EFFECTS[op.effect] then
    lines[1] = EFFECTS[op.effect]
  end
  for _, why in ipairs(M.reasons(op)) do
    lines[#lines + 1] = "Asks first when it " .. why .. "."
  end
  if op.cost then
    lines[#lines + 1] = "Cost: " .. op.cost
  end
  return #lines > 0 and indent(table.concat(lines, " "), width) or lines
end

local function also_lines(op, width)
  local all = M.paths(op)
  if #all == 1 then
    return {}
  end
  local others = table.concat(all, ", ", 2)
  return tbl.map(str.wrap(others, width - 2), function(line)
    return "  " .. line
  end)
end

--- The whole help page, without the flags every command has.
---@param op op.Row
---@param opts op.HelpOptions?
---@return string
function M.help(op, opts)
  local width = math.max(opts and opts.width or 80, 40)
  local program = opts and opts.program or "clanker fly"
  local lines = { op.title .. ".", "", "Usage:", "  " .. M.usage(op, opts) }
  for _, text in ipairs({ op.doc or "" }) do
    if text ~= "" then
      lines[#lines + 1] = ""
      table.move(indent(text, width), 1, 1000, #lines + 1, lines)
    end
  end
  local arguments, flags = {}, {}
  for _, param in ipairs(shown(op)) do
    local list = (param.pos or param.rest) and arguments or flags
    list[#list + 1] = entry(param)
  end
  page.section(lines, "Arguments", page.columns(arguments, width))
  page.section(lines, "Flags", page.columns(flags, width))
  local notes = effect_lines(op, width)
  if #notes > 0 then
    lines[#lines + 1] = ""
    table.move(notes, 1, #notes, #lines + 1, lines)
  end
  page.section(lines, "Examples", tbl.map(op.examples or {}, function(example)
    return ("  %s %s"):format(program, example)
  end))
  page.section(lines, "Also", also_lines(op, width))
  if op.resource then
    page.section(lines, "Calls", { "  " .. request.describe(op) })
  end
  return table.concat(lines, "\n") .. "\n"
end

--- Where completion finds values for a parameter: `values`, or an operation
--- with the path of the value in its items, or files; nil: nowhere.
---@param param op.Param
---@return { values: string[] }|op.Complete|nil
function M.complete(param)
  if param.values then
    return { values = param.values }
  elseif param.kind.is_flag then
    return { values = { "true", "false" } }
  end
  local source = param.kind.complete
  if source and source.op and not registry.get(source.op) then
    return nil
  end
  return source
end

return M
