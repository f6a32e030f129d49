--- WireGuard peers: keys made here, a configuration that holds nothing else.

local accounts = require "ops.account"
local fs = require "sys.fs"
local peer_config = require "ops.peer_config"
local secret = require "sys.secret"
local support = require "ops.support"
local t = require "kit"

local failure, run = support.failure, support.run

local KEY = ("A"):rep(43) .. "="

local function reply(more)
  local made = { ip = "fdaa:0:12:a7b:1:0:a:2", endpoint = "iad1.gateway.example.com",
    pubkey = KEY }
  for field, value in pairs(more or {}) do
    made[field] = value
  end
  return made
end

t.test("the file has address, network, gateway and keys", function()
  local pieces = assert(peer_config.pieces(reply(), "PRIVATE"))
  t.eq(table.concat(pieces), [[
[Interface]
PrivateKey = PRIVATE
Address = fdaa:0:12:a7b:1:0:a:2/120
DNS = fdaa:0:12::3

[Peer]
PublicKey = ]] .. KEY .. [[

AllowedIPs = fdaa:0:12::/48
Endpoint = iad1.gateway.example.com:51820
PersistentKeepalive = 15
]])
  local text = table.concat(assert(peer_config.pieces(
    reply({ endpoint = "2001:db8::1" }), "PRIVATE")))
  t.match(text, "Endpoint = %[2001:db8::1%]:51820\n")
end)

t.test("an answer cannot write lines into the file", function()
  for _, odd in ipairs({
    { ip = "fdaa::1\nPostUp = true" }, { ip = "10.0.0.1" }, { ip = "" }, { ip = 5 },
    { ip = "fdaa:0:1:2:3:4:5:6:7" }, { endpoint = "host\nPostUp = true" },
    { endpoint = "a b" }, { endpoint = "" }, { pubkey = "short" },
    { pubkey = ("A"):rep(42) .. "\n=" },
  }) do
    local pieces, e = peer_config.pieces(reply(odd), "PRIVATE")
    t.err(pieces, e, "protocol")
    t.ok(not e.message:find("\n", 1, true))
  end
end)

local ORG = { id = "node1", slug = "acme", name = "Acme" }

local function create(replies)
  local asked
  local made, e, ctx = run("wireguard.create",
    { name = "laptop", region = "iad", org = "acme" }, {
      ["orgs.get"] = ORG,
      ["wireguard.list_org"] = replies.peers or {},
      ["wireguard.create_once"] = replies.create or function(args)
        asked = args
        return reply()
      end,
      ["regions.list_all"] = {
        { code = "iad", gateway_available = true }, { code = "bom" },
      },
    }, {
      key_pair = function()
        return "the private key", KEY
      end,
      secret = function(pieces)
        return table.concat(pieces)
      end,
    })
  return made, e, asked, ctx
end

t.test("only the public key goes out", function()
  local made, _, asked = create({})
  t.eq(asked, { node = "node1", name = "laptop", pubkey = KEY, region = "iad" })
  t.match(made.config, "PrivateKey = the private key\n")
  t.eq({ made.name, made.org, made.pubkey }, { "laptop", "acme", KEY })
end)

t.test("a name that is taken is refused before anything is made", function()
  local made, e, asked = create({ peers = { { name = "laptop" } } })
  t.err(made, e, "conflict")
  t.eq(asked, nil)
end)

t.test("a peer that cannot be used says how to remove it", function()
  local made, e = create({ create = reply({ ip = "nonsense" }) })
  t.err(made, e, "protocol")
  t.match(e.hint, "wireguard remove laptop %-%-org acme")
  local refused = failure("invalid", 422)
  refused.message = "region bom has no gateway"
  made, e = create({ create = refused })
  t.err(made, e, "invalid")
  t.eq(e.hint, "the regions for it are iad")
end)

t.test("a peer is made with keys of its own, listed and removed", function()
  local account = accounts.open()
  local at = { name = "desk", region = "iad", org = "acme" }
  local first = account.expect("wireguard.create", at)
  t.ok(secret.is(first.config))
  at.name = "other"
  local second = account.expect("wireguard.create", at)
  t.ok(first.pubkey ~= second.pubkey)
  local keys = {}
  for _, peer in ipairs(account.expect("wireguard.list", { org = "acme" })) do
    keys[peer.name] = peer.pubkey
  end
  t.eq({ keys.desk, keys.other }, { first.pubkey, second.pubkey })
  account.expect("wireguard.remove", { name = "desk", org = "acme" })
  local none, e = account.call("wireguard.remove", { name = "desk", org = "acme" })
  t.err(none, e, "not_found")
end)

t.test("the file has a private key and the gateway's public one", function()
  local account = accounts.open()
  local made = account.expect("wireguard.create",
    { name = "pair", region = "iad", org = "acme" })
  local path = t.tmpdir() .. "/wg.conf"
  assert(fs.write(path, made.config))
  local text = assert(fs.read(path))
  local private = text:match("PrivateKey = (%S+)\n")
  t.eq(#private, 44)
  t.ok(private ~= made.pubkey)
  t.eq(select(2, text:gsub("[%w+/]+=\n", "")), 2) -- the two keys
end)

t.test("a peer that stays is no success", function()
  local peer, e = run("wireguard.remove", { name = "laptop", org = "acme" }, {
    ["orgs.get"] = ORG, ["wireguard.list_org"] = { { name = "laptop" } },
    ["wireguard.remove_once"] = {},
  })
  t.err(peer, e, "timeout")
  t.match(e.message, "laptop was not gone")
end)
