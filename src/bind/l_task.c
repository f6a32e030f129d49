/* host.task: spawn, join and cancel tasks, wait for events and for time. */
#include <lauxlib.h>
#include <lua.h>
#include <string.h>

#include "host/class.h"
#include "host/err.h"
#include "host/task_state.h"

#define EVENT_META "host.task.event"
#define DEFER_META "host.task.defer"

/* Seconds at `arg`, or -1 (no limit) when absent. */
static double opt_timeout(lua_State *L, int arg)
{
    double seconds;

    if (lua_isnoneornil(L, arg))
        return -1;
    seconds = luaL_checknumber(L, arg);
    luaL_argcheck(L, seconds >= 0, arg, "a timeout is not negative");
    return seconds;
}

/*** Starts a task: a child of the running task, which cannot end before it.
---@param fn function
---@param ... any arguments of fn
---@return host.task.Task */
static int task_spawn(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    clk_task_spawn(L, lua_gettop(L) - 1);
    return 1;
}

/* Pushes true and the results, or false, the error and its traceback. */
static int push_outcome(lua_State *L, struct clk_task *task)
{
    int count;

    lua_settop(L, 1);
    lua_pushboolean(L, !task->failed);
    count = clk_task_results(L, task);
    if (count >= 0)
        return count + 1;
    lua_getiuservalue(L, 1, TASK_TRACEBACK);
    return 3;
}

static int join_done(lua_State *L, int timed_out, lua_KContext ctx)
{
    struct clk_task *task = (struct clk_task *)ctx;

    if (timed_out && !task->done)
        return clk_fail(L, "ETIMEDOUT", "timed out");
    return push_outcome(L, task);
}

/*** Waits for the end of a task.
---@async
---@param timeout? number seconds
---@return boolean|nil ok true and its results; false, its error and traceback;
--- nil, message and ETIMEDOUT when it still runs */
static int task_join(lua_State *L)
{
    struct clk_task *task = clk_check_task(L, 1);
    double timeout = opt_timeout(L, 2);

    lua_settop(L, 1);
    if (task->done)
        return push_outcome(L, task);
    return clk_gate_wait(L, &task->done_gate, timeout, (lua_KContext)task,
                         join_done);
}

static int await_done(lua_State *L, int timed_out, lua_KContext ctx)
{
    struct clk_task *task = (struct clk_task *)ctx;
    int count;

    (void)timed_out;
    lua_settop(L, 1);
    count = clk_task_results(L, task);
    if (count >= 0)
        return count;
    if (lua_getiuservalue(L, 1, TASK_TRACEBACK) == LUA_TSTRING) {
        lua_pushfstring(L, "%s\n(in a task awaited here)", lua_tostring(L, -1));
        lua_replace(L, -2);
    }
    clk_task_set_cause(L);
    lua_pop(L, 1);
    return lua_error(L);
}

/*** Waits for the end of a task and raises its error, if it failed.
---@async
---@return any ... its results */
static int task_await(lua_State *L)
{
    struct clk_task *task = clk_check_task(L, 1);

    lua_settop(L, 1);
    if (task->done)
        return await_done(L, 0, (lua_KContext)task);
    return clk_gate_wait(L, &task->done_gate, -1, (lua_KContext)task,
                         await_done);
}

/*** Cancels a task: what it waits for is aborted, and that wait and all later
--- ones raise the canceled error. */
static int task_cancel(lua_State *L)
{
    clk_task_cancel(clk_check_task(L, 1));
    return 0;
}

/*** Whether the task and all its children have ended.
---@return boolean */
static int task_is_done(lua_State *L)
{
    lua_pushboolean(L, clk_check_task(L, 1)->done);
    return 1;
}

/*** Has an event set when the task is done; its failure is then no longer
--- handed to the parent, since somebody will look.
---@param event host.task.Event */
static int task_notify(lua_State *L)
{
    struct clk_task *task = clk_check_task(L, 1);
    struct clk_event *ev = luaL_checkudata(L, 2, EVENT_META);

    if (task->done) {
        ev->set = true;
        clk_gate_open(&ev->gate);
        return 0;
    }
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, 1, TASK_NOTIFY);
    task->notify = ev;
    return 0;
}

static int shield_done(lua_State *L, int status, lua_KContext ctx)
{
    struct clk_task *task = (struct clk_task *)ctx;

    task->shield--;
    if (status != LUA_OK && status != LUA_YIELD)
        return lua_error(L);
    return lua_gettop(L);
}

/*** Calls a function that cancellation does not reach: for clean-up that has to
--- wait. A cancellation meanwhile is delivered at the next wait after it.
---@async
---@param fn function
---@param ... any
---@return any ... its results */
static int task_shield(lua_State *L)
{
    struct clk_task *task = clk_host_of(L)->running;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    if (!task || task->co != L)
        return luaL_error(L, "cannot shield outside a task");
    task->shield++;
    return shield_done(L,
                       lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0,
                                  (lua_KContext)task, shield_done),
                       (lua_KContext)task);
}

/*** What a block shall do on every way out; meant for `local _ <close>`. The
--- function runs shielded from its first instruction on, so that nothing comes
--- between the block's end and it: make this before what it gives back.
---@param fn async fun()
---@return host.task.Defer */
static int task_defer(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_newuserdatauv(L, 0, 1);
    luaL_setmetatable(L, DEFER_META);
    lua_insert(L, 1);
    lua_setiuservalue(L, 1, 1);
    return 1;
}

static int defer_done(lua_State *L, int status, lua_KContext ctx)
{
    struct clk_task *task = (struct clk_task *)ctx;

    if (task)
        task->shield--;
    if (status != LUA_OK && status != LUA_YIELD)
        return lua_error(L);
    return 0;
}

/* C code, and so never interrupted between its lines. */
static int defer_close(lua_State *L)
{
    struct clk_task *task = clk_host_of(L)->running;
    lua_KContext ctx;

    luaL_checkudata(L, 1, DEFER_META);
    if (!task || task->co != L)
        task = NULL; /* torn down: there is no wait to shield */
    ctx = (lua_KContext)task;
    if (task)
        task->shield++;
    lua_getiuservalue(L, 1, 1);
    return defer_done(L, lua_pcallk(L, 0, 0, 0, ctx, defer_done), ctx);
}

/*** Notes on the running task that an error comes from elsewhere: should it end
--- the task, its traceback there comes before the task's own.
---@param e any
---@param trace string ends by saying where it was */
static int task_note(lua_State *L)
{
    luaL_checkany(L, 1);
    luaL_checkstring(L, 2);
    lua_settop(L, 2);
    clk_task_set_cause(L);
    return 0;
}

/*** The canceled error value, for comparison.
---@return table */
static int task_canceled(lua_State *L)
{
    clk_push_canceled(L);
    return 1;
}

/*** Seconds on a clock that only goes forward.
---@return number */
static int task_now(lua_State *L)
{
    lua_pushnumber(L, (double)uv_hrtime() / 1e9);
    return 1;
}

static int sleep_done(lua_State *L, int timed_out, lua_KContext ctx)
{
    (void)L;
    (void)timed_out;
    (void)ctx;
    return 0;
}

/*** Waits for a time.
---@async
---@param seconds number */
static int task_sleep(lua_State *L)
{
    double seconds = luaL_checknumber(L, 1);
    struct clk_gate *gate;

    luaL_argcheck(L, seconds >= 0, 1, "a time to sleep is not negative");
    gate = lua_newuserdatauv(L, sizeof(*gate), 0);
    memset(gate, 0, sizeof(*gate));
    return clk_gate_wait(L, gate, seconds, 0, sleep_done);
}

static struct clk_event *check_event(lua_State *L)
{
    return luaL_checkudata(L, 1, EVENT_META);
}

/*** A new event, not set.
---@return host.task.Event */
static int task_event(lua_State *L)
{
    struct clk_event *ev = lua_newuserdatauv(L, sizeof(*ev), 0);

    memset(ev, 0, sizeof(*ev));
    luaL_setmetatable(L, EVENT_META);
    return 1;
}

/*** Sets the event: every task that waits for it goes on. */
static int event_set(lua_State *L)
{
    struct clk_event *ev = check_event(L);

    ev->set = true;
    clk_gate_open(&ev->gate);
    return 0;
}

/*** Takes the event back: later waits wait again. */
static int event_clear(lua_State *L)
{
    check_event(L)->set = false;
    return 0;
}

/*** Whether the event is set.
---@return boolean */
static int event_is_set(lua_State *L)
{
    lua_pushboolean(L, check_event(L)->set);
    return 1;
}

static int event_wait_done(lua_State *L, int timed_out, lua_KContext ctx)
{
    (void)ctx;
    lua_pushboolean(L, !timed_out);
    return 1;
}

/*** Waits until the event is set.
---@async
---@param timeout? number seconds
---@return boolean set false when the time was over */
static int event_wait(lua_State *L)
{
    struct clk_event *ev = check_event(L);
    double timeout = opt_timeout(L, 2);

    if (ev->set) {
        lua_pushboolean(L, 1);
        return 1;
    }
    return clk_gate_wait(L, &ev->gate, timeout, 0, event_wait_done);
}

static int event_gc(lua_State *L)
{
    clk_gate_close(&check_event(L)->gate);
    return 0;
}

/* --- being ended --------------------------------------------------------- */

/*** Tells that a coroutine runs within the running task from now on: that is
--- the one an interrupt has to stop. To be told anew when another one goes on.
---@param co thread */
static int task_follow(lua_State *L)
{
    struct clk_host *host = clk_host_of(L);
    lua_State *co = lua_tothread(L, 1);

    luaL_argexpected(L, co != NULL, 1, "thread");
    if (host->running) {
        clk_task_push(L, host->running);
        lua_pushvalue(L, 1);
        lua_setiuservalue(L, -2, TASK_INNER);
        host->running->inner = co;
    }
    if (host->signal)
        clk_task_hook(co);
    return 0;
}

/*** Whether a signal has asked the process to end.
---@return boolean */
static int task_is_interrupted(lua_State *L)
{
    lua_pushboolean(L, clk_host_of(L)->signal != 0);
    return 1;
}

/*** Whether the running task was cancelled and no shield holds that back: its
--- next wait raises.
---@return boolean */
static int task_is_canceling(lua_State *L)
{
    const struct clk_task *task = clk_host_of(L)->running;

    lua_pushboolean(L, task && task->canceled && task->shield == 0);
    return 1;
}

static const luaL_Reg functions[] = {
    {"canceled", task_canceled},
    {"defer", task_defer},
    {"event", task_event},
    {"follow", task_follow},
    {"is_canceling", task_is_canceling},
    {"is_interrupted", task_is_interrupted},
    {"note", task_note},
    {"now", task_now},
    {"shield", task_shield},
    {"sleep", task_sleep},
    {"spawn", task_spawn},
    {NULL, NULL},
};

static const luaL_Reg task_methods[] = {
    {"await", task_await}, {"cancel", task_cancel}, {"is_done", task_is_done},
    {"join", task_join},   {"notify", task_notify}, {NULL, NULL},
};

static const luaL_Reg event_methods[] = {
    {"clear", event_clear}, {"is_set", event_is_set},
    {"set", event_set},     {"wait", event_wait},
    {NULL, NULL},
};

int luaopen_host_task(lua_State *L);

int luaopen_host_task(lua_State *L)
{
    clk_class(L, CLK_TASK_META, task_methods, NULL, NULL);
    clk_class(L, EVENT_META, event_methods, NULL, event_gc);
    clk_class(L, DEFER_META, NULL, defer_close, NULL);
    luaL_newlib(L, functions);
    return 1;
}
