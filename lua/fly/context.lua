--- What a `run` row gets to work with: other operations, and nothing else.
--- Waits. Raw texts and streamed items pass through without the row's doing.

local collect = require "fly.collect"
local err = require "base.err"
local sensitive = require "fly.sensitive"
local tbl = require "base.tbl"

local M = {}

---@param client fly.Client
---@param call fly.Call
---@return fun(id: string, args: table?, opts: table?): any, table?
local function caller(client, call)
  local allowed = tbl.set(call.op.calls)
  return function(id, args, opts)
    if not allowed[id] then
      error(("op %s calls %s, which its row does not name"):format(call.op.id, tostring(id)), 2)
    end
    return client:nested(call, id, args or {}, opts or {})
  end
end

--- Runs fn for every item in parallel; results in order. The first error ends
--- the rest and is the result.
---@param client fly.Client
---@return fun(list: any[], fn: function, limit: integer?): any[]?, table?
local function mapper(client)
  local task, most = client.deps.task, client.concurrency
  return function(list, fn, limit)
    local ok, result = pcall(task.map, list, limit or most, function(item, i)
      local value, e = fn(item, i)
      if value == nil and e ~= nil then
        error(e, 0)
      end
      return value
    end)
    if ok then
      return result
    elseif err.is(result) then
      return nil, result
    end
    error(result, 0)
  end
end

--- Counts what passes on its way to the caller.
---@param call fly.Call
---@return (fun(item: any): boolean?)? each, {n: integer} given
local function counted(call)
  local each, given = call.opts.each, { n = 0 }
  if not each then
    return nil, given
  end
  return function(item)
    given.n = given.n + 1
    return each(item)
  end, given
end

--- Longer works than a call: each is told about in its own module, which is
--- loaded when a row uses it.
---@param client fly.Client
---@param call fly.Call
---@return table functions
local function works(client, call)
  local deps = {
    task = client.deps.task, now = client.deps.now, sleep = client.deps.sleep,
    random = client.deps.random, wall = client.deps.wall,
    call = function(id, args, opts)
      return client:nested(call, id, args, opts or {})
    end,
    notice = function(text)
      if call.opts.on_notice then
        call.opts.on_notice(text)
      else
        call.tally.warnings[#call.tally.warnings + 1] = text
      end
    end,
  }
  return {
    notice = deps.notice,
    lease = function(target, fn)
      return require("fly.lease").with(deps, target, fn)
    end,
    wait = function(target)
      return require("fly.wait").state(deps, target)
    end,
    unique = function()
      local bytes = require("sys.os").random(16)
      return (bytes:gsub(".", function(c)
        return ("%02x"):format(c:byte())
      end))
    end,
    key_pair = function()
      return require("sys.crypto").key_pair()
    end,
    secret = function(pieces)
      return require("sys.secret").concat(pieces)
    end,
    flyctl = function()
      return client:flyctl_is_safe()
    end,
    has_flyctl = function()
      return client:has_flyctl()
    end,
    snapshot = function(query)
      return require("fly.logs").snapshot(deps, query)
    end,
    follow = function(queries, on_line)
      return require("fly.logs").follow_all(deps, queries, on_line)
    end,
  }
end

---@param value any
---@return boolean
local function is_list(value)
  return type(value) == "table" and (value[1] ~= nil or next(value) == nil)
end

--- What the caller asked for, out of what the row returned.
---@param call fly.Call
---@param value any
---@param each (fun(item: any): boolean?)?
---@param given {n: integer}
---@return any
local function deliver(call, value, each, given)
  if call.opts.raw and not call.is_nested then
    if call.op.sensitive then
      call.tally.made = value
      value = call.origins.texts[value] and value or sensitive.plain(value)
    end
    return collect.text_of(value, call.origins)
  end
  if not each then
    return value
  end
  if is_list(value) then
    for _, item in ipairs(value) do
      if each(item) == false then
        break
      end
    end
  end
  return given.n
end

--- Carries out a `run` row.
---@async
---@param client fly.Client
---@param call fly.Call
---@return any value, table? err
function M.run(client, call)
  local each, given = counted(call)
  local ctx = works(client, call)
  ctx.call = caller(client, call)
  ctx.map = mapper(client)
  ctx.each = each
  ctx.org = type(call.args.org) == "string" and call.args.org or client.settings.org
  ctx.sleep = client.deps.sleep
  ctx.now = client.deps.wall
  ctx.memo = client.memo
  local value, e = call.op.run(ctx, call.args)
  if value == nil and e ~= nil then
    return nil, e
  end
  return deliver(call, value, each, given)
end

return M
