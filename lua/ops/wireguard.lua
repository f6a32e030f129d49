--- WireGuard peers: machines elsewhere that are part of the private network.

local err = require "base.err"
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
  calls = { "orgs.list", "wireguard.list_org" },
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

op {
  id = "wireguard.remove_once",
  hidden = true,
  title = "Remove a peer of the organization with that node id",
  effect = "destroy",
  confirm = "Remove peer {name}?",
  gql = [[
    mutation RemoveWireGuardPeer($org: ID!, $name: String!) {
      removeWireGuardPeer(input: { organizationId: $org, name: $name }) {
        organization { id }
      }
    }
  ]],
  params = {
    { "node", "name", "node id of the organization", required = true,
      at = "var.org" },
    { "name", "name", "name of the peer", required = true },
  },
}

op {
  id = "wireguard.remove",
  title = "Remove a WireGuard peer",
  effect = "destroy",
  confirm = "Remove peer {name}? What uses it loses the private network.",
  calls = { "orgs.list", "orgs.get", "wireguard.list_org", "wireguard.remove_once" },
  run = function(ctx, args)
    local slug, e = flow.one_org(ctx, args)
    local org = nil
    if slug then
      org, e = ctx.call("orgs.get", { org = slug })
    end
    if not org then
      return nil, e
    end
    local peers
    peers, e = flow.collect(ctx, "wireguard.list_org", { org = slug }, function(peer)
      return peer.name == args.name and peer or nil
    end)
    if not peers then
      return nil, e
    elseif #peers == 0 then
      return nil, err.new({ kind = "not_found",
        message = ("organization %s has no peer %s"):format(slug, args.name) })
    end
    local done
    done, e = ctx.call("wireguard.remove_once", { node = org.id, name = args.name })
    return done and peers[1], e
  end,
  params = {
    { "name", "peer", "name of the peer", required = true, pos = 1 },
    { "org", "org", "organization it belongs to" },
  },
  returns = "peer",
  columns = {
    { "NAME", "name" },
    { "REGION", "region" },
    { "IP", "ip" },
  },
  examples = { "wireguard remove laptop --org personal" },
}
