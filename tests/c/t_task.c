/* host/task.c by itself: an operation of the test waits, is woken, cancelled,
   forgotten; what C code may rely on. What Lua sees is in task_test.lua. */
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

#include "host/gate.h"
#include "host/host.h"
#include "host/task.h"

enum { CONTEXT = 7 };

/* The host and the operation of one test. */
static struct clk_host host;
static struct {
    struct clk_wait wait;
    uv_timer_t timer; /* calls `on_timer` a millisecond after `start_timer` */
    void (*on_timer)(void);
    int canceled, resumed, timers;
} op;

static void on_cancel(struct clk_wait *wait)
{
    assert_ptr_equal(wait, &op.wait);
    assert_null(wait->task);
    op.canceled++;
}

static int wait_done(lua_State *L, int status, lua_KContext ctx)
{
    assert_int_equal(status, LUA_YIELD);
    assert_int_equal(ctx, CONTEXT);
    op.resumed++;
    return lua_gettop(L); /* the arguments: the stack is as it was */
}

/* wait(...) gives its arguments back when it was woken. */
static int op_wait(lua_State *L)
{
    return clk_wait(L, &op.wait, CONTEXT, wait_done);
}

static int op_wake(lua_State *L)
{
    (void)L;
    clk_wake(&op.wait);
    return 0;
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
    op.timers++;
    op.on_timer();
}

static int start_timer(lua_State *L)
{
    (void)L;
    return uv_timer_start(&op.timer, on_timer, 1, 0);
}

static int set_up(void **state)
{
    (void)state;
    memset(&op, 0, sizeof(op));
    op.wait.cancel = on_cancel;
    if (clk_host_open(&host) != 0)
        return -1;
    uv_timer_init(&host.loop, &op.timer);
    lua_register(host.L, "wait", op_wait);
    lua_register(host.L, "wake", op_wake);
    lua_register(host.L, "start_timer", start_timer);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    uv_close((uv_handle_t *)&op.timer, NULL);
    clk_host_close(&host);
    return 0;
}

/* Runs a chunk as the main task; `task` is host.task. Leaves its results, or
   error and traceback. */
static int run(const char *code)
{
    lua_pushfstring(host.L, "local task = require 'host.task'\n%s", code);
    assert_int_equal(luaL_loadstring(host.L, lua_tostring(host.L, -1)), LUA_OK);
    lua_remove(host.L, -2);
    return clk_host_run(&host, 0);
}

static void wake_twice(void)
{
    clk_wake(&op.wait);
    clk_wake(&op.wait);
}

static void a_wake_resumes_once_with_the_stack_as_it_was(void **state)
{
    (void)state;
    op.on_timer = wake_twice;
    assert_int_equal(run("start_timer() return wait(1, 'two', nil)"), LUA_OK);
    assert_int_equal(lua_gettop(host.L), 3);
    assert_string_equal(lua_tostring(host.L, 2), "two");
    assert_int_equal(op.resumed, 1);
    assert_int_equal(op.canceled, 0);
    assert_null(op.wait.task);
}

static void a_wake_that_nobody_waits_for_is_not_remembered(void **state)
{
    (void)state;
    op.on_timer = wake_twice;
    assert_int_equal(run("wake() wake() start_timer() wait()"), LUA_OK);
    assert_int_equal(op.timers, 1);
    assert_int_equal(op.resumed, 1);
}

static void a_cancelled_wait_is_aborted_once_and_not_resumed(void **state)
{
    (void)state;
    assert_int_equal(run("local t = task.spawn(wait)\n"
                         "task.sleep(0) t:cancel() t:cancel()\n"
                         "local ok, e = t:join()\n"
                         "return ok, tostring(e)"),
                     LUA_OK);
    assert_string_equal(lua_tostring(host.L, -1), "canceled");
    assert_int_equal(op.canceled, 1);
    assert_int_equal(op.resumed, 0);
    assert_null(op.wait.task);
}

/* An operation that was already begun is given back. */
static void a_cancelled_task_begins_no_other_wait(void **state)
{
    (void)state;
    assert_int_equal(run("local t = task.spawn(function()\n"
                         "  pcall(wait) pcall(wait) pcall(wait)\n"
                         "end)\n"
                         "task.sleep(0) t:cancel() return t:join()"),
                     LUA_OK);
    assert_true(lua_toboolean(host.L, -1));
    assert_int_equal(op.canceled, 3);
    assert_int_equal(op.resumed, 0);
}

static void what_was_woken_before_the_cancel_is_delivered(void **state)
{
    (void)state;
    assert_int_equal(run("local t = task.spawn(function()\n"
                         "  return wait('kept'), pcall(wait)\n"
                         "end)\n"
                         "task.sleep(0) wake() t:cancel() return t:join()"),
                     LUA_OK);
    assert_string_equal(lua_tostring(host.L, 2), "kept");
    assert_false(lua_toboolean(host.L, 3));
    assert_int_equal(op.resumed, 1);
    assert_int_equal(op.canceled, 1); /* of the second wait */
}

static void a_shield_keeps_the_cancel_from_the_operation(void **state)
{
    (void)state;
    op.on_timer = wake_twice;
    assert_int_equal(run("local t = task.spawn(function()\n"
                         "  task.shield(wait) return (pcall(wait))\n"
                         "end)\n"
                         "task.sleep(0) t:cancel() start_timer()\n"
                         "return t:await()"),
                     LUA_OK);
    assert_false(lua_toboolean(host.L, -1));
    assert_int_equal(op.resumed, 1);
    assert_int_equal(op.canceled, 1);
}

static void outside_a_task_the_operation_is_given_back(void **state)
{
    (void)state;
    assert_int_equal(run("return pcall(coroutine.wrap(wait))"), LUA_OK);
    assert_non_null(strstr(lua_tostring(host.L, -1), "outside a task"));
    assert_int_equal(op.canceled, 1);
    lua_getglobal(host.L, "wait");
    assert_int_equal(lua_pcall(host.L, 0, 0, 0), LUA_ERRRUN);
    assert_non_null(strstr(lua_tostring(host.L, -1), "outside a task"));
    assert_int_equal(op.canceled, 2);
    assert_null(op.wait.task);
}

static void forget(void)
{
    clk_unwait(&op.wait);
    clk_wake(&op.wait);
}

static void a_wait_that_is_forgotten_is_a_deadlock_not_a_hang(void **state)
{
    (void)state;
    op.on_timer = forget;
    assert_int_equal(run("start_timer() wait()"), LUA_ERRRUN);
    assert_non_null(strstr(lua_tostring(host.L, -2), "deadlock"));
    assert_int_equal(op.timers, 1);
    assert_int_equal(op.resumed, 0);
    assert_int_equal(op.canceled, 0);
}

static void a_gate_wakes_in_the_order_of_waiting(void **state)
{
    (void)state;
    assert_int_equal(run("local e, order = task.event(), ''\n"
                         "for i = 1, 5 do task.spawn(function()\n"
                         "  local set = e:wait(i == 2 and 0 or nil)\n"
                         "  order = order .. i .. tostring(set) .. ' '\n"
                         "end) end\n"
                         "task.sleep(0.005) e:set() task.sleep(0)\n"
                         "return order"),
                     LUA_OK);
    assert_string_equal(lua_tostring(host.L, -1),
                        "2false 1true 3true 4true 5true ");
}

#ifdef CLK_DEV
static void touch_lua(void)
{
    lua_newtable(host.L);
}

static void lua_in_a_callback_does_not_go_unnoticed(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        op.on_timer = touch_lua;
        run("start_timer() wait()");
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}
#endif

#define IN_HOST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOST(a_wake_resumes_once_with_the_stack_as_it_was),
        IN_HOST(a_wake_that_nobody_waits_for_is_not_remembered),
        IN_HOST(a_cancelled_wait_is_aborted_once_and_not_resumed),
        IN_HOST(a_cancelled_task_begins_no_other_wait),
        IN_HOST(what_was_woken_before_the_cancel_is_delivered),
        IN_HOST(a_shield_keeps_the_cancel_from_the_operation),
        IN_HOST(outside_a_task_the_operation_is_given_back),
        IN_HOST(a_wait_that_is_forgotten_is_a_deadlock_not_a_hang),
        IN_HOST(a_gate_wakes_in_the_order_of_waiting),
#ifdef CLK_DEV
        IN_HOST(lua_in_a_callback_does_not_go_unnoticed),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
