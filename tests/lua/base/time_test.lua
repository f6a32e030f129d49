--- base.time: RFC 3339 both ways, durations.

local t = require "kit"
local time = require "base.time"

t.test("known instants are read and written", function()
  local known = {
    ["1970-01-01T00:00:00Z"] = 0,
    ["2000-02-29T12:00:00Z"] = 951825600,
    ["2024-05-01T00:00:00Z"] = 1714521600,
    ["1969-12-31T23:59:59Z"] = -1,
    ["2038-01-19T03:14:08Z"] = 2147483648,
  }
  for text, seconds in pairs(known) do
    t.eq(time.parse(text), seconds)
    t.eq(time.format(seconds), text)
  end
end)

t.test("offsets, fractions, lower case and a space are understood", function()
  t.eq(time.parse("2024-05-01T02:00:00+02:00"), 1714521600)
  t.eq(time.parse("2024-04-30T18:30:00-0530"), 1714521600)
  t.eq(time.parse("2024-05-01 00:00:00.5z"), 1714521600.5)
  t.eq({ time.parse_exact("2024-05-01T00:00:00.123456789Z") },
    { 1714521600, 123456789 })
  t.eq({ time.parse_exact("2024-05-01T00:00:00.1234567891Z") },
    { 1714521600, 123456789 })
end)

t.test("what is no time is refused", function()
  for _, text in ipairs({
    "", "yesterday", "2024-05-01", "2024-13-01T00:00:00Z",
    "2023-02-29T00:00:00Z", "2024-05-01T24:00:00Z", "2024-05-01T00:00:00",
    "2024-05-01T00:00:00.Z", "2024-05-01T00:00:00+25:00",
    "2024-05-01T00:00:00Zjunk",
  }) do
    local value, e = time.parse(text)
    t.err(value, e, "invalid")
  end
end)

t.test("every day of four centuries survives the round trip", function()
  for day = -100000, 100000, 37 do
    local seconds = day * 86400 + 3661
    t.eq(time.parse(time.format(seconds)), seconds)
  end
end)

t.test("a fraction is written when asked for", function()
  t.eq(time.format(1.5, 3), "1970-01-01T00:00:01.500Z")
  t.eq(time.format(1.999, 0), "1970-01-01T00:00:01Z")
end)

t.test("durations are read in every unit", function()
  t.eq(time.parse_duration("90"), 90)
  t.eq(time.parse_duration("1h30m"), 5400)
  t.eq(time.parse_duration("2d"), 172800)
  t.eq(time.parse_duration("500ms"), 0.5)
  t.eq(time.parse_duration("1.5m"), 90)
  for _, text in ipairs({ "", "fast", "5x", "-5s", "5s later", "s" }) do
    local value, e = time.parse_duration(text)
    t.err(value, e, "is not a duration")
  end
end)
