/* The whole program at a terminal: it asks, it is interrupted, it is stopped,
   and the terminal is as before. Drives tests/host/fixtures/term_child.lua. */
#include "session.h"

static void run_program(const char *mode, const char *argument)
{
    execl(binary, binary, "-l", "tests/host/fixtures/term_child.lua", mode,
          argument, (char *)NULL);
    _exit(127);
}

static void start_with(struct session *s, char *mode, char *argument, int out)
{
    char *words[] = {binary, "-l",     "tests/host/fixtures/term_child.lua",
                     mode,   argument, NULL};

    start_words(s, words, out);
}

static void start(struct session *s, char *mode)
{
    start_with(s, mode, NULL, -1);
}

/* --- tests --------------------------------------------------------------- */

static void a_narrow_terminal_is_known(void **state)
{
    struct session *s = *state;
    struct winsize size = {.ws_col = 20, .ws_row = 5};

    ioctl(s->slave, TIOCSWINSZ, &size);
    start(s, "look");
    see(s, "width 20 tty true");
    see(s, "true"); /* the line is longer than the terminal */
    wait_end(s);
    s->shown = 0;
    setenv("NO_COLOR", "1", 1);
    start(s, "look");
    see(s, "colors false");
    wait_end(s);
}

static void a_hidden_answer_is_never_seen(void **state)
{
    struct session *s = *state;

    start(s, "hidden");
    see(s, "Token: ");
    assert_false(echoes(s));
    type(s, "hunter2-hunter2\r");
    see(s, "secret 15");
    wait_end(s);
    assert_null(strstr(s->screen, "hunter2"));
    assert_restored(s);
}

static void an_interrupt_at_a_hidden_prompt_restores(void **state)
{
    struct session *s = *state;

    start(s, "hidden");
    see(s, "Token: ");
    type(s, "half\x03");
    wait_end(s);
    assert_restored(s);
    assert_null(strstr(s->screen, "half"));
    s->shown = 0;
    s->screen[0] = '\0';
    start(s, "hidden");
    see(s, "Token: ");
    kill(s->pid, SIGTERM);
    wait_end(s);
    assert_restored(s);
}

static void a_timeout_at_a_hidden_prompt_restores(void **state)
{
    struct session *s = *state;

    start(s, "limited");
    see(s, "ETIMEDOUT");
    see(s, "Name: ");
    assert_true(echoes(s));
    type(s, "john\r");
    see(s, "answer john");
    wait_end(s);
    assert_restored(s);
}

static void a_typed_secret_is_masked_from_then_on(void **state)
{
    struct session *s = *state;

    start(s, "masked");
    see(s, "Token: ");
    type(s, "hunter2-hunter2\r");
    see(s, "you typed [secret], I think");
    wait_end(s);
    assert_null(strstr(s->screen, "hunter2"));
}

static void a_typed_secret_leaves_no_bytes_behind(void **state)
{
    struct session *s = *state;

#ifdef __SANITIZE_ADDRESS__
    skip(); /* its shadow memory is too large to search */
#endif
    start(s, "forgotten");
    see(s, "Token: ");
    type(s, "wrong\x15"
            "canary-9-canarx\x7fy\r");
    see(s, "left at .");
    wait_end(s);
    assert_null(strstr(s->screen, "canary"));
}

static void standard_input_is_read_to_ctrl_d(void **state)
{
    struct session *s = *state;

    start(s, "stdin");
    for (int i = 0; i < 100; i++)
        look(s);
    type(s, "one\ntwo\n\x04");
    see(s, "answer one\\ntwo\\n");
    wait_end(s);
    assert_restored(s);
}

static void reading_standard_input_can_be_given_up(void **state)
{
    struct session *s = *state;
    int fds[2];

    start(s, "stdin_limited");
    see(s, "ETIMEDOUT");
    wait_end(s);
    assert_restored(s);
    s->shown = 0;
    s->screen[0] = '\0';
    assert_int_equal(pipe(fds), 0);
    s->pid = fork();
    if (s->pid == 0) {
        dup2(fds[0], 0);
        dup2(s->slave, 1);
        run_program("stdin_limited", NULL);
    }
    see(s, "ETIMEDOUT");
    wait_end(s);
    assert_int_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
    close(fds[0]);
    close(fds[1]);
}

static void lines_are_edited_and_completed(void **state)
{
    struct session *s = *state;

    start(s, "line");
    see(s, "lua> ");
    type(s, "ma\t");
    see(s, "machines ");
    type(s, "\r");
    see(s, "answer machines ");
    type(s, "ap\t");
    see(s, "app");
    type(s, "\t");
    see(s, "apple  apps");
    type(s, "s\r");
    see(s, "answer apps\r\n");
    type(s, "\x1b[A\x1b[A\x1b[A!\r");
    see(s, "answer first!");
    type(s, "\x04");
    see(s, "error EOF end of input");
    wait_end(s);
    assert_restored(s);
}

static void an_interrupt_while_editing_restores(void **state)
{
    struct session *s = *state;

    start(s, "line");
    see(s, "lua> ");
    assert_false(echoes(s));
    type(s, "half");
    see(s, "half");
    type(s, "\x03");
    wait_end(s);
    assert_restored(s);
}

static void a_dumb_terminal_gets_a_plain_prompt(void **state)
{
    struct session *s = *state;

    setenv("TERM", "dumb", 1);
    start(s, "line");
    see(s, "lua> ");
    assert_true(echoes(s));
    type(s, "plain\n");
    see(s, "answer plain");
    type(s, "\x04");
    see(s, "error EOF");
    wait_end(s);
}

/* Output that nobody takes must not keep the program from ending. */
static void a_stopped_terminal_can_be_interrupted(void **state)
{
    struct session *s = *state;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    start_with(s, "flood", "2", null); /* the test runner's report goes there */
    close(null);
    see(s, "0123456789");
    assert_int_equal(tcflow(s->slave, TCOOFF), 0);
    poll(NULL, 0, 50);
    kill(s->pid, SIGINT);
    for (int i = 0; i < PATIENCE && s->pid; i++) {
        poll(NULL, 0, 1);
        if (waitpid(s->pid, &s->status, WNOHANG) == s->pid)
            s->pid = 0;
    }
    assert_int_equal(s->pid, 0);
    assert_int_equal(tcflow(s->slave, TCOON), 0);
}

/* Runs with standard output on a pipe; the read end is returned. */
static int start_piped(struct session *s, const char *mode, int error_fd)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    s->pid = fork();
    if (s->pid == 0) {
        dup2(fds[1], 1);
        dup2(error_fd, 2);
        close(fds[0]);
        run_program(mode, NULL);
    }
    close(fds[1]);
    return fds[0];
}

static void a_full_pipe_can_be_interrupted(void **state)
{
    struct session *s = *state;
    int fd = start_piped(s, "flood", 2);
    struct pollfd p = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&p, 1, PATIENCE), 1); /* and nobody reads on */
    poll(NULL, 0, 50);
    kill(s->pid, SIGINT);
    wait_end(s);
    close(fd);
}

static void a_closed_pipe_ends_quietly(void **state)
{
    struct session *s = *state;
    char text[64] = "";
    int errors[2], fd;

    assert_int_equal(pipe(errors), 0);
    fd = start_piped(s, "flood", errors[1]);
    assert_true(read(fd, text, sizeof(text)) > 0);
    close(fd); /* as `| head -1` */
    wait_end(s);
    close(errors[1]);
    memset(text, 0, sizeof(text));
    assert_true(read(errors[0], text, sizeof(text) - 1) > 0);
    assert_string_equal(text, "flood: EPIPE\n");
    close(errors[0]);
}

static void questions_keep_their_contract(void **state)
{
    struct session *s = *state;

    start(s, "contract");
    see(s, "all of it");
    wait_end(s);
    assert_restored(s);
}

/* Until nothing new is on the screen for longer than a paste may pause. */
static void look_on(struct session *s)
{
    enum { QUIET = 35 };
    size_t before;

    do {
        before = s->shown;
        for (int i = 0; i < QUIET; i++)
            look(s);
    } while (s->shown != before);
}

static void questions_survive_failing_allocations(void **state)
{
    struct session *s = *state;

    start(s, "torture");
    for (int i = 0; i < PATIENCE && s->pid; i++) {
        type(s, "x\rx\rx\rx\rx\rx\rx\rx\rx\rx\r");
        look_on(s);
        if (waitpid(s->pid, &s->status, WNOHANG) == s->pid)
            s->pid = 0;
    }
    assert_int_equal(s->pid, 0);
    for (int k = 0; k < 10; k++)
        look(s);
    see(s, "ok 3 - ");
    if (s->status != 0 || strstr(s->screen, "not ok"))
        fail_msg("ended as %x: \"%.4000s\"", s->status, s->screen);
    assert_restored(s);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_narrow_terminal_is_known),
        TEST(a_hidden_answer_is_never_seen),
        TEST(an_interrupt_at_a_hidden_prompt_restores),
        TEST(a_timeout_at_a_hidden_prompt_restores),
        TEST(a_typed_secret_is_masked_from_then_on),
        TEST(a_typed_secret_leaves_no_bytes_behind),
        TEST(standard_input_is_read_to_ctrl_d),
        TEST(reading_standard_input_can_be_given_up),
        TEST(lines_are_edited_and_completed),
        TEST(an_interrupt_while_editing_restores),
        TEST(a_dumb_terminal_gets_a_plain_prompt),
        TEST(a_stopped_terminal_can_be_interrupted),
        TEST(a_full_pipe_can_be_interrupted),
        TEST(a_closed_pipe_ends_quietly),
        TEST(questions_keep_their_contract),
        TEST(questions_survive_failing_allocations),
    };

    find_binary();
    return cmocka_run_group_tests_name("tty", tests, NULL, NULL);
}
