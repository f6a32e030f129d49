/* Locks between processes. */
#include "core/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

/* How often the file may be exchanged under us before we give up. */
enum { OPEN_TRIES = 8 };

/* The file may have been removed and made anew between open and flock: then
   the lock is on a file nobody else will look at. */
static bool is_current(int fd, const char *path)
{
    struct stat ours, named;

    return fstat(fd, &ours) == 0 && lstat(path, &named) == 0
           && ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

int clk_fs_lock(const char *path, int *out)
{
    for (int i = 0; i < OPEN_TRIES; i++) {
        int error;
        int fd = open(
            path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);

        if (fd < 0)
            return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            error = errno == EWOULDBLOCK ? UV_EAGAIN : -errno;
            close(fd);
            return error;
        }
        if (is_current(fd, path)) {
            *out = fd;
            return 0;
        }
        close(fd);
    }
    return UV_EAGAIN;
}
