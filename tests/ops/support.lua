--- A stand-in for the context of `run` rows: answers calls from a table.
--- Calls are recorded; a call the row does not declare fails the test.

local err = require "base.err"
local json = require "base.json"
local ops = require "ops"
local opkit = require "opkit"
local tbl = require "base.tbl"

local M = {}

-- "machines.list_app my-app", "machines.get my-app 1": how replies are found;
-- the words before the last, and the operation alone, are the defaults.
local function key_of(id, args)
  local words = { id, args.app or args.org }
  words[#words + 1] = type(args.id) == "string" and args.id or nil
  return table.concat(words, " ")
end

--- A context over replies: by "id subject" or id, a value, an error record, or
--- a function of the arguments.
---@param op op.Row
---@param replies table<string, any>
---@param more table? fields of the context
function M.context(op, replies, more)
  local ctx = { calls = {}, notices = {}, memo = {}, nonces = {}, slept = 0 }

  function ctx.call(id, args, opts)
    assert(tbl.contains(op.calls, id), op.id .. " does not declare " .. id)
    local checked = assert(opkit.check(ops.get(id), args))
    ctx.calls[#ctx.calls + 1] = key_of(id, args)
    ctx.nonces[#ctx.calls] = opts and opts.nonce
    local reply = replies[key_of(id, args)]
    if reply == nil then
      reply = replies[id .. " " .. tostring(args.app or args.org)]
    end
    if reply == nil then
      reply = replies[id]
    end
    if type(reply) == "function" then
      reply = reply(checked)
    end
    if reply == nil or err.is(reply) then
      return nil, reply or err.new({ kind = "bug", message = "no reply for " .. id })
    elseif opts and opts.raw then
      return type(reply) == "string" and reply or json.encode(reply)
    elseif type(reply) == "string" then
      return json.decode(reply)
    elseif opts and opts.each then
      for count, item in ipairs(reply) do
        if opts.each(tbl.deep_copy(item)) == false then
          return count
        end
      end
      return #reply
    end
    return tbl.deep_copy(reply)
  end

  function ctx.map(list, fn)
    local values = {}
    for i, item in ipairs(list) do
      local value, e = fn(item, i)
      if value == nil and e ~= nil then
        return nil, e
      end
      values[i] = value
    end
    return values
  end

  function ctx.lease(target, fn)
    local name = ("%s %s"):format(target.app, target.id)
    ctx.calls[#ctx.calls + 1] = "lease " .. name
    local refused = replies["lease " .. name]
    if refused then
      return nil, refused
    end
    local value, e = fn({ nonce = "nonce of " .. target.id })
    ctx.calls[#ctx.calls + 1] = "release " .. name
    return value, e
  end

  function ctx.wait(target)
    ctx.calls[#ctx.calls + 1] = ("wait %s %s %s"):format(
      target.app, target.id, target.state)
    local reply = replies["wait " .. target.id] or { state = target.state }
    if err.is(reply) then
      return nil, reply
    end
    return reply
  end

  function ctx.snapshot(query)
    ctx.calls[#ctx.calls + 1] = "snapshot " .. query.app
    local reply = replies["snapshot " .. query.app]
    if type(reply) == "function" then
      reply = reply(query)
    end
    if err.is(reply) then
      return nil, reply
    end
    return reply
  end

  function ctx.sleep(seconds)
    ctx.slept = ctx.slept + seconds
  end

  function ctx.has_flyctl()
    return true
  end

  function ctx.unique()
    return "unique"
  end

  function ctx.notice(text)
    ctx.notices[#ctx.notices + 1] = text
  end

  function ctx.now()
    return 1714521600 + ctx.slept
  end

  for field, value in pairs(more or {}) do
    ctx[field] = value
  end
  return ctx
end

--- A reply to "machines.get": a machine that started anew at every look.
---@param machine table? more of it
---@return fun(): table
function M.restarting(machine)
  local looks = 0
  return function()
    looks = looks + 1
    return tbl.merge({ state = "started", events = {
      { id = "event " .. looks, type = "start", status = "started" },
    } }, machine or {})
  end
end

--- An error as the transport would give it.
function M.failure(kind, status)
  return err.new({ kind = kind, status = status, message = "refused: " .. kind })
end

--- Runs an operation over replies; returns its result or error, and the context.
function M.run(id, args, replies, more)
  local op = ops.get(id)
  local ctx = M.context(op, replies, more)
  local checked = assert(opkit.check(op, args))
  local value, e = op.run(ctx, checked)
  return value, e, ctx
end

--- The values of a field over a list.
function M.pluck(list, field)
  return json.array(tbl.map(list, function(item)
    return item[field]
  end))
end

return M
