--- The simulated flyctl's `tokens create readonly`. The real one makes a token of
--- the organization and narrows it itself; the simulated account has a profile
--- for that.
--- Waits.

local M = {}

local MAKE = [[
  mutation($name: String!, $org: ID!, $expiry: String!) {
    createLimitedAccessToken(input: {
      name: $name, organizationId: $org, profile: "readonly", expiry: $expiry
    }) { limitedAccessToken { tokenHeader } }
  }
]]

-- Twenty years, which is what it says when nobody says.
local EXPIRY = "175200h0m0s"

---@async
---@param run sim.flyctl.Run
---@return any done nil when it failed, an exit code when that is not 0
---@return err.Record?
function M.tokens_create_readonly(run)
  local slug = run.flags.org or run.args[1]
  if not slug then
    return run:cannot_ask()
  end
  local data, e = run.api:graphql(
    "query($slug: String!) { organization(slug: $slug) { id } }", { slug = slug })
  if data then
    data, e = run.api:graphql(MAKE, {
      name = run.flags.name or "Read-only org token", org = data.organization.id,
      expiry = run.flags.expiry or EXPIRY,
    })
  end
  if not data then
    return nil, e
  end
  local token = data.createLimitedAccessToken.limitedAccessToken.tokenHeader
  if run.flags.json then
    run:json({ token = token })
  else
    run:say("%s", token)
  end
  return true
end

return M
