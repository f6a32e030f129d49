-- The completion scripts in the shells they are for, as far as those are here.

local fs = require "sys.fs"
local process = require "sys.process"
local t = require "kit"

-- Directory with the binary under its own name, and the scripts.
local function prepare()
  local directory = t.tmpdir()
  assert(fs.write(directory .. "/clanker",
    ("#!/bin/sh\nexec '%s' \"$@\"\n"):format(t.binary()), { mode = 448 }))
  return directory
end

-- What a shell prints; nil when it is not installed.
local function shell(name, script)
  local directory = prepare()
  local result, e = process.run({
    argv = { name, "-c", script },
    env = { HOME = directory, PATH = directory .. ":" .. os.getenv("PATH") },
    inherit = { "CLANKER_LUA", "ASAN_OPTIONS" }, timeout = 60,
  })
  if not result then
    t.eq(e.code, "ENOENT")
    return nil
  end
  t.eq(result.code, 0, result.stderr)
  return result.stdout
end

local BASH = [[
source <(clanker completion bash)
try() {
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
  _clanker clanker
  printf '%s\n' "${COMPREPLY[*]}"
}
]]

local function bash(line)
  return shell("bash", BASH .. "try " .. line)
end

t.test("bash completes words, flags, values and names", function()
  t.eq(bash("clanker fly li"), "list\n")
  t.eq(bash("clanker fly list machines --sta"), "--state\n")
  t.eq(bash("clanker completion ''"), "bash zsh fish\n")
  t.eq(bash("clanker --sim fly get app my"), "my-app\n")
  t.eq(bash("clanker nope ''"), "\n")
end)

t.test("bash completes what stands behind =, which it cut off", function()
  t.eq(bash("clanker fly list machines --state = sto"), "stopped stopping\n")
  t.eq(bash("clanker fly list machines --state ="):match("^created"), "created")
end)

t.test("bash completes files where files stand", function()
  t.match(bash('clanker --config "$HOME/clan"'), "^/[^ ]+/clanker\n$")
  t.match(bash('clanker --config = "$HOME/clan"'), "^/[^ ]+/clanker\n$")
end)

t.test("fish completes the same", function()
  local function fish(line)
    return shell("fish", "clanker completion fish | source; complete -C '"
      .. line .. "'")
  end
  local words = fish("clanker fly li")
  if not words then
    t.skip("fish is not installed")
  end
  t.eq(words, "list\n")
  t.eq(fish("clanker --sim fly get app my"), "my-app\tpersonal\n")
  t.match(fish("clanker fly list machines --state=sto"), "%-%-state=stopped\n")
  t.match(fish("clanker --config=/etc/pass"), "%-%-config=/etc/passwd")
end)

-- zsh completes for a line editor only; its side of it is played here.
local ZSH = [[
compdef() { defined=$* }
compset() { : }
_files() { print -r -- files }
_describe() { print -rl -- "${(@P)2}" }
clanker completion zsh > $HOME/script
source $HOME/script
print -r -- $defined
try() {
  words=("$@") CURRENT=$#
  _clanker
}
]]

t.test("zsh completes the same", function()
  local function zsh(line)
    local out = shell("zsh", ZSH .. "try " .. line)
    return out and out:match("^_clanker clanker\n(.*)$")
  end
  local words = zsh("clanker fly li")
  if not words then
    t.skip("zsh is not installed")
  end
  t.eq(words, "list\n")
  t.eq(zsh("clanker --sim fly get app my"), "my-app:personal\n")
  t.eq(zsh("clanker fly list machines --state=sto"), "--state=stopped\n--state=stopping\n")
  t.eq(zsh("clanker --config=/etc/pass"), "files\n")
end)

-- A real zsh at a terminal that its own module makes: TAB is pressed, and then
-- the line is printed that stands there.
local ZPTY = [[
zmodload zsh/zpty || { print none; exit 0 }
zpty z 'COLUMNS=200 PS1=READY TERM=dumb zsh -f -i'
see() { zpty -r -m z out "*$1*" }
try() {
  zpty -w -n z "$1"$'\t\x01print -r -- G\'\'OT: "\x05"\n'
  see $'GOT:*READY'
  print -r -- "${${out#*GOT: }%%$'\r'*}"
}
see READY
zpty -w z 'autoload -U compinit; compinit -u -D; setopt nobeep; source <(clanker completion zsh)'
see $'\n*READY'
try 'clanker fly li'
try 'clanker --sim fly get app my'
try 'clanker fly list machines --state=launc'
zpty -d z
]]

t.test("a real zsh completes when TAB is pressed", function()
  local out = shell("zsh", ZPTY)
  if not out or out == "none\n" then
    t.skip("zsh with its module zpty is not installed")
  end
  t.eq(out, "clanker fly list\nclanker --sim fly get app my-app\n"
    .. "clanker fly list machines --state=launch_failed\n")
end)
