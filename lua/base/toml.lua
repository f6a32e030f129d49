--- What is needed of TOML here: a text among the keys at the top of a file.
--- Pure.

local M = {}

--- The text that a key has above all sections; nil when it has none, or another
--- kind of value.
---@param text string a TOML document
---@param key string
---@return string?
function M.top(text, key)
  for line in text:gmatch("[^\r\n]+") do
    if line:find("^%s*%[") then
      return nil
    end
    local name, value = line:match("^%s*[\"']?([%w_-]+)[\"']?%s*=%s*(.*)$")
    if name == key then
      return value:match('^"([^"\\]*)"') or value:match("^'([^']*)'")
    end
  end
end

return M
