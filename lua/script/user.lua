--- Where a user's own Lua code is found: by path, then in ./.clanker, then in
--- ~/.clanker/lua. Looks at files; only source text is loaded.

local fs = require "sys.fs"

local M = {}

local FORMS = { "%s/%s.lua", "%s/%s/init.lua" }

local function is_file(path)
  local stat = fs.stat(path)
  return stat ~= nil and stat.type ~= "directory"
end

--- The directories of the user, nearest first.
---@return string[]
local function places()
  local home = fs.home()
  return { ".clanker", home and home .. "/.clanker/lua" }
end

--- The path of the script that is meant by a word: the word itself when there is
--- such a file or it names a directory, else a script in the user's directories,
--- with or without ".lua".
---@param word string
---@return string
function M.script(word)
  if word:find("/", 1, true) or is_file(word) then
    return word
  end
  for _, place in ipairs(places()) do
    for _, name in ipairs { word, word .. ".lua" } do
      if is_file(place .. "/" .. name) then
        return place .. "/" .. name
      end
    end
  end
  return word
end

--- The file of a module below one of the directories, or where it was sought.
local function find(name, roots)
  local path, tried = name:gsub("%.", "/"), {}
  for _, root in ipairs(roots) do
    for _, form in ipairs(FORMS) do
      local file = form:format(root, path)
      if is_file(file) then
        return file
      end
      tried[#tried + 1] = ("no file '%s'"):format(file)
    end
  end
  return nil, table.concat(tried, "\n\t")
end

--- Lets `require` find modules of the user, after the program's own: beside the
--- script, then in the user's directories.
---@param script string its path
function M.provide(script)
  local roots = { script:match("^(.*)/[^/]*$") or "." }
  roots[1] = roots[1] == "" and "/" or roots[1]
  table.move(places(), 1, 2, 2, roots)
  package.searchers[#package.searchers + 1] = function(name)
    local file, tried = find(name, roots)
    if not file then
      return tried
    end
    local chunk, message = loadfile(file, "t")
    if not chunk then
      error(("cannot load module '%s':\n\t%s"):format(name, message), 0)
    end
    return chunk, file
  end
end

return M
