--- Names of new things: random-looking, yet the same for the same seed.
--- Pure: the generator is one integer, so it can be stored and resumed.

local M = {}

local HEX = "0123456789abcdef"
local ALNUM = "0123456789abcdefghijklmnopqrstuvwxyz"
local CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

---@class sim.Ids
---@field state integer all there is to know about the sequence
local Ids = {}
Ids.__index = Ids

--- A generator.
---@param seed integer
---@return sim.Ids
function M.new(seed)
  return setmetatable({ state = seed }, Ids)
end

--- The next 64 random bits (splitmix64).
---@return integer
function Ids:next()
  local z = self.state + 0x9E3779B97F4A7C15
  self.state = z
  z = (z ~ (z >> 30)) * 0xBF58476D1CE4E5B9
  z = (z ~ (z >> 27)) * 0x94D049BB133111EB
  return z ~ (z >> 31)
end

--- An integer from `low` to `high`, both included.
---@param low integer
---@param high integer
---@return integer
function Ids:between(low, high)
  return low + (self:next() >> 1) % (high - low + 1)
end

--- One element of a list.
---@generic T
---@param list T[]
---@return T
function Ids:pick(list)
  return list[self:between(1, #list)]
end

local function draw(ids, alphabet, count)
  local out = {}
  for i = 1, count do
    local at = ids:between(1, #alphabet)
    out[i] = alphabet:sub(at, at)
  end
  return table.concat(out)
end

--- `count` hexadecimal digits.
---@param count integer
---@return string
function Ids:hex(count)
  return draw(self, HEX, count)
end

--- `count` lower-case letters and digits.
---@param count integer
---@return string
function Ids:alnum(count)
  return draw(self, ALNUM, count)
end

--- A machine id: 14 hexadecimal digits, the first a digit.
---@return string
function Ids:machine()
  return tostring(self:between(1, 9)) .. self:hex(13)
end

--- A volume id.
---@return string
function Ids:volume()
  return "vol_" .. self:alnum(16)
end

--- A 26-character ULID: sorts by time, unique by its random part.
---@param seconds number since 1970
---@return string
function Ids:ulid(seconds)
  local ms = math.floor(seconds * 1000)
  local out = {}
  for i = 10, 1, -1 do
    local at = (ms & 31) + 1
    out[i] = CROCKFORD:sub(at, at)
    ms = ms >> 5
  end
  return table.concat(out) .. draw(self, CROCKFORD, 16)
end

local ADJECTIVES = {
  "aged", "autumn", "billowing", "bitter", "bold", "broad", "calm", "cold",
  "cool", "crimson", "damp", "dark", "dawn", "delicate", "dry", "falling",
  "frosty", "green", "holy", "icy", "late", "lingering", "little", "lively",
  "misty", "morning", "muddy", "nameless", "old", "patient", "polished",
  "proud", "quiet", "restless", "rough", "shy", "silent", "small", "snowy",
  "solitary", "sparkling", "still", "summer", "twilight", "wandering",
  "weathered", "white", "wild", "winter", "wispy", "withered", "young",
}
local NOUNS = {
  "bird", "breeze", "brook", "bush", "butterfly", "cherry", "cloud", "dawn",
  "dew", "dream", "dust", "feather", "field", "fire", "flower", "fog",
  "forest", "frog", "frost", "glade", "glitter", "grass", "haze", "hill",
  "lake", "leaf", "log", "meadow", "moon", "morning", "mountain", "night",
  "paper", "pine", "pond", "rain", "resonance", "river", "sea", "shadow",
  "shape", "silence", "sky", "smoke", "snow", "sound", "star", "sun",
  "surf", "thunder", "tree", "violet", "voice", "water", "wave", "wood",
}

--- A name such as "quiet-river-4821".
---@return string
function Ids:name()
  return ("%s-%s-%d"):format(
    self:pick(ADJECTIVES), self:pick(NOUNS), self:between(1000, 9999))
end

--- A machine's address in its organization's private network.
---@param network integer 16 bits that name the organization's network
---@return string
function Ids:private_ip(network)
  return ("fdaa:%x:%x:a7b:%x:%x:%x:2"):format(
    network >> 12, network & 0xfff, self:between(1, 0xfff),
    self:between(1, 0xffff), self:between(1, 0xffff))
end

--- A digest of a text: 64 bits as hexadecimal digits (FNV-1a). It hides the
--- text from a reader, not from an attacker: the simulator guards nothing.
---@param text string
---@return string
function M.digest(text)
  local hash = 0xcbf29ce484222325
  for i = 1, #text do
    hash = (hash ~ text:byte(i)) * 0x100000001b3
  end
  return ("%016x"):format(hash)
end

return M
