--- Runs an operation and writes its data as JSON text.
--- Pure but for what resolvers do. Text is written directly: the answer keeps
--- the order of the query, as it should.

local json = require "base.json"

local types = require "sim.graphql.types"
local validate = require "sim.graphql.validate"
local values = require "sim.graphql.values"

local M = {}

local NULL = "null"

--- Errors after these are counted, not reported.
M.MAX_ERRORS = 50

---@class graphql.Run
---@field schema graphql.Schema
---@field context sim.Context
---@field fragments table<string, graphql.Fragment>
---@field variables table<string, any>
---@field errors table[]
---@field path any[]
---@field collected table caches what a selection set comes to per type

local function report(run, selection, message, code)
  if #run.errors >= M.MAX_ERRORS then
    return
  end
  local path = table.move(run.path, 1, #run.path, 1, {})
  run.errors[#run.errors + 1] = {
    message = message, path = path, locations = { selection.place },
    extensions = code and { code = code } or nil,
  }
end

-- Whether the directives of a selection let it through.
local function is_included(run, directives)
  for _, directive in ipairs(directives) do
    local condition = values.plain(directive.args[1].value, run.variables)
    if directive.name == "skip" and condition == true
      or directive.name == "include" and condition ~= true then
      return false
    end
  end
  return true
end

local function applies(run, on, kind)
  if not on or on == kind.name then
    return true
  end
  local condition = run.schema.types[on]
  return condition.possible ~= nil and condition.possible[kind.name] == true
end

local function collect(run, kind, selections, into, seen)
  for _, selection in ipairs(selections) do
    if is_included(run, selection.directives) then
      if selection.kind == "field" then
        local group = into[selection.key]
        if not group then
          group = { key = selection.key }
          into[selection.key] = group
          into[#into + 1] = group
        end
        group[#group + 1] = selection
      elseif selection.kind == "inline" then
        if applies(run, selection.on, kind) then
          collect(run, kind, selection.selections, into, seen)
        end
      elseif not seen[selection.name] then
        seen[selection.name] = true
        local fragment = run.fragments[selection.name]
        if applies(run, fragment.on, kind) then
          collect(run, kind, fragment.selections, into, seen)
        end
      end
    end
  end
end

-- The selections under a group of fields with one key, as one list.
local function merged(group)
  if #group == 1 then
    return group[1].selections
  end
  local all = {}
  for _, selection in ipairs(group) do
    table.move(selection.selections or {}, 1, #(selection.selections or {}),
      #all + 1, all)
  end
  return all
end

-- Fields by key for one selection set and type; the same for every object.
local function plan(run, kind, selections)
  local of_set = run.collected[selections]
  if not of_set then
    of_set = {}
    run.collected[selections] = of_set
  end
  local groups = of_set[kind]
  if groups then
    return groups
  end
  groups = {}
  collect(run, kind, selections, groups, {})
  for _, group in ipairs(groups) do
    local first = group[1]
    group.field = validate.field(kind, first.name)
    group.quoted = json.encode(group.key) .. ":"
    group.selections = first.selections and merged(group)
    group.args, group.problem = values.arguments(run.schema,
      group.field.args, first.args, run.variables)
  end
  of_set[kind] = groups
  return groups
end

local complete

-- Everything of a connection from the list of its items.
local function cut_connection(connection, args)
  local items = connection.items or connection
  local count = #items
  local function position(cursor)
    return cursor and cursor ~= json.null
      and math.tointeger(tonumber(cursor:match("^c(%d+)$"))) or nil
  end
  local from = (position(args.after) or 0) + 1
  local to = (position(args.before) or count + 1) - 1
  to = math.min(to, count)
  local first = args.first ~= json.null and args.first
  local last = args.last ~= json.null and args.last
  if first then
    to = math.min(to, from + math.max(first, 0) - 1)
  end
  if last then
    from = math.max(from, to - math.max(last, 0) + 1)
  end
  local node = connection.node
  local edges, nodes = {}, {}
  for i = from, to do
    local item = items[i]
    nodes[#nodes + 1] = node and node(item) or item
    edges[#edges + 1] = {
      cursor = "c" .. i, item = item, node = nodes[#nodes],
    }
  end
  return {
    nodes = nodes, edges = edges, totalCount = count,
    pageInfo = {
      hasNextPage = to < count, hasPreviousPage = from > 1,
      startCursor = edges[1] and edges[1].cursor,
      endCursor = edges[#edges] and edges[#edges].cursor,
    },
  }
end

-- The value of a field; nil and true when an error was reported for it.
local function resolve(run, group, kind, object)
  local field, first = group.field, group[1]
  if field.name == "__typename" then
    return kind.name
  elseif group.problem then
    report(run, first, group.problem, "argumentLiteralsIncompatible")
    return nil, true
  elseif not field.get then
    return object[field.name]
  end
  local value, problem = field.get(run.context, object, group.args)
  if value == nil and problem then
    report(run, first, problem.message, problem.code)
    return nil, true
  end
  local inner = value ~= nil and run.schema:named(field.type)
  if inner and inner.is_connection then
    value = cut_connection(value, group.args)
  end
  return value
end

-- An object as JSON; nil when one of its members had to be and was not.
local function write_object(run, kind, object, selections)
  if kind.kind == "interface" then
    kind = run.schema.types[kind.type_of(object)]
  end
  local parts = {}
  for i, group in ipairs(plan(run, kind, selections)) do
    local depth = #run.path + 1
    run.path[depth] = group.key
    local value, is_reported = resolve(run, group, kind, object)
    local text = complete(run, group, group.field.type, value, is_reported,
      kind)
    run.path[depth] = nil
    if not text then
      return nil
    end
    parts[i] = group.quoted .. text
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function write_list(run, group, of, list, kind)
  local parts = {}
  for i = 1, #list do
    local depth = #run.path + 1
    run.path[depth] = i - 1
    local text = complete(run, group, of, list[i], false, kind)
    run.path[depth] = nil
    if not text then
      return nil
    end
    parts[i] = text
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function write_leaf(kind, value)
  if kind.kind == "scalar" then
    value = kind.serialize(value)
  end
  return json.encode(value)
end

local function write(run, group, ref, value, kind)
  if ref.kind == "list" then
    return write_list(run, group, ref.of, value, kind)
  end
  local named = run.schema.types[ref.name]
  if types.is_composite(named) then
    return write_object(run, named, value, group.selections)
  end
  return write_leaf(named, value)
end

-- A value as JSON text. A missing one is null where it may be, else the whole
-- object around it is: then the answer is nil.
function complete(run, group, ref, value, is_reported, kind)
  local inner = ref.kind == "nonnull" and ref.of or ref
  local text
  if value ~= nil and value ~= json.null then
    text = write(run, group, inner, value, kind)
    is_reported = text == nil
  end
  if text or ref.kind ~= "nonnull" then
    return text or NULL
  end
  if not is_reported then
    report(run, group[1], ("Cannot return null for non-nullable field %s.%s")
      :format(kind.name, group.field.name))
  end
  return nil
end

--- Runs an operation.
---@param schema graphql.Schema
---@param document graphql.Document
---@param operation graphql.Operation
---@param variables table<string, any> coerced
---@param context sim.Context
---@return string data JSON text
---@return table[] errors
function M.run(schema, document, operation, variables, context)
  local run = {
    schema = schema, context = context, variables = variables,
    fragments = {}, errors = {}, path = {}, collected = {},
  }
  for _, fragment in ipairs(document.fragments) do
    run.fragments[fragment.name] = fragment
  end
  local root = validate.root(schema, operation.kind)
  local data = write_object(run, root, {}, operation.selections)
  return data or NULL, run.errors
end

return M
