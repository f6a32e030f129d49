/* SIGINT, SIGTERM and, unless it is ignored (nohup), SIGHUP become a
   cancellation of the main task.

   The handler's only pointer to its host is the one piece of process-wide state
   that a signal handler cannot do without. */
#include "host/host.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "host/task.h"
#include "host/task_state.h"

/* The signal that ends the process at once, whatever the tasks still do. */
enum { LAST_SIGNAL = 3 };

static const int handled[] = {SIGINT, SIGTERM, SIGHUP};

enum { HANDLED = sizeof(handled) / sizeof(handled[0]) };

static struct {
    struct clk_host *volatile host;
    volatile sig_atomic_t count;
} listening;

static void on_signal(int number)
{
    struct clk_host *host = listening.host;
    struct clk_task *task;

    listening.count++;
    if (!host || listening.count >= LAST_SIGNAL)
        _exit(128 + number);
    host->signal = number;
    /* Lua code that computes without waiting is stopped by a hook; lua_sethook
       may be called from a signal handler. */
    task = host->running;
    if (task)
        clk_task_hook(task->co);
    if (task && task->inner)
        clk_task_hook(task->inner);
    uv_async_send(&host->signal_async);
}

/* The loop woke up; clk_host_run looks at host->signal itself. */
static void on_async(uv_async_t *async)
{
    (void)async;
}

static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0
           && action.sa_handler == SIG_IGN;
}

int clk_host_listen_signals(struct clk_host *host)
{
    struct sigaction action;
    int error = uv_async_init(&host->loop, &host->signal_async, on_async);

    if (error)
        return error;
    host->async_open = true;
    uv_unref((uv_handle_t *)&host->signal_async);
    listening.host = host;
    listening.count = 0;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    for (int i = 0; i < HANDLED; i++) {
        if (handled[i] == SIGHUP && is_ignored(SIGHUP))
            continue;
        if (sigaction(handled[i], &action, NULL) != 0)
            return UV_EINVAL;
    }
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    return 0;
}

void clk_host_ignore_signals(struct clk_host *host)
{
    if (!host->async_open)
        return;
    for (int i = 0; i < HANDLED; i++)
        if (!is_ignored(handled[i]))
            signal(handled[i], SIG_DFL);
    listening.host = NULL;
    host->async_open = false;
    uv_close((uv_handle_t *)&host->signal_async, NULL);
}
