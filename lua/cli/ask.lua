--- `clanker ask QUESTION`: picks the provider the question is about, lets the
--- answerer work, prints sentence, table and where they come from. Waits.

local err = require "base.err"
local json = require "base.json"
local llm = require "llm"
local progress = require "cli.progress"
local session = require "cli.session"
local str = require "base.str"
local tables = require "cli.table"
local task = require "sys.task"
local tbl = require "base.tbl"
local terminal = require "cli.terminal"

local M = {}

-- Questions to the account in flight at once.
local PARALLEL = 32

local function check_flags(args)
  for _, name in ipairs({ "maker", "apply", "destroyer", "plan_file" }) do
    if args[name] then
      return nil, err.new({
        kind = "error",
        message = ("--%s: this version makes no plans"):format(
          (name:gsub("_", "-"))),
        hint = "ask without it answers questions; clanker fly --help lists"
          .. " the commands",
      })
    end
  end
  return true
end

-- Without --flyio the words decide, or a fly.toml in the working directory.
local function is_about_fly(call, question)
  return call.args.flyio or llm.is_about_fly(question)
    or require("sys.fs").exists(call.world.cwd() .. "/fly.toml")
end

-- The read operations as the answerer calls them.
local function context(call, account)
  require "ops"
  local registry = require "opkit.registry"
  return {
    app = call.globals.app,
    now = call.world.now,
    map = function(list, fn)
      return task.map(list, PARALLEL, fn)
    end,
    call = function(id, args)
      local row = registry.get(id)
      if row.effect ~= "read" then
        error(id .. " is no read operation")
      end
      return account:call(id, args)
    end,
  }
end

local function clean_rows(rows)
  return tbl.map(rows, function(row)
    return tbl.map(row, terminal.clean)
  end)
end

local function table_lines(call, answer)
  if #answer.rows == 0 then
    return {}
  end
  local lines = tables.fit(call, answer.columns, clean_rows(answer.rows))
  table.insert(lines, 1, "")
  return lines
end

local function print_text(call, answer)
  local lines = { terminal.clean(answer.sentence) }
  if call.world.is_tty(1) then
    lines = str.wrap(lines[1], math.max(call.world.width(1) or 80, 20),
      terminal.measure)
  end
  local more = table_lines(call, answer)
  table.move(more, 1, #more, #lines + 1, lines)
  return call.out:data(table.concat(lines, "\n") .. "\n")
end

local function print_json(call, answer, question, answerer)
  local columns = tbl.map(answer.columns, function(column)
    return column.title:lower():gsub(" ", "_")
  end)
  local rows = tbl.map(answer.rows, function(row)
    local item = {}
    for i, key in ipairs(columns) do
      item[key] = row[i]
    end
    return item
  end)
  return call.out:data(require("cli.render").json({
    question = question, answer = answer.sentence, answered_by = answerer.name,
    operations = json.array(answer.operations), rows = json.array(rows),
    notes = json.array(answer.notes),
  }))
end

-- What the answer rests on: talk, so on stderr.
local function print_sources(call, answer, notice)
  local out = call.out
  for _, note in ipairs(answer.notes) do
    out:aside("note: " .. note)
  end
  out:aside("operations: " .. table.concat(answer.operations, ", "))
  out:aside("note: " .. notice)
end

---@async
local function answer_question(call, question)
  local account <close>, e = session.open(call)
  if not account then
    return nil, e
  end
  local answerer, notice = llm.answerer(account.settings.config.ai)
  local answer
  do
    local _ <close> = progress.start(call.out, "looking it up")
    answer, e = answerer.answer(question, context(call, account))
  end
  if not answer then
    return nil, e
  end
  if call.format == "json" then
    return print_json(call, answer, question, answerer)
  end
  local ok, failed = print_text(call, answer)
  if ok then
    print_sources(call, answer, notice)
  end
  return ok, failed
end

--- Answers the question of the call.
---@async
---@param call cli.Call
---@return true?
---@return err.Record?
function M.run(call)
  local ok, e = check_flags(call.args)
  if not ok then
    return nil, e
  end
  local question = table.concat(call.args.question, " ")
  if call.format ~= "table" and call.format ~= "wide"
    and call.format ~= "json" then
    return nil, err.new({
      kind = "usage",
      message = "ask prints text or JSON, not " .. call.format,
    })
  elseif not is_about_fly(call, question) then
    return nil, err.new({
      kind = "error", message = "nothing here says what the question is about",
      hint = "add --flyio to ask about your Fly.io account",
    })
  end
  return answer_question(call, question)
end

return M
