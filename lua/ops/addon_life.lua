--- Making and destroying add-ons: Redis databases and Tigris buckets.

local err = require "base.err"
local flow = require "ops.flow"
local op = require "opkit.op"
local str = require "base.str"
local tbl = require "base.tbl"

local MADE = {
  object = {
    id = "string", name = "string?", status = "string?", region = "string?",
    environment = "any?", public_url = "string?",
    org = { object = { slug = "string?" }, optional = true },
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
  sensitive = { "environment", "public_url" },
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
    query AddOnPlans($type: AddOnType) {
      addOnPlans(type: $type) {
        nodes { id name title: displayName description price: pricePerMonth }
      }
    }
  ]],
  items = "addOnPlans.nodes",
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

-- The organization with its node id, which these mutations want.
local function organization(ctx, args)
  local slug, e = flow.one_org(ctx, args)
  if not slug then
    return nil, e
  end
  return ctx.call("orgs.get", { org = slug })
end

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

op {
  id = "redis.create",
  title = "Create a Redis database",
  doc = "Its address holds the password and is shown once.",
  effect = "write",
  cost = "billed by use or by plan.",
  calls = {
    "orgs.list", "orgs.get", "extensions.plans", "extensions.create_once",
  },
  run = function(ctx, args)
    local org, e = organization(ctx, args)
    local plan = nil
    if org then
      plan, e = find_plan(ctx, "upstash_redis", args.plan)
    end
    if not plan then
      return nil, e
    end
    return ctx.call("extensions.create_once", {
      type = "upstash_redis", node = org.id, name = args.name, plan = plan,
      region = args.region, read_regions = args.replica,
      options = {
        eviction = args.eviction, auto_upgrade = false, prod_pack = false,
      },
    })
  end,
  params = {
    { "name", "name", "name of the database", required = true },
    { "region", "region", "its region", required = true },
    ORG,
    { "plan", "name", "plan; pay as you go unless told" },
    { "eviction", "boolean", "drop old keys when it is full", default = false },
    { "replica", "region", "region of a replica", many = true },
  },
  sensitive = { "environment", "public_url" },
  returns = MADE,
  columns = tbl.flatten({ COLUMNS, { { "ADDRESS", "public_url" } } }),
  undo = { op = "redis.destroy", args = { name = "{name}" } },
  examples = { "redis create --name cache --region iad --org personal" },
}

-- Terms are agreed to by a person, never by the way.
local function check_terms(ctx, org, provider, agrees)
  local state, e = ctx.call("extensions.has_agreed",
    { org = org.slug, provider = provider })
  if not state then
    return nil, e
  elseif state.agreed then
    return true
  elseif agrees then
    return ctx.call("extensions.agree", { provider = provider })
  end
  local about = ctx.call("extensions.provider", { name = provider })
  return nil, err.new({
    kind = "declined",
    message = ("%s wants its terms agreed to first"):format(
      about and about.title or provider),
    hint = ("read %s and say --agree-terms"):format(
      about and about.terms or "them"),
  })
end

op {
  id = "tigris.create_bucket",
  title = "Create a Tigris bucket",
  doc = "Its keys are shown once. With an app they are not set there: use"
    .. " `secrets set`.",
  effect = "write",
  cost = "billed by use.",
  calls = {
    "orgs.list", "orgs.get", "extensions.has_agreed", "extensions.agree",
    "extensions.provider", "extensions.create_once",
  },
  run = function(ctx, args)
    local org, e = organization(ctx, args)
    local agreed = nil
    if org then
      agreed, e = check_terms(ctx, org, "tigris", args.agree_terms)
    end
    if not agreed then
      return nil, e
    end
    return ctx.call("extensions.create_once", {
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
  },
  sensitive = { "environment", "public_url" },
  returns = MADE,
  columns = tbl.flatten({ COLUMNS, { { "KEYS", "environment" } } }),
  undo = { op = "tigris.destroy", args = { name = "{name}" } },
  examples = { "tigris create-bucket --name assets --org personal" },
}

-- Destroys an add-on of one provider by name.
local function destroy(id, title, provider, what)
  op {
    id = id .. ".destroy",
    title = title,
    effect = "destroy",
    confirm = "Destroy {name}? " .. what,
    calls = { "extensions.destroy_once" },
    run = function(ctx, args)
      return ctx.call("extensions.destroy_once",
        { name = args.name, provider = provider })
    end,
    params = {
      { "name", "name", "its name", required = true, pos = 1 },
    },
    returns = { object = { name = "string?" } },
    columns = { { "NAME", "name" } },
    examples = { ("destroy %s cache"):format(id) },
  }
end

destroy("redis", "Destroy a Redis database", "upstash_redis", "Its data is lost.")

destroy("tigris", "Destroy a Tigris bucket", "tigris", "What is in it is lost.")
