/* Watches: descriptors of others, told about and left as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/watch.h"

enum { PATIENCE = 5000 }; /* turns of a millisecond */

/* A loop, a pipe whose ends were opened by "somebody else", and how often its
   watch called. */
struct fixture {
    uv_loop_t loop;
    int ends[2];
    int calls;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    *state = f;
    return pipe(f->ends) != 0 || uv_loop_init(&f->loop) != 0;
}

/* Nothing may be left on the loop. */
static int tear_down(void **state)
{
    struct fixture *f = *state;
    int closed;

    for (int i = 0; i < 10; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    closed = uv_loop_close(&f->loop);
    for (int i = 0; i < 2; i++)
        if (f->ends[i] >= 0)
            close(f->ends[i]);
    free(f);
    return closed;
}

static void on_ready(void *ud)
{
    ((struct fixture *)ud)->calls++;
}

static struct clk_watch *watch(struct fixture *f, int end, int events)
{
    struct clk_watch *w = NULL;

    assert_int_equal(
        clk_watch_open(&w, &f->loop, f->ends[end], events, on_ready, f), 0);
    return w;
}

static void run(struct fixture *f, int until)
{
    for (int i = 0; i < PATIENCE && f->calls < until; i++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        if (f->calls < until)
            uv_sleep(1);
    }
    assert_int_equal(f->calls, until);
}

static void turn(struct fixture *f)
{
    for (int i = 0; i < 5; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void each_arming_is_answered_once(void **state)
{
    struct fixture *f = *state;
    struct clk_watch *w = watch(f, 0, UV_READABLE);

    assert_int_equal(write(f->ends[1], "x", 1), 1);
    turn(f);
    assert_int_equal(f->calls, 0); /* not asked yet */
    assert_int_equal(clk_watch_arm(w), 0);
    run(f, 1);
    turn(f);
    assert_int_equal(f->calls, 1); /* though it can still be read */
    assert_int_equal(clk_watch_arm(w), 0);
    run(f, 2);
    clk_watch_close(w);
}

static void nothing_is_told_before_there_is_something(void **state)
{
    struct fixture *f = *state;
    struct clk_watch *w = watch(f, 0, UV_READABLE);

    assert_int_equal(clk_watch_arm(w), 0);
    turn(f);
    assert_int_equal(f->calls, 0);
    assert_false(clk_watch_ready(f->ends[0], UV_READABLE));
    assert_int_equal(write(f->ends[1], "x", 1), 1);
    assert_true(clk_watch_ready(f->ends[0], UV_READABLE));
    run(f, 1);
    clk_watch_close(w);
}

static void the_other_end_going_is_told(void **state)
{
    struct fixture *f = *state;
    struct clk_watch *reader = watch(f, 0, UV_READABLE);

    assert_int_equal(clk_watch_arm(reader), 0);
    close(f->ends[1]);
    f->ends[1] = -1;
    run(f, 1);
    assert_true(clk_watch_ready(f->ends[0], UV_READABLE));
    clk_watch_close(reader);
}

static void a_full_pipe_can_be_written_when_read(void **state)
{
    struct fixture *f = *state;
    struct clk_watch *w = watch(f, 1, UV_WRITABLE);
    char block[4096] = "";

    fcntl(f->ends[1], F_SETFL, O_NONBLOCK);
    while (write(f->ends[1], block, sizeof(block)) > 0)
        ;
    assert_int_equal(clk_watch_arm(w), 0);
    turn(f);
    assert_int_equal(f->calls, 0);
    for (int i = 0; i < 16; i++)
        assert_int_equal(read(f->ends[0], block, sizeof(block)), sizeof(block));
    run(f, 1);
    clk_watch_close(w);
}

static void the_flags_of_the_file_stay(void **state)
{
    struct fixture *f = *state;
    int before = fcntl(f->ends[0], F_GETFL);
    struct clk_watch *w = watch(f, 0, UV_READABLE);

    assert_int_equal(clk_watch_arm(w), 0);
    turn(f);
    assert_int_equal(fcntl(f->ends[0], F_GETFL), before);
    assert_false(before & O_NONBLOCK);
    clk_watch_close(w);
    turn(f);
    assert_int_equal(fcntl(f->ends[0], F_GETFL), before);
}

static void closing_ends_it_while_it_waits(void **state)
{
    struct fixture *f = *state;
    struct clk_watch *w = watch(f, 0, UV_READABLE);

    assert_int_equal(clk_watch_arm(w), 0);
    turn(f);
    assert_int_equal(write(f->ends[1], "x", 1), 1);
    clk_watch_close(w);
    turn(f);
    assert_int_equal(f->calls, 0);
}

static void a_regular_file_is_refused(void **state)
{
    struct fixture *f = *state;
    struct clk_watch *w = NULL;
    FILE *file = tmpfile();

    assert_non_null(file);
    assert_int_equal(
        clk_watch_open(&w, &f->loop, fileno(file), UV_READABLE, on_ready, f),
        UV_EPERM);
    assert_int_equal(clk_watch_open(&w, &f->loop, -1, UV_READABLE, on_ready, f),
                     UV_EBADF);
    assert_true(clk_watch_ready(fileno(file), UV_READABLE));
    assert_null(w);
    fclose(file);
}

#ifdef CLK_DEV
static void without_memory_nothing_is_kept(void **state)
{
    struct fixture *f = *state;
    struct clk_watch *w = NULL;
    int error;

    clk_mem_fail_at(1, false);
    error = clk_watch_open(&w, &f->loop, f->ends[0], UV_READABLE, on_ready, f);
    clk_mem_fail_at(0, false);
    assert_int_equal(error, UV_ENOMEM);
    assert_null(w);
}
#endif

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_arming_is_answered_once),
        TEST(nothing_is_told_before_there_is_something),
        TEST(the_other_end_going_is_told),
        TEST(a_full_pipe_can_be_written_when_read),
        TEST(the_flags_of_the_file_stay),
        TEST(closing_ends_it_while_it_waits),
        TEST(a_regular_file_is_refused),
#ifdef CLK_DEV
        TEST(without_memory_nothing_is_kept),
#endif
    };

    return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
