/* host.keyring: one short secret per account in the desktop's keyring. */
#include <stddef.h>
#include <string.h>

#include <lauxlib.h>

#include "bind/l_secret.h"
#include "core/keyring.h"
#include "host/class.h"
#include "host/err.h"
#include "host/host.h"
#include "host/task.h"

#define META "host.keyring.question"

/* A question whose task waits; anchored on that task's stack. */
struct question {
    struct clk_keyring *keyring; /* NULL once it has ended */
    struct clk_wait wait;
};

static void drop(struct question *q)
{
    struct clk_keyring *keyring = q->keyring;

    q->keyring = NULL;
    clk_keyring_close(keyring);
}

static int question_gc(lua_State *L)
{
    struct question *q = luaL_checkudata(L, 1, META);

    clk_unwait(&q->wait);
    drop(q);
    return 0;
}

static void on_cancel(struct clk_wait *wait)
{
    drop((struct question *)((char *)wait - offsetof(struct question, wait)));
}

static void on_end(void *ud)
{
    clk_wake(&((struct question *)ud)->wait);
}

/* Pushes what was found as a secret. */
static void push_text(lua_State *L, const char *text)
{
    size_t len = strlen(text);
    struct clk_secret *s = clk_new_secret(L, len);

    memcpy(s->bytes, text, len);
    clk_secret_seal(s, len);
}

/* Stack: account, what to store or nil, timeout, question. */
static int answered(lua_State *L, int status, lua_KContext ctx)
{
    struct question *q = lua_touserdata(L, 4);
    const char *text;
    int error = clk_keyring_result(q->keyring, &text);

    (void)status;
    if (error == UV_EAGAIN)
        return clk_wait(L, &q->wait, ctx, answered);
    if (!error && lua_isnil(L, 2))
        push_text(L, text);
    else if (!error)
        lua_pushboolean(L, true);
    drop(q);
    return error ? clk_fail_uv(L, error, "the keyring") : 1;
}

static int ask(lua_State *L, const char *text, size_t len)
{
    const char *account = luaL_checkstring(L, 1);
    lua_Number seconds = luaL_checknumber(L, 3);
    struct clk_host *host = clk_host_of(L);
    struct question *q;
    int error;

    luaL_argcheck(L, seconds > 0 && seconds <= 60, 3, "up to 60 seconds");
    q = lua_newuserdatauv(L, sizeof(*q), 0);
    memset(q, 0, sizeof(*q));
    q->wait.cancel = on_cancel;
    luaL_setmetatable(L, META);
    error = clk_keyring_open(&q->keyring, clk_loop(host), account, text, len,
                             (unsigned)(seconds * 1000), on_end, q);
    if (error)
        return clk_fail_uv(L, error, "the keyring");
    return answered(L, LUA_OK, 0);
}

/*** The text kept for an account.
---@async
---@param account string
---@param _ nil
---@param timeout number seconds, at most 60
---@return host.secret.Secret? text
---@return string? message
---@return string? code ENOENT, ENOSYS (no libsecret), ETIMEDOUT, EIO */
static int keyring_lookup(lua_State *L)
{
    lua_settop(L, 3);
    luaL_argcheck(L, lua_isnil(L, 2), 2, "nil");
    return ask(L, NULL, 0);
}

/*** Keeps a text for an account, in place of an earlier one.
---@async
---@param account string
---@param text host.secret.Secret at most 63 bytes without NUL
---@param timeout number seconds, at most 60
---@return true?
---@return string? message
---@return string? code ENOSYS, ETIMEDOUT, E2BIG, EIO */
static int keyring_store(lua_State *L)
{
    struct clk_secret *s = clk_check_secret(L, 2);

    lua_settop(L, 3);
    luaL_argcheck(L, !memchr(s->bytes, 0, s->len), 2, "a NUL byte in it");
    return ask(L, (const char *)s->bytes, s->len);
}

static const luaL_Reg functions[] = {
    {"lookup", keyring_lookup},
    {"store", keyring_store},
    {NULL, NULL},
};

int luaopen_host_keyring(lua_State *L);

int luaopen_host_keyring(lua_State *L)
{
    clk_class(L, META, NULL, NULL, question_gc);
    luaL_newlib(L, functions);
    return 1;
}
