--- Every row: complete, consistent with itself, and usable by every view.

local json = require "base.json"
local ops = require "ops"
local opkit = require "opkit"
local schema = require "base.schema"
local str = require "base.str"
local t = require "kit"
local tbl = require "base.tbl"

t.test("every declaration keeps the rules, and what it refers to exists", function()
  ops.check_all()
  t.ok(#ops.all() > 10)
end)

local ROWS = ops.all({ hidden = true })

t.test("every reply schema is a well-formed shape", function()
  for _, op in ipairs(ROWS) do
    local shape = opkit.returns(op)
    if shape then
      schema.check_shape(shape)
      t.ok(json.encode(opkit.result_schema(op)))
    end
  end
end)

t.test("lists return lists, and know their order and columns", function()
  for _, op in ipairs(ROWS) do
    local shape = opkit.returns(op)
    local is_list = type(shape) == "table" and shape.list ~= nil
    t.eq(op.items ~= nil and not is_list, false)
    if is_list and not op.hidden then
      t.ok(#opkit.columns(op) > 0, op.id .. " has no columns")
      t.ok(op.order or op.doc, op.id .. " has neither order nor a word on it")
    end
  end
end)

t.test("every column and order path is a field of what is returned", function()
  for _, op in ipairs(ROWS) do
    local shape = opkit.returns(op)
    local paths = tbl.flatten({ op.order or {}, op.sensitive or {} })
    for _, column in ipairs(op.columns or {}) do
      paths[#paths + 1] = type(column[2]) == "string" and column[2] or nil
    end
    for _, path in ipairs(paths) do
      path = path:gsub("%.%d+", ""):gsub("^!", "") -- an element of a list
      t.ok(schema.at(shape, path), ("%s: no field %s"):format(op.id, path))
    end
  end
end)

t.test("function columns take an empty item and odd ones", function()
  local odd = { {}, { config = json.null }, { config = {} }, { config = "x" },
    { config = { guest = { cpus = "x", cpu_kind = 5 } } }, { image_ref = {} },
    { checks = {} }, { checks = { {} } }, { config = { image = 5 } } }
  for _, op in ipairs(ROWS) do
    for _, view in ipairs(opkit.columns(op)) do
      for _, item in ipairs(odd) do
        t.eq(type(view.text(item, 0)), "string")
      end
    end
  end
end)

t.test("every command path leads back to its operation", function()
  for _, op in ipairs(ops.all()) do
    for _, path in ipairs(opkit.paths(op)) do
      if not path:find("{", 1, true) then
        local found, used = ops.find(str.words(path))
        t.ok(found == op, ("%q does not find %s"):format(path, op.id))
        t.eq(used, #str.words(path))
      end
    end
  end
end)

-- Reads "get machine 1234 --app my-app" the way the command line does.
local function parse(op, words, used, slots)
  local args, at, i = tbl.copy(slots), 0, used + 1
  while i <= #words do
    local name, value = words[i]:match("^%-%-([^=]+)=?(.*)$")
    local param = name and op.param[name:gsub("-", "_")]
    t.ok(not name or param, ("%s: no flag %s"):format(op.id, words[i]))
    if words[i] == "--" then
      break
    elseif not name then
      at = at + 1
      param = op.positional[at] or op.positional[#op.positional]
      t.ok(param, ("%s: takes no argument %q"):format(op.id, words[i]))
      value = words[i]
    elseif not words[i]:find("=", 1, true) then
      value = "true"
      if not param.kind.is_flag then
        i = i + 1
        value = words[i]
      end
    end
    args[param.name] = param.many
      and tbl.flatten({ args[param.name] or {}, { value } }) or value
    i = i + 1
  end
  return args
end

t.test("every example finds its operation and its arguments are right", function()
  for _, op in ipairs(ops.all()) do
    t.ok(op.examples and #op.examples > 0, op.id .. " has no example")
    for _, example in ipairs(op.examples) do
      local words = str.words(example)
      local found, used, slots = ops.find(words)
      t.ok(found == op, ("%s: %q leads elsewhere"):format(op.id, example))
      local args = parse(op, words, used, slots)
      for name, param in pairs(op.param) do
        if param.type == "secret" then
          args[name] = io.stdout -- any handle
        elseif param.rest then
          args[name] = { "ls" }
        end
      end
      local checked, e = opkit.check(op, args, "cli")
      t.ok(checked, tostring(e))
    end
  end
end)

t.test("every view of every row can be made", function()
  for _, op in ipairs(ops.all()) do
    t.ok(#opkit.help(op) > 40)
    for line in opkit.help(op):gmatch("[^\n]+") do
      t.ok(str.len(line) <= 80 or line:find("^  "), op.id .. ": " .. line)
    end
    local tool = opkit.tool(op)
    t.ok(#tool.name <= 64 and tool.name:find("^[%w_]+$"), tool.name)
    t.ok(json.decode(json.encode(tool)))
  end
end)

t.test("resources that operations complete from exist", function()
  local types = require "opkit.types"
  for _, name in ipairs(types.names()) do
    local source = types.get(name).complete
    if source and source.op then
      local op = t.ok(ops.get(source.op), name)
      local shape = opkit.returns(op)
      t.ok(schema.at(shape, source.value), name)
      t.ok(schema.at(shape, source.describe), name)
      for _, param in ipairs(source.from or {}) do
        t.ok(op.param[param], name)
      end
    end
  end
end)

t.test("the operations that begin with a word are those of its paths", function()
  local of_word = {}
  for _, id in ipairs(ops.ids()) do
    for _, path in ipairs(ops.paths(id)) do
      local word = path:match("^%S+")
      of_word[word] = of_word[word] or {}
      of_word[word][id] = true
    end
  end
  for word, ids in pairs(of_word) do
    t.eq(ops.beginning(word), tbl.keys(ids), word)
  end
  t.eq(ops.beginning("nothing"), {})
end)
