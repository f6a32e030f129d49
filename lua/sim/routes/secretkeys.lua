--- Routes of secret keys. Their cryptography is make-believe: it can be undone
--- by anybody, and only hides that fact from a client's eye.
--- Pure; part of the Machines API.

local tbl = require "base.tbl"
local time = require "base.time"

local bodies = require "sim.bodies.app"
local handlers = require "sim.handlers"
local ids = require "sim.ids"
local problem = require "sim.problem"
local reply = require "sim.reply"
local request = require "sim.request"
local secrets = require "sim.secrets"

local M = {}

local function key_of(ctx)
  return ctx.app.id .. "/" .. ctx.params.name
end

local function view(key)
  return {
    name = key.name, type = key.type, public_key = key.public_key,
    created_at = time.format(key.created_at),
    updated_at = time.format(key.updated_at),
  }
end

local with_key = handlers.with(function(ctx)
  local key = ctx.world:get("secretkey", key_of(ctx))
  if not key then
    return problem.not_found("secret key", ctx.params.name)
  end
  return key
end)

local function list(ctx)
  local types = request.text(ctx.query, "types")
  local found = tbl.filter(ctx.world:list("secretkey", ctx.app.id),
    function(key)
      return not types or tbl.contains({ key.type }, types)
    end)
  return 200, { secret_keys = reply.list_or_null(tbl.map(found, view)) }
end

local function get(_, key)
  return 200, view(key)
end

local function set(ctx)
  local ok, wrong = secrets.check_name(ctx.params.name)
  if not ok then
    return nil, wrong
  end
  local world, now = ctx.world, ctx.world:now()
  local key = world:get("secretkey", key_of(ctx)) or world:add("secretkey", {
    id = key_of(ctx), owner = ctx.app.id, name = ctx.params.name,
    created_at = now,
  })
  key.type = request.member(ctx.body, "type") or "SECRETKEY_TYPE_ED25519"
  key.public_key = world.ids:hex(64)
  key.updated_at = now
  world:touch("secretkey", key)
  local answer = view(key)
  answer.version = secrets.bump(world, ctx.app)
  answer.Version = answer.version
  return 201, answer
end

local function delete(ctx, key)
  ctx.world:drop("secretkey", key)
  local version = secrets.bump(ctx.world, ctx.app)
  return 200, { version = version, Version = version }
end

local function to_hex(text)
  return (text:gsub(".", function(char)
    return ("%02x"):format(char:byte())
  end))
end

local function from_hex(text)
  return (text:gsub("%x%x", function(pair)
    return string.char(tonumber(pair, 16))
  end))
end

local function text_of(ctx, name)
  return request.member(ctx.body, name) or ""
end

-- The associated data is part of the text, as it would be of the tag.
local function seal(ctx, key)
  return ids.digest(key.public_key .. text_of(ctx, "associated_data"))
end

local function encrypt(ctx, key)
  return 200, {
    ciphertext = seal(ctx, key) .. to_hex(text_of(ctx, "plaintext")),
  }
end

local function decrypt(ctx, key)
  local text = text_of(ctx, "ciphertext")
  if text:sub(1, 16) ~= seal(ctx, key) then
    return problem.new(400, "the ciphertext cannot be opened")
  end
  return 200, { plaintext = from_hex(text:sub(17)) }
end

local function signature(ctx, key)
  return ids.digest(key.public_key .. text_of(ctx, "plaintext"))
end

local function sign(ctx, key)
  return 200, { signature = signature(ctx, key) }
end

local function verify(ctx, key)
  if text_of(ctx, "signature") ~= signature(ctx, key) then
    return problem.new(400, "the signature does not fit")
  end
  return 204
end

local ALL = "/v1/apps/{app}/secretkeys"
local ONE = ALL .. "/{name}"

local route = handlers.rows("app")

---@type sim.Route[]
M.routes = {
  route("GET", ALL, list),
  route("GET", ONE, with_key(get)),
  route("POST", ONE, set, bodies.secretkey_set),
  route("DELETE", ONE, with_key(delete)),
  route("POST", ONE .. "/generate", set, bodies.secretkey_set),
  route("POST", ONE .. "/encrypt", with_key(encrypt),
    bodies.secretkey_encrypt),
  route("POST", ONE .. "/decrypt", with_key(decrypt),
    bodies.secretkey_decrypt),
  route("POST", ONE .. "/sign", with_key(sign), bodies.secretkey_sign),
  route("POST", ONE .. "/verify", with_key(verify), bodies.secretkey_verify),
}

return M
