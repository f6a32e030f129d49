--- base.fmt: sizes, durations, ages.

local fmt = require "base.fmt"
local t = require "kit"

t.test("bytes step by 1024 with at most one decimal", function()
  local known = {
    [0] = "0 B", [1023] = "1023 B", [1024] = "1 KB", [1536] = "1.5 KB",
    [512 * 1024 ^ 2] = "512 MB", [3 * 1024 ^ 3] = "3 GB",
    [-2048] = "-2 KB", [5000 * 1024 ^ 5] = "5000 PB",
  }
  for n, text in pairs(known) do
    t.eq(fmt.bytes(n), text)
  end
end)

t.test("durations show their two largest units", function()
  local known = {
    [0] = "0s", [0.25] = "250ms", [59] = "59s", [60] = "1m", [125] = "2m5s",
    [3600] = "1h", [3660] = "1h1m", [90061] = "1d1h", [-90] = "-1m30s",
    [86401] = "1d",
  }
  for seconds, text in pairs(known) do
    t.eq(fmt.duration(seconds), text)
  end
end)

t.test("ages are told in their largest unit", function()
  local now = 1714521600
  t.eq(fmt.ago(now, "2024-05-01T00:00:00Z"), "now")
  t.eq(fmt.ago(now, "2024-04-30T23:59:30Z"), "30s ago")
  t.eq(fmt.ago(now, "2024-04-30T21:30:00Z"), "2h ago")
  t.eq(fmt.ago(now, "2024-04-01T00:00:00Z"), "30d ago")
  t.eq(fmt.ago(now, "2024-05-01T02:30:00Z"), "in 2h")
  t.eq(fmt.ago(now, "not a time"), "not a time")
end)
