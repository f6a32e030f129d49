/* One line from the terminal. */
#include "core/term_line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/secret.h"
#include "core/term_guard.h"
#include "core/watch.h"

enum {
    WRITE_TRIES = 20, /* for a prompt on a terminal that takes nothing … */
    WRITE_WAIT = 50,  /* … each of that many ms */
    BYTES_AT_ONCE = 4096, /* read before others get the loop */
    PASTE_WAIT = 25,   /* ms in which the rest of what was pasted comes … */
    PASTE_READS = 4096 /* … so many times at most */
};

/* What is being received. */
enum state {
    TYPING,
    ESCAPE,   /* after ESC: what a key sends that is no character */
    SEQUENCE, /* within ESC [ … or ESC O … */
    OVERFLOW  /* the line is too long: wait for its end */
};

/* See term_line.h. */
struct clk_line {
    struct clk_guard *guard; /* while the terminal is in our mode */
    struct clk_watch *watch;
    int fd; /* our own description of the terminal when we could get one */
    struct termios saved, mode;
    bool changed; /* the terminal is in our mode */
    char *prompt;
    size_t prompt_length;
    bool hidden;
    unsigned char *buffer;
    size_t size, length;
    enum state state;
    int result; /* UV_EAGAIN until the end */
    void (*on_event)(void *ud);
    void *ud;
};

/* --- the terminal -------------------------------------------------------- */

static void say(struct clk_line *line, const char *text, size_t length)
{
    struct pollfd p = {.fd = line->fd, .events = POLLOUT};

    for (int i = 0; i < WRITE_TRIES && length > 0; i++) {
        ssize_t count = write(line->fd, text, length);

        if (count > 0) {
            text += count;
            length -= (size_t)count;
        } else if (errno != EAGAIN && errno != EINTR) {
            return;
        } else {
            poll(&p, 1, WRITE_WAIT);
        }
    }
}

static int set_mode(int fd, const struct termios *mode)
{
    int result;

    do
        result = tcsetattr(fd, TCSADRAIN, mode);
    while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : -errno;
}

/* Hidden: no echo, and no line discipline either, which would cut a line at
   4096 bytes. Signals keep working but for those keys that would leave the
   terminal without echo in the hands of the shell. */
static void choose_mode(struct clk_line *line)
{
    struct termios *mode = &line->mode;

    *mode = line->saved;
    mode->c_iflag |= ICRNL;
    mode->c_iflag &= ~(tcflag_t)(IGNCR | INLCR);
    if (!line->hidden) {
        mode->c_lflag |= ICANON | ECHO | ECHOE | ECHOK | ISIG;
        return;
    }
    mode->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    mode->c_lflag |= ISIG;
    mode->c_cc[VMIN] = 1;
    mode->c_cc[VTIME] = 0;
    mode->c_cc[VQUIT] = mode->c_cc[VSUSP] = _POSIX_VDISABLE;
}

static int enter_mode(struct clk_line *line)
{
    int error = set_mode(line->fd, &line->mode);

    if (error)
        return error;
    line->changed = true;
    say(line, line->prompt, line->prompt_length);
    return 0;
}

static void leave_mode(struct clk_line *line)
{
    if (!line->changed)
        return;
    line->changed = false;
    set_mode(line->fd, &line->saved);
}

/* --- editing a hidden line ----------------------------------------------- */

/* Takes back the last character, all bytes of it. */
static void erase(struct clk_line *line)
{
    while (line->length > 0) {
        unsigned char c = line->buffer[--line->length];

        line->buffer[line->length] = 0;
        if ((c & 0xc0) != 0x80)
            return;
    }
}

static void erase_all(struct clk_line *line)
{
    memset(line->buffer, 0, line->length);
    line->length = 0;
}

static bool is_key(const struct clk_line *line, unsigned char c, int key)
{
    return c == line->saved.c_cc[key] && c != _POSIX_VDISABLE;
}

static void end(struct clk_line *line, int result)
{
    line->result = result;
    if (line->watch)
        clk_watch_close(line->watch);
    line->watch = NULL;
    clk_guard_close(line->guard);
    line->guard = NULL;
    leave_mode(line);
    if (line->hidden) /* the Enter key was not echoed */
        say(line, "\n", 1);
}

static void add(struct clk_line *line, unsigned char c)
{
    if (line->length == line->size) {
        erase_all(line);
        line->state = OVERFLOW;
        return;
    }
    line->buffer[line->length++] = c;
}

/* One byte of a hidden line: only what is text becomes part of it. */
static void on_hidden_byte(struct clk_line *line, unsigned char c)
{
    if (line->state == ESCAPE) {
        line->state = c == '[' || c == 'O' ? SEQUENCE : TYPING;
    } else if (line->state == SEQUENCE) {
        if (c >= 0x40 && c <= 0x7e)
            line->state = TYPING;
    } else if (is_key(line, c, VEOF)) {
        end(line, line->length > 0 ? 0 : UV_EOF);
    } else if (line->state == OVERFLOW) {
        return;
    } else if (c == 0x1b) {
        line->state = ESCAPE;
    } else if (is_key(line, c, VERASE) || c == 0x7f || c == '\b') {
        erase(line);
    } else if (is_key(line, c, VKILL) || is_key(line, c, VWERASE)) {
        erase_all(line);
    } else if (c >= 0x20 || c == '\t') {
        add(line, c);
    }
}

/* Takes what came after a hidden line: more lines of what was pasted, which the
   terminal would show and the shell would run. Whether there were any. */
static bool take_rest(struct clk_line *line)
{
    struct pollfd p = {.fd = line->fd, .events = POLLIN};
    bool is_more = false;
    char rest[512];

    for (int i = 0; i < PASTE_READS && poll(&p, 1, PASTE_WAIT) > 0; i++) {
        ssize_t count = read(line->fd, rest, sizeof(rest));

        if (count <= 0)
            break;
        for (ssize_t k = 0; k < count; k++)
            is_more = is_more || rest[k] != '\n';
    }
    clk_wipe(rest, sizeof(rest));
    return is_more;
}

static void end_hidden(struct clk_line *line)
{
    bool is_more = take_rest(line);

    if (is_more)
        erase_all(line);
    end(line, is_more ? UV_EMSGSIZE : line->state == OVERFLOW ? UV_E2BIG : 0);
}

static void on_byte(struct clk_line *line, unsigned char c)
{
    if (c == '\n' && line->hidden)
        end_hidden(line);
    else if (c == '\n')
        end(line, line->state == OVERFLOW ? UV_E2BIG : 0);
    else if (line->hidden)
        on_hidden_byte(line, c);
    else if (line->state != OVERFLOW)
        add(line, c);
}

/* --- reading ------------------------------------------------------------- */

/* One byte at a time: what follows the line's end is for others to read. */
static void read_on(struct clk_line *line)
{
    for (int i = 0; i < BYTES_AT_ONCE && line->result == UV_EAGAIN; i++) {
        unsigned char c;
        ssize_t count;

        if (!clk_watch_ready(line->fd, UV_READABLE))
            return;
        count = read(line->fd, &c, 1);
        if (count == 1)
            on_byte(line, c);
        else if (count == 0)
            end(line, line->length > 0 ? 0 : UV_EOF);
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR)
            end(line, -errno);
        c = 0;
    }
}

static void on_readable(void *ud)
{
    struct clk_line *line = ud;
    int error = 0;

    read_on(line);
    if (line->result == UV_EAGAIN)
        error = clk_watch_arm(line->watch);
    if (error)
        end(line, error);
    if (line->result != UV_EAGAIN)
        line->on_event(line->ud);
}

/* --- signals ------------------------------------------------------------- */

static void before_signal(void *ud)
{
    leave_mode(ud);
}

/* Suspended and back: the question is still open. */
static void after_signal(void *ud)
{
    struct clk_line *line = ud;

    if (line->result == UV_EAGAIN && enter_mode(line) != 0) {
        end(line, UV_EIO);
        line->on_event(line->ud);
    }
}

/* --- life ---------------------------------------------------------------- */

void clk_line_close(struct clk_line *line)
{
    if (line->result == UV_EAGAIN) {
        line->hidden = line->hidden && line->changed; /* else no newline */
        end(line, UV_ECANCELED);
    }
    if (line->fd >= 0)
        close(line->fd);
    clk_free(line->prompt);
    clk_free(line);
}

static int line_start(struct clk_line *line, uv_loop_t *loop)
{
    int error;

    line->fd = clk_terminal_open(line->fd, O_RDWR | O_NONBLOCK);
    if (line->fd < 0 || tcgetattr(line->fd, &line->saved) != 0)
        return -errno;
    choose_mode(line);
    error = clk_watch_open(&line->watch, loop, line->fd, UV_READABLE,
                           on_readable, line);
    if (!error)
        error = clk_watch_arm(line->watch);
    if (!error && line->hidden)
        error = clk_guard_open(&line->guard, loop, before_signal, after_signal,
                               line);
    return error ? error : enter_mode(line);
}

int clk_line_open(struct clk_line **out, uv_loop_t *loop,
                  const struct clk_line_options *options)
{
    struct clk_line *line;
    int error;

    if (!isatty(options->fd))
        return UV_ENOTTY;
    line = clk_calloc(1, sizeof(*line));
    if (!line)
        return UV_ENOMEM;
    line->result = UV_EAGAIN;
    line->fd = options->fd;
    line->hidden = options->hidden;
    line->buffer = options->buffer;
    line->size = options->size;
    line->on_event = options->on_event;
    line->ud = options->ud;
    line->prompt_length = options->prompt_length;
    line->prompt = clk_malloc(options->prompt_length + 1);
    if (!line->prompt) {
        clk_free(line);
        return UV_ENOMEM;
    }
    memcpy(line->prompt, options->prompt, options->prompt_length);
    error = line_start(line, loop);
    if (error) {
        clk_line_close(line);
        return error;
    }
    *out = line;
    return 0;
}

int clk_line_result(const struct clk_line *line, size_t *length)
{
    *length = line->result == 0 ? line->length : 0;
    return line->result;
}
