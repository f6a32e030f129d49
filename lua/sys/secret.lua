--- Secrets: values whose bytes stay in C, shown as "[secret]" wherever they go.
--- What reads a pipe or a terminal waits; nothing here gives bytes to Lua.

local err = require "base.err"
local host = require "host.secret"

local M = {}

---@class secret.Secret
---@field close fun(self) wipes it as soon as no request or child still sends it
---@field equals fun(self, other: string|secret.Secret): boolean constant time
---@field find_class fun(self, class: "control"|"space"|"non_ascii"|"invisible"): integer?
---@field fits_import fun(self, name: string): boolean flyctl can read it back
---@field json fun(self): secret.Secret?, string?, string? as a JSON string
---@field len fun(self): integer
---@field remove_space fun(self): secret.Secret
---@field shows_in fun(self, text: string): boolean at least 8 bytes of it in a row
---@field split fun(self, separator: string): secret.Secret[]
---@field starts_with fun(self, text: string, ignore_case?: boolean): boolean
---@field sub fun(self, i: integer, j?: integer): secret.Secret
---@field trim fun(self): secret.Secret

---@class secret.Masker
---@field feed fun(self, chunk: string): string what can be written by now
---@field finish fun(self): string the rest
---@field close fun(self)

--- A secret from a string, for generated values; the string stays a string.
---@type fun(bytes: string): secret.Secret
M.new = host.new

--- One secret made of strings and secrets.
---@type fun(parts: (string|secret.Secret)[]): secret.Secret
M.concat = host.concat

--- Whether a value is a secret.
---@type fun(value: any): boolean
M.is = host.is

--- The text with every live secret replaced by "[secret]", also where it stands
--- percent-encoded, JSON-escaped or in base64.
---@type fun(text: string): string
M.mask = host.mask

--- The same for a stream that comes in chunks.
---@type fun(): secret.Masker
M.masker = host.masker

--- Zeroes every live secret, for a way out that runs no finalizers.
---@type fun()
M.wipe = host.wipe

---@class secret.Entry
---@field name string
---@field value secret.Secret
---@field line integer where it ends

--- The entries of a text of NAME=value lines (rules: src/core/dotenv.h).
---@param text secret.Secret
---@return secret.Entry[]?, err.Record? names the line, not what it holds
function M.dotenv(text)
  return err.outcome(host.dotenv(text))
end

--- The value of an environment variable; `take` removes it from this process.
---@param name string
---@param take? boolean
---@return secret.Secret?, err.Record?
function M.from_env(name, take)
  return err.outcome(host.from_env(name, take))
end

--- The content of a file, FIFO or device, at most `max` (65536) bytes.
---@async
---@param path string
---@param max? integer
---@return secret.Secret?, err.Record?
function M.from_file(path, max)
  return err.outcome(host.from_file(path, max))
end

--- All that comes from an open descriptor; 0 is standard input.
---@async
---@param fd integer
---@param max? integer
---@return secret.Secret?, err.Record?
function M.from_fd(fd, max)
  return err.outcome(host.from_fd(fd, max))
end

return M
