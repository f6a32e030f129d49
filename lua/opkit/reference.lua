--- The reference of the operations as Markdown, read off their rows.
--- Pure; what a limit means in figures is injected.

local help = require "opkit.help"
local registry = require "opkit.registry"
local request = require "opkit.request"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

---@class op.ReferenceOptions
---@field limit fun(class: string?): string? a limit in words

local function add(lines, ...)
  for _, line in ipairs({ ... }) do
    lines[#lines + 1] = line
  end
end

local function cell(text)
  return (text:gsub("|", "\\|"))
end

local function code(text)
  return "`" .. text .. "`"
end

-- What a row asks of others in the end, each once: those of a `run` row are
-- those of the operations it calls, and of what these call.
local function requests(op, found, seen)
  if seen[op.id] then
    return found
  end
  seen[op.id] = true
  if not op.run then
    found[#found + 1] = op
  end
  for _, id in ipairs(op.calls or {}) do
    requests(registry.get(id), found, seen)
  end
  return found
end

-- The same for an operation that is carried out by itself: it may look first.
local function all_requests(op)
  local found, seen = {}, {}
  requests(op, found, seen)
  if op.preview then
    requests(registry.get(op.preview), found, seen)
  end
  for _, rule in ipairs(op.escalate or {}) do
    if rule.seeing then
      requests(registry.get(rule.seeing), found, seen)
    end
  end
  return found
end

local function unique(list)
  local kept, seen = {}, {}
  for _, text in ipairs(list) do
    if not seen[text] then
      seen[text] = true
      kept[#kept + 1] = text
    end
  end
  return kept
end

-- "flyctl logs --json --app={app} [--region={region}]"
local function flyctl_line(op)
  local words = tbl.map(op.flyctl, function(word)
    return type(word) == "table" and "[" .. table.concat(word, " ") .. "]" or word
  end)
  local line = "flyctl " .. table.concat(words, " ")
  return op.stdin and line .. " < " .. op.stdin or line
end

--- What carrying the operation out may call: requests and command lines.
---@param op op.Row
---@return string[]
function M.calls(op)
  return unique(tbl.map(all_requests(op), function(one)
    return one.flyctl and flyctl_line(one) or request.describe(one)
  end))
end

-- Limits that Fly publishes; GraphQL and logs have none.
local function limits(op, opts)
  local texts = {}
  for _, one in ipairs(all_requests(op)) do
    local text = one.http and opts.limit(one.limit)
      or one.flyctl and "those of flyctl's own requests"
    if text then
      texts[#texts + 1] = text
    end
  end
  return #texts > 0 and unique(texts) or { "none published" }
end

local EFFECTS = {
  read = "reads", write = "changes", destroy = "destroys, and asks first",
  exec = "runs a command remotely",
}

local function effect_text(op)
  local parts = { EFFECTS[op.effect] }
  for _, why in ipairs(help.reasons(op)) do
    parts[#parts + 1] = "asks first when it " .. why
  end
  if op.cost then
    parts[#parts + 1] = "cost: " .. op.cost
  end
  return table.concat(parts, "; ")
end

local function add_params(lines, op)
  local entries = help.entries(op.params)
  if #entries == 0 then
    return
  end
  add(lines, "| parameter | is |", "|---|---|")
  for _, entry in ipairs(entries) do
    add(lines, ("| %s | %s |"):format(code(cell(entry[1])), cell(entry[2])))
  end
  add(lines, "")
end

local function add_facts(lines, op, opts)
  local paths = help.paths(op)
  add(lines, "- effect: " .. effect_text(op))
  if #paths > 1 then
    add(lines, "- also: " .. table.concat(tbl.map(
      table.move(paths, 2, #paths, 1, {}), code), ", "))
  end
  add(lines, "- calls: " .. table.concat(tbl.map(M.calls(op), code), ", "))
  add(lines, "- limits: " .. table.concat(limits(op, opts), "; "), "")
end

--- One operation: how it is written, what it takes, does and calls.
---@param op op.Row
---@param opts op.ReferenceOptions
---@return string[] lines
function M.operation(op, opts)
  local lines = { "### " .. help.paths(op)[1], "" }
  add(lines, op.title .. ".", "", "    " .. help.usage(op), "")
  if op.doc then
    add(lines, str.dedent(op.doc), "")
  end
  add_params(lines, op)
  add_facts(lines, op, opts)
  if op.examples then
    for _, example in ipairs(op.examples) do
      add(lines, "    clanker fly " .. example)
    end
    add(lines, "")
  end
  return lines
end

-- The operations of each resource that has some.
local function by_resource()
  local groups = {}
  for _, resource in ipairs(registry.resources()) do
    local ops = tbl.filter(registry.all(), function(op)
      return op.resource == resource.id
    end)
    if #ops > 0 then
      groups[#groups + 1] = { resource = resource, ops = ops }
    end
  end
  return groups
end

-- By which ways a resource's operations get there.
local function ways(ops)
  local found = {}
  for _, op in ipairs(ops) do
    for _, one in ipairs(all_requests(op)) do
      if one.flyctl then
        found.flyctl = true
      elseif one.gql then
        found.GraphQL = true
      else
        found.REST = true
      end
    end
  end
  return table.concat(tbl.keys(found), ", ")
end

--- The table of resources with their operations.
---@return string
function M.summary()
  local lines = { "| resource | operations | by way of |", "|---|---|---|" }
  for _, group in ipairs(by_resource()) do
    local verbs = tbl.map(group.ops, function(op)
      return (op.verb:gsub("_", "-"))
    end)
    add(lines, ("| %s | %s | %s |"):format(code(group.resource.id),
      table.concat(verbs, ", "), ways(group.ops)))
  end
  return table.concat(lines, "\n") .. "\n"
end

local HEAD = [[
# Operations

Made from the rows in `lua/ops` by `make docs`; do not edit.

Every operation is `clanker fly` and one of its paths. `list X` and `X list` are the same, and so
are `get`, `destroy` and the others; nouns may be singular. The flags of every command and of every
list are in `clanker --help`; lists take `--where`, `--select` and `--sort` ([output](output.md)).
Requests that wait or hold a machine also ask for its state and its lease. A change first looks up
the app it is about, to name it (`GET /v1/apps/{app}`). Where flyctl is not among the calls of an
operation, it is not needed.]]

--- The whole reference, or that of one resource.
---@param opts op.ReferenceOptions
---@param only string? id of the resource
---@return string
function M.page(opts, only)
  local lines = only and {} or { HEAD, "", (M.summary()) }
  for _, group in ipairs(by_resource()) do
    if not only or only == group.resource.id then
      add(lines, "## " .. group.resource.title, "")
      if group.resource.doc then
        add(lines, str.dedent(group.resource.doc), "")
      end
      for _, op in ipairs(group.ops) do
        for _, line in ipairs(M.operation(op, opts)) do
          lines[#lines + 1] = line
        end
      end
    end
  end
  return (table.concat(lines, "\n"):gsub("\n+$", "\n"))
end

return M
