--- Text helpers: splitting, escaping, wrapping, suggestions, {slots}.
--- Pure; bytes unless a function says characters (UTF-8).

local M = {}

--- Without white space at both ends.
---@param s string
---@return string
function M.trim(s)
  return s:match("^%s*(.-)%s*$")
end

---@param s string
---@param prefix string
---@return boolean
function M.starts_with(s, prefix)
  return s:sub(1, #prefix) == prefix
end

---@param s string
---@param suffix string
---@return boolean
function M.ends_with(s, suffix)
  return suffix == "" or s:sub(-#suffix) == suffix
end

--- The parts between separators (plain text), empty ones too.
---@param s string
---@param sep string
---@param max integer? at most this many parts; the last keeps the rest
---@return string[]
function M.split(s, sep, max)
  if sep == "" then
    error("an empty separator splits nothing", 2)
  end
  local parts, from = {}, 1
  while not max or #parts < max - 1 do
    local first, last = s:find(sep, from, true)
    if not first then
      break
    end
    parts[#parts + 1] = s:sub(from, first - 1)
    from = last + 1
  end
  parts[#parts + 1] = s:sub(from)
  return parts
end

--- The words between runs of white space.
---@param s string
---@return string[]
function M.words(s)
  local words = {}
  for word in s:gmatch("%S+") do
    words[#words + 1] = word
  end
  return words
end

--- The number of characters; of bytes where it is not UTF-8.
---@param s string
---@return integer
function M.len(s)
  return utf8.len(s) or #s
end

--- Percent-encodes everything but RFC 3986's unreserved characters, so that
--- the result is exactly one path segment or query value. "." and ".." alone
--- are encoded too: as segments they would name another path.
---@param s string
---@return string
function M.url_escape(s)
  if s == "." or s == ".." then
    return (s:gsub("%.", "%%2E"))
  end
  return (s:gsub("[^%w%-._~]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

--- Undoes percent-encoding; a malformed escape stays as it is.
---@param s string
---@param plus boolean? read "+" as a space, as forms and queries do
---@return string
function M.url_unescape(s, plus)
  if plus then
    s = s:gsub("+", " ")
  end
  return (s:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

--- Edits (insert, delete, replace, swap of neighbours) from a to b.
---@param a string
---@param b string
---@return integer
function M.levenshtein(a, b)
  local before, row = {}, {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local current = { [0] = i }
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      local best = math.min(row[j] + 1, current[j - 1] + 1, row[j - 1] + cost)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1)
        and a:byte(i - 1) == b:byte(j) then
        best = math.min(best, before[j - 2] + 1)
      end
      current[j] = best
    end
    before, row = row, current
  end
  return row[#b]
end

--- The candidate a typing mistake away from the word, or nil.
---@param word string
---@param candidates string[]
---@return string?
function M.did_you_mean(word, candidates)
  word = word:sub(1, 64):lower()
  local best, best_distance
  local limit = math.max(1, #word // 3)
  for _, candidate in ipairs(candidates) do
    local lower = candidate:lower()
    local distance = M.levenshtein(word, lower)
    if #word >= 3 and M.starts_with(lower, word) then
      distance = math.min(distance, 1)
    end
    if distance <= limit and (not best or distance < best_distance) then
      best, best_distance = candidate, distance
    end
  end
  return best
end

--- Breaks text into lines of at most `width`, at white space; a longer word keeps
--- a line to itself.
---@param s string
---@param width integer
---@param measure (fun(text: string): integer)? how wide a text is; in characters
--- unless told
---@return string[]
function M.wrap(s, width, measure)
  measure = measure or M.len
  local lines, line = {}, ""
  for _, word in ipairs(M.words(s)) do
    if line ~= "" and measure(line) + 1 + measure(word) > width then
      lines[#lines + 1] = line
      line = ""
    end
    line = line == "" and word or line .. " " .. word
  end
  if line ~= "" or #lines == 0 then
    lines[#lines + 1] = line
  end
  return lines
end

--- Removes the indentation all lines share, and blank lines at both ends.
---@param s string
---@return string
function M.dedent(s)
  local lines, indent = M.split(s, "\n"), nil
  for _, line in ipairs(lines) do
    local space = line:match("^(%s*)%S")
    if space and (not indent or #space < indent) then
      indent = #space
    end
  end
  for i, line in ipairs(lines) do
    lines[i] = line:sub((indent or 0) + 1):gsub("%s+$", "")
  end
  return (table.concat(lines, "\n"):gsub("^\n+", ""):gsub("\n+$", ""))
end

--- The names of the {slots} in a text, in order, each once.
---@param s string
---@return string[]
function M.slots(s)
  local names, seen = {}, {}
  for name in s:gmatch("{([%w_]+)}") do
    if not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  return names
end

--- The text with every {slot} replaced by fn(name); a nil leaves the slot.
---@param s string
---@param fn fun(name: string): string|number|nil
---@return string
function M.fill(s, fn)
  return (s:gsub("{([%w_]+)}", fn))
end

--- "a, b and c" (or another last word).
---@param list string[]
---@param last string? "and" unless told
---@return string
function M.join(list, last)
  if #list < 2 then
    return list[1] or ""
  end
  return table.concat(list, ", ", 1, #list - 1)
    .. " " .. (last or "and") .. " " .. list[#list]
end

--- "1 machine", "3 machines".
---@param n integer
---@param noun string
---@param plural string? noun .. "s" unless told
---@return string
function M.count(n, noun, plural)
  return ("%d %s"):format(n, n == 1 and noun or plural or noun .. "s")
end

return M
