--- Answers in the shapes of Fly's APIs.
--- Pure. A handler returns status, body, headers; a body is JSON text, a value
--- to encode, or nil.

local json = require "base.json"

local M = {}

M.JSON = "application/json"

---@param body any
---@return string
function M.text(body)
  if body == nil then
    return ""
  elseif type(body) == "string" then
    return body
  end
  return json.encode(body)
end

-- The web API of api.fly.io words its errors like this.
local function web_error(problem)
  if problem.status == 404 or problem.status == 401 then
    local detail = problem.status == 404 and "Not Found" or "Unauthorized"
    return { errors = { detail = detail } }
  end
  return { error = problem.message }
end

--- The body of a refusal.
---@param problem sim.Problem
---@param path string
---@return table
function M.problem(problem, path)
  if path == "/graphql" then
    return { errors = json.array { { message = problem.message } } }
  end
  if path:sub(1, 8) == "/api/v1/" then
    return web_error(problem)
  end
  return { error = problem.message, status = problem.word }
end

--- A JSON list of texts that are JSON already.
---@param texts string[]
---@return string
function M.list(texts)
  return "[" .. table.concat(texts, ",") .. "]"
end

--- A list that the real service answers with `null` when it is empty.
---@param list any[]
---@return any
function M.list_or_null(list)
  if #list == 0 then
    return json.null
  end
  return list
end

return M
