--- The question before something is destroyed: asked at a terminal, answered by
--- the name of what goes; elsewhere only --yes or --force answers. Waits.

local err = require "base.err"
local opkit = require "opkit"
local result = require "cli.result"
local tbl = require "base.tbl"
local terminal = require "cli.terminal"

local M = {}

-- What has to be typed: the name of what goes, as the command line gave it;
-- for several things, or where it has no name, that of their app.
local function name_of(call)
  for _, param in ipairs(call.row.positional) do
    local value = call.args[param.name]
    if type(value) == "table" then
      value = #value == 1 and value[1]
    end
    if type(value) == "string" and value ~= "" then
      return value
    end
  end
  return type(call.args.app) == "string" and call.args.app or "yes"
end

local function declined(question, hint)
  return err.new({ kind = "declined", message = question, hint = hint })
end

-- The arguments of the preview: one set, or one per item where it takes a
-- single one of what here are several.
local function preview_args(call, row)
  local sets = { {} }
  for _, param in ipairs(row.params) do
    local value = call.args[param.name]
    local is_split = type(value) == "table" and not param.many
    local grown = {}
    for _, item in ipairs(is_split and value or { value }) do
      for _, set in ipairs(sets) do
        grown[#grown + 1] = tbl.merge(set, { [param.name] = item })
      end
    end
    sets = #grown > 0 and grown or sets
  end
  return sets
end

-- More things than this are not shown one by one, but counted.
local MOST_SHOWN = 20

-- What goes along with it, where the operation says how to tell. What is not
-- there is said at once, not after the answer.
---@async
local function show_preview(call, account)
  if not call.row.preview then
    return true
  end
  local registry = require "opkit.registry"
  local row = registry.get(call.row.preview)
  local found, missing, sets = {}, nil, preview_args(call, row)
  for i, args in ipairs(sets) do
    local value, e
    if i <= MOST_SHOWN then
      value, e = account:call(row.id, args)
    end
    found[#found + 1] = value
    missing = e and e.kind == "not_found" and e or missing
  end
  local refused = call.row.refuse and #found == 1
    and call.row.refuse(call.args, found[1]) or nil
  if refused or (#found == 0 and missing) then
    return nil, refused or missing
  elseif #found == 1 and not (opkit.is_list(row) and #found[1] == 0) then
    call.out:talk(result.text(row, found[1], call))
  elseif #found > 1 then
    call.out:talk(result.table(row, found, call))
    if #sets > MOST_SHOWN then
      call.out:note(("… and %d more"):format(#sets - MOST_SHOWN))
    end
  end
  return true
end

-- What the rules of the operation have to see before they can judge.
---@async
local function look(call, account)
  local seen = {}
  for _, rule in ipairs(call.row.escalate or {}) do
    if rule.seeing and seen[rule.seeing] == nil then
      local row = require("opkit.registry").get(rule.seeing)
      local value, e = account:call(row.id, preview_args(call, row)[1])
      if value == nil then
        return nil, e
      end
      seen[rule.seeing] = value
    end
  end
  return seen
end

local YES = { [""] = true, y = true, yes = true }
local NO = { n = true, no = true }

-- What can be done first, so that less is lost; asked unless the command line
-- said so or not.
local function make_offer(call)
  local param = call.row.offer and call.row.offer[1]
  if not param or call.args[param] ~= nil then
    return true
  end
  local answer = (call.world.prompt(call.row.offer[2] .. " [Y/n] ") or "no answer"):lower()
  if not YES[answer] and not NO[answer] then
    return nil, declined("not answered: nothing was changed", "answer y or n")
  end
  call.args[param] = YES[answer] or false
  return true
end

-- What to say instead of answering.
local function unasked_hint(row)
  local offered = row.offer and row.param[row.offer[1]]
  return "say --yes to go ahead" .. (offered
    and (", %s to %s"):format(offered.flag, offered.text) or "")
end

--- Whether to go ahead.
---@async
---@param call cli.Call
---@param account cli.Session? for the preview, where the row has one
---@return true?
---@return err.Record? kind "declined"
function M.check(call, account)
  if call.globals.yes or call.globals.force or call.args.force then
    return true
  end
  local seen, unseen = look(call, account)
  if not seen then
    return nil, unseen
  end
  local question = opkit.confirm(call.row, call.args, seen)
  if not question then
    return true
  elseif not (call.world.is_tty(0) and call.world.is_tty(2)) then
    return nil, declined(question, unasked_hint(call.row))
  end
  local shown, missing = show_preview(call, account)
  if not shown then
    return nil, missing
  end
  call.out:note(question)
  local answered, refusal = make_offer(call)
  if not answered then
    return nil, refusal
  end
  local name = name_of(call)
  local answer, e = call.world.prompt(
    ("Type %s to go ahead: "):format(terminal.clean(name)))
  if answer == name then
    return true
  elseif e and e.code ~= "EOF" then
    return nil, e
  end
  return nil, declined("not confirmed: nothing was changed")
end

return M
