/* Files: bounded reads, atomic private writes, locks, directories.

   All functions but the lock's wait are plain system calls, made on the loop's
   thread: what is read and written here is small. Errors are libuv error
   numbers (on Unix: -errno). Paths are used as they are. */
#ifndef CLK_FS_H
#define CLK_FS_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/stat.h>
#include <sys/types.h>
#include <uv.h>

/* --- reading ------------------------------------------------------------- */

/* Reads a file to its end, in steps when it is a pipe or a terminal. For a
   descriptor of somebody else's set fd, shared, polled and max and open
   nothing. A pipe nobody has written to yet is waited for. */
struct clk_fs_reader {
    int fd;      /* -1 when closed */
    bool shared; /* somebody else's: is never closed here */
    bool polled; /* may block, or have no writer yet: poll before each read */
    char *data;
    size_t length, size;
    size_t max;
};

/* Opens a file to read at most `max` bytes. UV_EISDIR for a directory. Close it
   in any case. */
int clk_fs_reader_open(struct clk_fs_reader *reader, const char *path,
                       size_t max);

/* Reads on. 0 at the end: data and length are the content. UV_EAGAIN when the
   descriptor has no more for now; UV_E2BIG when there is more than `max`. */
int clk_fs_reader_step(struct clk_fs_reader *reader);

/* Frees the content too. */
void clk_fs_reader_close(struct clk_fs_reader *reader);

/* --- writing ------------------------------------------------------------- */

/* How a file is replaced. */
struct clk_fs_write {
    mode_t mode;    /* of the new file, whatever the umask */
    bool parents;   /* create missing directories, 0700 */
    bool exclusive; /* UV_EEXIST when the path exists */
    bool follow;    /* replace what a symbolic link points to */
};

/* Replaces or creates a file so that, also after a crash, either the old or the
   new content is there, whole. A symbolic link is refused with UV_ELOOP unless
   `follow`; a directory with UV_EISDIR, anything else that is no regular file
   with UV_EINVAL. */
int clk_fs_replace(const char *path, const void *data, size_t length,
                   const struct clk_fs_write *how);

/* Adds to the end of a regular file, creating it with `mode`. All or nothing as
   long as nobody else appends. `sync` waits for the disk. */
int clk_fs_append(const char *path, const void *data, size_t length,
                  mode_t mode, bool sync);

/* Writes all of it to a blocking descriptor. */
int clk_fs_write_all(int fd, const void *data, size_t length);

/* --- directories --------------------------------------------------------- */

/* Creates a directory; with `parents` also those above it, and it is no error
   that it exists. */
int clk_fs_mkdir(const char *path, mode_t mode, bool parents);

/* One name in a directory. */
struct clk_fs_entry {
    char *name;
    char type; /* as clk_fs_type */
};

/* The names in a directory, sorted by bytes, without "." and "..". */
struct clk_fs_list {
    struct clk_fs_entry *entries;
    size_t count, size;
};

/* Lists a directory; UV_E2BIG when it has more than `max` names. Free the list
   in any case. */
int clk_fs_list_read(struct clk_fs_list *list, const char *path, size_t max);
void clk_fs_list_free(struct clk_fs_list *list);

/* 'f' file, 'd' directory, 'l' symbolic link, 'p' pipe, 's' socket, 'c'
   character device, 'b' block device, '?' something else. */
char clk_fs_type(mode_t mode);

/* Removes a file, a symbolic link (not what it points to) or an empty
   directory; with `recursive` a directory with all it contains. UV_E2BIG when
   it is nested deeper than 64 levels. */
int clk_fs_remove(const char *path, bool recursive);

/* Removes a file or a directory with all it contains, and overwrites the files
   before, up to 64 MiB of each. */
int clk_fs_wipe(const char *path);

/* Whether what is written at a path stays in memory (tmpfs, ramfs): it is on no
   disk, unless the system swaps. False where that cannot be told. */
bool clk_fs_in_memory(const char *path);

/* --- locks --------------------------------------------------------------- */

/* Takes an exclusive lock on a file that exists for nothing else (created 0600,
   never removed). The kernel releases it when the process dies. UV_EAGAIN when
   another descriptor has it. `*fd` is the caller's to close, which unlocks. */
int clk_fs_lock(const char *path, int *fd);

#endif
