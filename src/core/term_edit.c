/* The editor: libedit, fed with whole keys. */
#include "core/term_edit.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "core/edit_api.h"
#include "core/mem.h"
#include "core/term_guard.h"
#include "core/term_keys.h"
#include "core/watch.h"

enum {
    MAX_HISTORY = 1000,
    BYTES_AT_ONCE = 256, /* read before others get the loop */
    KEY_PAUSE = 50,      /* ms after which a lone Escape is dropped */
    END_OF_FILE = 4      /* Ctrl-D: the library puts it into the line */
};

/* See term_edit.h. The timer is libuv's until closed; the rest goes with it. */
struct clk_edit {
    uv_timer_t timer;
    const struct clk_edit_api *api;
    EditLine *el;
    History *history;
    FILE *in, *out;
    locale_t locale; /* UTF-8, whatever the environment says */
    struct clk_watch *watch;
    struct clk_guard *guard;
    struct termios saved;
    struct winsize size;
    int fd;
    bool editing; /* the terminal is in libedit's mode */
    struct clk_keys keys;
    enum clk_edit_event event;
    char *prompt;
    char *line; /* the finished line */
    void (*on_event)(void *ud);
    void *ud;
};

/* --- what libedit calls -------------------------------------------------- */

static struct clk_edit *edit_of(EditLine *el)
{
    struct clk_edit *edit = NULL;

    clk_edit_api()->el_get(el, EL_CLIENTDATA, &edit);
    return edit;
}

static char *on_prompt(EditLine *el)
{
    return edit_of(el)->prompt;
}

/* Never waits: libedit is only called when a key is whole. 0 ends a command
   that wants more. */
static int on_get(EditLine *el, wchar_t *c)
{
    unsigned code;

    if (!clk_keys_take(&edit_of(el)->keys, &code))
        return 0;
    *c = (wchar_t)code;
    return 1;
}

/* --- modes --------------------------------------------------------------- */

static void restore(struct clk_edit *edit)
{
    int result;

    do
        result = tcsetattr(edit->fd, TCSADRAIN, &edit->saved);
    while (result != 0 && errno == EINTR);
}

static void stop(struct clk_edit *edit, enum clk_edit_event event)
{
    locale_t before;

    if (!edit->editing)
        return;
    edit->editing = false;
    edit->event = event;
    before = uselocale(edit->locale);
    edit->api->el_set(edit->el, EL_UNBUFFERED, 0);
    uselocale(before);
    restore(edit);
    uv_timer_stop(&edit->timer);
    clk_guard_close(edit->guard);
    edit->guard = NULL;
    if (edit->watch)
        clk_watch_close(edit->watch);
    edit->watch = NULL;
    if (event != CLK_EDIT_LINE)
        fputc('\n', edit->out);
    fflush(edit->out);
}

static void before_signal(void *ud)
{
    struct clk_edit *edit = ud;

    edit->api->el_set(edit->el, EL_PREP_TERM, 0);
    restore(edit);
}

static void after_signal(void *ud)
{
    struct clk_edit *edit = ud;
    locale_t before = uselocale(edit->locale);

    edit->api->el_set(edit->el, EL_PREP_TERM, 1);
    edit->api->el_set(edit->el, EL_REFRESH);
    uselocale(before);
}

static void follow_size(struct clk_edit *edit)
{
    struct winsize size;

    if (ioctl(edit->fd, TIOCGWINSZ, &size) != 0
        || (size.ws_col == edit->size.ws_col
            && size.ws_row == edit->size.ws_row))
        return;
    edit->size = size;
    edit->api->el_resize(edit->el);
}

/* --- keys ---------------------------------------------------------------- */

/* libedit works on one whole key. */
static void on_key(struct clk_edit *edit)
{
    locale_t before = uselocale(edit->locale);
    const char *text;
    int count = 0;

    follow_size(edit);
    text = edit->api->el_gets(edit->el, &count);
    uselocale(before);
    clk_keys_clear(&edit->keys);
    if (text && count > 0 && text[count - 1] == '\n') {
        edit->line = clk_strdup(text);
        if (edit->line)
            edit->line[strcspn(edit->line, "\n")] = '\0';
        stop(edit, edit->line ? CLK_EDIT_LINE : CLK_EDIT_FAILED);
    } else if (text && count > 0 && text[count - 1] == END_OF_FILE) {
        stop(edit, CLK_EDIT_EOF);
    }
}

/* Tab is ours: what completes a word is not known to libedit. */
static void on_whole_key(struct clk_edit *edit)
{
    if (edit->keys.count != 1 || edit->keys.bytes[0] != '\t') {
        on_key(edit);
        return;
    }
    clk_keys_clear(&edit->keys);
    edit->event = CLK_EDIT_COMPLETE;
}

/* An Escape that nothing followed. */
static void on_pause(uv_timer_t *timer)
{
    struct clk_edit *edit = timer->data;

    clk_keys_clear(&edit->keys);
}

/* One byte at a time: what follows the line's end is for others to read. */
static void read_on(struct clk_edit *edit)
{
    for (int i = 0;
         i < BYTES_AT_ONCE && edit->editing && edit->event == CLK_EDIT_NOTHING;
         i++) {
        unsigned char byte;
        ssize_t count;

        if (!clk_watch_ready(edit->fd, UV_READABLE))
            return;
        count = read(edit->fd, &byte, 1);
        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (count <= 0)
            stop(edit, CLK_EDIT_EOF);
        else if (clk_keys_add(&edit->keys, byte))
            on_whole_key(edit);
    }
}

static void on_readable(void *ud)
{
    struct clk_edit *edit = ud;

    uv_timer_stop(&edit->timer);
    read_on(edit);
    if (edit->editing && edit->event == CLK_EDIT_NOTHING) {
        if (clk_keys_begun(&edit->keys))
            uv_timer_start(&edit->timer, on_pause, KEY_PAUSE, 0);
        if (clk_watch_arm(edit->watch) != 0)
            stop(edit, CLK_EDIT_FAILED);
    }
    if (edit->event != CLK_EDIT_NOTHING)
        edit->on_event(edit->ud);
}

/* --- life ---------------------------------------------------------------- */

/* Blocking, as the library expects. */
static FILE *stream(int fd, const char *mode)
{
    int own = clk_terminal_open(fd, *mode == 'r' ? O_RDONLY : O_WRONLY);
    FILE *file = own < 0 ? NULL : fdopen(own, mode);

    if (!file && own >= 0)
        close(own);
    return file;
}

/* Keys that the library leaves unbound, or whose commands would wait for more
   input within libedit. */
static void bind_keys(struct clk_edit *edit)
{
    static const char *const keys[][2] = {
        {"^N", "ed-next-history"},         {"^R", "ed-search-prev-history"},
        {"^S", "ed-search-next-history"},  {"^V", "ed-unassigned"},
        {"^W", "ed-delete-prev-word"},     {"^X", "ed-unassigned"},
        {"\\e[3~", "ed-delete-next-char"}, {"\\e[H", "ed-move-to-beg"},
        {"\\e[1~", "ed-move-to-beg"},      {"\\e[4~", "ed-move-to-end"},
        {"\\e[F", "ed-move-to-end"},       {"\\eOH", "ed-move-to-beg"},
        {"\\eOF", "ed-move-to-end"},       {"\\e[1;5C", "em-next-word"},
        {"\\e[1;5D", "ed-prev-word"},
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        edit->api->el_set(edit->el, EL_BIND, keys[i][0], keys[i][1], NULL);
    /* The library takes Latin-1 characters for Alt and a key. */
    for (int c = 0xa0; c <= 0xff; c++) {
        const char text[] = {(char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f)),
                             '\0'};

        edit->api->el_set(edit->el, EL_BIND, text, "ed-insert", NULL);
    }
}

static int library_open(struct clk_edit *edit)
{
    const struct clk_edit_api *api = edit->api;
    HistEvent event;
    locale_t before;

    edit->in = stream(edit->fd, "r");
    edit->out = stream(edit->fd, "w");
    edit->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    edit->history = api->history_init();
    if (!edit->in || !edit->out || !edit->locale || !edit->history)
        return UV_ENOMEM;
    edit->el =
        api->el_init_fd("clanker", edit->in, edit->out, edit->out,
                        fileno(edit->in), fileno(edit->out), fileno(edit->out));
    if (!edit->el)
        return UV_ENOMEM;
    api->history(edit->history, &event, H_SETSIZE, MAX_HISTORY);
    api->history(edit->history, &event, H_SETUNIQUE, 1);
    before = uselocale(edit->locale);
    api->el_set(edit->el, EL_CLIENTDATA, edit);
    api->el_set(edit->el, EL_SIGNAL, 0);
    api->el_set(edit->el, EL_EDITOR, "emacs");
    api->el_set(edit->el, EL_PROMPT_ESC, on_prompt, '\1');
    api->el_set(edit->el, EL_HIST, api->history, edit->history);
    api->el_set(edit->el, EL_GETCFN, on_get);
    /* Ctrl-S is a key here, and must not stop the terminal with us. What is
       typed ahead must look like a line to those who read it afterwards. */
    api->el_set(edit->el, EL_SETTY, "-d", "-ixon", "+icrnl", "-inlcr", NULL);
    bind_keys(edit);
    uselocale(before);
    return 0;
}

static bool terminal_is_dumb(void)
{
    const char *term = getenv("TERM");

    return !term || !*term || strcmp(term, "dumb") == 0;
}

int clk_edit_open(struct clk_edit **out, uv_loop_t *loop, int fd,
                  void (*on_event)(void *ud), void *ud)
{
    const struct clk_edit_api *api;
    struct clk_edit *edit;
    int error;

    if (!isatty(fd))
        return UV_ENOTTY;
    api = terminal_is_dumb() ? NULL : clk_edit_api();
    if (!api)
        return UV_ENOTSUP;
    edit = clk_calloc(1, sizeof(*edit));
    if (!edit)
        return UV_ENOMEM;
    edit->api = api;
    edit->on_event = on_event;
    edit->ud = ud;
    uv_timer_init(loop, &edit->timer);
    edit->timer.data = edit;
    edit->fd = clk_terminal_open(fd, O_RDWR | O_NONBLOCK);
    error = edit->fd < 0 || tcgetattr(edit->fd, &edit->saved) != 0 ? -errno : 0;
    if (!error) {
        error = library_open(edit);
        restore(edit); /* libedit has already touched it */
    }
    if (error) {
        clk_edit_close(edit);
        return error;
    }
    *out = edit;
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    clk_free(handle->data);
}

void clk_edit_close(struct clk_edit *edit)
{
    stop(edit, CLK_EDIT_EOF);
    if (edit->el) {
        /* Else its end would throw away what was typed ahead. */
        edit->api->el_set(edit->el, EL_EDITMODE, 0);
        edit->api->el_end(edit->el);
    }
    if (edit->history)
        edit->api->history_end(edit->history);
    if (edit->fd >= 0)
        restore(edit);
    if (edit->in)
        fclose(edit->in);
    if (edit->out)
        fclose(edit->out);
    if (edit->locale)
        freelocale(edit->locale);
    if (edit->fd >= 0)
        close(edit->fd);
    clk_free(edit->prompt);
    clk_free(edit->line);
    uv_close((uv_handle_t *)&edit->timer, on_timer_closed);
}

/* --- using it ------------------------------------------------------------ */

int clk_edit_remember(struct clk_edit *edit, const char *line)
{
    locale_t before = uselocale(edit->locale);
    HistEvent event;
    int result = edit->api->history(edit->history, &event, H_ENTER, line);

    uselocale(before);
    return result < 0 ? UV_ENOMEM : 0;
}

int clk_edit_start(struct clk_edit *edit, const char *prompt)
{
    locale_t before;
    int error;

    clk_free(edit->prompt);
    clk_free(edit->line);
    edit->line = NULL;
    edit->prompt = clk_strdup(prompt);
    if (!edit->prompt)
        return UV_ENOMEM;
    error = clk_guard_open(&edit->guard, edit->timer.loop, before_signal,
                           after_signal, edit);
    if (!error)
        error = clk_watch_open(&edit->watch, edit->timer.loop, edit->fd,
                               UV_READABLE, on_readable, edit);
    if (!error)
        error = clk_watch_arm(edit->watch);
    edit->event = CLK_EDIT_NOTHING;
    edit->editing = true;
    clk_keys_clear(&edit->keys);
    if (error) {
        stop(edit, CLK_EDIT_FAILED);
        return error;
    }
    before = uselocale(edit->locale);
    edit->api->el_set(edit->el, EL_UNBUFFERED, 1);
    uselocale(before);
    return 0;
}

enum clk_edit_event clk_edit_event(struct clk_edit *edit)
{
    enum clk_edit_event event = edit->event;

    if (event == CLK_EDIT_COMPLETE) {
        edit->event = CLK_EDIT_NOTHING;
        clk_watch_arm(edit->watch);
    }
    return event;
}

const char *clk_edit_line(struct clk_edit *edit, size_t *length, size_t *cursor)
{
    const LineInfo *info;
    locale_t before;

    if (edit->line) {
        *length = *cursor = strlen(edit->line);
        return edit->line;
    }
    before = uselocale(edit->locale);
    info = edit->api->el_line(edit->el);
    uselocale(before);
    *length = (size_t)(info->lastchar - info->buffer);
    *cursor = (size_t)(info->cursor - info->buffer);
    return info->buffer;
}

static void refresh(struct clk_edit *edit)
{
    edit->api->el_set(edit->el, EL_REFRESH);
}

void clk_edit_insert(struct clk_edit *edit, const char *text)
{
    locale_t before = uselocale(edit->locale);

    if (edit->editing) {
        edit->api->el_insertstr(edit->el, text);
        refresh(edit);
    }
    uselocale(before);
}

void clk_edit_show(struct clk_edit *edit, const char *text, size_t length)
{
    locale_t before = uselocale(edit->locale);

    if (edit->editing) {
        fputc('\n', edit->out);
        fwrite(text, 1, length, edit->out);
        fflush(edit->out);
        refresh(edit);
    }
    uselocale(before);
}
