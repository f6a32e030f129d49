/* The host by itself: opening under failing allocations, running a main task,
   deadlock, tracebacks, the loader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <signal.h>

#include "core/mem.h"
#include "host/host.h"
#include "host/loader.h"

/* Runs a chunk as the main task; leaves its results, or error and traceback. */
static int run(struct clk_host *host, const char *code)
{
    assert_int_equal(luaL_loadstring(host->L, code), LUA_OK);
    return clk_host_run(host, 0);
}

static void results_of_the_main_task_are_returned(void **state)
{
    struct clk_host host;

    (void)state;
    assert_int_equal(clk_host_open(&host), 0);
    assert_int_equal(run(&host, "return 1, 'two'"), LUA_OK);
    assert_int_equal(lua_tointeger(host.L, -2), 1);
    assert_string_equal(lua_tostring(host.L, -1), "two");
    assert_int_equal(host.task_count, 0);
    clk_host_close(&host);
}

static void an_error_comes_with_its_traceback(void **state)
{
    struct clk_host host;

    (void)state;
    assert_int_equal(clk_host_open(&host), 0);
    assert_int_equal(run(&host, "local function f() error('bad') end f()"),
                     LUA_ERRRUN);
    assert_non_null(strstr(lua_tostring(host.L, -2), "bad"));
    assert_non_null(strstr(lua_tostring(host.L, -1), "stack traceback"));
    clk_host_close(&host);
}

static void a_deadlock_is_reported_not_hung(void **state)
{
    struct clk_host host;

    (void)state;
    assert_int_equal(clk_host_open(&host), 0);
    assert_int_equal(run(&host, "require('host.task').event():wait()"),
                     LUA_ERRRUN);
    assert_non_null(strstr(lua_tostring(host.L, -2), "deadlock"));
    clk_host_close(&host);
}

static void a_deadlock_below_the_main_task_is_reported(void **state)
{
    struct clk_host host;

    (void)state;
    assert_int_equal(clk_host_open(&host), 0);
    assert_int_equal(run(&host, "local task = require 'host.task'\n"
                                "local e = task.event()\n"
                                "task.spawn(function() task.shield(e.wait, e)"
                                " end)\n"
                                "task.sleep(0)"),
                     LUA_OK);
    clk_host_close(&host);
}

static void a_signal_cancels_a_waiting_main_task(void **state)
{
    struct clk_host host;

    (void)state;
    assert_int_equal(clk_host_open(&host), 0);
    assert_int_equal(clk_host_listen_signals(&host), 0);
    raise(SIGINT);
    assert_int_equal(run(&host, "require('host.task').sleep(60)"), LUA_ERRRUN);
    assert_string_equal(luaL_tolstring(host.L, -2, NULL), "canceled");
    assert_int_equal(host.signal, SIGINT);
    clk_host_close(&host);
}

static int raise_interrupt(lua_State *L)
{
    (void)L;
    raise(SIGINT);
    return 0;
}

static void a_signal_stops_lua_code_that_never_waits(void **state)
{
    struct clk_host host;

    (void)state;
    assert_int_equal(clk_host_open(&host), 0);
    assert_int_equal(clk_host_listen_signals(&host), 0);
    lua_register(host.L, "interrupt", raise_interrupt);
    assert_int_equal(run(&host, "interrupt() while true do end"), LUA_ERRRUN);
    assert_string_equal(luaL_tolstring(host.L, -2, NULL), "canceled");
    clk_host_close(&host);
}

static void a_shielded_cleanup_survives_the_signal(void **state)
{
    struct clk_host host;

    (void)state;
    assert_int_equal(clk_host_open(&host), 0);
    assert_int_equal(clk_host_listen_signals(&host), 0);
    lua_register(host.L, "interrupt", raise_interrupt);
    assert_int_equal(
        run(&host, "local task = require 'host.task'\n"
                   "local c <close> = setmetatable({}, {__close = function()\n"
                   "  task.shield(function() task.sleep(0.01) cleaned = true "
                   "end)\n"
                   "end})\n"
                   "interrupt() while true do end"),
        LUA_ERRRUN);
    lua_getglobal(host.L, "cleaned");
    assert_true(lua_toboolean(host.L, -1));
    clk_host_close(&host);
}

/* Right behind the call during which the signal came, `kept` is not yet what
   its block closes: an interrupt there would lose it. */
static void what_is_being_acquired_is_not_lost(void **state)
{
    struct clk_host host;

    (void)state;
    assert_int_equal(clk_host_open(&host), 0);
    assert_int_equal(clk_host_listen_signals(&host), 0);
    lua_register(host.L, "interrupt", raise_interrupt);
    assert_int_equal(
        run(&host, "local task = require 'host.task'\n"
                   "local function acquire()\n"
                   "  interrupt()\n"
                   "  return setmetatable({}, {__close = function()\n"
                   "    closed = true\n"
                   "  end})\n"
                   "end\n"
                   "local kept <close> = acquire()\n"
                   "task.sleep(60)"),
        LUA_ERRRUN);
    assert_string_equal(luaL_tolstring(host.L, -2, NULL), "canceled");
    lua_getglobal(host.L, "closed");
    assert_true(lua_toboolean(host.L, -1));
    clk_host_close(&host);
}

/* A task that a shielded one waits for is part of the clean-up, however long it
   computes; what follows is interrupted. */
static void a_shield_covers_the_tasks_it_waits_for(void **state)
{
    struct clk_host host;

    (void)state;
    assert_int_equal(clk_host_open(&host), 0);
    assert_int_equal(clk_host_listen_signals(&host), 0);
    lua_register(host.L, "interrupt", raise_interrupt);
    assert_int_equal(
        run(&host, "local task = require 'host.task'\n"
                   "task.shield(function()\n"
                   "  local child = task.spawn(function()\n"
                   "    interrupt()\n"
                   "    local ends = task.now() + 0.1\n"
                   "    while task.now() < ends do end\n"
                   "    finished = true\n"
                   "  end)\n"
                   "  child:join()\n"
                   "end)\n"
                   "while true do task.sleep(60) end"),
        LUA_ERRRUN);
    assert_string_equal(luaL_tolstring(host.L, -2, NULL), "canceled");
    lua_getglobal(host.L, "finished");
    assert_true(lua_toboolean(host.L, -1));
    clk_host_close(&host);
}

static void opening_survives_every_failing_allocation(void **state)
{
    struct clk_host host;
    unsigned long nth;
    int error;

    (void)state;
    for (nth = 1; nth < 5000; nth++) {
        clk_mem_fail_at(nth, true);
        error = clk_host_open(&host);
        if (error == 0)
            clk_host_close(&host);
        if (clk_mem_failures() == 0)
            break;
        assert_true(error == UV_ENOMEM || error == 0);
    }
    clk_mem_fail_at(0, false);
    assert_true(nth > 1 && nth < 5000);
}

static void only_source_text_is_loaded(void **state)
{
    struct clk_host host;

    (void)state;
    assert_non_null(clk_loader_find("main"));
    assert_null(clk_loader_find("no.such"));
    assert_int_equal(clk_host_open(&host), 0);
    assert_int_equal(run(&host, "return package.path, package.cpath, "
                                "#package.searchers, package.loadlib"),
                     LUA_OK);
    assert_string_equal(lua_tostring(host.L, -4), "");
    assert_string_equal(lua_tostring(host.L, -3), "");
    assert_true(lua_isnil(host.L, -1));
    lua_settop(host.L, 0);
    assert_int_equal(run(&host, "require 'no.such'"), LUA_ERRRUN);
    assert_non_null(strstr(lua_tostring(host.L, -2), "no embedded module"));
    clk_host_close(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_of_the_main_task_are_returned),
        cmocka_unit_test(an_error_comes_with_its_traceback),
        cmocka_unit_test(a_deadlock_is_reported_not_hung),
        cmocka_unit_test(a_deadlock_below_the_main_task_is_reported),
        cmocka_unit_test(a_signal_cancels_a_waiting_main_task),
        cmocka_unit_test(a_signal_stops_lua_code_that_never_waits),
        cmocka_unit_test(a_shielded_cleanup_survives_the_signal),
        cmocka_unit_test(what_is_being_acquired_is_not_lost),
        cmocka_unit_test(a_shield_covers_the_tasks_it_waits_for),
        cmocka_unit_test(opening_survives_every_failing_allocation),
        cmocka_unit_test(only_source_text_is_loaded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
