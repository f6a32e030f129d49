local secret = require "sys.secret"
local t = require "kit"

t.torture("making, cutting and joining secrets survives a failing allocation", function()
  local s <close> = secret.new(" FlyV1 a,b ")
  local parts = s:trim():sub(7):split(",")
  local joined <close> = secret.concat { "x", parts[1], parts[2]:remove_space() }
  assert(joined:equals("xab"))
  assert(secret.from_env("CLANKER_BINARY"):len() > 0)
  assert(not secret.from_env("CLANKER_NOT_SET"))
end)

t.torture("masking survives a failing allocation", function()
  local s <close> = secret.new("hunter2!")
  assert(s:len() == 8)
  assert(secret.mask("a hunter2! b") == "a [secret] b")
  local masker <close> = secret.masker()
  assert(masker:feed("a hunt") == "a ")
  assert(masker:feed("er2! b") == "[secret] b")
  assert(masker:finish() == "")
end)

t.torture("reading a secret survives a failing allocation", function()
  assert(secret.from_file("/proc/self/cmdline"):len() > 0)
  local value, e = secret.from_file("/nonexistent")
  assert(not value and e.code == "ENOENT")
  assert(secret.from_fd(0):len() == 0)
end)

t.torture("writing and reading texts survives a failing allocation", function()
  local s <close> = secret.new('a"b')
  local quoted <close> = assert(s:json())
  assert(quoted:equals('"a\\"b"'))
  local text <close> = secret.new("A=1\nB='two'\n")
  local entries = assert(secret.dotenv(text))
  assert(entries[2].value:equals("two"))
end)
