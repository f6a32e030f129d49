--- Making and removing WireGuard peers.
--- Rows; what they run waits, and reaches others through its context only.

local err = require "base.err"
local flow = require "ops.flow"
local op = require "opkit.op"
local peer_config = require "ops.peer_config"

op {
  id = "wireguard.create_once",
  hidden = true,
  title = "Add a peer with that public key",
  effect = "write",
  gql = [[
    mutation AddWireGuardPeer($input: AddWireGuardPeerInput!) {
      peer: addWireGuardPeer(input: $input) {
        ip: peerip endpoint: endpointip pubkey network
      }
    }
  ]],
  item = "peer",
  params = {
    { "node", "name", "node id of the organization", required = true,
      at = "var.input.organizationId" },
    { "name", "name", "name of the peer", required = true, at = "var.input.name" },
    { "pubkey", "name", "its public key, in base64", required = true,
      at = "var.input.pubkey" },
    { "region", "region", "region of its gateway", at = "var.input.region" },
    { "network", "name", "private network it is part of",
      at = "var.input.network" },
  },
  returns = {
    object = {
      ip = "string", endpoint = "string", pubkey = "string", network = "string?",
    },
  },
}

-- Whether there is a peer of that name: its row, false, or nil and an error.
local function find_peer(ctx, org, name)
  local peers, e = flow.collect(ctx, "wireguard.list_org", { org = org.slug },
    function(peer)
      return peer.name == name and peer or nil
    end)
  if not peers then
    return nil, e
  end
  return peers[1] or false
end

-- Adds the peer; its key is made here and only its public half goes out.
local function add(ctx, org, args)
  local private_key, public_key = ctx.key_pair()
  if not private_key then
    return nil, public_key
  end
  local reply, e = ctx.call("wireguard.create_once", {
    node = org.id, name = args.name, pubkey = public_key, region = args.region,
    network = args.network,
  })
  if not reply then
    return nil, flow.with_regions(ctx,
      flow.may_exist(e, "list wireguard --org " .. org.slug), "gateway_available")
  end
  local pieces
  pieces, e = peer_config.pieces(reply, private_key)
  if not pieces then
    e.hint = ("the peer is of no use: clanker fly wireguard remove %s --org %s")
      :format(args.name, org.slug)
    return nil, e
  end
  return {
    name = args.name, org = org.slug, region = args.region, ip = reply.ip,
    endpoint = reply.endpoint, network = reply.network, pubkey = public_key,
    config = ctx.secret(pieces),
  }
end

op {
  id = "wireguard.create",
  title = "Create a WireGuard peer",
  doc = [[
    The keys are made here, and the private one never leaves this machine: it is
    in the configuration, which is shown once, at a terminal, or written to the
    new file of --out, and nowhere else.
  ]],
  effect = "write",
  calls = {
    "orgs.list_all", "orgs.get", "wireguard.list_org", "wireguard.create_once",
    "regions.list_all",
  },
  run = function(ctx, args)
    local org, e = flow.one_org_node(ctx, args)
    if not org then
      return nil, e
    end
    local known
    known, e = find_peer(ctx, org, args.name)
    if known == nil then
      return nil, e
    elseif known then
      return nil, err.new({
        kind = "conflict",
        message = ("organization %s has a peer %s already"):format(
          org.slug, args.name),
        hint = ("choose another name, or remove it: clanker fly wireguard remove %s --org %s")
          :format(args.name, org.slug),
      })
    end
    return add(ctx, org, args)
  end,
  params = {
    { "name", "name", "name of the peer", required = true },
    { "region", "region", "region of its gateway", required = true },
    { "org", "org", "organization whose network it joins" },
    { "network", "name", "private network, if not the default one" },
    flow.out("the configuration"),
  },
  sensitive = { "config" },
  returns = {
    object = {
      name = "string", org = "string", region = "string?", ip = "string",
      endpoint = "string", network = "string?", pubkey = "string", config = "any?",
    },
  },
  columns = {
    { "NAME", "name" },
    { "ORG", "org" },
    { "REGION", "region" },
    { "IP", "ip" },
    { "ENDPOINT", "endpoint" },
    { "CONFIG", "config" },
  },
  undo = { op = "wireguard.remove", args = { name = "{name}", org = "{org}" } },
  examples = {
    "wireguard create --name phone --region iad --org personal --out wg.conf",
  },
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

local REMOVE = {
  { "name", "peer", "name of the peer", required = true, pos = 1 },
  { "org", "org", "organization it belongs to" },
}

local COLUMNS = {
  { "NAME", "name" },
  { "REGION", "region" },
  { "IP", "ip" },
}

-- The peer to remove and its organization.
local function to_remove(ctx, args)
  local org, e = flow.one_org_node(ctx, args)
  if not org then
    return nil, nil, e
  end
  local peer
  peer, e = find_peer(ctx, org, args.name)
  if peer then
    return peer, org
  elseif peer == nil then
    return nil, nil, e
  end
  return nil, nil, err.new({
    kind = "not_found",
    message = ("organization %s has no peer %s"):format(org.slug, args.name),
    hint = "its peers: clanker fly list wireguard --org " .. org.slug,
  })
end

op {
  id = "wireguard.show",
  hidden = true,
  title = "Show the peer that is to be removed",
  effect = "read",
  calls = { "orgs.list_all", "orgs.get", "wireguard.list_org" },
  run = function(ctx, args)
    local peer, _, e = to_remove(ctx, args)
    return peer, e
  end,
  params = REMOVE,
  returns = "peer",
  columns = COLUMNS,
}

op {
  id = "wireguard.remove",
  title = "Remove a WireGuard peer",
  effect = "destroy",
  confirm = "Remove peer {name}? What uses it loses the private network.",
  preview = "wireguard.show",
  calls = { "orgs.list_all", "orgs.get", "wireguard.list_org", "wireguard.remove_once" },
  run = function(ctx, args)
    local peer, org, e = to_remove(ctx, args)
    if not peer then
      return nil, e
    end
    local done
    done, e = ctx.call("wireguard.remove_once", { node = org.id, name = args.name })
    if not done then
      return nil, e
    end
    done, e = flow.poll(ctx, {
      seconds = 60, pause = 1, what = ("peer %s was not gone"):format(args.name),
    }, function()
      local left, why = find_peer(ctx, org, args.name)
      return left == false or nil, why
    end)
    return done and peer, e
  end,
  params = REMOVE,
  returns = "peer",
  columns = COLUMNS,
  examples = { "wireguard remove laptop --org personal" },
}
