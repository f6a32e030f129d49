/* A directory of its own for every test; for t_fs*.c. */
#ifndef FS_DIR_H
#define FS_DIR_H

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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/fs.h"
#include "core/mem.h"
#include "core/watch.h"

/* Every test works in a directory of its own. */
static char root[64];

static inline int set_up(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), "/tmp/clanker-t-fs-XXXXXX");
    if (!mkdtemp(root) || chdir(root) != 0)
        return -1;
    umask(022);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    if (chdir("/") != 0)
        return -1;
    chmod(root, 0700);
    return clk_fs_remove(root, true);
}

static const struct clk_fs_write private_file = {.mode = 0600};

static inline int put(const char *path, const char *text)
{
    return clk_fs_replace(path, text, strlen(text), &private_file);
}

static inline void assert_content(const char *path, const char *text)
{
    struct clk_fs_reader reader;

    assert_int_equal(clk_fs_reader_open(&reader, path, 1 << 20), 0);
    assert_int_equal(clk_fs_reader_step(&reader), 0);
    assert_int_equal(reader.length, strlen(text));
    assert_memory_equal(reader.data, text, strlen(text));
    clk_fs_reader_close(&reader);
}

static inline mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static inline size_t names_in(const char *path)
{
    struct clk_fs_list list;
    size_t count;

    assert_int_equal(clk_fs_list_read(&list, path, 1000), 0);
    count = list.count;
    clk_fs_list_free(&list);
    return count;
}

#endif
