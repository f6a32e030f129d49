/* Opening the memory of a rate table: creating, checking, replacing its file.
 */
#include "core/rate_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

#include "core/fs.h"
#include "core/mem.h"

#define MAGIC UINT64_C(0x636c6b2d72617465) /* "clk-rate" */
#define VERSION 1

/* How often opening starts anew because another process changed the file, and
   how often and long it waits for another process's lock: a second in all. */
#define MAX_OPENS 20
#define MAX_LOCKS 100
#define LOCK_PAUSE_NS 10000000

#define UNIQUE 6 /* characters that mkostemp makes unique */

/* What a file turned out to be. */
enum verdict { GOOD, REPLACE, REFUSE };

static int lock(int fd)
{
    const struct timespec pause = {0, LOCK_PAUSE_NS};

    for (int i = 0; i < MAX_LOCKS; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return uv_translate_sys_error(errno);
        nanosleep(&pause, NULL);
    }
    return UV_EBUSY;
}

/* Writes an empty table to `fd`: whole, since a hole in a mapped file is a
   crash once the disk is full. */
static int write_empty(int fd, uint64_t boot)
{
    struct clk_rate_file *file = clk_calloc(1, sizeof(*file));
    int error;

    if (!file)
        return UV_ENOMEM;
    file->head.magic = MAGIC;
    file->head.version = VERSION;
    file->head.slot_count = CLK_RATE_SLOTS;
    atomic_init(&file->head.boot, boot);
    error = clk_fs_write_all(fd, file, sizeof(*file));
    clk_free(file);
    return error;
}

/* Puts an empty table at `path`: over what is there, or only when nothing is
   (then another process's table is success, too). */
static int create(const char *path, uint64_t boot, bool replace)
{
    size_t len = strlen(path);
    char *temp = clk_calloc(1, len + sizeof(".") + UNIQUE);
    int fd, error;

    if (!temp)
        return UV_ENOMEM;
    memcpy(temp, path, len);
    temp[len] = '.';
    memset(temp + len + 1, 'X', UNIQUE); /* mkostemp's place holders */
    fd = mkostemp(temp, O_CLOEXEC);      /* mode 0600 */
    if (fd < 0) {
        error = uv_translate_sys_error(errno);
        clk_free(temp);
        return error;
    }
    error = write_empty(fd, boot);
    close(fd);
    if (!error && replace && rename(temp, path) != 0)
        error = uv_translate_sys_error(errno);
    if (!error && !replace && link(temp, path) != 0 && errno != EEXIST)
        error = uv_translate_sys_error(errno);
    if (error || !replace)
        unlink(temp);
    clk_free(temp);
    return error;
}

static bool is_zero(const void *p, size_t len)
{
    const unsigned char *bytes = p;

    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static enum verdict judge(int fd, const struct stat *st)
{
    struct clk_rate_head head;
    ssize_t n = pread(fd, &head, sizeof(head), 0);

    /* Empty or zeroed: the file system lost its contents in a crash. */
    if (n >= 0 && is_zero(&head, (size_t)n))
        return REPLACE;
    if (n != (ssize_t)sizeof(head) || head.magic != MAGIC)
        return REFUSE;
    if (head.version != VERSION || head.slot_count != CLK_RATE_SLOTS
        || st->st_size != (off_t)sizeof(struct clk_rate_file))
        return REPLACE;
    return GOOD;
}

/* Replaces the file that `fd` is. Its lock decides who does it; who comes
   second finds another file at the path. */
static int replace_file(const char *path, int fd, const struct stat *st,
                        uint64_t boot)
{
    struct stat now;
    int error = lock(fd);

    if (error)
        return error;
    if (stat(path, &now) == 0 && now.st_ino == st->st_ino
        && now.st_dev == st->st_dev)
        error = create(path, boot, true);
    flock(fd, LOCK_UN);
    return error;
}

static int check_owner(int fd, const struct stat *st)
{
    if (S_ISDIR(st->st_mode))
        return UV_EISDIR;
    if (!S_ISREG(st->st_mode))
        return UV_EINVAL;
    if (st->st_uid != geteuid())
        return UV_EPERM;
    if ((st->st_mode & 077) != 0 && fchmod(fd, 0600) != 0)
        return uv_translate_sys_error(errno);
    return 0;
}

/* Opens the file; `*again` when it was created or replaced and has to be looked
   at anew. */
static int open_once(struct clk_rate_table *t, const char *path, uint64_t boot,
                     bool *again)
{
    struct stat st;
    int error;

    *again = true;
    t->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (t->fd < 0 && errno == ENOENT)
        return create(path, boot, false);
    if (t->fd < 0)
        return uv_translate_sys_error(errno);
    if (fstat(t->fd, &st) != 0)
        return uv_translate_sys_error(errno);
    error = check_owner(t->fd, &st);
    if (error)
        return error;
    switch (judge(t->fd, &st)) {
    case GOOD: *again = false; return 0;
    case REPLACE: return replace_file(path, t->fd, &st, boot);
    default: return UV_EINVAL;
    }
}

static int map(struct clk_rate_table *t)
{
    void *p = mmap(NULL, sizeof(*t->file), PROT_READ | PROT_WRITE, MAP_SHARED,
                   t->fd, 0);

    if (p == MAP_FAILED)
        return uv_translate_sys_error(errno);
    t->file = p;
    return 0;
}

/* Empties a table of an earlier start of the machine. The new number is stored
   last: who sees it sees an empty table. */
static int renew(struct clk_rate_table *t, uint64_t boot)
{
    int error;

    if (boot == 0 || atomic_load(&t->file->head.boot) == boot)
        return 0;
    error = lock(t->fd);
    if (error)
        return error;
    if (atomic_load(&t->file->head.boot) != boot) {
        for (size_t i = 0; i < CLK_RATE_SLOTS; i++) {
            atomic_store(&t->file->slots[i].key, 0);
            atomic_store(&t->file->slots[i].word, 0);
            atomic_store(&t->file->slots[i].until, 0);
        }
        atomic_store(&t->file->head.boot, boot);
    }
    flock(t->fd, LOCK_UN);
    return 0;
}

static int open_file(struct clk_rate_table *t, const char *path, uint64_t boot)
{
    bool again = true;
    int error = 0;

    for (int i = 0; again && !error && i < MAX_OPENS; i++) {
        error = open_once(t, path, boot, &again);
        if (t->fd >= 0 && (again || error)) {
            close(t->fd);
            t->fd = -1;
        }
    }
    if (!error && again)
        error = UV_EBUSY;
    if (!error)
        error = map(t);
    return error ? error : renew(t, boot);
}

int clk_rate_table_open(struct clk_rate_table *t, const char *path,
                        uint64_t boot)
{
    int error = 0;

    t->file = NULL;
    t->fd = -1;
    if (!t->clock)
        t->clock = clk_rate_now;
    if (path)
        error = open_file(t, path, boot);
    else if (!(t->file = clk_calloc(1, sizeof(*t->file))))
        error = UV_ENOMEM;
    if (error)
        clk_rate_table_close(t);
    return error;
}

void clk_rate_table_close(struct clk_rate_table *t)
{
    if (t->fd >= 0 && t->file)
        munmap(t->file, sizeof(*t->file));
    else
        clk_free(t->file);
    t->file = NULL;
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}

uint64_t clk_rate_boot(void)
{
    char id[64];
    ssize_t n = -1;
#ifdef __linux__
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        n = read(fd, id, sizeof(id));
        close(fd);
    }
#endif
    return n > 0 ? clk_rate_key(id, (size_t)n) : 0;
}
