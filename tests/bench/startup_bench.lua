--- Start-up of commands that make no request, against the bare interpreter.

local bench = ...

local ROUNDS = 60

local COMMANDS = {
  { "--version" },
  { "fly", "list", "--help" },
  { "__complete", "fly", "list", "ap" },
}

for _, words in ipairs(COMMANDS) do
  local argv = { bench.binary }
  table.move(words, 1, #words, 2, argv)
  local ours, reference = bench.turns(ROUNDS, {
    function()
      bench.run(argv)
    end,
    function()
      bench.run { "lua5.4", "-e", "" }
    end,
  }, "least")
  bench.figure("clanker " .. table.concat(words, " ") .. " / lua5.4 -e ''",
    ours / reference, "x", "<=", 2.5, ("%.2f ms, %.2f ms"):format(ours * 1e3, reference * 1e3))
end
