--- The files of a certificate of one's own: read as secrets, told apart, and
--- handed on as what the operation takes. Waits.

local err = require "base.err"
local secret = require "sys.secret"

local M = {}

--- No chain and no key is larger, in bytes.
local MAX = 256 * 1024

local function usage(message, hint)
  return err.new({ kind = "usage", message = message, hint = hint })
end

-- Whether there is a PEM block whose label ends so, read without the bytes.
local function has_block(text, label)
  for _, line in ipairs(text:split("\n")) do
    local _ <close> = line
    if line:starts_with("-----BEGIN ") then
      for _, kind in ipairs(label) do
        if line:starts_with("-----BEGIN " .. kind .. "-----") then
          return true
        end
      end
    end
  end
  return false
end

local CERTIFICATE = { "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE" }
local KEY = { "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY" }
local LOCKED = { "ENCRYPTED PRIVATE KEY" }

---@async
local function read(flag, path)
  local text, e = secret.from_file(path, MAX)
  if not text then
    e = err.wrap(e, flag)
    e.hint = e.hint or "give the path of a PEM file that you can read"
    return nil, e
  end
  return text
end

local function check_cert(text, path)
  if not has_block(text, CERTIFICATE) then
    return usage(("--cert: %s holds no certificate in PEM form"):format(path),
      has_block(text, KEY) and "it holds a key: that is for --key" or nil)
  elseif has_block(text, KEY) then
    return usage(("--cert: %s holds a private key too"):format(path),
      "give the certificates alone: the file is what everybody is shown")
  end
end

local function check_key(text, path)
  if has_block(text, LOCKED) then
    return usage(("--key: %s is locked with a passphrase"):format(path),
      "unlock it first: openssl pkey -in FILE -out UNLOCKED")
  elseif not has_block(text, KEY) then
    return usage(("--key: %s holds no private key in PEM form"):format(path),
      has_block(text, CERTIFICATE) and "it holds a certificate: that is for --cert"
        or nil)
  end
end

-- A secret read from a file, checked.
---@async
local function take(flag, path, check)
  local text, e = read(flag, path)
  local wrong = text and check(text, path)
  if not text or wrong then
    if text then
      text:close()
    end
    return nil, e or wrong
  end
  return text
end

--- Reads what --cert and --key name into the call's arguments.
---@async
---@param call cli.Call of certs.add
---@return true?
---@return err.Record?
function M.read(call)
  local args = call.args
  if not args.cert and not args.key then
    return true
  elseif not args.cert or not args.key then
    return nil, usage(("a certificate of one's own needs --cert and --key, and"
      .. " %s is missing"):format(args.cert and "--key" or "--cert"),
      "without both, Fly gets the certificate")
  end
  local chain, e = take("--cert", args.cert, check_cert)
  local key = nil
  if chain then
    key, e = take("--key", args.key, check_key)
  end
  if not key then
    return nil, e
  end
  args.fullchain, args.private_key, args.cert, args.key = chain, key, nil, nil
  return true
end

return M
