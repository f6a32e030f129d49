/* host.store: a SQLite database. Its functions block, within bounds. */
#include <lauxlib.h>
#include <limits.h>
#include <lua.h>
#include <string.h>

#include "core/store.h"
#include "host/class.h"
#include "host/err.h"

#define DB_META "host.store.db"
#define BLOB_META "host.store.blob"
#define GUARD_META "host.store.guard"

/* A database; its user value is its path. */
struct db {
    struct clk_store *store; /* NULL once closed */
    bool in_transaction;     /* while transaction() calls its function */
};

/* Rolls a transaction back when its function is left by an error. Lives on the
   stack of transaction() as a to-be-closed value. */
struct guard {
    struct db *db; /* NULL while there is nothing to roll back */
};

/*** Closes the database; not inside of a transaction. Twice is once. */
static int db_close(lua_State *L)
{
    struct db *db = luaL_checkudata(L, 1, DB_META);

    luaL_argcheck(L, !db->in_transaction, 1, "a transaction is open");
    clk_store_close(db->store);
    db->store = NULL;
    return 0;
}

static int db_gc(lua_State *L)
{
    struct db *db = luaL_checkudata(L, 1, DB_META);

    clk_store_close(db->store);
    db->store = NULL;
    return 0;
}

static struct db *check_db(lua_State *L)
{
    struct db *db = luaL_checkudata(L, 1, DB_META);

    luaL_argcheck(L, db->store != NULL, 1, "the database is closed");
    return db;
}

/* Raises what is a bug or the lack of memory, else returns the triplet; the
   database is at index 1. */
static int fail(lua_State *L, const struct clk_store_error *error)
{
    if (!error->code)
        return luaL_error(L, "%s", error->text);
    if (strcmp(error->code, "ENOMEM") == 0)
        return clk_no_memory(L);
    lua_getiuservalue(L, 1, 1);
    return clk_fail(L, error->code, "%s: %s", lua_tostring(L, -1), error->text);
}

/* --- opening ------------------------------------------------------------ */

static lua_Integer opt_field(lua_State *L, const char *name, lua_Integer max)
{
    lua_Integer value;

    lua_getfield(L, 2, name);
    value = luaL_optinteger(L, -1, max);
    lua_pop(L, 1);
    luaL_argcheck(L, value >= 0 && value <= max, 2, name);
    return value;
}

/*** Opens the database in the file at `path`, which is created (mode 0600) when
--- it is not there, or one in memory for ":memory:".
---@param path string
---@param opts? { max_steps: integer, busy_ms: integer } lower bounds than usual
---@return host.store.Db? db
---@return string? message
---@return string? code ECORRUPT, EBUSY, ENOENT, EACCES, EISDIR, … */
static int store_open(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    lua_Integer steps, busy;
    struct clk_store_error error;
    struct db *db;

    luaL_argcheck(L, path[0] != '\0', 1, "an empty path");
    if (lua_isnoneornil(L, 2)) {
        lua_settop(L, 1);
        lua_newtable(L);
    }
    luaL_checktype(L, 2, LUA_TTABLE);
    steps = opt_field(L, "max_steps", CLK_STORE_STEPS);
    busy = opt_field(L, "busy_ms", CLK_STORE_BUSY_MS);
    db = lua_newuserdatauv(L, sizeof(*db), 1);
    memset(db, 0, sizeof(*db));
    luaL_setmetatable(L, DB_META);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    db->store = clk_store_open(path, steps, (int)busy, &error);
    if (db->store)
        return 1;
    lua_replace(L, 1); /* whose path the error names */
    return fail(L, &error);
}

/*** Marks bytes to be stored as a blob; other strings are stored as text.
---@param bytes string
---@return host.store.Blob */
static int store_blob(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TSTRING);
    lua_newuserdatauv(L, 0, 1);
    luaL_setmetatable(L, BLOB_META);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    return 1;
}

/* --- parameters --------------------------------------------------------- */

/* The bytes stay on the Lua side, in the table of parameters. */
static void read_bytes(lua_State *L, int index, struct clk_store_value *v,
                       enum clk_store_type type)
{
    v->type = type;
    v->bytes = lua_tolstring(L, index, &v->len);
}

/* The value on top as SQLite's; false when it cannot be stored. */
static bool read_value(lua_State *L, struct clk_store_value *v)
{
    switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN:
        v->type = CLK_STORE_INTEGER;
        v->integer = lua_toboolean(L, -1);
        return true;
    case LUA_TNUMBER:
        v->type = lua_isinteger(L, -1) ? CLK_STORE_INTEGER : CLK_STORE_REAL;
        v->integer = lua_tointeger(L, -1);
        v->real = lua_tonumber(L, -1);
        return true;
    case LUA_TSTRING: read_bytes(L, -1, v, CLK_STORE_TEXT); return true;
    case LUA_TLIGHTUSERDATA: /* JSON's null */
        v->type = CLK_STORE_NULL;
        return lua_touserdata(L, -1) == NULL;
    case LUA_TUSERDATA:
        if (!luaL_testudata(L, -1, BLOB_META))
            return false;
        lua_getiuservalue(L, -1, 1);
        read_bytes(L, -1, v, CLK_STORE_BLOB);
        lua_pop(L, 1);
        return true;
    default: return false;
    }
}

/* The parameter that the key below the top names; 0 when there is none. */
static int find_param(lua_State *L, const struct clk_store_stmt *stmt)
{
    int count = clk_store_param_count(stmt);

    if (lua_isinteger(L, -2)) {
        lua_Integer i = lua_tointeger(L, -2);

        return i >= 1 && i <= count ? (int)i : 0;
    }
    if (lua_type(L, -2) != LUA_TSTRING)
        return 0;
    for (int i = 1; i <= count; i++) {
        const char *name = clk_store_param_name(stmt, i);

        if (name && strcmp(name, lua_tostring(L, -2)) == 0)
            return i;
    }
    return 0;
}

/* Sets the parameters from the table at index 3: by position or by name; what
   is absent is NULL, what the statement does not have is a bug. Raises with the
   statement ended. */
static bool bind_all(lua_State *L, struct clk_store_stmt *stmt,
                     struct clk_store_error *error)
{
    if (lua_isnil(L, 3)) {
        if (clk_store_param_count(stmt) > 0)
            luaL_argerror(L, 3, "the statement has parameters");
        return true;
    }
    for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
        struct clk_store_value value;
        int index = find_param(L, stmt);
        const char *problem = NULL;

        if (index == 0)
            problem = "the statement has no parameter %s";
        else if (!read_value(L, &value))
            problem = "the value of parameter %s cannot be stored";
        if (problem) {
            clk_store_end(stmt);
            lua_pushvalue(L, -2);
            lua_pushfstring(L, problem, luaL_tolstring(L, -1, NULL));
            luaL_argerror(L, 3, lua_tostring(L, -1));
        }
        if (!clk_store_bind(stmt, index, &value, error)) {
            clk_store_end(stmt);
            return false;
        }
    }
    return true;
}

/* Some errors (a full disk, too many steps) make SQLite roll back by itself;
   what the function does then must not happen outside of the transaction. */
static bool check_transaction(const struct db *db,
                              struct clk_store_error *error)
{
    static const char text[] = "the transaction was rolled back";

    if (!db->in_transaction || clk_store_in_transaction(db->store))
        return true;
    error->code = "EIO";
    memcpy(error->text, text, sizeof(text));
    return false;
}

/* Prepares the statement at index 2 with the parameters at 3; NULL on failure.
 */
static struct clk_store_stmt *start(lua_State *L, struct clk_store_error *error)
{
    struct db *db = check_db(L);
    size_t len;
    const char *sql = luaL_checklstring(L, 2, &len);
    struct clk_store_stmt *stmt;

    lua_settop(L, 3);
    if (!lua_isnil(L, 3))
        luaL_checktype(L, 3, LUA_TTABLE);
    if (!check_transaction(db, error))
        return NULL;
    stmt = clk_store_prepare(db->store, sql, len, error);
    return stmt && bind_all(L, stmt, error) ? stmt : NULL;
}

/* --- statements --------------------------------------------------------- */

/*** Runs a statement, ignoring any rows it gives.
---@param sql string one statement
---@param params? table by position, or by name without the sign
---@return integer? changes rows it changed
---@return integer|string rowid of the row inserted last, or the message
---@return string? code ECONSTRAINT, EBUSY, ECORRUPT, ETIMEDOUT, … */
static int db_exec(lua_State *L)
{
    struct clk_store_error error;
    struct clk_store_stmt *stmt = start(L, &error);
    enum clk_store_step step;
    int64_t changes, rowid;

    if (!stmt)
        return fail(L, &error);
    do
        step = clk_store_step(stmt, &error);
    while (step == CLK_STORE_ROW);
    changes = clk_store_changes(stmt);
    rowid = clk_store_rowid(stmt);
    clk_store_end(stmt);
    if (step == CLK_STORE_FAILED)
        return fail(L, &error);
    lua_pushinteger(L, changes);
    lua_pushinteger(L, rowid);
    return 2;
}

static void push_value(lua_State *L, const struct clk_store_value *v)
{
    switch (v->type) {
    case CLK_STORE_INTEGER: lua_pushinteger(L, v->integer); break;
    case CLK_STORE_REAL: lua_pushnumber(L, v->real); break;
    case CLK_STORE_NULL: lua_pushnil(L); break;
    default: lua_pushlstring(L, v->bytes, v->len); break;
    }
}

static void push_row(lua_State *L, const struct clk_store_stmt *stmt)
{
    int count = clk_store_column_count(stmt);

    lua_createtable(L, 0, count);
    for (int i = 0; i < count; i++) {
        const char *name = clk_store_column_name(stmt, i);
        struct clk_store_value value;

        if (!name || !clk_store_column(stmt, i, &value))
            clk_no_memory(L);
        lua_pushstring(L, name);
        push_value(L, &value);
        lua_rawset(L, -3);
    }
}

/* Collects the rows of the statement (light userdata) in a list; the error, if
   any, goes where the second light userdata points. */
static int collect(lua_State *L)
{
    struct clk_store_stmt *stmt = lua_touserdata(L, 1);
    struct clk_store_error *error = lua_touserdata(L, 2);
    enum clk_store_step step;
    int count = 0;

    lua_newtable(L);
    while ((step = clk_store_step(stmt, error)) == CLK_STORE_ROW) {
        if (count == CLK_STORE_ROWS) {
            error->code = "E2BIG";
            memcpy(error->text, "too many rows", sizeof("too many rows"));
            return 0;
        }
        push_row(L, stmt);
        lua_rawseti(L, -2, ++count);
    }
    return step == CLK_STORE_DONE ? 1 : 0;
}

/*** Runs a statement and gives its rows. A column that is NULL is absent.
---@param sql string one statement
---@param params? table by position, or by name without the sign
---@return table[]? rows
---@return string? message
---@return string? code as exec's, and E2BIG for more than 100,000 rows */
static int db_query(lua_State *L)
{
    struct clk_store_error error;
    struct clk_store_stmt *stmt = start(L, &error);
    int status;

    if (!stmt)
        return fail(L, &error);
    lua_pushcfunction(L, collect);
    lua_pushlightuserdata(L, stmt);
    lua_pushlightuserdata(L, &error);
    /* Protected: a statement that is torn away would keep its locks. */
    status = lua_pcall(L, 2, 1, 0);
    clk_store_end(stmt);
    if (status != LUA_OK)
        return lua_error(L);
    return lua_isnil(L, -1) ? fail(L, &error) : 1;
}

/* --- transactions ------------------------------------------------------- */

static int guard_close(lua_State *L)
{
    struct guard *guard = luaL_checkudata(L, 1, GUARD_META);
    struct db *db = guard->db;

    guard->db = NULL;
    if (db) {
        db->in_transaction = false;
        clk_store_rollback(db->store);
    }
    return 0;
}

/* The results are above index 3, where the guard is. `nil, something` rolls
   back, as an error does. */
static int end_transaction(lua_State *L, struct guard *guard)
{
    struct db *db = guard->db;
    struct clk_store_error error;
    int count = lua_gettop(L) - 3;

    if (!check_transaction(db, &error))
        return fail(L, &error);
    guard->db = NULL;
    db->in_transaction = false;
    if (count >= 2 && lua_isnil(L, 4) && !lua_isnil(L, 5)) {
        clk_store_rollback(db->store);
        return count;
    }
    if (!clk_store_commit(db->store, &error))
        return fail(L, &error);
    if (count == 0)
        lua_pushboolean(L, 1);
    return count > 0 ? count : 1;
}

/*** Calls `fn()` in a transaction: committed when it returns, rolled back when
--- it
--- raises or returns `nil, error`. It must not wait (a wait raises), so that no
--- other task comes between, nor begin another one.
---@param fn fun(): ...
---@return any ... what fn returned, true when nothing
---@return string? message
---@return string? code when the transaction could not be begun or committed */
static int db_transaction(lua_State *L)
{
    struct db *db = check_db(L);
    struct clk_store_error error;
    struct guard *guard;

    luaL_checktype(L, 2, LUA_TFUNCTION);
    luaL_argcheck(L, !db->in_transaction, 1, "a transaction is open");
    lua_settop(L, 2);
    guard = lua_newuserdatauv(L, sizeof(*guard), 0);
    guard->db = NULL;
    luaL_setmetatable(L, GUARD_META);
    lua_toclose(L, 3);
    if (!clk_store_begin(db->store, &error))
        return fail(L, &error);
    guard->db = db;
    db->in_transaction = true;
    lua_pushvalue(L, 2);
    lua_call(L, 0, LUA_MULTRET); /* without a continuation: it cannot yield */
    return end_transaction(L, guard);
}

/* --- schema versions ---------------------------------------------------- */

/*** Brings the schema up to date: step i of the list makes version i from
--- version i - 1, each in a transaction of its own.
---@param steps string[] scripts of any number of statements
---@return integer? version
---@return string? message
---@return string? code EINVAL when the database is of a later version */
static int db_migrate(lua_State *L)
{
    struct db *db = check_db(L);
    struct clk_store_error error;
    lua_Integer last;
    int version;

    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_argcheck(L, !db->in_transaction, 1, "a transaction is open");
    last = luaL_len(L, 2);
    luaL_argcheck(L, last <= INT_MAX, 2, "too many steps");
    version = clk_store_version(db->store, &error);
    if (version < 0)
        return fail(L, &error);
    if (version > last) {
        lua_getiuservalue(L, 1, 1);
        return clk_fail(L, "EINVAL",
                        "%s: made by a later version of this program",
                        lua_tostring(L, -1));
    }
    for (int i = version + 1; i <= last; i++) {
        size_t len;
        const char *script;

        lua_geti(L, 2, i);
        script = luaL_checklstring(L, -1, &len);
        if (!clk_store_migrate(db->store, script, len, i, &error))
            return fail(L, &error);
        lua_pop(L, 1);
    }
    lua_pushinteger(L, last);
    return 1;
}

static const luaL_Reg functions[] = {
    {"blob", store_blob},
    {"open", store_open},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"close", db_close},
    {"exec", db_exec},
    {"migrate", db_migrate},
    {"query", db_query},
    {"transaction", db_transaction},
    {NULL, NULL},
};

int luaopen_host_store(lua_State *L);

int luaopen_host_store(lua_State *L)
{
    clk_class(L, BLOB_META, NULL, NULL, NULL);
    clk_class(L, GUARD_META, NULL, guard_close, NULL);
    clk_class(L, DB_META, methods, db_close, db_gc);
    luaL_newlib(L, functions);
    return 1;
}
