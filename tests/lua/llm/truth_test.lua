-- The built-in answerer says nothing that is not so: each of these questions
-- once had, or could easily have, an answer to another question.

local account = require "lua.llm.account"
local builtin = require "llm.builtin"
local t = require "kit"

require "ops"

local function ask(text, overrides)
  return builtin.answer(text, account.context(overrides))
end

local function says(text, sentence, overrides)
  local answer, e = ask(text, overrides)
  t.ok(answer, e and text .. ": " .. e.message)
  t.eq(answer.sentence, sentence, text)
  return answer
end

local function refuses(text, word)
  local answer, e = ask(text)
  t.err(answer, e, "error")
  t.has(e.message, ("%q"):format(word))
  t.has(e.hint, builtin.EXAMPLES[1])
end

t.test("a single thing asked for by name is not called the only one", function()
  says("is machine m1 running?", "Yes: machine w1 (app web, ams) is running.")
  says("is machine m3 running?", "No: machine w3 (app web, ams) is not running.")
  says("where is machine m3?", "Machine w3 (app web, ams).")
  says("is vol_2 attached?", "No: volume vol_2 (3 GB, ams, app web) is not attached.")
  says("how big is vol_3?", "Volume vol_3 (20 GB, ord, app worker).")
  says("is my certificate for www.example.com valid?",
    "Yes: certificate www.example.com is ready.")
  says("show the org acme", "Organization acme.")
end)

t.test("a name without a noun is an app, a machine or a volume", function()
  says("is web running?", "Yes: app web has 2 of 3 machines running, in ams and fra.")
  says("is w3 running?", "No: machine w3 (app web, ams) is not running.")
  says("where is m4?", "Machine k1 (app worker, ord).")
  says("how old is m4?", "Machine k1 (app worker, ord) was created 46d ago.")
  local context = account.context()
  t.ok(builtin.answer("is w3 running?", context))
  t.eq(context.calls, { "apps.list", "machines.list", "regions.list" })
  refuses("is vol_1 running?", "vol_1")
  refuses("is nobody running?", "nobody")
end)

t.test("what narrowed the question stands in the sentence", function()
  says("which machines run image registry.example.com/web:v1",
    "2 of 3 machines with image registry.example.com/web:v1 are running: "
    .. "w1 (app web, ams) and w2 (app web, fra).")
  says("machines in ams", "You have 2 machines in ams: w1 (app web, ams) and w3 (app web, ams).")
  local twins = { ["volumes.list"] = {
    { id = "v1", name = "data", size_gb = 1, attached_machine_id = "m1" },
    { id = "v2", name = "data", size_gb = 1 },
    { id = "v3", name = "other", size_gb = 1 },
  } }
  says("is the volume data attached?",
    "No: 1 of 2 volumes named data is attached: v1 (1 GB).", twins)
end)

t.test("an app is said to run where it runs", function()
  says("is web down?", "No: app web has 2 of 3 machines running, in ams and fra.")
  local places = { ["apps.list"] = { { name = "web", status = "deployed" } }, ["machines.list"] = {
    { id = "a", name = "a", app = "web", region = "ams", state = "started" },
    { id = "b", name = "b", app = "web", region = "nrt", state = "stopped" },
  } }
  says("is web down?", "No: app web has 1 of 2 machines running, in ams.", places)
  says("what's the status of web",
    "App web has 1 of 2 machines running, in ams (status: deployed).", places)
end)

t.test("any is some, all is every one", function()
  t.match(t.ok(ask("is anything stopped?")).sentence, "^Yes: 2 of 7")
  t.match(t.ok(ask("are any of my machines stopped?")).sentence, "^Yes: 2 of 7")
  t.match(t.ok(ask("is something suspended?")).sentence, "^Yes: 1 of 7")
  t.match(t.ok(ask("is everything running?")).sentence, "^No: 3 of 7")
  t.match(t.ok(ask("are all machines stopped?")).sentence, "^No: 2 of 7")
end)

t.test("a no is said without a second one", function()
  local safe = { ["volumes.list"] = {
    { id = "v1", encrypted = true }, { id = "v2", encrypted = true },
  } }
  says("which volumes are not encrypted?", "All 2 volumes are encrypted.", safe)
  says("which certificates are not ready?", "Your only certificate is ready.")
  says("are any volumes not encrypted?", "No: all 2 volumes are encrypted.", safe)
  local addresses = { ["ips.list"] = { { ip = "203.0.113.7" } } }
  says("which apps have no ip addresses?", "All 3 apps have IP addresses.", addresses)
end)

t.test("a superlative of some is not said of all", function()
  says("which stopped machine has the most memory?",
    "Of 2 stopped machines, w3 (app web, ams) has the most memory: 512 MB.")
  says("the biggest machine in ams and syd",
    "2 of 4 machines in ams or syd have the most memory, 512 MB each: "
    .. "w1 (app web, ams) and w3 (app web, ams).")
  says("what is the oldest stopped machine",
    "The oldest stopped machine is w3 (app web, ams).")
  says("which machines with volumes have the most memory",
    "Of 2 machines with volumes, k1 (app worker, ord) has the most memory: 4 GB.")
  refuses("is the newest machine running?", "newest")
  refuses("did the last deploy fail?", "last")
  refuses("which app is the newest?", "newest")
end)

t.test("of several conditions each stands in the sentence", function()
  says("which running machines have volumes?",
    "2 of 7 machines are running with volumes: w1 (app web, ams) and k1 (app worker, ord).")
  says("which stopped machines have volumes?",
    "None of your 7 machines is stopped with volumes.")
  says("which running machines have more than 512 MB of memory",
    "2 of 7 machines are running with more than 512 MB of memory: "
    .. "w2 (app web, fra) and k1 (app worker, ord).")
  says("how much memory do running machines with volumes have",
    "2 running machines with volumes have 4.5 GB of memory in total.")
  says("which apps with volumes have no certificates",
    "1 of 3 apps has volumes and no certificates: worker.")
  says("is machine m3 running with volumes?",
    "No: machine w3 (app web, ams) is not running with volumes.")
end)

t.test("who asks for people", function()
  says("who deployed worker last?",
    "The newest release of app worker is v7 (complete, by dev@example.com, 35d ago).")
  for _, text in ipairs({ "who is in the acme org?", "who owns the app web",
    "whose machines are these?" }) do
    refuses(text, text:match("%a+"))
  end
  refuses("how many users are there?", "users")
  refuses("who am I in acme?", "acme")
end)

t.test("regions of the platform are told from one's own", function()
  says("does Fly have a region in Brazil?", "Yes: region gig.")
  says("is there a region in Sydney?", "Yes: region syd.")
  says("which regions does Fly have?", "Fly.io has 5 regions: ams, fra, gig, ord and syd.")
  says("which regions are used?",
    "7 machines in 4 regions: ams 2, ord 2, syd 2 and fra 1.")
  says("which regions are available in Brazil?", "Region gig.")
  says("which region is web in", "3 machines of app web in 2 regions: ams 2 and fra 1.")
end)

t.test("a place that is several regions is all of them", function()
  local regions = { ["regions.list"] = {
    { code = "ams", name = "Amsterdam, Netherlands", geo_region = "europe" },
    { code = "fra", name = "Frankfurt, Germany", geo_region = "europe" },
    { code = "ord", name = "Chicago, Illinois (US)", geo_region = "north_america" },
    { code = "sjc", name = "San Jose, California (US)", geo_region = "north_america" },
  } }
  says("how many machines are in Europe?", "You have 3 machines in ams or fra.", regions)
  says("how many machines are in the US?", "You have 2 machines in ord or sjc.", regions)
  says("how many machines are in San Jose?", "You have no machines in sjc.", regions)
  local answer, e = ask("machines in the united states", regions)
  t.err(answer, e, "united")
  answer, e = ask("machines in san", regions)
  t.err(answer, e, '"san"')
end)

t.test("an amount names the measure by its unit", function()
  says("which machines have more than 512MB?", "2 of 7 machines have more than "
    .. "512 MB of memory: w2 (app web, fra) and k1 (app worker, ord).")
  says("volumes over 5 GB", "2 of 3 volumes have more than 5 GB of storage: "
    .. "vol_1 (10 GB, ams, app web) and vol_3 (20 GB, ord, app worker).")
end)

t.test("what the operations tell is in the table", function()
  local answer = t.ok(ask("list ips"))
  t.eq(answer.rows, { { "203.0.113.7", "web", "v4", "global" } })
  says("which releases failed?",
    "1 of 3 releases is failed: v2 (app web, failed, 49d ago).")
end)

t.test("what secrets are set is a question, not a change", function()
  says("what secrets are set on web?", "App web has 1 secret: DATABASE_URL.")
  local answer, e = ask("set DATABASE_URL on web")
  t.err(answer, e, "asks for a change")
  t.has(e.hint, builtin.EXAMPLES[1])
end)

t.test("what the answer would leave out is refused by its own word", function()
  for text, word in pairs({
    ["which apps are deployed?"] = "deployed",
    ["which secrets are deployed?"] = "deployed",
    ["list machines and their secrets"] = "secrets",
    ["which region has the most machines and volumes"] = "volumes",
    ["which app with certificates uses the most memory?"] = "certificates",
    ["what does web cost per month?"] = "per",
    ["which apps run in more than one region?"] = "more than",
    ["machines by state"] = "by",
    ["top machines"] = "top",
    ["when was machine m1 started?"] = "when",
    ["is fly up?"] = "fly",
    ["does web run in ams and ord?"] = "ord",
    ["how much does a machine use?"] = "how much",
    ["how old is web?"] = "old",
    ["what image do my volumes use?"] = "image",
    ["which secrets have the status staged?"] = "staged",
    ["status of my secrets"] = "status",
  }) do
    refuses(text, word)
  end
  says("which app was deployed most recently?",
    "The newest release is v3 (app web, complete, 18d ago).")
end)
