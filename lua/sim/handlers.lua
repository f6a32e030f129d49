--- What route tables and handlers share: rows of one kind, and finding first.
--- Pure.

local M = {}

---@alias sim.Row fun(method: string, path: string, run: function,
---  body: sim.Shape?, is_body_optional: boolean?): sim.Route

--- Makes routes that share a limit and the beginning of their paths.
---@param limit "caller"|"app"|"machine"|"machine_get"|"none"
---@param prefix string?
---@return sim.Row
function M.rows(limit, prefix)
  prefix = prefix or ""
  return function(method, path, run, body, is_body_optional)
    return {
      method = method, path = prefix .. path, limit = limit, run = run,
      body = body, is_body_optional = is_body_optional,
    }
  end
end

--- Makes a wrapper for handlers that act on something which has to be found:
--- `find` gets what the handler gets and answers it, or nil and a problem; the
--- handler gets it last. Wrappers nest: the inner one finds inside the outer's.
---@param find fun(ctx: sim.Context, outer: any): any, sim.Problem?
---@return fun(run: function): function
function M.with(find)
  return function(run)
    return function(ctx, outer)
      local found, wrong = find(ctx, outer)
      if not found then
        return nil, wrong
      elseif outer == nil then
        return run(ctx, found)
      end
      return run(ctx, outer, found)
    end
  end
end

return M
