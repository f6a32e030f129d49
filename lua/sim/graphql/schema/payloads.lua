--- What every mutation has: an input, a payload, and an id that comes back.
--- Declarations.

local json = require "base.json"
local tbl = require "base.tbl"

local write = require "sim.graphql.schema.write"

local M = {}

-- An input with its given nulls read as absent.
local function without_nulls(input)
  local out = {}
  for name, value in pairs(input) do
    if value ~= json.null then
      out[name] = value
    end
  end
  return out
end

--- Declares input and payload of a mutation; returns its field.
---@param schema graphql.Schema
---@param base string "CreateAddOn"
---@param spec {input: table, payload: table, run: function}
---@return table
function M.declare(schema, base, spec)
  schema:input(base .. "Input",
    tbl.merge(spec.input, { clientMutationId = "String" }))
  schema:object(base .. "Payload",
    tbl.merge(spec.payload, { clientMutationId = "String" }))
  return {
    base .. "Payload", args = { input = base .. "Input!" },
    get = function(ctx, _, args)
      local input = without_nulls(args.input)
      local payload, wrong = spec.run(ctx, input)
      if not payload then
        return nil, wrong
      end
      payload.clientMutationId = input.clientMutationId
      return payload
    end,
  }
end

--- The mutations that take plain arguments.
---@param schema graphql.Schema
---@return table<string, table>
function M.plain(schema)
  schema:object("DeleteAppPayload", { organization = "Organization!" })
  local certificate = {
    app = "App", certificate = "AppCertificate", errors = "[String!]",
  }
  schema:object("AddCertificatePayload", certificate)
  schema:object("DeleteCertificatePayload", certificate)
  local function certificate_field(payload, run)
    return {
      payload, args = { appId = "ID!", hostname = "String!" },
      get = function(ctx, _, args)
        return run(ctx, args)
      end,
    }
  end
  return {
    deleteApp = {
      "DeleteAppPayload", args = { appId = "ID!" },
      get = function(ctx, _, args)
        return write.delete_app(ctx, args)
      end,
    },
    addCertificate = certificate_field("AddCertificatePayload",
      write.add_certificate),
    deleteCertificate = certificate_field("DeleteCertificatePayload",
      write.delete_certificate),
  }
end

return M
