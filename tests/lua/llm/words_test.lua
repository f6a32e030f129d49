-- The vocabulary: words and phrases, plurals, contractions, numbers, names.

local t = require "kit"
local words = require "llm.words"

local function kinds(question)
  local list = {}
  for i, term in ipairs(words.terms(question)) do
    list[i] = term.kind == "filler" and "-" or term.kind .. ":" .. tostring(term.value)
  end
  return table.concat(list, " ")
end

t.test("the longest phrase wins", function()
  t.eq(kinds("virtual machines"), "noun:machine")
  t.eq(kinds("how many ip addresses"), "mark:count noun:ip")
  t.eq(kinds("disk space"), "measure:storage")
end)

t.test("plurals of what can be counted, and of nothing else", function()
  t.eq(kinds("apps memories regions"), "noun:app measure:memory noun:region")
  t.eq(kinds("ams"), "name:ams")
end)

t.test("contractions say what they stand for", function()
  t.eq(kinds("aren't"), "mark:is mark:no")
  t.eq(kinds("what’s"), "-")
end)

t.test("numbers carry their units", function()
  local term = words.terms("512MB")[1]
  t.eq(term.kind, "number")
  t.eq(term.value, 512)
  t.eq(term.unit, "mb")
  t.eq(words.terms("1234abcd")[1].kind, "name")
end)

t.test("punctuation around words is dropped, inside it stays", function()
  t.eq(words.split(" (My-App, vol_1!) fly.io?? "), { "my-app", "vol_1", "fly.io" })
  t.eq(words.split("'"), {})
  t.eq(words.split("é ☃"), { "é", "☃" })
end)

t.test("quotes make names of words that mean something else", function()
  t.eq(kinds([["machines" and 'disk']]), "name:machines - name:disk")
end)
