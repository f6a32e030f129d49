--- After use and close, a secret's bytes are nowhere in this process's memory.
--- The test never holds a copy of what it looks for: it knows the bytes xor a
--- key, and hands them over one by one. "Use" includes the connection: while it is
--- open, its own buffers may hold what was last sent.

local devnet = require "host.devnet"
local host = require "host.secret"
local http = require "sys.http"
local sysos = require "sys.os"
local process = require "sys.process"
local raw = require "kit.raw"
local secret = require "sys.secret"
local term = require "sys.term"
local t = require "kit"
local task = require "sys.task"

local KEY = 0x80
local LENGTH, PIECE = 64, 16

-- Sanitizers and valgrind replace the heap that core/wipe.c wraps.
local KEEPS_FREED_MEMORY = t.binary():find("/asan/", 1, true) or os.getenv("VALGRIND")

--- The masked bytes of a new token. Its characters are those that HPACK's Huffman
--- code makes longer, so that HTTP/2 sends them as they are.
local function new_token()
  local alphabet = "!\"#$'()+,;<>?@[]^`{|}~"
  return (sysos.random(LENGTH):gsub(".", function(c)
    local i = c:byte() % #alphabet + 1
    return string.char(alphabet:byte(i) ~ KEY)
  end))
end

local function make(masked)
  local bytes = {}
  for i = 1, #masked do
    bytes[i] = string.char(masked:byte(i) ~ KEY)
  end
  return secret.concat(bytes)
end

--- Where the token, or a quarter of it, is found.
local function residue(masked)
  local places = {}
  for from = 1, LENGTH, PIECE do
    for _, place in ipairs(assert(host.residue(masked:sub(from, from + PIECE - 1), KEY))) do
      places[#places + 1] = ("bytes %d to %d at %s"):format(from, from + PIECE - 1, place)
    end
  end
  return places
end

--- The sentence must hold of `use(secret)`, which must not keep anything.
local function nothing_is_left_of(name, use)
  t.test("nothing is left of a secret " .. name, function()
    if KEEPS_FREED_MEMORY then
      t.skip("this build keeps freed memory as it was")
    end
    local masked = new_token()
    task.spawn(function()
      local s <close> = make(masked)
      t.ok(#residue(masked) >= LENGTH // PIECE, "the search finds what is there")
      use(s)
    end):await()
    collectgarbage()
    collectgarbage()
    -- Handles that were closed are freed on the loop's next turns.
    local found
    for _ = 1, 20 do
      found = residue(masked)
      if #found == 0 then
        return
      end
      task.sleep(0.01)
    end
    error("left: " .. table.concat(found, "; "))
  end)
end

nothing_is_left_of("that was only held", function() end)

nothing_is_left_of("that was cut, joined, compared and digested", function(s)
  local parts = s:split("!")
  local whole = secret.concat { "Bearer ", s:trim():remove_space(), parts[1] }
  t.ok(whole:len() > 7)
  t.ok(whole:sub(8, 7 + s:len()):starts_with(""))
  t.eq(s:equals(whole), false)
  t.eq(#whole:digest("test"), 32)
end)

nothing_is_left_of("that was collected and not closed", function(s)
  secret.concat { s }
end)

nothing_is_left_of("from a file, a pipe and the environment", function(s)
  local dir = t.tmpdir()
  local path = dir .. "/token"
  t.ok(process.run { argv = { "tee", path }, stdin = s, on_stdout = function() end })
  t.ok(secret.from_file(path):equals(s))
  local r = t.ok(process.run {
    argv = { t.binary(), "-l", "tests/host/fixtures/take_env.lua" },
    env = { CLANKER_LUA = "lua:tests", TOKEN = s },
  })
  t.match(r.stdout, "^0\n")
end)

nothing_is_left_of("that was a child's input and environment", function(s)
  local r = t.ok(process.run {
    argv = { "wc", "-c" }, stdin = s, env = { TOKEN = s },
  })
  t.eq(r.stdout, LENGTH .. "\n")
  local p = t.ok(process.spawn { argv = { "sleep", "1000" }, stdin = s })
  p:close()
end)

nothing_is_left_of("that a child echoed and that was masked on output", function(s)
  local r = t.ok(process.run { argv = { "cat" }, stdin = s })
  t.eq(#r.stdout, LENGTH)
  t.eq(secret.mask(r.stdout), "[secret]")
  t.eq(secret.mask(("%s %q"):format(r.stdout, r.stdout)):gsub("%[secret%]", ""), " \"\"")
  t.ok(term.write(1, "# " .. r.stdout .. "\n"))
  local masker <close> = secret.masker()
  for i = 1, LENGTH - 1 do
    t.eq(masker:feed(r.stdout:sub(i, i)), "")
  end
end)

nothing_is_left_of("that was sent in a header and a body", function(s)
  local srv <close> = raw.answering(function()
    return "hello"
  end)
  local client <close> = t.ok(http.new())
  for _ = 1, 3 do
    local reply = t.ok(client:request {
      url = srv.url, method = "POST", body = { "a=", s },
      headers = { Authorization = s, ["X-Token"] = s },
    })
    t.eq(reply.body, "hello")
  end
  t.eq(#srv.requests, 3)
end)

--- A certificate for localhost, made for this test.
local function certificate(dir)
  local r = t.ok(process.run {
    argv = { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
      "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
      "-keyout", dir .. "/key.pem", "-out", dir .. "/cert.pem" },
    cwd = dir, env = { HOME = dir, RANDFILE = dir .. "/rnd" },
  })
  t.eq(r.code, 0, r.stderr)
  return dir .. "/cert.pem", dir .. "/key.pem"
end

--- nghttpd on a free port: HTTP/2 over TLS in another process.
local function start_nghttpd(dir, cert, key)
  for _ = 1, 10 do
    local listener, port = assert(devnet.listen())
    listener:close()
    local server = t.ok(process.spawn {
      argv = { "nghttpd", "-a", "127.0.0.1", "-d", dir, tostring(port), key, cert },
      env = { PATH = "/usr/sbin:/usr/bin:/bin" },
    })
    for _ = 1, 300 do
      local client <close> = t.ok(http.new())
      local reply = client:request { url = "https://localhost:" .. port .. "/", cafile = cert }
      if reply then
        return server, "https://localhost:" .. port .. "/"
      end
      task.sleep(0.01)
    end
    server:close() -- perhaps another process took the port
  end
  error("nghttpd does not start")
end

nothing_is_left_of("that was sent over HTTP/2 and TLS", function(s)
  local dir = t.tmpdir()
  local cert, key = certificate(dir)
  local _ <close>, url = start_nghttpd(dir, cert, key)
  local client <close> = t.ok(http.new())
  for _ = 1, 3 do
    local reply = t.ok(client:request {
      url = url, method = "POST", cafile = cert, body = { "a=", s },
      headers = { Authorization = s, ["X-Token"] = s },
    })
    t.eq(reply.version, "2")
  end
end)
