local t = require "kit"
local store = require "host.store"

t.torture("a database in memory survives a failing allocation", function()
  local db <close> = assert(store.open(":memory:"))
  assert(db:migrate { "CREATE TABLE a (x PRIMARY KEY, y); CREATE INDEX b ON a (y)" })
  assert(db:transaction(function()
    for i = 1, 3 do
      assert(db:exec("INSERT INTO a VALUES (:x, ?2)", { x = i, [2] = store.blob("y") }))
    end
  end))
  assert(not pcall(db.transaction, db, function()
    assert(db:exec("DELETE FROM a"))
    error("changed my mind")
  end))
  local rows = assert(db:query("SELECT x, y FROM a WHERE x > ? ORDER BY y", { 1 }))
  assert(#rows == 2)
end)

t.torture("a database file survives a failing allocation", function()
  local path = os.tmpname()
  local db, message = store.open(path)
  local ok = db and db:exec("CREATE TABLE IF NOT EXISTS a (x)")
  local rows = ok and db:query("SELECT * FROM a")
  if db then
    db:close()
  end
  os.remove(path)
  os.remove(path .. "-wal")
  os.remove(path .. "-shm")
  assert(rows, message)
end)
