/* Writing to descriptors that are not ours. */
#include "core/term_out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/term_guard.h"
#include "core/watch.h"

enum {
    PIPE_CHUNK = 4096, /* a pipe that is ready takes this much at once */
    TTY_CHUNK = 256,   /* and so does a terminal */
    MIN_BUFFER = 4096
};

/* How a descriptor is written to without blocking. */
enum kind {
    DIRECT,   /* a file or a device: it never blocks for long */
    SOCKET,   /* asks each send not to block */
    PIPE,     /* small pieces, when poll says so */
    TERMINAL, /* likewise */
    OWN       /* non-blocking, through a description of our own */
};

/* See term_out.h. */
struct clk_out {
    uv_loop_t *loop;
    struct clk_masker *masker;
    struct clk_watch *watch; /* while there is something left to write */
    char *data;
    size_t start, end, size;
    uint64_t sent;
    int fd;
    int own; /* the terminal, opened again, or -1 */
    enum kind kind;
    int error; /* what ended the output, or 0 */
    void (*on_event)(void *ud);
    void *ud;
};

/* --- opening ------------------------------------------------------------- */

/* Whether the terminal could be opened again, and not just duplicated. */
static bool is_nonblocking(int fd)
{
    return fd >= 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static int find_kind(struct clk_out *out)
{
    struct stat st;

    if (fstat(out->fd, &st) != 0)
        return -errno;
    if (S_ISSOCK(st.st_mode)) {
        out->kind = SOCKET;
    } else if (S_ISFIFO(st.st_mode)) {
        out->kind = PIPE;
    } else if (isatty(out->fd)) {
        out->own = clk_terminal_open(out->fd, O_WRONLY | O_NONBLOCK);
        out->kind = is_nonblocking(out->own) ? OWN : TERMINAL;
    }
    return 0;
}

int clk_out_open(struct clk_out **result, uv_loop_t *loop,
                 struct clk_secrets *secrets, int fd,
                 void (*on_event)(void *ud), void *ud)
{
    struct clk_out *out = clk_calloc(1, sizeof(*out));
    int error;

    if (!out)
        return UV_ENOMEM;
    out->loop = loop;
    out->fd = fd;
    out->own = -1;
    out->on_event = on_event;
    out->ud = ud;
    out->masker = clk_masker_new(secrets);
    error = out->masker ? find_kind(out) : UV_ENOMEM;
    if (error) {
        clk_masker_free(out->masker);
        clk_free(out);
        return error;
    }
    *result = out;
    return 0;
}

/* --- writing ------------------------------------------------------------- */

/* One system call that does not block; bytes written or a libuv error. */
static ssize_t send_some(const struct clk_out *out, const char *data,
                         size_t length)
{
    size_t most = length;
    ssize_t count;

    if (out->kind == PIPE || out->kind == TERMINAL) {
        size_t chunk = out->kind == PIPE ? PIPE_CHUNK : TTY_CHUNK;

        most = length < chunk ? length : chunk;
        if (!clk_watch_ready(out->fd, UV_WRITABLE))
            return UV_EAGAIN;
    }
    do {
        if (out->kind == SOCKET)
            count = send(out->fd, data, most, MSG_DONTWAIT | MSG_NOSIGNAL);
        else
            count = write(out->kind == OWN ? out->own : out->fd, data, most);
    } while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

static void on_writable(void *ud)
{
    struct clk_out *out = ud;

    clk_out_flush(out);
    out->on_event(out->ud);
}

static void unwatch(struct clk_out *out)
{
    if (out->watch)
        clk_watch_close(out->watch);
    out->watch = NULL;
}

static int wait_for_room(struct clk_out *out)
{
    int error = 0;

    if (!out->watch)
        error = clk_watch_open(&out->watch, out->loop,
                               out->kind == OWN ? out->own : out->fd,
                               UV_WRITABLE, on_writable, out);
    if (!error)
        error = clk_watch_arm(out->watch);
    return error ? error : UV_EAGAIN;
}

static int fail(struct clk_out *out, int error)
{
    unwatch(out);
    out->start = out->end = 0;
    out->error = error;
    return error;
}

int clk_out_flush(struct clk_out *out)
{
    if (out->error)
        return out->error;
    while (out->start < out->end) {
        ssize_t count =
            send_some(out, out->data + out->start, out->end - out->start);

        if (count == UV_EAGAIN) {
            int error = wait_for_room(out);

            return error == UV_EAGAIN ? error : fail(out, error);
        }
        if (count < 0)
            return fail(out, (int)count);
        out->start += (size_t)count;
        out->sent += (uint64_t)count;
    }
    out->start = out->end = 0;
    unwatch(out);
    return 0;
}

int clk_out_finish(struct clk_out *out, int patience)
{
    int error;

    while ((error = clk_out_flush(out)) == UV_EAGAIN) {
        struct pollfd room = {.events = POLLOUT};

        room.fd = out->kind == OWN ? out->own : out->fd;
        if (poll(&room, 1, patience) <= 0)
            break;
    }
    return error;
}

/* --- adding -------------------------------------------------------------- */

static int append(struct clk_out *out, const char *text, size_t length)
{
    size_t used = out->end - out->start;
    size_t size = out->size ? out->size : MIN_BUFFER;
    char *data;

    if (out->start > 0) {
        memmove(out->data, out->data + out->start, used);
        out->start = 0;
        out->end = used;
    }
    if (length > SIZE_MAX / 4 - used)
        return UV_ENOMEM;
    while (size < used + length)
        size *= 2;
    if (size != out->size) {
        data = clk_realloc(out->data, size);
        if (!data)
            return UV_ENOMEM;
        out->data = data;
        out->size = size;
    }
    memcpy(out->data + out->end, text, length);
    out->end += length;
    return 0;
}

int clk_out_add(struct clk_out *out, const char *text, size_t length, bool last)
{
    char *masked = NULL;
    size_t masked_length = 0;
    int result;

    if (out->error)
        return out->error;
    result = clk_masker_feed(out->masker, text, length, last, &masked,
                             &masked_length);
    if (result < 0)
        return UV_ENOMEM;
    if (result == 0)
        return append(out, text, length);
    result = append(out, masked, masked_length);
    clk_free(masked);
    return result;
}

uint64_t clk_out_added(const struct clk_out *out)
{
    return out->sent + (out->end - out->start);
}

uint64_t clk_out_sent(const struct clk_out *out)
{
    return out->sent;
}

void clk_out_close(struct clk_out *out)
{
    clk_out_add(out, "", 0, true);
    clk_out_flush(out);
    unwatch(out);
    if (out->own >= 0)
        close(out->own);
    clk_masker_free(out->masker);
    clk_free(out->data);
    clk_free(out);
}
