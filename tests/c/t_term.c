/* core/term_*.c: output that masks and never blocks, questions, line editing;
   on real pseudo-terminals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/term_edit.h"
#include "core/term_line.h"
#include "core/term_out.h"

enum { PATIENCE = 5000, SCREEN = 1 << 16 };

/* A pseudo-terminal: we are the user, the code under test has the slave. */
struct fixture {
    uv_loop_t loop;
    struct clk_secrets *secrets;
    int master, slave;
    struct termios before;
    char screen[SCREEN];
    size_t shown;
    int events;
};

static void on_event(void *ud)
{
    ((struct fixture *)ud)->events++;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    alarm(60); /* no wait of a test is longer */
    f->secrets = clk_secrets_new();
    f->master = posix_openpt(O_RDWR | O_NOCTTY);
    if (grantpt(f->master) != 0 || unlockpt(f->master) != 0)
        return -1;
    f->slave = open(ptsname(f->master), O_RDWR | O_NOCTTY);
    fcntl(f->master, F_SETFL, O_NONBLOCK);
    tcgetattr(f->slave, &f->before);
    setenv("TERM", "xterm", 1);
    *state = f;
    return f->slave < 0 ? -1 : uv_loop_init(&f->loop);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    int closed;

    for (int i = 0; i < 10; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    closed = uv_loop_close(&f->loop);
    clk_secrets_free(f->secrets);
    if (f->master >= 0)
        close(f->master);
    close(f->slave);
    free(f);
    return closed;
}

static void turn(struct fixture *f)
{
    uv_run(&f->loop, UV_RUN_NOWAIT);
    poll(NULL, 0, 1);
}

static void look(struct fixture *f)
{
    ssize_t count =
        read(f->master, f->screen + f->shown, SCREEN - 1 - f->shown);

    if (count > 0)
        f->shown += (size_t)count;
    f->screen[f->shown] = '\0';
}

static void see(struct fixture *f, const char *text)
{
    for (int i = 0; i < PATIENCE && !strstr(f->screen, text); i++) {
        turn(f);
        look(f);
    }
    if (!strstr(f->screen, text))
        fail_msg("expected \"%s\" on the screen: \"%s\"", text, f->screen);
}

static void type_bytes(struct fixture *f, const char *text, size_t length)
{
    for (int i = 0; length > 0 && i < PATIENCE; i++) {
        ssize_t count = write(f->master, text, length < 512 ? length : 512);

        if (count > 0) {
            text += count;
            length -= (size_t)count;
        }
        turn(f);
        look(f);
    }
    assert_int_equal(length, 0);
}

static void type(struct fixture *f, const char *text)
{
    type_bytes(f, text, strlen(text));
}

static bool echoes(int fd)
{
    struct termios mode;

    assert_int_equal(tcgetattr(fd, &mode), 0);
    return (mode.c_lflag & ECHO) != 0;
}

static void assert_restored(struct fixture *f)
{
    struct termios now;

    assert_int_equal(tcgetattr(f->slave, &now), 0);
    assert_int_equal(now.c_lflag, f->before.c_lflag);
    assert_int_equal(now.c_iflag, f->before.c_iflag);
    assert_int_equal(now.c_oflag, f->before.c_oflag);
    assert_memory_equal(now.c_cc, f->before.c_cc, sizeof(now.c_cc));
    assert_int_equal(fcntl(f->slave, F_GETFL) & O_NONBLOCK, 0);
}

/* --- output -------------------------------------------------------------- */

static struct clk_out *open_out(struct fixture *f, int fd)
{
    struct clk_out *out = NULL;

    assert_int_equal(clk_out_open(&out, &f->loop, f->secrets, fd, on_event, f),
                     0);
    return out;
}

/* Writes a megabyte while nobody reads, then reads it all. */
static void flood(struct fixture *f, int in, int out_fd)
{
    enum { TOTAL = 1 << 20 };
    struct clk_out *out = open_out(f, out_fd);
    char *text = malloc(TOTAL);
    size_t got = 0;

    for (int i = 0; i < TOTAL; i++)
        text[i] = (char)('a' + i % 26);
    assert_int_equal(clk_out_add(out, text, TOTAL, false), 0);
    assert_int_equal(clk_out_flush(out), UV_EAGAIN);
    assert_true(clk_out_sent(out) < TOTAL);
    assert_int_equal(clk_out_added(out), TOTAL);
    fcntl(in, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 100 * PATIENCE && got < TOTAL; i++) {
        char piece[65536];
        ssize_t count = read(in, piece, sizeof(piece));

        for (ssize_t k = 0; k < count; k++)
            if (piece[k] != text[got + (size_t)k])
                fail_msg("byte %zu is wrong", got + (size_t)k);
        got += count > 0 ? (size_t)count : 0;
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(got, TOTAL);
    assert_int_equal(clk_out_flush(out), 0);
    assert_int_equal(clk_out_sent(out), TOTAL);
    assert_true(f->events > 0);
    clk_out_close(out);
    free(text);
}

static void a_full_pipe_does_not_block(void **state)
{
    struct fixture *f = *state;
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    flood(f, fds[0], fds[1]);
    assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(pipe(fds), 0); /* somebody else made it non-blocking */
    fcntl(fds[1], F_SETFL, O_NONBLOCK);
    flood(f, fds[0], fds[1]);
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    flood(f, fds[0], fds[1]);
    close(fds[0]);
    close(fds[1]);
}

static void a_stopped_terminal_does_not_block(void **state)
{
    struct fixture *f = *state;
    struct clk_out *out = open_out(f, f->slave);

    assert_int_equal(tcflow(f->slave, TCOOFF), 0); /* as Ctrl-S */
    assert_int_equal(clk_out_add(out, "hello\n", 6, false), 0);
    assert_int_equal(clk_out_flush(out), UV_EAGAIN);
    for (int i = 0; i < 20; i++)
        turn(f);
    assert_int_equal(clk_out_sent(out), 0);
    assert_int_equal(tcflow(f->slave, TCOON), 0);
    see(f, "hello\r\n");
    assert_int_equal(clk_out_flush(out), 0);
    clk_out_close(out);
    assert_restored(f);
}

static void a_reader_that_went_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct clk_out *out;
    int fds[2];

    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(fds), 0);
    out = open_out(f, fds[1]);
    close(fds[0]);
    assert_int_equal(clk_out_add(out, "x", 1, false), 0);
    assert_int_equal(clk_out_flush(out), UV_EPIPE);
    assert_int_equal(clk_out_flush(out), UV_EPIPE);
    assert_int_equal(clk_out_add(out, "y", 1, false), UV_EPIPE);
    clk_out_close(out);
    close(fds[1]);
    out = open_out(f, fds[0] = open("/dev/full", O_WRONLY));
    assert_int_equal(clk_out_add(out, "x", 1, false), 0);
    assert_int_equal(clk_out_flush(out), UV_ENOSPC);
    clk_out_close(out);
    close(fds[0]);
    assert_int_equal(clk_out_open(&out, &f->loop, f->secrets, 999, on_event, f),
                     UV_EBADF);
}

static void a_reader_that_goes_while_we_wait_is_an_error(void **state)
{
    struct fixture *f = *state;
    char *text = calloc(1, 1 << 20);
    struct clk_out *out;
    int fds[2];

    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(fds), 0);
    out = open_out(f, fds[1]);
    assert_int_equal(clk_out_add(out, text, 1 << 20, false), 0);
    assert_int_equal(clk_out_flush(out), UV_EAGAIN);
    close(fds[0]);
    for (int i = 0; i < PATIENCE && f->events == 0; i++)
        turn(f);
    assert_int_equal(clk_out_flush(out), UV_EPIPE);
    clk_out_close(out);
    close(fds[1]);
    free(text);
}

static void secrets_are_masked_across_writes(void **state)
{
    struct fixture *f = *state;
    struct clk_secret *secret =
        clk_secret_copy(f->secrets, "hunter2hunter2", 14);
    struct clk_out *out = open_out(f, f->slave);
    static const char *const pieces[] = {"key=hun", "ter2h", "unter",
                                         "2;\n",    "end:",  "hunt"};

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        clk_out_add(out, pieces[i], strlen(pieces[i]), false);
        assert_int_equal(clk_out_flush(out), 0);
    }
    see(f, "key=[secret];\r\nend:");
    assert_null(strstr(f->screen, "hunt"));
    clk_out_add(out, "", 0, true); /* it was no secret after all */
    clk_out_flush(out);
    see(f, "end:hunt");
    clk_out_add(out, "-hunter2", 8, false);
    clk_out_close(out); /* gives the rest free, too */
    see(f, "end:hunt-hunter2");
    clk_secret_unref(secret);
}

/* --- questions ----------------------------------------------------------- */

static unsigned char answer[64];

static struct clk_line *ask(struct fixture *f, const char *prompt, bool hidden)
{
    struct clk_line_options options = {
        .fd = f->slave,
        .prompt = prompt,
        .prompt_length = strlen(prompt),
        .hidden = hidden,
        .buffer = answer,
        .size = sizeof(answer),
        .on_event = on_event,
        .ud = f,
    };
    struct clk_line *line = NULL;

    f->events = 0;
    memset(answer, 0, sizeof(answer));
    assert_int_equal(clk_line_open(&line, &f->loop, &options), 0);
    return line;
}

static int wait_for(struct fixture *f, struct clk_line *line, size_t *length)
{
    int result = clk_line_result(line, length);

    for (int i = 0; i < PATIENCE && result == UV_EAGAIN; i++) {
        turn(f);
        look(f);
        result = clk_line_result(line, length);
    }
    return result;
}

static void assert_answer(struct fixture *f, struct clk_line *line,
                          const char *want)
{
    size_t length;

    assert_int_equal(wait_for(f, line, &length), 0);
    assert_int_equal(length, strlen(want));
    assert_memory_equal(answer, want, length);
    assert_true(f->events > 0);
    clk_line_close(line);
    assert_restored(f);
}

static void a_hidden_line_is_not_shown(void **state)
{
    struct fixture *f = *state;
    struct clk_line *line = ask(f, "Token: ", true);

    see(f, "Token: ");
    assert_false(echoes(f->slave));
    type(f, "s3cret-t\xc3\xb6ken");
    assert_int_equal(f->events, 0);
    type(f, "\r");
    assert_answer(f, line, "s3cret-t\xc3\xb6ken");
    for (int i = 0; i < 20; i++) {
        turn(f);
        look(f);
    }
    assert_string_equal(f->screen, "Token: \r\n");
}

static void nothing_beyond_the_line_is_read(void **state)
{
    struct fixture *f = *state;
    struct clk_line *line;
    char rest[32] = "";

    line = ask(f, "", true);
    type(f, "one\nrest of it\n");
    assert_answer(f, line, "one");
    assert_int_equal(read(f->slave, rest, sizeof(rest)), 11);
    assert_string_equal(rest, "rest of it\n");
    line = ask(f, "", false);
    type(f, "two\nmore\n");
    assert_answer(f, line, "two");
    memset(rest, 0, sizeof(rest));
    assert_int_equal(read(f->slave, rest, sizeof(rest)), 5);
    assert_string_equal(rest, "more\n");
}

static void a_hidden_line_can_be_corrected(void **state)
{
    struct fixture *f = *state;
    struct clk_line *line = ask(f, "", true);

    type(f, "wrong\x15"              /* Ctrl-U */
            "a\xe6\x97\xa5\x7f"      /* Backspace takes a character */
            "b\x1b[A\x1b[1;5C\x1bOH" /* arrows are no text */
            "\x01\x02"               /* nor are control characters */
            "c\td\x7f\x7f\x7f"
            "!\n");
    assert_answer(f, line, "ab!");
}

static void a_hidden_line_may_be_long(void **state)
{
    struct fixture *f = *state;
    enum { LENGTH = 20000 }; /* a terminal's own lines end at 4096 */
    unsigned char *buffer = calloc(1, LENGTH);
    struct clk_line_options options = {
        .fd = f->slave,
        .prompt = "",
        .hidden = true,
        .buffer = buffer,
        .size = LENGTH,
        .on_event = on_event,
        .ud = f,
    };
    struct clk_line *line = NULL;
    char *text = malloc(LENGTH);
    size_t length;

    for (int i = 0; i < LENGTH; i++)
        text[i] = (char)('!' + i % 90);
    assert_int_equal(clk_line_open(&line, &f->loop, &options), 0);
    type_bytes(f, text, LENGTH);
    type(f, "\n");
    assert_int_equal(wait_for(f, line, &length), 0);
    assert_int_equal(length, LENGTH);
    assert_memory_equal(buffer, text, LENGTH);
    clk_line_close(line);
    free(text);
    free(buffer);
}

static void a_line_longer_than_allowed_is_refused(void **state)
{
    struct fixture *f = *state;

    for (int hidden = 0; hidden < 2; hidden++) {
        struct clk_line *line = ask(f, "", hidden);
        size_t length;

        for (int i = 0; i < 7; i++)
            type(f, "0123456789");
        type(f, "\n");
        assert_int_equal(wait_for(f, line, &length), UV_E2BIG);
        for (size_t i = 0; hidden && i < sizeof(answer); i++)
            assert_int_equal(answer[i], 0);
        clk_line_close(line);
        assert_restored(f);
    }
}

static void the_end_of_input_is_told(void **state)
{
    struct fixture *f = *state;
    struct clk_line *line;
    size_t length;

    for (int hidden = 0; hidden < 2; hidden++) {
        line = ask(f, "? ", hidden);
        type(f, "\x04");
        assert_int_equal(wait_for(f, line, &length), UV_EOF);
        clk_line_close(line);
        assert_restored(f);
    }
    line = ask(f, "? ", true);
    type(f, "abc\x04");
    assert_answer(f, line, "abc");
}

static void a_terminal_that_goes_ends_the_question(void **state)
{
    struct fixture *f = *state;
    struct clk_line *line = ask(f, "? ", true);
    size_t length;
    int result;

    see(f, "? ");
    close(f->master);
    f->master = -1;
    result = wait_for(f, line, &length);
    assert_true(result == UV_EOF || result == UV_EIO);
    clk_line_close(line);
}

static void a_shown_line_is_shown(void **state)
{
    struct fixture *f = *state;
    struct clk_line *line = ask(f, "Name: ", false);

    see(f, "Name: ");
    assert_true(echoes(f->slave));
    type(f, "jon\x7fhn\n");
    assert_answer(f, line, "john");
    see(f, "Name: jo");
}

static void closing_early_restores(void **state)
{
    struct fixture *f = *state;

    for (int hidden = 0; hidden < 2; hidden++) {
        struct clk_line *line = ask(f, "? ", hidden);

        see(f, "? ");
        type(f, "half");
        clk_line_close(line);
        assert_restored(f);
        assert_int_equal(tcflush(f->slave, TCIFLUSH), 0);
    }
}

static void only_terminals_are_asked(void **state)
{
    struct fixture *f = *state;
    struct clk_line_options options = {.prompt = "? ", .prompt_length = 2};
    struct clk_line *line;
    struct clk_edit *edit;
    int fds[2];
    char c;

    assert_int_equal(pipe(fds), 0);
    options.fd = fds[0];
    assert_int_equal(clk_line_open(&line, &f->loop, &options), UV_ENOTTY);
    assert_int_equal(clk_edit_open(&edit, &f->loop, fds[0], on_event, f),
                     UV_ENOTTY);
    close(fds[1]);
    assert_int_equal(read(fds[0], &c, 1), 0); /* nothing was written */
    close(fds[0]);
}

/* --- signals: in a child that has the terminal as its own ---------------- */

static void ask_in_child(struct fixture *f)
{
    struct clk_line *line;
    size_t length;

    alarm(60);
    signal(SIGHUP, SIG_DFL);
    uv_loop_fork(&f->loop);
    line = ask(f, "secret? ", true);
    while (clk_line_result(line, &length) == UV_EAGAIN)
        uv_run(&f->loop, UV_RUN_ONCE);
    clk_line_close(line);
    _exit(length == 2 ? 7 : 8);
}

/* A process in a group of its own asks, as a shell would have it; its parent,
   like the shell, notices that it stops and continues it when told. */
static void shell(struct fixture *f, int tell, int told)
{
    int status;
    char c = 0;
    pid_t pid;

    alarm(60);
    setsid();
    ioctl(f->slave, TIOCSCTTY, 0);
    signal(SIGTTOU, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        tcsetpgrp(f->slave, getpid());
        ask_in_child(f);
    }
    if (write(tell, &pid, sizeof(pid)) != sizeof(pid))
        _exit(1);
    for (;;) {
        waitpid(pid, &status, WUNTRACED);
        if (!WIFSTOPPED(status))
            break;
        if (write(tell, "s", 1) != 1 || read(told, &c, 1) != 1)
            _exit(1);
        kill(pid, SIGCONT);
    }
    c = (char)(WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status));
    _exit(write(tell, &c, 1) == 1 ? 0 : 1);
}

/* The shell seen from the user's side. */
struct session {
    pid_t shell, pid;
    int told, tell;
};

static void start_session(struct fixture *f, struct session *s)
{
    struct rlimit none = {0, 0};
    int up[2], down[2];

    setrlimit(RLIMIT_CORE, &none);
    f->shown = 0;
    f->screen[0] = '\0';
    assert_int_equal(pipe(up), 0);
    assert_int_equal(pipe(down), 0);
    s->shell = fork();
    if (s->shell == 0)
        shell(f, up[1], down[0]);
    close(up[1]);
    close(down[0]);
    s->told = up[0];
    s->tell = down[1];
    assert_int_equal(read(s->told, &s->pid, sizeof(s->pid)), sizeof(s->pid));
    see(f, "secret? ");
    assert_false(echoes(f->master));
}

static char hear(const struct session *s)
{
    char c = 0;

    assert_int_equal(read(s->told, &c, 1), 1);
    return c;
}

static void end_session(const struct session *s)
{
    waitpid(s->shell, NULL, 0);
    close(s->told);
    close(s->tell);
}

static void signal_restores(struct fixture *f, int number)
{
    struct session s;

    start_session(f, &s);
    kill(s.pid, number);
    assert_int_equal(hear(&s), number);
    end_session(&s);
    assert_true(echoes(f->master));
    assert_restored(f);
}

static void a_hangup_restores(void **state)
{
    signal_restores(*state, SIGHUP);
}

static void a_quit_restores(void **state)
{
    signal_restores(*state, SIGQUIT);
}

static void a_suspended_question_goes_on(void **state)
{
    struct fixture *f = *state;
    struct session s;

    if (getenv("VALGRIND")) /* under which no process can be stopped */
        skip();
    start_session(f, &s);
    type(f, "a");
    kill(s.pid, SIGTSTP);
    assert_int_equal(hear(&s), 's');
    assert_true(echoes(f->master));
    f->shown = 0;
    f->screen[0] = '\0';
    assert_int_equal(write(s.tell, "c", 1), 1);
    see(f, "secret? ");
    assert_false(echoes(f->master));
    type(f, "b\n");
    assert_int_equal(hear(&s), -7);
    end_session(&s);
}

/* --- the editor ---------------------------------------------------------- */

static struct clk_edit *open_edit(struct fixture *f)
{
    struct clk_edit *edit = NULL;

    f->events = 0;
    assert_int_equal(clk_edit_open(&edit, &f->loop, f->slave, on_event, f), 0);
    assert_restored(f); /* opening leaves the terminal alone */
    return edit;
}

static enum clk_edit_event wait_edit(struct fixture *f, struct clk_edit *edit)
{
    enum clk_edit_event event = clk_edit_event(edit);

    for (int i = 0; i < PATIENCE && event == CLK_EDIT_NOTHING; i++) {
        turn(f);
        look(f);
        event = clk_edit_event(edit);
    }
    return event;
}

static void assert_line(struct fixture *f, struct clk_edit *edit,
                        const char *want)
{
    size_t length, cursor;

    assert_int_equal(wait_edit(f, edit), CLK_EDIT_LINE);
    assert_string_equal(clk_edit_line(edit, &length, &cursor), want);
    assert_int_equal(length, strlen(want));
    assert_restored(f);
}

static void lines_are_edited(void **state)
{
    struct fixture *f = *state;
    struct clk_edit *edit = open_edit(f);

    assert_int_equal(clk_edit_start(edit, "lua> "), 0);
    see(f, "lua> ");
    assert_false(echoes(f->slave));
    type(f, "bd\x1b[Dc\x1b[Ha\x1b[F!\r");
    assert_line(f, edit, "abcd!");
    assert_int_equal(clk_edit_start(edit, "lua> "), 0);
    type(f, "h\xc3"); /* a character in two pieces */
    type(f, "\xa9llo \xe6\x97\xa5x\x7f\n");
    assert_line(f, edit, "h\xc3\xa9llo \xe6\x97\xa5");
    assert_int_equal(clk_edit_start(edit, "lua> "), 0);
    type(f, "\n");
    assert_line(f, edit, "");
    clk_edit_close(edit);
    assert_restored(f);
}

static void history_is_recalled(void **state)
{
    struct fixture *f = *state;
    struct clk_edit *edit = open_edit(f);

    assert_int_equal(clk_edit_remember(edit, "first"), 0);
    assert_int_equal(clk_edit_remember(edit, "zw\xc3\xb6lf"), 0);
    assert_int_equal(clk_edit_start(edit, "> "), 0);
    type(f, "\x1b[A\n");
    assert_line(f, edit, "zw\xc3\xb6lf");
    assert_int_equal(clk_edit_start(edit, "> "), 0);
    type(f, "fi\x12\n"); /* Ctrl-R: the last that begins so */
    assert_line(f, edit, "first");
    clk_edit_close(edit);
}

static void tab_asks_for_completion(void **state)
{
    struct fixture *f = *state;
    struct clk_edit *edit = open_edit(f);
    size_t length, cursor;

    assert_int_equal(clk_edit_start(edit, "> "), 0);
    type(f, "list ap x\x1b[D\x1b[D\t");
    assert_int_equal(wait_edit(f, edit), CLK_EDIT_COMPLETE);
    assert_memory_equal(clk_edit_line(edit, &length, &cursor), "list ap x", 9);
    assert_int_equal(length, 9);
    assert_int_equal(cursor, 7);
    assert_int_equal(clk_edit_event(edit), CLK_EDIT_NOTHING);
    clk_edit_insert(edit, "ps");
    type(f, "\t");
    assert_int_equal(wait_edit(f, edit), CLK_EDIT_COMPLETE);
    clk_edit_show(edit, "apps  apples\r\n", 14);
    see(f, "apps  apples");
    type(f, "\n");
    assert_line(f, edit, "list apps x");
    clk_edit_close(edit);
}

static void the_editor_is_left_with_ctrl_d(void **state)
{
    struct fixture *f = *state;
    struct clk_edit *edit = open_edit(f);

    assert_int_equal(clk_edit_start(edit, "> "), 0);
    type(f, "\x04");
    assert_int_equal(wait_edit(f, edit), CLK_EDIT_EOF);
    assert_restored(f);
    assert_int_equal(clk_edit_start(edit, "> "), 0);
    type(f, "ab\x01\x04\n"); /* within a line it deletes */
    assert_line(f, edit, "b");
    clk_edit_close(edit);
}

static void a_lone_escape_does_not_stop_the_loop(void **state)
{
    struct fixture *f = *state;
    struct clk_edit *edit = open_edit(f);

    assert_int_equal(clk_edit_start(edit, "> "), 0);
    type(f, "a\x1b");
    for (int i = 0; i < 200; i++) /* longer than a key's bytes are apart */
        turn(f);
    type(f, "b\x16\x18\x12\x13"); /* commands that would wait within libedit */
    type(f, "\n");
    assert_line(f, edit, "ab");
    clk_edit_close(edit);
}

static void nothing_beyond_the_edited_line_is_read(void **state)
{
    struct fixture *f = *state;
    struct clk_edit *edit = open_edit(f);
    char rest[32] = "";

    assert_int_equal(clk_edit_start(edit, "> "), 0);
    type(f, "one\ntwo\n");
    assert_line(f, edit, "one");
    clk_edit_close(edit);
    assert_int_equal(read(f->slave, rest, sizeof(rest)), 4);
    assert_string_equal(rest, "two\n");
}

static void closing_the_editor_early_restores(void **state)
{
    struct fixture *f = *state;
    struct clk_edit *edit = open_edit(f);

    clk_edit_close(edit);
    assert_restored(f);
    edit = open_edit(f);
    assert_int_equal(clk_edit_start(edit, "> "), 0);
    see(f, "> ");
    type(f, "half");
    clk_edit_close(edit);
    assert_restored(f);
}

static void a_dumb_terminal_has_no_editor(void **state)
{
    struct fixture *f = *state;
    struct clk_edit *edit;

    setenv("TERM", "dumb", 1);
    assert_int_equal(clk_edit_open(&edit, &f->loop, f->slave, on_event, f),
                     UV_ENOTSUP);
    unsetenv("TERM");
    assert_int_equal(clk_edit_open(&edit, &f->loop, f->slave, on_event, f),
                     UV_ENOTSUP);
}

#ifdef CLK_DEV
/* Everything that allocates; true when all of it went well. */
static bool scenario(struct fixture *f)
{
    struct clk_line_options options = {
        .fd = f->slave,
        .prompt = "? ",
        .prompt_length = 2,
        .hidden = true,
        .buffer = answer,
        .size = sizeof(answer),
        .on_event = on_event,
        .ud = f,
    };
    struct clk_out *out = NULL;
    struct clk_line *line = NULL;
    struct clk_edit *edit = NULL;
    bool ok;

    ok = clk_out_open(&out, &f->loop, f->secrets, f->slave, on_event, f) == 0;
    ok = ok && clk_out_add(out, "text\n", 5, true) == 0;
    if (out)
        clk_out_close(out);
    ok = ok && clk_line_open(&line, &f->loop, &options) == 0;
    if (line)
        clk_line_close(line);
    ok = ok && clk_edit_open(&edit, &f->loop, f->slave, on_event, f) == 0
         && clk_edit_start(edit, "> ") == 0;
    if (edit)
        clk_edit_close(edit);
    return ok;
}

static void failing_allocations_are_survived(void **state)
{
    struct fixture *f = *state;
    unsigned long nth = 1;

    for (;; nth++) {
        bool ok;

        clk_mem_fail_at(nth, false);
        ok = scenario(f);
        if (clk_mem_failures() == 0)
            break;
        assert_false(ok);
        assert_restored(f);
        look(f);
    }
    clk_mem_fail_at(0, false);
    assert_in_range(nth, 8, 200);
}
#endif

/* libtinfo, which libedit asks about the terminal, never frees 8 bytes. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:_nc_trim_sgr0\n";
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_full_pipe_does_not_block),
        TEST(a_stopped_terminal_does_not_block),
        TEST(a_reader_that_went_is_an_error),
        TEST(a_reader_that_goes_while_we_wait_is_an_error),
        TEST(secrets_are_masked_across_writes),
        TEST(a_hidden_line_is_not_shown),
        TEST(nothing_beyond_the_line_is_read),
        TEST(a_hidden_line_can_be_corrected),
        TEST(a_hidden_line_may_be_long),
        TEST(a_line_longer_than_allowed_is_refused),
        TEST(the_end_of_input_is_told),
        TEST(a_terminal_that_goes_ends_the_question),
        TEST(a_shown_line_is_shown),
        TEST(closing_early_restores),
        TEST(only_terminals_are_asked),
        TEST(a_hangup_restores),
        TEST(a_quit_restores),
        TEST(a_suspended_question_goes_on),
        TEST(lines_are_edited),
        TEST(history_is_recalled),
        TEST(tab_asks_for_completion),
        TEST(the_editor_is_left_with_ctrl_d),
        TEST(a_lone_escape_does_not_stop_the_loop),
        TEST(nothing_beyond_the_edited_line_is_read),
        TEST(closing_the_editor_early_restores),
        TEST(a_dumb_terminal_has_no_editor),
#ifdef CLK_DEV
        TEST(failing_allocations_are_survived),
#endif
    };

    return cmocka_run_group_tests_name("term", tests, NULL, NULL);
}
