-- Who answers, and which questions are Fly.io's.

local llm = require "llm"
local t = require "kit"

t.test("without a provider the built-in answers and says why", function()
  local answerer, notice = llm.answerer(nil)
  t.eq(answerer.name, "builtin")
  t.match(notice, "no AI provider is configured")
  answerer, notice = llm.answerer({ provider = "example" })
  t.eq(answerer.name, "builtin")
  t.match(notice, '"example"')
end)

t.test("questions that speak of Fly.io are recognised by their words", function()
  for _, text in ipairs({ "what runs on fly?", "list my Fly.io apps",
    "is flyctl there", "Which machines are up?" }) do
    t.eq(llm.is_about_fly(text), true, text)
  end
  for _, text in ipairs({ "what is the weather", "butterfly machinery", "" }) do
    t.eq(llm.is_about_fly(text), false, text)
  end
end)
