/* Secrets from files, pipes and terminals; see core/secret_read.h. */
#include "core/secret_read.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"

struct clk_secret_read {
    uv_poll_t poll;
    bool polling; /* the handle is open */
    struct clk_secrets *set;
    struct clk_secret *buffer; /* unsealed; room for max + 1 bytes */
    size_t got;                /* bytes read so far */
    int fd;
    bool own_fd;
    int status; /* UV_EAGAIN until it has ended */
    void (*on_end)(void *ud);
    void *ud;
};

/* One read(2). True when the end came, with r->status set. */
static bool read_some(struct clk_secret_read *r)
{
    ssize_t n;

    do {
        n = read(r->fd, r->buffer->bytes + r->got, r->buffer->cap - r->got);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return false;
    if (n <= 0) {
        r->status = n < 0 ? uv_translate_sys_error(errno) : 0;
        return true;
    }
    r->got += (size_t)n;
    if (r->got < r->buffer->cap)
        return false;
    r->status = UV_E2BIG;
    return true;
}

static void free_block(uv_handle_t *handle)
{
    clk_free(handle->data);
}

/* Lets go of descriptor and pages; the block stays for its result. */
static void stop(struct clk_secret_read *r)
{
    if (r->polling)
        uv_poll_stop(&r->poll);
    if (r->own_fd && r->fd >= 0)
        close(r->fd);
    r->fd = -1;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct clk_secret_read *r = poll->data;

    (void)events;
    if (status < 0)
        r->status = status;
    else if (!read_some(r))
        return;
    stop(r);
    r->on_end(r->ud);
}

/* Watches the descriptor. libuv makes it non-blocking, which other processes
   that share it (a shell on the same terminal) would notice: undone at once,
   since a read after "readable" does not block anyway. */
static int watch(struct clk_secret_read *r, uv_loop_t *loop)
{
    int flags = fcntl(r->fd, F_GETFL), status;

    status = uv_poll_init(loop, &r->poll, r->fd);
    if (flags >= 0)
        (void)fcntl(r->fd, F_SETFL, flags);
    if (status < 0)
        return status;
    r->poll.data = r;
    r->polling = true;
    return uv_poll_start(&r->poll, UV_READABLE, on_readable);
}

static int start(struct clk_secret_read *r, uv_loop_t *loop, size_t max)
{
    struct stat st;
    int status;

    if (fstat(r->fd, &st) != 0)
        return uv_translate_sys_error(errno);
    if (S_ISDIR(st.st_mode))
        return UV_EISDIR;
    if (S_ISREG(st.st_mode) && (unsigned long long)st.st_size > max)
        return UV_E2BIG;
    r->buffer = clk_secret_new(r->set, max + 1);
    if (!r->buffer)
        return UV_ENOMEM;
    if (!S_ISREG(st.st_mode)) {
        status = watch(r, loop);
        if (status != UV_EPERM) /* else: never waits, /dev/null for instance */
            return status;
    }
    while (!read_some(r))
        ;
    stop(r);
    return 0;
}

int clk_secret_read_open(struct clk_secret_read **out, uv_loop_t *loop,
                         struct clk_secrets *set, int fd, bool own_fd,
                         size_t max, void (*on_end)(void *ud), void *ud)
{
    struct clk_secret_read *r = clk_calloc(1, sizeof(*r));
    int status;

    *out = NULL;
    if (!r) {
        if (own_fd)
            close(fd);
        return UV_ENOMEM;
    }
    r->set = set;
    r->fd = fd;
    r->own_fd = own_fd;
    r->status = UV_EAGAIN;
    r->on_end = on_end;
    r->ud = ud;
    status = start(r, loop, max);
    if (status < 0) {
        clk_secret_read_close(r);
        return status;
    }
    *out = r;
    return 0;
}

int clk_secret_read_result(struct clk_secret_read *read,
                           struct clk_secret **out)
{
    *out = NULL;
    if (read->status < 0)
        return read->status;
    /* The buffer is as large as the limit; the secret is as large as it is. */
    *out = clk_secret_copy(read->set, read->buffer->bytes, read->got);
    return *out ? 0 : UV_ENOMEM;
}

void clk_secret_read_close(struct clk_secret_read *read)
{
    if (!read)
        return;
    stop(read);
    clk_secret_unref(read->buffer);
    read->buffer = NULL;
    if (read->polling)
        uv_close((uv_handle_t *)&read->poll, free_block);
    else
        clk_free(read);
}
