/* core/term_out.c: output that masks and never blocks. */
#include "pty.h"

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

static void where_nothing_else_can_run_it_blocks(void **state)
{
    enum { TOTAL = 300000 };
    struct fixture *f = *state;
    char *text = calloc(1, TOTAL), piece[65536];
    struct clk_out *out;
    size_t got = 0;
    int fds[2], error, turns = 0;

    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(fds), 0);
    out = open_out(f, fds[1]);
    assert_int_equal(clk_out_add(out, text, TOTAL, true), 0);
    while ((error = clk_out_finish(out, 1)) == UV_EAGAIN) {
        ssize_t count = read(fds[0], piece, sizeof(piece)); /* it is full */

        assert_true(count > 0 && turns++ < TOTAL);
        got += (size_t)count;
    }
    assert_int_equal(error, 0);
    assert_true(turns > 1);
    assert_int_equal(clk_out_sent(out), TOTAL);
    assert_true(got < TOTAL); /* the rest is in the pipe */
    close(fds[0]);
    assert_int_equal(clk_out_add(out, "x", 1, true), 0);
    assert_int_equal(clk_out_finish(out, 1), UV_EPIPE);
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

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_full_pipe_does_not_block),
        TEST(a_stopped_terminal_does_not_block),
        TEST(a_reader_that_went_is_an_error),
        TEST(a_reader_that_goes_while_we_wait_is_an_error),
        TEST(where_nothing_else_can_run_it_blocks),
        TEST(secrets_are_masked_across_writes),
    };

    return cmocka_run_group_tests_name("term output", tests, NULL, NULL);
}
