--- The HTTP request of an operation row, ready to send.
--- Pure. An argument can never become another path, another query or a header.

local bodies = require "fly.body"
local err = require "base.err"
local opkit = require "opkit"
local str = require "base.str"
local text = require "fly.text"

local M = {}

M.LEASE_HEADER = "fly-machine-lease-nonce"

--- Refuses what would name another path: many servers resolve "." and ".."
--- even when they are encoded, and drop an empty segment.
---@param row op.Row
---@param args table<string, any>
---@return table? err
local function check_segments(row, args)
  for _, name in ipairs(str.slots(row.http[2])) do
    local word = tostring(args[name] == nil and "" or args[name])
    if word == "" or word == "." or word == ".." then
      return err.new {
        kind = "usage",
        message = ("%q cannot be the %s of anything"):format(word, name),
        hint = "give the name or id as a list shows it",
      }
    end
  end
  return nil
end

--- A header's value must not start another header.
---@param headers table<string, string>
---@return table? err
local function check_headers(headers)
  for name, value in pairs(headers) do
    if value:find("%c") then
      return err.new {
        kind = "usage",
        message = ("%s: %q holds a control character"):format(name, text.line(value, 60)),
      }
    end
  end
  return nil
end

---@param pairs_list {[1]: string, [2]: string}[]
---@return string "" or "?a=b&c=d"
local function query_text(pairs_list)
  local words = {}
  for i, row in ipairs(pairs_list) do
    words[i] = str.url_escape(row[1]) .. "=" .. str.url_escape(row[2])
  end
  return #words > 0 and "?" .. table.concat(words, "&") or ""
end

--- Which service's rules apply to the row, and which base URL.
---@param row op.Row
---@return fly.Service service, "machines"|"api" base
function M.service(row)
  if row.api ~= "web" then
    return "machines", "machines"
  end
  return row.http[2]:match("/logs$") and "logs" or "uiex", "api"
end

---@class fly.RestOptions
---@field cursor string? of the page to ask for
---@field nonce string? of a lease held

--- Method, URL, body and headers for checked arguments.
---@param row op.Row
---@param args table<string, any>
---@param bases {machines: string, api: string}
---@param opts fly.RestOptions?
---@return table? request {method, url, action, service, body, headers}, table? err
function M.request(row, args, bases, opts)
  opts = opts or {}
  local refused, body = check_segments(row, args), nil
  if refused then
    return nil, refused
  end
  local made = opkit.http(row, args)
  refused = check_headers(made.headers)
  if refused then
    return nil, refused
  end
  if opts.cursor then
    made.query[#made.query + 1] = { "cursor", opts.cursor }
  end
  made.headers[M.LEASE_HEADER] = opts.nonce
  if made.body then
    body, refused = bodies.encode(made.body)
    if refused then
      return nil, refused
    end
  end
  local service, base = M.service(row)
  return {
    method = made.method,
    url = bases[base] .. made.path .. query_text(made.query),
    action = table.concat(row.http, " "),
    service = service,
    body = body,
    headers = made.headers,
  }
end

return M
