--- Picks the face, reports the last error, returns the exit code.
--- The only module that may require every room.

---@param argv string[] argv[0] is the program's name
---@return integer exit_code
return function(argv)
  if argv[1] == "-l" then
    -- Development builds find the test kit through $CLANKER_LUA.
    return require("kit.runner")(argv)
  end
  if argv[1] == "--version" then
    io.stdout:write("clanker\n")
    return 0
  end
  return 2
end
