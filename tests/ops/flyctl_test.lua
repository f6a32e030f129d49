--- Every flyctl row against flyctl's own command tree.

local grammar = require "kit.flyctl_grammar"
local ops = require "ops"
local opkit = require "opkit"
local secret = require "sys.secret"
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
  time = "15m", bytes = 64, cidr = "10.0.0.0/8", secret = secret.new("NAME=value"),
}

-- The values a parameter is tried with; the one that stands for "not given" is
-- left out. Numbers at their limits, every word of an enumeration, both answers.
local function samples(param)
  local list
  if param.type == "pairs" then
    list = { { NAME = "value" }, { A = "x=y", B = "" } }
  elseif param.type == "boolean" then
    list = { true, false }
  elseif param.values then
    list = tbl.copy(param.values)
  else
    list = { SAMPLES[param.type] }
    t.ok(list[1] ~= nil, "no sample of type " .. param.type)
    for _, limit in ipairs({ param.min or false, param.max or false }) do
      list[#list + 1] = limit or nil
    end
  end
  return param.many and tbl.map(list, function(value)
    return { value, value }
  end) or list
end

local function is_taken(op, args)
  local words = t.ok(opkit.flyctl(op, args))
  local why = grammar.refuse(GRAMMAR, words)
  t.ok(not why, ("%s: %s (%s)"):format(op.id, tostring(why), table.concat(words, " ")))
end

-- Every choice of optional parameters, each with its first value.
local function try_choices(op, fixed, optional)
  for choice = 0, (1 << #optional) - 1 do
    local args = tbl.copy(fixed)
    for i, param in ipairs(optional) do
      if choice >> (i - 1) & 1 == 1 then
        args[param.name] = samples(param)[1]
      end
    end
    is_taken(op, args)
  end
end

-- Every value of every parameter, with all others there.
local function try_values(op, all)
  for _, param in ipairs(op.params) do
    for _, value in ipairs(samples(param)) do
      is_taken(op, tbl.merge(all, { [param.name] = value }))
    end
  end
end

t.test("every template parses, whatever its arguments are", function()
  if not GRAMMAR then
    return t.skip("no flyctl-grammar.json beside the repository")
  end
  local rows, most = 0, 0
  for _, op in ipairs(ops.all({ hidden = true })) do
    if op.flyctl then
      local fixed, optional, all = {}, {}, {}
      for _, param in ipairs(op.params) do
        local value = param.default
        if value == nil then
          value = samples(param)[1]
        end
        all[param.name] = value
        if param.required or param.default ~= nil then
          fixed[param.name] = value
        else
          optional[#optional + 1] = param
        end
      end
      try_choices(op, fixed, optional)
      try_values(op, all)
      rows, most = rows + 1, math.max(most, #optional)
    end
  end
  t.ok(rows > 10 and most >= 7, "templates were tried")
end)

-- What a word of a template may come from, as nasty as its type lets it be: a
-- value is never taken for a flag, and stays one word.
t.test("a value that looks like a flag is refused or stays a value", function()
  if not GRAMMAR then
    return t.skip("no flyctl-grammar.json beside the repository")
  end
  local nasty = { "-x", "--yes", "--app=other", "-", "--", "a b", "a=b", "", "$(x)", "*" }
  local tried = 0
  for _, op in ipairs(ops.all({ hidden = true })) do
    for _, param in ipairs(op.flyctl and op.params or {}) do
      local all = {}
      for _, one in ipairs(op.params) do
        all[one.name] = one.default ~= nil and one.default or samples(one)[1]
      end
      for _, value in ipairs(nasty) do
        local args = tbl.merge(all, { [param.name] = param.many and { value } or value })
        local checked = opkit.check(op, args, "cli")
        local words = checked and opkit.flyctl(op, checked)
        local why = words and grammar.refuse(GRAMMAR, words)
        t.ok(not why, ("%s %s=%q: %s"):format(op.id, param.name, value, tostring(why)))
        tried = tried + (words and 1 or 0)
      end
    end
  end
  t.ok(tried > 20, "values were tried: " .. tried)
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
