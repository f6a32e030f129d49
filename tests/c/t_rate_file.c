/* The file of token buckets, and the processes that share it. */
#include "rate_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

#include "core/mem.h"

/* --- the file ----------------------------------------------------------- */

/* A directory of its own for each test. */
struct dir {
    char path[64], file[96];
};

static int make_dir(void **state)
{
    static struct dir d;

    snprintf(d.path, sizeof(d.path), "/tmp/clanker-rate-XXXXXX");
    assert_non_null(mkdtemp(d.path));
    snprintf(d.file, sizeof(d.file), "%s/limits", d.path);
    *state = &d;
    return 0;
}

static int remove_dir(void **state)
{
    struct dir *d = *state;

    unlink(d->file);
    return rmdir(d->path); /* fails when a temporary file was left behind */
}

static void write_file(const char *path, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

static void test_a_file_is_private_and_shared(void **state)
{
    struct dir *d = *state;
    struct clk_rate_limit l = limit_of(1, 3, 0.5);
    struct clk_rate_table a = {0}, b = {0};
    struct stat st;

    umask(0);
    assert_int_equal(clk_rate_table_open(&a, d->file, 7), 0);
    umask(022);
    assert_int_equal(clk_rate_table_open(&b, d->file, 7), 0);
    assert_int_equal(stat(d->file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(clk_rate_take(&a, 9, &l, 2), 0);
    assert_int_equal(clk_rate_take(&b, 9, &l, 1), 0);
    assert_true(clk_rate_take(&a, 9, &l, 1) > 0);
    assert_true(clk_rate_take(&b, 9, &l, 1) > 0);
    clk_rate_table_close(&a);
    clk_rate_table_close(&b);
    assert_int_equal(chmod(d->file, 0644), 0);
    assert_int_equal(clk_rate_table_open(&a, d->file, 7), 0);
    assert_int_equal(stat(d->file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(clk_rate_take(&a, 9, &l, 1) > 0);
    clk_rate_table_close(&a);
}

static void test_a_restart_of_the_machine_empties_it(void **state)
{
    struct dir *d = *state;
    struct clk_rate_limit l = limit_of(1, 3, 0);
    int64_t now = 100000 * SECOND;
    struct clk_rate_table t = {.clock = fake_clock, .clock_ud = &now};

    assert_int_equal(clk_rate_table_open(&t, d->file, 7), 0);
    assert_int_equal(clk_rate_take(&t, 9, &l, 3), 0);
    clk_rate_penalize(&t, 9, 1000 * SECOND);
    clk_rate_table_close(&t);
    now = 5 * SECOND;
    assert_int_equal(clk_rate_table_open(&t, d->file, 8), 0);
    assert_int_equal(clk_rate_take(&t, 9, &l, 3), 0);
    clk_rate_table_close(&t);
    /* Who does not know the start of the machine changes nothing. */
    assert_int_equal(clk_rate_table_open(&t, d->file, 0), 0);
    assert_true(clk_rate_take(&t, 9, &l, 1) > 0);
    clk_rate_table_close(&t);
}

static void test_a_lost_or_older_file_is_replaced(void **state)
{
    struct dir *d = *state;
    struct clk_rate_limit l = limit_of(1, 3, 0.5);
    struct clk_rate_table t = {0};
    struct clk_rate_head head;
    char zeros[4096] = {0};

    write_file(d->file, "", 0);
    assert_int_equal(clk_rate_table_open(&t, d->file, 7), 0);
    assert_int_equal(clk_rate_take(&t, 9, &l, 3), 0);
    memcpy(&head, &t.file->head, sizeof(head));
    clk_rate_table_close(&t);

    write_file(d->file, zeros, sizeof(zeros));
    assert_int_equal(clk_rate_table_open(&t, d->file, 7), 0);
    assert_int_equal(clk_rate_take(&t, 9, &l, 3), 0);
    clk_rate_table_close(&t);

    head.version = 99; /* of a later version, and cut short */
    write_file(d->file, &head, sizeof(head));
    assert_int_equal(clk_rate_table_open(&t, d->file, 7), 0);
    assert_int_equal(clk_rate_take(&t, 9, &l, 3), 0);
    clk_rate_table_close(&t);
}

static void test_what_is_not_a_table_is_refused(void **state)
{
    struct dir *d = *state;
    struct clk_rate_table t = {0};
    char path[128];
    char text[] = "a letter to grandmother, not to be overwritten\n";
    char back[sizeof(text)];
    int fd;

    write_file(d->file, text, sizeof(text));
    assert_int_equal(clk_rate_table_open(&t, d->file, 7), UV_EINVAL);
    assert_int_equal(t.fd, -1);
    fd = open(d->file, O_RDONLY);
    assert_int_equal(read(fd, back, sizeof(back)), sizeof(back));
    close(fd);
    assert_string_equal(back, text);
    assert_int_equal(clk_rate_table_open(&t, d->path, 7), UV_EISDIR);
    snprintf(path, sizeof(path), "%s/no/such", d->path);
    assert_int_equal(clk_rate_table_open(&t, path, 7), UV_ENOENT);
    snprintf(path, sizeof(path), "%s/link", d->path);
    assert_int_equal(symlink(d->file, path), 0);
    assert_int_equal(clk_rate_table_open(&t, path, 7), UV_ELOOP);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(clk_rate_table_open(&t, path, 7), UV_EINVAL);
    unlink(path);
    assert_int_equal(clk_rate_table_open(&t, "/dev/null", 7), UV_EINVAL);
}

/* --- processes ---------------------------------------------------------- */

#define PROCESSES 4

/* Memory that the forked processes count in. */
struct counts {
    _Atomic int64_t clock;
    _Atomic int go;
    _Atomic int granted[PROCESSES];
};

static struct counts *shared_counts(void)
{
    void *p = mmap(NULL, sizeof(struct counts), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(p != MAP_FAILED);
    memset(p, 0, sizeof(struct counts));
    return p;
}

static void wait_for(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void spawn_all(pid_t *pids, void (*body)(int me, void *ud), void *ud)
{
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            body(i, ud);
            _exit(0);
        }
    }
}

struct job {
    const char *path;
    struct counts *counts;
    int64_t until;
};

static int total(struct counts *c)
{
    int sum = 0;

    for (int i = 0; i < PROCESSES; i++)
        sum += c->granted[i];
    return sum;
}

static void open_and_take_all(int me, void *ud)
{
    struct job *job = ud;
    struct clk_rate_limit l = limit_of(0.01, 50, 0);
    struct clk_rate_table t = {0};

    while (!job->counts->go)
        ;
    if (clk_rate_table_open(&t, job->path, 7) != 0)
        _exit(3);
    for (int i = 0; i < 20000; i++)
        job->counts->granted[me] += clk_rate_take(&t, 9, &l, 1) == 0;
}

static void test_processes_that_create_it_together_share_it(void **state)
{
    struct dir *d = *state;

    for (int run = 0; run < 20; run++) {
        struct job job = {d->file, shared_counts(), 0};
        pid_t pids[PROCESSES];

        if (run % 2)
            write_file(d->file, "", 0); /* all find a file to replace */
        spawn_all(pids, open_and_take_all, &job);
        job.counts->go = 1;
        for (int i = 0; i < PROCESSES; i++)
            wait_for(pids[i]);
        assert_int_equal(total(job.counts), 50);
        munmap(job.counts, sizeof(*job.counts));
        unlink(d->file);
    }
}

static void take_in_time(int me, void *ud)
{
    struct job *job = ud;
    struct clk_rate_limit l = limit_of(100, 10, 0);
    struct clk_rate_table t = {0};

    if (clk_rate_table_open(&t, job->path, 7) != 0)
        _exit(3);
    while (!job->counts->go)
        ;
    while (clk_rate_now(NULL) < job->until) {
        int64_t wait = clk_rate_take(&t, 9, &l, 1);
        struct timespec pause = {wait / SECOND, wait % SECOND};

        if (wait == 0 && clk_rate_now(NULL) < job->until)
            job->counts->granted[me]++;
        else if (wait > 0)
            nanosleep(&pause, NULL);
    }
}

static void test_processes_together_keep_the_limit(void **state)
{
    struct dir *d = *state;
    struct job job = {d->file, shared_counts(), 0};
    pid_t pids[PROCESSES];
    int64_t start = clk_rate_now(NULL);
    int sum;

    job.until = start + SECOND;
    spawn_all(pids, take_in_time, &job);
    job.counts->go = 1;
    for (int i = 0; i < PROCESSES; i++)
        wait_for(pids[i]);
    sum = total(job.counts);
    assert_true(sum <= 110);
    assert_true(sum >= 60); /* and it is used, however busy the machine */
    munmap(job.counts, sizeof(*job.counts));
}

static void test_a_killed_process_blocks_nobody(void **state)
{
    struct dir *d = *state;
    struct job job = {d->file, shared_counts(), INT64_MAX};
    struct clk_rate_limit l = limit_of(100, 10, 0);
    struct clk_rate_table t = {0};
    pid_t pids[PROCESSES];
    int64_t start = clk_rate_now(NULL);
    int got = 0;

    spawn_all(pids, take_in_time, &job);
    job.counts->go = 1;
    while (total(job.counts) < 20)
        ;
    for (int i = 0; i < PROCESSES; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    assert_int_equal(clk_rate_table_open(&t, d->file, 7), 0);
    while (got < 10) {
        int64_t wait = clk_rate_take(&t, 9, &l, 1);

        /* The next token is never further away than one interval. */
        assert_true(wait <= 11 * MS);
        got += wait == 0;
    }
    /* Nor did they leave more than there is: 10 at once, then one in 10 ms. */
    assert_true(total(job.counts) + got
                <= 10 + 1 + (clk_rate_now(NULL) - start) / (10 * MS));
    clk_rate_table_close(&t);
    munmap(job.counts, sizeof(*job.counts));
}

/* --- slots that change hands -------------------------------------------- */

#define LOG_SIZE 20000
#define KEYS 256

/* What one process was granted: when, at the earliest and latest. */
struct log {
    int count;
    struct {
        int64_t before, after;
        int key;
    } grants[LOG_SIZE];
};

struct contest {
    const char *path;
    struct counts *counts;
    struct log *logs;
};

static int64_t counts_clock(void *ud)
{
    return ((struct counts *)ud)->clock;
}

/* All names begin at the same slot, more of them than it has room for. */
static uint64_t crowded(int64_t key)
{
    return ((uint64_t)key + 1) * CLK_RATE_SLOTS;
}

static void contend(int me, void *ud)
{
    struct contest *c = ud;
    struct log *log = &c->logs[me];
    struct clk_rate_limit l = limit_of(1, 2, 0);
    struct clk_rate_table t = {.clock = counts_clock, .clock_ud = c->counts};
    uint64_t seed = (uint64_t)me + 1;

    if (clk_rate_table_open(&t, c->path, 7) != 0)
        _exit(3);
    while (!c->counts->go)
        ;
    for (int i = 0; i < 300000 && log->count < LOG_SIZE; i++) {
        /* All want the same few names, which lost their slots meanwhile. */
        int64_t before = c->counts->clock;
        int64_t key = (before / SECOND + pick(&seed, 4)) % KEYS;

        if (clk_rate_take(&t, crowded(key), &l, 1) == 0) {
            log->grants[log->count].key = (int)key;
            log->grants[log->count].before = before;
            log->grants[log->count].after = c->counts->clock;
            log->count++;
        }
        if (pick(&seed, 50) == 0)
            c->counts->clock += SECOND / 2;
    }
}

static void test_slots_that_change_hands_lose_no_grant(void **state)
{
    struct dir *d = *state;
    size_t size = PROCESSES * sizeof(struct log);
    struct contest c = {d->file, shared_counts(), NULL};
    pid_t pids[PROCESSES];
    int sum = 0;

    c.logs = mmap(NULL, size, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(c.logs != MAP_FAILED);
    c.counts->clock = 1000 * SECOND;
    spawn_all(pids, contend, &c);
    c.counts->go = 1;
    for (int i = 0; i < PROCESSES; i++)
        wait_for(pids[i]);
    for (int key = 0; key < KEYS; key++) {
        static int64_t before[PROCESSES * LOG_SIZE];
        static int64_t after[PROCESSES * LOG_SIZE];
        int n = 0;

        for (int p = 0; p < PROCESSES; p++) {
            for (int i = 0; i < c.logs[p].count; i++) {
                if (c.logs[p].grants[i].key != key)
                    continue;
                before[n] = c.logs[p].grants[i].before;
                after[n++] = c.logs[p].grants[i].after;
            }
        }
        sum += n;
        qsort(before, (size_t)n, sizeof(before[0]), by_time);
        qsort(after, (size_t)n, sizeof(after[0]), by_time);
        /* Any three grants of a burst of two are a second apart. */
        for (int i = 0; i + 2 < n; i++)
            assert_true(after[i + 2] - before[i] >= SECOND);
    }
    assert_true(sum > 1000);
    munmap(c.logs, size);
    munmap(c.counts, sizeof(*c.counts));
}

/* Dies with a slot half given away, in the middle of its lock. */
static void die_claiming(int me, void *ud)
{
    struct contest *c = ud;
    struct clk_rate_table t = {.clock = counts_clock, .clock_ud = c->counts};

    if (me > 0)
        return;
    if (clk_rate_table_open(&t, c->path, 7) != 0 || flock(t.fd, LOCK_EX) != 0)
        _exit(3);
    t.file->slots[5].word = UINT64_MAX;
    raise(SIGKILL);
}

static void test_a_slot_of_a_dead_process_is_given_away_again(void **state)
{
    struct dir *d = *state;
    struct contest c = {d->file, shared_counts(), NULL};
    struct clk_rate_limit l = limit_of(1, 1, 0);
    struct clk_rate_table t = {.clock = counts_clock, .clock_ud = c.counts};
    pid_t pids[PROCESSES];

    c.counts->clock = 1000 * SECOND;
    assert_int_equal(clk_rate_table_open(&t, c.path, 7), 0);
    for (int i = 0; i < CLK_RATE_PROBES; i++)
        assert_int_equal(clk_rate_take(&t, crowded(i), &l, 1), 0);
    spawn_all(pids, die_claiming, &c);
    for (int i = 0; i < PROCESSES; i++)
        waitpid(pids[i], NULL, 0);
    assert_true(t.file->slots[5].word == UINT64_MAX);
    /* All other slots are in use: a new name gets the dead one's. */
    assert_int_equal(clk_rate_take(&t, crowded(100), &l, 1), 0);
    assert_true(t.file->slots[5].key == crowded(100));
    assert_true(clk_rate_take(&t, crowded(100), &l, 1) > 0);
    /* The name it belonged to waits for a slot, and no longer than that. */
    assert_true(clk_rate_take(&t, crowded(5), &l, 1) > 0);
    c.counts->clock += 10 * SECOND;
    assert_int_equal(clk_rate_take(&t, crowded(5), &l, 1), 0);
    assert_true(clk_rate_take(&t, crowded(5), &l, 1) > 0);
    clk_rate_table_close(&t);
    munmap(c.counts, sizeof(*c.counts));
}

/* --- memory ------------------------------------------------------------- */

static void test_opening_survives_failing_allocations(void **state)
{
    struct dir *d = *state;
    struct clk_rate_table t = {0};

#ifdef CLK_DEV
    for (int i = 0; i < 2; i++) {
        const char *path = i ? d->file : NULL;
        int error = UV_ENOMEM;
        unsigned long n;

        for (n = 1; error == UV_ENOMEM && n < 10; n++) {
            clk_mem_fail_at(n, false);
            error = clk_rate_table_open(&t, path, 7);
        }
        clk_mem_fail_at(0, false);
        assert_int_equal(error, 0);
        assert_true(n > 2);
        clk_rate_table_close(&t);
    }
#endif
    assert_int_equal(clk_rate_table_open(&t, d->file, 7), 0);
    clk_rate_table_close(&t);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(test_a_file_is_private_and_shared),
        IN_DIR(test_a_restart_of_the_machine_empties_it),
        IN_DIR(test_a_lost_or_older_file_is_replaced),
        IN_DIR(test_what_is_not_a_table_is_refused),
        IN_DIR(test_processes_that_create_it_together_share_it),
        IN_DIR(test_processes_together_keep_the_limit),
        IN_DIR(test_a_killed_process_blocks_nobody),
        IN_DIR(test_slots_that_change_hands_lose_no_grant),
        IN_DIR(test_a_slot_of_a_dead_process_is_given_away_again),
        IN_DIR(test_opening_survives_failing_allocations),
    };

    return cmocka_run_group_tests_name("rate file", tests, NULL, NULL);
}
