--- The key that seals stored credentials: a file beside them that its owner
--- alone can read. Touches disk.

local crypto = require "sys.crypto"
local err = require "base.err"
local fs = require "sys.fs"
local secret = require "sys.secret"

local M = {}

local LENGTH = 32

local function path_of(dir)
  return dir .. "/credentials.key"
end

local function refuse(dir, why, hint)
  return err.new({
    kind = "config", message = ("%s %s"):format(path_of(dir), why), hint = hint,
  })
end

--- The key; kind "not_found" when there is none yet.
---@async
---@param dir string
---@return secret.Secret?
---@return err.Record?
function M.get(dir)
  local stat = fs.stat(path_of(dir))
  if not stat then
    return nil, err.new({
      kind = "not_found", message = path_of(dir) .. " is missing: without it the"
        .. " stored credentials cannot be opened",
      hint = "store them again: clanker credentials store flyio",
    })
  elseif stat.mode & 63 ~= 0 then -- 077
    return nil, refuse(dir, "can be read by others",
      ("chmod 600 %s, and replace the token"):format(path_of(dir)))
  end
  local key, e = secret.from_file(path_of(dir), LENGTH)
  if not key then
    return nil, e
  elseif key:len() ~= LENGTH then
    return nil, refuse(dir, "is no key of 32 bytes")
  end
  return key
end

--- A new key, kept. One that is there already is never replaced.
---@param dir string
---@return secret.Secret?
---@return err.Record?
function M.make(dir)
  local key, e = crypto.key()
  if not key then
    return nil, e
  end
  local ok, failed = fs.write(path_of(dir), key, { mode = 384, exclusive = true }) -- 0600
  if not ok then
    key:close()
    return nil, failed
  end
  return key
end

--- Where the key is, for people.
---@param dir string
---@return string
function M.describe(dir)
  return "key in " .. path_of(dir)
end

return M
