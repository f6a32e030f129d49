--- Token forms, and the Authorization header each service wants.

local auth = require "fly.auth"
local secret = require "sys.secret"
local t = require "kit"

local USER, READ, WRITE, DISCHARGE = "fo1_user", "fm2_read", "fm1r_write", "fm1a_discharge"

local function open(text)
  return assert(auth.new(secret.new(text), "FLY_API_TOKEN"))
end

local function is(value, text)
  return value:equals(secret.new(text))
end

local function header(text, service, want)
  t.ok(is(open(text):header(service), want), ("%s header of %q"):format(service, text))
end

t.test("a user token is a Bearer everywhere", function()
  for _, service in ipairs { "machines", "logs", "graphql", "uiex" } do
    header(USER, service, "Bearer fo1_user")
  end
end)

t.test("macaroons go under FlyV1, user tokens beside them only to GraphQL and UI-EX", function()
  local all = ("FlyV1 %s,%s,%s,%s"):format(READ, USER, WRITE, DISCHARGE)
  local macaroons = "fm2_read,fm1r_write,fm1a_discharge"
  header(all, "machines", "FlyV1 " .. macaroons)
  header(all, "logs", "FlyV1 " .. macaroons)
  header(all, "graphql", "FlyV1 " .. macaroons .. ",fo1_user")
  header(all, "uiex", "Bearer " .. macaroons .. ",fo1_user")
end)

t.test("white space, scheme words in any case and repeated, and empty parts are removed", function()
  for _, text in ipairs {
    "fo1_user", " fo1_user\n", "\tfo1_user\r\n", "Bearer fo1_user", "bearer   fo1_user",
    "BEARER Bearer fo1_user", "FlyV1 Bearer flyv1 fo1_user", ",fo1_user,,", "Bearer fo1_user, ",
    "Bearer\nfo1_user", "FlyV1 ,Bearer fo1_user",
  } do
    header(text, "machines", "Bearer fo1_user")
  end
end)

t.test("a token wrapped over lines is joined", function()
  header("FlyV1 fm2_aaaa\n  bbbb\r\ncccc,fm2_dd\ndd\n", "machines",
    "FlyV1 fm2_aaaabbbbcccc,fm2_dddd")
end)

t.test("a word that only begins like a scheme is part of the token", function()
  header("bearerfoo", "machines", "Bearer bearerfoo")
  header("FlyV1fm2_x", "machines", "Bearer FlyV1fm2_x")
end)

t.test("control characters in the middle are refused without showing the token", function()
  for _, text in ipairs { "fo1_\0user", "fo1_\27[31muser", "fm2_a,fo1_\127x" } do
    local e = t.err(nil, select(2, auth.new(secret.new(text), "FLY_API_TOKEN")), "auth")
    t.has(e.message, "FLY_API_TOKEN")
    t.has(e.message, "control character")
    t.lacks(e.message .. e.hint, "user")
  end
end)

t.test("no token, or one that holds nothing, tells the three ways to give one", function()
  local candidates = { false, "", "  \n", "Bearer", "FlyV1 ", ",", "Bearer ,," }
  for _, text in ipairs(candidates) do
    local e = t.err(nil, select(2, auth.new(text and secret.new(text) or nil)), "auth")
    t.eq(e.message, "no Fly API token")
    t.has(e.hint, "--api-token-file")
    t.has(e.hint, "flyio.api_token")
    t.has(e.hint, "FLY_API_TOKEN")
  end
end)

t.test("an absurd number of parts is refused", function()
  t.err(nil, select(2, auth.new(secret.new(("x,"):rep(1000)))), "auth")
end)

t.test("fingerprints tell tokens apart, however they were written, and hold no part", function()
  local plain = open("fo1_user").fingerprint
  t.eq(open(" Bearer fo1_user\n").fingerprint, plain)
  t.ok(open("fo1_other").fingerprint ~= plain)
  t.lacks(plain, "fo1_")
  t.lacks(plain, "user")
end)

t.test("tokens print as a mask", function()
  local found = open("fo1_user,fm2_x")
  t.eq(tostring(found.users[1]), "[secret]")
  t.eq(tostring(found:header("machines")), "[secret]")
end)

t.test("closing wipes parts and headers, twice is fine", function()
  local found = open("fo1_user")
  found:header("machines")
  found:close()
  found:close()
  t.eq(#found.users, 0)
end)

t.test("Managed Postgres needs a macaroon, and that can be asked", function()
  t.eq(open("fo1_user"):has_macaroon(), false)
  t.eq(open("fm2_x"):has_macaroon(), true)
end)
