/* One running clanker: the Lua state, the libuv loop and the tasks on it. */
#ifndef CLK_HOST_H
#define CLK_HOST_H

#include <stdbool.h>

#include <lua.h>
#include <uv.h>

struct clk_task;
struct clk_secrets;

/* Everything a binding may need of its surroundings; one per Lua state. */
struct clk_host {
    lua_State *L;                /* the main state: runs no product code */
    uv_loop_t loop;              /* all I/O, timers and children */
    struct clk_secrets *secrets; /* live secrets; owned by bind/l_secret.c */
    struct clk_task *ready_head; /* FIFO of tasks to resume */
    struct clk_task *ready_tail;
    struct clk_task *running; /* NULL between resumes */
    struct clk_task *main;    /* the task whose end ends the run */
    unsigned task_count;      /* tasks that have not finished */
    volatile int signal;      /* SIGINT, SIGTERM, SIGHUP; 0 when none came */
    bool signal_handled;      /* the main task was told */
    uint64_t hooked_at; /* processor time when a hook first saw what runs */
    uv_async_t signal_async; /* wakes the loop from the signal handler */
    bool async_open;
    bool in_loop; /* the loop runs its callbacks */
    char **argv;  /* the process's own words, NULL when not told; writable */
    int argc;
};

/* The host of a state or of one of its coroutines. */
struct clk_host *clk_host_of(lua_State *L);

/* The loop of that host. */
uv_loop_t *clk_loop(struct clk_host *host);

/* Creates the state with its libraries and searchers. 0, or a libuv error
   number (UV_ENOMEM when Lua's state can't be had). */
int clk_host_open(struct clk_host *host);

/* Closes the state, then runs the loop until the last handle is closed. */
void clk_host_close(struct clk_host *host);

/* Runs the function below `nargs` arguments on host->L as the main task and
   the loop until it ends. Pushes the task's results and returns LUA_OK, or
   pushes the error value and a traceback (string or nil) and returns
   LUA_ERRRUN. */
int clk_host_run(struct clk_host *host, int nargs);

/* SIGINT, SIGTERM and SIGHUP cancel the main task from now on; a third signal
   ends the process at once. One host per process may listen. */
int clk_host_listen_signals(struct clk_host *host);

/* Undoes it; nothing when the host does not listen. */
void clk_host_ignore_signals(struct clk_host *host);

#endif
