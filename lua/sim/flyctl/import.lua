--- Reads what `flyctl secrets import` gets on stdin, by its rules.
--- Pure.

local MOST_LINE = 64 * 1024

-- The lines up to the first that is too long: there flyctl stops reading.
local function lines_of(text)
  local lines = {}
  for line in (text:gsub("\n?$", "\n", 1)):gmatch("(.-)\n") do
    if #line >= MOST_LINE then
      break
    end
    lines[#lines + 1] = (line:gsub("\r$", ""))
  end
  return lines
end

local function quotes_before(text, at)
  local _, count = text:sub(1, at - 1):gsub('"', "")
  return count
end

-- Without the comment at its end. Inside double quotes there is none.
local function without_comment(value)
  local at = value:find("#", 1, true)
  if at and quotes_before(value, at) % 2 == 0 then
    return (value:sub(1, at - 1):gsub(" +$", ""))
  end
  return value
end

-- Without one pair of quotes around it; nil for one quote alone, which flyctl
-- does not survive.
local function unquote(value)
  local quote = value:sub(1, 1)
  if (quote == '"' or quote == "'") and value:sub(-1) == quote then
    return #value >= 2 and value:sub(2, -2) or nil
  end
  return value
end

-- The text up to the line that ends with three quotes, and that line's number;
-- nil when there is none.
local function read_block(first, lines, at)
  local parts = { first }
  for i = at + 1, #lines do
    local inside = lines[i]:match('^(.*)"""$')
    parts[#parts + 1] = inside or lines[i]
    if inside then
      return table.concat(parts, "\n"), i
    end
  end
end

-- The name and the value as it stands, without a comment.
local function split(line)
  local name, value = line:match("^([^=]*)=(.*)$")
  if name then
    return name:match("^%s*(.-)%s*$"), without_comment((value:gsub("^ +", "")))
  end
end

--- Names and values, or nil and why not. A name whose value never ends is left
--- out, as flyctl leaves it out.
---@param text string
---@return table<string, string>? values
---@return string? why
return function(text)
  local values, lines = {}, lines_of(text)
  local i = 1
  while i <= #lines do
    local line = lines[i]
    if line:sub(1, 1) ~= "#" and line:find("%S") then
      local name, value = split(line)
      if not name then
        return nil, "Secrets must be provided as NAME=VALUE pairs"
          .. (" (%s is invalid)"):format(line)
      end
      local whole = #value >= 6 and value:match('^"""(.*)"""$')
      if whole then
        values[name] = whole
      elseif value:sub(1, 3) == '"""' then
        values[name], i = read_block(value:sub(4), lines, i)
        i = i or #lines
      else
        local plain = unquote(value)
        if not plain then
          return nil, "slice bounds out of range [1:0]"
        end
        values[name] = plain
      end
    end
    i = i + 1
  end
  return values
end
