--- Single calls that change machines: building blocks of what users ask for.
--- None takes a lease or waits; the operations built from them do.

local op = require "opkit.op"

local TARGET = {
  { "app", "app", "app the machine belongs to", required = true },
  { "id", "machine", "id of the machine", required = true },
}

-- A POST to /v1/apps/{app}/machines/{id}/<action>.
local function call(action, title, fields)
  local params = { TARGET[1], TARGET[2] }
  for _, param in ipairs(fields.params or {}) do
    params[#params + 1] = param
  end
  op {
    id = "machines." .. action .. "_once",
    hidden = true,
    title = title,
    effect = "write",
    http = { "POST", "/v1/apps/{app}/machines/{id}/" .. action },
    body = fields.body,
    limit = "machine",
    lease = "optional",
    params = params,
    idempotent = fields.idempotent,
  }
end

-- The API takes Go's durations, "10s".
local function seconds(value)
  return ("%gs"):format(value)
end

local SIGNALS = {
  "SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM",
}

call("start", "Ask a machine to start", { idempotent = true })

call("stop", "Ask a machine to stop", {
  body = "optional",
  idempotent = true,
  params = {
    { "signal", "enum", "signal to its processes", values = SIGNALS },
    { "timeout", "duration", "how long it may take before it is killed",
      wire = seconds },
  },
})

call("restart", "Ask a machine to restart", {
  params = {
    { "signal", "enum", "signal to its processes", values = SIGNALS,
      at = "query.signal" },
    { "timeout", "duration", "how long it may take before it is killed",
      at = "query.timeout", wire = seconds },
  },
})

call("suspend", "Ask a machine to suspend", { idempotent = true })

call("cordon", "Stop sending requests to a machine", { idempotent = true })

call("uncordon", "Send requests to a machine again", { idempotent = true })

op {
  id = "machines.destroy_once",
  hidden = true,
  title = "Ask to destroy a machine",
  effect = "destroy",
  confirm = "Destroy machine {id} of app {app}?",
  http = { "DELETE", "/v1/apps/{app}/machines/{id}" },
  limit = "machine",
  lease = "optional",
  params = {
    TARGET[1], TARGET[2],
    { "force", "boolean", "even while it runs" },
  },
}

-- What both creating and updating take besides the config.
local LAUNCH = {
  { "name", "name", "name of the machine" },
  { "region", "region", "region of the machine" },
  { "skip_launch", "boolean", "do not start it" },
  { "min_secrets_version", "integer", "version of the secrets it must have" },
}

op {
  id = "machines.create_once",
  hidden = true,
  title = "Ask for a machine",
  effect = "write",
  http = { "POST", "/v1/apps/{app}/machines" },
  limit = "app",
  params = {
    TARGET[1],
    { "config", "json", "its config", required = true },
    LAUNCH[1], LAUNCH[2], LAUNCH[3], LAUNCH[4],
  },
  returns = "machine",
}

op {
  id = "machines.update_once",
  hidden = true,
  title = "Ask to replace the config of a machine",
  effect = "write",
  http = { "POST", "/v1/apps/{app}/machines/{id}" },
  limit = "machine",
  lease = "optional",
  params = {
    TARGET[1], TARGET[2],
    { "config", "json", "its whole config", required = true },
    { "current_version", "name", "the version it must still have" },
    LAUNCH[1], LAUNCH[3], LAUNCH[4],
  },
  returns = "machine",
}
