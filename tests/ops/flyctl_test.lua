--- Every flyctl row against flyctl's own command tree.

local grammar = require "kit.flyctl_grammar"
local ops = require "ops"
local opkit = require "opkit"
local t = require "kit"
local tbl = require "base.tbl"

local FILE = t.shared("flyctl-grammar.json")

local function read_grammar()
  local file = assert(io.open(FILE, "rb"))
  local text = file:read("a")
  file:close()
  return grammar.read(text)
end

local GRAMMAR = FILE and read_grammar()

local function refuse(line)
  local words = {}
  for word in line:gmatch("%S+") do
    words[#words + 1] = word
  end
  return grammar.refuse(GRAMMAR, words)
end

t.test("the reader takes what flyctl takes and refuses what it refuses", function()
  if not GRAMMAR then
    return t.skip("no flyctl-grammar.json beside the repository")
  end
  for _, line in ipairs({
    "apps list --json", "deploy . --app my-app --strategy rolling --yes",
    "machine destroy 1234abcd --app my-app --force", "-a my-app status",
    "scale count 3 --app=my-app --yes", "secrets set NAME=- --app my-app --stage",
    "logs -a my-app --no-tail", "apps restart my-app",
  }) do
    t.eq(refuse(line), nil)
  end
  for line, why in pairs({
    ["apps restart --app my-app"] = "unknown flag", ["scale cpu 2"] = "needs a subcommand",
    ["redis list --json"] = "unknown flag", ["releases rollback --app x"] = "1 arguments",
    ["deploy --region iad"] = "unknown flag", ["scale count 3 --app"] = "needs a value",
    ["machine start --app my-app --bogus"] = "unknown flag", ["apps"] = "needs a subcommand",
    ["machine update 1 --vm-cpus two"] = "is no int",
  }) do
    t.match(refuse(line), why)
  end
end)

-- One value a parameter of each type would take.
local SAMPLES = {
  app = "my-app", org = "personal", region = "iad", machine = "1234abcd",
  volume = "vol_1", integer = 3, boolean = true, duration = 60, megabytes = 512,
  gigabytes = 10, hostname = "www.example.com", ip = "1.2.3.4", file = "fly.toml",
  number = 1.5, name = "some-name", string = "text", text = "text",
  new_app = "my-app", volume_name = "data", cluster = "pg1", own_cluster = "pg1",
  time = "15m", bytes = 64, cidr = "10.0.0.0/8",
}

local function sample(param)
  local value = param.values and param.values[1] or SAMPLES[param.type]
  if param.type == "pairs" then
    return { NAME = "value" }
  end
  return param.many and { value } or value
end

t.test("every template parses, with all its arguments and with the fewest", function()
  if not GRAMMAR then
    return t.skip("no flyctl-grammar.json beside the repository")
  end
  for _, op in ipairs(ops.all({ hidden = true })) do
    if op.flyctl then
      local all, fewest = {}, {}
      for _, param in ipairs(op.params) do
        all[param.name] = sample(param)
        if param.required or param.default ~= nil then
          fewest[param.name] = param.default or sample(param)
        end
      end
      for _, args in ipairs({ all, fewest }) do
        local words = t.ok(opkit.flyctl(op, args))
        local why = grammar.refuse(GRAMMAR, words)
        t.ok(not why, ("%s: %s (%s)"):format(
          op.id, tostring(why), table.concat(words, " ")))
      end
    end
  end
end)

t.test("no template carries a secret on the command line", function()
  for _, op in ipairs(ops.all({ hidden = true })) do
    local sensitive = tbl.filter(op.params, function(param)
      return param.sensitive
    end)
    if op.flyctl and #sensitive > 0 then
      t.eq(#sensitive, 1)
      t.eq(op.stdin, sensitive[1].name)
    end
  end
end)
