--- The commands that are no operations, declared in the form of one: what they
--- are called, what they take, and the module that runs them.

local M = {}

---@class cli.Own
---@field path string
---@field also string? other words that name it
---@field home string the module that runs it
---@field fn string? the function there; "run" unless told
---@field title string
---@field doc string?
---@field params table[]? as an operation declares them
---@field examples string[]?
---@field effect op.Effect? "read" unless told
---@field confirm string? the question before it destroys
---@field verbatim integer? after this many arguments all words are arguments
---@field is_hidden boolean?

local PROVIDER = {
  "provider", "enum", "whose credentials", pos = 1, required = true,
  values = { "flyio" },
}

--- In the order help shows them.
---@type cli.Own[]
M.LIST = {
  {
    path = "ask", home = "cli.ask", title = "Ask a question about your account",
    doc = [[
      Answers from the account's data. Without an AI provider the built-in
      answerer serves: it knows apps, machines, volumes, regions,
      organizations, secrets, IP addresses, certificates and releases.]],
    params = {
      { "question", "string", "the question, quoted or not", pos = 1,
        many = true, required = true },
      { "flyio", "boolean", "the question is about Fly.io" },
      { "maker", "boolean", "make a plan of changes", hidden = true },
      { "destroyer", "boolean", "let plans destroy", hidden = true },
      { "apply", "boolean", "apply a plan", hidden = true },
      { "plan_file", "file", "the plan", hidden = true },
    },
    examples = {
      'ask --flyio "what apps are running and in which regions?"',
      'ask --flyio "which machines are using the most memory?"',
      'ask --flyio "do I have any unattached volumes?"',
    },
  },
  {
    path = "run", home = "cli.run", title = "Run a Lua script",
    doc = [[
      Its modules: "clanker.fly" has every operation as a function,
      "clanker.task" starts tasks and waits for them, "clanker.http" makes
      plain requests, "clanker.json" reads and writes JSON, "clanker.process"
      runs programs without a shell. A name that is no file here is sought in
      ./.clanker and ~/.clanker/lua; what a script requires is sought beside it
      as well, before them. What a script destroys is not asked about.]],
    params = {
      { "file", "file", "the script, the name of one of yours, or -", pos = 1,
        required = true },
      { "argument", "string", "what the script gets as its arguments", pos = 2,
        many = true },
    },
    verbatim = 1, examples = { "run report.lua", "--sim run report.lua 30" },
  },
  {
    path = "sim flyctl", home = "cli.sim", fn = "flyctl", verbatim = 0,
    is_hidden = true, title = "Run a flyctl that acts on a simulated account",
  },
  {
    path = "sim", home = "cli.sim", title = "Serve a simulated Fly.io account",
    doc = [[
      Prints its URLs and its token, and serves until interrupted. Any client
      of the Machines API and of GraphQL can use it.

      A fault is [METHOD ]PATH:ACTION[,ACTION…][*TIMES], several are separated
      by ";". In PATH a * stands for any text. ACTION is a status (503, or
      422=message), latency=MS, retry-after=SECONDS, html, empty, text or garbage
      (the body), reset or truncate (the connection), or lost (done, but no
      reply).]],
    params = {
      { "listen", "string", "address and port", default = "127.0.0.1:4280" },
      { "seed", "string", "the account to start with: demo, empty or a file",
        default = "demo" },
      { "db", "file", "keep the account in this file" },
      { "token", "string", "the token it accepts instead of a made-up one" },
      { "latency", "number", "milliseconds every reply takes", min = 0,
        max = 600000 },
      { "fault", "string", "what goes wrong, and how often", metavar = "RULES" },
      { "no_limits", "boolean", "answer any number of requests, not as Fly does" },
    },
    examples = {
      "sim", "sim --listen 127.0.0.1:0 --seed empty",
      "sim --fault 'GET /v1/apps:503*2; *:latency=200'",
    },
  },
  {
    path = "doctor", also = "fly doctor", home = "cli.doctor",
    title = "Find out why clanker does not work",
    doc = [[
      Looks at the configuration, the token, the network, the hosts, the clock
      and flyctl; says of each whether it is all right, and what to do if it is
      not. The exit code is the worst of what it found.]],
    examples = { "doctor", "doctor --json" },
  },
  {
    path = "docs", home = "cli.docs", title = "Print the reference of the operations",
    doc = "As Markdown: how each is written, what it takes, does and calls.",
    params = {
      { "resource", "string", "only this one's, such as machines", pos = 1 },
      { "summary", "boolean", "only the table of resources" },
    },
    examples = { "docs", "docs machines" },
  },
  {
    path = "config show", home = "cli.config", fn = "show",
    title = "Show the settings in force and where each comes from",
  },
  {
    path = "config path", home = "cli.config", fn = "path",
    title = "Print the path of the configuration file",
  },
  {
    path = "config init", home = "cli.config", fn = "init",
    title = "Write a configuration file, if there is none",
    doc = [[
      The file is readable by you only. At a terminal it asks for a token
      without showing it; an existing file is never touched.]],
  },
  {
    path = "credentials store", home = "cli.credentials", fn = "store",
    title = "Store a token for every command",
    doc = [[
      Asks for the token without showing it; --api-token - reads it from standard
      input. It is kept in the backend that is configured (backend.url), else in
      ~/.clanker/credentials, encrypted with a key in the desktop's keyring or,
      without one, in a file that only you can read.]],
    params = {
      PROVIDER,
      { "api_token", "string", "the token; - is standard input", sensitive = true },
      { "org", "org", "only this organization", flag = "--org-slug" },
    },
    examples = { "credentials store flyio" },
  },
  {
    path = "credentials list", home = "cli.credentials", fn = "list",
    title = "Show whose credentials are stored, and where",
  },
  {
    path = "credentials test", home = "cli.credentials", fn = "test",
    title = "Ask Fly.io whose token is stored", params = { PROVIDER },
    examples = { "credentials test flyio" },
  },
  {
    path = "credentials delete", home = "cli.credentials", fn = "delete",
    title = "Delete stored credentials", params = { PROVIDER },
    effect = "destroy",
    confirm = "Delete the stored credentials of {provider}? Nobody can read the token back.",
    examples = { "credentials delete flyio" },
  },
  {
    path = "completion", home = "cli.completion",
    title = "Print the completion script of a shell",
    doc = [[
      bash: source <(clanker completion bash)

      zsh: clanker completion zsh > "${fpath[1]}/_clanker"

      fish: clanker completion fish > ~/.config/fish/completions/clanker.fish]],
    params = {
      { "shell", "enum", "the shell", pos = 1, required = true,
        values = { "bash", "zsh", "fish" } },
    },
  },
  { path = "version", home = "cli.version", title = "Print the version" },
  {
    path = "help", home = "cli.help", fn = "command", title = "Explain a command",
    params = { { "command", "string", "its words", pos = 1, many = true } },
  },
  {
    path = "__complete", home = "cli.complete", is_hidden = true, verbatim = 0,
    title = "Complete a command line",
  },
}

--- A command in the form of an operation row. One that takes words just as they
--- are (`verbatim = 0`) has no parameters to read.
---@param own cli.Own
---@return op.Row
function M.row(own)
  local row = {
    id = own.path, title = own.title, examples = own.examples,
    cli = { own.path }, effect = own.effect or "read", confirm = own.confirm,
    home = own.home, fn = own.fn or "run", doc = own.doc, params = {}, param = {}, positional = {},
    takes_words = own.verbatim == 0,
  }
  if own.params then
    local params = require "opkit.params"
    row.params, row.param, row.positional =
      params.read("command " .. own.path, own)
  end
  return row
end

return M
