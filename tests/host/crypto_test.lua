--- host.crypto: sealing, base64, key pairs.

local crypto = require "sys.crypto"
local secret = require "sys.secret"
local t = require "kit"

t.test("what a key sealed it opens, and only what it sealed", function()
  local key <close> = crypto.key()
  local other <close> = crypto.key()
  t.eq(key:len(), 32)
  t.ok(not key:equals(other))
  for _, text in ipairs({ "", "x", "\0\255", ("long"):rep(50000) }) do
    local plain <close> = secret.new(text)
    local sealed = t.ok(crypto.seal(key, plain))
    t.eq(#sealed, #text + 40)
    if #text > 3 then
      t.lacks(sealed, text)
    end
    local opened <close> = t.ok(crypto.open(key, sealed))
    t.ok(opened:equals(text))
    t.ok(crypto.seal(key, plain) ~= sealed, "a nonce is used once")
    local none, e = crypto.open(other, sealed)
    t.err(none, e, "another key sealed it, or it is damaged")
    t.eq(e.code, "EBADMSG")
  end
end)

t.test("no changed or cut byte goes unnoticed", function()
  local key <close> = crypto.key()
  local plain <close> = secret.new("value")
  local sealed = crypto.seal(key, plain)
  for i = 1, #sealed do
    local changed = sealed:sub(1, i - 1) .. string.char(sealed:byte(i) ~ 1)
      .. sealed:sub(i + 1)
    t.eq((crypto.open(key, changed)), nil, i)
    t.eq((crypto.open(key, sealed:sub(1, i - 1))), nil, i)
  end
  t.eq((crypto.open(key, sealed .. "\0")), nil)
end)

t.test("only a key of 32 bytes is a key", function()
  local short <close> = secret.new("short")
  local plain <close> = secret.new("x")
  t.raises(function() crypto.seal(short, plain) end, "32 bytes")
  t.raises(function() crypto.open(short, ("x"):rep(50)) end, "32 bytes")
  t.raises(function() crypto.seal("text", plain) end, "secret")
end)

t.test("base64 goes there and back", function()
  for text, want in pairs({
    [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==",
    fooba = "Zm9vYmE=", foobar = "Zm9vYmFy", ["\0\16\131\16Q\135 \146\139"] = "ABCDEFGHIJKL",
    ["\251\255\191"] = "+/+/",
  }) do
    local plain <close> = secret.new(text)
    local encoded <close> = crypto.base64(plain)
    t.ok(encoded:equals(want), want)
    local back <close> = t.ok(crypto.from_base64(encoded))
    t.ok(back:equals(text), want)
  end
  for _, wrong in ipairs({
    "Z", "Zg", "Zg=", "Zg=a", "=", "====", "Z===", "Zh==", "Zm9=", "Zm9v\n", "Z m9",
    "Zm9_", "Zg==Zg==",
  }) do
    local text <close> = secret.new(wrong)
    local none, e = crypto.from_base64(text)
    t.err(none, e, "not base64")
  end
end)

t.test("every byte survives base64", function()
  for length = 0, 300 do
    local bytes = {}
    for i = 1, length do
      bytes[i] = string.char((i * 37 + length) % 256)
    end
    local plain <close> = secret.new(table.concat(bytes))
    local encoded <close> = crypto.base64(plain)
    local back <close> = t.ok(crypto.from_base64(encoded))
    t.ok(back:equals(plain), length)
  end
end)

t.test("key pairs are WireGuard's", function()
  local private <close>, public = crypto.key_pair()
  t.eq({ private:len(), #public }, { 44, 44 })
  t.match(public, "^[%w+/]+=$")
  local raw <close> = t.ok(crypto.from_base64(private))
  t.eq(raw:len(), 32)
  local second <close>, other = crypto.key_pair()
  t.ok(other ~= public)
  t.ok(not second:equals(private))
  t.lacks(secret.mask("key " .. public), "[secret]")
end)
