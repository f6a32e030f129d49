-- What is deployed and what is not; which version machines are asked to have.

local err = require "base.err"
local state = require "ops.secret_state"
local support = require "ops.support"
local t = require "kit"


t.test("a version's id tells when it was made", function()
  local made = state.made_at({ instance_id = "01ARZ3NDEKTSV4RRFFQ69G5FAV" })
  t.eq(made, 1469922850.259)
  for _, id in ipairs({ "", "short", "01ARZ3NDEKTSV4RRFFQ69G5FAVX",
    "U1ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5F-V" }) do
    t.eq(state.made_at({ instance_id = id }), nil, id)
  end
  t.eq(state.made_at({}), nil)
end)

t.test("a secret is deployed where all machines are newer", function()
  local secret = { updated_at = "2024-05-01T12:00:00Z" }
  local noon = 1714564800
  t.eq(state.status(secret, { noon, noon + 1 }), "deployed")
  t.eq(state.status(secret, { noon - 1, noon + 1 }), "partial")
  t.eq(state.status(secret, { noon - 1 }), "staged")
  t.eq(state.status(secret, {}), "staged")
  t.eq(state.status({}, { noon }), nil)
end)

t.test("flyctl's machines for a command, and those that are gone, do not count", function()
  local function group(name)
    return { state = "started", config = { metadata = { fly_process_group = name } } }
  end
  t.eq(state.is_lasting(group("web")), true)
  t.eq(state.is_lasting(group("fly_app_release_command")), false)
  t.eq(state.is_lasting({ state = "destroyed" }), false)
  t.eq(state.is_lasting({ state = "stopped" }), true)
end)

t.test("machines that cannot be listed leave the state open", function()
  local list, e, ctx = support.run("secrets.list", { app = "web" }, {
    ["secrets.list_app"] = { { name = "A", updated_at = "2024-05-01T12:00:00Z" } },
    ["machines.list_app"] = support.failure("forbidden", 403),
  })
  t.eq(e, nil)
  t.eq(list[1].status, nil)
  t.match(ctx.notices[1], "not known")
end)

local function set(replies, args, more)
  args.app, args.values = "web", { A = args.value or "x" }
  args.value = nil
  more = more or {}
  more.secret = require("sys.secret").concat
  more.flyctl = more.flyctl or function()
    return nil, err.new({ kind = "error", message = "not installed" })
  end
  return support.run("secrets.set", args, replies, more)
end

t.test("machines are asked for the version that was made", function()
  local sent = {}
  local machine = { id = "m1", state = "started", instance_id = "v1",
    config = { image = "a" } }
  local rows, e = set({
    ["secrets.update_once"] = { Version = 41 },
    ["machines.list_app"] = { machine, { id = "m0", state = "destroyed" } },
    ["machines.get"] = '{"id":"m1","state":"started","instance_id":"v1","config":{"image":"a"}}',
    ["machines.update_once"] = function(args)
      sent[#sent + 1] = args.min_secrets_version
      return err.new({ kind = "conflict", message = "held" })
    end,
  }, { via = "api" })
  t.err(rows, e, "conflict")
  t.match(e.hint, "the secrets are staged")
  t.eq(sent, { 41 })
end)

t.test("an app without machines keeps its secrets staged", function()
  local rows, e, ctx = set({
    ["secrets.update_once"] = { version = 1 }, ["machines.list_app"] = {},
  }, {})
  t.eq(e, nil)
  t.eq(rows[1], { name = "A", outcome = "staged" })
  t.match(ctx.notices[1], "no machines")
  local none
  none, e = support.run("secrets.deploy", { app = "web" }, { ["machines.list_app"] = {} })
  t.err(none, e, "conflict")
end)

t.test("flyctl is taken where it is as good, and only there", function()
  local there = function() return true end
  local replies = {
    ["secrets.import_once"] = {}, ["secrets.list_app"] = { { name = "A" } },
    ["secrets.update_once"] = { version = 1 },
  }
  local _, _, ctx = set(replies, { stage = true }, { flyctl = there })
  t.eq(ctx.calls[1], "secrets.import_once web")
  _, _, ctx = set(replies, { stage = true, value = 'x"#' }, { flyctl = there })
  t.eq(ctx.calls[1], "secrets.update_once web")
  _, _, ctx = set(replies, { stage = true, via = "api" }, { flyctl = there })
  t.eq(ctx.calls[1], "secrets.update_once web")
  local none, e = set(replies, { via = "flyctl", value = 'x"#' }, { flyctl = there })
  t.err(none, e, "flyctl cannot read the value of A")
end)
