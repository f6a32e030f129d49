--- What an operation would do with these arguments: its effect, and the
--- question to ask before it.
--- Pure.

local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

local RANK = { read = 1, write = 2, exec = 3, destroy = 4 }

-- Whether a rule is about these arguments. One that has to see something first
-- is about none until it was seen.
local function applies(rule, args, seen)
  if rule.seeing then
    local value = seen and seen[rule.seeing]
    return value ~= nil and rule.when(args, value)
  elseif type(rule.when) == "function" then
    return rule.when(args)
  end
  return tbl.matches(args, rule.when)
end

-- The strongest rule that applies and raises the effect, or nil.
local function escalation(op, args, seen)
  local best
  for _, rule in ipairs(op.escalate or {}) do
    local rank = RANK[rule.effect]
    if rank > RANK[best and best.effect or op.effect] and applies(rule, args, seen) then
      best = rule
    end
  end
  return best
end

--- The effect with these (checked) arguments, and why if they raise it.
---@param op op.Row
---@param args table<string, any>
---@param seen table<string, any>? what the operations of `seeing` rules gave
---@return op.Effect effect
---@return string? why
function M.effect(op, args, seen)
  local rule = escalation(op, args, seen)
  if rule then
    return rule.effect, rule.why
  end
  return op.effect
end

--- An argument as a sentence shows it.
---@param param op.Param
---@param value any
---@return string
function M.show(param, value)
  if value == nil then
    return "(none)"
  elseif param.sensitive then
    return "[secret]"
  elseif param.many and type(value) == "table" then
    return str.join(tbl.map(value, tostring))
  elseif param.kind.show then
    return param.kind.show(value)
  end
  return tostring(value)
end

-- The question of what does not destroy, where a rule brings one: a cost.
local function question(op, args)
  local rule = tbl.find(op.escalate or {}, function(candidate)
    return candidate.confirm ~= nil and candidate.effect ~= "destroy"
      and applies(candidate, args)
  end)
  return rule and rule.confirm
end

--- The question before an operation that destroys with these arguments, or
--- that a rule has one for; nil when there is nothing to ask.
---@param op op.Row
---@param args table<string, any>
---@param seen table<string, any>? what the operations of `seeing` rules gave
---@return string?
function M.confirm(op, args, seen)
  local rule = escalation(op, args, seen)
  local text
  if (rule and rule.effect or op.effect) == "destroy" then
    text = rule and rule.confirm or op.confirm
  else
    text = question(op, args)
  end
  if not text then
    return nil
  end
  return str.fill(text, function(name)
    return M.show(op.param[name], args[name])
  end)
end

return M
