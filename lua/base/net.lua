--- Names and addresses of hosts, as text.
--- Pure; nothing is looked up.

local str = require "base.str"

local M = {}

-- Longest host name of the DNS.
local MAX_HOST = 253

--- A name with at least two labels; the first may be "*".
---@param text string
---@return boolean
function M.is_host_name(text)
  local labels = str.split(text, ".")
  for i, label in ipairs(labels) do
    local is_label = label == "*" and i == 1 or (#label <= 63
      and label:find("^[%w_\x80-\xFF]") and not label:find("-$")
      and not label:find("[^%w_%-\x80-\xFF]"))
    if not is_label then
      return false
    end
  end
  return #labels > 1 and #text <= MAX_HOST
end

--- The host in what may be a whole URL.
---@param text string
---@return string
function M.bare_host(text)
  return (text:gsub("^%s+", ""):gsub("%s+$", ""):gsub("^%a[%w+.-]*:/+", "")
    :gsub("^[^@/]*@", ""):gsub("[/?#].*$", ""):gsub(":%d*$", "")
    :gsub("%.$", ""):lower())
end

---@param text string
---@return boolean
function M.is_ipv4(text)
  local parts = { text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
  for _, part in ipairs(parts) do
    if #part > 3 or tonumber(part) > 255 then
      return false
    end
  end
  return #parts == 4
end

---@param text string
---@return boolean
function M.is_ipv6(text)
  local _, gaps = text:gsub("::", "")
  if gaps > 1 or text:find(":::", 1, true) or not text:find(":", 1, true)
    or text:find("[^%x:]") or text:find("^:[^:]") or text:find("[^:]:$") then
    return false
  end
  local groups = 0
  for group in text:gmatch("%x+") do
    if #group > 4 then
      return false
    end
    groups = groups + 1
  end
  return groups == 8 and gaps == 0 or groups < 8 and gaps == 1
end

return M
