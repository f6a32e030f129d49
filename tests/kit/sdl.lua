--- Reads a GraphQL schema document (SDL) into tables.
--- Pure. Descriptions are skipped; of directives only @deprecated is kept.

local M = {}

---@class sdl.TypeRef
---@field kind "named"|"list"|"nonnull"
---@field name string?
---@field of sdl.TypeRef?

---@class sdl.Input an argument, or a member of an input type
---@field type sdl.TypeRef
---@field default any true where there is one
---@field deprecated boolean?

---@class sdl.Field
---@field name string
---@field type sdl.TypeRef
---@field args table<string, sdl.Input>
---@field deprecated boolean?

---@class sdl.Type
---@field kind "object"|"interface"|"union"|"enum"|"input"|"scalar"
---@field name string
---@field fields table<string, sdl.Field>?
---@field implements string[]?
---@field possible table<string, true>? object types of an interface or union
---@field values table<string, true>? of an enum
---@field inputs table<string, sdl.Input>?

-- The words of the document: names, numbers, strings and punctuation.
local function tokens(text)
  local list, at = {}, 1
  while true do
    at = text:match("^[%s,\u{FEFF}]*()", at)
    if at > #text then
      return list
    end
    local word, after
    if text:find('^"""', at) then
      after = select(2, assert(text:find('"""', at + 3, true))) + 1
      word = '"'
    elseif text:find("^#", at) then
      after = text:find("\n", at, true) or #text + 1
    elseif text:find('^"', at) then
      after = text:match('^"[^"\\\n]*()', at)
      while text:sub(after, after) == "\\" do
        after = text:match('^[^"\\\n]*()', after + 2)
      end
      after, word = after + 1, '"'
    else
      word, after = text:match("^([%w_.-]+)()", at)
      if not word then
        word, after = text:sub(at, at), at + 1
      end
    end
    list[#list + 1] = word
    at = after
  end
end

local Reader = {}
Reader.__index = Reader

function Reader:peek(word)
  return self.list[self.at] == word
end

function Reader:next()
  local word = self.list[self.at]
  self.at = self.at + 1
  return word
end

function Reader:take(word)
  if self:peek(word) then
    self.at = self.at + 1
    return true
  end
  return false
end

function Reader:expect(word)
  if not self:take(word) then
    error(("SDL: expected %s, got %s"):format(word, tostring(self.list[self.at])))
  end
end

function Reader:description()
  self:take('"')
end

function Reader:type()
  local ref
  if self:take("[") then
    ref = { kind = "list", of = self:type() }
    self:expect("]")
  else
    ref = { kind = "named", name = self:next() }
  end
  return self:take("!") and { kind = "nonnull", of = ref } or ref
end

-- Skips a value, or anything between brackets.
function Reader:skip_value()
  local closing = { ["{"] = "}", ["["] = "]", ["("] = ")" }
  local close = closing[self:next()]
  while close and not self:take(close) do
    self:skip_value()
  end
end

-- The directives here; whether one is @deprecated.
function Reader:directives()
  local is_deprecated = false
  while self:take("@") do
    is_deprecated = self:next() == "deprecated" or is_deprecated
    if self:peek("(") then
      self:skip_value()
    end
  end
  return is_deprecated or nil
end

-- name: Type = default, up to a closing word.
function Reader:inputs(close)
  local inputs = {}
  while not self:take(close) do
    self:description()
    local name = self:next()
    self:expect(":")
    local input = { type = self:type() }
    if self:take("=") then
      self:skip_value()
      input.default = true
    end
    input.deprecated = self:directives()
    inputs[name] = input
  end
  return inputs
end

function Reader:fields()
  local fields = {}
  self:expect("{")
  while not self:take("}") do
    self:description()
    local field = { name = self:next(), args = {} }
    if self:take("(") then
      field.args = self:inputs(")")
    end
    self:expect(":")
    field.type = self:type()
    field.deprecated = self:directives()
    fields[field.name] = field
  end
  return fields
end

local KINDS = {}

KINDS["type"] = function(reader, kind)
  kind.kind, kind.implements = "object", {}
  if reader:take("implements") then
    repeat
      reader:take("&")
      table.insert(kind.implements, reader:next())
    until not reader:peek("&")
  end
  reader:directives()
  kind.fields = reader:fields()
end

KINDS["interface"] = function(reader, kind)
  KINDS["type"](reader, kind)
  kind.kind, kind.possible = "interface", {}
end

KINDS["union"] = function(reader, kind)
  kind.possible, kind.fields = {}, {}
  reader:directives()
  reader:expect("=")
  repeat
    reader:take("|")
    kind.possible[reader:next()] = true
  until not reader:peek("|")
end

KINDS["enum"] = function(reader, kind)
  kind.values = {}
  reader:directives()
  reader:expect("{")
  while not reader:take("}") do
    reader:description()
    kind.values[reader:next()] = true
    reader:directives()
  end
end

KINDS["input"] = function(reader, kind)
  reader:directives()
  reader:expect("{")
  kind.inputs = reader:inputs("}")
end

KINDS["scalar"] = function(reader)
  reader:directives()
end

-- Links interfaces to the object types that implement them.
local function link(types)
  for name, kind in pairs(types) do
    for _, interface in ipairs(kind.kind == "object" and kind.implements or {}) do
      types[interface].possible[name] = true
    end
  end
end

--- Reads a schema document. Raises where it is malformed.
---@param text string
---@return { types: table<string, sdl.Type>, roots: table<string, string> }
function M.read(text)
  local reader = setmetatable({ list = tokens(text), at = 1 }, Reader)
  local types, roots = {}, {}
  for _, name in ipairs({ "Int", "Float", "String", "Boolean", "ID" }) do
    types[name] = { kind = "scalar", name = name }
  end
  while reader.list[reader.at] do
    reader:description()
    local word = reader:next()
    if word == "schema" then
      reader:directives()
      reader:expect("{")
      while not reader:take("}") do
        local root = reader:next()
        reader:expect(":")
        roots[root] = reader:next()
      end
    elseif word == "directive" then
      reader:expect("@")
      reader:next()
      while reader.list[reader.at] and not KINDS[reader.list[reader.at]]
        and not reader:peek('"') and not reader:peek("directive") do
        reader:skip_value()
      end
    else
      local read = KINDS[word] or error("SDL: unexpected " .. tostring(word))
      local kind = { kind = word, name = reader:next() }
      read(reader, kind)
      types[kind.name] = kind
    end
  end
  link(types)
  return { types = types, roots = roots }
end

return M
