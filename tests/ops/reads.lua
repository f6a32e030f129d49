--- The operations that read, with arguments that fit the demo account.

local ops = require "ops"
local tbl = require "base.tbl"

local M = {}

--- What flyctl carries out is tried where there is one.
M.ROWS = tbl.filter(ops.all(), function(op)
  return op.effect == "read" and not op.flyctl and not tbl.find(op.calls or {}, function(id)
    return ops.get(id).flyctl ~= nil
  end)
end)

--- Arguments by operation, with ids taken from the account; nil: it needs none.
---@param account table of ops.account
---@return table<string, table>
function M.arguments(account)
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

return M
