--- Pages of help text: sections, and names with their descriptions beside them.
--- Pure; lines without line ends.

local str = require "base.str"

local M = {}

-- Narrowest and widest column of names before their descriptions.
local GUTTER = { least = 16, most = 34 }

-- A description is never squeezed into less.
local LEAST_TEXT = 20

--- Two columns: names, and their texts wrapped beside them.
---@param entries { [1]: string, [2]: string }[]
---@param width integer of the page
---@return string[] lines
function M.columns(entries, width)
  local gutter = GUTTER.least
  for _, item in ipairs(entries) do
    gutter = math.max(gutter, math.min(str.len(item[1]) + 4, GUTTER.most))
  end
  local lines = {}
  for _, item in ipairs(entries) do
    local name = "  " .. item[1]
    if str.len(name) + 2 > gutter then
      lines[#lines + 1] = name
      name = ""
    end
    for _, text in ipairs(str.wrap(item[2], math.max(width - gutter, LEAST_TEXT))) do
      lines[#lines + 1] = name .. (" "):rep(gutter - str.len(name)) .. text
      name = ""
    end
  end
  return lines
end

--- Adds a section to a page, after an empty line; nothing when it is empty.
---@param lines string[] the page, added to
---@param title string
---@param body string[]
function M.section(lines, title, body)
  if #body > 0 then
    lines[#lines + 1] = ""
    lines[#lines + 1] = title .. ":"
    table.move(body, 1, #body, #lines + 1, lines)
  end
end

return M
