--- `clanker docs`: the reference of the operations, as Markdown.
--- Pure but for its output; reads every row.

local err = require "base.err"
local limits = require "fly.limits"
local reference = require "opkit.reference"
local str = require "base.str"
local tbl = require "base.tbl"

local M = {}

-- The resource a word means: its id, its singular form or an alias.
local function find(registry, word)
  local id = registry.noun(word)
  if id then
    return id
  end
  local names = tbl.map(registry.resources(), function(resource)
    return resource.id
  end)
  local near = str.did_you_mean(word, names)
  return nil, err.new({
    kind = "usage", message = ("there is no resource %q"):format(word),
    hint = near and ("did you mean %s?"):format(near)
      or "one of: " .. table.concat(names, ", "),
  })
end

---@param call cli.Call
---@return true?
---@return err.Record?
function M.run(call)
  local registry = require "ops"
  if call.args.summary then
    return call.out:data(reference.summary())
  end
  local only, e
  if call.args.resource then
    only, e = find(registry, call.args.resource)
    if not only then
      return nil, e
    end
  end
  return call.out:data(reference.page({ limit = limits.describe }, only))
end

return M
