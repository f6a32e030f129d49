--- Runs flyctl for what only it can do: found, fed and shut in.
--- Waits. It gets one token, no settings of the user's, and a directory that
--- goes with it, since it writes what it sends into log files there.

local directories = require "fly.flyctl_dir"
local err = require "base.err"
local hints = require "fly.hints"
local opkit = require "opkit"
local secret = require "sys.secret"
local sensitive = require "fly.sensitive"
local sift = require "fly.sift"
local str = require "base.str"
local tbl = require "base.tbl"
local text = require "fly.text"

local M = {}

---@class fly.FlyctlDeps
---@field process table sys.process
---@field fs table sys.fs
---@field os table sys.os
---@field settings fly.Settings
---@field auth fly.Auth
---@field log fun(line: string)?
---@field memo table<string, any>? what was learned lately: hints only

---@class fly.FlyctlOptions
---@field name string? of the command, in errors
---@field stdin any text or secret
---@field cwd string?
---@field timeout number? seconds
---@field color boolean? the output goes to a terminal
---@field on_stdout fun(chunk: string)? gets the output as it comes
---@field on_stderr fun(chunk: string)?

---@class fly.FlyctlResult
---@field stdout string
---@field stderr string
---@field found table<string, secret.Secret>? credentials that it wrote, by name

local NAMES = { "flyctl", "fly" }

local INSTALL = {
  Darwin = "brew install flyctl",
  Linux = "curl -L https://fly.io/install.sh | sh",
}

--- Variables it may have of ours: where programs, Docker and proxies are. Not
--- among them: everything that begins with FLY_, and LOG_LEVEL.
local INHERITED = {
  "PATH", "HOME", "USER", "LANG", "LC_ALL", "TERM", "TMPDIR", "SSH_AUTH_SOCK",
  "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "XDG_RUNTIME_DIR",
  "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
  "http_proxy", "https_proxy", "no_proxy",
}

--- Of its error output, this much is looked at, in bytes.
local TAIL = 4096

--- Seconds it has to release what it holds when it is ended.
local PATIENCE = 5

--- Seconds in which it must tell its version.
local VERSION_TIMEOUT = 20

--- The oldest version whose commands are known here.
local OLDEST = { 0, 3, 0 }

-- Kinds of failure that only its words tell, and what to do where that is not
-- what every failure of the kind asks for.
local SAYINGS = {
  { "usage", "missing an app name",
    "name the app with --app, or the directory where its fly.toml is" },
  { "not_found", "could not find image",
    "it must be in a registry that Fly can read: `clanker fly list releases` shows images"
      .. " that were deployed" },
  { "error", "failed to fetch an image",
    "it must be in a registry that Fly can read: `clanker fly list releases` shows images"
      .. " that were deployed" },
  { "not_found", "could not find" },
  { "not_found", "not found" },
  { "auth", "no access token" },
  { "auth", "unauthorized" },
  { "forbidden", "not authorized" },
  { "capacity", "insufficient" },
  { "usage", "unknown flag" },
  { "usage", "unknown command" },
}

---@param deps fly.FlyctlDeps
---@return table err
local function missing(deps)
  local platform = deps.os.platform()
  local command = INSTALL[platform and platform.sysname] or INSTALL.Linux
  return err.new {
    kind = "error",
    code = "ENOENT",
    message = "flyctl is not installed, and this needs it",
    hint = ("install it with `%s`, or put it on PATH"):format(command),
  }
end

--- Where flyctl is.
---@param deps fly.FlyctlDeps
---@return string? path, table? err
function M.find(deps)
  for _, name in ipairs(NAMES) do
    local path = deps.process.which(name)
    if path then
      return path
    end
  end
  return nil, missing(deps)
end

--- Whether flyctl can be told a secret, which it will write into its log: it is
--- there, and so is memory for its directory.
---@async
---@param deps fly.FlyctlDeps
---@return true? yes, table? err
function M.is_safe(deps)
  local found, e = M.find(deps)
  if not found then
    return nil, e
  end
  return directories.is_in_memory()
end

--- Everything the child has in its environment besides what it inherits.
---@param deps fly.FlyctlDeps
---@param dir string
---@param color boolean?
---@return table<string, any>
local function environment(deps, dir, color)
  local token = deps.auth:joined(true)
  local bases = deps.settings.bases
  return {
    FLY_API_TOKEN = token,
    FLY_ACCESS_TOKEN = token,
    FLY_CONFIG_DIR = dir,
    FLY_NO_UPDATE_CHECK = "1",
    FLY_SEND_METRICS = "0",
    NO_COLOR = not color and "1" or nil,
    FLY_FLAPS_BASE_URL = bases.machines,
    FLY_API_BASE_URL = bases.api,
    FLY_UIEX_BASE_URL = bases.api,
    FLY_ORG = deps.settings.org,
  }
end

--- What it said last, without its "Error:".
---@param stderr string
---@return string?
local function last_words(stderr)
  local found
  -- Masked before it is cut: of half a value nobody can tell that it is one.
  stderr = secret.mask(stderr):sub(-TAIL)
  for _, line in ipairs(str.split(stderr, "\n")) do
    local clean = text.line(line)
    if clean ~= "" then
      found = clean
    end
    local said = clean:match("^Error: (.+)$")
    if said then
      return said
    end
  end
  return found
end

---@param message string
---@return string kind, string? hint
local function kind_of(message)
  local lower = message:lower()
  for _, row in ipairs(SAYINGS) do
    if lower:find(row[2], 1, true) then
      return row[1], row[3]
    end
  end
  return "error"
end

-- "flyctl scale count": the words of a template before any argument.
---@param op op.Row
---@return string
local function command_of(op)
  local words = { "flyctl" }
  for _, word in ipairs(op.flyctl) do
    if type(word) ~= "string" or not word:find("^%l[%w-]*$") then
      break
    end
    words[#words + 1] = word
  end
  return table.concat(words, " ")
end

---@param name string of the command
---@param result table
---@param stderr string
---@return table err
local function failure(name, result, stderr)
  local how = result.signal and ("was ended by " .. result.signal)
    or ("failed with exit code %d"):format(result.code or -1)
  local said = last_words(stderr)
  local kind, hint = kind_of(said or "")
  return err.new {
    kind = kind,
    hint = hint or hints.for_reply(kind, 0, {}, {}),
    message = said and ("%s %s: %s"):format(name, how, said) or ("%s %s"):format(name, how),
    detail = {
      exit_code = result.code, signal = result.signal, summary = name .. " " .. how,
    },
  }
end

--- Keeps the end of what passes by.
---@param pass_on fun(chunk: string)?
---@return fun(chunk: string) take, fun(): string tail
local function tail_of(pass_on)
  local kept, masker = "", secret.masker()
  return function(chunk)
    kept = (kept .. masker:feed(chunk)):sub(-TAIL)
    if pass_on then
      pass_on(chunk)
    end
  end, function()
    kept = (kept .. masker:finish()):sub(-TAIL)
    return kept
  end
end

---@param deps fly.FlyctlDeps
---@param path string
---@param words string[]
---@param opts fly.FlyctlOptions
---@param dir fly.FlyctlDir
---@return table options of process.run, fun(): string tail of its error output
local function options_of(deps, path, words, opts, dir)
  local options = {
    argv = { path, table.unpack(words) },
    stdin = opts.stdin,
    cwd = opts.cwd or dir.cwd,
    timeout = opts.timeout,
    kill_after = PATIENCE,
    inherit = INHERITED,
    env = environment(deps, dir.path, opts.color),
    on_stdout = opts.on_stdout,
  }
  if not opts.on_stderr then
    return options, nil
  end
  local take, tail = tail_of(opts.on_stderr)
  options.on_stderr = take
  return options, tail
end

--- Runs flyctl with these words to its end. An exit code other than 0 is an
--- error; `detail.exit_code` is the code.
---@async
---@param deps fly.FlyctlDeps
---@param words string[] never a secret: others can read them
---@param opts fly.FlyctlOptions?
---@return fly.FlyctlResult? result, table? err
function M.run(deps, words, opts)
  opts = opts or {}
  local path, e = M.find(deps)
  if not path then
    return nil, e
  end
  local dir <close>, why = directories.open()
  if not dir then
    return nil, why
  end
  if deps.log then
    deps.log("flyctl " .. table.concat(words, " "))
  end
  local options, tail = options_of(deps, path, words, opts, dir)
  local result, failed = deps.process.run(options)
  if not result then
    return nil, failed
  elseif result.code ~= 0 then
    return nil, failure(opts.name or "flyctl " .. (words[1] or ""), result,
      tail and tail() or result.stderr)
  end
  return { stdout = result.stdout, stderr = result.stderr }
end

--- Its version, as three numbers.
---@async
---@param deps fly.FlyctlDeps
---@return {[1]: integer, [2]: integer, [3]: integer}? version, table? err
function M.version(deps)
  local result, e = M.run(deps, { "version" }, { timeout = VERSION_TIMEOUT })
  if not result then
    return nil, e
  end
  local major, minor, patch = result.stdout:match("v(%d+)%.(%d+)%.(%d+)")
  if not major then
    return nil, err.new {
      kind = "protocol",
      message = "flyctl does not tell its version: " .. text.line(result.stdout, 80),
    }
  end
  return { math.tointeger(major), math.tointeger(minor), math.tointeger(patch) }
end

--- Whether a version is one whose commands are known here.
---@param version {[1]: integer, [2]: integer, [3]: integer}
---@return table? err
function M.too_old(version)
  if version[1] + version[2] + version[3] == 0 then
    return nil -- somebody's own build
  end
  for i, least in ipairs(OLDEST) do
    if version[i] ~= least then
      if version[i] > least then
        return nil
      end
      return err.new {
        kind = "error",
        message = ("flyctl %s is too old, %s or later is needed"):format(
          table.concat(version, "."), table.concat(OLDEST, ".")),
        hint = "run `flyctl version upgrade`",
      }
    end
  end
  return nil
end

-- A text that is another one when the program at the path is.
---@param deps fly.FlyctlDeps
---@param path string
---@return string?
local function identity(deps, path)
  local stat = deps.fs.stat(path)
  return stat and ("flyctl %s %d %d"):format(path, stat.size, math.floor(stat.mtime))
end

--- Refuses a flyctl that is too old to know its commands. It is asked once, and
--- then believed for as long as the memo lasts. One that does not tell may do.
---@async
---@param deps fly.FlyctlDeps
---@return true? ok, table? err
function M.check_version(deps)
  local path, e = M.find(deps)
  if not path then
    return nil, e
  end
  local known = deps.memo and identity(deps, path)
  if known and deps.memo[known] then
    return true
  end
  local version = M.version(deps)
  local refused = version and M.too_old(version)
  if refused then
    return nil, refused
  elseif version and known then
    deps.memo[known] = true
  end
  return true
end

--- Runs it with the credentials taken out of what it writes; `found` of the
--- result has them.
---@async
---@param deps fly.FlyctlDeps
---@param words string[]
---@param opts fly.FlyctlOptions
---@param finds table<string, string>
---@return fly.FlyctlResult? result, table? err
local function run_sifted(deps, words, opts, finds)
  local sieve = sift.new(finds)
  local pass = { opts.on_stdout, opts.on_stderr }
  local function pass_on(fd, said)
    if pass[fd] and said ~= "" then
      pass[fd](said)
    end
  end
  local given = tbl.merge(opts, {
    on_stdout = function(chunk)
      pass_on(1, sieve:feed(1, chunk))
    end,
    on_stderr = function(chunk)
      pass_on(2, sieve:feed(2, chunk))
    end,
  })
  local result, e = M.run(deps, words, given)
  for fd = 1, 2 do
    pass_on(fd, sieve:finish(fd))
  end
  if not result then
    -- They stay secrets until the collector comes: the error may repeat them.
    return nil, e
  end
  sieve:close()
  return tbl.merge(result, { found = sieve.found })
end

--- Carries out a `flyctl` row.
---@async
---@param deps fly.FlyctlDeps
---@param call fly.Call
---@return fly.FlyctlResult? result, table? err
function M.call(deps, call)
  local words, stdin = opkit.flyctl(call.op, call.args)
  if not words then
    return nil, stdin
  end
  local ok, why = M.check_version(deps)
  if not ok then
    return nil, why
  end
  local opts, keeps = call.opts, call.op.sensitive ~= nil
  local given = {
    name = command_of(call.op), stdin = stdin,
    cwd = call.op.here and (opts.cwd or ".") or nil,
    timeout = call.op.timeout, color = opts.color,
    on_stdout = not keeps and opts.on_stdout or nil, on_stderr = opts.on_stderr,
  }
  local run = call.op.finds and run_sifted or M.run
  local result, e = run(deps, words, given, call.op.finds)
  if result then
    sensitive.take(call.op, result)
  end
  return result, e
end

return M
