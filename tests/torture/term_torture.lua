local host = require "host.term"
local t = require "kit"
local task = require "sys.task"

t.torture("text and output survive a failing allocation", function()
  assert(host.sanitize(("\27"):rep(5000)) == ("\\x1b"):rep(5000))
  assert(host.fit("machines", 3) == "mac")
  assert(task.spawn(function()
    return host.write(2, "")
  end):await())
  assert(host.flush(2))
end)

t.torture("questions without a terminal survive a failing allocation", function()
  local value, message, code = host.hidden("? ")
  assert(value == nil and message and code == "ENOTTY")
  value, message, code = host.editor()
  assert(value == nil and message and code == "ENOTTY")
  assert(host.stdin(10) == "")
end)
