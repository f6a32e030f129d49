--- Every operation that reads, over replies in which something is missing or of
--- another type: a result that can be shown or a typed error, never a crash.

local accounts = require "ops.account"
local client = require "fly.client"
local err = require "base.err"
local http = require "sys.http"
local json = require "base.json"
local opkit = require "opkit"
local reads = require "ops.reads"
local secret = require "sys.secret"
local t = require "kit"

local ROUNDS = 8
local SEED = 20240502

-- What a request asks for: the account's tokens differ from run to run.
local function key_of(request)
  return ("%s %s %s"):format(request.method, request.url, tostring(request.body))
end

-- The replies of the demo account to everything that reads ask for, by request.
local function record()
  local replies = {}
  local account = accounts.open { client = { http = function(request)
    local reply, e = http.request(request)
    replies[key_of(request)] = reply
    return reply, e
  end } }
  local args = reads.arguments(account)
  for _, op in ipairs(reads.ROWS) do
    account.expect(op.id, args[op.id])
  end
  return replies, args, account.client.settings.bases
end

-- Every place in a decoded reply: { holder, key }.
local function places(value, found)
  for key, inner in pairs(value) do
    found[#found + 1] = { value, key }
    if type(inner) == "table" and not json.is_raw(inner) then
      places(inner, found)
    end
  end
  return found
end

-- What may stand there instead; nil is nothing at all.
local ODD = {
  function() return nil end, function() return json.null end, function() return 7 end,
  function() return "odd" end, function() return true end, function() return "" end,
  function() return json.array {} end, function() return {} end, function() return 0.5 end,
  function() return json.array { json.null, 3, "x", {} } end,
}

local function damaged(body)
  local value = json.decode(body)
  for _ = 1, type(value) == "table" and math.random(1, 3) or 0 do
    local all = places(value, {})
    local place = all[math.random(math.max(#all, 1))]
    local odd = ODD[math.random(#ODD)]()
    if place and not (odd == nil and json.is_array(place[1])) then
      place[1][place[2]] = odd
    end
  end
  return json.encode(value)
end

-- A client that hears damaged replies; its clock moves only when it sleeps.
local function open(replies, bases)
  local clock, last = 0, nil
  local made = client.new {
    settings = { token = secret.new("fo1_test"), token_source = "the test", bases = bases },
    limiter = accounts.UNLIMITED,
    now = function() return clock end,
    sleep = function(seconds) clock = clock + seconds end,
    http = function(request)
      local reply = replies[key_of(request)]
      clock = clock + 1
      if not reply or reply.body == "" then
        return reply or { status = 404, headers = {}, body = "{}" }
      end
      last = damaged(reply.body)
      return { status = reply.status, headers = reply.headers, body = last }
    end,
  }
  return made, function() return last end
end

-- Everything the faces do with a result before it is printed.
local function show(op, value)
  local items = opkit.is_list(op) and value or { value }
  for _, item in ipairs(items) do
    t.eq(type(opkit.sort_key(op, item)), "string")
    for _, view in ipairs(opkit.columns(op)) do
      t.eq(type(view.text(item, 1770811200)), "string")
    end
  end
end

local function try(op, args, made)
  local ok, value, e = xpcall(made.call, debug.traceback, made, op.id, args)
  if not ok then
    return value
  elseif value == nil then
    local is_told = err.is(e) and e.kind ~= "usage" and e.kind ~= "bug"
    return not is_told and "told as: " .. tostring(e) or nil
  elseif type(value) ~= "table" then
    return "gave " .. tostring(value)
  end
  local shown, why = xpcall(show, debug.traceback, op, value)
  return not shown and why or nil
end

t.test("no reply makes an operation crash, or blame its caller", function()
  math.randomseed(SEED)
  local replies, args, bases = record()
  for _, op in ipairs(reads.ROWS) do
    for _ = 1, ROUNDS do
      local made, last = open(replies, bases)
      local fault = try(op, args[op.id] or {}, made)
      made:close()
      t.ok(not fault, ("%s: %s\nafter %s"):format(op.id, tostring(fault), tostring(last())))
    end
  end
end)
