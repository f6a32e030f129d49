--- Runs operations that flyctl carries out: what it writes is passed on as it
--- comes, each stream to its own, and its exit code is ours.
--- Waits until it has ended.

local err = require "base.err"
local render = require "cli.render"
local tbl = require "base.tbl"
local terminal = require "cli.terminal"

local M = {}

-- Bytes of output that a result in JSON may hold.
local MOST = 16 << 20

-- What flyctl wrote is the result itself.
local function is_its_output(returns)
  return type(returns) == "table" and returns.object ~= nil
    and returns.object.stdout ~= nil
end

--- Whether flyctl has a part in the operation.
---@param row op.Row
---@return boolean
function M.has_flyctl(row)
  local registry = require "opkit.registry"
  return row.flyctl ~= nil or tbl.find(row.calls or {}, function(id)
    return registry.get(id).flyctl ~= nil
  end) ~= nil
end

--- Whether what flyctl writes is all that the operation gives.
---@param row op.Row
---@return boolean
function M.is_streamed(row)
  if row.flyctl then
    return true
  elseif not row.run or (row.returns ~= nil and not is_its_output(row.returns)) then
    return false
  end
  return M.has_flyctl(row)
end

-- Where a character begins that the chunk does not hold to its end.
local function cut_of(chunk)
  for i = #chunk, math.max(1, #chunk - 3), -1 do
    local byte = chunk:byte(i)
    if byte < 0x80 then
      return #chunk
    elseif byte >= 0xC0 then
      local length = byte >= 0xF0 and 4 or byte >= 0xE0 and 3 or 2
      return i + length - 1 > #chunk and i - 1 or #chunk
    end
  end
  return #chunk
end

--- Passes chunks on, harmless where they go to a terminal.
---@class cli.Pass
---@field take fun(chunk: string)
---@field lost err.Record? why stdout takes no more
local Pass = {}
Pass.__index = Pass

-- When nobody takes what flyctl writes, flyctl is ended where it only reads; a
-- change that has begun is not left half done for that.
local function write(self, text)
  if text == "" or self.lost then
    return
  end
  local ok, e = self.call.out:pass(self.fd,
    self.is_tty and terminal.clean_lines(text) or text)
  if ok or self.fd ~= 1 then
    return
  elseif self.call.row.effect == "read" then
    error(e, 0)
  end
  self.lost = e
end

local function take(self, chunk)
  chunk = self.rest .. chunk
  local cut = self.is_tty and cut_of(chunk) or #chunk
  self.rest = chunk:sub(cut + 1)
  write(self, chunk:sub(1, cut))
end

--- What is left of a character goes out as it is.
function Pass:finish()
  write(self, self.rest)
  self.rest = ""
end

---@return cli.Pass
local function pass_to(call, fd)
  local pass = setmetatable({
    call = call, fd = fd, is_tty = call.world.is_tty(fd), rest = "",
  }, Pass)
  pass.take = function(chunk)
    take(pass, chunk)
  end
  return pass
end

-- Keeps chunks and passes them on.
local function kept(pass)
  local chunks, size = {}, 0
  return function(chunk)
    if size < MOST then
      chunks[#chunks + 1] = chunk
      size = size + #chunk
    end
    pass.take(chunk)
  end, function()
    return table.concat(chunks)
  end
end

---@async
local function run(call, account, on_stdout, on_stderr)
  local ok, value, e = pcall(account.call, account, call.row.id, call.args, {
    face = "cli", color = call.out:colors(1) and call.out:colors(2),
    on_stdout = on_stdout, on_stderr = on_stderr,
    on_notice = function(text)
      call.out:note(text)
    end,
  })
  if ok then
    return value, e
  elseif err.is(value) then
    return nil, value
  end
  error(value, 0)
end

--- Passes on to stderr what flyctl writes while it makes something.
---@param call cli.Call
---@return cli.Pass
function M.talk(call)
  return pass_to(call, 2)
end

--- The end of a call that failed: flyctl said itself what is wrong, right above,
--- and its exit code is ours.
---@param call cli.Call
---@param e err.Record
---@return integer? exit_code
---@return err.Record?
function M.failed(call, e)
  local detail = type(e.detail) == "table" and e.detail or {}
  if not detail.exit_code then
    return nil, e
  elseif not call.out.is_json then
    e = tbl.merge(e, { message = detail.summary or e.message })
    e = err.new(e)
  end
  call.out:fail(e)
  return detail.exit_code
end

-- A program reads the result; people read along on stderr.
---@async
local function run_as_value(call, account)
  local talk = pass_to(call, 2)
  local take_out, stdout = kept(talk)
  local take_err, stderr = kept(talk)
  local value, e = run(call, account, take_out, take_err)
  talk:finish()
  if value == nil then
    return M.failed(call, e)
  end
  return call.out:data(render[call.format]({
    exit_code = 0, stdout = stdout(), stderr = stderr(),
  }))
end

--- Runs the operation of the call.
---@async
---@param call cli.Call
---@param account cli.Session
---@return integer|true|nil exit_code
---@return err.Record?
function M.run(call, account)
  if call.format == "json" or call.format == "yaml" then
    return run_as_value(call, account)
  end
  local out, talk = pass_to(call, 1), pass_to(call, 2)
  local value, e = run(call, account, out.take, talk.take)
  if value == nil then
    return M.failed(call, e)
  end
  out:finish()
  talk:finish()
  if out.lost then
    return nil, out.lost
  end
  return true
end

return M
