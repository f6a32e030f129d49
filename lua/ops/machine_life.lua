--- The life of machines: start, stop, restart, suspend, cordon, destroy; and
--- what runs inside them.

local cells = require "ops.cells"
local err = require "base.err"
local flow = require "ops.flow_machine"
local op = require "opkit.op"
local proof = require "ops.flow_proof"
local tbl = require "base.tbl"

local APP = { "app", "app", "app the machines belong to", required = true }

local SIGNALS = {
  "SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM",
}

-- What a machine is about: how it is named in every operation of this file.
local function machine_params(what, parallel, more)
  local params = {
    APP,
    { "id", "machine", "ids of the machines", pos = 1, many = true },
    { "all", "boolean", "all machines of the app that are " .. what },
    { "parallel", "integer", "how many at a time", default = parallel, min = 1,
      max = 50 },
    { "no_wait", "boolean", "do not wait until it is so" },
  }
  return tbl.flatten({ params, more or {} })
end

---@class ops.Life
---@field verb string
---@field title string
---@field doc string?
---@field from string[] states in which `all` means a machine
---@field what string these states in words
---@field state string? it leads to
---@field done (fun(machine: table): boolean)? whether nothing is to do
---@field shows (fun(now: table, before: table): boolean)? as in ops.Action
---@field result string? as in ops.Action
---@field parallel integer? default
---@field params table[]? more parameters, passed on
---@field cli string[]?
---@field undo string? the inverse operation

---@param life ops.Life
local function declare(life)
  local call = "machines." .. life.verb .. "_once"
  local from = tbl.set(life.from)
  local passed = tbl.map(life.params or {}, function(param)
    return param[1]
  end)
  op {
    id = "machines." .. life.verb,
    title = life.title,
    doc = life.doc,
    effect = "write",
    calls = tbl.flatten({ flow.CALLS, { "machines.list_app", call } }),
    run = function(ctx, args)
      local targets, e = flow.targets(ctx, args, from)
      if not targets then
        return nil, e
      end
      local more = {}
      for _, name in ipairs(passed) do
        more[name] = args[name]
      end
      return flow.each(ctx, targets, args.parallel, function(target)
        return flow.act(ctx, target, {
          call = call, args = more, state = life.state, shows = life.shows,
          result = life.result, done = life.done, no_wait = args.no_wait,
        })
      end)
    end,
    params = machine_params(life.what, life.parallel or 10, life.params),
    order = { "id" },
    returns = { list = "outcome" },
    columns = cells.OUTCOME,
    cli = life.cli,
    undo = life.undo and {
      op = life.undo, args = { app = "{app}", id = "{id}" },
    } or nil,
    examples = {
      ("%s 1234abcd --app my-app"):format(
        life.cli and life.cli[1] or life.verb .. " machine"),
    },
  }
end

declare {
  verb = "start",
  title = "Start machines",
  from = { "stopped", "suspended", "created" },
  what = "stopped or suspended",
  state = "started",
  done = flow.is_in({ "started" }),
  cli = { "start" },
  undo = "machines.stop",
}

declare {
  verb = "stop",
  title = "Stop machines",
  from = { "started" },
  what = "started",
  state = "stopped",
  done = flow.is_in({ "stopped" }),
  cli = { "stop" },
  undo = "machines.start",
  params = {
    { "signal", "enum", "signal to its processes", values = SIGNALS },
    { "timeout", "duration", "how long it may take before it is killed" },
  },
}

declare {
  verb = "restart",
  title = "Restart machines",
  doc = "One after another unless told otherwise, so that the app stays up. Done is"
    .. " a machine whose events show that it started again.",
  from = { "started" },
  what = "started",
  state = "started",
  shows = proof.restarted,
  result = "restarted",
  parallel = 1,
  params = {
    { "signal", "enum", "signal to its processes", values = SIGNALS },
    { "timeout", "duration", "how long it may take before it is killed" },
  },
}

declare {
  verb = "suspend",
  title = "Suspend machines",
  doc = "A suspended machine keeps its memory; starting resumes it.",
  from = { "started" },
  what = "started",
  state = "suspended",
  done = flow.is_in({ "suspended" }),
  cli = { "suspend" },
  undo = "machines.start",
}

declare {
  verb = "cordon",
  title = "Stop sending requests to machines",
  from = { "started", "stopped", "suspended" },
  what = "there",
  shows = proof.cordoned,
  result = "cordoned",
  done = proof.cordoned,
  cli = { "cordon" },
  undo = "machines.uncordon",
}

declare {
  verb = "uncordon",
  title = "Send requests to machines again",
  from = { "started", "stopped", "suspended" },
  what = "there",
  shows = proof.uncordoned,
  result = "uncordoned",
  done = proof.surely_uncordoned,
  cli = { "uncordon" },
  undo = "machines.cordon",
}

-- Without force only a machine that does not run may go.
local function refuse_running(args)
  return function(machine)
    if machine.state == "started" and not args.force then
      return err.new({
        kind = "conflict",
        message = ("machine %s is started"):format(machine.id),
        hint = "stop it first, or destroy it with --force",
      })
    end
  end
end

op {
  id = "machines.destroy",
  title = "Destroy machines",
  doc = "What is on their own disks is lost; their volumes stay.",
  effect = "destroy",
  preview = "machines.get",
  confirm = "Destroy machine {id} of app {app}? What is on its own disk is lost.",
  calls = tbl.flatten({ flow.CALLS, { "machines.destroy_once" } }),
  run = function(ctx, args)
    local targets = tbl.map(args.id, function(id)
      return { app = args.app, id = id }
    end)
    return flow.each(ctx, targets, args.parallel, function(target)
      return flow.act(ctx, target, {
        call = "machines.destroy_once", args = { force = args.force },
        state = "destroyed", done = flow.is_in({ "destroyed" }),
        refuse = refuse_running(args), no_wait = args.no_wait,
      })
    end)
  end,
  params = {
    APP,
    { "id", "machine", "ids of the machines", required = true, pos = 1,
      many = true },
    { "force", "boolean", "even while it runs" },
    { "parallel", "integer", "how many at a time", default = 1, min = 1, max = 50 },
    { "no_wait", "boolean", "do not wait until it is gone" },
  },
  order = { "id" },
  returns = { list = "outcome" },
  columns = cells.OUTCOME,
  examples = { "destroy machine 1234abcd --app my-app --force" },
}

op {
  id = "machines.wait",
  title = "Wait until a machine reaches a state",
  effect = "read",
  calls = { "machines.get", "machines.wait_once" },
  run = function(ctx, args)
    return ctx.wait({
      app = args.app, id = args.id, state = args.state, timeout = args.timeout,
    })
  end,
  params = {
    { "app", "app", "app the machine belongs to", required = true },
    { "id", "machine", "id of the machine", required = true, pos = 1 },
    { "state", "enum", "state to wait for", default = "started", values = {
      "started", "stopped", "suspended", "destroyed", "failed", "settled",
    } },
    { "timeout", "duration", "how long at most", default = 300, min = 1,
      max = 86400 },
  },
  returns = {
    object = { ok = "boolean?", state = "string?", version = "string?" },
  },
  columns = {
    { "STATE", "state", format = "state" },
    { "VERSION", "version" },
  },
  examples = { "machines wait 1234abcd --app my-app --state started" },
}

op {
  id = "machines.exec",
  title = "Run a command in a machine",
  doc = [[
    The command is not given to a shell; name one to use its syntax:
    -- sh -c "ls | wc -l". It goes over the Machines API; flyctl is not needed.
  ]],
  effect = "exec",
  http = { "POST", "/v1/apps/{app}/machines/{id}/exec" },
  limit = "machine",
  -- Longer than the longest command.
  timeout = 620,
  params = {
    { "app", "app", "app the machine belongs to", required = true },
    { "id", "machine", "id of the machine", required = true, pos = 1 },
    { "command", "string", "the command and its arguments", required = true,
      rest = true, many = true, metavar = "CMD" },
    { "timeout", "duration", "how long it may run", default = 60, min = 1,
      max = 600, wire = math.ceil },
    { "container", "name", "the container to run it in" },
  },
  returns = {
    object = {
      exit_code = "integer?", exit_signal = "integer?", stdout = "string?",
      stderr = "string?",
    },
  },
  columns = {
    { "EXIT CODE", "exit_code", format = "number" },
    { "OUTPUT", "stdout" },
    { "ERRORS", "stderr" },
  },
  cli = { "exec" },
  examples = { "exec 1234abcd --app my-app -- ls -l" },
}
