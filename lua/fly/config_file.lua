--- Reads ~/.clanker.yaml: one file, checked key by key, never half believed.
--- Touches disk. Secret values come out as handles, never as Lua strings.

local err = require "base.err"
local fs = require "sys.fs"
local secret = require "sys.secret"
local str = require "base.str"
local tbl = require "base.tbl"
local text = require "fly.text"
local yaml = require "sys.yaml"

local M = {}

M.NAME = ".clanker.yaml"

--- Keys whose values are read as secret handles.
M.SECRETS = { "flyio.api_token", "backend.api_key", "ai.api_key", "ai.providers.*.api_key" }

--- What the file may hold. A section that is `true` belongs to another part of
--- the program, which checks it.
local SECTIONS = {
  ai = true,
  backend = true,
  flyio = {
    api_token = "secret",
    org_slug = "text",
    api_hostname = "text",
    api_base_url = "text",
    allow_http = "boolean",
    ca_file = "text",
    timeout = "seconds",
  },
}

---@class fly.ConfigFile
---@field path string
---@field values table section -> key -> value
---@field warnings string[]

---@param path string
---@param why string
---@param fields table? more fields of the record
---@return table err
local function config_error(path, why, fields)
  return err.new(tbl.merge({
    kind = "config",
    message = ("%s: %s"):format(text.line(path), why),
    hint = "correct the file, or name another one with --config",
  }, fields or {}))
end

---@param value any
---@return boolean
local function is_absent(value)
  return value == nil or value == yaml.null
end

-- The value as it is used, or nil when it is of another type.
local CHECKS = {
  secret = function(value)
    return secret.is(value) and value or nil
  end,
  text = function(value)
    if type(value) == "number" then
      return tostring(value)
    end
    return type(value) == "string" and str.trim(value) or nil
  end,
  boolean = function(value)
    if type(value) == "boolean" then
      return value
    end
    return nil
  end,
  seconds = function(value)
    return type(value) == "number" and value > 0 and value < 1e6 and value or nil
  end,
}

local WANTED = {
  secret = "text", text = "text", boolean = "true or false",
  seconds = "a number of seconds above 0",
}

---@param name string
---@param known string[]
---@param where string
---@return string
local function unknown_key(name, known, where)
  local near = str.did_you_mean(name, known)
  return ("unknown key %q%s%s"):format(text.line(name, 60), where,
    near and (": did you mean %q?"):format(near) or "")
end

---@param found fly.ConfigFile
---@param name string
---@param section any
---@return table? err
local function check_section(found, name, section)
  local known = SECTIONS[name]
  if known == true or is_absent(section) then
    found.values[name] = not is_absent(section) and section or nil
    return nil
  end
  if type(section) ~= "table" then
    return config_error(found.path, ("%s must hold keys and values"):format(name))
  end
  local values = {}
  for key, value in tbl.sorted(section) do
    local kind = known[key]
    if not kind then
      found.warnings[#found.warnings + 1] = found.path .. ": "
        .. unknown_key(tostring(key), tbl.keys(known), " under " .. name)
    elseif not is_absent(value) then
      local checked = CHECKS[kind](value)
      if checked == nil then
        return config_error(found.path, ("%s.%s must be %s"):format(name, key, WANTED[kind]))
      end
      values[key] = checked
    end
  end
  found.values[name] = values
  return nil
end

---@param path string
---@param root any
---@return fly.ConfigFile? found, table? err
local function check(path, root)
  local found = { path = path, values = {}, warnings = {} }
  if is_absent(root) then
    return found
  end
  for name, section in tbl.sorted(root) do
    if SECTIONS[name] == nil then
      found.warnings[#found.warnings + 1] = path .. ": "
        .. unknown_key(tostring(name), tbl.keys(SECTIONS), "")
    else
      local e = check_section(found, name, section)
      if e then
        return nil, e
      end
    end
  end
  return found
end

---@param value any
---@return boolean
local function holds_secret(value)
  if type(value) ~= "table" then
    return secret.is(value) and value:len() > 0
  end
  for _, item in pairs(value) do
    if holds_secret(item) then
      return true
    end
  end
  return false
end

--- A path as a shell word.
---@param path string
---@return string
local function shell_word(path)
  if path:match("^[%w/._-]+$") then
    return path
  end
  return "'" .. path:gsub("'", [['\'']]) .. "'"
end

--- What is wrong with a file that holds a secret and that others can read, with
--- the command that ends it; nil when all is well.
---@param path string
---@param values table the file's sections
---@return string?
function M.exposure(path, values)
  local stat = fs.stat(path)
  if not stat or stat.mode & 63 == 0 or not holds_secret(values) then
    return nil
  end
  return ("%s holds a secret and other users can read it: chmod 600 %s"):format(
    path, shell_word(path))
end

--- What went wrong, without the path that config_error puts in front.
---@param path string
---@param e table record of sys.fs or sys.yaml
---@return string
local function reason(path, e)
  local message = text.line(e.message)
  if str.starts_with(message, path .. ": ") then
    message = message:sub(#path + 3)
  end
  return message
end

---@param path string
---@param e table record of sys.yaml
---@return table err
local function parse_error(path, e)
  local at = type(e.detail) == "table" and e.detail or e
  local line, column = math.tointeger(at.line), math.tointeger(at.column)
  local message = reason(path, e)
  if line and not message:find("line " .. line, 1, true) then
    message = ("line %d, column %d: %s"):format(line, column or 1, message)
  end
  return config_error(path, message, { code = e.code, detail = { line = line, column = column } })
end

--- Reads and checks the file. A missing file is an empty one unless it was
--- asked for by name.
---@param path string
---@param named boolean the user named this path
---@return fly.ConfigFile? found, table? err
function M.load(path, named)
  local stat, e = fs.stat(path)
  if not stat then
    if e.code == "ENOENT" and not named then
      return { path = path, values = {}, warnings = {} }
    end
    return nil, config_error(path, "cannot be read: " .. reason(path, e), { code = e.code })
  end
  if stat.type == "directory" then
    return nil, config_error(path, "is a directory, not a file", { code = "EISDIR" })
  end
  local root, why = yaml.load(path, { secrets = M.SECRETS })
  if root == nil and why then
    return nil, parse_error(path, why)
  end
  local found, bad = check(path, root)
  if not found then
    return nil, bad
  end
  found.warnings[#found.warnings + 1] = M.exposure(path, found.values)
  return found
end

return M
