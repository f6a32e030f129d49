--- Making and destroying add-ons: Redis databases and Tigris buckets.
--- Rows; what they run waits, and reaches others through its context only.

local err = require "base.err"
local flow = require "ops.flow"
local op = require "opkit.op"
local str = require "base.str"
local tbl = require "base.tbl"

-- The keys in `environment` and the password in `public_url` are secrets.
local MADE = {
  object = {
    id = "string", name = "string?", status = "string?", region = "string?",
    environment = { map = "any", optional = true }, public_url = "any?",
    org = { object = { slug = "string?" }, optional = true },
  },
}

-- In the environment of an app that uses it, these are no credentials.
local KEYS = {
  "environment", "!environment.AWS_ENDPOINT_URL_S3", "!environment.AWS_REGION",
  "!environment.BUCKET_NAME",
}

op {
  id = "extensions.get_once",
  hidden = true,
  title = "Show an add-on without its credentials",
  effect = "read",
  gql = [[
    query GetAddOn($name: String!, $provider: String!) {
      addOn(name: $name, provider: $provider) {
        id name status region: primaryRegion problem: errorMessage
        provider: addOnProvider { name title: displayName }
        plan: addOnPlan { id title: displayName }
        org: organization { slug } app { name }
      }
    }
  ]],
  item = "addOn",
  params = {
    { "name", "name", "name of the add-on", required = true },
    { "provider", "name", "its provider", required = true },
  },
  returns = {
    object = {
      id = "string", name = "string?", status = "string?", region = "string?",
      problem = "string?",
      provider = {
        object = { name = "string?", title = "string?" }, optional = true,
      },
      plan = { object = { id = "string?", title = "string?" }, optional = true },
      org = { object = { slug = "string?" }, optional = true },
      app = { object = { name = "string?" }, optional = true },
    },
  },
}

op {
  id = "extensions.create_once",
  hidden = true,
  title = "Ask a provider for an add-on",
  effect = "write",
  gql = [[
    mutation CreateAddOn($input: CreateAddOnInput!) {
      createAddOn(input: $input) {
        addon: addOn {
          id name status region: primaryRegion public_url: publicUrl environment
          org: organization { slug }
        }
      }
    }
  ]],
  item = "createAddOn.addon",
  params = {
    { "type", "name", "type of the add-on", required = true, at = "var.input.type" },
    { "node", "name", "node id of the organization", required = true,
      at = "var.input.organizationId" },
    { "name", "name", "name of it", at = "var.input.name" },
    { "region", "region", "its region", at = "var.input.primaryRegion" },
    { "read_regions", "region", "regions of its replicas", many = true,
      at = "var.input.readRegions" },
    { "plan", "name", "id of its plan", at = "var.input.planId" },
    { "app", "name", "node id of the app", at = "var.input.appId" },
    { "options", "json", "what the provider wants to know",
      at = "var.input.options" },
  },
  sensitive = tbl.flatten({ KEYS, { "public_url" } }),
  returns = MADE,
}

op {
  id = "extensions.destroy_once",
  hidden = true,
  title = "Destroy an add-on by name and provider",
  effect = "destroy",
  confirm = "Destroy {name}?",
  gql = [[
    mutation DeleteAddOn($name: String!, $provider: String!) {
      deleteAddOn(input: { name: $name, provider: $provider }) {
        name: deletedAddOnName
      }
    }
  ]],
  item = "deleteAddOn",
  params = {
    { "name", "name", "name of the add-on", required = true },
    { "provider", "name", "its provider", required = true },
  },
  returns = { object = { name = "string?" } },
}

op {
  id = "extensions.plans",
  hidden = true,
  title = "List the plans of a type of add-on",
  effect = "read",
  gql = [[
    query AddOnPlans($type: AddOnType, $first: Int = 50, $after: String) {
      addOnPlans(type: $type, first: $first, after: $after) {
        nodes { id name title: displayName description price: pricePerMonth }
        pageInfo { hasNextPage endCursor }
      }
    }
  ]],
  items = "addOnPlans.nodes",
  page = "graphql",
  params = { { "type", "name", "type of add-on" } },
  returns = {
    list = {
      object = {
        id = "string", name = "string?", title = "string?",
        description = "string?", price = "integer?",
      },
    },
  },
}

op {
  id = "extensions.provider",
  hidden = true,
  title = "Show a provider and where its terms are",
  effect = "read",
  gql = [[
    query AddOnProvider($name: String!) {
      addOnProvider(name: $name) { name title: displayName terms: tosUrl }
    }
  ]],
  item = "addOnProvider",
  params = { { "name", "name", "name of the provider", required = true } },
  returns = {
    object = { name = "string?", title = "string?", terms = "string?" },
  },
}

op {
  id = "extensions.has_agreed",
  hidden = true,
  title = "Tell whether an organization agreed to a provider's terms",
  effect = "read",
  gql = [[
    query OrgAgreedToTos($slug: String!, $provider: String!) {
      organization(slug: $slug) { agreed: agreedToProviderTos(providerName: $provider) }
    }
  ]],
  item = "organization",
  params = {
    { "org", "org", "slug of the organization", required = true, at = "var.slug" },
    { "provider", "name", "name of the provider", required = true },
  },
  returns = { object = { agreed = "boolean?" } },
}

op {
  id = "extensions.has_agreed_self",
  hidden = true,
  title = "Tell whether the user agreed to a provider's terms",
  effect = "read",
  gql = [[
    query AgreedToTos($provider: String!) {
      viewer {
        kind: __typename
        ... on User { agreed: agreedToProviderTos(providerName: $provider) }
      }
    }
  ]],
  item = "viewer",
  params = { { "provider", "name", "name of the provider", required = true } },
  returns = { object = { kind = "string?", agreed = "boolean?" } },
}

op {
  id = "extensions.agree",
  hidden = true,
  title = "Agree to a provider's terms",
  effect = "write",
  gql = [[
    mutation AgreeToTos($provider: String!) {
      createExtensionTosAgreement(input: { addOnProviderName: $provider }) {
        clientMutationId
      }
    }
  ]],
  params = { { "provider", "name", "name of the provider", required = true } },
}

-- The plan of that id, name or title; without one the pay-as-you-go plan.
local function find_plan(ctx, kind, wanted)
  local plans, e = ctx.call("extensions.plans", { type = kind })
  if not plans then
    return nil, e
  end
  local plan = tbl.find(plans, function(candidate)
    local title = (candidate.title or candidate.name or ""):lower()
    if wanted then
      local word = wanted:lower()
      return candidate.id == wanted or title == word
        or (candidate.name or ""):lower() == word
    end
    return title:find("pay", 1, true) ~= nil
  end)
  if plan then
    return plan.id
  end
  return nil, err.new({
    kind = "usage",
    message = wanted and ("there is no plan %s"):format(wanted)
      or "there is no pay-as-you-go plan: say which",
    hint = "the plans are " .. str.join(tbl.map(plans, function(candidate)
      return candidate.title or candidate.name or candidate.id
    end)),
  })
end

local COLUMNS = {
  { "NAME", "name" },
  { "ORG", "org.slug" },
  { "STATUS", "status", format = "state" },
  { "REGION", "region" },
}

local ORG = { "org", "org", "organization it belongs to" }

-- States in which a new add-on is being made; every other one is for good.
local MAKING = {
  creating = true, pending = true, provisioning = true, waiting = true,
}

local BROKEN = { error = true, failed = true }

-- Seconds in which an add-on is usually made.
local MAKE_TIME = 300

-- Waits until the new add-on can be used. Its credentials are in hand already
-- and would be lost with an error, so one that is only late is told, not failed.
local function until_made(ctx, addon, provider)
  if not MAKING[addon.status] then
    return addon
  end
  local now, e = flow.poll(ctx, {
    seconds = MAKE_TIME, pause = 2, what = ("%s was not ready"):format(addon.name),
  }, function()
    local found, why = ctx.call("extensions.get_once",
      { name = addon.name, provider = provider })
    if not found or not MAKING[found.status] then
      return found, why
    end
  end)
  if not now then
    ctx.notice(("%s may not be ready yet: %s"):format(addon.name, e.message))
    return addon
  elseif BROKEN[now.status] then
    return nil, err.new({
      kind = "server",
      message = ("%s could not be made: %s"):format(addon.name,
        now.problem or now.status),
    })
  end
  addon.status = now.status
  return addon
end

-- Asks for an add-on and waits for it.
local function create(ctx, args, asked)
  local addon, e = ctx.call("extensions.create_once", asked)
  if not addon then
    return nil, flow.with_regions(ctx, flow.may_exist(e, "list extensions"))
  elseif args.no_wait then
    return addon
  end
  return until_made(ctx, addon, asked.type)
end

local NO_WAIT = { "no_wait", "boolean", "do not wait until it can be used" }

op {
  id = "redis.create",
  title = "Create a Redis database",
  doc = "Its address holds the password: it is shown once, at a terminal, or"
    .. " written to the new file of --out.",
  effect = "write",
  cost = "billed by use or by plan.",
  calls = {
    "orgs.list_all", "orgs.get", "extensions.plans", "extensions.create_once",
    "extensions.get_once", "regions.list_all",
  },
  run = function(ctx, args)
    local org, e = flow.one_org_node(ctx, args)
    local plan = nil
    if org then
      plan, e = find_plan(ctx, "upstash_redis", args.plan)
    end
    if not plan then
      return nil, e
    end
    local addon
    addon, e = create(ctx, args, {
      type = "upstash_redis", node = org.id, name = args.name, plan = plan,
      region = args.region, read_regions = args.replica,
      options = {
        eviction = args.eviction, auto_upgrade = false, prod_pack = false,
      },
    })
    if not addon then
      return nil, e
    end
    if next(addon.environment or {}) == nil then
      addon.environment = { REDIS_URL = addon.public_url }
    end
    addon.public_url = nil
    return addon
  end,
  params = {
    { "name", "name", "name of the database", required = true },
    { "region", "region", "its region", required = true },
    ORG,
    { "plan", "name", "plan; pay as you go unless told" },
    { "eviction", "boolean", "drop old keys when it is full", default = false },
    { "replica", "region", "region of a replica", many = true },
    NO_WAIT,
    flow.out("its address"),
  },
  sensitive = KEYS,
  returns = MADE,
  columns = tbl.flatten({ COLUMNS, { { "ADDRESS", "environment" } } }),
  undo = { op = "redis.destroy", args = { name = "{name}" } },
  examples = {
    "redis create --name cache --region iad --org personal",
    "redis create --name cache --region iad --org personal --plan pay-as-you-go"
      .. " --out redis.env",
  },
}

-- Who may not agree: the token of an organization or an app.
local function may_not_agree(e, provider)
  if e.kind ~= "forbidden" and e.kind ~= "auth" then
    return e
  end
  e.kind = "forbidden"
  e.message = ("this token may not agree to the terms of %s: %s"):format(
    provider.title or provider.name, e.message)
  e.hint = "use a user's token (clanker fly auth whoami tells whose it is), or have"
    .. " a member of the organization agree at " .. provider.terms
  return e
end

-- Whether the organization agreed, or the user for all of theirs.
local function has_agreed(ctx, org, provider)
  local state, e = ctx.call("extensions.has_agreed",
    { org = org.slug, provider = provider.name })
  if not state or state.agreed then
    return state and true, e
  end
  state, e = ctx.call("extensions.has_agreed_self", { provider = provider.name })
  if not state then
    return nil, e
  end
  return state.agreed == true
end

-- Terms are agreed to by a person, never by the way.
local function check_terms(ctx, org, name, agrees)
  local provider, e = ctx.call("extensions.provider", { name = name })
  if not provider then
    return nil, e
  elseif not provider.terms or provider.terms == "" then
    return true
  end
  local agreed
  agreed, e = has_agreed(ctx, org, provider)
  if agreed == nil then
    return nil, e
  elseif agreed then
    return true
  elseif not agrees then
    return nil, err.new({
      kind = "declined",
      message = ("%s wants its terms agreed to first"):format(
        provider.title or name),
      hint = ("read %s and say --agree-terms"):format(provider.terms),
    })
  end
  local done, why = ctx.call("extensions.agree", { provider = name })
  return done and true, why and may_not_agree(why, provider)
end

op {
  id = "tigris.create_bucket",
  title = "Create a Tigris bucket",
  doc = "Its keys are shown once, at a terminal, or written to the new file of"
    .. " --out, in the form that `secrets set --import` reads.",
  effect = "write",
  cost = "billed by use.",
  calls = {
    "orgs.list_all", "orgs.get", "extensions.has_agreed", "extensions.agree",
    "extensions.has_agreed_self", "extensions.provider", "extensions.create_once",
    "extensions.get_once", "regions.list_all",
  },
  run = function(ctx, args)
    local org, e = flow.one_org_node(ctx, args)
    local agreed = nil
    if org then
      agreed, e = check_terms(ctx, org, "tigris", args.agree_terms)
    end
    if not agreed then
      return nil, e
    end
    return create(ctx, args, {
      type = "tigris", node = org.id, name = args.name,
      options = {
        public = args.public, accelerate = false, website = { domain_name = "" },
      },
    })
  end,
  params = {
    { "name", "name", "name of the bucket", required = true },
    ORG,
    { "public", "boolean", "everybody may read what is in it", default = false },
    { "agree_terms", "boolean", "agree to the provider's terms" },
    NO_WAIT,
    flow.out("its keys"),
  },
  sensitive = KEYS,
  returns = MADE,
  columns = tbl.flatten({ COLUMNS, { { "KEYS", "environment" } } }),
  undo = { op = "tigris.destroy", args = { name = "{name}" } },
  examples = {
    "tigris create-bucket --name assets --org personal",
    "tigris create-bucket --name assets --org personal --public --out keys.env",
  },
}

-- The add-on of one provider: names are unique only within it.
local function find(ctx, id, at)
  local addon, e = ctx.call("extensions.get_once", at)
  if not addon and e.kind == "not_found" then
    e.hint = ("clanker fly list %s shows what there is"):format(id)
  end
  return addon, e
end

-- Waits until the provider knows it no more.
local function until_gone(ctx, id, at)
  return flow.poll(ctx, {
    seconds = 120, pause = 1, what = ("%s was not gone"):format(at.name),
  }, function()
    local _, e = find(ctx, id, at)
    if e and e.kind ~= "not_found" then
      return nil, e
    end
    return e ~= nil or nil
  end)
end

-- What is destroyed, with the app that has its credentials.
local WITH_APP = tbl.flatten({ COLUMNS, {
  { "PLAN", "plan.title" },
  { "ATTACHED", "app.name" },
} })

-- Destroys an add-on of one provider.
local function destroy(id, title, provider, kind, what, example)
  local params = { { "name", kind, "its name", required = true, pos = 1 } }
  op {
    id = id .. ".show",
    hidden = true,
    title = "Show what is to be destroyed",
    effect = "read",
    calls = { "extensions.get_once" },
    run = function(ctx, args)
      return find(ctx, id, { name = args.name, provider = provider })
    end,
    params = params,
    returns = "addon",
    columns = WITH_APP,
  }
  op {
    id = id .. ".destroy",
    title = title,
    effect = "destroy",
    confirm = "Destroy {name}? " .. what,
    preview = id .. ".show",
    calls = { "extensions.get_once", "extensions.destroy_once" },
    run = function(ctx, args)
      local at = { name = args.name, provider = provider }
      local addon, e = find(ctx, id, at)
      local done
      if addon then
        done, e = ctx.call("extensions.destroy_once", at)
      end
      if done and not args.no_wait then
        done, e = until_gone(ctx, id, at)
      end
      return done and addon, e
    end,
    params = tbl.flatten({ params,
      { { "no_wait", "boolean", "do not wait until it is gone" } } }),
    returns = "addon",
    columns = COLUMNS,
    examples = { ("destroy %s %s"):format(id, example) },
  }
end

destroy("redis", "Destroy a Redis database", "upstash_redis", "redis",
  "Its data is lost.", "acme-cache")

destroy("tigris", "Destroy a Tigris bucket", "tigris", "bucket",
  "What is in it is lost.", "acme-assets")
