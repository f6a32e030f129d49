--- Reading the parameters of a declaration, with their rules.
--- Pure; raises on a broken rule, naming operation and parameter.

local rules = require "opkit.rules"
local str = require "base.str"
local tbl = require "base.tbl"
local types = require "opkit.types"

local M = {}

---@class op.Param
---@field name string also the JSON name; the flag is --name with dashes
---@field type string a name in opkit.types
---@field text string what it is, for people
---@field kind op.Type derived: the type's definition
---@field flag string "--size-gb"; derived unless told
---@field required boolean?
---@field default any used when absent
---@field values string[]? of an enum
---@field min number?
---@field max number? of a number; of a text its bytes
---@field pos integer? position on the command line, from 1
---@field rest boolean? takes all words after `--`
---@field many boolean? a list of values; the flag may be repeated
---@field short string? one letter
---@field metavar string? instead of the type's
---@field sensitive boolean? never shown, logged or offered to a model
---@field at string? where it travels: "query.wire_name", "body.a.b", "var.x",
--- "header.X", "none" (not sent); default: by name, where the method puts it
---@field wire (fun(value: any): any)? the value as it travels
---@field hidden boolean? not in help and completion
---@field only "cli"? no other face has it: the command line makes another
--- parameter of it

local FIELDS = {
  [1] = "string", [2] = "string", [3] = "string", required = "boolean",
  default = "any", values = "table", min = "number", max = "number",
  pos = "number", rest = "boolean", many = "boolean", short = "string",
  metavar = "string", sensitive = "boolean", at = "string", hidden = "boolean",
  wire = "function", only = "string", flag = "string",
}

-- One word per thing: names that are another name's synonym.
local SYNONYMS = {
  app_name = "app", application = "app", machine_id = "id", volume_id = "id",
  organization = "org", org_slug = "org", organization_id = "org",
  region_code = "region", cluster_id = "id", token_id = "id",
  address = "ip", host = "hostname", domain = "hostname", wait_timeout = "timeout",
}

local PLACES = tbl.set({ "query", "body", "header", "path", "var", "none" })

local function check_name(where, name)
  if not name:find("^%l[%l%d_]*$") then
    rules.fail(where, "name must be lower case words joined by _")
  elseif SYNONYMS[name] then
    rules.fail(where, ("is called %q everywhere"):format(SYNONYMS[name]))
  end
end

local function check_type(where, param)
  if not param.kind then
    local near = str.did_you_mean(param.type, types.names())
    rules.fail(where, ("unknown type %q%s"):format(param.type,
      near and (" (did you mean %q?)"):format(near) or ""))
  elseif (param.type == "enum") ~= (param.values ~= nil) then
    rules.fail(where, "an enum has values, and only an enum has")
  end
end

-- The default must be a value its own type accepts.
local function check_default(where, param)
  if param.default == nil then
    return
  elseif param.required then
    rules.fail(where, "is required, so a default is never used")
  end
  local values = param.many and param.default or { param.default }
  for _, value in ipairs(values) do
    local _, why = param.kind.check(value, param)
    if why then
      rules.fail(where, ("default %s: it %s"):format(tostring(value), why))
    end
  end
end

local function check_place(where, at)
  local place, wire = at:match("^(%l+)%.?(.*)$")
  if not place or not PLACES[place] or (place == "none") ~= (wire == "") then
    rules.fail(where, ("at = %q is no place a request has"):format(at))
  end
end

local function read_one(where, declared)
  rules.fields(where, declared, FIELDS)
  local param = {}
  for key, value in pairs(declared) do
    if type(key) == "string" then
      param[key] = value
    end
  end
  param.name, param.type, param.text = declared[1], declared[2], declared[3]
  check_name(where, param.name)
  if not param.type then
    rules.fail(where, "needs a type")
  end
  param.kind = types.get(param.type)
  check_type(where, param)
  rules.phrase(where, param.text)
  check_default(where, param)
  if param.at then
    check_place(where, param.at)
  end
  if param.short and not param.short:find("^%a$") then
    rules.fail(where, "short must be one letter")
  end
  param.sensitive = param.sensitive or param.kind.sensitive
  param.flag = param.flag or "--" .. param.name:gsub("_", "-")
  return param
end

-- Positions run 1, 2, 3 …; no required one after an optional one; only the
-- last may take many.
local function read_positions(where, list)
  local positional = {}
  for _, param in ipairs(list) do
    if param.pos then
      if positional[param.pos] then
        rules.fail(where, ("two parameters at position %d"):format(param.pos))
      end
      positional[param.pos] = param
    end
  end
  local count, optional = 0, nil
  for _ in pairs(positional) do
    count = count + 1
  end
  for at = 1, count do
    local param = positional[at]
    if not param then
      rules.fail(where, ("positions are not contiguous: %d is missing"):format(at))
    elseif param.required and optional then
      rules.fail(where, ("required %s stands after optional %s"):format(
        param.name, optional.name))
    elseif param.many and at < count then
      rules.fail(where, ("only the last position may take many, not %s"):format(
        param.name))
    end
    optional = optional or (not param.required and param) or nil
  end
  return positional
end

--- The parameters of a declaration: in order, by name, by position.
---@param where string for messages
---@param declared table
---@return op.Param[] list
---@return table<string, op.Param> by_name
---@return op.Param[] positional
function M.read(where, declared)
  local list, by_name, shorts = {}, {}, {}
  for i, entry in ipairs(declared.params or {}) do
    local label = ("%s: params[%d] (%s)"):format(where, i,
      type(entry) == "table" and tostring(entry[1]) or "no table")
    if type(entry) ~= "table" or type(entry[1]) ~= "string" then
      rules.fail(label, "must be { name, type, text, … }")
    end
    local param = read_one(label, entry)
    if by_name[param.name] then
      rules.fail(label, "stands twice")
    elseif param.short and shorts[param.short] then
      rules.fail(label, ("short %q is taken by %s"):format(
        param.short, shorts[param.short]))
    end
    shorts[param.short or false] = param.name
    list[i], by_name[param.name] = param, param
  end
  return list, by_name, read_positions(where, list)
end

return M
