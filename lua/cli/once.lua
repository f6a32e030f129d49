--- What is shown once: credentials that an operation makes. They go to the
--- terminal, or into a new file that only its owner can read, and nowhere else;
--- where neither can be, nothing is made. Waits.

local err = require "base.err"
local fs = require "sys.fs"
local opkit = require "opkit"
local render = require "cli.render"
local secret = require "sys.secret"
local sensitive = require "fly.sensitive"
local str = require "base.str"
local stream = require "cli.stream"
local tbl = require "base.tbl"

local M = {}

--- Mode of the file: 0600.
local PRIVATE = 384

---@class cli.Place where the credentials go
---@field path string? of the file; nil: the terminal
---@field is_unseen boolean? nowhere: they are kept elsewhere
---@field is_done boolean? they are there
local Place = {}
Place.__index = Place

-- A file that was made for nothing goes again.
function Place:__close()
  if self.path and not self.is_done then
    fs.remove(self.path)
  end
end

local function refusal(call)
  local name = opkit.paths(call.row)[1]
  local why = call.world.is_tty(1) and "output as " .. call.format or "this output"
  return err.new({
    kind = "usage",
    message = ("%s: what it makes is shown once, at a terminal or in a file of"
      .. " yours, and %s is neither: nothing was made"):format(name, why),
    hint = "give --out FILE",
  })
end

-- Takes the file's name before anything is made: nothing of the user's is
-- replaced, and what is made has a place.
local function reserve(path)
  if path == "-" then
    return nil, err.new({
      kind = "usage", message = "--out: standard output is no place for it",
      hint = "name a file; a terminal shows it without --out",
    })
  end
  local ok, e = fs.write(path, "", { mode = PRIVATE, exclusive = true })
  if not ok then
    local wrapped = err.wrap(e, "--out")
    wrapped.hint = e.code == "EEXIST" and "name a file that is not there yet" or nil
    return nil, wrapped
  end
  return setmetatable({ path = path }, Place)
end

--- Where the operation's credentials shall go; decided before it is begun.
---@param call cli.Call of a row with `sensitive`
---@return cli.Place?
---@return err.Record?
function M.place(call)
  if call.args.out then
    return reserve(call.args.out)
  elseif call.world.is_tty(1) and (call.format == "table" or call.format == "wide") then
    return setmetatable({}, Place)
  elseif call.row.kept then
    return setmetatable({ is_unseen = true }, Place)
  end
  return nil, refusal(call)
end

-- The lines of a credential: itself, or NAME=value each.
local function lines_of(value, lines)
  if type(value) ~= "table" then
    lines[#lines + 1] = secret.concat({ value })
    return lines
  end
  for name, inner in tbl.sorted(value) do
    local text = type(inner) ~= "userdata" and tostring(inner) or inner
    lines[#lines + 1] = secret.concat({ name, "=", text })
  end
  return lines
end

-- All credentials of the result.
local function credentials(row, value)
  local lines = {}
  for _, path in ipairs(row.sensitive) do
    local found = path:sub(1, 1) ~= "!" and tbl.get(value, path) or nil
    if found ~= nil and found ~= "" then
      lines_of(found, lines)
    end
  end
  return lines
end

local function close_all(lines)
  for _, line in ipairs(lines) do
    line:close()
  end
end

-- A text of several lines (a file's content) ends in its own line end.
local function save(place, lines)
  local pieces = {}
  for _, line in ipairs(lines) do
    local last <close> = line:sub(-1)
    pieces[#pieces + 1] = line
    if not last:equals("\n") then
      pieces[#pieces + 1] = "\n"
    end
  end
  local whole <close> = secret.concat(pieces)
  return fs.write(place.path, whole, { mode = PRIVATE })
end

local function show(call, lines)
  for _, line in ipairs(lines) do
    local ok, e = call.world.reveal(1, line)
    if not ok then
      return nil, e
    end
  end
  call.out:note("this is shown once: keep it")
  return true
end

-- What was made is of no use without its credentials: how to undo it.
local function undo_hint(row, value)
  if not row.undo then
    return nil
  end
  local undo = require("opkit.registry").get(row.undo.op)
  local words = { "it was made, but cannot be used; undo it: clanker fly",
    opkit.paths(undo)[1] }
  for _, param in ipairs(undo.params) do
    local source = row.undo.args[param.name]
    local text = source and str.fill(source, function(name)
      return tostring(value[name] or "?")
    end)
    if text then
      words[#words + 1] = param.pos and text or param.flag .. " " .. text
    end
  end
  return table.concat(words, " ")
end

--- Puts the result's credentials where they shall go.
---@async
---@param call cli.Call
---@param place cli.Place
---@param value table
---@return true?
---@return err.Record?
function M.put(call, place, value)
  local lines <close> = setmetatable(credentials(call.row, value),
    { __close = close_all })
  if #lines == 0 then
    call.out:warn("the reply holds no credentials")
    return true
  elseif place.is_unseen then
    call.out:note("not shown here: " .. str.fill(call.row.kept, function(name)
      return tostring(call.args[name])
    end))
    return true
  elseif not place.path then
    return show(call, lines)
  end
  local ok, e = save(place, lines)
  if not ok then
    local lost = err.wrap(e, "--out")
    lost.hint = undo_hint(call.row, value)
    return nil, lost
  end
  place.is_done = true
  call.out:note(("written to %s, which only you can read"):format(place.path))
  return true
end

-- The row without its sensitive columns, which hold nothing to read.
local function open_columns(row)
  local hidden = tbl.set(row.sensitive)
  local columns = tbl.filter(row.columns or {}, function(column)
    return not hidden[column[2]]
  end)
  return tbl.merge(row, { columns = columns })
end

-- The rest of the result, in the format asked for.
local function print_rest(call, value, text)
  local shown = sensitive.plain(value)
  if call.format == "raw" then
    return call.out:data(text .. "\n")
  elseif call.format == "json" or call.format == "yaml" then
    return call.out:data(render[call.format](shown))
  elseif call.format == "csv" then
    local views = render.views(open_columns(call.row), true)
    return call.out:data(render.csv_head(views) .. render.csv_item(views, shown))
  end
  return call.out:data(render.detail(open_columns(call.row), shown, call.world.now()))
end

-- What flyctl says while it is at it goes by without the credentials.
---@async
local function carry_out(call, account, is_raw)
  local opts = { face = "cli", raw = is_raw }
  if not stream.has_flyctl(call.row) then
    return account:call(call.row.id, call.args, opts)
  end
  local out, talk = stream.talk(call), stream.talk(call)
  opts.on_stdout, opts.on_stderr = out.take, talk.take
  local value, info = account:call(call.row.id, call.args, opts)
  out:finish()
  talk:finish()
  return value, info
end

--- Carries out the operation, shows the result, and its credentials once.
---@async
---@param call cli.Call
---@param account cli.Session
---@param place cli.Place
---@return integer|true|nil exit_code
---@return err.Record?
function M.print(call, account, place)
  local is_raw = call.format == "raw"
  local value, info = carry_out(call, account, is_raw)
  if value == nil then
    return stream.failed(call, info)
  end
  local made = is_raw and info.made or value
  -- First of all: nothing that goes wrong later may lose them.
  local kept, lost = true, nil
  if place.path then
    kept, lost = M.put(call, place, made)
  end
  local ok, e = print_rest(call, made, is_raw and value or nil)
  if not place.path then
    kept, lost = M.put(call, place, made)
  end
  if not kept then
    return nil, lost
  end
  return ok, e
end

return M
