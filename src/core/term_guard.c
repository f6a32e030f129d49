/* Signals and terminals. */
#include "core/term_guard.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/mem.h"

static const int watched[] = {SIGHUP, SIGQUIT, SIGTSTP};

enum { WATCHED = sizeof(watched) / sizeof(watched[0]) };

/* Freed when libuv has closed the last handle. */
struct clk_guard {
    uv_signal_t signals[WATCHED];
    bool open[WATCHED];
    int open_count;
    bool closed;
    void (*leave)(void *ud);
    void (*enter)(void *ud);
    void *ud;
};

static void on_signal(uv_signal_t *handle, int number)
{
    struct clk_guard *guard = handle->data;

    if (guard->closed)
        return;
    guard->leave(guard->ud);
    uv_signal_stop(handle); /* back to the signal's default action */
    raise(number);
    uv_signal_start(handle, on_signal, number);
    guard->enter(guard->ud);
}

static bool is_default(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0
           && action.sa_handler == SIG_DFL;
}

static int watch(struct clk_guard *guard, uv_loop_t *loop, int i)
{
    int error = uv_signal_init(loop, &guard->signals[i]);

    if (error)
        return error;
    guard->signals[i].data = guard;
    guard->open[i] = true;
    guard->open_count++;
    return uv_signal_start(&guard->signals[i], on_signal, watched[i]);
}

int clk_guard_open(struct clk_guard **out, uv_loop_t *loop,
                   void (*leave)(void *ud), void (*enter)(void *ud), void *ud)
{
    struct clk_guard *guard = clk_calloc(1, sizeof(*guard));
    int error = 0;

    if (!guard)
        return UV_ENOMEM;
    guard->leave = leave;
    guard->enter = enter;
    guard->ud = ud;
    for (int i = 0; i < WATCHED && !error; i++)
        if (is_default(watched[i])) /* not so under nohup, say */
            error = watch(guard, loop, i);
    if (error)
        clk_guard_close(guard);
    else
        *out = guard;
    return error;
}

static void on_closed(uv_handle_t *handle)
{
    struct clk_guard *guard = handle->data;

    if (--guard->open_count == 0)
        clk_free(guard);
}

void clk_guard_close(struct clk_guard *guard)
{
    if (!guard)
        return;
    guard->closed = true;
    if (guard->open_count == 0)
        clk_free(guard);
    else
        for (int i = 0; i < WATCHED; i++)
            if (guard->open[i])
                uv_close((uv_handle_t *)&guard->signals[i], on_closed);
}

int clk_terminal_open(int fd, int flags)
{
    char path[32];
    int own;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    own = open(path, flags | O_NOCTTY | O_CLOEXEC);
    return own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}
