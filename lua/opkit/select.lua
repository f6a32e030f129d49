--- What a list shows of its items: which of them, what of each, in what order.
--- Pure. A name is a field of the item, or else a column by its heading.

local columns = require "opkit.columns"
local err = require "base.err"
local expr = require "base.expr"
local formats = require "opkit.formats"
local json = require "base.json"
local lib = require "base.expr.lib"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

---@class op.Wanted as the user wrote it
---@field where string? an expression over the item
---@field select string? "name,config.guest.memory_mb"
---@field sort string? "-region,name": a dash turns the order around

---@class op.Selection
---@field private op op.Row
---@field private where expr.Expression?
---@field private paths string[]? of what is selected
---@field private keys { path: string, is_down: boolean }[]? to sort by
---@field private unseen table<string, string> name not met yet → its flag
---@field private known string[]? names an item had, for suggestions
local Selection = {}
Selection.__index = Selection

-- Paths in one flag.
local MOST = 64

--- Whether the operation's result is a list of items.
---@param op op.Row
---@return boolean
function M.is_list(op)
  return op.page ~= nil or op.items ~= nil
    or type(op.returns) == "table" and op.returns.list ~= nil
end

local function refuse(flag, message, hint)
  return nil, err.new({
    kind = "usage", message = ("%s: %s"):format(flag, message), hint = hint,
  })
end

-- "a, b.c" as paths; each begins with a name and has no empty part.
local function read_paths(flag, text)
  local paths = {}
  for _, part in ipairs(str.split(text, ",")) do
    local path = str.trim(part)
    local bare = path:gsub("^%-", "")
    if flag ~= "--sort" then
      bare = path
    end
    if bare == "" or bare:find("^%.") or bare:find("%.$") or bare:find("%.%.")
      or bare:find("[%s%c]") or bare:find("^%-") then
      return refuse(flag, ("%q is no name of a field"):format(path),
        "names are separated by commas, such as name,config.guest.memory_mb")
    end
    paths[#paths + 1] = path
  end
  if #paths > MOST then
    return refuse(flag, ("more than %d names"):format(MOST))
  end
  return paths
end

local function root(path)
  return path:match("^[^.]+")
end

-- The names the declared reply has: missing ones of these are just absent.
local function declared_names(op)
  local shape = require("opkit.tool").returns(op)
  shape = shape and shape.list or shape
  return type(shape) == "table" and shape.object or {}
end

local function watch(self)
  local declared = declared_names(self.op)
  local function add(name, flag)
    if declared[name] == nil and not self.columns[name] then
      self.unseen[name] = flag
    end
  end
  for name in pairs(self.where and self.where.names or {}) do
    add(name, "--where")
  end
  for _, path in ipairs(self.paths or {}) do
    add(root(path), "--select")
  end
  for _, key in ipairs(self.keys or {}) do
    add(root(key.path), "--sort")
  end
end

local function read_where(self, text)
  local where, e = expr.compile(text)
  if not where then
    e.message = "--where: " .. e.message
    return nil, e
  end
  self.where = where
  return true
end

local function read_select(self, text)
  local paths, e = read_paths("--select", text)
  self.paths = paths
  return paths, e
end

local function read_sort(self, text)
  local paths, e = read_paths("--sort", text)
  self.keys = paths and tbl.map(paths, function(path)
    return { path = path:gsub("^%-", ""), is_down = path:sub(1, 1) == "-" }
  end)
  return paths, e
end

local READERS = {
  { "where", read_where }, { "select", read_select }, { "sort", read_sort },
}

--- Reads a selection.
---@param op op.Row
---@param wanted op.Wanted
---@return op.Selection?
---@return err.Record? kind "usage"
function M.new(op, wanted)
  local self = setmetatable({ op = op, unseen = {}, columns = {} }, Selection)
  for _, view in ipairs(columns.columns(op)) do
    self.columns[view.key] = view
  end
  for _, reader in ipairs(READERS) do
    local text = wanted[reader[1]]
    if text ~= nil then
      local ok, e = reader[2](self, text)
      if not ok then
        return nil, e
      end
    end
  end
  watch(self)
  return self
end

-- What the item has at a path: its field, else the value of the column.
function Selection:get(item, path)
  local value = lib.plain(tbl.get(item, path))
  if value == nil and self.columns[path] then
    value = lib.plain(self.columns[path].value(item))
  end
  return value
end

-- Strikes off the names this item has.
local function see(self, item)
  if not self.known then
    self.known = tbl.flatten({ tbl.keys(item), tbl.keys(self.columns) })
  end
  for name in pairs(self.unseen) do
    if item[name] ~= nil then
      self.unseen[name] = nil
    end
  end
end

--- Whether the item is wanted.
---@param item table
---@return boolean?
---@return err.Record? kind "usage": the expression does not fit this item
function Selection:test(item)
  if next(self.unseen) then
    see(self, item)
  end
  if not self.where then
    return true
  end
  local is_wanted, e = self.where:test(function(name)
    return self:get(item, name)
  end)
  if e then
    e.message = "--where: " .. e.message
  end
  return is_wanted, e
end

-- A field that no column shows.
local function plain_view(self, path)
  local text = formats.get("text")
  local function value(item)
    return self:get(item, path)
  end
  return {
    title = path:upper(), key = path, path = path, priority = 1, wide = false,
    align = "left", format = "text", value = value,
    text = function(item, now)
      return text(value(item), now)
    end,
  }
end

--- The columns of what is selected; nil when nothing was selected.
---@return op.View[]?
function Selection:views()
  return self.paths and tbl.map(self.paths, function(path)
    local view = self.columns[path] or tbl.find(columns.columns(self.op),
      function(one)
        return one.path == path
      end)
    return tbl.merge(view or plain_view(self, path), { key = path, wide = false })
  end)
end

--- What is selected of the item, each thing at its place; the item itself when
--- nothing was. What is missing is null.
---@param item table
---@return table
function Selection:project(item)
  if not self.paths then
    return item
  end
  local out = {}
  for _, path in ipairs(self.paths) do
    local value = tbl.get(item, path)
    if value == nil then
      value = self:get(item, path)
    end
    local keys, at = str.split(path, "."), out
    for i = 1, #keys - 1 do
      if type(at[keys[i]]) ~= "table" then
        at[keys[i]] = {}
      end
      at = at[keys[i]]
    end
    if value == nil then
      value = json.null
    end
    at[keys[#keys]] = value
  end
  return out
end

local RANK = { number = 1, string = 2, boolean = 3 }

-- Whether a comes before b; nil when neither. Missing ones come last, both
-- ways around.
local function before(a, b, is_down)
  if a == b then
    return nil
  elseif a == nil or b == nil then
    return b == nil
  end
  local rank_a, rank_b = RANK[type(a)] or 4, RANK[type(b)] or 4
  if rank_a == rank_b then
    if rank_a == 3 then
      a, b = a and 1 or 0, b and 1 or 0
    elseif rank_a == 4 then
      a, b = json.encode(a), json.encode(b)
      if a == b then
        return nil
      end
    end
    if is_down then
      return b < a
    end
    return a < b
  end
  return (rank_a < rank_b) ~= is_down
end

--- What to keep of an item to compare it by; nil without --sort.
---@param item table
---@return table? key
function Selection:key(item)
  if not self.keys then
    return nil
  end
  local values = {}
  for i, key in ipairs(self.keys) do
    values[i] = self:get(item, key.path)
  end
  return values
end

--- Whether the one key comes before the other; nil when neither does.
---@param a table
---@param b table
---@return boolean?
function Selection:before(a, b)
  for i, key in ipairs(self.keys) do
    local is_before = before(a[i], b[i], key.is_down)
    if is_before ~= nil then
      return is_before
    end
  end
  return nil
end

--- Names that no item had, each with what was probably meant: sentences.
---@return string[]
function Selection:remarks()
  local list = {}
  if not self.known then
    return list
  end
  for name, flag in tbl.sorted(self.unseen) do
    local near = str.did_you_mean(name, self.known)
    list[#list + 1] = ("%s: nothing listed has %q%s"):format(flag, name,
      near and (" (did you mean %s?)"):format(near) or "")
  end
  return list
end

return M
