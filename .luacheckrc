-- What Lua code here may touch; the exceptions are each capability's one home.
std = "lua54"
max_line_length = 100
unused_args = true
self = false
not_globals = {
  "coroutine", "load", "loadfile", "loadstring", "dofile", "debug", "print",
  "os.execute", "os.exit", "os.getenv", "os.remove", "os.rename", "os.tmpname",
  "io.popen", "io.open", "io.lines", "io.read", "io.write",
}
-- Tests stand outside the rooms; they may look at anything.
files["tests"] = {
  not_globals = {},
  globals = { "arg" },
  read_globals = { "coroutine", "load", "loadfile", "debug", "print", "io", "os" },
  ignore = { "311" },
}
-- The homes of what is forbidden elsewhere.
files["lua/script"] = {
  not_globals = {},
  globals = { "arg", "coroutine", "debug", "io", "load", "loadfile", "os", "print" },
}
