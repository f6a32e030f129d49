--- Credentials on this machine: ~/.clanker/credentials, each token sealed with a
--- key of its own place. Touches disk; nothing here is ever readable by others.
--- The provider and the organization stand beside the token, and sealed with it
--- again, so that nobody can change them unseen.

local crypto = require "sys.crypto"
local err = require "base.err"
local fs = require "sys.fs"
local json = require "base.json"
local keys = require "fly.credentials.key"
local secret = require "sys.secret"
local tbl = require "base.tbl"

local M = {}

---@class fly.HereStore: fly.CredentialStore
---@field dir string
---@field path string
local Store = {}
Store.__index = Store

local VERSION = 1

--- Seconds to wait for another clanker that is writing.
local LOCK_TIMEOUT = 5

--- No list of credentials is longer, in bytes.
local MAX = 1 << 20

---@param home string
---@return fly.HereStore
function M.open(home)
  local dir = home .. "/.clanker"
  return setmetatable({
    dir = dir, path = dir .. "/credentials", where = dir .. "/credentials",
  }, Store)
end

local AGAIN = "clanker credentials store flyio"

-- A token that cannot be opened; storing it again replaces it.
local function damaged(store, why)
  return err.new({
    kind = "config", message = ("%s: %s"):format(store.path, why),
    hint = "store the credentials again: " .. AGAIN,
  })
end

-- The file as a whole, which is never replaced by itself: there may be more in
-- it than is understood.
local function unreadable(store, why, way_out)
  local e = damaged(store, why)
  e.hint = ("%s, then %s"):format(way_out:format(store.path), AGAIN)
  return e
end

local function absent(store, provider)
  return err.new({
    kind = "not_found",
    message = ("no credentials of %s are stored in %s"):format(provider, store.where),
    hint = "clanker credentials store " .. provider,
  })
end

-- { version, key = where it is, credentials = { provider → { org_slug, sealed } } }
local function read(store)
  local stat = fs.stat(store.path)
  if not stat then
    return { version = VERSION, credentials = {} }
  elseif stat.mode & 63 ~= 0 then -- 077
    return nil, unreadable(store, "others may read it", "remove %s and revoke the token")
  end
  local text, e = fs.read(store.path, MAX)
  if not text then
    return nil, e
  end
  local kept = json.decode(text)
  if type(kept) ~= "table" or type(kept.credentials) ~= "table" then
    return nil, unreadable(store, "it is damaged", "remove %s")
  elseif kept.version ~= VERSION then
    return nil, unreadable(store, "another version of clanker wrote it", "remove %s")
  end
  return kept
end

local function to_hex(bytes)
  return (bytes:gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end))
end

local function from_hex(text)
  if type(text) ~= "string" or #text % 2 ~= 0 or text:find("%X") then
    return nil
  end
  return (text:gsub("%x%x", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

-- What is sealed: NAME=value lines, which can be read without leaving handles.
local function sealed_text(credential)
  return secret.concat({
    "provider='", credential.provider, "'\norg='", credential.org or "",
    "'\ntoken='", credential.token, "'\n",
  })
end

local function check(credential)
  local token <close> = credential.token:trim()
  if token:len() == 0 then
    return nil, err.new({ kind = "usage", message = "the token is empty" })
  elseif token:find_class("control") or #token:split("'") > 1
    or (credential.org or ""):find("[%c']") then
    return nil, err.new({
      kind = "usage", message = "a token is one line without quotes",
      hint = "paste the token alone",
    })
  end
  return true
end

-- The values in the order they were sealed, if they are those expected.
local function unseal(store, key, entry, provider)
  local sealed = from_hex(entry.sealed)
  local text = sealed and crypto.open(key, sealed)
  if not text then
    return nil, damaged(store, "its key does not open it")
  end
  local lines = secret.dotenv(text)
  text:close()
  if not lines or #lines ~= 3 then
    return nil, damaged(store, "it is damaged")
  end
  local name <close> = lines[1].value
  local org <close> = lines[2].value
  if not name:equals(provider) or not org:equals(entry.org_slug or "") then
    return nil, damaged(store, "somebody changed it")
  end
  return lines[3].value
end

---@param provider string
---@return fly.Credential?
---@return err.Record?
function Store:get(provider)
  local kept, e = read(self)
  if not kept then
    return nil, e
  end
  local entry = kept.credentials[provider]
  if type(entry) ~= "table" then
    return nil, absent(self, provider)
  end
  local key, why = keys.get(self.dir, kept.key)
  if not key then
    return nil, why
  end
  local token
  token, e = unseal(self, key, entry, provider)
  key:close()
  if not token then
    return nil, e
  end
  return { provider = provider, token = token, org = entry.org_slug }
end

-- Changes what is kept, while no other clanker does.
---@async
local function change(store, fn)
  local made, e = fs.mkdir(store.dir, 448, true) -- 0700
  if not made then
    return nil, e
  end
  local lock
  lock, e = fs.lock(store.path .. ".lock", { timeout = LOCK_TIMEOUT })
  if not lock then
    return nil, err.wrap(e, "credentials")
  end
  local kept, done
  kept, e = read(store)
  if kept then
    done, e = fn(kept)
  end
  if done then
    done, e = fs.write(store.path, json.encode(kept) .. "\n", { mode = 384 }) -- 0600
  end
  lock:release()
  return done, e
end

-- Without its key nothing that is kept can be opened any more, so that goes. A
-- key file that is there already serves again.
---@async
local function new_key(store, kept)
  kept.credentials = {}
  local key, place = keys.make(store.dir)
  if not key and place.code == "EEXIST" then
    local e
    key, e = keys.get(store.dir, "file")
    place = key and "file" or e
  end
  kept.key = key and place or nil
  return key, place
end

---@async
---@param credential fly.Credential
---@return true?
---@return err.Record?
function Store:put(credential)
  local fits, wrong = check(credential)
  if not fits then
    return nil, wrong
  end
  return change(self, function(kept)
    local key, e
    if next(kept.credentials) ~= nil then
      key, e = keys.get(self.dir, kept.key)
    end
    if not key and (not e or e.kind == "not_found") then
      key, e = new_key(self, kept)
    end
    if not key then
      return nil, e
    end
    local text <close> = sealed_text(credential)
    local sealed, failed = crypto.seal(key, text)
    key:close()
    if not sealed then
      return nil, failed
    end
    kept.credentials[credential.provider] = {
      org_slug = credential.org, sealed = to_hex(sealed),
    }
    return true
  end)
end

---@return fly.StoredCredential[]?
---@return err.Record?
function Store:list()
  local kept, e = read(self)
  if not kept then
    return nil, e
  end
  local list = {}
  for provider, entry in tbl.sorted(kept.credentials) do
    list[#list + 1] = { provider = provider, org = entry.org_slug }
  end
  return list
end

---@async
---@param provider string
---@return true?
---@return err.Record?
function Store:delete(provider)
  return change(self, function(kept)
    if not kept.credentials[provider] then
      return nil, absent(self, provider)
    end
    kept.credentials[provider] = nil
    return true
  end)
end

--- How the tokens are locked, for people.
---@return string
function Store:lock_text()
  local kept = read(self)
  return "encrypted; " .. keys.describe(self.dir, kept and kept.key)
end

return M
