--- Every gql row against the service's own schema.

local ops = require "ops"
local parser = require "sim.graphql.parser"
local schema = require "base.schema"
local opkit = require "opkit"
local sdl = require "kit.sdl"
local t = require "kit"
local tbl = require "base.tbl"
local types = require "sim.graphql.types"
local validate = require "sim.graphql.validate"

local FILE = t.shared("fly-schema.graphql")

-- The real schema in the form the simulator's validator reads.
local function read_schema()
  local file = assert(io.open(FILE, "rb"))
  local text = file:read("a")
  file:close()
  local made = types.new()
  made.types = sdl.read(text).types
  for _, kind in pairs(made.types) do
    kind.kind = kind.kind == "union" and "interface" or kind.kind
  end
  return made
end

local SCHEMA = FILE and read_schema()

local ROWS = tbl.filter(ops.all({ hidden = true }), function(op)
  return op.gql ~= nil
end)

local function each_row(name, fn)
  t.test(name, function()
    if not SCHEMA then
      return t.skip("no fly-schema.graphql beside the repository")
    end
    for _, op in ipairs(ROWS) do
      local document, e = parser.parse(op.gql)
      t.ok(document, ("%s: %s"):format(op.id, tostring(e)))
      fn(op, document)
    end
  end)
end

local function messages(document)
  return tbl.map(validate.document(SCHEMA, document), function(e)
    return e.message
  end)
end

t.test("the validator refuses what the schema does not have", function()
  if not SCHEMA then
    return t.skip("no fly-schema.graphql beside the repository")
  end
  for text, wanted in pairs({
    ["query Q { organizations { nodes { slugg } } }"] = "slugg",
    ["query Q { app(nam: \"x\") { id } }"] = "nam",
    ["query Q($n: Int!) { app(name: $n) { id } }"] = "Type mismatch",
    ["query Q { viewer }"] = "must have selections",
    ["mutation Q { deleteAddOn(input: {}) { deletedAddOnNam } }"] = "deletedAddOnNam",
  }) do
    t.match(table.concat(messages(assert(parser.parse(text)))), wanted)
  end
end)

each_row("every text is valid", function(op, document)
  t.eq(messages(document), {}, op.id)
end)

-- Calls fn(field, selection) for every field selected, with its declaration.
local function walk(selections, kind, fn)
  for _, selection in ipairs(selections) do
    if selection.kind == "field" and selection.name ~= "__typename" then
      local field = kind.fields[selection.name]
      fn(field, selection)
      if selection.selections then
        walk(selection.selections, SCHEMA:named(field.type), fn)
      end
    elseif selection.selections then
      local inner = selection.on and SCHEMA.types[selection.on] or kind
      walk(selection.selections, inner, fn)
    end
  end
end

local function root(document)
  return validate.root(SCHEMA, document.operations[1].kind)
end

each_row("no text selects a deprecated field", function(op, document)
  walk(document.operations[1].selections, root(document), function(field)
    t.ok(not field.deprecated, ("%s: %s is deprecated"):format(op.id, field.name))
  end)
end)

-- Fields that carry a credential; only operations that make one may select them.
local CREDENTIALS = { token = true, tokenHeader = true, ssoLink = true,
  environment = true, privateKey = true, publicUrl = true, password = true }

each_row("what reads selects no credential, what makes one marks it", function(op, document)
  walk(document.operations[1].selections, root(document), function(field, selection)
    if CREDENTIALS[field.name] then
      t.ok(op.effect ~= "read", ("%s: selects %s"):format(op.id, field.name))
      t.ok(tbl.contains(op.sensitive or {}, selection.key),
        ("%s: does not mark %s"):format(op.id, field.name))
    end
  end)
end)

-- The selection a dotted path of the reply leads to, and its declaration.
local function at_path(document, path)
  local selections, kind, found = document.operations[1].selections, root(document), nil
  local field
  for _, key in ipairs(tbl.path(path or {})) do
    found = tbl.find(selections or {}, function(selection)
      return selection.key == key
    end)
    if not found then
      return nil
    end
    field = kind.fields[found.name]
    kind = SCHEMA:named(field.type)
    selections = found.selections
  end
  return selections, kind, field
end

each_row("the list or the item sits where the row says", function(op, document)
  local at = op.items or op.item
  if not at then
    return
  end
  local selections, _, field = at_path(document, at)
  t.ok(selections, ("%s: nothing at %s"):format(op.id, at))
  local ref = field.type.kind == "nonnull" and field.type.of or field.type
  t.eq(ref.kind == "list", op.items ~= nil)
  if op.page == "graphql" then
    local parent = tbl.copy(tbl.path(at))
    parent[#parent] = "pageInfo"
    t.ok(at_path(document, parent), op.id .. " asks for no pageInfo")
  end
end)

-- A connection gives a part of a list: one that is selected is the one whose pages
-- are turned.
each_row("every connection is read to its end", function(op, document)
  local turned = op.page == "graphql" and at_path(document, op.items)
  walk(document.operations[1].selections, root(document), function(field, selection)
    local kind = SCHEMA:named(field.type)
    if kind and kind.fields and kind.fields.pageInfo then
      local is_turned = false
      for _, inner in ipairs(selection.selections) do
        is_turned = is_turned or inner.selections == turned
      end
      t.ok(is_turned, ("%s: the rest of %s is never asked for"):format(op.id, selection.key))
    end
  end)
end)

-- The types of the schema that a shape's scalar stands for.
local SCALARS = {
  string = tbl.set({ "String", "ID", "BigInt", "Int", "ISO8601DateTime" }),
  time = tbl.set({ "ISO8601DateTime" }), integer = tbl.set({ "Int", "BigInt" }),
  number = tbl.set({ "Int", "Float" }), boolean = tbl.set({ "Boolean" }),
}

-- Whether the schema's type is the shape's: what is of another one is left out of
-- a reply.
local function has_type(shape, ref)
  ref = ref.kind == "nonnull" and ref.of or ref
  if type(shape) == "table" then
    return (ref.kind == "list") == (shape.list ~= nil)
      and (not shape.list or has_type(shape.list, ref.of))
  end
  local name = shape:gsub("%?$", "")
  if name == "any" then
    return true
  end
  local kind = ref.kind ~= "list" and SCHEMA:named(ref)
  return kind and (SCALARS[name][kind.name] or (name == "string" and kind.kind == "enum"))
end

local function is_optional(shape)
  if type(shape) == "table" then
    return shape.optional
  end
  return shape:find("%?$")
end

-- Every key selected under a path is a field of the shape, and the reverse.
local function check_shape(op, selections, shape, path, kind)
  if type(shape) ~= "table" or not selections then
    return
  end
  shape = shape.list or shape
  local keys = tbl.set(tbl.map(selections, function(selection)
    return selection.key or ""
  end))
  for name in tbl.sorted(shape.object or {}) do
    t.ok(keys[name] or is_optional(schema.at(shape, { name })),
      ("%s: asks for no %s.%s"):format(op.id, path, name))
  end
  for _, selection in ipairs(selections) do
    if selection.kind == "field" then
      local inner = schema.at(shape, { selection.key })
      t.ok(inner, ("%s: its shape has no %s.%s"):format(op.id, path, selection.key))
      local field = kind.fields[selection.name]
      t.ok(selection.name == "__typename" or has_type(inner, field.type),
        ("%s: %s.%s is of another type"):format(op.id, path, selection.key))
      check_shape(op, selection.selections, inner, path .. "." .. selection.key,
        field and SCHEMA:named(field.type))
    end
  end
end

each_row("what is asked for is what the row says it returns", function(op, document)
  local selections, kind = at_path(document, op.items or op.item)
  check_shape(op, selections, opkit.returns(op), "reply", kind)
end)

each_row("operations are named once each", function(op)
  local _, name = require("opkit.request").gql_name(op)
  for _, other in ipairs(ROWS) do
    local _, other_name = require("opkit.request").gql_name(other)
    t.ok(other == op or other_name ~= name, op.id .. " and " .. other.id)
  end
end)
