--- Takes the credentials out of lines that another program writes, as they pass:
--- what a row looks for by name, and whatever else looks like a password.
--- Pure but for the secrets it makes.

local secret = require "sys.secret"
local tbl = require "base.tbl"

local M = {}

-- What is a credential wherever it stands: what follows the word, and the
-- password of an address.
local ANYWHERE = { "[Pp]assword:%s+(%S+)", "%a://[^%s/@:]*:([^%s/@]+)@" }

-- A line that is longer is looked at in parts.
local LONGEST = 64 * 1024

---@class fly.Sift
---@field found table<string, secret.Secret> by the row's names
---@field others secret.Secret[]
---@field rest table<integer, string> the lines that have not ended, by stream
local Sift = {}
Sift.__index = Sift

--- A sift for these finds: a Lua pattern with one capture by name.
---@param finds table<string, string>
---@return fly.Sift
function M.new(finds)
  return setmetatable({ finds = finds, found = {}, others = {}, rest = {} }, Sift)
end

-- Makes secrets of what stands in the line; the last one of a name counts.
local function take(self, line)
  for name, pattern in tbl.sorted(self.finds) do
    local value = line:match(pattern)
    if value then
      self.others[#self.others + 1] = self.found[name]
      self.found[name] = secret.new(value)
    end
  end
  for _, pattern in ipairs(ANYWHERE) do
    for value in line:gmatch(pattern) do
      self.others[#self.others + 1] = secret.new(value)
    end
  end
end

--- The chunk's lines as far as they have ended, harmless.
---@param fd integer stream it is from
---@param chunk string
---@return string
function Sift:feed(fd, chunk)
  local text = (self.rest[fd] or "") .. chunk
  local lines, rest = text:match("^(.*[\r\n])(.*)$")
  if not lines and #text > LONGEST then
    lines, rest = text, ""
  end
  self.rest[fd] = rest or text
  if not lines then
    return ""
  end
  for line in lines:gmatch("[^\r\n]+") do
    take(self, line)
  end
  return secret.mask(lines)
end

--- What is left of a stream.
---@param fd integer
---@return string
function Sift:finish(fd)
  return (self.rest[fd] or "") ~= "" and self:feed(fd, "\n"):sub(1, -2) or ""
end

--- Wipes what no name was found for.
function Sift:close()
  for _, one in ipairs(self.others) do
    one:close()
  end
end

return M
