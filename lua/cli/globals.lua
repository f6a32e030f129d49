--- The flags every command takes, light enough for every start; in full, as
--- parameters that can be checked and explained, on request.

local M = {}

-- As declared, like the parameters of an operation.
local DECLARED = {
  { "app", "app", "the app to act on", short = "a" },
  { "org", "org", "only this organization; default: every one the token sees" },
  { "output", "enum", "how results are printed", short = "o", metavar = "FORMAT",
    values = { "table", "wide", "json", "yaml", "csv" } },
  { "json", "boolean", "same as -o json; errors are JSON too" },
  { "raw", "boolean", "the server's own JSON, nothing else on stdout" },
  { "where", "string", "only items for which this Lua expression holds",
    metavar = "EXPR" },
  { "select", "string", "only these fields or columns, separated by commas",
    metavar = "NAMES" },
  { "sort", "string", "order by these; -NAME turns it around", metavar = "NAMES",
    takes_dash = true },
  { "api_token_file", "file", "read the token from this file; - is stdin" },
  { "api_token", "string", "the token itself; other users can see it in ps" },
  { "config", "file", "use this file instead of ~/.clanker.yaml" },
  { "backend_url", "string", "where credentials are stored, instead of here",
    metavar = "URL" },
  { "timeout", "duration", "give up after this long" },
  { "allow_http", "boolean", "accept plain http to hosts that are not local" },
  { "sim", "boolean", "use a simulated account instead of Fly.io" },
  { "yes", "boolean", "answer yes to every question", short = "y" },
  { "force", "boolean", "the same, for what destroys", hidden = true },
  { "debug", "boolean", "say on stderr what is requested" },
  { "no_color", "boolean", "no colours, as NO_COLOR does" },
  { "help", "boolean", "what a command does and takes", short = "h" },
  { "version", "boolean", "the version", hidden = true },
}

--- Those that only lists take.
M.OF_LISTS = { "where", "select", "sort" }

-- What reading argv needs to know of a flag.
local function light(declared)
  local name = declared[1]
  return {
    name = name, text = declared[3], short = declared.short,
    hidden = declared.hidden, flag = "--" .. name:gsub("_", "-"),
    kind = { is_flag = declared[2] == "boolean" },
    takes_dash = declared.takes_dash,
  }
end

---@type op.Param[] with only what reading argv needs
M.FLAGS = {}
for i, declared in ipairs(DECLARED) do
  M.FLAGS[i] = light(declared)
end

-- What a row may say of it.
local function full(declared)
  local copy = require("base.tbl").copy(declared)
  copy.takes_dash = nil
  return copy
end

--- The flags as the parameters of a row.
---@return op.Row
function M.row()
  local params = require "opkit.params"
  local row = { id = "clanker" }
  row.params, row.param, row.positional = params.read("global flags", {
    params = require("base.tbl").map(DECLARED, full),
  })
  return row
end

return M
