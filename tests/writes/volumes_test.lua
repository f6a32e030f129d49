-- Volumes and apps, end to end: what is offered, waited for, and asked again.

local consent = require "cli.consent"
local ops = require "ops"
local t = require "kit"
local tbl = require "base.tbl"
local worlds = require "writes.world"

-- A destroy at a terminal: what is asked, and what becomes of the arguments.
local function ask(answers)
  local asked, args = {}, { app = "my-app", id = "vol_1" }
  local ok, e = consent.check({
    row = ops.get("volumes.destroy"), args = args, globals = {},
    out = { note = function() end, talk = function() end },
    world = {
      is_tty = function() return true end,
      now = function() return 0 end,
      prompt = function(text)
        asked[#asked + 1] = text
        return table.remove(answers, 1)
      end,
    },
  }, { call = function() end })
  return ok, e, args, asked
end

t.test("before a volume goes, a snapshot is offered", function()
  local ok, _, args, asked = ask({ "y", "vol_1" })
  t.eq({ ok, args.snapshot }, { true, true })
  t.match(asked[1], "Take a snapshot first")
  ok, _, args = ask({ "n", "vol_1" })
  t.eq({ ok, args.snapshot }, { true, false })
  local refused, e = ask({ "what", "vol_1" })
  t.err(refused, e, "declined")
  refused, e = ask({ "y", "another" })
  t.err(refused, e, "declined")
end)

t.test("a volume is made, grows, is saved, forked and goes; each is waited for", function()
  local account = worlds.open()
  local at = { app = "my-app", name = "extra", region = "iad", size_gb = 3 }
  local volume = account.expect("volumes.create", at)
  local one = { app = "my-app", id = volume.id }
  t.eq(volume.state, "created")
  t.eq(account.expect("volumes.extend",
    { app = "my-app", id = volume.id, size_gb = 4 }).size_gb, 4)
  local saved = account.expect("volumes.snapshots_create", one)
  t.eq(saved.status, "created")
  t.eq(#account.expect("volumes.snapshots", one), 1)
  t.eq(account.expect("volumes.fork", one).state, "created")
  t.eq(account.expect("volumes.destroy", one).state, "pending_destroy")
  t.eq(account.world:get("volume", volume.id).state, "pending_destroy")
end)

t.test("what was saved before a volume went is in a new one", function()
  local account = worlds.open()
  local volume = tbl.find(account.expect("volumes.list", { app = "my-app", unattached = true }),
    function(item)
      return item.region == "fra"
    end)
  local told
  account.expect("volumes.destroy", { app = "my-app", id = volume.id, snapshot = true },
    { on_notice = function(text)
      told = text
    end })
  local back = account.expect("volumes.create", { app = "my-app", name = "data",
    region = "fra", size_gb = volume.size_gb, snapshot = told:match("snapshot (vs_%w+):") })
  t.eq(account.world:get("volume", back.id).used_bytes, volume.bytes_used)
end)

t.test("an answer that is lost is asked for again, and one app is made", function()
  local account = worlds.open({ fault = "POST /v1/apps:lost*1" })
  t.eq(account.expect("apps.create", { name = "once", org = "acme" }).name, "once")
  local asked = 0
  for _, line in ipairs(account.changes()) do
    asked = asked + (line == "POST /v1/apps" and 1 or 0)
  end
  t.eq(asked, 2)
end)

t.test("a name that is taken is a conflict with its next step", function()
  local account = worlds.open()
  local app, e = account.call("apps.create", { name = "my-app", org = "acme" })
  t.err(app, e, "conflict")
  t.match(e.hint, "choose another")
  t.ok(e.request_id)
end)
