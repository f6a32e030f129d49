--- Every operation that reads, on the demo account: what comes back has the
--- declared shape, fills the table, and comes raw as well.

local accounts = require "ops.account"
local json = require "base.json"
local opkit = require "opkit"
local ops = require "ops"
local t = require "kit"
local tbl = require "base.tbl"

-- Arguments each needs beside the ones taken from the account.
local function arguments(account)
  local machine = account.expect("machines.list", { app = "my-app" })[1]
  local volume = account.expect("volumes.list", { app = "my-app" })[1]
  local cluster = account.expect("mpg.list", {})[1]
  local app = { app = "my-app" }
  local on_machine = { app = "my-app", id = machine.id }
  local on_volume = { app = "my-app", id = volume.id }
  return {
    ["apps.get"] = app,
    ["certs.check"] = { app = "my-app", hostname = "www.example.com" },
    ["certs.get"] = { app = "my-app", hostname = "www.example.com" },
    ["certs.list"] = app,
    ["ips.list"] = app,
    ["logs.show"] = { app = { "my-app" } },
    ["machines.events"] = on_machine,
    ["machines.get"] = on_machine,
    ["machines.metadata"] = on_machine,
    ["machines.ps"] = on_machine,
    ["machines.wait"] = { app = "my-app", id = machine.id, state = "settled" },
    ["mpg.backups"] = { id = cluster.id },
    ["mpg.get"] = { id = cluster.id },
    ["postgres.get"] = { id = cluster.id },
    ["orgs.get"] = { org = "acme" },
    ["orgs.members"] = { org = "acme" },
    ["releases.get"] = app,
    ["releases.list"] = app,
    ["scale.show"] = app,
    ["secrets.list"] = app,
    ["tokens.list"] = { org = "acme" },
    ["volumes.get"] = on_volume,
    ["volumes.snapshots"] = on_volume,
  }
end

-- What flyctl carries out is tried where there is one.
local READS = tbl.filter(ops.all(), function(op)
  return op.effect == "read" and not op.flyctl and not tbl.find(op.calls or {}, function(id)
    return ops.get(id).flyctl ~= nil
  end)
end)

-- May be empty on the demo account: nothing there has any.
local EMPTY = tbl.set({ "mysql.list", "machines.metadata", "volumes.snapshots",
  "mpg.backups" })

t.test("every read works on the demo account, as a list has items", function()
  local account = accounts.open()
  local args = arguments(account)
  for _, op in ipairs(READS) do
    local value = account.expect(op.id, args[op.id])
    if json.is_array(value) then
      t.ok(#value > 0 or EMPTY[op.id], op.id .. " is empty")
    end
    local items = json.is_array(value) and value or { value }
    for _, item in ipairs(items) do
      for _, view in ipairs(opkit.columns(op)) do
        t.eq(type(view.text(item, 1770811200)), "string")
      end
    end
  end
end)

t.test("every column of every list is filled by some item", function()
  local account = accounts.open()
  local args = arguments(account)
  local never = {}
  for _, op in ipairs(READS) do
    local value = account.expect(op.id, args[op.id])
    for _, view in ipairs(json.is_array(value) and #value > 0 and opkit.columns(op) or {}) do
      local filled = tbl.find(value, function(item)
        return view.text(item, 1770811200) ~= ""
      end)
      never[#never + 1] = not filled and op.id .. " " .. view.title or nil
    end
  end
  -- A column nothing fills is a misspelt path, or one the account has not.
  t.eq(never, {
    "extensions.list APP", "ips.list SERVICE", "ips.list NETWORK",
    "machines.events EXIT CODE", "redis.list APP", "redis.list REPLICAS",
    "tigris.list APP", "tigris.list REGION", "tigris.list REPLICAS",
    "tokens.list REVOKED",
  })
end)

t.test("every read comes raw, as JSON", function()
  local account = accounts.open()
  local args = arguments(account)
  for _, op in ipairs(READS) do
    local text = account.expect(op.id, args[op.id], { raw = true })
    local value, e = json.decode(text)
    t.ok(value ~= nil, ("%s: %s"):format(op.id, tostring(e)))
  end
end)

t.test("every list can be handed on an item at a time", function()
  local account = accounts.open()
  local args = arguments(account)
  for _, op in ipairs(READS) do
    local value = account.expect(op.id, args[op.id])
    if json.is_array(value) then
      local seen = 0
      local count = account.expect(op.id, args[op.id], { each = function()
        seen = seen + 1
      end })
      t.eq({ count, seen }, { #value, #value }, op.id)
    end
  end
end)
