--- Every operation that reads, on the demo account: what comes back has the
--- declared shape, fills the table, and comes raw as well.

local accounts = require "ops.account"
local json = require "base.json"
local opkit = require "opkit"
local reads = require "ops.reads"
local t = require "kit"
local tbl = require "base.tbl"

-- May be empty on the demo account: nothing there has any.
local EMPTY = tbl.set({ "mysql.list", "machines.metadata", "volumes.snapshots",
  "mpg.backups" })

t.test("every read works on the demo account, as a list has items", function()
  local account = accounts.open()
  local args = reads.arguments(account)
  for _, op in ipairs(reads.ROWS) do
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
  local args = reads.arguments(account)
  local never = {}
  for _, op in ipairs(reads.ROWS) do
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
  local args = reads.arguments(account)
  for _, op in ipairs(reads.ROWS) do
    local text = account.expect(op.id, args[op.id], { raw = true })
    local value, e = json.decode(text)
    t.ok(value ~= nil, ("%s: %s"):format(op.id, tostring(e)))
  end
end)

t.test("every list can be handed on an item at a time", function()
  local account = accounts.open()
  local args = reads.arguments(account)
  for _, op in ipairs(reads.ROWS) do
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
