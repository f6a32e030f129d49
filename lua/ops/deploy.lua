--- Deploys: through flyctl, which builds the image.
--- Rows; what they run waits, and reaches others through its context only.

local err = require "base.err"
local flow = require "ops.flow"
local op = require "opkit.op"
local releases = require "ops.flow_release"
local resource = require "opkit.resource"
local tbl = require "base.tbl"

resource {
  id = "deploy",
  title = "Deploys",
}

local PARAMS = {
  { "path", "file", "directory with the source", pos = 1 },
  { "app", "app", "name of the app; the one in fly.toml unless told" },
  { "region", "region", "the primary region" },
  { "strategy", "enum", "how machines are replaced",
    values = { "canary", "rolling", "bluegreen", "immediate" } },
  { "image", "name", "image to deploy instead of building one" },
  { "fly_toml", "file", "the configuration of the app to use" },
  { "remote_only", "boolean", "build on Fly, never here" },
  { "no_wait", "boolean", "do not wait until the machines run" },
}

op {
  id = "deploy.source",
  hidden = true,
  title = "Have flyctl deploy an app",
  effect = "write",
  flyctl = {
    "deploy", { when = "path", "{path}" }, { when = "app", "--app={app}" },
    "--yes",
    { when = "region", "--primary-region={region}" },
    { when = "strategy", "--strategy={strategy}" },
    { when = "image", "--image={image}" },
    { when = "fly_toml", "--config={fly_toml}" },
    { when = "remote_only", "--remote-only" },
    { when = "no_wait", "--detach" },
  },
  here = true,
  timeout = 3600,
  params = PARAMS,
}

op {
  id = "deploy.run",
  title = "Deploy an app",
  doc = [[
    flyctl builds the image and replaces the machines. The region is the
    primary one: where an app's first machines are made.
  ]],
  effect = "write",
  cost = "new machines are billed.",
  calls = { "regions.list_all", "deploy.source" },
  run = function(ctx, args)
    local known, e = flow.known_region(ctx, args.region)
    if not known then
      return nil, e
    end
    return ctx.call("deploy.source", args)
  end,
  params = PARAMS,
  cli = { "deploy" },
  examples = {
    "deploy --app my-app --region iad", "deploy . --app my-app --strategy rolling",
  },
}

op {
  id = "deploy.image",
  hidden = true,
  title = "Deploy an image",
  effect = "write",
  flyctl = {
    "deploy", "--image={image}", "--app={app}", "--yes",
    { when = "no_wait", "--detach" },
  },
  timeout = 3600,
  params = {
    { "app", "app", "name of the app", required = true },
    { "image", "name", "image to deploy", required = true },
    { "no_wait", "boolean", "do not wait until the machines run" },
  },
}

op {
  id = "deploy.again",
  title = "Deploy the current image again",
  effect = "write",
  calls = tbl.flatten({ { "apps.get" }, releases.CALLS }),
  run = function(ctx, args)
    local current, e = ctx.call("releases.current", { app = args.app })
    local release = current and current.release
    if not current then
      return nil, e
    elseif not release then
      return nil, flow.pending(ctx, args.app) or err.new({
        kind = "not_found", message = ("app %s was never released"):format(args.app),
        hint = "deploy it: clanker fly deploy --app " .. args.app,
      })
    elseif (release.image or "") == "" then
      return nil, err.new({
        kind = "not_found",
        message = ("the current release of app %s has no image"):format(args.app),
        hint = "deploy it: clanker fly deploy --app " .. args.app,
      })
    end
    ctx.notice(("deploying the current image: %s"):format(release.image))
    return releases.image(ctx,
      { app = args.app, image = release.image, no_wait = args.no_wait }, release.version)
  end,
  params = {
    { "app", "app", "name of the app", required = true },
    { "no_wait", "boolean", "do not wait until the machines run" },
  },
  cli = { "redeploy" },
  examples = { "redeploy --app my-app" },
}
