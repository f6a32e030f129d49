/* Standard input: all of it, or as it comes. */
#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <lua.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "bind/term_handles.h"
#include "core/fs.h"
#include "core/watch.h"
#include "host/class.h"
#include "host/err.h"
#include "host/host.h"
#include "host/task.h"

#define INPUT_META "host.term.input"

enum {
    MAX_STDIN = 16 * 1024 * 1024, /* default bytes of standard input */
    CHUNK = 16384                 /* bytes of one read */
};

/* Standard input being read, by the task whose stack this is on. */
struct input {
    struct clk_fs_reader core; /* of what is read to its end */
    struct clk_watch *watch;
    struct clk_wait wait;
};

static void input_close(struct input *in)
{
    if (in->watch)
        clk_watch_close(in->watch);
    in->watch = NULL;
    clk_fs_reader_close(&in->core);
}

static int input_gc(lua_State *L)
{
    struct input *in = luaL_checkudata(L, 1, INPUT_META);

    clk_unwait(&in->wait);
    input_close(in);
    return 0;
}

static void input_cancel(struct clk_wait *wait)
{
    input_close((struct input *)((char *)wait - offsetof(struct input, wait)));
}

static void on_input(void *ud)
{
    clk_wake(&((struct input *)ud)->wait);
}

static struct input *push_input(lua_State *L)
{
    struct input *in = lua_newuserdatauv(L, sizeof(*in), 0);

    memset(in, 0, sizeof(*in));
    in->core.fd = STDIN_FILENO;
    in->core.shared = in->core.polled = true;
    in->wait.cancel = input_cancel;
    luaL_setmetatable(L, INPUT_META);
    return in;
}

static int input_wait(lua_State *L, struct input *in, lua_KFunction k)
{
    int error = 0;

    if (!in->watch)
        error = clk_watch_open(&in->watch, clk_loop(clk_host_of(L)),
                               STDIN_FILENO, UV_READABLE, on_input, in);
    if (!error)
        error = clk_watch_arm(in->watch);
    if (error)
        return clk_fail_uv(L, error, "standard input");
    return clk_wait(L, &in->wait, (lua_KContext)in, k);
}

/* --- to its end ---------------------------------------------------------- */

static int input_done(lua_State *L, int status, lua_KContext ctx)
{
    struct input *in = (struct input *)ctx;
    int error = clk_fs_reader_step(&in->core);

    (void)status;
    if (error == UV_EAGAIN)
        return input_wait(L, in, input_done);
    if (error == UV_E2BIG)
        return clk_fail(L, "E2BIG", "standard input: larger than %I bytes",
                        (LUAI_UACINT)in->core.max);
    if (error)
        return clk_fail_uv(L, error, "standard input");
    lua_pushlstring(L, in->core.data ? in->core.data : "", in->core.length);
    input_close(in);
    return 1;
}

/*** All of standard input, to its end.
---@async
---@param max? integer bytes, 16 MiB
---@return string?
---@return string? message
---@return string? code E2BIG, EIO … */
int clk_term_stdin(lua_State *L)
{
    lua_Integer max = luaL_optinteger(L, 1, MAX_STDIN);
    struct input *in;

    luaL_argcheck(L, max >= 0 && max <= INT_MAX, 1, "0 to 2147483647 bytes");
    lua_settop(L, 0);
    in = push_input(L);
    in->core.max = (size_t)max;
    return input_done(L, LUA_OK, (lua_KContext)in);
}

/* --- as it comes --------------------------------------------------------- */

void clk_term_check_signal(lua_State *L)
{
    if (clk_host_of(L)->signal) {
        clk_push_canceled(L);
        lua_error(L);
    }
}

/* Blocks until there is something to read. */
static void wait_here(lua_State *L)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

    while (poll(&p, 1, CLK_TERM_PATIENCE) <= 0)
        clk_term_check_signal(L);
}

/* Stack: 1 the input. */
static int read_done(lua_State *L, int status, lua_KContext ctx)
{
    char chunk[CHUNK];
    ssize_t count;

    (void)status;
    do {
        if (!clk_can_wait(L))
            wait_here(L);
        else if (!clk_watch_ready(STDIN_FILENO, UV_READABLE))
            return input_wait(L, (struct input *)ctx, read_done);
        count = read(STDIN_FILENO, chunk, sizeof(chunk));
    } while (count < 0 && (errno == EINTR || errno == EAGAIN));
    if (count < 0)
        return clk_fail_uv(L, uv_translate_sys_error(errno), "standard input");
    input_close((struct input *)ctx);
    if (count == 0)
        return 0;
    lua_pushlstring(L, chunk, (size_t)count);
    return 1;
}

/*** What comes next from standard input, at most 16 KiB; nothing at its end.
--- Blocks where the task cannot wait: in a coroutine of a script's own.
---@async
---@return string? chunk
---@return string? message
---@return string? code EIO … */
int clk_term_read(lua_State *L)
{
    lua_settop(L, 0);
    return read_done(L, LUA_OK, (lua_KContext)push_input(L));
}

void clk_input_class(lua_State *L)
{
    clk_class(L, INPUT_META, NULL, NULL, input_gc);
}
