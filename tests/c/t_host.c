/* The host by itself: opening under failing allocations, running a main task,
   deadlock, tracebacks, signals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"
#include "host/host.h"

/* The host of one test. */
static struct clk_host host;

static int raise_interrupt(lua_State *L)
{
    (void)L;
    raise(SIGINT);
    return 0;
}

static int open_host(void **state)
{
    (void)state;
    return clk_host_open(&host);
}

/* Gives Lua `interrupt()`, during which SIGINT comes. */
static int open_listening(void **state)
{
    int error = open_host(state);

    if (error == 0)
        error = clk_host_listen_signals(&host);
    if (error == 0)
        lua_register(host.L, "interrupt", raise_interrupt);
    return error;
}

static int close_host(void **state)
{
    (void)state;
    clk_host_close(&host);
    return 0;
}

/* Runs a chunk as the main task; leaves its results, or error and traceback. */
static int run(const char *code)
{
    assert_int_equal(luaL_loadstring(host.L, code), LUA_OK);
    return clk_host_run(&host, 0);
}

/* Runs a chunk that ends as canceled, after it set the global `sets`. */
static void run_canceled(const char *code, const char *sets)
{
    assert_int_equal(run(code), LUA_ERRRUN);
    assert_string_equal(luaL_tolstring(host.L, -2, NULL), "canceled");
    assert_int_equal(host.signal, SIGINT);
    if (sets) {
        lua_getglobal(host.L, sets);
        assert_true(lua_toboolean(host.L, -1));
    }
}

static void results_of_the_main_task_are_returned(void **state)
{
    (void)state;
    assert_int_equal(run("return 1, 'two'"), LUA_OK);
    assert_int_equal(lua_tointeger(host.L, -2), 1);
    assert_string_equal(lua_tostring(host.L, -1), "two");
    assert_int_equal(host.task_count, 0);
}

static void an_error_comes_with_its_traceback(void **state)
{
    (void)state;
    assert_int_equal(run("local function f() error('bad') end f()"),
                     LUA_ERRRUN);
    assert_non_null(strstr(lua_tostring(host.L, -2), "bad"));
    assert_non_null(strstr(lua_tostring(host.L, -1), "stack traceback"));
}

static void a_deadlock_is_reported_not_hung(void **state)
{
    (void)state;
    assert_int_equal(run("require('host.task').event():wait()"), LUA_ERRRUN);
    assert_non_null(strstr(lua_tostring(host.L, -2), "deadlock"));
}

/* The main task has its results by then: it fails all the same. */
static void a_deadlock_below_the_main_task_is_reported(void **state)
{
    (void)state;
    assert_int_equal(run("local task = require 'host.task'\n"
                         "local e = task.event()\n"
                         "task.spawn(function() task.shield(e.wait, e) end)\n"
                         "task.sleep(0)"),
                     LUA_ERRRUN);
    assert_non_null(strstr(lua_tostring(host.L, -2), "deadlock"));
}

/* Who waits for the task that is stuck is no place to look at. */
static void a_deadlock_is_raised_where_it_began(void **state)
{
    (void)state;
    assert_int_equal(run("local task = require 'host.task'\n"
                         "local function stuck() task.event():wait() end\n"
                         "task.spawn(function()\n"
                         "  task.spawn(stuck):await()\n"
                         "end):await()"),
                     LUA_ERRRUN);
    assert_non_null(strstr(lua_tostring(host.L, -2), ":2: deadlock"));
    assert_non_null(strstr(lua_tostring(host.L, -1), "in a task awaited here"));
}

/* Two locks taken in both orders: one task gives up, the other goes on. */
static void a_deadlock_costs_no_more_than_one_task(void **state)
{
    (void)state;
    assert_int_equal(run("local task = require 'host.task'\n"
                         "local a, b = task.event(), task.event()\n"
                         "local x = task.spawn(function()\n"
                         "  a:wait() b:set() return 'x'\n"
                         "end)\n"
                         "local y = task.spawn(function()\n"
                         "  pcall(b.wait, b) a:set() return 'y'\n"
                         "end)\n"
                         "return x:await(), y:await()"),
                     LUA_OK);
    assert_string_equal(lua_tostring(host.L, -2), "x");
    assert_string_equal(lua_tostring(host.L, -1), "y");
}

static void who_ignores_a_deadlock_keeps_nobody_from_hearing(void **state)
{
    (void)state;
    assert_int_equal(run("local task = require 'host.task'\n"
                         "local e = task.event()\n"
                         "task.spawn(function()\n"
                         "  for _ = 1, 1000 do pcall(e.wait, e) end\n"
                         "end)\n"
                         "local ok, message = pcall(e.wait, e)\n"
                         "error(message, 0)"),
                     LUA_ERRRUN);
    assert_non_null(strstr(lua_tostring(host.L, -2), "deadlock"));
}

static void a_signal_cancels_a_waiting_main_task(void **state)
{
    (void)state;
    raise(SIGINT);
    run_canceled("require('host.task').sleep(60)", NULL);
}

static void a_signal_stops_lua_code_that_never_waits(void **state)
{
    (void)state;
    run_canceled("interrupt() while true do end", NULL);
}

/* The interrupted task is the first of three, and each computes for ever. */
static void a_signal_stops_every_task_that_never_waits(void **state)
{
    (void)state;
    run_canceled("local task = require 'host.task'\n"
                 "local function spin() while true do end end\n"
                 "local a = task.spawn(function() interrupt() spin() end)\n"
                 "local b, c = task.spawn(spin), task.spawn(spin)\n"
                 "a:join() b:join() c:join() task.sleep(60)",
                 NULL);
}

static void a_third_signal_ends_the_process_at_once(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0) {
        (void)run("interrupt() interrupt() passed = true\n"
                  "require('host.task').shield(function()\n"
                  "  interrupt() while true do end\n"
                  "end)");
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 128 + SIGINT);
}

/* Two tasks that only ever wake each other. */
#define PING_PONG                                                              \
    "local task = require 'host.task'\n"                                       \
    "local ping, pong = task.event(), task.event()\n"                          \
    "local function play(mine, other)\n"                                       \
    "  while true do other:set() mine:wait() mine:clear() end\n"               \
    "end\n"                                                                    \
    "task.spawn(play, ping, pong)\n"                                           \
    "task.spawn(play, pong, ping)\n"

static void tasks_that_wake_each_other_hold_up_no_timer(void **state)
{
    (void)state;
    assert_int_equal(run(PING_PONG "task.sleep(0.01) return 'slept'"), LUA_OK);
    assert_string_equal(lua_tostring(host.L, -1), "slept");
}

static void tasks_that_wake_each_other_hold_up_no_signal(void **state)
{
    (void)state;
    run_canceled(PING_PONG "interrupt() task.sleep(60)", NULL);
}

static void a_shielded_cleanup_survives_the_signal(void **state)
{
    (void)state;
    run_canceled("local task = require 'host.task'\n"
                 "local function clean() task.sleep(0.01) cleaned = true end\n"
                 "local c <close> = setmetatable({}, {__close = function()\n"
                 "  task.shield(clean)\n"
                 "end})\n"
                 "interrupt() while true do end",
                 "cleaned");
}

/* Right behind the call during which the signal came, `kept` is not yet what
   its block closes: an interrupt there would lose it. */
static void what_is_being_acquired_is_not_lost(void **state)
{
    (void)state;
    run_canceled("local task = require 'host.task'\n"
                 "local function acquire()\n"
                 "  interrupt()\n"
                 "  return setmetatable({}, {__close = function()\n"
                 "    closed = true\n"
                 "  end})\n"
                 "end\n"
                 "local kept <close> = acquire()\n"
                 "task.sleep(60)",
                 "closed");
}

/* A task that a shielded one waits for is part of the clean-up, however long it
   computes; what follows is interrupted. */
static void a_shield_covers_the_tasks_it_waits_for(void **state)
{
    (void)state;
    run_canceled("local task = require 'host.task'\n"
                 "task.shield(function()\n"
                 "  local child = task.spawn(function()\n"
                 "    interrupt()\n"
                 "    local ends = task.now() + 0.1\n"
                 "    while task.now() < ends do end\n"
                 "    finished = true\n"
                 "  end)\n"
                 "  child:join()\n"
                 "end)\n"
                 "while true do task.sleep(60) end",
                 "finished");
}

/* From here on the interrupt's grace is over: the next instruction that no
   shield covers is the last. */
static int interrupt_now(lua_State *L)
{
    host.hooked_at = 1;
    return raise_interrupt(L);
}

/* Wherever the interrupt comes: in the shield that acquires, behind it, or at
   the block's end. */
static void what_is_deferred_is_done_on_every_way_out(void **state)
{
    for (int at = 1; at <= 5; at++) {
        assert_int_equal(open_listening(state), 0);
        lua_register(host.L, "interrupt", interrupt_now);
        lua_pushinteger(host.L, at);
        lua_setglobal(host.L, "at");
        run_canceled("local task = require 'host.task'\n"
                     "local function point(n)\n"
                     "  if n == at then interrupt() end\n"
                     "end\n"
                     "local function work()\n"
                     "  local _ <close> = task.defer(function()\n"
                     "    for i = 1, 100 do task.sleep(0) end\n"
                     "    given_back, held = true, nil\n"
                     "  end)\n"
                     "  point(1)\n"
                     "  task.shield(function()\n"
                     "    point(2) task.sleep(0) held = true point(3)\n"
                     "  end)\n"
                     "  point(4)\n"
                     "end\n"
                     "work() point(5) task.sleep(60)",
                     "given_back");
        lua_getglobal(host.L, "held");
        assert_true(lua_isnil(host.L, -1));
        close_host(state);
    }
}

static void opening_survives_every_failing_allocation(void **state)
{
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

#define OPENED(test)                                                           \
    cmocka_unit_test_setup_teardown(test, open_host, close_host)
#define LISTENING(test)                                                        \
    cmocka_unit_test_setup_teardown(test, open_listening, close_host)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPENED(results_of_the_main_task_are_returned),
        OPENED(an_error_comes_with_its_traceback),
        OPENED(a_deadlock_is_reported_not_hung),
        OPENED(a_deadlock_below_the_main_task_is_reported),
        OPENED(a_deadlock_is_raised_where_it_began),
        OPENED(a_deadlock_costs_no_more_than_one_task),
        OPENED(who_ignores_a_deadlock_keeps_nobody_from_hearing),
        LISTENING(a_signal_cancels_a_waiting_main_task),
        LISTENING(a_signal_stops_lua_code_that_never_waits),
        LISTENING(a_signal_stops_every_task_that_never_waits),
        LISTENING(a_third_signal_ends_the_process_at_once),
        OPENED(tasks_that_wake_each_other_hold_up_no_timer),
        LISTENING(tasks_that_wake_each_other_hold_up_no_signal),
        LISTENING(a_shielded_cleanup_survives_the_signal),
        LISTENING(what_is_being_acquired_is_not_lost),
        LISTENING(a_shield_covers_the_tasks_it_waits_for),
        cmocka_unit_test(what_is_deferred_is_done_on_every_way_out),
        cmocka_unit_test(opening_survives_every_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
