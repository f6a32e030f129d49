/* core/process.c: the engine without Lua, and its failing allocations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/process.h"

/* A child and all it wrote. */
struct run {
    uv_loop_t loop;
    struct clk_process *process;
    struct clk_process_status status;
    char text[CLK_PROCESS_OUTPUTS][256];
    size_t len[CLK_PROCESS_OUTPUTS];
    int events;
};

static void count_event(void *ud)
{
    ((struct run *)ud)->events++;
}

static char *no_environment[] = {NULL};

static int start(struct run *run, struct clk_process_options *o)
{
    bool bad_cwd;

    if (!o->env)
        o->env = no_environment;
    if (!o->file)
        o->file = o->argv[0];
    o->on_event = count_event;
    o->ud = run;
    return clk_process_open(&run->process, &run->loop, o, &bad_cwd);
}

/* Takes all output until the child has ended. */
static void finish(struct run *run)
{
    for (;;) {
        const char *bytes;
        size_t len;
        int stream;
        int result = clk_process_read(run->process, &stream, &bytes, &len);

        if (result == 1) {
            assert_true(run->len[stream] + len < sizeof(run->text[0]));
            memcpy(run->text[stream] + run->len[stream], bytes, len);
            run->len[stream] += len;
        } else if (clk_process_ended(run->process, &run->status)) {
            return;
        } else {
            assert_true(uv_run(&run->loop, UV_RUN_ONCE)
                        || clk_process_ended(run->process, &run->status));
        }
    }
}

static void open_loop(struct run *run)
{
    memset(run, 0, sizeof(*run));
    assert_int_equal(uv_loop_init(&run->loop), 0);
}

/* The loop must run dry by itself: nothing is left open. */
static void close_all(struct run *run)
{
    clk_process_close(run->process);
    uv_run(&run->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&run->loop), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_runs_a_program(void **state)
{
    char *argv[] = {"/bin/sh", "-c", "cat; echo err >&2; exit 9", NULL};
    struct clk_process_options o = {.argv = argv, .bytes = "in", .len = 2};
    struct run run;

    (void)state;
    open_loop(&run);
    assert_int_equal(start(&run, &o), 0);
    assert_true(clk_process_pid(run.process) > 0);
    assert_false(clk_process_ended(run.process, &run.status));
    finish(&run);
    assert_int_equal(run.status.code, 9);
    assert_int_equal(run.status.signal, 0);
    assert_string_equal(run.text[0], "in");
    assert_string_equal(run.text[1], "err\n");
    assert_true(run.events > 0);
    assert_int_equal(clk_process_signal(run.process, 15), UV_ESRCH);
    close_all(&run);
}

static void test_errors_leave_nothing(void **state)
{
    char *argv[] = {"/nonexistent/program", NULL};
    struct clk_process_options o = {.argv = argv};
    struct run run;

    (void)state;
    if (getenv("VALGRIND"))
        return; /* it makes posix_spawn a fork, which loses the child's error */
    open_loop(&run);
    assert_int_equal(start(&run, &o), UV_ENOENT);
    assert_null(run.process);
    close_all(&run);
}

/* Closed in every state a child can be in. */
static void test_closing_kills(void **state)
{
    char *argv[] = {"/bin/sleep", "1000", NULL};
    struct clk_process_options o = {
        .argv = argv, .timeout = 1000, .kill_after = 1000};
    const char *bytes;
    size_t len;
    int stream;

    (void)state;
    for (int stage = 0; stage < 4; stage++) {
        struct run run;

        open_loop(&run);
        assert_int_equal(start(&run, &o), 0);
        if (stage >= 1)
            clk_process_read(run.process, &stream, &bytes, &len);
        if (stage >= 2)
            uv_run(&run.loop, UV_RUN_NOWAIT);
        if (stage >= 3)
            clk_process_terminate(run.process);
        close_all(&run);
    }
}

static void test_a_secret_is_let_go_when_written(void **state)
{
    char *argv[] = {"/bin/cat", NULL};
    struct clk_secrets *set = clk_secrets_new();
    struct clk_secret *secret = clk_secret_copy(set, "hunter2!", 8);
    struct clk_process_options o = {.argv = argv, .secret = secret};
    struct run run;

    (void)state;
    open_loop(&run);
    assert_int_equal(start(&run, &o), 0);
    clk_secret_unref(secret);
    finish(&run);
    assert_string_equal(run.text[0], "hunter2!");
    assert_int_equal(clk_secrets_count(set), 0);
    close_all(&run);
    clk_secrets_free(set);
}

/* As under a daemon, where 0, 1 and 2 are free for our pipes. */
static int run_without_descriptors(void)
{
    char *argv[] = {"/bin/sh", "-c", "cat; echo err >&2", NULL};
    struct clk_process_options o = {.argv = argv, .bytes = "in", .len = 2};
    struct run run;

    open_loop(&run);
    /* libuv's own descriptors must not be 0, 1 or 2: have it open them first.
     */
    if (start(&run, &o) != 0)
        return 1;
    finish(&run);
    clk_process_close(run.process);
    memset(run.text, 0, sizeof(run.text));
    memset(run.len, 0, sizeof(run.len));
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    if (start(&run, &o) != 0)
        return 1;
    finish(&run);
    close_all(&run);
    return strcmp(run.text[0], "in") == 0 && strcmp(run.text[1], "err\n") == 0
                   && run.status.code == 0
               ? 0
               : 2;
}

static void test_works_without_standard_descriptors(void **state)
{
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        _exit(run_without_descriptors());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void test_finds_programs(void **state)
{
    char *found;

    (void)state;
    assert_int_equal(clk_process_find("sh", "/nonexistent:/bin", &found), 0);
    assert_string_equal(found, "/bin/sh");
    clk_free(found);
    assert_int_equal(clk_process_find("./x", NULL, &found), 0);
    assert_string_equal(found, "./x");
    clk_free(found);
    assert_int_equal(clk_process_find("sh", NULL, &found), UV_ENOENT);
    assert_int_equal(clk_process_find("", "/bin", &found), UV_ENOENT);
    assert_int_equal(clk_process_find("bin", "/", &found), UV_EACCES);
    clk_mem_fail_at(1, true);
    assert_int_equal(clk_process_find("sh", "/bin", &found), UV_ENOMEM);
    clk_mem_fail_at(0, false);
    assert_null(found);
}

static void test_survives_failing_allocations(void **state)
{
    char *argv[] = {"/bin/cat", NULL};
    struct clk_process_options o = {.argv = argv, .bytes = "in", .len = 2};
    int error = UV_ENOMEM;

    (void)state;
    for (unsigned long nth = 1; error; nth++) {
        struct run run;

        open_loop(&run);
        clk_mem_fail_at(nth, true);
        error = start(&run, &o);
        clk_mem_fail_at(0, false);
        if (!error) {
            finish(&run);
            assert_string_equal(run.text[0], "in");
        }
        close_all(&run);
        assert_true(nth < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_a_program),
        cmocka_unit_test(test_errors_leave_nothing),
        cmocka_unit_test(test_closing_kills),
        cmocka_unit_test(test_a_secret_is_let_go_when_written),
        cmocka_unit_test(test_works_without_standard_descriptors),
        cmocka_unit_test(test_finds_programs),
        cmocka_unit_test(test_survives_failing_allocations),
    };

    uv_replace_allocator(clk_malloc, clk_realloc, clk_calloc, clk_free);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
