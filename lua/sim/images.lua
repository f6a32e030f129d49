--- Container images: reading a reference, and what an image does when it runs.
--- Pure. No image is ever fetched: the tag decides how the machine behaves.

local json = require "base.json"

local ids = require "sim.ids"

local M = {}

--- Tags with a will of their own; every other image runs well.
---@type table<string, string>
M.BEHAVIORS = {
  missing = "no such image: the create or update is refused",
  broken = "the machine never starts; an update is rolled back",
  crash = "the machine exits with code 1 soon after it started",
  unhealthy = "the machine runs, its checks stay critical",
}

local function split(image)
  local name, digest = image:match("^([^@]+)@(sha256:%x+)$")
  name = name or image
  local path, tag = name:match("^(.+):([%w_][%w_.%-]*)$")
  return path or name, tag, digest
end

--- A digest in the form of a registry's, always the same for an image.
---@param text string
---@return string
function M.digest(text)
  local parts = {}
  for i = 1, 4 do
    parts[i] = ids.digest(i .. text)
  end
  return "sha256:" .. table.concat(parts)
end

--- The reference taken apart.
---@param image string
---@return {registry: string, repository: string, tag: string, digest: string,
---  labels: any}
function M.ref(image)
  local path, tag, digest = split(image)
  local registry, repository = path:match("^([^/]*[.:][^/]*)/(.+)$")
  if not registry then
    registry = "docker-hub-mirror.fly.io"
    repository = path:find("/", 1, true) and path or "library/" .. path
  end
  return {
    registry = registry,
    repository = repository,
    tag = tag or "latest",
    digest = digest or M.digest(image),
    labels = json.null,
  }
end

--- How a machine with this image behaves; nil for well.
---@param image string
---@return string?
function M.behavior(image)
  local _, tag = split(image)
  return tag and M.BEHAVIORS[tag] and tag or nil
end

return M
