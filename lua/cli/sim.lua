--- `clanker sim`, `clanker sim flyctl`: hands the words to the simulator's own face.
--- Waits until interrupted; Ctrl-C is its regular end.

local M = {}

---@async
---@param call cli.Call
---@return integer? exit_code
---@return err.Record?
function M.run(call)
  local args = call.args
  return call.faces.serve().run({
    listen = args.listen, seed = args.seed, db = args.db, token = args.token,
    latency = args.latency, fault = args.fault,
    limits = not args.no_limits,
    write = function(text)
      return call.out:data(text)
    end,
  })
end

--- Runs the simulated flyctl with the words as they are.
---@async
---@param call cli.Call
---@return integer exit_code
function M.flyctl(call)
  return call.faces.flyctl().run(call.args.words)
end

return M
