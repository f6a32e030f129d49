/* Locks between processes, as handles; waiting is trying again and again. */
#include <lauxlib.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "bind/fs_handles.h"
#include "core/fs.h"
#include "core/mem.h"
#include "host/class.h"
#include "host/err.h"
#include "host/task.h"

#define LOCK_META "host.fs.lock"

enum {
    FIRST_RETRY = 1, /* ms between two tries … */
    LAST_RETRY = 50  /* … doubled up to this */
};

/* The longest wait, in seconds. */
#define MAX_TIMEOUT 31536000.0

/* The timer between two tries; libuv's until its close callback. */
struct retry {
    uv_timer_t timer;
    struct lock *lock; /* NULL once the lock let go of it */
};

/* A lock, or the attempt to get one. */
struct lock {
    int fd; /* -1 when not held */
    struct retry *retry;
    uint64_t deadline; /* loop time, ms */
    uint64_t delay;    /* until the next try, ms */
    struct clk_wait wait;
};

static void retry_closed(uv_handle_t *handle)
{
    clk_free(handle->data);
}

static void retry_close(struct lock *lock)
{
    if (!lock->retry)
        return;
    lock->retry->lock = NULL;
    uv_close((uv_handle_t *)&lock->retry->timer, retry_closed);
    lock->retry = NULL;
}

static void lock_cancel(struct clk_wait *wait)
{
    retry_close((struct lock *)((char *)wait - offsetof(struct lock, wait)));
}

static void on_retry(uv_timer_t *timer)
{
    struct retry *retry = timer->data;

    if (retry->lock)
        clk_wake(&retry->lock->wait);
}

/*** Releases the lock; once more does nothing. */
static int lock_release(lua_State *L)
{
    struct lock *lock = luaL_checkudata(L, 1, LOCK_META);

    retry_close(lock);
    if (lock->fd >= 0)
        close(lock->fd);
    lock->fd = -1;
    return 0;
}

static int lock_gc(lua_State *L)
{
    struct lock *lock = luaL_checkudata(L, 1, LOCK_META);

    clk_unwait(&lock->wait);
    return lock_release(L);
}

/* Makes the timer at the first try that failed. */
static bool retry_open(lua_State *L, struct lock *lock, uint64_t timeout)
{
    uv_loop_t *loop = clk_loop(clk_host_of(L));

    lock->retry = clk_calloc(1, sizeof(*lock->retry));
    if (!lock->retry)
        return false;
    uv_timer_init(loop, &lock->retry->timer);
    lock->retry->timer.data = lock->retry;
    lock->retry->lock = lock;
    uv_update_time(loop);
    /* One more: the loop's clock has already lost the fraction of its ms. */
    lock->deadline = uv_now(loop) + timeout + 1;
    return true;
}

static int lock_done(lua_State *L, int status, lua_KContext ctx)
{
    struct lock *lock = (struct lock *)ctx;
    const char *path = lua_tostring(L, 1);
    uint64_t now, left;
    int error = clk_fs_lock(path, &lock->fd);

    (void)status;
    if (error == 0) {
        retry_close(lock);
        lua_settop(L, 3);
        return 1;
    }
    if (error != UV_EAGAIN)
        return clk_push_fs_result(L, error, path);
    if (!lock->retry
        && !retry_open(L, lock, (uint64_t)(lua_tonumber(L, 2) * 1000.0)))
        return clk_no_memory(L);
    now = uv_now(clk_loop(clk_host_of(L)));
    if (now >= lock->deadline) {
        retry_close(lock);
        return clk_fail(L, "ETIMEDOUT", "%s: locked by another process", path);
    }
    left = lock->deadline - now;
    lock->delay = lock->delay < LAST_RETRY / 2 ? lock->delay * 2 : LAST_RETRY;
    uv_timer_start(&lock->retry->timer, on_retry,
                   lock->delay < left ? lock->delay : left, 0);
    lock->wait.cancel = lock_cancel;
    return clk_wait(L, &lock->wait, ctx, lock_done);
}

/*** Takes an exclusive lock between processes (and between tasks) on a file
--- made for nothing else. It ends with `release`, when collected, or when the
--- process dies, by whatever cause.
---@async
---@param path string
---@param timeout? number seconds to wait for it, 10; 0 tries once
---@return host.fs.Lock?
---@return string? message
---@return string? code ETIMEDOUT, EACCES, ELOOP … */
int clk_lock_take(lua_State *L)
{
    lua_Number timeout = luaL_optnumber(L, 2, 10);
    struct lock *lock;

    clk_check_path(L, 1);
    luaL_argcheck(L, timeout >= 0 && timeout <= MAX_TIMEOUT, 2,
                  "0 seconds or more");
    lua_settop(L, 1);
    lua_pushnumber(L, timeout);
    lock = lua_newuserdatauv(L, sizeof(*lock), 0);
    memset(lock, 0, sizeof(*lock));
    lock->fd = -1;
    lock->delay = FIRST_RETRY;
    luaL_setmetatable(L, LOCK_META);
    return lock_done(L, LUA_OK, (lua_KContext)lock);
}

static const luaL_Reg methods[] = {
    {"release", lock_release},
    {NULL, NULL},
};

void clk_lock_class(lua_State *L)
{
    clk_class(L, LOCK_META, methods, lock_release, lock_gc);
}
