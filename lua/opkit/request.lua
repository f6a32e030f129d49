--- What an operation sends for checked arguments: an HTTP request, a GraphQL
--- document with variables, or words for flyctl.
--- Pure; nothing here knows hosts, tokens or pages.

local err = require "base.err"
local json = require "base.json"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

---@class op.Request
---@field method string
---@field path string with every slot filled and escaped
---@field query { [1]: string, [2]: string }[] name and value, unescaped
---@field headers table<string, string>
---@field body table? to be sent as JSON; may hold secrets

-- The place of a parameter: "path", "query", …, and its name there.
local function place_of(op, param, in_path)
  if param.at then
    return param.at:match("^(%l+)%.?(.*)$")
  elseif in_path[param.name] then
    return "path", param.name
  elseif op.gql then
    return "var", param.name
  end
  local method = op.http[1]
  local place = (method == "GET" or method == "DELETE") and "query" or "body"
  return place, param.name
end

-- Sets a dotted path in nested tables.
local function set(t, path, value)
  local keys = tbl.path(path)
  for i = 1, #keys - 1 do
    t[keys[i]] = t[keys[i]] or {}
    t = t[keys[i]]
  end
  t[keys[#keys]] = value
end

local function add_query(query, name, value)
  for _, item in ipairs(type(value) == "table" and value or { value }) do
    query[#query + 1] = { name, tostring(item) }
  end
end

local function wire_value(param, value)
  return param.wire and param.wire(value) or value
end

--- The HTTP request of an `http` operation.
---@param op op.Row
---@param args table<string, any> as opkit.check returned them
---@return op.Request
function M.http(op, args)
  local in_path = tbl.set(str.slots(op.http[2]))
  local request = { method = op.http[1], query = {}, headers = {} }
  local body, has_body_params = {}, false
  for _, param in ipairs(op.params) do
    local place, name = place_of(op, param, in_path)
    local value = args[param.name]
    has_body_params = has_body_params or place == "body"
    if value ~= nil then
      value = wire_value(param, value)
      if place == "query" then
        add_query(request.query, name, value)
      elseif place == "header" then
        request.headers[name] = tostring(value)
      elseif place == "body" then
        set(body, name, value)
      end
    end
  end
  request.path = str.fill(op.http[2], function(name)
    return str.url_escape(tostring(args[name]))
  end)
  if has_body_params and not (op.body == "optional" and next(body) == nil) then
    request.body = body
  end
  return request
end

---@class op.GraphQL
---@field text string the document
---@field name string of the operation in it
---@field is_mutation boolean
---@field variables table<string, any>

--- Kind and name of the operation in a `gql` text.
---@param op op.Row
---@return string kind "query" or "mutation"
---@return string name
function M.gql_name(op)
  return op.gql:match("^%s*(%a+)%s+(%w+)")
end

--- The document and variables of a `gql` operation.
---@param op op.Row
---@param args table<string, any>
---@return op.GraphQL
function M.gql(op, args)
  local kind, name = M.gql_name(op)
  local variables = {}
  for _, param in ipairs(op.params) do
    local place, variable = place_of(op, param, {})
    if place == "var" and args[param.name] ~= nil then
      set(variables, variable, wire_value(param, args[param.name]))
    end
  end
  return {
    text = op.gql, name = name, is_mutation = kind == "mutation",
    variables = variables,
  }
end

-- The word with its slots filled; a slot that is the whole word and holds a
-- list becomes several words.
local function expand(op, args, word, words)
  local whole = word:match("^{([%w_]+)}$")
  if whole and type(args[whole]) == "table" then
    for _, item in ipairs(args[whole]) do
      words[#words + 1] = tostring(item)
    end
    return
  end
  words[#words + 1] = str.fill(word, function(name)
    return tostring(wire_value(op.param[name], args[name]))
  end)
end

local function is_given(value)
  return value ~= nil and value ~= false and value ~= json.null
end

-- A word that came from an argument and looks like a flag would be parsed as
-- one, unless "--" stands before it. (A flag's own value is joined to it in the
-- template: "--region={region}".)
local function find_flag(words, from)
  for i = 1, from - 1 do
    if words[i] == "--" then
      return nil
    end
  end
  for i = from, #words do
    if words[i]:find("^%-") then
      return words[i]
    end
  end
end

local function append(op, args, template, words)
  for _, word in ipairs(template) do
    if type(word) ~= "table" then
      local from = #words + 1
      expand(op, args, word, words)
      local flag = word:find("^{") and find_flag(words, from)
      if flag then
        return err.new({
          kind = "usage", op = op.id,
          message = ("%s: %s must not start with a dash"):format(
            op.id, json.encode(flag)),
        })
      end
    elseif is_given(args[word.when]) then
      local refused = append(op, args, word, words)
      if refused then
        return refused
      end
    end
  end
end

--- The words for flyctl, without the program itself.
---@param op op.Row
---@param args table<string, any>
---@return string[]? words
---@return any stdin the value for standard input, or the error
function M.flyctl(op, args)
  local words = {}
  local refused = append(op, args, op.flyctl, words)
  if refused then
    return nil, refused
  end
  return words, op.stdin and args[op.stdin]
end

--- What is called, for people: "GET /v1/apps/{app}", "GraphQL ListOrgs",
--- "flyctl deploy", or the operations a `run` calls.
---@param op op.Row
---@return string
function M.describe(op)
  if op.http then
    return table.concat(op.http, " ")
  elseif op.gql then
    local _, name = M.gql_name(op)
    return "GraphQL " .. name
  elseif op.flyctl then
    local words = tbl.filter(op.flyctl, function(word)
      return type(word) == "string"
    end)
    return "flyctl " .. table.concat(words, " ")
  end
  return table.concat(op.calls, ", ")
end

return M
