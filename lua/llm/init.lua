--- Who answers a question, and whether it is about Fly.io at all.
--- Pure. Providers of models register here; without one the built-in serves.

local words = require "llm.words"

local M = {}

---@class llm.Answerer
---@field name string
---@field answer fun(question: string, ctx: llm.Context): llm.Answer?, err.Record?

--- The answerer for the configuration's `ai` section, and what to tell the
--- user about that choice.
---@param ai table? reserved keys: provider, model, api_key
---@return llm.Answerer
---@return string notice
function M.answerer(ai)
  local builtin = require "llm.builtin"
  local notice = "no AI provider is configured: the built-in answerer served"
  if ai and ai.provider ~= nil and ai.provider ~= "" then
    notice = ("ai.provider is %q, but this version has no AI providers: "
      .. "the built-in answerer served"):format(tostring(ai.provider))
  end
  return { name = builtin.NAME, answer = builtin.answer }, notice
end

local FLY_WORDS = {
  fly = true, flyctl = true, flyio = true, ["fly.io"] = true,
  ["fly.toml"] = true, machine = true, machines = true,
}

--- Whether a question speaks of Fly.io.
---@param question string
---@return boolean
function M.is_about_fly(question)
  for _, word in ipairs(words.split(question)) do
    if FLY_WORDS[word] then
      return true
    end
  end
  return false
end

return M
