-- Completion: commands, flags, fixed values, live names, and silence.

local complete = require "cli.complete"
local t = require "kit"

local asked

local function candidates(...)
  asked = nil
  local found = complete.candidates({ ... }, {
    live = function(source, parsed)
      asked = { op = source.op, app = parsed.values.app or parsed.globals.app }
      return {
        { value = "web", text = "acme" }, { value = "worker", text = "a\tb\27[1m" },
        { value = "$(reboot)" }, { value = "a b" }, { value = {} }, { value = "-rf" },
      }
    end,
  })
  local words = {}
  for i, candidate in ipairs(found) do
    words[i] = candidate[1]
  end
  return table.concat(words, " "), found
end

t.test("commands are offered as help shows them", function()
  t.eq(candidates(""), "ask completion config credentials docs doctor fly help run sim version")
  t.eq(candidates("fly", "li"), "list")
  t.eq(candidates("fly", "list", "ma"), "machines")
  t.eq(candidates("config", ""), "init path show")
end)

t.test("synonyms complete when nothing else does", function()
  t.eq(candidates("fly", "list", "certi"), "certificate certificates")
end)

t.test("flags of the command and of all commands, those not yet given", function()
  t.eq(candidates("fly", "list", "volumes", "--un"), "--unattached")
  t.eq(candidates("fly", "list", "volumes", "--unattached", "--un"), "")
  t.eq(candidates("fly", "list", "volumes", "--ra"), "--raw")
end)

t.test("values of enums, behind a space and behind =", function()
  t.eq(candidates("fly", "list", "machines", "--state", "sta"), "started starting")
  t.eq(candidates("fly", "list", "machines", "--state=sto"), "--state=stopped --state=stopping")
  t.eq(candidates("-o", ""), "table wide json yaml csv")
  t.eq(candidates("completion", ""), "bash zsh fish")
end)

t.test("live names come from the operation the type names, within the app", function()
  t.eq(candidates("fly", "get", "app", ""), "web worker")
  t.eq(asked, { op = "apps.list" })
  t.eq(candidates("fly", "get", "machine", "--app", "web", "w"), "web worker")
  t.eq(asked, { op = "machines.list", app = "web" })
  t.eq(candidates("--app", "wo"), "worker")
end)

t.test("peers, tokens, add-ons and addresses complete from their lists", function()
  for line, op in pairs({
    ["wireguard remove"] = "wireguard.list", ["tokens revoke"] = "tokens.list",
    ["destroy redis"] = "redis.list", ["tigris destroy"] = "tigris.list",
    ["get postgres"] = "postgres.list", ["pg get"] = "postgres.list",
    ["postgres attach"] = "postgres.list_apps", ["pg failover"] = "postgres.list_apps",
    ["postgres detach"] = "postgres.list_apps", ["postgres backups"] = "postgres.list_apps",
    ["mpg backups"] = "mpg.list", ["mpg destroy"] = "mpg.list",
    ["ips release --app web"] = "ips.list", ["certs remove --app web"] = "certs.list",
  }) do
    local words = { "fly" }
    for word in line:gmatch("%S+") do
      words[#words + 1] = word
    end
    words[#words + 1] = ""
    candidates(table.unpack(words))
    t.eq(asked and asked.op, op, line)
  end
  t.eq(candidates("fly", "tokens", "create", "--type", ""), "deploy org readonly")
end)

t.test("names that a shell would read something into are not offered", function()
  local _, found = candidates("fly", "get", "app", "")
  t.eq(#found, 2)
  t.lacks(found[2][2], "\27")
  t.lacks(found[2][2], "\t")
end)

t.test("no live names are asked for where none can stand", function()
  candidates("fly", "get", "app", "web", "")
  t.eq(asked, nil)
  candidates("fly", "list", "apps", "")
  t.eq(asked, nil)
end)

t.test("files are the shell's business", function()
  t.eq(candidates("--config", ""), ":files")
  t.eq(candidates("run", ""), ":files")
  t.eq(candidates("run", "x.lua", "--whatever", ""), ":files")
end)

t.test("what makes no sense completes to nothing", function()
  t.eq(candidates("nope", ""), "")
  t.eq(candidates("fly", "list", "nope", ""), "")
  t.eq(candidates("--bogus", "fly", ""), "")
  t.eq(candidates(), "ask completion config credentials docs doctor fly help run sim version")
end)
