/* core/fs*.c: reading, writing, directories. */
#include "fs_dir.h"

#include <sys/syscall.h>

/* --- reading ------------------------------------------------------------- */

static int read_error(const char *path, size_t max)
{
    struct clk_fs_reader reader;
    int error = clk_fs_reader_open(&reader, path, max);

    if (!error)
        error = clk_fs_reader_step(&reader);
    clk_fs_reader_close(&reader);
    return error;
}

static void reads_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(put("f", "12345"), 0);
    assert_int_equal(read_error("f", 5), 0);
    assert_int_equal(read_error("f", 4), UV_E2BIG);
    assert_int_equal(read_error("f", 0), UV_E2BIG);
    assert_int_equal(put("empty", ""), 0);
    assert_int_equal(read_error("empty", 0), 0);
    /* A file whose size is not known beforehand. */
    assert_int_equal(read_error("/proc/self/status", 1 << 20), 0);
    assert_int_equal(read_error("/proc/self/status", 10), UV_E2BIG);
    assert_int_equal(read_error("/dev/zero", 100000), UV_E2BIG);
    assert_int_equal(read_error("/dev/null", 0), 0);
}

static void reads_tell_why_not(void **state)
{
    (void)state;
    assert_int_equal(read_error("none", 10), UV_ENOENT);
    assert_int_equal(read_error(".", 10), UV_EISDIR);
    assert_int_equal(put("f", "x"), 0);
    assert_int_equal(read_error("f/x", 10), UV_ENOTDIR);
}

/* In a child, because root may do everything. */
static void permissions_are_told(void **state)
{
    int status = -1;
    pid_t child;

    (void)state;
    assert_int_equal(clk_fs_mkdir("closed", 0700, false), 0);
    assert_int_equal(put("closed/f", "x"), 0);
    assert_int_equal(put("f", "x"), 0);
    assert_int_equal(chmod(".", 0755), 0);
    assert_int_equal(chmod("closed", geteuid() == 0 ? 0700 : 0), 0);
    assert_int_equal(chmod("f", geteuid() == 0 ? 0600 : 0), 0);
    child = fork();
    if (child == 0) {
        int fd;

        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(1);
        if (read_error("closed/f", 10) != UV_EACCES
            || read_error("f", 10) != UV_EACCES
            || put("closed/g", "x") != UV_EACCES
            || clk_fs_lock("closed/l", &fd) != UV_EACCES
            || clk_fs_mkdir("closed/d", 0700, true) != UV_EACCES)
            _exit(2);
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(chmod("closed", 0700), 0);
}

static void a_pipe_is_read_in_steps(void **state)
{
    struct clk_fs_reader reader;
    int fd;

    (void)state;
    assert_int_equal(mkfifo("p", 0600), 0);
    assert_int_equal(clk_fs_reader_open(&reader, "p", 100), 0);
    assert_int_equal(clk_fs_reader_step(&reader), UV_EAGAIN); /* no writer */
    fd = open("p", O_WRONLY);
    assert_int_equal(clk_fs_reader_step(&reader), UV_EAGAIN);
    assert_int_equal(write(fd, "ab", 2), 2);
    assert_int_equal(clk_fs_reader_step(&reader), UV_EAGAIN);
    assert_int_equal(write(fd, "c", 1), 1);
    close(fd);
    assert_int_equal(clk_fs_reader_step(&reader), 0);
    assert_int_equal(reader.length, 3);
    clk_fs_reader_close(&reader);
}

static void a_shared_descriptor_is_not_closed_nor_changed(void **state)
{
    struct clk_fs_reader reader = {.shared = true, .polled = true, .max = 10};
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    reader.fd = fds[0];
    assert_int_equal(clk_fs_reader_step(&reader), UV_EAGAIN);
    assert_int_equal(write(fds[1], "abc", 3), 3);
    assert_int_equal(clk_fs_reader_step(&reader), UV_EAGAIN);
    close(fds[1]);
    assert_int_equal(clk_fs_reader_step(&reader), 0);
    assert_int_equal(reader.length, 3);
    clk_fs_reader_close(&reader);
    assert_int_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
    close(fds[0]);
}

/* --- writing ------------------------------------------------------------- */

static void a_file_is_private_whatever_the_umask(void **state)
{
    struct clk_fs_write how = {.mode = 0640};

    (void)state;
    umask(0);
    assert_int_equal(put("f", "one"), 0);
    assert_int_equal(mode_of("f"), 0600);
    umask(077);
    assert_int_equal(clk_fs_replace("f", "two", 3, &how), 0);
    assert_int_equal(mode_of("f"), 0640);
    assert_content("f", "two");
    assert_int_equal(names_in("."), 1); /* no temporary file is left */
}

static void parents_are_made_private(void **state)
{
    struct clk_fs_write how = {.mode = 0600, .parents = true};

    (void)state;
    assert_int_equal(put("a/b/f", "x"), UV_ENOENT);
    assert_int_equal(clk_fs_replace("a//b/c/f", "x", 1, &how), 0);
    assert_int_equal(mode_of("a"), 0700);
    assert_int_equal(mode_of("a/b/c"), 0700);
    assert_int_equal(clk_fs_replace("a/b/c/f", "y", 1, &how), 0);
    assert_content("a/b/c/f", "y");
    assert_int_equal(clk_fs_replace("a/b/c/f/g", "y", 1, &how), UV_ENOTDIR);
}

static void only_files_are_replaced(void **state)
{
    struct clk_fs_write exclusive = {.mode = 0600, .exclusive = true};
    struct clk_fs_write follow = {.mode = 0600, .follow = true};

    (void)state;
    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(put("d", "x"), UV_EISDIR);
    assert_int_equal(put("d/", "x"), UV_EISDIR);
    assert_int_equal(mkfifo("p", 0600), 0);
    assert_int_equal(put("p", "x"), UV_EINVAL);
    assert_int_equal(put("d/target", "old"), 0);
    assert_int_equal(symlink("d/target", "link"), 0);
    assert_int_equal(put("link", "x"), UV_ELOOP);
    assert_content("d/target", "old");
    assert_int_equal(clk_fs_replace("link", "new", 3, &follow), 0);
    assert_content("d/target", "new");
    assert_int_equal(clk_fs_replace("link", "x", 1, &exclusive), UV_EEXIST);
    assert_int_equal(clk_fs_replace("e", "once", 4, &exclusive), 0);
    assert_int_equal(clk_fs_replace("e", "twice", 5, &exclusive), UV_EEXIST);
    assert_content("e", "once");
    assert_int_equal(unlink("d/target"), 0);
    assert_int_equal(clk_fs_replace("link", "x", 1, &follow), UV_ENOENT);
    assert_int_equal(names_in("d"), 0);
}

/* A write that fails half-way leaves the old content and nothing else. */
static void a_full_disk_changes_nothing(void **state)
{
    struct rlimit limit = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
    char *big = calloc(1, 100000);

    (void)state;
    assert_int_equal(put("f", "old"), 0);
    assert_int_equal(put("log", "line\n"), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(clk_fs_replace("f", big, 100000, &private_file), UV_EFBIG);
    assert_int_equal(clk_fs_append("log", big, 100000, 0600, true), UV_EFBIG);
    limit.rlim_cur = RLIM_INFINITY;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_content("f", "old");
    assert_content("log", "line\n");
    assert_int_equal(names_in("."), 2);
    free(big);
}

/* What our code calls instead of the C library's, to see its order and to let
   the disk fail. */
static struct {
    char order[8]; /* F, D: a file, a directory was synced; R: renamed */
    size_t count;
    bool broken;
} disk;

static void note_disk(char what)
{
    if (disk.count < sizeof(disk.order) - 1)
        disk.order[disk.count++] = what;
}

int fsync(int fd)
{
    struct stat st;

    if (fstat(fd, &st) == 0)
        note_disk(S_ISDIR(st.st_mode) ? 'D' : 'F');
    if (disk.broken) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    note_disk('R');
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

/* The content is on the disk before the name, and the name before we say so. */
static void replacing_waits_for_the_disk(void **state)
{
    (void)state;
    memset(&disk, 0, sizeof(disk));
    assert_int_equal(put("f", "old"), 0);
    assert_string_equal(disk.order, "FRD");
    disk.broken = true;
    assert_int_equal(put("f", "new"), UV_EIO);
    disk.broken = false;
    assert_content("f", "old");
    assert_int_equal(names_in("."), 1);
}

/* A process killed at any moment leaves the old or the new content, whole. */
static void a_killed_writer_leaves_a_whole_file(void **state)
{
    enum { SIZE = 300000, ROUNDS = 25 };
    char *text = malloc(SIZE);

    (void)state;
    memset(text, 'a', SIZE);
    assert_int_equal(clk_fs_replace("f", text, SIZE, &private_file), 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct clk_fs_reader reader;
        pid_t child = fork();

        if (child == 0) {
            for (char c = 'b';; c = (char)(c == 'z' ? 'a' : c + 1)) {
                memset(text, c, SIZE);
                clk_fs_replace("f", text, SIZE, &private_file);
            }
        }
        poll(NULL, 0, 1 + round % 7);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        assert_int_equal(clk_fs_reader_open(&reader, "f", SIZE), 0);
        assert_int_equal(clk_fs_reader_step(&reader), 0);
        assert_int_equal(reader.length, SIZE);
        for (int i = 1; i < SIZE; i++)
            if (reader.data[i] != reader.data[0])
                fail_msg("half a file");
        clk_fs_reader_close(&reader);
    }
    free(text);
}

static void appending_adds(void **state)
{
    (void)state;
    assert_int_equal(clk_fs_append("log", "a\n", 2, 0600, false), 0);
    assert_int_equal(clk_fs_append("log", "b\n", 2, 0600, true), 0);
    assert_content("log", "a\nb\n");
    assert_int_equal(mode_of("log"), 0600);
    assert_int_equal(symlink("log", "link"), 0);
    assert_int_equal(clk_fs_append("link", "c", 1, 0600, false), UV_ELOOP);
    assert_int_equal(mkfifo("p", 0600), 0);
    assert_int_equal(clk_fs_append("p", "c", 1, 0600, false), UV_ENXIO);
    assert_int_equal(clk_fs_append(".", "c", 1, 0600, false), UV_EISDIR);
}

/* --- directories --------------------------------------------------------- */

static void lists_are_sorted_and_bounded(void **state)
{
    struct clk_fs_list list;

    (void)state;
    assert_int_equal(put("b", ""), 0);
    assert_int_equal(put("a", ""), 0);
    assert_int_equal(put(".hidden", ""), 0);
    assert_int_equal(mkdir("C", 0700), 0);
    assert_int_equal(symlink("nowhere", "\xc3\xa9"), 0);
    assert_int_equal(clk_fs_list_read(&list, ".", 5), 0);
    assert_int_equal(list.count, 5);
    assert_string_equal(list.entries[0].name, ".hidden");
    assert_string_equal(list.entries[1].name, "C");
    assert_int_equal(list.entries[1].type, 'd');
    assert_string_equal(list.entries[2].name, "a");
    assert_int_equal(list.entries[2].type, 'f');
    assert_string_equal(list.entries[4].name, "\xc3\xa9");
    assert_int_equal(list.entries[4].type, 'l');
    clk_fs_list_free(&list);
    assert_int_equal(clk_fs_list_read(&list, ".", 4), UV_E2BIG);
    clk_fs_list_free(&list);
    assert_int_equal(clk_fs_list_read(&list, "a", 4), UV_ENOTDIR);
    clk_fs_list_free(&list);
    assert_int_equal(clk_fs_list_read(&list, "none", 4), UV_ENOENT);
    clk_fs_list_free(&list);
}

static void directories_are_made(void **state)
{
    (void)state;
    assert_int_equal(clk_fs_mkdir("a/b", 0700, false), UV_ENOENT);
    assert_int_equal(clk_fs_mkdir("a", 0700, false), 0);
    assert_int_equal(clk_fs_mkdir("a", 0700, false), UV_EEXIST);
    assert_int_equal(clk_fs_mkdir("a/b/c/", 0700, true), 0);
    assert_int_equal(clk_fs_mkdir("a/b/c", 0700, true), 0);
    assert_int_equal(put("a/f", ""), 0);
    assert_int_equal(clk_fs_mkdir("a/f", 0700, true), UV_ENOTDIR);
    assert_int_equal(clk_fs_mkdir("a/f/g", 0700, true), UV_ENOTDIR);
    assert_int_equal(clk_fs_mkdir("/", 0700, true), 0);
}

static void removing_follows_no_link(void **state)
{
    (void)state;
    assert_int_equal(clk_fs_mkdir("keep", 0700, false), 0);
    assert_int_equal(put("keep/f", "x"), 0);
    assert_int_equal(clk_fs_mkdir("d/e", 0700, true), 0);
    assert_int_equal(symlink("../keep", "d/link"), 0);
    assert_int_equal(put("d/e/f", "x"), 0);
    assert_int_equal(clk_fs_remove("d", false), UV_ENOTEMPTY);
    assert_int_equal(clk_fs_remove("d", true), 0);
    assert_int_equal(clk_fs_remove("d", true), UV_ENOENT);
    assert_content("keep/f", "x");
    assert_int_equal(symlink("keep", "link"), 0);
    assert_int_equal(clk_fs_remove("link", true), 0);
    assert_content("keep/f", "x");
    assert_int_equal(clk_fs_remove("keep/f", false), 0);
    assert_int_equal(clk_fs_remove("keep", false), 0);
    assert_int_equal(clk_fs_remove("none", false), UV_ENOENT);
}

static void wiping_overwrites_what_has_no_other_name(void **state)
{
    char text[8] = "";
    int fd;

    (void)state;
    assert_int_equal(clk_fs_mkdir("d/e", 0700, true), 0);
    assert_int_equal(put("d/e/f", "value"), 0);
    assert_int_equal(put("kept", "kept"), 0);
    assert_int_equal(link("kept", "d/also"), 0);
    assert_int_equal(symlink("../kept", "d/link"), 0);
    assert_int_equal(mkfifo("d/pipe", 0600), 0);
    fd = open("d/e/f", O_RDONLY | O_CLOEXEC);
    assert_int_equal(clk_fs_wipe("d"), 0);
    assert_int_equal(read(fd, text, sizeof(text)), 5);
    assert_memory_equal(text, "\0\0\0\0\0", 5);
    close(fd);
    assert_content("kept", "kept");
    assert_int_equal(clk_fs_wipe("d"), UV_ENOENT);
    assert_int_equal(clk_fs_wipe("kept"), 0);
}

static void memory_is_told_from_disk(void **state)
{
    (void)state;
    assert_false(clk_fs_in_memory("/proc"));
    assert_false(clk_fs_in_memory("/nonexistent"));
#ifdef __linux__
    assert_true(clk_fs_in_memory("/dev/shm"));
#endif
}

static void removing_is_bounded_in_depth(void **state)
{
    char path[400] = "d";

    (void)state;
    for (int i = 0; i < 80; i++)
        strncat(path, "/d", sizeof(path) - strlen(path) - 1);
    assert_int_equal(clk_fs_mkdir(path, 0700, true), 0);
    assert_int_equal(clk_fs_remove("d", true), UV_E2BIG);
    path[100] = '\0'; /* cut the deep end off, then it goes */
    assert_int_equal(clk_fs_remove(path, true), 0);
    assert_int_equal(clk_fs_remove("d", true), 0);
}

#ifdef CLK_DEV
/* Everything that allocates; true when all of it went well. */
static bool scenario(void)
{
    struct clk_fs_write how = {.mode = 0600, .parents = true};
    struct clk_fs_reader reader;
    struct clk_fs_list list;
    bool ok = clk_fs_replace("a/b/f", "text", 4, &how) == 0;

    ok = ok && clk_fs_reader_open(&reader, "/proc/self/status", 1 << 20) == 0;
    if (ok) {
        ok = clk_fs_reader_step(&reader) == 0;
        clk_fs_reader_close(&reader);
    }
    if (ok) {
        ok = clk_fs_list_read(&list, "a", 10) == 0;
        clk_fs_list_free(&list);
    }
    return ok;
}

static void failing_allocations_are_survived(void **state)
{
    unsigned long nth = 1;

    (void)state;
    for (;; nth++) {
        bool ok;

        clk_mem_fail_at(nth, false);
        ok = scenario();
        if (clk_mem_failures() == 0)
            break;
        assert_false(ok);
    }
    clk_mem_fail_at(0, false);
    assert_in_range(nth, 4, 100);
}
#endif

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(reads_are_bounded),
        TEST(reads_tell_why_not),
        TEST(permissions_are_told),
        TEST(a_pipe_is_read_in_steps),
        TEST(a_shared_descriptor_is_not_closed_nor_changed),
        TEST(a_file_is_private_whatever_the_umask),
        TEST(parents_are_made_private),
        TEST(only_files_are_replaced),
        TEST(a_full_disk_changes_nothing),
        TEST(replacing_waits_for_the_disk),
        TEST(a_killed_writer_leaves_a_whole_file),
        TEST(appending_adds),
        TEST(lists_are_sorted_and_bounded),
        TEST(directories_are_made),
        TEST(removing_follows_no_link),
        TEST(wiping_overwrites_what_has_no_other_name),
        TEST(memory_is_told_from_disk),
        TEST(removing_is_bounded_in_depth),
#ifdef CLK_DEV
        TEST(failing_allocations_are_survived),
#endif
    };

    return cmocka_run_group_tests_name("fs", tests, NULL, NULL);
}
