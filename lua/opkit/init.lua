--- What an operation is, and every view derived from its row.
--- One door to the room; a view is loaded when it is first used, so that a
--- command pays for what it shows.

-- view → its module, and its name there when different
local HOMES = {
  op = { "opkit.op" },
  resource = { "opkit.resource" },
  check = { "opkit.check", "check" },
  redact = { "opkit.check", "redact" },
  effect = { "opkit.effect", "effect" },
  confirm = { "opkit.effect", "confirm" },
  http = { "opkit.request", "http" },
  gql = { "opkit.request", "gql" },
  flyctl = { "opkit.request", "flyctl" },
  describe = { "opkit.request", "describe" },
  usage = { "opkit.help", "usage" },
  help = { "opkit.help", "help" },
  paths = { "opkit.help", "paths" },
  complete = { "opkit.help", "complete" },
  schema = { "opkit.tool", "schema" },
  tool = { "opkit.tool", "tool" },
  returns = { "opkit.tool", "returns" },
  result_schema = { "opkit.tool", "result_schema" },
  columns = { "opkit.columns", "columns" },
  sort = { "opkit.columns", "sort" },
  sort_key = { "opkit.columns", "sort_key" },
  is_list = { "opkit.select", "is_list" },
  select = { "opkit.select", "new" },
}

---@class opkit
---@field op fun(declared: table): op.Row
---@field resource fun(declared: table): op.Resource
---@field check fun(op: op.Row, args: table, face: op.Face?): table?, err.Record?
---@field redact fun(op: op.Row, args: table): table
---@field effect fun(op: op.Row, args: table, seen: table?): op.Effect, string?
---@field confirm fun(op: op.Row, args: table, seen: table?): string?
---@field http fun(op: op.Row, args: table): op.Request
---@field gql fun(op: op.Row, args: table): op.GraphQL
---@field flyctl fun(op: op.Row, args: table): string[]?, any
---@field describe fun(op: op.Row): string
---@field usage fun(op: op.Row, opts: op.HelpOptions?): string
---@field help fun(op: op.Row, opts: op.HelpOptions?): string
---@field paths fun(op: op.Row): string[]
---@field complete fun(param: op.Param): table?
---@field schema fun(op: op.Row, opts: table?): table
---@field tool fun(op: op.Row): table
---@field returns fun(op: op.Row): schema.Shape?
---@field result_schema fun(op: op.Row): table?
---@field columns fun(op: op.Row): op.View[]
---@field sort fun(op: op.Row, list: any[]): any[]
---@field sort_key fun(op: op.Row, item: any): string
---@field is_list fun(op: op.Row): boolean
---@field select fun(op: op.Row, wanted: op.Wanted): op.Selection?, err.Record?
return setmetatable({}, {
  __index = function(self, name)
    local home = HOMES[name]
    if not home then
      error(("opkit has no %q"):format(tostring(name)), 2)
    end
    local module = require(home[1])
    local view = home[2] and module[home[2]] or module
    rawset(self, name, view)
    return view
  end,
})
