/* Opening, running and closing a host. */
#include "host/host.h"

#include <assert.h>
#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "core/mem.h"
#include "host/err.h"
#include "host/gate.h"
#include "host/loader.h"
#include "host/task.h"
#include "host/task_state.h"

static const char host_key = 0; /* registry key of the host pointer */

/* How long closing handles and dying children are waited for. */
enum { CLOSING_MS = 3000 };

struct clk_host *clk_host_of(lua_State *L)
{
    struct clk_host *host;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &host_key);
    host = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return host;
}

uv_loop_t *clk_loop(struct clk_host *host)
{
    return &host->loop;
}

/* Callbacks record and wake; no Lua runs in them. Whatever Lua does allocates
   sooner or later, so a development build notices. */
static void check_place(const struct clk_host *host)
{
#ifdef CLK_DEV
    assert(!host->in_loop);
#else
    (void)host;
#endif
}

static void *lua_heap(void *host, void *p, size_t old_size, size_t new_size)
{
    check_place(host);
    (void)old_size;
    if (new_size == 0) {
        clk_free(p);
        return NULL;
    }
    return clk_realloc(p, new_size);
}

static int open_state(lua_State *L)
{
    static const luaL_Reg libraries[] = {
        {LUA_GNAME, luaopen_base},          {LUA_LOADLIBNAME, luaopen_package},
        {LUA_COLIBNAME, luaopen_coroutine}, {LUA_TABLIBNAME, luaopen_table},
        {LUA_IOLIBNAME, luaopen_io},        {LUA_OSLIBNAME, luaopen_os},
        {LUA_STRLIBNAME, luaopen_string},   {LUA_MATHLIBNAME, luaopen_math},
        {LUA_UTF8LIBNAME, luaopen_utf8},    {LUA_DBLIBNAME, luaopen_debug},
    };

    lua_rawsetp(L, LUA_REGISTRYINDEX, &host_key);
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
        lua_pop(L, 1);
    }
    clk_loader_open(L);
    clk_gates_open(L);
    clk_tasks_open(L);
    return 0;
}

int clk_host_open(struct clk_host *host)
{
    int error;

    memset(host, 0, sizeof(*host));
    error = uv_loop_init(&host->loop);
    if (error)
        return error;
    host->L = lua_newstate(lua_heap, host);
    if (!host->L) {
        uv_loop_close(&host->loop);
        return UV_ENOMEM;
    }
    *(struct clk_task **)lua_getextraspace(host->L) = NULL;
    lua_pushcfunction(host->L, open_state);
    lua_pushlightuserdata(host->L, host);
    if (lua_pcall(host->L, 1, 0, 0) != LUA_OK) {
        clk_host_close(host);
        return UV_ENOMEM;
    }
    return 0;
}

static void closing_over(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

/* Runs the loop until the last handle is closed, or for CLOSING_MS. */
static void close_loop(uv_loop_t *loop)
{
    uv_timer_t limit;
    bool is_over = false;

    uv_timer_init(loop, &limit);
    limit.data = &is_over;
    uv_unref((uv_handle_t *)&limit);
    uv_update_time(loop);
    uv_timer_start(&limit, closing_over, CLOSING_MS, 0);
    while (!is_over && uv_run(loop, UV_RUN_ONCE) != 0)
        ;
    uv_close((uv_handle_t *)&limit, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
    uv_loop_close(loop);
}

void clk_host_close(struct clk_host *host)
{
    if (host->L)
        lua_close(host->L);
    host->L = NULL;
    clk_host_ignore_signals(host);
    close_loop(&host->loop);
}

/* Spawning raises on memory: done under lua_pcall by clk_host_run. */
static int spawn_main(lua_State *L)
{
    struct clk_host *host = clk_host_of(L);

    host->main = clk_task_spawn(L, lua_gettop(L) - 1);
    return 1;
}

static void handle_signal(struct clk_host *host)
{
    if (host->signal && !host->signal_handled) {
        host->signal_handled = true;
        clk_task_cancel(host->main);
    }
}

static void run_loop(struct clk_host *host)
{
    for (;;) {
        handle_signal(host);
        clk_tasks_step(host);
        handle_signal(host);
        if (host->main->done)
            return;
        if (host->ready_head) {
            uv_run(&host->loop, UV_RUN_NOWAIT);
            continue;
        }
        if (!uv_loop_alive(&host->loop)) {
            clk_task_fail_deadlock(host->main);
            continue;
        }
        host->in_loop = true;
        uv_run(&host->loop, UV_RUN_ONCE);
        host->in_loop = false;
    }
}

static int push_results(lua_State *L)
{
    struct clk_task *task = lua_touserdata(L, 1);
    int count = clk_task_results(L, task);

    if (count < 0) {
        lua_getiuservalue(L, 1, TASK_TRACEBACK);
        lua_pushboolean(L, 0);
        lua_replace(L, 1);
        return 3;
    }
    lua_pushboolean(L, 1);
    lua_replace(L, 1);
    return count + 1;
}

int clk_host_run(struct clk_host *host, int nargs)
{
    lua_State *L = host->L;
    int base = lua_gettop(L) - nargs - 1;

    lua_pushcfunction(L, spawn_main);
    lua_insert(L, base + 1);
    if (lua_pcall(L, nargs + 1, 1, 0) != LUA_OK) {
        lua_pushnil(L);
        return LUA_ERRRUN;
    }
    run_loop(host);
    host->main = NULL;
    lua_pushcfunction(L, push_results);
    lua_insert(L, base + 1);
    if (lua_pcall(L, 1, LUA_MULTRET, 0) != LUA_OK) {
        lua_pushnil(L);
        return LUA_ERRRUN;
    }
    nargs = lua_toboolean(L, base + 1);
    lua_remove(L, base + 1);
    return nargs ? LUA_OK : LUA_ERRRUN;
}
