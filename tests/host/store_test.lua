local fs = require "sys.fs"
local process = require "sys.process"
local store = require "sys.store"
local t = require "kit"
local task = require "sys.task"

local NULL = require "cjson".null

local function open_apps()
  local db = t.ok(store.open(":memory:"))
  t.eq(db:migrate { [[
    CREATE TABLE apps (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, org TEXT);
    CREATE TABLE machines (
      id TEXT PRIMARY KEY, app INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE);
  ]] }, 1)
  return db
end

local function names(db)
  local list = {}
  for i, row in ipairs(t.ok(db:query("SELECT name FROM apps ORDER BY id"))) do
    list[i] = row.name
  end
  return list
end

t.test("what is stored comes back with its type", function()
  local db <close> = t.ok(store.open(":memory:"))
  t.eq(db:exec("CREATE TABLE v (i, f, s, b, n, yes, no)"), 0)
  local changes, rowid = db:exec("INSERT INTO v VALUES (?, ?, ?, ?, ?, ?, ?)",
    { math.mininteger, 1.5, "a\0b'\"", store.blob("\0\255"), NULL, true, false })
  t.eq({ changes, rowid }, { 1, 1 })
  t.eq(db:query("SELECT *, typeof(b) AS tb, typeof(s) AS ts FROM v"), { {
    i = math.mininteger, f = 1.5, s = "a\0b'\"", b = "\0\255", yes = 1, no = 0,
    tb = "blob", ts = "text",
  } })
  t.eq(db:row("SELECT ? AS e, ? AS z", { "", store.blob("") }), { e = "", z = "" })
  t.eq(db:row("SELECT 1 WHERE 0"), false)
end)

t.test("parameters go by position and by name, absent ones are NULL", function()
  local db <close> = t.ok(store.open(":memory:"))
  t.eq(db:row("SELECT ?2 AS a, ?1 AS b", { 1, 2 }), { a = 2, b = 1 })
  t.eq(db:row("SELECT :a AS x, @b AS y, $c AS z, :a AS w", { a = 1, b = 2, c = 3 }),
    { x = 1, y = 2, z = 3, w = 1 })
  t.eq(db:row("SELECT ? AS x, ? AS y", { [2] = 5 }), { y = 5 })
  t.eq(db:row("SELECT :a AS x, :b AS y", { b = 5 }), { y = 5 })
  -- A statement keeps nothing of its last use.
  t.eq(db:row("SELECT :a AS x, :b AS y", {}), {})
end)

t.test("wrong parameters are a bug", function()
  local db <close> = t.ok(store.open(":memory:"))
  local function raises(pattern, sql, params)
    t.raises(function()
      db:query(sql, params)
    end, pattern)
  end
  raises("the statement has parameters", "SELECT ?")
  raises("no parameter 2", "SELECT ?", { 1, 2 })
  raises("no parameter 0", "SELECT ?", { [0] = 1 })
  raises("no parameter nmae", "SELECT :name", { nmae = 1 })
  raises("no parameter true", "SELECT :name", { [true] = 1 })
  raises("no parameter 1.5", "SELECT ?", { [1.5] = 1 })
  raises("parameter name cannot be stored", "SELECT :name", { name = {} })
  raises("parameter 1 cannot be stored", "SELECT ?", { print })
  raises("parameter 1 cannot be stored", "SELECT ?", { io.stdout })
  raises("table expected", "SELECT ?", "1")
  t.eq(db:row("SELECT :name AS n", { name = "still usable" }), { n = "still usable" })
end)

t.test("SQL is one statement and cannot leave its database", function()
  local db <close> = open_apps()
  local function raises(pattern, sql)
    t.raises(function()
      db:exec(sql)
    end, pattern)
  end
  raises("more than one SQL statement", "DELETE FROM apps; DELETE FROM apps")
  raises("more than one SQL statement", "DELETE FROM apps; nonsense")
  raises("more than one SQL statement", "SELECT 1;;SELECT 2")
  raises("no SQL statement", "")
  raises("no SQL statement", " -- nothing\n;")
  raises("transactions are not begun or ended by SQL", "BEGIN")
  raises("transactions are not begun or ended by SQL", "COMMIT")
  raises("transactions are not begun or ended by SQL", "SAVEPOINT s")
  raises("SQL cannot attach databases", "ATTACH 'other.db' AS other")
  raises("SQL cannot change settings", "PRAGMA foreign_keys = OFF")
  raises("SQL cannot change settings", "PRAGMA user_version = 7")
  raises("too long", "SELECT 1" .. (" "):rep(1 << 20))
  t.eq(db:exec("DELETE FROM apps; -- a remark\n ; /* and another */"), 0)
  t.eq(#db:query("PRAGMA table_info(apps)"), 3)
  t.err(nil, select(2, db:query("SELECT load_extension('x')")), "EINVAL")
end)

t.test("wrong SQL says what is wrong", function()
  local db <close> = open_apps()
  local _, e = db:query("SELECT nonsense FROM apps")
  t.err(nil, e, "EINVAL")
  t.has(e.message, "no such column: nonsense")
  t.has(e.message, ":memory:")
  _, e = db:exec("SELEC")
  t.err(nil, e, "syntax error")
end)

t.test("constraints have a code of their own", function()
  local db <close> = open_apps()
  t.eq({ db:exec("INSERT INTO apps (name) VALUES (?)", { "web" }) }, { 1, 1 })
  local _, e = db:exec("INSERT INTO apps (name) VALUES (?)", { "web" })
  t.err(nil, e, "ECONSTRAINT")
  t.has(e.message, "apps.name")
  _, e = db:exec("INSERT INTO apps (name) VALUES (?)", { NULL })
  t.err(nil, e, "ECONSTRAINT")
  _, e = db:exec("INSERT INTO machines VALUES ('m', 99)")
  t.err(nil, e, "ECONSTRAINT")
  t.eq(names(db), { "web" })
end)

t.test("changes count what the statement changed itself", function()
  local db <close> = open_apps()
  db:exec("INSERT INTO apps (name) VALUES ('a'), ('b')")
  db:exec("INSERT INTO machines VALUES ('m1', 1), ('m2', 1)")
  t.eq(db:exec("UPDATE apps SET org = 'x'"), 2)
  t.eq(db:exec("CREATE TABLE later (x)"), 0)
  t.eq(db:exec("SELECT * FROM apps"), 0)
  t.eq(db:exec("DELETE FROM apps WHERE name = 'a'"), 1)
  t.eq(db:row("SELECT count(*) AS n FROM machines"), { n = 0 })
  t.eq(db:query("UPDATE apps SET org = 'y' RETURNING id, org"), { { id = 2, org = "y" } })
end)

t.test("a transaction is committed, or rolled back by an error", function()
  local db <close> = open_apps()
  local function add(name)
    return t.ok(db:exec("INSERT INTO apps (name) VALUES (?)", { name }))
  end
  t.eq({ db:transaction(function(inner)
    t.eq(inner, db)
    add "a"
    return 1, nil, 3
  end) }, { 1, nil, 3 })
  t.eq(db:transaction(function()
    add "b"
  end), true)
  local e = t.raises(function()
    db:transaction(function()
      add "c"
      error({ message = "oh no" })
    end)
  end, "oh no")
  t.eq(e, { message = "oh no" })
  local value, why = db:transaction(function()
    add "d"
    return nil, "because"
  end)
  t.eq({ value, why }, { nil, "because" })
  t.eq(names(db), { "a", "b" })
end)

t.test("a failing commit rolls back and says why", function()
  local db <close> = t.ok(store.open(":memory:"))
  db:migrate { [[
    CREATE TABLE a (id INTEGER PRIMARY KEY);
    CREATE TABLE b (a INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED);
  ]] }
  local value, e = db:transaction(function()
    t.eq(db:exec("INSERT INTO b VALUES (1)"), 1)
  end)
  t.err(value, e, "ECONSTRAINT")
  t.eq(db:query("SELECT * FROM b"), {})
  t.eq(db:transaction(function()
    return "usable"
  end), "usable")
end)

t.test("a transaction neither nests nor waits nor closes", function()
  local db <close> = open_apps()
  t.raises(function()
    db:transaction(function()
      db:transaction(function() end)
    end)
  end, "a transaction is open")
  t.raises(function()
    db:transaction(function()
      db:exec("INSERT INTO apps (name) VALUES ('a')")
      task.sleep(0)
    end)
  end, "cannot wait")
  t.raises(function()
    db:transaction(function()
      db:close()
    end)
  end, "a transaction is open")
  t.raises(function()
    db:transaction(function()
      db:migrate {}
    end)
  end, "a transaction is open")
  t.eq(names(db), {})
end)

t.test("a transaction that SQLite gave up does nothing more", function()
  local db <close> = t.ok(store.open(":memory:", { max_steps = 20000 }))
  db:exec("CREATE TABLE v (x)")
  local value, e = db:transaction(function()
    db:exec("INSERT INTO v VALUES (1)")
    local _, slow = db:exec([[
      INSERT INTO v WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
      SELECT x FROM n]])
    t.err(nil, slow, "ETIMEDOUT")
    t.err(nil, select(2, db:exec("INSERT INTO v VALUES (2)")), "rolled back")
    return "done"
  end)
  t.err(value, e, "rolled back")
  t.eq(db:query("SELECT * FROM v"), {})
end)

t.test("an endless query ends", function()
  local db <close> = t.ok(store.open(":memory:", { max_steps = 100000 }))
  local endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
  t.err(nil, select(2, db:exec(endless .. "SELECT x FROM n")), "timeout")
  t.err(nil, select(2, db:query(endless .. "SELECT max(x) FROM n")), "ETIMEDOUT")
  t.eq(#db:query(endless .. "SELECT x FROM n LIMIT 100"), 100)
end)

t.test("a query with too many rows ends", function()
  local db <close> = t.ok(store.open(":memory:"))
  local many = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
  t.err(nil, select(2, db:query(many)), "E2BIG")
  t.eq(#db:query(many .. " LIMIT 100000"), 100000)
end)

t.test("a value can be too long", function()
  local db <close> = t.ok(store.open(":memory:"))
  t.err(nil, select(2, db:query("SELECT zeroblob(?)", { (1 << 26) + 1 })), "E2BIG")
  t.err(nil, select(2, db:query("SELECT ?", { ("x"):rep((1 << 26) + 1) })), "E2BIG")
end)

t.test("more statements than are kept prepared all work", function()
  local db <close> = t.ok(store.open(":memory:"))
  for round = 1, 3 do
    for i = 1, 100 do
      t.eq(db:row(("SELECT ? + %d AS n"):format(i), { round }), { n = i + round })
    end
  end
end)

t.test("the schema moves on version by version", function()
  local path = t.tmpdir() .. "/a.db"
  local steps = { "CREATE TABLE a (x); CREATE TABLE b (x);" }
  do
    local db <close> = t.ok(store.open(path))
    t.eq(db:migrate(steps), 1)
    t.eq(db:migrate(steps), 1)
    t.ok(db:exec("INSERT INTO a VALUES (1)"))
  end
  steps[2] = "ALTER TABLE a ADD COLUMN y DEFAULT 'new'; nonsense"
  local db <close> = t.ok(store.open(path))
  t.err(nil, select(2, db:migrate(steps)), "syntax error")
  t.eq(db:row("SELECT * FROM a"), { x = 1 }, "a failed step changes nothing")
  steps[2] = "ALTER TABLE a ADD COLUMN y DEFAULT 'new'; -- done"
  t.eq(db:migrate(steps), 2)
  t.eq(db:row("SELECT * FROM a"), { x = 1, y = "new" })
  t.err(nil, select(2, db:migrate { "CREATE TABLE a (x)" }), "later version")
  t.raises(function()
    db:migrate { steps[1], steps[2], "COMMIT" }
  end, "transactions are not begun")
  t.eq(db:migrate(steps), 2)
end)

t.test("closing twice is once, and a closed database is not used", function()
  local db = open_apps()
  db:close()
  db:close()
  for _, method in ipairs { "exec", "query", "migrate", "transaction" } do
    t.raises(function()
      db[method](db, method == "migrate" and {} or method == "transaction" and print or "SELECT 1")
    end, "the database is closed")
  end
end)

t.test("a database that is not closed is closed by the collector", function()
  local path = t.tmpdir() .. "/a.db"
  do
    local db = t.ok(store.open(path))
    db:exec("CREATE TABLE a (x)")
  end
  collectgarbage()
  collectgarbage()
  t.eq(io.open(path .. "-wal"), nil, "the last connection removes it")
  local db <close> = t.ok(store.open(path))
  t.eq(db:query("SELECT * FROM a"), {})
end)

t.test("a file that cannot be had says why", function()
  local dir = t.tmpdir()
  local function open_error(path)
    local db, e = store.open(path)
    t.eq(db, nil)
    t.eq(select(2, e.message:gsub(path:gsub("%p", "%%%0"), "")), 1, "the path, once")
    return e.code
  end
  t.eq(open_error(dir .. "/no/such.db"), "ENOENT")
  t.eq(open_error(dir), "EISDIR")
  t.eq(open_error("/dev/null"), "EINVAL")
  local file = t.ok(io.open(dir .. "/letter", "w"))
  file:write(("dear grandmother, "):rep(100))
  file:close()
  t.eq(open_error(dir .. "/letter"), "ECORRUPT")
  t.has(t.read_file(dir .. "/letter"), "grandmother")
  t.raises(function()
    store.open("")
  end, "an empty path")
end)

-- Root may do all, unless these rights are taken away.
local AS_USER = { "setpriv", "--bounding-set=-dac_override,-dac_read_search" }

t.test("a file that may not be had says so, YAML or database", function()
  local dir = t.tmpdir()
  for _, name in ipairs { "closed.yaml", "closed.db" } do
    t.ok(fs.write(dir .. "/" .. name, "", { mode = 0 }))
  end
  t.ok(fs.mkdir(dir .. "/shut", 0))
  local argv = require("sys.os").uid() == 0 and { table.unpack(AS_USER) } or {}
  table.move({ t.binary(), "-l", "tests/host/fixtures/denied.lua" }, 1, 3, #argv + 1, argv)
  local result = t.ok(process.run {
    argv = argv, env = { DENIED = dir }, timeout = 20,
    inherit = { "PATH", "CLANKER_LUA", "ASAN_OPTIONS", "HOME" },
  })
  if result.stderr:find "^setpriv: " then
    t.skip("this root may not give up its rights")
  end
  local codes = {}
  for code in result.stdout:gmatch "(E%u+)\t" do
    codes[#codes + 1] = code
  end
  t.eq(codes, { "EACCES", "EACCES", "EACCES" }, result.stdout .. result.stderr)
  for _, name in ipairs { "closed.yaml", "closed.db", "shut/new.db" } do
    t.has(result.stdout, ("EACCES\t%s/%s: permission denied\n"):format(dir, name))
  end
end)

t.test("a file that cannot grow is told, and what it held stays", function()
  local path = t.tmpdir() .. "/a.db"
  local result = t.ok(process.run {
    argv = {
      "sh", "-c", "trap '' XFSZ; ulimit -f 512; exec \"$0\" -l tests/host/fixtures/full_disk.lua",
      t.binary(),
    },
    env = { FULL = path }, inherit = { "PATH", "CLANKER_LUA", "ASAN_OPTIONS", "HOME" },
    timeout = 20,
  })
  t.has(result.stdout, "EIO\nnil\tEIO\n1\n", result.stderr)
  local db <close> = t.ok(store.open(path))
  t.eq(db:query("SELECT * FROM a"), { { x = 1 } })
end)

t.test("a damaged file says so", function()
  local path = t.tmpdir() .. "/a.db"
  do
    local db <close> = t.ok(store.open(path))
    db:exec("CREATE TABLE a (x)")
    for i = 1, 500 do
      db:exec("INSERT INTO a VALUES (?)", { ("row %d "):format(i):rep(20) })
    end
  end
  local text = t.read_file(path)
  local file = t.ok(io.open(path, "wb"))
  file:write(text:sub(1, 4096), ("\255"):rep(#text - 4096))
  file:close()
  local db <close> = t.ok(store.open(path))
  local rows, e = db:query("SELECT * FROM a")
  t.err(rows, e, "ECORRUPT")
  t.has(e.message, "damaged")
end)

t.test("who waits too long for another connection is told", function()
  local path = t.tmpdir() .. "/a.db"
  local a <close> = t.ok(store.open(path))
  local b <close> = t.ok(store.open(path, { busy_ms = 20 }))
  a:exec("CREATE TABLE a (x)")
  a:transaction(function()
    a:exec("INSERT INTO a VALUES (1)")
    t.eq(b:query("SELECT * FROM a"), {}, "readers are not blocked")
    t.err(nil, select(2, b:exec("INSERT INTO a VALUES (2)")), "EBUSY")
    t.err(nil, select(2, b:transaction(function() end)), "EBUSY")
  end)
  t.eq(b:exec("INSERT INTO a VALUES (2)"), 1)
  t.eq(#a:query("SELECT * FROM a"), 2)
end)
