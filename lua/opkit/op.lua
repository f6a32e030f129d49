--- The declaration `op { … }`: one operation, one row of data.
--- Declaring costs next to nothing: a row is read and checked when it is first
--- used, and a row that breaks a rule raises then, naming operation and field.

local registry = require "opkit.registry"

---@alias op.Effect "read"|"write"|"destroy"|"exec"

---@class op.Row
---@field id string "resource.verb"
---@field resource string derived from the id
---@field verb string derived from the id
---@field title string one line without a period
---@field doc string? longer text, dedented
---@field effect op.Effect
---@field escalate op.Escalation[]? arguments that raise the effect, or that are
--- asked about
---@field confirm string? the question before a destroy; {slots} are parameters
---@field preview string? operation that shows what a destroy takes along; of
--- the same arguments, as far as it has them
---@field offer string[]? of a destroy: the boolean parameter that is offered at
--- a terminal, and the question
---@field cost string? how it can change the bill
---@field http string[]? { method, path with {slots} }
---@field gql string? one named query or mutation
---@field flyctl (string|table)[]? words; { when = "param", "--flag", "{param}" }
---@field run fun(ctx: op.Context, args: table): any, err.Record?
---@field calls string[]? with `run`: the operations it may call
---@field body "optional"? the request may have no body at all
---@field stdin string? with `flyctl`: the parameter fed to standard input
---@field here boolean? with `flyctl`: it runs where the user is and reads the
--- fly.toml there; else in an empty directory
---@field params op.Param[] in order
---@field param table<string, op.Param> by name; derived
---@field positional op.Param[] by position; derived
---@field returns schema.Shape|string? of the result; a string names a schema
---@field sensitive string[]? paths in the result that are credentials, "!path"
--- for what within them is none: secrets from the moment the reply is read,
--- shown once, to a terminal or a file of the user's choice, and nowhere else
---@field items string? where the list sits in the reply; nil: the reply is it
---@field item string? where a single result sits in the reply
---@field page "body"|"header"|"graphql"|nil how further pages are asked for
---@field order string[]? paths by which the list is sorted
---@field noun string? what the items of a list are, where they are not the
--- resource: "members"
---@field columns op.Column[]? the table view
---@field limit "app"|"machine"|"machine_get"|"caller"|"none"|nil
---@field lease "optional"|"required"|nil the call takes a lease's nonce
---@field api "machines"|"web"|nil which base URL; derived for `gql`
---@field timeout number? seconds the call may take; nil: the caller's default
---@field cli string[]? command paths besides those its id gives; first shown
---@field produces table<string, string>? name → path in the result
---@field undo { op: string, args: table<string, string> }? the inverse
---@field idempotent boolean? repeating it changes nothing more
---@field hidden boolean? a building block: no face offers it
---@field since string? version that brought it
---@field stability "stable"|"preview"|nil nil means stable
---@field examples string[]? command lines without the program's name

---@class op.Escalation
---@field when table<string, any>|fun(args: table, seen: any): boolean equal arguments
---@field seeing string? reading operation, of the same arguments as far as it
--- has them, whose result `when` judges by
---@field effect op.Effect
---@field why string
---@field confirm string?

---@class op.Context what `run` gets; nothing else is reachable from there
---@field call fun(id: string, args: table, opts: table?): any, err.Record? opts:
--- `each` gets a list's items, `raw` wants the reply's text, `nonce` of a lease
---@field map fun(list: any[], fn: fun(item: any, i: integer): any, err.Record?,
--- limit: integer?): any[]?, err.Record? runs fn for all at the same time (or
--- `limit` of them), results in order; the first error ends the rest and is
--- the result
---@field lease fun(target: { app: string, id: string }, fn: fun(lease:
--- { nonce: string }): any, err.Record?): any, err.Record? holds a machine's
--- lease meanwhile, and gives it back on every way out
---@field wait fun(target: table): table?, err.Record? until a machine (`app`,
--- `id`) has a `state`; `version`, `timeout`, `launched` as in fly.wait
---@field snapshot fun(query: table): table[]?, err.Record? the newest log lines
---@field follow fun(queries: table[], on_line: function): boolean?, err.Record?
---@field sleep fun(seconds: number)
---@field unique fun(): string a text that never comes again
---@field key_pair fun(): any?, string|err.Record a new private key, a secret, and
--- its public one, both as WireGuard takes them
---@field secret fun(pieces: any[]): any one secret made of texts and secrets
---@field flyctl fun(): true?, err.Record? whether flyctl is there, and keeps what
--- it is told in memory
---@field memo table<string, any> lasts as long as the client; for hints only
---@field each fun(item: any)? set when the caller takes items as they come
---@field org string? slug of the organization to stay in
---@field notice fun(text: string) tells the user something on the side
---@field now fun(): number

--- Declares an operation.
---@param declared table
return function(declared)
  registry.declare(declared)
end
