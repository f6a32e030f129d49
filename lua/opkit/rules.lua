--- The rules a row must keep to be loaded.
--- Pure; a broken rule raises with the operation's id and the field.

local formats = require "opkit.formats"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

--- Raises for a broken rule.
---@param where string "op ips.release", or deeper
---@param why string
function M.fail(where, why)
  error(("%s: %s"):format(where, why), 0)
end

--- Checks that a table has only known fields, each of its Lua type.
---@param where string
---@param t table
---@param fields table<string|integer, string>
function M.fields(where, t, fields)
  for key, value in tbl.sorted(t) do
    local wanted = fields[key]
    if not wanted then
      M.fail(where, ("unknown field %q"):format(tostring(key)))
    elseif wanted ~= "any" and type(value) ~= wanted then
      M.fail(where, ("field %q must be a %s, not a %s"):format(
        tostring(key), wanted, type(value)))
    end
  end
end

--- Checks a text against a Lua pattern.
---@param where string "op ips.release", or deeper
---@param field string
---@param value any
---@param pattern string
---@param what string what it must be, in words
function M.pattern(where, field, value, pattern, what)
  if type(value) ~= "string" or not value:find(pattern) then
    M.fail(where, ("field %q must be %s"):format(field, what))
  end
end

--- Checks a value against a closed list.
---@param where string "op ips.release", or deeper
---@param field string
---@param value any
---@param allowed any[]
function M.one_of(where, field, value, allowed)
  if not tbl.contains(allowed, value) then
    M.fail(where, ("field %q must be one of %s, not %q"):format(
      field, str.join(allowed, "or"), tostring(value)))
  end
end

--- A title: one line, a capital first, no period last.
---@param where string "op ips.release", or deeper
---@param title any
function M.title(where, title)
  if type(title) ~= "string" or not title:find("^%u") or title:find("[.\n]$")
    or #title > 72 then
    M.fail(where, "title must be one line of at most 72 characters,"
      .. " a capital first, no period last")
  end
end

--- A description: present, one line, no period at the end.
---@param where string "op ips.release", or deeper
---@param text any
function M.phrase(where, text)
  if type(text) ~= "string" or text == "" or text:find("\n")
    or text:find("%.$") then
    M.fail(where, "needs a description: one line, no period at its end")
  end
end

-- The one way the row is carried out.
local HOW = { "http", "gql", "flyctl", "run" }

local function how_of(row)
  local found = tbl.filter(HOW, function(field)
    return row[field] ~= nil
  end)
  return #found == 1 and found[1] or nil
end

local METHODS = { "GET", "POST", "PUT", "PATCH", "DELETE" }

local function check_slots(where, row, field, text)
  for _, slot in ipairs(str.slots(text)) do
    if not row.param[slot] then
      M.fail(where, ("{%s} in %s is no parameter"):format(slot, field))
    end
  end
end

local function check_http(where, row)
  local method, path = row.http[1], row.http[2]
  M.one_of(where, "http", method, METHODS)
  if #row.http ~= 2 or type(path) ~= "string" or path:sub(1, 1) ~= "/" then
    M.fail(where, 'http must be { METHOD, "/path" }')
  elseif method == "GET" and row.effect ~= "read" then
    M.fail(where, "a GET only reads, so its effect is read")
  elseif method == "DELETE" and row.effect == "read" then
    M.fail(where, "a DELETE never only reads")
  end
  check_slots(where, row, "http", path)
  for _, slot in ipairs(str.slots(path)) do
    if not row.param[slot].required then
      M.fail(where, ("{%s} is part of the path, so it is required"):format(slot))
    end
  end
  M.one_of(where, "limit", row.limit,
    { "app", "machine", "machine_get", "caller", "none" })
end

-- The variables of the text and the parameters are the same; those of paging
-- are set by whoever turns the pages.
local function check_variables(where, row)
  local unused = {}
  for variable in row.gql:match("^[^{]*"):gmatch("%$([%w_]+)%s*:") do
    unused[variable] = true
  end
  local declared = tbl.copy(unused)
  if row.page == "graphql" then
    if not (declared.first and declared.after) then
      M.fail(where, "a paged gql needs $first and $after")
    end
    unused.first, unused.after = nil, nil
  end
  for _, param in ipairs(row.params) do
    local variable = (param.at or "var." .. param.name):match("^var%.([%w_]+)")
    if variable and not declared[variable] then
      M.fail(where, ("parameter %s is no variable of its gql"):format(param.name))
    elseif variable then
      unused[variable] = nil
    end
  end
  local left = tbl.keys(unused)[1]
  if left then
    M.fail(where, ("$%s in gql is no parameter"):format(left))
  end
end

local function check_gql(where, row)
  local kind, name = row.gql:match("^%s*(%a+)%s+(%w+)")
  if kind ~= "query" and kind ~= "mutation" then
    M.fail(where, "gql must be one named query or mutation")
  elseif not name or not row.gql:find("}%s*$") then
    M.fail(where, "gql must be one named query or mutation")
  elseif (kind == "query") ~= (row.effect == "read") then
    M.fail(where, ("a %s does not go with effect %s"):format(kind, row.effect))
  end
  check_variables(where, row)
end

-- A word of an argv template, or a group of words behind a condition.
local function check_word(where, row, word)
  if type(word) == "table" then
    if not row.param[word.when] then
      M.fail(where, "a group in flyctl needs when = one of the parameters")
    end
    for _, inner in ipairs(word) do
      check_word(where, row, inner)
    end
  elseif type(word) ~= "string" or word == "" then
    M.fail(where, "flyctl must be a list of words")
  else
    check_slots(where, row, "flyctl", word)
    for _, slot in ipairs(str.slots(word)) do
      if row.param[slot].sensitive then
        M.fail(where, ("{%s} is sensitive and must not be on a command line")
          :format(slot))
      end
    end
  end
end

local function check_flyctl(where, row)
  if #row.flyctl == 0 then
    M.fail(where, "flyctl must be a list of words")
  end
  for _, word in ipairs(row.flyctl) do
    check_word(where, row, word)
  end
  if row.stdin and not row.param[row.stdin] then
    M.fail(where, ("stdin names %q, which is no parameter"):format(row.stdin))
  end
end

local function check_run(where, row)
  if not row.calls then
    M.fail(where, "a run needs calls = the operations it may call")
  end
end

local HOW_CHECKS = {
  http = check_http, gql = check_gql, flyctl = check_flyctl, run = check_run,
}

local EFFECTS = { "read", "write", "destroy", "exec" }

local function check_effect(where, row)
  M.one_of(where, "effect", row.effect, EFFECTS)
  local destroys = row.effect == "destroy"
  local is_asked = not destroys
  for i, rule in ipairs(row.escalate or {}) do
    local label = ("%s: escalate[%d]"):format(where, i)
    M.fields(label, rule,
      { when = "any", effect = "string", why = "string", confirm = "string",
        seeing = "string" })
    M.one_of(label, "effect", rule.effect, EFFECTS)
    M.phrase(label, rule.why)
    if type(rule.when) == "table" then
      for name in pairs(rule.when) do
        if not row.param[name] then
          M.fail(label, ("when names %q, which is no parameter"):format(name))
        end
      end
    elseif type(rule.when) ~= "function" then
      M.fail(label, "needs when = arguments, or a function of them")
    end
    if rule.seeing and type(rule.when) ~= "function" then
      M.fail(label, "what is seen is judged by a function")
    end
    check_slots(label, row, "confirm", rule.confirm or "")
    destroys = destroys or rule.effect == "destroy"
    is_asked = is_asked and (rule.effect ~= "destroy" or rule.confirm ~= nil)
  end
  if destroys and not row.confirm and not is_asked then
    M.fail(where, "what destroys needs a confirm text")
  end
  check_slots(where, row, "confirm", row.confirm or "")
  check_slots(where, row, "kept", row.kept or "")
  if row.preview and not destroys then
    M.fail(where, "a preview shows what a destroy takes along")
  elseif row.refuse and not row.preview then
    M.fail(where, "what is refused is seen in a preview")
  elseif row.offer and not (destroys and row.param[row.offer[1]]) then
    M.fail(where, "an offer names a parameter of what destroys, and its question")
  end
end

local COLUMN_FIELDS = {
  [1] = "string", [2] = "any", format = "string", priority = "number",
  wide = "boolean",
}

local function check_columns(where, row)
  for i, column in ipairs(row.columns or {}) do
    local label = ("%s: columns[%d]"):format(where, i)
    M.fields(label, column, COLUMN_FIELDS)
    M.pattern(label, "1", column[1], "^%u[%u%d ]*$", "a title in capitals")
    if type(column[2]) ~= "string" and type(column[2]) ~= "function" then
      M.fail(label, "needs a path, or a function of the item")
    elseif column.format and not formats.get(column.format) then
      M.fail(label, ("unknown format %q"):format(column.format))
    end
  end
end

local function check_reply(where, row)
  if row.effect == "read" and row.returns == nil then
    M.fail(where, "what reads declares what it returns")
  elseif row.items and row.item then
    M.fail(where, "a reply has items or one item, not both")
  end
  if row.page then
    M.one_of(where, "page", row.page, { "body", "header", "graphql" })
  end
  if row.page == "graphql" and not (row.gql and row.items) then
    M.fail(where, "graphql paging needs gql and items")
  elseif row.page and not (row.gql or row.http) then
    M.fail(where, "only http and gql replies come in pages")
  end
end

-- Fields that make sense for one way of calling only.
local ONLY = {
  calls = "run", stdin = "flyctl", here = "flyctl", finds = "flyctl", lease = "http", body = "http",
  limit = "http",
}

local function check_only(where, row, how)
  for field, wanted in tbl.sorted(ONLY) do
    if row[field] ~= nil and how ~= wanted then
      M.fail(where, ("field %q goes with %s, not with %s"):format(
        field, wanted, how))
    end
  end
  if row.lease then
    M.one_of(where, "lease", row.lease, { "optional", "required" })
  end
  if row.body then
    M.one_of(where, "body", row.body, { "optional" })
  end
  if row.api then
    M.one_of(where, "api", row.api, { "machines", "web" })
  end
  if row.stability then
    M.one_of(where, "stability", row.stability, { "stable", "preview" })
  end
end

-- A word of a command path may be an argument's value.
local function check_paths(where, row)
  for _, path in ipairs(row.cli or {}) do
    M.pattern(where, "cli", path, "^[^%s].*[^%s]$", "command paths")
    check_slots(where, row, "cli", path)
  end
end

--- Checks a whole row, its parameters already read.
---@param where string
---@param row op.Row
function M.check(where, row)
  M.title(where, row.title)
  check_effect(where, row)
  local how = how_of(row)
  if not how then
    M.fail(where, "needs exactly one of " .. str.join(HOW, "or"))
  end
  HOW_CHECKS[how](where, row)
  check_only(where, row, how)
  check_reply(where, row)
  check_columns(where, row)
  check_paths(where, row)
  if row.undo and type(row.undo.op) ~= "string" then
    M.fail(where, "undo needs op = the id of the inverse operation")
  end
end

return M
