--- Runs one Lua test file and reports TAP; `clanker -l FILE [args]`.
--- Returns the exit code: 0 when every test passed.

return function(argv)
  local path = argv[2]
  local chunk, e = loadfile(path, "t")
  if not chunk then
    io.stdout:write("not ok - ", e, "\n")
    return 1
  end
  local args = table.move(argv, 3, #argv, 1, { [0] = path })
  _G.arg = args
  local kit = require "kit"
  kit.start(path)
  local ok, message = xpcall(chunk, debug.traceback, table.unpack(args))
  return kit.finish(ok, message)
end
