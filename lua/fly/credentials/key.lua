--- The key that seals stored credentials: in the desktop's keyring when there is
--- one, else in a file beside them that its owner alone can read. Which of the
--- two is written down with the credentials, so that a keyring which does not
--- answer is never taken for one that has no key. Waits.

local crypto = require "sys.crypto"
local err = require "base.err"
local fs = require "sys.fs"
local keyring = require "sys.keyring"
local secret = require "sys.secret"

local M = {}

---@alias fly.KeyPlace "keyring"|"file"

local LENGTH = 32

local function path_of(dir)
  return dir .. "/credentials.key"
end

local function refuse(subject, why, hint)
  return err.new({
    kind = "config", message = ("%s %s"):format(subject, why), hint = hint,
  })
end

local function missing(subject)
  return err.new({
    kind = "not_found", message = subject .. " is missing: without it the stored"
      .. " credentials cannot be opened",
    hint = "store them again: clanker credentials store flyio",
  })
end

local PLACES = {}

---@async
function PLACES.file(dir)
  local path = path_of(dir)
  local stat = fs.stat(path)
  if not stat then
    return nil, missing(path)
  elseif stat.mode & 63 ~= 0 then -- 077
    return nil, refuse(path, "can be read by others",
      ("chmod 600 %s, and replace the token"):format(path))
  end
  local key, e = secret.from_file(path, LENGTH)
  if not key then
    return nil, e
  elseif key:len() ~= LENGTH then
    return nil, refuse(path, "is no key of 32 bytes")
  end
  return key
end

---@async
function PLACES.keyring(dir)
  local text, e = keyring.lookup(dir)
  if not text then
    return nil, e.code == "ENOENT" and missing("the keyring's entry")
      or refuse("the keyring", "does not give the key: " .. e.message,
        "unlock it, or store the credentials again after deleting " .. dir
        .. "/credentials")
  end
  local key = crypto.from_base64(text)
  text:close()
  if not key or key:len() ~= LENGTH then
    return nil, refuse("the keyring's entry", "is no key of 32 bytes")
  end
  return key
end

--- The key; kind "not_found" when there is none.
---@async
---@param dir string
---@param place fly.KeyPlace?
---@return secret.Secret?
---@return err.Record?
function M.get(dir, place)
  return PLACES[place == "keyring" and "keyring" or "file"](dir)
end

-- In the keyring if it is willing; a refusal is no error, the file serves too.
---@async
local function keep_in_keyring(dir, key)
  if not keyring.is_likely() then
    return false
  end
  local text <close> = crypto.base64(key)
  return keyring.store(dir, text) == true
end

--- A new key, kept. A key file that is there already is never replaced.
---@async
---@param dir string
---@return secret.Secret? key
---@return fly.KeyPlace|err.Record place
function M.make(dir)
  local key, e = crypto.key()
  if not key then
    return nil, e
  elseif keep_in_keyring(dir, key) then
    return key, "keyring"
  end
  local ok, failed = fs.write(path_of(dir), key, { mode = 384, exclusive = true }) -- 0600
  if not ok then
    key:close()
    return nil, failed
  end
  return key, "file"
end

--- Where the key is, for people.
---@param dir string
---@param place fly.KeyPlace?
---@return string
function M.describe(dir, place)
  return place == "keyring" and "key in the keyring" or "key in " .. path_of(dir)
end

return M
