/* core/fs_lock.c, core/watch.c: locks between processes, readiness. */
#include "fs_dir.h"

/* --- locks --------------------------------------------------------------- */

static void a_lock_excludes(void **state)
{
    int one, two;

    (void)state;
    assert_int_equal(clk_fs_lock("l", &one), 0);
    assert_int_equal(mode_of("l"), 0600);
    assert_int_equal(clk_fs_lock("l", &two), UV_EAGAIN);
    close(one);
    assert_int_equal(clk_fs_lock("l", &two), 0);
    close(two);
    assert_int_equal(symlink("l", "link"), 0);
    assert_int_equal(clk_fs_lock("link", &one), UV_ELOOP);
    assert_int_equal(clk_fs_lock("no/l", &one), UV_ENOENT);
    assert_int_equal(clk_fs_lock(".", &one), UV_EISDIR);
}

static void a_lock_of_a_removed_file_does_not_count(void **state)
{
    int one, two;

    (void)state;
    assert_int_equal(clk_fs_lock("l", &one), 0);
    assert_int_equal(unlink("l"), 0);
    assert_int_equal(clk_fs_lock("l", &two), 0);
    close(one);
    close(two);
}

static void a_killed_process_unlocks(void **state)
{
    int fd = -1, fds[2], error = UV_EAGAIN;
    char c;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    child = fork();
    if (child == 0) {
        int mine;

        if (clk_fs_lock("l", &mine) == 0 && write(fds[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(fds[0], &c, 1), 1);
    assert_int_equal(clk_fs_lock("l", &fd), UV_EAGAIN);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    for (int i = 0; i < 1000 && error == UV_EAGAIN; i++)
        error = clk_fs_lock("l", &fd);
    assert_int_equal(error, 0);
    close(fd);
    close(fds[0]);
    close(fds[1]);
}

/* Many processes count in one file; none of their steps is lost. */
static void a_lock_serializes_processes(void **state)
{
    enum { CHILDREN = 4, STEPS = 50 };

    (void)state;
    assert_int_equal(put("n", "0"), 0);
    for (int i = 0; i < CHILDREN; i++) {
        if (fork() != 0)
            continue;
        for (int step = 0; step < STEPS; step++) {
            struct clk_fs_reader reader;
            char text[16];
            int fd, length;

            while (clk_fs_lock("l", &fd) != 0)
                poll(NULL, 0, 1);
            if (clk_fs_reader_open(&reader, "n", 10) != 0
                || clk_fs_reader_step(&reader) != 0)
                _exit(1);
            memcpy(text, reader.data, reader.length);
            text[reader.length] = '\0';
            clk_fs_reader_close(&reader);
            length =
                snprintf(text, sizeof(text), "%ld", strtol(text, NULL, 10) + 1);
            if (clk_fs_replace("n", text, (size_t)length, &private_file) != 0)
                _exit(1);
            close(fd);
        }
        _exit(0);
    }
    for (int i = 0; i < CHILDREN; i++) {
        int status = -1;

        wait(&status);
        assert_int_equal(status, 0);
    }
    assert_content("n", "200");
}

/* --- readiness ----------------------------------------------------------- */

static void count_up(void *ud)
{
    ++*(int *)ud;
}

static void a_watch_calls_once_and_changes_no_flags(void **state)
{
    struct clk_watch *watch = NULL;
    uv_loop_t loop;
    int fds[2], calls = 0;
    char c;

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(
        clk_watch_open(&watch, &loop, fds[0], UV_READABLE, count_up, &calls),
        0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(calls, 0); /* not armed */
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(clk_watch_arm(watch), 0);
        uv_run(&loop, UV_RUN_ONCE);
        uv_run(&loop, UV_RUN_NOWAIT);
        assert_int_equal(calls, i); /* once, though it stays readable */
    }
    assert_true(clk_watch_ready(fds[0], UV_READABLE));
    assert_int_equal(read(fds[0], &c, 1), 1);
    assert_false(clk_watch_ready(fds[0], UV_READABLE));
    clk_watch_arm(watch);
    close(fds[1]);
    uv_run(&loop, UV_RUN_ONCE); /* the end counts as ready */
    assert_int_equal(calls, 4);
    clk_watch_arm(watch);
    clk_watch_close(watch);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(calls, 4);
    assert_int_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
    close(fds[0]);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_file_needs_no_watch(void **state)
{
    struct clk_watch *watch = NULL;
    uv_loop_t loop;
    int calls = 0, fd;

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(put("f", "x"), 0);
    fd = open("f", O_RDONLY);
    assert_int_equal(
        clk_watch_open(&watch, &loop, fd, UV_READABLE, count_up, &calls),
        UV_EPERM);
    assert_true(clk_watch_ready(fd, UV_READABLE));
    close(fd);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_lock_excludes),
        TEST(a_lock_of_a_removed_file_does_not_count),
        TEST(a_killed_process_unlocks),
        TEST(a_lock_serializes_processes),
        TEST(a_watch_calls_once_and_changes_no_flags),
        TEST(a_file_needs_no_watch),
    };

    return cmocka_run_group_tests_name("fs locks", tests, NULL, NULL);
}
