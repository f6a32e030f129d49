/* A descriptor in an epoll set of its own; libuv polls the set. */
#include "core/watch.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/mem.h"

/* Lives until libuv has closed its handle. */
struct clk_watch {
    uv_poll_t poll;
    int set; /* the epoll descriptor */
    void (*on_ready)(void *ud);
    void *ud;
};

static void on_closed(uv_handle_t *handle)
{
    struct clk_watch *watch = handle->data;

    close(watch->set);
    clk_free(watch);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct clk_watch *watch = poll->data;

    (void)status;
    (void)events;
    uv_poll_stop(poll);
    if (watch->on_ready)
        watch->on_ready(watch->ud);
}

/* An epoll set with one descriptor, or a libuv error number. */
static int set_open(int fd, int events)
{
    struct epoll_event event = {0};
    int error, set = epoll_create1(EPOLL_CLOEXEC);

    if (set < 0)
        return -errno;
    event.events = (events & UV_READABLE ? EPOLLIN : 0u)
                   | (events & UV_WRITABLE ? EPOLLOUT : 0u);
    if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0)
        return set;
    error = -errno;
    close(set);
    return error;
}

int clk_watch_open(struct clk_watch **out, uv_loop_t *loop, int fd, int events,
                   void (*on_ready)(void *ud), void *ud)
{
    struct clk_watch *watch = clk_calloc(1, sizeof(*watch));
    int error;

    if (!watch)
        return UV_ENOMEM;
    watch->set = set_open(fd, events);
    if (watch->set < 0) {
        error = watch->set;
        clk_free(watch);
        return error;
    }
    error = uv_poll_init(loop, &watch->poll, watch->set);
    if (error) {
        close(watch->set);
        clk_free(watch);
        return error;
    }
    watch->poll.data = watch;
    watch->on_ready = on_ready;
    watch->ud = ud;
    *out = watch;
    return 0;
}

int clk_watch_arm(struct clk_watch *watch)
{
    return uv_poll_start(&watch->poll, UV_READABLE, on_poll);
}

void clk_watch_close(struct clk_watch *watch)
{
    watch->on_ready = NULL;
    uv_close((uv_handle_t *)&watch->poll, on_closed);
}

bool clk_watch_ready(int fd, int events)
{
    struct pollfd p = {.fd = fd};

    p.events = (short)((events & UV_READABLE ? POLLIN : 0)
                       | (events & UV_WRITABLE ? POLLOUT : 0));
    return poll(&p, 1, 0) > 0;
}
