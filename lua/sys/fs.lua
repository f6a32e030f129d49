--- Files, directories and locks. Writes are private (0600) and atomic.
--- `value` or `nil, err`; what waits is marked async, the rest does not.

local err = require "base.err"
local host = require "host.fs"

local M = {}

---@class fs.Stat
---@field type "file"|"directory"|"link"|"pipe"|"socket"|"device"|"other"
---@field mode integer permission bits
---@field size integer bytes
---@field mtime number seconds since 1970
---@field uid integer

---@class fs.Lock
---@field release fun(self)

---@class fs.WalkEntry
---@field path string relative to the walk's directory
---@field type string as fs.Stat.type; a symbolic link is "link"

local MAX_WALK_ENTRIES = 100000
local MAX_WALK_DEPTH = 64

--- The content of a file, at most `max` bytes (16 MiB), else an error with code
--- E2BIG. Waits when it is a pipe or a terminal.
---@async
---@param path string
---@param max integer?
---@return string?
---@return err.Record?
function M.read(path, max)
  return err.outcome(host.read(path, max))
end

--- Replaces or creates a file at once: nobody, not even after a crash, sees half
--- of it. Refuses a symbolic link unless `follow`. Live secrets in a string are
--- masked; a secret itself is written as it is.
---@param path string
---@param data string|secret.Secret
---@param options { mode: integer?, parents: boolean?, exclusive: boolean?, follow: boolean? }?
---@return boolean?
---@return err.Record?
function M.write(path, data, options)
  return err.outcome(host.write(path, data, options))
end

--- Adds to the end of a file, or creates it. `sync` waits for the disk. Masks as
--- `write` does.
---@param path string
---@param data string|secret.Secret
---@param options { mode: integer?, sync: boolean? }?
---@return boolean?
---@return err.Record?
function M.append(path, data, options)
  return err.outcome(host.append(path, data, options))
end

--- Creates a directory (0700); with `parents` also those above it, and it may
--- exist already.
---@param path string
---@param mode integer?
---@param parents boolean?
---@return boolean?
---@return err.Record?
function M.mkdir(path, mode, parents)
  return err.outcome(host.mkdir(path, { mode = mode, parents = parents }))
end

--- What a path is; with `nofollow` of a symbolic link itself.
---@param path string
---@param nofollow boolean?
---@return fs.Stat?
---@return err.Record?
function M.stat(path, nofollow)
  return err.outcome(host.stat(path, nofollow))
end

--- Whether something is there (a dangling symbolic link counts).
---@param path string
---@return boolean
function M.exists(path)
  return host.stat(path, true) ~= nil
end

--- The names in a directory, sorted; at most `max` (100000).
---@param path string
---@param max integer?
---@return string[]?
---@return err.Record|string[] types in the names' order
function M.list(path, max)
  local names, types, code = host.list(path, max)
  if not names then
    return nil, err.from_host(types, code)
  end
  return names, types
end

--- Everything below a directory in a fixed order: a directory before what it
--- contains, names sorted. Symbolic links are told, not followed. A directory
--- that cannot be read ends the walk with its error.
---@param path string
---@param options { max: integer?, depth: integer? }? entries (100000), levels (64)
---@return fs.WalkEntry[]?
---@return err.Record?
function M.walk(path, options)
  local max = options and options.max or MAX_WALK_ENTRIES
  local depth = options and options.depth or MAX_WALK_DEPTH
  local found = {}

  local function visit(dir, prefix, level)
    local names, types = M.list(dir)
    if not names then
      return nil, types
    end
    for i, name in ipairs(names) do
      if #found == max then
        return nil, err.from_host(("%s: more than %d entries"):format(path, max), "E2BIG")
      end
      found[#found + 1] = { path = prefix .. name, type = types[i] }
      if types[i] == "directory" then
        if level == depth then
          return nil, err.from_host(("%s: more than %d levels"):format(path, depth), "E2BIG")
        end
        local ok, e = visit(dir .. "/" .. name, prefix .. name .. "/", level + 1)
        if not ok then
          return nil, e
        end
      end
    end
    return found
  end

  return visit(path, "", 1)
end

--- Removes a file, a symbolic link or an empty directory; with `recursive` a
--- directory and all it contains.
---@param path string
---@param recursive boolean?
---@return boolean?
---@return err.Record?
function M.remove(path, recursive)
  return err.outcome(host.remove(path, recursive))
end

--- Removes a file or a directory and all it contains, and overwrites the files
--- before.
---@param path string
---@return boolean?
---@return err.Record?
function M.wipe(path)
  return err.outcome(host.wipe(path))
end

--- Whether what is written there stays in memory; false where that is unknown.
---@type fun(path: string): boolean
M.in_memory = host.in_memory

--- Moves a file or directory, replacing a file.
---@param from string
---@param to string
---@return boolean?
---@return err.Record?
function M.rename(from, to)
  return err.outcome(host.rename(from, to))
end

--- Makes a symbolic link at a path; what it points to is not looked at.
---@param target string
---@param path string
---@return boolean?
---@return err.Record?
function M.symlink(target, path)
  return err.outcome(host.symlink(target, path))
end

--- Takes an exclusive lock between processes and tasks, on a file made for it.
--- The kernel releases it when the process dies; `release` or a `<close>`
--- variable before. Waits up to `timeout` seconds (10; 0 tries once).
---@async
---@param path string
---@param options { timeout: number? }?
---@return fs.Lock?
---@return err.Record?
function M.lock(path, options)
  return err.outcome(host.lock(path, options and options.timeout))
end

--- Makes a private directory with a new name in $TMPDIR or /tmp.
---@param prefix string?
---@return string?
---@return err.Record?
function M.tmpdir(prefix)
  return err.outcome(host.tmpdir(prefix))
end

--- The absolute path without symbolic links, "." and "..".
---@param path string
---@return string?
---@return err.Record?
function M.realpath(path)
  return err.outcome(host.realpath(path))
end

--- The user's home directory.
---@return string?
---@return err.Record?
function M.home()
  return err.outcome(host.home())
end

return M
