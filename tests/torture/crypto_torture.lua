local crypto = require "sys.crypto"
local secret = require "sys.secret"
local t = require "kit"

t.torture("sealing and key pairs survive a failing allocation", function()
  local key <close> = assert(crypto.key())
  local text <close> = secret.new("value")
  local opened <close> = assert(crypto.open(key, assert(crypto.seal(key, text))))
  assert(opened:equals("value"))
  local encoded <close> = crypto.base64(text)
  local back <close> = assert(crypto.from_base64(encoded))
  assert(back:equals("value"))
  local private <close>, public = crypto.key_pair()
  assert(private:len() == 44 and #public == 44)
end)
