--- Carries out one `http` or `gql` row: request, pages, reply, result.
--- Waits. The shape of a result does not depend on what the server left out.

local collect = require "fly.collect"
local conform = require "base.conform"
local errors = require "fly.errors"
local graphql = require "fly.graphql"
local json = require "base.json"
local limits = require "fly.limits"
local opkit = require "opkit"
local pages = require "fly.pages"
local rest = require "fly.rest"
local schema = require "base.schema"
local sensitive = require "fly.sensitive"
local tbl = require "base.tbl"

local M = {}

--- One call in progress.
---@class fly.Call
---@field op op.Row
---@field args table<string, any> checked
---@field opts fly.CallOptions
---@field deadline number? on the transport's clock
---@field tally fly.Tally
---@field origins fly.Origins? filled in when the texts are wanted

---@class fly.Fetch
---@field transport fly.Transport
---@field settings fly.Settings
---@field auth fly.Auth
local Fetch = {}
Fetch.__index = Fetch

---@param transport fly.Transport
---@param settings fly.Settings
---@param auth fly.Auth
---@return fly.Fetch
function M.new(transport, settings, auth)
  return setmetatable({ transport = transport, settings = settings, auth = auth }, Fetch)
end

---@param value any
---@return string?
local function name(value)
  return type(value) == "string" and value or nil
end

---@param self fly.Fetch
---@param call fly.Call
---@param action string
---@return fly.About
local function about(self, call, action)
  return {
    op = call.op.id,
    action = action,
    app = name(call.args.app),
    org = name(call.args.org),
    id = name(call.args.id) or name(call.args.hostname),
    token_source = self.auth.source,
    can_write = call.op.effect ~= "read",
  }
end

---@param self fly.Fetch
---@param call fly.Call
---@param request table as rest and graphql build it
---@return fly.Request
local function finish(self, call, request)
  local op, base = call.op, request.url:match("^%a+://[^/]+")
  request.safe = op.effect == "read"
  request.final = call.opts.final
  request.about = about(self, call, request.action)
  request.timeout = op.timeout
  request.bucket = limits.bucket(op.limit, request.action, call.args, base, self.auth.fingerprint)
  return request
end

---@param self fly.Fetch
---@param call fly.Call
---@param cursor string?
---@return fly.Request? request, table? err
local function http_request(self, call, cursor)
  local request, e = rest.request(call.op, call.args, self.settings.bases, {
    cursor = cursor, nonce = call.opts.nonce,
  })
  return request and finish(self, call, request), e
end

---@param self fly.Fetch
---@param call fly.Call
---@param cursor string?
---@return fly.Request? request, table? err
local function gql_request(self, call, cursor)
  local made = opkit.gql(call.op, call.args)
  local url = self.settings.bases.api .. graphql.PATH
  return finish(self, call, {
    method = "POST",
    url = url,
    label = ("POST %s (%s)"):format(url, made.name),
    action = "GraphQL " .. made.name,
    service = "graphql",
    body = graphql.body(made, cursor),
  })
end

---@async
---@param self fly.Fetch
---@param call fly.Call
---@param cursor string?
---@return table? reply, fly.About|table about_or_err
local function ask(self, call, cursor)
  local build = call.op.gql and gql_request or http_request
  local request, bad = build(self, call, cursor)
  if not request then
    return nil, bad
  end
  local reply, e = self.transport:send(request, call.deadline, call.tally)
  if not reply then
    return nil, e
  end
  return reply, request.about
end

--- Whether the row's result is a list.
---@param op op.Row
---@return boolean
function M.is_list(op)
  if op.items or op.page then
    return true
  end
  local shape = op.returns and opkit.returns(op)
  return not op.item and type(shape) == "table" and shape.list ~= nil
end

---@param op op.Row
---@return string? path of the result in a reply's body
local function place(op)
  local path = op.items or op.item
  if not op.gql then
    return path
  end
  return path and ("data." .. path) or "data"
end

---@param op op.Row
---@return (fun(reply: table, about: fly.About): table?)? check of a gql row's replies
local function check_of(op)
  if not op.gql then
    return nil
  end
  local path = op.items or op.item
  local field = path and path:match("^[^.]+")
  return function(reply, where)
    return graphql.failure(reply, where, field)
  end
end

---@async
---@param self fly.Fetch
---@param call fly.Call
---@return any value, table? err
local function list(self, call)
  local op, opts = call.op, call.opts
  local shape = op.returns and opkit.returns(op)
  local collector = collect.new {
    raw = opts.raw, each = opts.each, origins = call.origins, shape = shape and shape.list,
  }
  local done, e = pages.run({
    style = op.page,
    items = place(op),
    about = about(self, call, opkit.describe(op)),
    check = check_of(op),
  }, collector, function(cursor)
    return ask(self, call, cursor)
  end)
  local result = collector:result()
  table.move(collector.warnings, 1, #collector.warnings, #call.tally.warnings + 1,
    call.tally.warnings)
  if not done then
    return nil, e
  end
  return result
end

--- The part of a decoded reply that is the result. What a REST reply does not
--- wrap after all is the result itself: both forms are in use for leases.
---@param op op.Row
---@param value any
---@return any result, string? path of it
local function unwrap(op, value)
  local path = place(op)
  if not path then
    return value
  end
  local inner = tbl.get(value, path)
  if inner == nil and not op.gql then
    return value
  end
  return inner, path
end

--- The reply's text without the credentials in it.
---@param body string
---@param at string? path of the result in it
---@param found (string|integer)[][] paths in the result
---@return string
local function redact(body, at, found)
  local edits = tbl.map(found, function(keys)
    return { tbl.flatten({ tbl.path(at or ""), keys }), sensitive.WORD }
  end)
  return (assert(json.edit(body, edits)))
end

--- Whether a result tells what it is of: what is made or changed has its id, and
--- whatever is read something that the row counts on.
---@param op op.Row
---@param shape schema.Shape
---@param value any
---@return boolean
local function is_identified(op, shape, value)
  local fields = type(shape) == "table" and shape.object or {}
  if op.effect ~= "read" and fields.id == "string" then
    return value.id ~= nil
  end
  local wanted = tbl.filter(tbl.keys(fields), function(field)
    return not schema.is_optional(fields[field])
  end)
  return #wanted == 0 or tbl.find(wanted, function(field)
    return value[field] ~= nil
  end) ~= nil
end

--- The result with every member of the type its row says; nil when the whole of
--- it is something else.
---@param call fly.Call
---@param value any
---@return any
local function typed(call, value)
  local shape = opkit.returns(call.op)
  if not shape then
    return value
  end
  local report = conform.report()
  value = conform.apply(value, shape, report)
  if value == nil or not is_identified(call.op, shape, value) then
    return nil
  end
  table.insert(call.tally.warnings, collect.left_out(report))
  return value
end

---@param call fly.Call
---@param reply table
---@param where fly.About
---@return any value, table? err
local function read_single(call, reply, where)
  local body = reply.body
  local is_blank = type(body) ~= "string" or not body:find("%S")
  if is_blank and (call.op.effect ~= "read" or reply.status == 204) then
    return call.opts.raw and "" or {}
  elseif is_blank then
    return nil, errors.bad_reply(reply, where, "is empty")
  end
  local value, e = json.decode(body)
  if e then
    return nil, errors.bad_reply(reply, where, "is not the JSON expected: " .. e.message)
  elseif call.opts.raw and not call.op.sensitive then
    return body
  end
  local path
  value, path = unwrap(call.op, collect.drop_nulls(value))
  if value == nil then
    return nil, errors.bad_reply(reply, where, "holds no result")
  end
  if call.op.sensitive then
    body = redact(body, path, sensitive.take(call.op, value))
  end
  value = typed(call, value)
  if value == nil then
    return nil, errors.bad_reply(reply, where, "is not what was asked for")
  elseif call.opts.raw then
    call.tally.made = value
    return body
  end
  if call.origins and type(value) == "table" then
    call.origins.texts[value] = body
  end
  return value
end

-- The reply's credentials as secrets, nil without any.
---@param op op.Row
---@param body any
---@return any
local function credentials_in(op, body)
  local value = op.sensitive and type(body) == "string" and json.decode(body)
  if type(value) ~= "table" then
    return nil
  end
  value = unwrap(op, collect.drop_nulls(value))
  sensitive.take(op, value)
  return value
end

---@async
---@param self fly.Fetch
---@param call fly.Call
---@return any value, table? err
local function single(self, call)
  local reply, where = ask(self, call, nil)
  if not reply then
    return nil, where
  end
  -- Taken first: the words of a failure cannot repeat what is a secret by then.
  local _ <close> = sensitive.hold(credentials_in(call.op, reply.body))
  local check = check_of(call.op)
  local failed = check and check(reply, where)
  if failed then
    return nil, failed
  end
  return read_single(call, reply, where)
end

--- Carries out the row. Lists come as arrays (or as `raw` and `each` say), all
--- else as the object itself.
---@async
---@param call fly.Call
---@return any value, table? err
function Fetch:run(call)
  if M.is_list(call.op) then
    return list(self, call)
  end
  return single(self, call)
end

return M
