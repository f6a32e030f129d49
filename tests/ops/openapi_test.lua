--- Every http row against the API's own description.

local openapi = require "kit.openapi"
local ops = require "ops"
local str = require "base.str"
local t = require "kit"
local tbl = require "base.tbl"

local FILE = t.shared("machines-openapi.json")

local function read_spec()
  local file = assert(io.open(FILE, "rb"))
  local text = file:read("a")
  file:close()
  return openapi.read(text)
end

local SPEC = FILE and read_spec()

local ROWS = tbl.filter(ops.all({ hidden = true }), function(op)
  return op.http ~= nil
end)

-- A test over all http rows, each with its operation in the document.
local function each_row(name, fn)
  t.test(name, function()
    if not SPEC then
      return t.skip("no machines-openapi.json beside the repository")
    end
    for _, op in ipairs(ROWS) do
      local operation = openapi.operation(SPEC, op.http[1], op.http[2])
      if operation then
        fn(op, operation)
      end
    end
  end)
end

t.test("every method and path exists", function()
  if not SPEC then
    return t.skip("no machines-openapi.json beside the repository")
  end
  for _, op in ipairs(ROWS) do
    t.ok(openapi.operation(SPEC, op.http[1], op.http[2]),
      ("%s: the API has no %s %s"):format(op.id, op.http[1], op.http[2]))
  end
end)

-- Where each parameter goes: { query = { wire = param }, body = … }.
local function places(op)
  local in_path = tbl.set(str.slots(op.http[2]))
  local is_query = op.http[1] == "GET" or op.http[1] == "DELETE"
  local found = { query = {}, body = {}, header = {}, none = {} }
  for _, param in ipairs(op.params) do
    if not in_path[param.name] then
      local at = param.at or (is_query and "query." or "body.") .. param.name
      local place, wire = at:match("^(%l+)%.?(.*)$")
      found[place][wire] = param
    end
  end
  return found
end

each_row("every query parameter exists, and required ones are sent", function(op, operation)
  local known = openapi.parameters(operation, "query")
  local sent = places(op).query
  for wire in pairs(sent) do
    t.ok(known[wire], ("%s: the API takes no %s in the query"):format(op.id, wire))
  end
  for wire, parameter in pairs(known) do
    local param = sent[wire]
    t.ok(not parameter.required or (param and param.required),
      ("%s: the API requires %s"):format(op.id, wire))
  end
end)

each_row("every body field exists, and required ones are sent", function(op, operation)
  local body, is_required = openapi.body(SPEC, operation)
  local sent = places(op).body
  for wire in pairs(sent) do
    t.ok(body and openapi.at(SPEC, body, wire),
      ("%s: the API takes no %s in the body"):format(op.id, wire))
  end
  t.ok(not is_required or next(sent), op.id .. ": the API requires a body")
  for _, wire in ipairs(body and next(sent) and body.required or {}) do
    local found = tbl.find(tbl.keys(sent), function(path)
      return path == wire or str.starts_with(path, wire .. ".")
    end)
    t.ok(found and (sent[found].required or sent[found].default ~= nil),
      ("%s: the API requires %s in the body"):format(op.id, wire))
  end
end)

-- How the document names the classes of limits that rows name.
local CLASSES = { app = "app", machine = "machine", caller = "caller" }

each_row("the limit is the published one", function(op, operation)
  local limit = operation["x-fly-rate-limit"]
  if not limit then
    return t.eq(op.limit, "none", op.id)
  end
  local wanted = limit.rps == 5 and "machine_get" or CLASSES[limit.per]
  t.ok(op.limit == wanted, ("%s: limit %s, published %s"):format(
    op.id, op.limit, tostring(wanted)))
end)

each_row("a lease's nonce is sent exactly where one is taken", function(op, operation)
  local header = openapi.parameters(operation, "header")["fly-machine-lease-nonce"]
  local wanted = header and (header.required and "required" or "optional") or nil
  t.ok(op.lease == wanted, ("%s: lease %s, the API says %s"):format(
    op.id, tostring(op.lease), tostring(wanted)))
end)

each_row("each goes to the service that has it", function(op, operation)
  local server = openapi.server(SPEC, op.http[2], operation)
  t.ok(server == nil or server:find("//api%.fly%.io$"), server)
  t.eq(op.api == "web", server ~= nil, op.id)
end)

each_row("what comes in pages says how", function(op, operation)
  local has_cursor = openapi.parameters(operation, "query").cursor ~= nil
  t.ok(not has_cursor or op.page, op.id .. " comes in pages")
  local reply = operation.responses["200"]
  local in_header = reply and reply.headers and reply.headers["fly-next-cursor"]
  if has_cursor then
    t.eq(op.page, in_header and "header" or "body")
  else
    t.eq(op.page, nil)
  end
end)

-- What operations add to items themselves: whose they are.
local ADDED = { app = true, org = true }

-- Which types of the document a shape's scalar stands for: what is of another one
-- is left out of a reply.
local TYPES = {
  string = tbl.set({ "string", "integer", "number" }), time = tbl.set({ "string" }),
  integer = tbl.set({ "integer" }), number = tbl.set({ "integer", "number" }),
  boolean = tbl.set({ "boolean" }),
}

-- The types that a schema of the document allows, null aside; {} is any.
local function types_of(reply)
  local found = {}
  local kinds = type(reply.type) == "table" and reply.type or { reply.type }
  for _, kind in ipairs(kinds) do
    found[#found + 1] = kind ~= "null" and kind or nil
  end
  for _, combination in ipairs({ "allOf", "anyOf", "oneOf" }) do
    for _, part in ipairs(reply[combination] or {}) do
      found = tbl.flatten({ found, types_of(openapi.resolve(SPEC, part)) })
    end
  end
  return found
end

local function check_type(label, shape, reply)
  local form = "object"
  if type(shape) == "string" then
    form = shape:gsub("%?$", "")
    form = (form == "any" or TYPES[form]) and form or "object"
  elseif shape.list then
    form = "array"
  end
  for _, kind in ipairs(form ~= "any" and types_of(reply) or {}) do
    local fits = TYPES[form] and TYPES[form][kind] or kind == form
    t.ok(fits, ("%s is %s, in the document %s"):format(label, form, kind))
  end
end

-- Every field a shape names exists in one of the document's schemas. (One shape
-- may serve several replies: lists show less than single items.)
local function check_fields(label, shape, replies, path)
  if type(shape) ~= "table" then
    return
  elseif shape.list or shape.map then
    local inner = tbl.map(replies, function(reply)
      return shape.list and reply.items or reply.additionalProperties
    end)
    t.ok(#inner > 0, ("%s: %s is no collection"):format(label, path))
    inner = tbl.map(inner, function(reply)
      return openapi.resolve(SPEC, reply)
    end)
    return check_fields(label, shape.list or shape.map, inner, path .. "[]")
  end
  for name, field in pairs(shape.object or {}) do
    local found = {}
    for _, reply in ipairs(replies) do
      found[#found + 1] = openapi.at(SPEC, reply, { name })
    end
    t.ok(#found > 0 or ADDED[name],
      ("%s: the API answers no %s.%s"):format(label, path, name))
    for _, reply in ipairs(found) do
      check_type(("%s: %s.%s"):format(label, path, name), field, reply)
    end
    check_fields(label, field, found, path .. "." .. name)
  end
end

-- Collects the replies in which each named schema stands.
local REPLIES = {}

each_row("the reply is where the row says", function(op, operation)
  local reply, at = openapi.reply(SPEC, operation), op.items or op.item
  if not reply or op.returns == nil then
    return
  elseif at then
    reply = t.ok(openapi.at(SPEC, reply, at),
      ("%s: the reply has no %s"):format(op.id, at))
  end
  local is_list = type(op.returns) == "table" and op.returns.list ~= nil
  t.eq(reply.items ~= nil, is_list, op.id)
  local name = is_list and op.returns.list or op.returns
  if type(name) == "string" then
    REPLIES[name] = REPLIES[name] or {}
    table.insert(REPLIES[name], openapi.resolve(SPEC, is_list and reply.items or reply))
  else
    check_fields(op.id, op.returns, { reply }, "reply")
  end
end)

t.test("every field of a reply schema is one the API answers", function()
  if not SPEC then
    return t.skip("no machines-openapi.json beside the repository")
  end
  for name, replies in tbl.sorted(REPLIES) do
    check_fields(name, ops.schema(name), replies, name)
  end
end)
