--- Splits a GraphQL document into tokens.
--- Pure. Bounded: long documents are refused, nothing is recursive.

local M = {}

--- Longer documents are refused.
M.MAX_BYTES = 256 * 1024

---@class graphql.Token
---@field kind string "name", "int", "float", "string", "eof", or the mark itself
---@field value string?
---@field line integer
---@field column integer

---@class graphql.SyntaxError
---@field message string
---@field line integer
---@field column integer

local ESCAPES = {
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n",
  r = "\r", t = "\t",
}

---@class graphql.Scanner
---@field text string
---@field at integer
---@field line integer
---@field line_start integer

local function fail(scanner, at, message)
  return nil, {
    message = message, line = scanner.line,
    column = at - scanner.line_start + 1,
  }
end

-- Moves over white space, commas and comments.
local function skip(scanner)
  local text = scanner.text
  while true do
    local char = text:byte(scanner.at)
    if char == 0x0A then
      scanner.line = scanner.line + 1
      scanner.line_start = scanner.at + 1
      scanner.at = scanner.at + 1
    elseif char == 0x20 or char == 0x09 or char == 0x0D or char == 0x2C then
      scanner.at = scanner.at + 1
    elseif char == 0x23 then
      scanner.at = text:find("[\r\n]", scanner.at) or #text + 1
    elseif char == 0xEF and text:sub(scanner.at, scanner.at + 2)
      == "\xEF\xBB\xBF" then
      scanner.at = scanner.at + 3
    else
      return
    end
  end
end

-- The common indentation of a block string's lines but the first.
local function dedent(block)
  local lines, common = {}, nil
  for line in (block:gsub("\r\n?", "\n") .. "\n"):gmatch("([^\n]*)\n") do
    lines[#lines + 1] = line
    local indent = line:match("^[ \t]*()%S")
    if #lines > 1 and indent and (not common or indent < common) then
      common = indent
    end
  end
  for i = 2, common and #lines or 0 do
    lines[i] = lines[i]:sub(common)
  end
  while lines[1] and lines[1]:find("^[ \t]*$") do
    table.remove(lines, 1)
  end
  while #lines > 0 and lines[#lines]:find("^[ \t]*$") do
    lines[#lines] = nil
  end
  return table.concat(lines, "\n")
end

local function block_string(scanner, from)
  local at = from + 3
  while true do
    local stop = scanner.text:find('"""', at, true)
    if not stop then
      return fail(scanner, from, "Unterminated string")
    elseif scanner.text:sub(stop - 1, stop - 1) ~= "\\" then
      local raw = scanner.text:sub(from + 3, stop - 1)
      local _, newlines = raw:gsub("\n", "")
      if newlines > 0 then
        scanner.line = scanner.line + newlines
        scanner.line_start = from + 3 + #raw:match("^(.*\n)")
      end
      scanner.at = stop + 3
      return dedent((raw:gsub('\\"""', '"""')))
    end
    at = stop + 3
  end
end

-- The character of "uXXXX" at `at`, or of a pair of them, and what follows.
local function unicode(body, at)
  local code = tonumber(body:match("^u(%x%x%x%x)", at) or "", 16)
  local low = tonumber(body:match("^u%x%x%x%x\\u(%x%x%x%x)", at) or "", 16)
  if code and low and code >> 10 == 0x36 and low >> 10 == 0x37 then
    code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff)
    return utf8.char(code), at + 11
  elseif code and code >> 11 == 0x1B then
    return nil -- half of a pair
  end
  return code and utf8.char(code), at + 5
end

local function unescape(body)
  local parts, at = {}, 1
  while true do
    local stop = body:find("\\", at, true)
    parts[#parts + 1] = body:sub(at, (stop or 0) - 1)
    if not stop then
      return table.concat(parts)
    end
    local char = ESCAPES[body:sub(stop + 1, stop + 1)]
    at = stop + 2
    if not char then
      char, at = unicode(body, stop + 1)
    end
    if not char then
      return nil
    end
    parts[#parts + 1] = char
  end
end

-- The position of the quote that ends a string begun before `at`.
local function closing_quote(text, at)
  while true do
    local stop = text:find('["\\\n]', at)
    local char = stop and text:sub(stop, stop)
    if char ~= "\\" then
      return char == '"' and stop or nil
    end
    at = stop + 2
  end
end

local function plain_string(scanner, from)
  local stop = closing_quote(scanner.text, from + 1)
  if not stop then
    return fail(scanner, from, "Unterminated string")
  end
  local value = unescape(scanner.text:sub(from + 1, stop - 1))
  if not value then
    return fail(scanner, from, "Bad escape sequence in string")
  end
  scanner.at = stop + 1
  return value
end

local function number(scanner, from)
  local text = scanner.text
  local digits = text:match("^%-?%d+", from)
  local stop = from + #digits
  local fraction = text:match("^%.%d+", stop) or ""
  local exponent = text:match("^[eE][+-]?%d+", stop + #fraction) or ""
  stop = stop + #fraction + #exponent
  if digits:find("^%-?0%d") or text:find("^[%w_.]", stop) then
    return fail(scanner, from, "Invalid number")
  end
  scanner.at = stop
  local kind = fraction == "" and exponent == "" and "int" or "float"
  return kind, text:sub(from, stop - 1)
end

-- One token after white space.
local function read(scanner)
  local text, from = scanner.text, scanner.at
  local line, column = scanner.line, from - scanner.line_start + 1
  local kind, value, e
  local char = text:sub(from, from)
  if char == "" then
    kind = "eof"
  elseif char:find("[%a_]") then
    kind, value = "name", text:match("^[%w_]+", from)
    scanner.at = from + #value
  elseif char:find("[!$&()%[%]{}:=@|]") then
    kind, scanner.at = char, from + 1
  elseif text:sub(from, from + 2) == "..." then
    kind, scanner.at = "...", from + 3
  elseif char == '"' then
    local read_string = text:sub(from, from + 2) == '"""' and block_string
      or plain_string
    kind = "string"
    value, e = read_string(scanner, from)
    if not value then
      return nil, e
    end
  elseif text:find("^%-?%d", from) then
    kind, value = number(scanner, from)
    if not kind then
      return nil, value
    end
  else
    local whole = text:match("^" .. utf8.charpattern, from) or "?"
    return fail(scanner, from, ('Unexpected character: "%s"'):format(whole))
  end
  return { kind = kind, value = value, line = line, column = column }
end

--- The tokens of a document, the last of kind "eof".
---@param text string
---@return graphql.Token[]?
---@return graphql.SyntaxError?
function M.tokens(text)
  local scanner = { text = text, at = 1, line = 1, line_start = 1 }
  if #text > M.MAX_BYTES then
    return fail(scanner, 1, "The document is too long")
  end
  local tokens = {}
  repeat
    skip(scanner)
    local token, e = read(scanner)
    if not token then
      return nil, e
    end
    tokens[#tokens + 1] = token
  until token.kind == "eof"
  return tokens
end

return M
