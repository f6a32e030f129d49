/* The store: statements, files, other processes, crashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/store_state.h"

#define PROCESSES 3
#define PATIENCE_MS 60000 /* on a machine that does much else */
#define CROWD 8
#define ROUNDS 20

static struct clk_store *open_store(const char *path)
{
    struct clk_store_error error = {NULL, ""};
    struct clk_store *store =
        clk_store_open(path, CLK_STORE_STEPS, CLK_STORE_BUSY_MS, &error);

    if (!store)
        fail_msg("%s: %s", error.code, error.text);
    return store;
}

/* Runs a statement; the integer of its first row, or 0 without one. */
static int64_t run(struct clk_store *store, const char *sql)
{
    struct clk_store_error error = {NULL, ""};
    struct clk_store_stmt *stmt =
        clk_store_prepare(store, sql, strlen(sql), &error);
    struct clk_store_value value = {.type = CLK_STORE_NULL};
    enum clk_store_step step;

    if (!stmt)
        fail_msg("%s: %s", sql, error.text);
    step = clk_store_step(stmt, &error);
    if (step == CLK_STORE_FAILED)
        fail_msg("%s: %s", sql, error.text);
    if (step == CLK_STORE_ROW)
        assert_true(clk_store_column(stmt, 0, &value));
    clk_store_end(stmt);
    return value.type == CLK_STORE_INTEGER ? value.integer : 0;
}

/* --- statements ---------------------------------------------------------- */

static struct clk_store_stmt *prepare(struct clk_store *store, const char *sql)
{
    struct clk_store_error error = {NULL, ""};
    struct clk_store_stmt *stmt =
        clk_store_prepare(store, sql, strlen(sql), &error);

    if (!stmt)
        fail_msg("%s: %s", sql, error.text);
    return stmt;
}

static void test_values_keep_their_types(void **state)
{
    static const struct clk_store_value values[] = {
        {.type = CLK_STORE_NULL},
        {.type = CLK_STORE_INTEGER, .integer = INT64_MIN},
        {.type = CLK_STORE_REAL, .real = 0.5},
        {.type = CLK_STORE_TEXT, .bytes = "a\0b", .len = 3},
        {.type = CLK_STORE_BLOB, .bytes = "", .len = 0},
    };
    struct clk_store *store = open_store(":memory:");
    struct clk_store_stmt *stmt = prepare(store, "SELECT ?, :i, ?3, @t, $b");
    struct clk_store_error error = {NULL, ""};
    struct clk_store_value got;

    (void)state;
    assert_int_equal(clk_store_param_count(stmt), 5);
    assert_null(clk_store_param_name(stmt, 1));
    assert_string_equal(clk_store_param_name(stmt, 2), "i");
    assert_null(clk_store_param_name(stmt, 3));
    assert_string_equal(clk_store_param_name(stmt, 5), "b");
    for (int i = 0; i < 5; i++)
        assert_true(clk_store_bind(stmt, i + 1, &values[i], &error));
    assert_int_equal(clk_store_step(stmt, &error), CLK_STORE_ROW);
    assert_int_equal(clk_store_column_count(stmt), 5);
    assert_string_equal(clk_store_column_name(stmt, 1), ":i");
    for (int i = 0; i < 5; i++) {
        assert_true(clk_store_column(stmt, i, &got));
        assert_int_equal(got.type, values[i].type);
        if (got.type == CLK_STORE_INTEGER)
            assert_true(got.integer == INT64_MIN);
        if (got.type == CLK_STORE_REAL)
            assert_true(got.real == 0.5);
        if (got.type == CLK_STORE_TEXT)
            assert_memory_equal(got.bytes, "a\0b", 3);
        if (got.type >= CLK_STORE_TEXT)
            assert_int_equal(got.len, values[i].len);
    }
    assert_int_equal(clk_store_step(stmt, &error), CLK_STORE_DONE);
    clk_store_end(stmt);
    clk_store_close(store);
}

static void test_a_statement_is_prepared_once(void **state)
{
    struct clk_store *store = open_store(":memory:");
    struct clk_store_stmt *first = prepare(store, "SELECT 1");
    char sql[32];

    (void)state;
    for (int i = 0; i < CLK_STORE_CACHE - 1; i++) {
        snprintf(sql, sizeof(sql), "SELECT %d", i + 2);
        prepare(store, sql);
        assert_ptr_equal(prepare(store, "SELECT 1"), first);
    }
    /* Another one takes the place of the one not used for longest. */
    prepare(store, "SELECT 0");
    assert_int_equal(run(store, "SELECT 1"), 1);
    assert_ptr_equal(prepare(store, "SELECT 1"), first);
    assert_int_equal(run(store, "SELECT 2"), 2);
    clk_store_close(store);
}

/* --- files --------------------------------------------------------------- */

/* A directory of its own for each test. */
struct dir {
    char path[64], file[96];
};

static int make_dir(void **state)
{
    static struct dir d;

    snprintf(d.path, sizeof(d.path), "/tmp/clanker-store-XXXXXX");
    assert_non_null(mkdtemp(d.path));
    snprintf(d.file, sizeof(d.file), "%s/a.db", d.path);
    *state = &d;
    return 0;
}

static int remove_dir(void **state)
{
    static const char *const names[] = {"", "-wal", "-shm", "-journal"};
    struct dir *d = *state;
    char path[128];

    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s%s", d->file, names[i]);
        unlink(path);
    }
    return rmdir(d->path);
}

static void test_every_file_is_private(void **state)
{
    struct dir *d = *state;
    mode_t before = umask(0);
    struct clk_store *store = open_store(d->file);
    DIR *dir = opendir(d->path);
    struct dirent *entry;
    int files = 0;

    run(store, "CREATE TABLE a (x)");
    umask(before);
    while ((entry = readdir(dir))) {
        char path[400];
        struct stat st;

        snprintf(path, sizeof(path), "%s/%s", d->path, entry->d_name);
        assert_int_equal(stat(path, &st), 0);
        if (!S_ISREG(st.st_mode))
            continue;
        assert_int_equal(st.st_mode & 0777, 0600);
        files++;
    }
    closedir(dir);
    assert_int_equal(files, 3); /* the database, its log, its index */
    clk_store_close(store);
}

static void test_names_are_paths_and_nothing_else(void **state)
{
    struct dir *d = *state;
    char before[1024];
    struct clk_store *store;

    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(d->path), 0);
    store = open_store("file:x?mode=memory");
    run(store, "CREATE TABLE a (x)");
    assert_int_equal(access("./file:x?mode=memory", F_OK), 0);
    clk_store_close(store);
    unlink("./file:x?mode=memory");
    assert_int_equal(chdir(before), 0);
}

/* As open_store, in a child: it must not go on with the tests of its parent. It
   waits for its brothers as long as it takes. */
static struct clk_store *open_in_child(const char *path)
{
    struct clk_store_error error = {NULL, ""};
    struct clk_store *store =
        clk_store_open(path, CLK_STORE_STEPS, PATIENCE_MS, &error);

    if (!store) {
        fprintf(stderr, "%s: %s\n", error.code, error.text);
        _exit(9);
    }
    return store;
}

static pid_t spawn(void (*body)(const char *path, void *ud), const char *path,
                   void *ud)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        body(path, ud);
        _exit(0);
    }
    return pid;
}

static void assert_success(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void wait_and_open(const char *path, void *ud)
{
    int *gate = ud;
    char byte;

    close(gate[1]);
    if (read(gate[0], &byte, 1) != 0) /* opens when the parent closes it */
        _exit(1);
    clk_store_close(open_in_child(path));
}

static void test_processes_open_a_new_file_together(void **state)
{
    struct dir *d = *state;

    for (int round = 0; round < ROUNDS; round++) {
        pid_t pids[CROWD];
        int gate[2];

        assert_int_equal(pipe(gate), 0);
        for (int i = 0; i < CROWD; i++)
            pids[i] = spawn(wait_and_open, d->file, gate);
        close(gate[0]);
        close(gate[1]);
        for (int i = 0; i < CROWD; i++)
            assert_success(pids[i]);
        assert_int_equal(unlink(d->file), 0);
    }
}

static void create_and_add(const char *path, void *unused)
{
    static const char *const schema = "CREATE TABLE n (x); CREATE TABLE o (x)";
    struct clk_store_error error = {NULL, ""};
    struct clk_store *store = open_in_child(path);

    (void)unused;
    if (!clk_store_migrate(store, schema, strlen(schema), 1, &error))
        _exit(1);
    for (int i = 0; i < 50; i++) {
        if (!clk_store_begin(store, &error))
            _exit(2);
        run(store, "INSERT INTO n SELECT count(*) FROM n");
        if (!clk_store_commit(store, &error))
            _exit(3);
    }
    clk_store_close(store);
}

static void test_processes_create_and_write_together(void **state)
{
    struct dir *d = *state;
    pid_t pids[PROCESSES];
    struct clk_store *store;

    for (int i = 0; i < PROCESSES; i++)
        pids[i] = spawn(create_and_add, d->file, NULL);
    for (int i = 0; i < PROCESSES; i++)
        assert_success(pids[i]);
    store = open_store(d->file);
    /* Each saw what the others had committed before it. */
    assert_int_equal(run(store, "SELECT count(DISTINCT x) FROM n"),
                     50 * PROCESSES);
    clk_store_close(store);
}

static void write_and_hang(const char *path, void *ud)
{
    struct clk_store_error error = {NULL, ""};
    struct clk_store *store = open_in_child(path);
    _Atomic int *ready = ud;

    run(store, "CREATE TABLE n (x)");
    run(store, "INSERT INTO n VALUES (1)");
    if (!clk_store_begin(store, &error))
        _exit(1);
    run(store, "INSERT INTO n VALUES (2)");
    *ready = 1;
    for (;;)
        pause();
}

static void test_a_killed_process_leaves_what_it_committed(void **state)
{
    struct dir *d = *state;
    _Atomic int *ready = mmap(NULL, sizeof(*ready), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct clk_store *store;
    pid_t pid;

    assert_true(ready != MAP_FAILED);
    pid = spawn(write_and_hang, d->file, ready);
    while (!*ready)
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    store = open_store(d->file);
    assert_int_equal(run(store, "SELECT count(*) FROM n"), 1);
    run(store, "INSERT INTO n VALUES (3)");
    clk_store_close(store);
    munmap((void *)ready, sizeof(*ready));
}

static void test_a_read_only_file_is_refused(void **state)
{
    struct dir *d = *state;
    struct clk_store_error error = {NULL, ""};
    bool is_root = geteuid() == 0;

    clk_store_close(open_store(d->file));
    assert_int_equal(chmod(d->file, 0444), 0);
    assert_int_equal(chmod(d->path, 0755), 0);
    if (is_root) /* nothing is read-only for root */
        assert_int_equal(seteuid(65534), 0);
    assert_null(clk_store_open(d->file, 1000, 10, &error));
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_string_equal(error.code, "EACCES");
}

static void test_a_full_disk_is_told(void **state)
{
    struct dir *d = *state;
    struct clk_store_error error = {NULL, ""};
    struct clk_store *store = open_store(d->file);
    static const char add[] = "INSERT INTO a VALUES (zeroblob(100000))";
    struct clk_store_stmt *stmt;

    run(store, "CREATE TABLE a (x)");
    assert_true(clk_store_run(store, "PRAGMA max_page_count = 4", &error));
    stmt = clk_store_prepare(store, add, strlen(add), &error);
    assert_int_equal(clk_store_step(stmt, &error), CLK_STORE_FAILED);
    assert_string_equal(error.code, "ENOSPC");
    clk_store_end(stmt);
    assert_int_equal(run(store, "SELECT count(*) FROM a"), 0);
    clk_store_close(store);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_keep_their_types),
        cmocka_unit_test(test_a_statement_is_prepared_once),
        IN_DIR(test_every_file_is_private),
        IN_DIR(test_names_are_paths_and_nothing_else),
        IN_DIR(test_processes_open_a_new_file_together),
        IN_DIR(test_processes_create_and_write_together),
        IN_DIR(test_a_killed_process_leaves_what_it_committed),
        IN_DIR(test_a_read_only_file_is_refused),
        IN_DIR(test_a_full_disk_is_told),
    };

    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
