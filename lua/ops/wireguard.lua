--- WireGuard peers: machines elsewhere that are part of the private network.
--- Rows; what they run waits, and reaches others through its context only.

local flow = require "ops.flow"
local op = require "opkit.op"
local resource = require "opkit.resource"

resource {
  id = "wireguard",
  aliases = { "wg", "peers", "peer" },
  title = "WireGuard",
}

op {
  id = "wireguard.list_org",
  hidden = true,
  title = "List the WireGuard peers of an organization",
  effect = "read",
  gql = [[
    query WireGuardPeers($slug: String!, $first: Int = 50, $after: String) {
      organization(slug: $slug) {
        peers: wireGuardPeers(first: $first, after: $after) {
          nodes { id name pubkey region ip: peerip }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
  ]],
  items = "organization.peers.nodes",
  page = "graphql",
  params = {
    { "org", "org", "slug of the organization", required = true,
      at = "var.slug" },
  },
  returns = { list = "peer" },
}

op {
  id = "wireguard.list",
  title = "List WireGuard peers",
  effect = "read",
  calls = { "orgs.list_all", "wireguard.list_org" },
  run = function(ctx, args)
    return flow.list_orgs(ctx, args, "wireguard.list_org")
  end,
  order = { "org", "name" },
  params = {
    { "org", "org", "only peers of this organization" },
  },
  returns = { list = "peer" },
  columns = {
    { "NAME", "name" },
    { "ORG", "org", priority = 2 },
    { "REGION", "region" },
    { "IP", "ip" },
    { "PUBLIC KEY", "pubkey", priority = 4, wide = true },
  },
  examples = { "list wireguard --org personal" },
}
