/* Directories: listing them, removing and wiping them with all they contain. */
#include "core/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"

enum { FIRST_ENTRIES = 32, MAX_DEPTH = 64 };

enum { MAX_WIPED = 64 << 20 }; /* bytes of one file that are overwritten */

/* --- listing ------------------------------------------------------------- */

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static char entry_type(DIR *dir, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type != DT_UNKNOWN)
        return clk_fs_type(DTTOIF(entry->d_type));
    if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return '?';
    return clk_fs_type(st.st_mode);
}

static int list_add(struct clk_fs_list *list, const char *name, char type)
{
    if (list->count == list->size) {
        size_t size = list->size ? list->size * 2 : FIRST_ENTRIES;
        void *entries =
            clk_realloc(list->entries, size * sizeof(*list->entries));

        if (!entries)
            return UV_ENOMEM;
        list->entries = entries;
        list->size = size;
    }
    list->entries[list->count].name = clk_strdup(name);
    list->entries[list->count].type = type;
    if (!list->entries[list->count].name)
        return UV_ENOMEM;
    list->count++;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct clk_fs_entry *x = a, *y = b;

    return strcmp(x->name, y->name);
}

int clk_fs_list_read(struct clk_fs_list *list, const char *path, size_t max)
{
    DIR *dir = opendir(path);
    int error = 0;

    memset(list, 0, sizeof(*list));
    if (!dir)
        return -errno;
    while (!error) {
        struct dirent *entry;

        errno = 0;
        entry = readdir(dir);
        if (!entry) {
            error = -errno;
            break;
        }
        if (is_dots(entry->d_name))
            continue;
        error = list->count == max
                    ? UV_E2BIG
                    : list_add(list, entry->d_name, entry_type(dir, entry));
    }
    closedir(dir);
    if (!error && list->count > 1)
        qsort(list->entries, list->count, sizeof(*list->entries), by_name);
    return error;
}

void clk_fs_list_free(struct clk_fs_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        clk_free(list->entries[i].name);
    clk_free(list->entries);
    memset(list, 0, sizeof(*list));
}

/* --- removing ------------------------------------------------------------ */

/* Overwrites a regular file that has no other name. Best effort: it is removed
   in any case. */
static void overwrite(int dir, const char *name)
{
    static const char zeros[4096];
    int fd = openat(dir, name,
                    O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    off_t left;

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1) {
        left = st.st_size < MAX_WIPED ? st.st_size : MAX_WIPED;
        while (left > 0) {
            size_t size =
                left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros);
            ssize_t count = write(fd, zeros, size);

            if (count <= 0)
                break;
            left -= count;
        }
        (void)fsync(fd); /* else the zeros would be forgotten with the name */
    }
    close(fd);
}

static int remove_at(int dir, const char *name, bool wipe, int depth);

/* Empties a directory. Everything is named relative to an open descriptor, so
   that a directory swapped for a symbolic link leads nowhere. */
static int empty_directory(int fd, bool wipe, int depth)
{
    DIR *dir = fdopendir(fd);
    int error = 0;

    if (!dir) {
        error = -errno;
        close(fd);
        return error;
    }
    while (!error) {
        struct dirent *entry;

        errno = 0;
        entry = readdir(dir);
        if (!entry) {
            error = -errno;
            break;
        }
        if (!is_dots(entry->d_name))
            error = remove_at(dirfd(dir), entry->d_name, wipe, depth + 1);
        if (error == UV_ENOENT) /* somebody else was faster */
            error = 0;
    }
    closedir(dir);
    return error;
}

static int remove_at(int dir, const char *name, bool wipe, int depth)
{
    int fd, error;

    if (wipe)
        overwrite(dir, name);
    if (unlinkat(dir, name, 0) == 0)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    if (depth >= MAX_DEPTH)
        return UV_E2BIG;
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) /* EPERM was about the file itself */
        return errno == ENOTDIR ? UV_EPERM : -errno;
    error = empty_directory(fd, wipe, depth);
    if (!error && unlinkat(dir, name, AT_REMOVEDIR) != 0)
        error = -errno;
    return error;
}

int clk_fs_remove(const char *path, bool recursive)
{
    if (recursive)
        return remove_at(AT_FDCWD, path, false, 0);
    if (unlink(path) == 0)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    if (rmdir(path) == 0)
        return 0;
    return errno == ENOTDIR ? UV_EPERM : -errno;
}

int clk_fs_wipe(const char *path)
{
    return remove_at(AT_FDCWD, path, true, 0);
}
