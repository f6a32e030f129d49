/* What a task is made of; for host/ and bind/l_task.c only. */
#ifndef CLK_TASK_STATE_H
#define CLK_TASK_STATE_H

#include <stdbool.h>

#include "host/gate.h"
#include "host/task.h"

#define CLK_TASK_META "host.task.task"

/* User values of a task's userdata. */
enum {
    TASK_THREAD = 1,  /* the coroutine; its stack keeps the results */
    TASK_TRACEBACK,   /* of the error that ended it, or nil */
    TASK_CAUSE,       /* the last error that came from elsewhere … */
    TASK_CAUSE_TRACE, /* … and the traceback there, to chain them */
    TASK_ORPHAN, /* the first child that failed and that nobody joined … */
    TASK_NEXT_ORPHAN, /* … and the next one of the same parent */
    TASK_NOTIFY,      /* the userdata of `notify` */
    TASK_INNER,       /* keeps `inner` */
    TASK_VALUES = TASK_INNER
};

/* A full userdata, anchored in the registry until the task is done. */
struct clk_task {
    struct clk_host *host;
    lua_State *co;
    lua_State *inner; /* the coroutine of its own that goes on, or NULL */
    struct clk_task *parent;
    struct clk_task *first_child;
    struct clk_task *prev_sibling, *next_sibling;
    struct clk_task *next_ready;
    struct clk_wait *wait; /* what it waits on, NULL when it does not */
    lua_KFunction k;       /* the wait's continuation and its context */
    lua_KContext kctx;
    struct clk_gate done_gate; /* opened when the task is done */
    struct clk_event *notify;  /* set when the task is done, or NULL */
    int nargs;                 /* on the coroutine's stack, first resume */
    int nresults;              /* on the coroutine's stack, once ended */
    int shield;                /* > 0: cancellation is held back */
    bool started;
    bool ready;      /* in the ready queue */
    bool waiting;    /* yielded through clk_wait */
    bool canceled;   /* every unshielded wait raises from now on */
    bool aborted;    /* this wait was ended by a cancellation */
    bool deadlocked; /* this wait was ended because nothing else can end it */
    bool despaired;  /* so was the one before: others are told first */
    bool ended;      /* its function returned or failed; children may remain */
    bool failed;     /* the top of the coroutine's stack is the error */
    bool observed;   /* somebody joined it */
    bool done;       /* ended, and all children are done */
};

/* Pushes the userdata of a task that is not done yet. */
void clk_task_push(lua_State *L, struct clk_task *task);

/* The task at `arg`, or an argument error. */
struct clk_task *clk_check_task(lua_State *L, int arg);

/* Notes on the running task, if any, that the error value at index -2 comes
   from elsewhere, with the traceback at -1 that ends by saying from where; pops
   nothing. */
void clk_task_set_cause(lua_State *L);

#endif
