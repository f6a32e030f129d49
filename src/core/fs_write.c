/* Writing files so that nobody ever sees half of one, and making directories.
 */
#include "core/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"

enum {
    PRIVATE_FILE = 0600,
    PRIVATE_DIR = 0700,
    NAME_TRIES = 16, /* temporary names; one is enough but for bad luck */
    MAX_LEVELS = 256 /* of directories made at once */
};

/* --- helpers ------------------------------------------------------------- */

int clk_fs_write_all(int fd, const void *data, size_t length)
{
    const char *bytes = data;

    while (length > 0) {
        ssize_t count = write(fd, bytes, length);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -errno : UV_EIO;
        bytes += count;
        length -= (size_t)count;
    }
    return 0;
}

static int sync_fd(int fd)
{
    int result;

    do
        result = fsync(fd);
    while (result != 0 && errno == EINTR);
    /* Some file systems have nothing to sync for a directory. */
    return result == 0 || errno == EINVAL || errno == EROFS ? 0 : -errno;
}

/* Where a file is to be: its directory, open, and its name in there. */
struct place {
    int dir;
    char *copy;       /* the path, cut in two */
    const char *name; /* in copy */
};

static void place_close(struct place *place)
{
    if (place->dir >= 0)
        close(place->dir);
    clk_free(place->copy);
}

static int place_open(struct place *place, const char *path, bool parents)
{
    char *slash;
    const char *dir = ".";
    int error;

    place->dir = -1;
    place->copy = clk_strdup(path);
    if (!place->copy)
        return UV_ENOMEM;
    slash = strrchr(place->copy, '/');
    place->name = slash ? slash + 1 : place->copy;
    if (place->name[0] == '\0')
        return UV_EISDIR;
    if (slash) {
        *slash = '\0';
        dir = slash == place->copy ? "/" : place->copy;
    }
    error = parents ? clk_fs_mkdir(dir, PRIVATE_DIR, true) : 0;
    if (error)
        return error;
    place->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return place->dir < 0 ? -errno : 0;
}

/* --- replacing ----------------------------------------------------------- */

/* Whether the name may be replaced: it is free or a regular file. */
static int place_check(const struct place *place, bool exclusive)
{
    struct stat st;

    if (fstatat(place->dir, place->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : -errno;
    if (exclusive)
        return UV_EEXIST;
    switch (clk_fs_type(st.st_mode)) {
    case 'f': return 0;
    case 'd': return UV_EISDIR;
    case 'l': return UV_ELOOP;
    default: return UV_EINVAL;
    }
}

/* A new file beside the one to replace, under a name nobody can guess. */
static int temp_open(const struct place *place, char *name, size_t size)
{
    for (int i = 0; i < NAME_TRIES; i++) {
        unsigned char salt[8];
        unsigned long long number;
        int fd, error = uv_random(NULL, NULL, salt, sizeof(salt), 0, NULL);

        if (error)
            return error;
        memcpy(&number, salt, sizeof(number));
        snprintf(name, size, ".clanker-%016llx.tmp", number);
        fd = openat(place->dir, name,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    PRIVATE_FILE);
        if (fd >= 0 || errno != EEXIST)
            return fd >= 0 ? fd : -errno;
    }
    return UV_EEXIST;
}

static int temp_fill(int fd, const void *data, size_t length, mode_t mode)
{
    int error = clk_fs_write_all(fd, data, length);

    if (!error && fchmod(fd, mode) != 0)
        error = -errno;
    if (!error)
        error = sync_fd(fd);
    if (close(fd) != 0 && !error)
        error = -errno;
    return error;
}

static int temp_publish(const struct place *place, const char *temp,
                        bool exclusive)
{
    int result;

    if (!exclusive)
        result = renameat(place->dir, temp, place->dir, place->name);
    else
        result = linkat(place->dir, temp, place->dir, place->name, 0);
    if (result != 0)
        return -errno;
    if (exclusive)
        unlinkat(place->dir, temp, 0);
    return sync_fd(place->dir);
}

static int replace_in(const struct place *place, const void *data,
                      size_t length, const struct clk_fs_write *how)
{
    char temp[40];
    int fd, error = place_check(place, how->exclusive);

    if (error)
        return error;
    fd = temp_open(place, temp, sizeof(temp));
    if (fd < 0)
        return fd;
    error = temp_fill(fd, data, length, how->mode);
    if (!error)
        error = temp_publish(place, temp, how->exclusive);
    if (error)
        unlinkat(place->dir, temp, 0);
    return error;
}

static int replace(const char *path, const void *data, size_t length,
                   const struct clk_fs_write *how)
{
    struct place place;
    int error = place_open(&place, path, how->parents);

    if (!error)
        error = replace_in(&place, data, length, how);
    place_close(&place);
    return error;
}

int clk_fs_replace(const char *path, const void *data, size_t length,
                   const struct clk_fs_write *how)
{
    struct stat st;
    char *target;
    int error;

    if (!how->follow || lstat(path, &st) != 0 || !S_ISLNK(st.st_mode))
        return replace(path, data, length, how);
    target = realpath(path, NULL);
    if (!target)
        return -errno;
    error = replace(target, data, length, how);
    free(target);
    return error;
}

/* --- appending ----------------------------------------------------------- */

int clk_fs_append(const char *path, const void *data, size_t length,
                  mode_t mode, bool sync)
{
    struct stat st = {0};
    int error = 0;
    int fd = open(path,
                  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY
                      | O_NOFOLLOW | O_NONBLOCK,
                  mode);

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) != 0)
        error = -errno;
    else if (!S_ISREG(st.st_mode))
        error = UV_EINVAL;
    else
        error = clk_fs_write_all(fd, data, length);
    /* A full disk must not leave half a record behind. */
    if (error && S_ISREG(st.st_mode) && ftruncate(fd, st.st_size) != 0)
        error = -errno;
    if (!error && sync)
        error = sync_fd(fd);
    if (close(fd) != 0 && !error)
        error = -errno;
    return error;
}

/* --- directories --------------------------------------------------------- */

static int make_one(const char *path, mode_t mode)
{
    struct stat st;

    if (mkdir(path, mode) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    if (stat(path, &st) != 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : UV_ENOTDIR;
}

int clk_fs_mkdir(const char *path, mode_t mode, bool parents)
{
    char *copy;
    int error = 0, levels = 0;

    if (!parents)
        return mkdir(path, mode) == 0 ? 0 : -errno;
    copy = clk_strdup(path);
    if (!copy)
        return UV_ENOMEM;
    for (char *p = copy + 1; !error && *copy && *p; p++) {
        if (*p != '/' || p[-1] == '/')
            continue;
        *p = '\0';
        error = ++levels > MAX_LEVELS ? UV_ENAMETOOLONG : make_one(copy, mode);
        *p = '/';
    }
    if (!error)
        error = make_one(copy, mode);
    clk_free(copy);
    return error;
}
