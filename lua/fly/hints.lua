--- What to do next after each kind of failure: one short sentence each.
--- Pure: reads the error's facts; there is always something to do.

local fmt = require "base.fmt"

local M = {}

--- The three ways to give a token, in the order they are looked up.
M.GIVE_TOKEN = "give one with --api-token-file FILE, with flyio.api_token in ~/.clanker.yaml,"
  .. " or with the environment variable FLY_API_TOKEN,\n"
  .. "or store one for good with clanker credentials store flyio"

---@param about fly.About
---@return string
local function auth(about)
  local from = about.token_source and (" (it came from " .. about.token_source .. ")") or ""
  return "the token is wrong, expired or revoked" .. from
    .. "; make a new one with `fly tokens create`, and check it with `clanker fly auth whoami`"
end

---@param about fly.About
---@return string
local function forbidden(about)
  if about.app then
    return "the app belongs to an organization that this token cannot see, or the token's scope"
      .. " leaves this action out; `clanker fly list apps` shows what it sees"
  end
  if about.org then
    return "this token does not cover that organization; `clanker fly list orgs` shows what it sees"
  end
  return "the token's scope leaves this action out; org and deploy tokens see less than a user's"
end

-- Resources whose ids are those of another one.
local LISTED_AS = { leases = "machines", scale = "machines", logs = "machines" }

---@param about fly.About
---@return string
local function not_found(about)
  if about.app and about.id then
    local noun = about.op and about.op:match("^[%w_]+") or "machines"
    noun = LISTED_AS[noun] or noun
    return ("check the id, and that it belongs to the app: `clanker fly list %s --app %s`")
      :format(noun, about.app)
  end
  if about.app then
    return "`clanker fly list apps` shows the apps this token sees"
  end
  if about.org then
    return "`clanker fly list orgs` shows the organizations this token sees"
  end
  local noun = about.id and about.op and about.op:match("^[%w_]+")
  return noun and ("check the id: `clanker fly list %s` shows what there is"):format(noun)
    or "it is gone, or this token does not see it"
end

---@param status integer
---@param detail table
---@return string?
local function conflict(status, detail)
  local lease = detail.lease
  if lease then
    return "wait until " .. lease.expires_at .. ", or ask " .. lease.owner
      .. " to finish; then try again"
  end
  if detail.word == "name_taken" then
    return "names are shared by all of Fly: choose another one"
  end
  if status == 412 or status == 409 then
    return "someone else changed it or holds it: look at it again, then repeat"
  end
  return "its present state does not allow this: look at it again, then repeat"
end

--- What to wait for, and for how long as far as that is known.
---@param why string
---@param seconds number?
---@return string
function M.after(why, seconds)
  return ("%s: wait %s, then repeat"):format(why, seconds and fmt.duration(seconds) or "a moment")
end

---@param about fly.About
---@param retry_after number? seconds it asks to wait
---@return string
local function server(about, retry_after)
  local pause = retry_after and "in " .. fmt.duration(retry_after)
  if about.can_write then
    return "Fly's side failed, and the change may or may not have been made: look before"
      .. " repeating it" .. (pause and ", " .. pause or "")
      .. "; https://status.flyio.net shows incidents"
  end
  return ("Fly's side failed: try again %s; https://status.flyio.net shows incidents"):format(
    pause or "in a moment")
end

local REFUSED = "the request was refused as it is: correct what the message names;"
  .. " --help tells what the command takes"

-- Nothing but the message says what it is about.
local UNKNOWN = "if the message does not tell what to do: --debug shows the requests, and Fly's"
  .. " support can look up the request id"

--- For a reply with a status that is not a success.
---@param kind string
---@param status integer
---@param about fly.About
---@param detail table
---@return string
function M.for_reply(kind, status, about, detail)
  if kind == "auth" then
    return auth(about)
  elseif kind == "forbidden" then
    return forbidden(about)
  elseif kind == "not_found" then
    return not_found(about)
  elseif kind == "conflict" then
    return conflict(status, detail)
  elseif kind == "server" then
    return server(about, detail.retry_after)
  elseif kind == "capacity" then
    return "that region has no room now: choose another one (`clanker fly list regions`)"
  elseif kind == "quota" then
    return "the organization's limits or billing stop this: see https://fly.io/dashboard"
  elseif kind == "rate_limited" then
    return M.after("the API refuses more requests for now", detail.retry_after)
  elseif kind == "timeout" then
    return "try again, or give it longer with --timeout"
  elseif kind == "protocol" or status == 405 then
    return M.for_bad_reply(about)
  elseif kind == "invalid" then
    return REFUSED
  end
  return UNKNOWN
end

--- For a success that cannot be read.
---@param about fly.About
---@return string
function M.for_bad_reply(about)
  return (about.can_write and "the change may have been made: look before repeating it; " or "")
    .. "something between here and Fly may have answered in its place: check the host setting"
    .. " and the proxy variables"
end

local TRANSPORT = {
  EAI_NONAME = "check the network, the host setting and the proxy variables",
  EAI_AGAIN = "check the network, the host setting and the proxy variables",
  ECONNREFUSED = "nothing listens there: check the host setting",
  ETLS = "the server's certificate was not accepted; for your own authority set flyio.ca_file",
  E2BIG = "ask for less at once",
  EPERM = "use https://, or --allow-http if the network itself is trusted",
  ETIMEDOUT = "try again, or give it longer with --timeout",
}

local TRIED = "try again; if it fails again, --debug shows the request"

--- For a request that got no reply.
---@param e table
---@param about fly.About
---@return string
function M.for_transport(e, about)
  if about.can_write and e.sent and e.code ~= "ETLS" then
    return "the change may or may not have been made: look before repeating it"
  end
  return TRANSPORT[e.code] or (e.kind == "network" and TRANSPORT.EAI_NONAME)
    or (e.kind == "protocol" and M.for_bad_reply(about)) or TRIED
end

return M
