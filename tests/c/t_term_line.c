/* core/term_line.c, term_guard.c: questions, and signals while one is open. */
#include "pty.h"

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

static void nothing_beyond_a_shown_line_is_read(void **state)
{
    struct fixture *f = *state;
    struct clk_line *line;
    char rest[32] = "";

    line = ask(f, "", false);
    type(f, "two\nmore\n");
    assert_answer(f, line, "two");
    assert_int_equal(read(f->slave, rest, sizeof(rest)), 5);
    assert_string_equal(rest, "more\n");
}

static void hidden_lines_come_alone(void **state)
{
    struct fixture *f = *state;
    struct pollfd p = {.fd = f->slave, .events = POLLIN};
    struct clk_line *line = ask(f, "", true);
    size_t length;

    type(f, "one\rrest of it\rand more");
    assert_int_equal(wait_for(f, line, &length), UV_EMSGSIZE);
    assert_int_equal(answer[0], 0);
    clk_line_close(line);
    assert_restored(f);
    assert_int_equal(poll(&p, 1, 0), 0); /* the shell gets nothing of it */
    assert_null(strstr(f->screen, "rest"));
    line = ask(f, "", true);
    type(f, "one\r\r\n"); /* line ends that were copied along */
    assert_answer(f, line, "one");
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

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_hidden_line_is_not_shown),
        TEST(nothing_beyond_a_shown_line_is_read),
        TEST(hidden_lines_come_alone),
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
    };

    return cmocka_run_group_tests_name("term questions", tests, NULL, NULL);
}
