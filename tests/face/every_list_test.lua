-- What every list does alike: choosing from it, fitting the terminal, and
-- handing on the server's own JSON.

local http = require "sys.http"
local json = require "base.json"
local ops = require "ops"
local opkit = require "opkit"
local str = require "base.str"
local t = require "kit"
local task = require "sys.task"
local tbl = require "base.tbl"
local term = require "sys.term"
local world = require "face.world"

-- At a time: most of what a command takes is waiting.
local ABREAST = 40

-- Bodies of replies, by the port of the simulator they came from.
local replies = setmetatable({}, { __index = function(self, port)
  self[port] = {}
  return self[port]
end })

local request = http.request

http.request = function(options)
  local reply, e = request(options)
  if reply then
    table.insert(replies[tonumber(options.url:match(":(%d+)"))], reply.body)
  end
  return reply, e
end

local function run(line, words, more)
  local options = tbl.merge({ hurried = true, moves = true,
    env = { PATH = "/bin:/usr/bin" } }, more or {})
  local code, seen = world.run(tbl.flatten({ { "--sim", "fly" }, str.words(line), words }),
    options)
  return code, seen, options.account and replies[options.account.port] or {}
end

-- Every list with a command line that has something to list.
local LISTS = {}
for _, op in ipairs(ops.all()) do
  if opkit.is_list(op) and op.effect == "read" then
    LISTS[#LISTS + 1] = { op = op, line = op.examples[1] }
  end
end

local function of_each(fn)
  local _, seen = run("list mpg", { "--raw" })
  local cluster = json.decode(seen.out)[1].id
  task.map(LISTS, ABREAST, function(list)
    fn({ op = list.op, line = list.line:gsub("pg1abc", cluster) })
  end)
end

t.test("there are the lists that there should be", function()
  t.ok(#LISTS >= 24, #LISTS)
end)

t.test("every list is chosen from, and sorted, by what it shows", function()
  of_each(function(list)
    local views = opkit.columns(list.op)
    local first = views[1].path or views[1].key
    local code, seen = run(list.line, { "--where", "true", "--select", first,
      "--sort", "-" .. first, "-o", "csv" })
    t.eq(code, 0, list.line .. ": " .. seen.err)
    local lines = str.split(seen.out, "\n")
    local all = tbl.copy(lines)
    table.remove(all, 1)
    all[#all] = nil
    for i = 2, #all do
      local a, b = tonumber(all[i - 1]) or all[i - 1], tonumber(all[i]) or all[i]
      t.ok(a >= b, list.line .. ": " .. seen.out)
    end
    code, seen = run(list.line, { "--where", "false", "-o", "json" })
    -- Log lines are an object each: of none there is nothing.
    t.eq({ code, seen.out }, { 0, list.op.id == "logs.show" and "" or "[]\n" },
      list.line .. ": " .. seen.err)
  end)
end)

t.test("a wrong choice is refused before anything is asked for", function()
  of_each(function(list)
    for _, words in ipairs({ { "--where", "x = (" }, { "--select", "a..b" }, { "--sort", "" } }) do
      local code, seen, bodies = run(list.line, words)
      t.eq({ code, #bodies }, { 2, 0 }, list.line)
      t.match(seen.err, "^error %(usage%): " .. words[1]:gsub("%-", "%%-") .. ": ")
    end
  end)
end)

t.test("at 80 columns no table is wider", function()
  of_each(function(list)
    local code, seen = run(list.line, {}, { width = 80 })
    t.eq(code, 0, list.line .. ": " .. seen.err)
    if list.op.id ~= "logs.show" then
      for _, line in ipairs(str.split(seen.out, "\n")) do
        t.ok(term.display_width(line) <= 80, list.line .. ": " .. line)
      end
    end
  end)
end)

-- Lists that are put together: their items stand in no reply.
local MADE = tbl.set({
  "logs.show", "machines.metadata", "postgres.list", "scale.show",
})

t.test("--raw is a reply as it came, or the replies' items as they came", function()
  of_each(function(list)
    local code, seen, bodies = run(list.line, { "--raw" })
    t.eq({ code, seen.err }, { 0, "" }, list.line)
    local text, sent = seen.out:gsub("\n$", ""), table.concat(bodies, "\n")
    if not tbl.contains(bodies, text) then
      local made = false
      t.ok(json.each(text, nil, function(item)
        made = made or not sent:find(item, 1, true)
      end))
      t.eq(made, MADE[list.op.id] == true, list.line .. ": " .. text)
    end
  end)
end)
