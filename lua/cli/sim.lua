--- `clanker sim`: hands the flags to the simulator's own face.
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
      call.out:data(text)
    end,
  })
end

return M
