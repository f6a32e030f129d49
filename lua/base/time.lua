--- RFC 3339 times and seconds since 1970, both ways.
--- Pure: there is no clock in here; "now" is always an argument.

local err = require "base.err"

local M = {}

-- Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
-- Years start in March here, so that the leap day is a year's last.
local function days_from_civil(year, month, day)
  if month <= 2 then
    year = year - 1
  end
  local era = year // 400
  local year_of_era = year - era * 400
  local month_from_march = (month + 9) % 12
  local day_of_year = (153 * month_from_march + 2) // 5 + day - 1
  local day_of_era = year_of_era * 365 + year_of_era // 4
    - year_of_era // 100 + day_of_year
  return era * 146097 + day_of_era - 719468
end

local function civil_from_days(days)
  days = days + 719468
  local era = days // 146097
  local day_of_era = days - era * 146097
  local year_of_era = (day_of_era - day_of_era // 1460
    + day_of_era // 36524 - day_of_era // 146096) // 365
  local day_of_year = day_of_era
    - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
  local month_from_march = (5 * day_of_year + 2) // 153
  local day = day_of_year - (153 * month_from_march + 2) // 5 + 1
  local month = (month_from_march + 2) % 12 + 1
  local year = year_of_era + era * 400
  return month <= 2 and year + 1 or year, month, day
end

local MONTH_DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function days_in_month(year, month)
  local is_leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  return month == 2 and is_leap and 29 or MONTH_DAYS[month]
end

local function is_date(year, month, day)
  return month >= 1 and month <= 12 and day >= 1
    and day <= days_in_month(year, month)
end

-- A zone text as seconds to subtract: "Z", "+02:00", "-0530"; nil if neither.
local function zone_offset(zone)
  if zone == "Z" or zone == "z" then
    return 0
  end
  local sign, hours, minutes = zone:match("^([+-])(%d%d):?(%d%d)$")
  if not sign or tonumber(hours) > 23 or tonumber(minutes) > 59 then
    return nil
  end
  local seconds = tonumber(hours) * 3600 + tonumber(minutes) * 60
  return sign == "+" and seconds or -seconds
end

local function integer(digits)
  return math.tointeger(tonumber(digits))
end

--- Reads an RFC 3339 time exactly.
---@param text string "2024-05-01T12:00:00.25Z", offsets too
---@return integer? seconds since 1970, or nil and an error
---@return integer|err.Record nanoseconds 0 … 999999999
function M.parse_exact(text)
  local function fail()
    return nil, err.new({
      kind = "invalid",
      message = ("%q is not a time such as 2024-05-01T12:00:00Z"):format(text),
    })
  end
  local y, mo, d, h, mi, s, rest = text:match(
    "^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt ](%d%d):(%d%d):(%d%d)(.*)$")
  if not y then
    return fail()
  end
  local fraction, zone = rest:match("^%.(%d+)(.*)$")
  local offset = zone_offset(zone or rest)
  local year, month, day = integer(y), integer(mo), integer(d)
  local hour, minute, second = integer(h), integer(mi), integer(s)
  if not offset or not is_date(year, month, day)
    or hour > 23 or minute > 59 or second > 60 then
    return fail()
  end
  local nanoseconds = integer(((fraction or "") .. "000000000"):sub(1, 9))
  local seconds = days_from_civil(year, month, day) * 86400
    + hour * 3600 + minute * 60 + second - offset
  return seconds, nanoseconds
end

--- Reads an RFC 3339 time.
---@param text string
---@return number? seconds since 1970, with their fraction
---@return err.Record?
function M.parse(text)
  local seconds, nanoseconds = M.parse_exact(text)
  if not seconds then
    return nil, nanoseconds --[[@as err.Record]]
  end
  if nanoseconds == 0 then
    return seconds
  end
  return seconds + nanoseconds / 1e9
end

--- A text that sorts as the time does, to the nanosecond; what is no time comes
--- before all times.
---@param text string?
---@return string
function M.order(text)
  local seconds, fraction = nil, nil
  if text then
    seconds, fraction = M.parse_exact(text)
  end
  return seconds and ("%020d%09d"):format(seconds, fraction) or ""
end

--- Writes a time in UTC as RFC 3339.
---@param seconds number since 1970
---@param digits integer? of the fraction, 0 unless told, at most 9
---@return string
function M.format(seconds, digits)
  local scale = math.tointeger(10 ^ math.min(digits or 0, 9))
  local whole = math.floor(seconds)
  local fraction = math.floor((seconds - whole) * scale)
  local year, month, day = civil_from_days(whole // 86400)
  local second = whole % 86400
  local text = ("%04d-%02d-%02dT%02d:%02d:%02d"):format(
    year, month, day, second // 3600, second % 3600 // 60, second % 60)
  if scale > 1 then
    text = text .. ("." .. "%0" .. digits .. "d"):format(fraction)
  end
  return text .. "Z"
end

local UNITS = { ms = 0.001, s = 1, m = 60, h = 3600, d = 86400, w = 604800 }

--- Reads a duration: "90", "90s", "1h30m", "2d", "500ms".
---@param text string
---@return number? seconds
---@return err.Record?
function M.parse_duration(text)
  local total, at = 0, 1
  while at <= #text do
    local number, unit, after = text:match("^(%d+%.?%d*)(%a*)()", at)
    local factor = number and UNITS[unit == "" and "s" or unit]
    if not factor then
      break
    end
    total = total + tonumber(number) * factor
    at = after
  end
  if at <= #text or text == "" then
    return nil, err.new({
      kind = "invalid",
      message = ("%q is not a duration such as 90s, 5m or 1h30m"):format(text),
    })
  end
  return math.tointeger(total) or total
end

return M
