/* Tasks: Lua coroutines that wait for events of the loop.

   A binding starts an operation, then `return clk_wait(...)`; the operation's
   libuv or libcurl callback records the outcome and calls clk_wake. Lua is
   resumed from one place, the loop in clk_host_run, never from a callback. */
#ifndef CLK_TASK_H
#define CLK_TASK_H

#include <lua.h>

#include "host/host.h"

/* What a task waits on: lives in the memory of the operation (a heap block or
   a userdata on the waiting task's stack), zeroed before its first use. */
struct clk_wait {
    /* Aborts the operation; called at most once, never from a callback, when
       the waiting task is cancelled. May be NULL. Must not raise. */
    void (*cancel)(struct clk_wait *wait);
    struct clk_task *task; /* who waits; NULL when nobody does */
};

/* Suspends the running task until clk_wake(wait); call it as a tail call. On
   resume `k(L, LUA_YIELD, ctx)` runs with the stack as it was here. Raises the
   canceled error instead (now or on resume; `k` does not run) when the task
   was cancelled, and "cannot wait outside a task" in a foreign coroutine.
   A clk_wake with nobody waiting is not remembered: look at your own state
   first. */
int clk_wait(lua_State *L, struct clk_wait *wait, lua_KContext ctx,
             lua_KFunction k);

/* Whether clk_wait can be called here: not in a coroutine of the script's own,
   nor below a C function such as table.sort. */
bool clk_can_wait(lua_State *L);

/* Makes the waiting task ready; nothing when nobody waits. Runs no Lua: safe in
   callbacks. */
void clk_wake(struct clk_wait *wait);

/* Forgets the waiter without waking it (the wait's memory is going away while
   its task is being torn down). */
void clk_unwait(struct clk_wait *wait);

/* Resumes ready tasks until none is, or until the loop should be looked at in
   between: tasks that wake each other would keep it out for ever. */
void clk_tasks_step(struct clk_host *host);

/* Cancels a task: its pending wait is aborted and raises the canceled error. */
void clk_task_cancel(struct clk_task *task);

/* Starts the function below `nargs` arguments on `from` as a task; pops them
   and pushes the task handle. The running task, if any, is the parent. */
struct clk_task *clk_task_spawn(lua_State *from, int nargs);

/* Whether the task and all its children have ended. */
bool clk_task_done(const struct clk_task *task);

/* When nothing can ever wake a task again: makes one wait raise "deadlock", of
   the youngest of those below `task` and itself, children before parents. There
   the error says most: the others wait for it. Who went on to wait after being
   told so comes last. */
void clk_task_fail_deadlock(struct clk_task *task);

/* Pushes the results of an ended task on `L` and returns their number, or
   pushes error value and traceback and returns -1. */
int clk_task_results(lua_State *L, struct clk_task *task);

/* Pushes the one canceled error value. Allocates nothing. */
void clk_push_canceled(lua_State *L);

/* Makes a coroutine of the running task raise the canceled error when it goes
   on computing for long without waiting. Safe in a signal handler. */
void clk_task_hook(lua_State *co);

/* Metatables and the canceled value; called once per state. */
void clk_tasks_open(lua_State *L);

#endif
