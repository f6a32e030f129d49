--- Quantities as people read them: sizes, durations, ages.
--- Pure.

local time = require "base.time"

local M = {}

local SIZES = { "B", "KB", "MB", "GB", "TB", "PB" }

-- One decimal at most, and none that says ".0".
local function short(number)
  return (("%.1f"):format(number):gsub("%.0$", ""))
end

--- Bytes in steps of 1024, in the units Fly uses: "512 MB", "1.5 GB".
---@param n number
---@return string
function M.bytes(n)
  local step, size = 1, math.abs(n)
  while size >= 1024 and step < #SIZES do
    size = size / 1024
    step = step + 1
  end
  return (n < 0 and "-" or "") .. short(size) .. " " .. SIZES[step]
end

local UNITS = {
  { "d", 86400 }, { "h", 3600 }, { "m", 60 }, { "s", 1 },
}

--- Seconds in their two largest units: "2m5s", "3h", "4d2h", "250ms".
---@param seconds number
---@return string
function M.duration(seconds)
  if seconds < 0 then
    return "-" .. M.duration(-seconds)
  end
  if seconds > 0 and seconds < 1 then
    return ("%dms"):format(math.floor(seconds * 1000 + 0.5))
  end
  local rest = math.floor(seconds)
  for i, unit in ipairs(UNITS) do
    local count = rest // unit[2]
    if count > 0 then
      local text = ("%d%s"):format(count, unit[1])
      local smaller = UNITS[i + 1]
      local more = smaller and rest % unit[2] // smaller[2] or 0
      return more > 0 and ("%s%d%s"):format(text, more, smaller[1]) or text
    end
  end
  return "0s"
end

--- How long ago (or how far ahead) a time is: "3d ago", "in 2h", "now".
--- A text that is no time comes back as it is.
---@param now number seconds since 1970
---@param iso string RFC 3339
---@return string
function M.ago(now, iso)
  local at = time.parse(iso)
  if not at then
    return iso
  end
  local age = math.floor(now - at)
  if age == 0 then
    return "now"
  end
  local text = M.duration(math.abs(age))
  if math.abs(age) >= 60 then
    text = text:match("^%d+%a+") -- the largest unit says enough of an age
  end
  return age > 0 and text .. " ago" or "in " .. text
end

return M
