/* host.secret: handles on bytes that never become Lua strings. */
#include "bind/l_secret.h"

#include <string.h>

#include <lauxlib.h>

#include "bind/secret_handle.h"
#include "core/residue.h"
#include "host/err.h"
#include "host/host.h"

/* Hangs the set of live secrets on the state, which frees it. */
struct set_box {
    struct clk_host *host; /* NULL: nothing to free */
};

static int set_close(lua_State *L)
{
    struct set_box *box = lua_touserdata(L, 1);

    if (box->host) {
        clk_secrets_free(box->host->secrets);
        box->host->secrets = NULL;
        box->host = NULL;
    }
    return 0;
}

/* Made before the first secret, hence finalized after the last. */
struct clk_secrets *clk_secrets_of(lua_State *L)
{
    struct clk_host *host = clk_host_of(L);
    struct set_box *box;

    if (host->secrets)
        return host->secrets;
    box = lua_newuserdatauv(L, sizeof(*box), 0);
    box->host = NULL;
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, set_close);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, box);
    host->secrets = clk_secrets_new();
    if (!host->secrets)
        clk_no_memory(L);
    box->host = host;
    return host->secrets;
}

/*** A secret with these bytes. The string stays a string: for generated values
--- and for tests.
---@param bytes string at most 1 MiB
---@return host.secret.Secret */
static int secret_new(lua_State *L)
{
    size_t len;
    const char *bytes = luaL_checklstring(L, 1, &len);
    struct clk_secret *s;

    luaL_argcheck(L, len <= CLK_SECRET_MAX, 1, "longer than 1 MiB");
    s = clk_new_secret(L, len);
    memcpy(s->bytes, bytes, len);
    clk_secret_seal(s, len);
    return 1;
}

/* The bytes of one part of a concatenation; the part stays in its table. */
static const void *part(lua_State *L, lua_Integer i, size_t *len)
{
    struct clk_secret *s;
    const void *bytes;

    lua_rawgeti(L, 1, i);
    s = clk_test_secret(L, -1);
    if (!s && lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "part %d is neither a string nor a secret", (int)i);
    bytes = s ? s->bytes : (const void *)lua_tolstring(L, -1, len);
    if (s)
        *len = s->len;
    lua_pop(L, 1);
    return bytes;
}

/*** One secret made of strings and secrets, in their order.
---@param parts (string|host.secret.Secret)[]
---@return host.secret.Secret */
static int secret_concat(lua_State *L)
{
    size_t total = 0, at = 0, len = 0;
    struct clk_secret *s;
    lua_Integer count;

    luaL_checktype(L, 1, LUA_TTABLE);
    count = (lua_Integer)lua_rawlen(L, 1);
    for (lua_Integer i = 1; i <= count; i++) {
        (void)part(L, i, &len);
        luaL_argcheck(L, len <= CLK_SECRET_MAX - total, 1, "longer than 1 MiB");
        total += len;
    }
    s = clk_new_secret(L, total);
    for (lua_Integer i = 1; i <= count; i++) {
        const void *bytes = part(L, i, &len);

        memcpy(s->bytes + at, bytes, len);
        at += len;
    }
    clk_secret_seal(s, total);
    return 1;
}

/*** Whether a value is a secret, closed or not.
---@param value any
---@return boolean */
static int secret_is(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, clk_secret_handle_test(L, 1));
    return 1;
}

/*** Overwrites all live secrets with zeros; their handles become empty. For a
--- way out of the process that runs no finalizers. */
static int secret_wipe(lua_State *L)
{
    clk_secrets_wipe(clk_host_of(L)->secrets);
    return 0;
}

#ifdef CLK_DEV
/*** Dev builds: where a byte string is found in this process's memory, as names
--- of mappings. It is given with each byte xored with `key`, so that neither
--- the caller nor the search holds a copy of it.
---@param masked string
---@param key integer 1 to 255
---@return string[]? places
---@return string? message
---@return string? code */
static int secret_residue(lua_State *L)
{
    size_t len;
    const char *masked = luaL_checklstring(L, 1, &len);
    lua_Integer key = luaL_checkinteger(L, 2);
    struct clk_residue found = {0};
    int error;

    luaL_argcheck(L, len > 0, 1, "nothing to search");
    luaL_argcheck(L, key > 0 && key < 256, 2, "1 to 255");
    error = clk_residue_find(masked, len, (unsigned char)key, &found);
    if (error)
        return clk_fail_uv(L, error, "/proc/self/mem");
    lua_createtable(L, found.count, 0);
    for (int i = 0; i < found.count; i++) {
        lua_pushstring(L, found.place[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}
#endif

static const luaL_Reg functions[] = {
    {"concat", secret_concat},
    {"dotenv", clk_secret_dotenv},
    {"from_env", clk_secret_from_env},
    {"from_fd", clk_secret_from_fd},
    {"from_file", clk_secret_from_file},
    {"is", secret_is},
    {"mask", clk_secret_mask_text},
    {"masker", clk_secret_masker},
    {"new", secret_new},
#ifdef CLK_DEV
    {"residue", secret_residue},
#endif
    {"wipe", secret_wipe},
    {NULL, NULL},
};

int luaopen_host_secret(lua_State *L);

int luaopen_host_secret(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
