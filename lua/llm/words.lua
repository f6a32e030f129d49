--- The built-in answerer's vocabulary: words and phrases to what they mean.
--- Pure data and lookup; a word that is not here has no meaning, not a guess.

local M = {}

---@class llm.Term what a word or phrase says
---@field kind "noun"|"state"|"measure"|"order"|"mark"|"change"|"unit"|"filler"|"name"|"number"
---@field value any
---@field text string as it stood in the question

-- kind → meaning → the words and phrases for it, in the singular.
local VOCABULARY = {
  noun = {
    app = { "app", "application", "service", "site", "website", "project" },
    machine = {
      "machine", "vm", "instance", "server", "node", "container",
      "virtual machine", "fly machine",
    },
    volume = { "volume", "disk", "drive", "persistent disk", "storage volume" },
    region = {
      "region", "location", "datacenter", "datacentre", "data center",
      "data centre", "where", "place",
    },
    org = { "org", "organization", "organisation", "team" },
    secret = {
      "secret", "env var", "environment variable", "secret name", "api key",
    },
    ip = { "ip", "ips", "ip address", "address" },
    cert = {
      "cert", "certificate", "tls certificate", "ssl certificate", "tls",
      "ssl", "hostname", "domain", "custom domain", "tls cert", "ssl cert",
    },
    release = {
      "release", "deploy", "deployment", "deployed", "version", "rollout",
    },
    user = {
      "who am i", "whoami", "my account", "my user", "my email", "logged in",
      "log in", "which account",
    },
  },
  state = {
    running = {
      "running", "run", "started", "up", "alive", "online", "active", "live",
      "up and running", "turned on",
    },
    stopped = {
      "stopped", "down", "off", "offline", "inactive", "idle", "shut down",
      "turned off", "halted",
    },
    suspended = { "suspended", "paused", "asleep", "sleeping" },
    failed = { "failed", "fail", "broken", "crashed", "failing", "crashing" },
    created = { "never started" },
    unattached = {
      "unattached", "detached", "orphaned", "orphan", "unused", "unmounted",
      "dangling", "free", "loose", "spare",
    },
    attached = { "attached", "mounted", "in use" },
    ready = {
      "ready", "issued", "valid", "configured", "verified",
    },
    encrypted = { "encrypted" },
  },
  measure = {
    memory = { "memory", "ram" },
    cpu = { "cpu", "vcpu", "core", "processor", "cpu core" },
    size = { "size", "space", "big", "large", "capacity" },
    storage = { "storage", "disk space", "disk size" },
    age = { "age", "old" },
    image = { "image", "docker image" },
    state = { "state", "status" },
  },
  order = {
    most = {
      "most", "highest", "top", "maximum", "max", "more than any",
    },
    least = { "least", "lowest", "fewest", "minimum", "min" },
    biggest = { "biggest", "largest", "greatest", "bigger", "heaviest" },
    smallest = { "smallest", "tiniest", "lightest" },
    newest = {
      "newest", "latest", "last", "most recent", "recent", "youngest",
      "recently", "most recently",
    },
    oldest = { "oldest", "first" },
  },
  mark = {
    count = { "how many", "number of", "count", "how often", "amount of" },
    much = { "how much" },
    total = {
      "total", "in total", "sum", "altogether", "overall", "combined",
      "in all", "all together",
    },
    each = { "each", "every", "per", "by", "for each", "grouped by", "for every" },
    no = { "not", "no", "without", "none", "never", "zero", "with no", "lacking", "lack" },
    all = { "all", "everything", "every one" },
    any = {
      "any", "any of", "anything", "something", "is there", "are there",
    },
    own = { "do i have", "do we have" },
    is = { "is", "are", "do", "does", "did", "was", "were" },
    has = {
      "have", "has", "with", "own", "owns", "having", "hold", "contain",
      "contains", "holds",
    },
    uses = { "use", "using", "uses", "used" },
    who = { "who", "whose" },
    platform = { "is fly", "is fly.io", "is flyio" },
    when = { "when" },
    mine = { "my", "i", "we", "our", "mine", "ours", "me" },
    above = {
      "more than", "over", "above", "greater than", "larger than",
      "bigger than", "exceeding",
    },
    below = { "less than", "under", "below", "smaller than", "fewer than" },
    at_least = { "at least", "no less than", "minimum of" },
    at_most = { "at most", "no more than", "up to", "maximum of" },
  },
  unit = {
    mb = { "mb", "megabyte", "mib", "meg" },
    gb = { "gb", "gigabyte", "gib", "gig" },
  },
  change = {
    ["start"] = { "start", "launch", "boot" },
    ["stop"] = { "stop", "shutdown", "kill", "halt" },
    ["restart"] = { "restart", "reboot", "bounce" },
    ["suspend"] = { "suspend", "pause" },
    ["destroy"] = { "destroy", "delete", "remove", "drop", "wipe", "purge" },
    ["create"] = { "create", "make", "add", "allocate", "provision", "new" },
    ["update"] = {
      "update", "change", "set", "unset", "scale", "resize", "extend",
      "rollback", "roll back", "redeploy", "clone", "fork", "attach",
      "detach", "mount", "unmount", "move", "rename", "upgrade", "exec",
      "revoke", "cordon", "uncordon",
    },
  },
  -- Words that change nothing about what is asked.
  filler = {
    plain = {
      "a", "about", "account", "also", "am", "an", "and", "at", "be",
      "been", "being", "belong", "belongs", "can", "check", "could",
      "current", "currently", "display", "exist", "exists", "existing", "find",
      "fly", "fly.io", "flyio", "flyctl", "for", "from", "get", "give", "go",
      "got", "had", "hello", "help", "here", "hey", "hi", "how", "in", "into",
      "it", "its", "just", "know", "let", "list", "located", "look", "live in",
      "many", "much", "name", "named", "names", "now", "of", "on", "or", "out",
      "please", "present", "print", "report", "right", "right now", "see",
      "should", "show", "so", "some", "tell", "thank", "thanks", "that", "the",
      "their", "them", "then", "there", "these", "they", "thing", "things",
      "this", "those", "to", "what", "which",
      "will", "would", "you", "your", "want", "need to know", "i need",
      "i want", "at the moment", "as", "consume", "consumes", "consuming",
      "take", "taking", "takes", "assigned", "allocated", "deployed to",
      "details", "info", "information", "overview", "available", "across",
      "spread", "hosted", "host", "set up", "gives", "currently in", "only",
      "anywhere", "still", "between", "logged in as", "as whom",
      "been deployed", "are set", "is set", "set on", "set for", "set in",
    },
  },
}

-- "machines" → "machine", "addresses" → "address", "memories" → "memory".
local function singulars(word)
  local forms = { word }
  local stem = word:match("^(..+)ies$")
  if stem then
    forms[#forms + 1] = stem .. "y"
  end
  stem = word:match("^(..+)es$")
  if stem then
    forms[#forms + 1] = stem
  end
  stem = word:match("^(..+[^s])s$")
  if stem then
    forms[#forms + 1] = stem
  end
  return forms
end

-- Every phrase once; one with two meanings would mean what was read last.
local function build_index()
  local index, longest = {}, 1
  for kind, meanings in pairs(VOCABULARY) do
    for meaning, phrases in pairs(meanings) do
      for _, phrase in ipairs(phrases) do
        if index[phrase] then
          error(("%q has two meanings"):format(phrase))
        end
        index[phrase] = { kind = kind, value = meaning }
        local _, spaces = phrase:gsub(" ", "")
        longest = math.max(longest, spaces + 1)
      end
    end
  end
  return index, longest
end

local index, longest = build_index()

-- Only these have plurals: "ams" is a region, not more of "am".
local COUNTABLE = { noun = true, measure = true, unit = true, state = true }

-- The entry for a phrase; only its last word may be a plural.
local function lookup(words, from, count)
  local head = table.concat(words, " ", from, from + count - 2)
  for i, last in ipairs(singulars(words[from + count - 1])) do
    local entry = index[head == "" and last or head .. " " .. last]
    if entry and (i == 1 or COUNTABLE[entry.kind]) then
      return entry
    end
  end
end

local CONTRACTIONS = {
  { "can't", "can not" }, { "won't", "will not" }, { "n't%f[%W]", " not" },
  { "'re%f[%W]", " are" }, { "'ve%f[%W]", " have" }, { "'m%f[%W]", " am" },
  { "'s%f[%W]", "" }, { "'%f[%W]", "" },
}

-- A word in quotes is a name, whatever it means without them.
local QUOTED = "\0"

--- The words of a question: lower case, without the punctuation around them.
---@param question string
---@return string[]
function M.split(question)
  local text = question:lower():gsub("“", '"'):gsub("”", '"')
    :gsub("‘", "'"):gsub("’", "'")
  text = text:gsub('"([^"%s]+)"', QUOTED .. "%1")
    :gsub("%f[^%s]'([^'%s]+)'", QUOTED .. "%1")
  for _, row in ipairs(CONTRACTIONS) do
    text = text:gsub(row[1], row[2])
  end
  local words = {}
  for word in text:gmatch("%S+") do
    word = word:gsub("^[^%w\128-\255" .. QUOTED .. "]+", "")
      :gsub("[^%w\128-\255]+$", "")
    if word ~= "" then
      words[#words + 1] = word
    end
  end
  return words
end

local function other_term(word)
  if word:sub(1, 1) == QUOTED then
    return { kind = "name", value = word:sub(2), text = word:sub(2) }
  end
  local digits, unit = word:match("^(%d+%.?%d*)(%a*)$")
  if not digits then
    return nil
  end
  local entry = unit ~= "" and index[unit]
  if unit ~= "" and not (entry and entry.kind == "unit") then
    return nil
  end
  return { kind = "number", value = tonumber(digits),
    unit = entry and entry.value, text = word }
end

--- The terms of a question, longest phrases first; a word without a meaning
--- becomes a "name", to be found in the data or refused.
---@param question string
---@return llm.Term[]
function M.terms(question)
  local words, terms, at = M.split(question), {}, 1
  while at <= #words do
    local entry, count
    for n = math.min(longest, #words - at + 1), 1, -1 do
      entry, count = lookup(words, at, n), n
      if entry then
        break
      end
    end
    local text = table.concat(words, " ", at, at + count - 1)
    if entry then
      terms[#terms + 1] = { kind = entry.kind, value = entry.value, text = text }
    else
      terms[#terms + 1] = other_term(text)
        or { kind = "name", value = text, text = text }
    end
    at = at + count
  end
  return terms
end

return M
