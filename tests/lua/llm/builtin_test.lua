-- The built-in answerer: right answers for the questions of the product page
-- and their paraphrases, and no answer where it would be a guess.

local account = require "lua.llm.account"
local builtin = require "llm.builtin"
local err = require "base.err"
local t = require "kit"
local task = require "sys.task"

require "ops"

local function ask(text, overrides)
  return builtin.answer(text, account.context(overrides))
end

local function says(text, sentence)
  local answer, e = ask(text)
  t.ok(answer, e and e.message)
  t.eq(answer.sentence, sentence, text)
  return answer
end

local function names(answer)
  local list = {}
  for i, row in ipairs(answer.rows) do
    list[i] = row[1]
  end
  return table.concat(list, " ")
end

t.test("what apps are running, and where, is answered from apps and machines", function()
  for _, text in ipairs({
    "what apps are running and in which regions?",
    "What apps are running, and in which regions",
    "which apps are up, and where?",
    "where are my apps running",
    "list the running applications and their regions",
    "show me the apps that are currently running and which regions they're in",
  }) do
    local answer = says(text,
      "2 of 3 apps are running: web in ams and fra; worker in ord.")
    t.eq(answer.operations, { "apps.list", "machines.list" })
    t.eq(answer.rows, {
      { "web", "ams, fra", "2 of 3", "acme" },
      { "worker", "ord", "1 of 2", "acme" },
    })
  end
end)

t.test("which machines use the most memory ranks them by what they are given", function()
  for _, text in ipairs({
    "which machines are using the most memory?",
    "which VM has the highest RAM?",
    "what's my biggest machine",
    "machines by memory",
    "Which instances consume the most memory",
  }) do
    local answer = says(text,
      "Machine k1 (app worker, ord) has the most memory: 4 GB.")
    t.eq(names(answer), "k1 w2 w1 w3 b1 b2 k2")
    t.eq(answer.operations, { "machines.list" })
    t.match(answer.notes[1], "does not report what they use")
  end
end)

t.test("unattached volumes are those of no machine", function()
  for _, text in ipairs({
    "do I have any unattached volumes?",
    "are there any orphaned disks?",
    "any unused volumes?",
    "do we have detached volumes",
  }) do
    local answer = says(text, "Yes: 1 of 3 volumes is unattached: "
      .. "vol_2 (3 GB, ams, app web).")
    t.eq(names(answer), "vol_2")
  end
end)

t.test("a no shows everything that was looked at", function()
  local answer = t.ok(ask("do I have any unattached volumes?", {
    ["volumes.list"] = {
      { id = "vol_9", name = "data", size_gb = 1, attached_machine_id = "m1" },
    },
  }))
  t.eq(answer.sentence, "No: your only volume is not unattached.")
  t.eq(#answer.rows, 1)
end)

t.test("an empty account is said to be empty", function()
  local answer = t.ok(ask("do I have any unattached volumes?",
    { ["volumes.list"] = {} }))
  t.eq(answer.sentence, "No: you have no volumes.")
  answer = t.ok(ask("which machines use the most memory?",
    { ["machines.list"] = {} }))
  t.eq(answer.sentence, "You have no machines.")
end)

t.test("counts, with states and places", function()
  says("how many machines do I have", "You have 7 machines.")
  says("how many machines are stopped?", "2 of 7 machines are stopped.")
  says("how many machines are running in ams", "1 of 2 machines in ams is running.")
  says("how many CPUs do I have", "7 machines have 9 CPUs in total.")
  says("how many apps does each org have",
    "3 apps in 2 organizations: acme (web, worker); personal (blog).")
  says("how many machines are in each region?",
    "7 machines in 4 regions: ams 2, ord 2, syd 2 and fra 1.")
end)

t.test("sums", function()
  says("how much memory does web use?",
    "3 machines of app web have 2 GB of memory in total.")
  says("how much storage do I have in total?",
    "3 volumes have 33 GB of storage in total.")
end)

t.test("superlatives over groups", function()
  says("which app uses the most memory?",
    "App worker has the most memory: 4.2 GB.")
  says("which app has the fewest machines",
    "Apps blog and worker have the fewest machines: 2 each.")
  says("which region has the most machines",
    "Regions ams, ord and syd have the most machines: 2 each.")
  local answer = t.ok(ask("top 2 machines by memory"))
  t.eq(names(answer), "k1 w2")
  t.eq(answer.notes[2], "shown: the first 2 of 7")
end)

t.test("machines of one size share the top", function()
  local function machine(id)
    return { id = id, name = id, app_name = "web", region = "ams",
      config = { guest = { memory_mb = 256 } } }
  end
  local answer = t.ok(ask("which machine has the most memory",
    { ["machines.list"] = { machine("a"), machine("b") } }))
  t.eq(answer.sentence, "All 2 machines have the same memory: 256 MB.")
end)

t.test("what apps have and have not", function()
  says("which apps have no certificates?",
    "2 of 3 apps have no certificates: blog and worker.")
  says("which apps don't have volumes", "1 of 3 apps has no volumes: blog.")
  says("which machines have volumes",
    "2 of 7 machines have volumes: w1 (app web, ams) and k1 (app worker, ord).")
end)

t.test("bounds", function()
  says("machines with more than 512MB of RAM", "2 of 7 machines have more than "
    .. "512 MB of memory: w2 (app web, fra) and k1 (app worker, ord).")
  local answer = t.ok(ask("machines with at least 0.5 gb memory"))
  t.eq(names(answer), "w1 w2 w3 k1")
end)

t.test("names are found in the data, whatever they name", function()
  says("is web running?", "Yes: app web has 2 of 3 machines running, in ams and fra.")
  says("where is blog", "App blog has 0 of 2 machines running, in syd.")
  says("list apps in acme", "You have 2 apps in organization acme: web and worker.")
  says("what secrets does web have?", "App web has 1 secret: DATABASE_URL.")
  says("is anything running in Sydney?", "No: your only app in syd is not running.")
  local answer = t.ok(ask("machines in amsterdam or chicago"))
  t.eq(names(answer), "w1 w3 k1 k2")
  says("machines in gig", "You have no machines in gig.")
end)

t.test("a name in quotes is a name, whatever the word means", function()
  local context = account.context({
    ["apps.list"] = { { name = "machines" }, { name = "web" } },
    ["machines.list"] = { { id = "m1", name = "a", app_name = "machines",
      state = "started" } },
  })
  local answer = t.ok(builtin.answer("is 'machines' running?", context))
  t.eq(answer.sentence, "Yes: app machines has 1 of 1 machine running.")
end)

t.test("yes and no about all", function()
  t.match(says("are my apps running?",
    "No: 2 of 3 apps are running: web and worker.").sentence, "^No")
  t.match(t.ok(ask("are all my machines running?")).sentence, "^No: 3 of 7")
end)

-- One app: running in ams, suspended in nrt.
local TWO_PLACES = {
  ["apps.list"] = { { name = "web", organization = { slug = "acme" } } },
  ["machines.list"] = {
    { id = "a", name = "a", app = "web", region = "ams", state = "started" },
    { id = "b", name = "b", app = "web", region = "nrt", state = "suspended" },
  },
}

t.test("an app that runs elsewhere does not run in a region", function()
  local answer = t.ok(ask("which apps are running in nrt?", TWO_PLACES))
  t.eq(answer.sentence, "Your only app in nrt is not running.")
  t.eq(t.ok(ask("is web running in nrt?", TWO_PLACES)).sentence:match("^%a+"), "No")
  t.eq(t.ok(ask("is web running in ams?", TWO_PLACES)).sentence:match("^%a+"), "Yes")
end)

t.test("where apps are and where they run are two questions", function()
  local answer = t.ok(ask("where are my apps running?", TWO_PLACES))
  t.eq(answer.rows[1][2], "ams")
  answer = t.ok(ask("where are my apps?", TWO_PLACES))
  t.eq(answer.rows[1][2], "ams, nrt")
  answer = t.ok(ask("how many apps are in each region?", TWO_PLACES))
  t.eq(answer.sentence, "1 app in 2 regions: ams (web); nrt (web).")
  answer = t.ok(ask("in which regions do my apps run?", TWO_PLACES))
  t.eq(answer.sentence, "1 running app in 1 region: ams (web).")
end)

t.test("the rest of the vocabulary", function()
  says("who am I?", "You are dev@example.com.")
  says("what is the latest release of web?",
    "The newest release of app web is v3 (complete, 18d ago).")
  says("when was worker last deployed?",
    "The newest release of app worker is v7 (complete, 35d ago).")
  says("list ips", "You have 1 IP address: 203.0.113.7.")
  says("what regions are available", "Fly.io has 5 regions: ams, fra, gig, ord and syd.")
  says("which regions do I use?",
    "7 machines in 4 regions: ams 2, ord 2, syd 2 and fra 1.")
  says("what organizations do I have", "You have 2 organizations: acme and personal.")
end)

t.test("an app given beside the question narrows it", function()
  local context = account.context()
  context.app = "web"
  local answer = t.ok(builtin.answer("how many machines are stopped?", context))
  t.eq(answer.sentence, "1 of 3 machines of app web is stopped.")
end)

t.test("a word without a meaning is refused, not skipped", function()
  for text, word in pairs({
    ["which machines cost the most"] = "cost",
    ["how many postgres clusters do I have"] = "postgres",
    ["what is the meaning of life"] = "meaning",
    ["machines in atlantis"] = "atlantis",
    ["machines not in ams"] = "not",
    ["which volumes are suspended"] = "suspended",
    ["which machines crashed yesterday"] = "yesterday",
  }) do
    local answer, e = ask(text)
    t.err(answer, e, "error")
    t.has(e.message, ("%q"):format(word))
    t.has(e.hint, builtin.EXAMPLES[1])
  end
end)

t.test("what it offers as examples it can answer", function()
  for _, example in ipairs(builtin.EXAMPLES) do
    local answer, e = ask((example:gsub("my%-app", "web")))
    t.ok(answer, e and example .. ": " .. e.message)
  end
end)

t.test("a question without anything known is refused", function()
  for _, text in ipairs({ "", "   ", "?", "hello", "what about it?", "\0\1\2" }) do
    local answer, e = ask(text)
    t.err(answer, e, "error")
  end
end)

t.test("a wish for a change is told where to go", function()
  for _, text in ipairs({ "restart web", "please delete the volume vol_1",
    "scale web to 3 machines" }) do
    local answer, e = ask(text)
    t.err(answer, e, "asks for a change")
  end
end)

t.test("an operation's error is the answer's error", function()
  local answer, e = ask("list machines", { ["machines.list"] = {
    error = err.new({ kind = "auth", message = "token refused" }),
  } })
  t.err(answer, e, "auth")
  answer, e = ask("list certs", { ["certs.list"] = {
    error = err.new({ kind = "timeout", message = "too slow" }),
  } })
  t.err(answer, e, "timeout")
end)

t.test("items with missing and wrong fields are survived", function()
  local broken = { {}, { name = 7, config = "x" }, { id = {}, region = false },
    { name = "ok", config = { guest = { memory_mb = "many" } } } }
  for _, text in ipairs({ "list machines", "which machine has the most memory",
    "machines per region", "which machines are running", "list apps",
    "which app uses the most memory", "list volumes", "list releases" }) do
    local answer, e = ask(text, {
      ["machines.list"] = broken, ["apps.list"] = broken,
      ["volumes.list"] = broken, ["releases.list"] = broken,
    })
    t.ok(answer, e and text .. ": " .. e.message)
  end
end)

t.test("only the operations that are needed are called, each once", function()
  local context = account.context()
  t.ok(builtin.answer("how many machines are running in ams", context))
  t.eq(context.calls, { "machines.list" })
  context = account.context()
  t.ok(builtin.answer("machines in amsterdam", context))
  t.eq(context.calls, { "machines.list", "apps.list", "regions.list" })
end)

-- A context in which nobody is answered before `together` calls are in flight.
local function crowded(together)
  local context, waiting, enough = account.context(), 0, task.event()
  local call = context.call
  context.map = function(list, fn)
    return task.map(list, 8, fn)
  end
  context.call = function(id, args)
    waiting = waiting + 1
    if waiting == together then
      enough:set()
    end
    t.ok(enough:wait(30), id .. " was asked for alone")
    return call(id, args)
  end
  return context
end

t.test("operations are asked for side by side, and so are the apps", function()
  t.ok(builtin.answer("what apps are running and in which regions?", crowded(2)))
  local context = crowded(3)
  local call = context.call
  context.call = function(id, args) -- the apps come first: they say whom to ask
    return id == "apps.list" and account.context().call(id, args) or call(id, args)
  end
  t.ok(builtin.answer("list secrets", context))
end)
