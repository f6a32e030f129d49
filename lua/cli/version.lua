--- `clanker version`.
--- Asked for more than anything else, so it loads nothing else.

local M = {}

--- The version as every place shows it.
---@return string
function M.text()
  return "clanker " .. require("sys.os").VERSION
end

---@param call cli.Call
---@return true?, err.Record?
function M.run(call)
  return call.out:data(M.text() .. "\n")
end

return M
