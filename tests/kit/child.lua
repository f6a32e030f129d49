--- Code that needs an environment of its own, as a test in a child process.

local compile = require "kit.compile"
local fs = require "sys.fs"
local process = require "sys.process"
local t = require "kit"

local M = {}

local HEAD = [[
local http = require "sys.http"
local t = require "kit"
local task = require "sys.task"
t.test("child", function()
%s
http.close()
end)
]]

--- Runs `code` as the body of a test, which fails when it fails there. `wrap` are
--- words to put before the program's name.
---@async
---@param env table<string, string>
---@param code string knows http, t and task
---@param wrap string[]?
function M.test(env, code, wrap)
  local path = t.tmpdir() .. "/child.lua"
  t.ok(fs.write(path, HEAD:format(code)))
  local argv = table.move(wrap or {}, 1, #(wrap or {}), 1, {})
  argv = table.move({ t.binary(), "-l", path }, 1, 3, #argv + 1, argv)
  local result = t.ok(process.run {
    argv = argv, env = env, timeout = 60,
    inherit = { "PATH", "HOME", "CLANKER_LUA", "CLANKER_BINARY" },
  })
  t.eq(result.code, 0, result.stdout .. result.stderr)
end

--- An environment in which "_api.internal" and names ending in ".here" are
--- 127.0.0.1, and those
--- ending in ".hang" are never resolved.
---@async
---@return table<string, string>
function M.names()
  local path = t.tmpdir() .. "/names.so"
  t.ok(fs.write(path, compile.fixture("names.c", { "-shared", "-fPIC", "-ldl" })))
  return { LD_PRELOAD = path, ASAN_OPTIONS = "verify_asan_link_order=0" }
end

return M
