/* Children: their pipes, their end, and how they are made to end. */
#include "core/process.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/process_start.h"

/* Seconds that the streams of a killed group may stay open. */
#define LINGER 1.0

/* One of the child's output streams. */
struct output {
    uv_pipe_t pipe;
    struct clk_process *process;
    bool open;    /* the pipe is not closed: its end was not seen yet */
    bool reading; /* libuv reads it into `chunk` */
    size_t have;  /* bytes in `chunk` that were not taken yet */
    char chunk[CLK_PROCESS_CHUNK];
};

/* The child's standard input. */
struct input {
    uv_pipe_t pipe;
    uv_write_t write;
    struct clk_secret *secret; /* what is being written, when it is a secret */
    bool open;
};

/* How far the end of a group that must end has come. */
enum doom {
    ALIVE,
    TERMINATED, /* SIGTERM was sent */
    KILLED      /* SIGKILL was sent */
};

struct clk_process {
    uv_signal_t child_signal; /* SIGCHLD: look whether it has exited */
    uv_timer_t timeout;
    uv_timer_t grace; /* until SIGKILL, or until streams are closed */
    struct input in;
    struct output out[CLK_PROCESS_OUTPUTS];
    int next;         /* the stream whose turn it is */
    int open_handles; /* once closed, the block is freed with the last */
    pid_t pid;        /* 0: never started */
    double kill_after;
    enum doom doom;
    bool exited; /* the status is known; a zombie keeps id and group reserved */
    bool reaped;
    bool draining;
    bool closed; /* the owner is gone */
    struct clk_process_status status;
    void (*on_event)(void *ud); /* NULL once closed */
    void *ud;
};

static void notify(struct clk_process *p)
{
    if (p->on_event)
        p->on_event(p->ud);
}

static uint64_t milliseconds(double seconds)
{
    enum { LONGEST = 1 << 30 };

    return seconds < LONGEST / 1e3 ? (uint64_t)ceil(seconds * 1e3) : LONGEST;
}

/* The loop's clock stands still while Lua computes: set it first. */
static void start_timer(uv_timer_t *timer, double seconds, uv_timer_cb cb)
{
    uv_update_time(timer->loop);
    (void)uv_timer_start(timer, cb, milliseconds(seconds), 0);
}

/* Until it is reaped the child's id cannot be given to another group. */
static void kill_group(struct clk_process *p, int number)
{
    if (p->pid > 0 && !p->reaped)
        (void)kill(-p->pid, number);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct clk_process *p = handle->data;

    if (--p->open_handles == 0 && p->closed)
        clk_free(p);
}

static void close_handle(void *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_handle_closed);
}

static void close_input(struct clk_process *p)
{
    if (!p->in.open)
        return;
    p->in.open = false;
    close_handle(&p->in.pipe); /* libuv touches the bytes no more */
    clk_secret_unref(p->in.secret);
    p->in.secret = NULL;
}

static void close_output(struct output *out)
{
    if (!out->open)
        return;
    out->open = false;
    out->reading = false;
    close_handle(&out->pipe);
}

static bool outputs_open(const struct clk_process *p)
{
    return p->out[0].open || p->out[1].open;
}

/* The child is over: collect it, and let go of all but its status and the
   chunks that were not taken yet. */
static void reap(struct clk_process *p)
{
    if (p->doom != ALIVE)
        kill_group(p, SIGKILL); /* those who ignored SIGTERM */
    while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    p->reaped = true;
    close_input(p);
    close_handle(&p->child_signal);
    close_handle(&p->timeout);
    close_handle(&p->grace);
}

/* Whether all that is missing is output: no stream waits for us to take some.
 */
static bool is_starving(const struct clk_process *p)
{
    for (int i = 0; i < CLK_PROCESS_OUTPUTS; i++) {
        if (p->out[i].open && !p->out[i].reading)
            return false;
    }
    return true;
}

static void on_silence(uv_timer_t *timer);

/* Called after every change: reaps when all is over, and sees to it that it
   will be over when the child has exited but its streams are still open. */
static void advance(struct clk_process *p)
{
    if (p->reaped || !p->exited)
        return;
    if (!outputs_open(p)) {
        reap(p);
        return;
    }
    if (p->doom != ALIVE)
        return; /* the timer is on its way to SIGKILL */
    if (is_starving(p))
        start_timer(&p->grace, p->kill_after, on_silence);
    else
        (void)uv_timer_stop(&p->grace);
}

static void close_outputs(struct clk_process *p)
{
    close_output(&p->out[0]);
    close_output(&p->out[1]);
}

/* Nothing came for a while, and the child itself is gone: who still holds its
   streams has nothing to do with it any more. */
static void on_silence(uv_timer_t *timer)
{
    struct clk_process *p = timer->data;

    close_outputs(p);
    advance(p);
    notify(p);
}

/* SIGTERM was not enough; then what remains open is held by processes that left
   the group. */
static void on_grace_over(uv_timer_t *timer)
{
    struct clk_process *p = timer->data;

    if (p->doom == TERMINATED) {
        p->doom = KILLED;
        kill_group(p, SIGKILL);
        start_timer(&p->grace, LINGER, on_grace_over);
        return;
    }
    close_outputs(p);
    advance(p);
    notify(p);
}

void clk_process_terminate(struct clk_process *p)
{
    if (p->doom != ALIVE || p->reaped)
        return;
    p->doom = TERMINATED;
    kill_group(p, SIGTERM);
    kill_group(p, SIGCONT); /* a stopped process must see it too */
    start_timer(&p->grace, p->kill_after, on_grace_over);
}

static void on_timeout(uv_timer_t *timer)
{
    struct clk_process *p = timer->data;

    if (p->doom == ALIVE && !p->reaped)
        p->status.timed_out = true;
    clk_process_terminate(p);
}

/* Asks how the child is without collecting it. */
static void look(struct clk_process *p)
{
    siginfo_t info = {0};
    int result;

    do {
        result =
            waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    } while (result < 0 && errno == EINTR);
    if (result < 0 || info.si_pid == 0)
        return;
    p->exited = true;
    if (info.si_code == CLD_EXITED)
        p->status.code = info.si_status;
    else
        p->status.signal = info.si_status;
    advance(p);
    notify(p);
}

static void on_child_signal(uv_signal_t *handle, int number)
{
    struct clk_process *p = handle->data;

    (void)number;
    if (p->pid > 0 && !p->exited)
        look(p);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct output *out = (struct output *)handle;

    (void)suggested;
    *buffer = uv_buf_init(out->chunk, sizeof(out->chunk));
}

static void on_output(uv_stream_t *stream, ssize_t count,
                      const uv_buf_t *buffer)
{
    struct output *out = (struct output *)stream;
    struct clk_process *p = out->process;

    (void)buffer;
    if (count == 0)
        return; /* nothing there after all */
    if (count < 0) {
        close_output(out);
    } else if (!p->draining) {
        (void)uv_read_stop(stream);
        out->reading = false;
        out->have = (size_t)count;
    }
    advance(p);
    notify(p);
}

static void resume_reading(struct clk_process *p)
{
    bool changed = false;

    for (int i = 0; i < CLK_PROCESS_OUTPUTS; i++) {
        struct output *out = &p->out[i];

        if (!out->open || out->reading || out->have)
            continue;
        if (uv_read_start((uv_stream_t *)&out->pipe, on_room, on_output) == 0)
            out->reading = true;
        else
            close_output(out);
        changed = true;
    }
    if (changed)
        advance(p);
}

int clk_process_read(struct clk_process *p, int *stream, const char **bytes,
                     size_t *len)
{
    for (int i = 0; i < CLK_PROCESS_OUTPUTS; i++) {
        int turn = (p->next + i) % CLK_PROCESS_OUTPUTS;
        struct output *out = &p->out[turn];

        if (out->have == 0)
            continue;
        *stream = turn;
        *bytes = out->chunk;
        *len = out->have;
        out->have = 0;
        p->next = (turn + 1) % CLK_PROCESS_OUTPUTS;
        return 1;
    }
    resume_reading(p);
    return outputs_open(p) ? UV_EAGAIN : 0;
}

void clk_process_drain(struct clk_process *p)
{
    p->draining = true;
    p->out[0].have = p->out[1].have = 0;
    resume_reading(p);
}

bool clk_process_ended(const struct clk_process *p,
                       struct clk_process_status *status)
{
    if (p->reaped)
        *status = p->status;
    return p->reaped;
}

int clk_process_signal(struct clk_process *p, int number)
{
    if (p->reaped)
        return UV_ESRCH;
    if (number == SIGTERM)
        clk_process_terminate(p);
    else
        kill_group(p, number);
    return 0;
}

int clk_process_pid(const struct clk_process *p)
{
    return (int)p->pid;
}

void clk_process_close(struct clk_process *p)
{
    if (!p)
        return;
    p->closed = true;
    p->on_event = NULL;
    close_input(p);
    close_outputs(p);
    if (p->reaped) {
        if (p->open_handles == 0)
            clk_free(p);
        return;
    }
    p->doom = KILLED;
    kill_group(p, SIGKILL);
    advance(p);
}

/* A child that ignores its input or has closed it is nobody's error. */
static void on_written(uv_write_t *write, int status)
{
    struct clk_process *p = write->handle->data;

    (void)status;
    close_input(p);
}

static void write_input(struct clk_process *p,
                        const struct clk_process_options *o)
{
    uv_buf_t buffer;

    if (o->secret) {
        p->in.secret = clk_secret_ref(o->secret);
        buffer =
            uv_buf_init((char *)o->secret->bytes, (unsigned)o->secret->len);
    } else {
        buffer = uv_buf_init((char *)o->bytes, (unsigned)o->len);
    }
    if (buffer.len == 0
        || uv_write(&p->in.write, (uv_stream_t *)&p->in.pipe, &buffer, 1,
                    on_written)
               != 0)
        close_input(p);
}

static void own_handle(struct clk_process *p, void *handle)
{
    ((uv_handle_t *)handle)->data = p;
    p->open_handles++;
}

static int open_stream(struct clk_process *p, uv_loop_t *loop, uv_pipe_t *pipe,
                       int *fd, bool *is_open)
{
    int error = uv_pipe_init(loop, pipe, 0);

    if (error)
        return error;
    own_handle(p, pipe);
    *is_open = true;
    error = uv_pipe_open(pipe, *fd);
    if (error == 0)
        *fd = -1; /* the handle's */
    return error;
}

static int open_handles(struct clk_process *p, uv_loop_t *loop, int *ours)
{
    int error = uv_signal_init(loop, &p->child_signal);

    if (error)
        return error;
    own_handle(p, &p->child_signal);
    (void)uv_timer_init(loop, &p->timeout);
    own_handle(p, &p->timeout);
    (void)uv_timer_init(loop, &p->grace);
    own_handle(p, &p->grace);
    if (ours[0] >= 0)
        error = open_stream(p, loop, &p->in.pipe, &ours[0], &p->in.open);
    for (int i = 0; i < CLK_PROCESS_OUTPUTS && !error; i++) {
        p->out[i].process = p;
        error = open_stream(p, loop, &p->out[i].pipe, &ours[i + 1],
                            &p->out[i].open);
    }
    /* Before the child is: its end cannot be missed. */
    return error ? error
                 : uv_signal_start(&p->child_signal, on_child_signal, SIGCHLD);
}

/* Undoes a start that failed; frees the block when the loop is done with it. */
static void abandon(struct clk_process *p)
{
    p->closed = true;
    if (p->open_handles == 0) {
        clk_free(p);
        return;
    }
    close_input(p);
    close_outputs(p);
    close_handle(&p->child_signal);
    close_handle(&p->timeout);
    close_handle(&p->grace);
}

int clk_process_open(struct clk_process **out, uv_loop_t *loop,
                     const struct clk_process_options *options, bool *bad_cwd)
{
    struct clk_process_pipes pipes;
    struct clk_process *p;
    int error;

    *out = NULL;
    *bad_cwd = false;
    error = clk_process_open_pipes(&pipes, options->secret || options->bytes);
    if (error)
        return error;
    p = clk_calloc(1, sizeof(*p));
    if (!p)
        error = UV_ENOMEM;
    if (!error)
        error = open_handles(p, loop, pipes.ours);
    if (!error)
        error = clk_process_start(options, &pipes, &p->pid, bad_cwd);
    clk_process_close_fds(pipes.theirs, 3);
    clk_process_close_fds(pipes.ours, 3);
    if (error) {
        if (p)
            abandon(p);
        return error;
    }
    p->kill_after = options->kill_after;
    p->on_event = options->on_event;
    p->ud = options->ud;
    if (p->in.open)
        write_input(p, options);
    if (options->timeout > 0)
        start_timer(&p->timeout, options->timeout, on_timeout);
    *out = p;
    return 0;
}
