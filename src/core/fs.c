/* Reading files and asking about them. */
#include "core/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

#include "core/mem.h"
#include "core/watch.h"

enum { FIRST_READ = 4096 };

/* --- reading ------------------------------------------------------------- */

int clk_fs_reader_open(struct clk_fs_reader *reader, const char *path,
                       size_t max)
{
    struct stat st;

    memset(reader, 0, sizeof(*reader));
    reader->max = max;
    /* Without O_NONBLOCK a pipe nobody writes to would stop the whole loop. */
    reader->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (reader->fd < 0 || fstat(reader->fd, &st) != 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return UV_EISDIR;
    /* Without a writer a read would say "end", where poll waits for one. */
    reader->polled = S_ISFIFO(st.st_mode);
    if (S_ISREG(st.st_mode) && st.st_size > 0) {
        if ((uintmax_t)st.st_size > max)
            return UV_E2BIG;
        /* One byte more shows the end without another round. */
        reader->size = (size_t)st.st_size + 1;
        reader->data = clk_malloc(reader->size);
        if (!reader->data)
            return UV_ENOMEM;
    }
    return 0;
}

static bool reader_grow(struct clk_fs_reader *reader)
{
    size_t size = reader->size ? reader->size * 2 : FIRST_READ;
    char *data;

    if (size > reader->max + 1)
        size = reader->max + 1;
    data = clk_realloc(reader->data, size);
    if (!data)
        return false;
    reader->data = data;
    reader->size = size;
    return true;
}

int clk_fs_reader_step(struct clk_fs_reader *reader)
{
    for (;;) {
        ssize_t count;

        if (reader->length > reader->max)
            return UV_E2BIG;
        if (reader->length == reader->size && !reader_grow(reader))
            return UV_ENOMEM;
        if (reader->polled && !clk_watch_ready(reader->fd, UV_READABLE))
            return UV_EAGAIN;
        count = read(reader->fd, reader->data + reader->length,
                     reader->size - reader->length);
        if (count == 0)
            return 0;
        if (count > 0)
            reader->length += (size_t)count;
        else if (errno != EINTR)
            return -errno;
    }
}

void clk_fs_reader_close(struct clk_fs_reader *reader)
{
    if (reader->fd >= 0 && !reader->shared)
        close(reader->fd);
    reader->fd = -1;
    clk_free(reader->data);
    reader->data = NULL;
    reader->length = reader->size = 0;
}

/* --- asking -------------------------------------------------------------- */

char clk_fs_type(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return 'f';
    case S_IFDIR: return 'd';
    case S_IFLNK: return 'l';
    case S_IFIFO: return 'p';
    case S_IFSOCK: return 's';
    case S_IFCHR: return 'c';
    case S_IFBLK: return 'b';
    default: return '?';
    }
}

bool clk_fs_in_memory(const char *path)
{
#ifdef __linux__
    static const uint32_t tmpfs = 0x01021994, ramfs = 0x858458f6;
    struct statfs fs;

    if (statfs(path, &fs) != 0)
        return false;
    return (uint32_t)fs.f_type == tmpfs || (uint32_t)fs.f_type == ramfs;
#else
    (void)path;
    return false;
#endif
}
