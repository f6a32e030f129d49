--- Turns text a server sent into one line that is safe to show.
--- Bounded input, no escapes, no control or direction marks, valid UTF-8, and no
--- secret of this process: once lines are joined or cut none could be told.

local secret = require "sys.secret"

local M = {}

--- How much of a text is looked at, in bytes; the rest is dropped.
local LOOK = 4096

--- How much of it is searched for secrets, which are at most 1 MiB long.
local MASKED = 2 * 1024 * 1024
local ELLIPSIS = "\u{2026}"
local REPLACEMENT = "\u{FFFD}"

-- Longest first: a sequence must go before its first byte does.
local ESCAPES = {
  "\27%][^\7\27]*\7",
  "\27%][^\7\27]*\27\\",
  "\27[PX^_][^\27]*\27\\",
  "\27%[[0-?]*[ -/]*[@-~]",
  "\27[ -/]*[0-~]",
}

-- C1 controls and the marks that reorder what a reader sees, first and last.
local MARKS = {
  { 0x80, 0x9F }, { 0x61C, 0x61C }, { 0x200E, 0x200F }, { 0x2028, 0x202E },
  { 0x2066, 0x2069 },
}

-- What is a credential wherever it stands, though nobody told us so: tokens, keys
-- of buckets, the password of an address.
local CREDENTIALS = {
  { "fm1[ra]_[%w+/=_-]+", "[secret]" }, { "fm2_[%w+/=_-]+", "[secret]" },
  { "fo1_[%w_-]+", "[secret]" }, { "tsec_[%w_-]+", "[secret]" }, { "tid_[%w_-]+", "[secret]" },
  { "(%a://[^%s/@:]*:)[^%s/@]+@", "%1[secret]@" },
}

---@return table<string, boolean>
local function mark_set()
  local set = {}
  for _, range in ipairs(MARKS) do
    for code = range[1], range[2] do
      set[utf8.char(code)] = true
    end
  end
  return set
end

local IS_MARK = mark_set()

--- Replaces every byte that is not part of a valid character.
---@param text string
---@return string
function M.valid_utf8(text)
  local out, start = {}, 1
  while true do
    local length, bad = utf8.len(text, start)
    if length then
      out[#out + 1] = text:sub(start)
      return table.concat(out)
    end
    out[#out + 1] = text:sub(start, bad - 1)
    out[#out + 1] = REPLACEMENT
    start = bad + 1
  end
end

--- Cuts at a character's edge and says so with an ellipsis.
---@param text string valid UTF-8
---@param max integer characters
---@return string
local function clip(text, max)
  if utf8.len(text) <= max then
    return text
  end
  return text:sub(1, utf8.offset(text, max) - 1) .. ELLIPSIS
end

--- One clean line of at most `max` characters.
---@param text string
---@param max integer? default 300
---@return string
function M.line(text, max)
  text = secret.mask(text:sub(1, MASKED)):sub(1, LOOK)
  for _, credential in ipairs(CREDENTIALS) do
    text = text:gsub(credential[1], credential[2])
  end
  for _, pattern in ipairs(ESCAPES) do
    text = text:gsub(pattern, "")
  end
  text = M.valid_utf8(text):gsub(utf8.charpattern, function(char)
    return IS_MARK[char] and "" or nil
  end)
  text = text:gsub("[%c%s]+", " "):gsub("^ ", ""):gsub(" $", "")
  return clip(text, max or 300)
end

return M
