--- Every declared operation and resource, by id.
--- Holds the process-wide table: filled while declarations load; a row is read
--- and checked when it is first asked for.

local paths = require "opkit.paths"
local tbl = require "base.tbl"

local M = {}

-- As declared, by id; then the complete rows, as far as they were asked for.
local declared, rows = {}, {}

---@type table<string, op.Resource>
local resources = {}

local index = paths.new()

-- What a snapshot said of rows that are not declared yet, by id.
---@type table<string, op.Outline>
local outlines = {}

---@class op.Outline enough to list an operation without its declaration
---@field title string
---@field hidden boolean?
---@field cli string[]?
---@field load string the module that declares it

-- Resources that came from a snapshot, until they are declared.
---@type table<string, boolean>
local adopted = {}

-- How a reply schema's name becomes its shape; set by who has the schemas.
local find_schema = function(name)
  error(("no schemas are known, so not %q either"):format(name), 0)
end

--- Sets where named schemas come from.
---@param fn fun(name: string): schema.Shape
function M.set_schemas(fn)
  find_schema = fn
end

--- The shape of that name. Raises when there is none.
---@param name string
---@return schema.Shape
function M.schema(name)
  return find_schema(name)
end

--- Takes a declaration. Raises when its id is malformed or taken, or names an
--- unknown resource, or when a command path is taken by another one.
---@param row table
function M.declare(row)
  local id = tostring(row.id)
  if outlines[id] then
    declared[id], outlines[id] = row, nil
    return
  end
  local resource_id, verb = id:match("^(%l[%l%d_]*)%.(%l[%l%d_]*)$")
  if not verb then
    error(("op %s: id must be resource.verb in lower case"):format(id), 0)
  elseif declared[id] then
    error(("op %s: declared twice"):format(id), 0)
  elseif not resources[resource_id] then
    error(("op %s: unknown resource %q; declare it first"):format(
      id, resource_id), 0)
  end
  declared[id] = row
  if not row.hidden then
    paths.add_row(index, id, resource_id, verb, row.cli)
  end
end

--- Takes a resource. Raises when its id is malformed, or a noun is taken.
---@param resource op.Resource
function M.declare_resource(resource)
  local id = tostring(resource.id)
  if adopted[id] then
    resources[id], adopted[id] = resource, nil
    return
  end
  if not id:find("^%l[%l%d_]*$") then
    error(("resource %s: id must be in lower case"):format(id), 0)
  end
  paths.add_resource(index, resource)
  resources[id] = resource
end

--- What lists need, as data: which operations there are, where each is declared
--- and by which words it is found. Made when the program is built, so that it
--- need not load every declaration to answer `--help` or a completion.
---@param loads table<string, string> operation id → module that declares it
---@return table snapshot
function M.snapshot(loads)
  local list = {}
  for id, row in pairs(declared) do
    list[id] = {
      title = row.title, hidden = row.hidden, cli = row.cli, load = loads[id],
    }
  end
  return { outlines = list, resources = resources, index = index }
end

--- Starts from a snapshot instead of from declarations.
---@param snapshot table
function M.adopt(snapshot)
  outlines, resources, index = snapshot.outlines, snapshot.resources, snapshot.index
  for id, outline in pairs(outlines) do
    declared[id] = outline
  end
  for id in pairs(resources) do
    adopted[id] = true
  end
end

--- The complete row. Raises when its declaration breaks a rule.
---@param id string
---@return op.Row?
function M.get(id)
  if outlines[id] then
    require(outlines[id].load)
  end
  if not rows[id] and declared[id] then
    rows[id] = require("opkit.row").read(declared[id])
  end
  return rows[id]
end

---@param id string
---@return op.Resource?
function M.resource(id)
  return resources[id]
end

--- The resource that a word of a command line names, by any of its nouns.
---@param word string
---@return string? id
function M.noun(word)
  return index.nouns[word]
end

--- The ids of all operations, sorted; hidden ones only on request.
---@param opts { hidden: boolean? }?
---@return string[]
function M.ids(opts)
  return tbl.filter(tbl.keys(declared), function(id)
    return not declared[id].hidden or (opts and opts.hidden)
  end)
end

--- The one-line title of an operation, without reading the whole row.
---@param id string
---@return string?
function M.title(id)
  return declared[id] and declared[id].title
end

--- All command paths of an operation, the one that usage texts show first,
--- without reading the whole row.
---@param id string
---@return string[]
function M.paths(id)
  local resource_id, verb = id:match("^(.-)%.(.*)$")
  return paths.of({ verb = verb, cli = declared[id].cli },
    resources[resource_id])
end

--- All rows by id; hidden ones only on request. Reads every row: where ids and
--- titles are enough, those are much cheaper.
---@param opts { hidden: boolean? }?
---@return op.Row[]
function M.all(opts)
  return tbl.map(M.ids(opts), M.get)
end

--- All resources by id.
---@return op.Resource[]
function M.resources()
  return tbl.map(tbl.keys(resources), M.resource)
end

--- The operation whose command path the words start with; the longest wins.
---@param words string[]
---@return op.Row? row
---@return integer used how many of the words the path took
---@return table<string, string> args values of {slots} in the path
function M.find(words)
  local id, used, args = paths.find(index, words)
  return id and M.get(id), used, args
end

--- The operations of which some path begins with the word, by id, sorted;
--- without reading their rows.
---@param word string
---@return string[]
function M.beginning(word)
  return paths.beginning(index, word)
end

--- The words that may follow the beginning of a command path, sorted.
---@param words string[] may be empty
---@return string[]
function M.next_words(words)
  return paths.next_words(index, words)
end

--- How many of the words, from the first, are the beginning of some command
--- path.
---@param words string[]
---@return integer
function M.prefix(words)
  return paths.prefix(index, words)
end

--- The word probably meant after the (right) beginning of a command path.
---@param words string[]
---@param mistyped string
---@return string?
function M.suggest(words, mistyped)
  return paths.suggest(index, words, mistyped)
end

--- Reads and checks everything that was declared, and what refers to what.
--- Raises for the first broken rule.
function M.check_all()
  for _, resource in ipairs(M.resources()) do
    require("opkit.row").check_resource(resource)
  end
  for _, row in ipairs(M.all({ hidden = true })) do
    require("opkit.links").check(row, M.get)
  end
end

return M
