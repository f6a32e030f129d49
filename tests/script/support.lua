--- Scripts in the real binary: written to a file, run, and what came of it.

local fs = require "sys.fs"
local process = require "sys.process"
local sim = require "sim"
local t = require "kit"

local M = {}

--- What a script needs to act on an account of this test, and the account.
---@param options table? of sim.start
---@return table<string, string> env
---@return table account
function M.account(options)
  local account = assert(sim.start(options or { seed = "demo" }))
  t.cleanup(account.stop)
  return {
    FLY_API_HOSTNAME = account.url, FLY_API_BASE_URL = account.url,
    FLY_API_TOKEN = account.token,
  }, account
end

--- Starts `clanker run PATH WORDS…`; the options of process.run besides.
---@param path string
---@param words string[]?
---@param options table? env, on_stdout, …
---@return table options of process.run
function M.command(path, words, options)
  local all = { inherit = { "PATH", "CLANKER_LUA", "ASAN_OPTIONS" }, timeout = 60 }
  for key, value in pairs(options or {}) do
    all[key] = value
  end
  all.env = all.env or {}
  all.env.HOME = all.env.HOME or t.tmpdir()
  all.argv = { t.binary(), "run", path, table.unpack(words or {}) }
  return all
end

--- Runs a script file to its end.
---@async
function M.run_file(path, words, options)
  return assert(process.run(M.command(path, words, options)))
end

--- The path of a new file `script.lua` of this text.
---@param text string
---@return string
function M.write(text)
  local path = t.tmpdir() .. "/script.lua"
  assert(fs.write(path, text))
  return path
end

--- Runs a script of this text to its end.
---@async
function M.run(text, words, options)
  return M.run_file(M.write(text), words, options)
end

return M
