--- Text from a server becomes one clean line.

local t = require "kit"
local text = require "fly.text"

t.test("escape sequences of a terminal do not survive", function()
  t.eq(text.line("a\27[31mred\27[0m b"), "ared b")
  t.eq(text.line("x\27]0;title\7y"), "xy")
  t.eq(text.line("x\27]8;;http://example.com\27\\link\27]8;;\27\\y"), "xlinky")
  t.eq(text.line("x\27Pdata\27\\y"), "xy")
  t.eq(text.line("\27"), "")
  t.eq(text.line("unfinished \27[31"), "unfinished 31")
end)

t.test("control characters and white space become one space", function()
  t.eq(text.line("  one\r\n\ttwo\0three  "), "one two three")
end)

t.test("C1 controls and direction marks are dropped", function()
  t.eq(text.line("a\u{9B}31mb"), "a31mb")
  t.eq(text.line("evil\u{202E}txt.exe\u{2066}"), "eviltxt.exe")
  t.eq(text.line("caf\u{E9} \u{1F600}"), "caf\u{E9} \u{1F600}")
end)

t.test("bytes that are not UTF-8 are replaced", function()
  t.eq(text.line("a\xFFb\xC3"), "a\u{FFFD}b\u{FFFD}")
  t.eq(text.line("\xED\xA0\x80"), "\u{FFFD}\u{FFFD}\u{FFFD}")
end)

t.test("a long text is cut at a character and marked", function()
  t.eq(text.line(("\u{E9}"):rep(5000), 10), ("\u{E9}"):rep(9) .. "\u{2026}")
  t.eq(text.line("short", 5), "short")
  local line = text.line(("x"):rep(5000000))
  t.eq(utf8.len(line), 300)
end)

t.test("what looks like a credential is none of the reader's business", function()
  t.eq(text.line("made FlyV1 fm2_aGVsbG8=,fm2_b+c/d for you"),
    "made FlyV1 [secret],[secret] for you")
  t.eq(text.line("fo1_a-b_c9, fm1r_x and fm1a_y"), "[secret], [secret] and [secret]")
  t.eq(text.line("redis://default:simulated@r1.upstash.example.com:6379 failed"),
    "redis://default:[secret]@r1.upstash.example.com:6379 failed")
  t.eq(text.line("key tid_abc / tsec_def"), "key [secret] / [secret]")
  t.eq(text.line("see https://example.com:443/a@b, at 10:30"),
    "see https://example.com:443/a@b, at 10:30")
end)
