/* host.rate: token buckets that tasks and processes share. */
#include <lauxlib.h>
#include <lua.h>
#include <string.h>

#include "core/rate_queue.h"
#include "host/class.h"
#include "host/err.h"
#include "host/task.h"

#define LIMITER_META "host.rate.limiter"
#define WAITER_META "host.rate.waiter"

/* How much later than it was granted a request may arrive without the server
   ever counting too many: the time a first request needs to connect, and then
   some. See core/rate.h for what it costs. */
#define DEFAULT_JITTER 0.5

/* A limiter: a full userdata, kept alive by the stacks of those who wait. */
struct limiter {
    struct clk_rate rate;
    double jitter; /* seconds */
    int64_t ahead; /* nanoseconds that its clock was put forward */
    bool open;
};

/* One acquire that waits; a full userdata on the waiting task's stack. */
struct waiter {
    struct clk_wait wait; /* first: the cancel callback casts */
    struct clk_rate_waiter node;
};

/*** Closes the limiter; twice is once. */
static int limiter_close(lua_State *L)
{
    struct limiter *l = luaL_checkudata(L, 1, LIMITER_META);

    if (l->open) {
        l->open = false;
        clk_rate_close(&l->rate);
    }
    return 0;
}

static int waiter_gc(lua_State *L)
{
    struct waiter *w = luaL_checkudata(L, 1, WAITER_META);

    clk_rate_leave(&w->node);
    clk_unwait(&w->wait);
    return 0;
}

static struct limiter *check_limiter(lua_State *L)
{
    struct limiter *l = luaL_checkudata(L, 1, LIMITER_META);

    luaL_argcheck(L, l->open, 1, "the limiter is closed");
    return l;
}

static uint64_t check_key(lua_State *L)
{
    size_t len;
    const char *name = luaL_checklstring(L, 2, &len);

    return clk_rate_key(name, len);
}

/* Arguments 3 to 5: tokens a second, burst, and how many to take. */
static int64_t check_limit(lua_State *L, const struct limiter *l,
                           struct clk_rate_limit *limit)
{
    double per_second = luaL_checknumber(L, 3);
    lua_Integer burst = luaL_checkinteger(L, 4);
    lua_Integer n = luaL_optinteger(L, 5, 1);

    luaL_argcheck(
        L, clk_rate_limit_init(limit, per_second, (double)burst, l->jitter), 3,
        "a rate and burst within range");
    luaL_argcheck(L, n >= 1 && n <= burst, 5, "1 to burst tokens");
    return n;
}

/*** Opens a set of buckets: in the file at `path`, shared with every process
--- that opens it, or of this process alone.
---@param path string?
---@param jitter number? seconds, 0 to 5; 0.5 when absent
---@return host.rate.Limiter? limiter
---@return string? message
---@return string? code EINVAL when the file is something else */
static int rate_open(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, NULL);
    double jitter = luaL_optnumber(L, 2, DEFAULT_JITTER);
    struct limiter *l;
    int error;

    luaL_argcheck(L, jitter >= 0 && jitter <= 5, 2, "0 to 5 seconds");
    l = lua_newuserdatauv(L, sizeof(*l), 0);
    memset(l, 0, sizeof(*l));
    luaL_setmetatable(L, LIMITER_META);
    l->jitter = jitter;
    error = clk_rate_open(&l->rate, clk_loop(clk_host_of(L)), path,
                          clk_rate_boot());
    if (error == UV_EINVAL)
        return clk_fail(L, "EINVAL", "%s: not a file of rate limits", path);
    if (error)
        return clk_fail_uv(L, error, path ? path : "rate limits");
    l->open = true;
    return 1;
}

static void on_turn(void *ud)
{
    clk_wake(&((struct waiter *)ud)->wait);
}

static void on_cancel(struct clk_wait *wait)
{
    clk_rate_leave(&((struct waiter *)wait)->node);
}

static int acquire_done(lua_State *L, int status, lua_KContext ctx)
{
    struct waiter *w = (struct waiter *)ctx;

    (void)status;
    if (w->node.closed)
        return clk_fail(L, "ECANCELED", "the rate limiter was closed");
    lua_pushboolean(L, 1);
    return 1;
}

/*** Waits until `n` requests of this kind may start, in the order of calls;
--- call
--- it right before sending. A name must always be used with the same limit.
---@async
---@param name string of the bucket
---@param per_second number
---@param burst integer
---@param n integer? 1 when absent
---@return boolean? granted
---@return string? message
---@return string? code ECANCELED when the limiter is closed meanwhile */
static int limiter_acquire(lua_State *L)
{
    struct limiter *l = check_limiter(L);
    uint64_t key = check_key(L);
    struct clk_rate_limit limit;
    int64_t n = check_limit(L, l, &limit);
    struct waiter *w = lua_newuserdatauv(L, sizeof(*w), 0);

    memset(w, 0, sizeof(*w));
    luaL_setmetatable(L, WAITER_META);
    w->wait.cancel = on_cancel;
    w->node.on_event = on_turn;
    w->node.ud = w;
    w->node.limit = limit;
    w->node.n = n;
    if (clk_rate_enter(&l->rate, key, &w->node) != 0)
        return clk_no_memory(L);
    if (w->node.granted)
        return acquire_done(L, LUA_OK, (lua_KContext)w);
    return clk_wait(L, &w->wait, (lua_KContext)w, acquire_done);
}

/*** Seconds until `n` requests could start if nobody else asked; takes nothing.
---@param name string of the bucket
---@param per_second number
---@param burst integer
---@param n integer? 1 when absent
---@return number seconds 0 when they could start now */
static int limiter_delay(lua_State *L)
{
    struct limiter *l = check_limiter(L);
    uint64_t key = check_key(L);
    struct clk_rate_limit limit;
    int64_t n = check_limit(L, l, &limit);

    lua_pushnumber(L, (double)clk_rate_delay(&l->rate.table, key, &limit, n)
                          / 1e9);
    return 1;
}

/*** Lets nothing of this kind start for some seconds: the server refused. At
--- most an hour; a longer penalty that already runs stays.
---@param name string of the bucket
---@param seconds number */
static int limiter_penalize(lua_State *L)
{
    struct limiter *l = check_limiter(L);
    uint64_t key = check_key(L);
    double seconds = luaL_checknumber(L, 3);

    luaL_argcheck(L, seconds >= 0, 3, "a number of seconds");
    if (seconds > 3600)
        seconds = 3600;
    clk_rate_penalize(&l->rate.table, key, (int64_t)(seconds * 1e9));
    return 0;
}

#ifdef CLK_DEV
static int64_t clock_ahead(void *ud)
{
    return clk_rate_now(NULL) + ((struct limiter *)ud)->ahead;
}

/*** Puts the limiter's clock forward, for tests: who waits is asked at once
--- whether that was long enough.
---@param seconds number */
static int limiter_skip(lua_State *L)
{
    struct limiter *l = check_limiter(L);
    double seconds = luaL_checknumber(L, 2);

    luaL_argcheck(L, seconds >= 0 && seconds <= 3600, 2, "up to an hour");
    l->ahead += (int64_t)(seconds * 1e9);
    l->rate.table.clock = clock_ahead;
    l->rate.table.clock_ud = l;
    clk_rate_ask_again(&l->rate);
    return 0;
}
#endif

static const luaL_Reg functions[] = {
    {"open", rate_open},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"acquire", limiter_acquire},
    {"close", limiter_close},
    {"delay", limiter_delay},
    {"penalize", limiter_penalize},
#ifdef CLK_DEV
    {"skip", limiter_skip},
#endif
    {NULL, NULL},
};

int luaopen_host_rate(lua_State *L);

int luaopen_host_rate(lua_State *L)
{
    clk_class(L, WAITER_META, NULL, NULL, waiter_gc);
    clk_class(L, LIMITER_META, methods, limiter_close, limiter_close);
    luaL_newlib(L, functions);
    return 1;
}
