/* Starting programs with posix_spawn, which on Linux neither copies page tables
   nor runs our code in the child; see core/process.h for what a child gets. */
#include "core/process_start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"

#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 34)
#define HAVE_CLOSEFROM
#endif
#endif

enum { FIRST_FREE_FD = 3 };

/* Moves a descriptor above standard error, where dup2 onto 0, 1 and 2 in the
   child cannot overwrite it (we may have been started with those closed). */
static int lift(int fd)
{
    int high;

    if (fd < 0 || fd >= FIRST_FREE_FD)
        return fd;
    high = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    close(fd);
    return high;
}

static bool open_pipe(int *read_end, int *write_end)
{
    int fds[2];

#ifdef __linux__
    if (pipe2(fds, O_CLOEXEC) != 0)
        return false;
#else
    if (pipe(fds) != 0)
        return false;
    (void)fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(fds[1], F_SETFD, FD_CLOEXEC);
#endif
    *read_end = lift(fds[0]);
    *write_end = lift(fds[1]);
    return *read_end >= 0 && *write_end >= 0;
}

void clk_process_close_fds(int *fds, int count)
{
    for (int i = 0; i < count; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}

static bool open_stdin(struct clk_process_pipes *pipes, bool with_stdin)
{
    if (with_stdin)
        return open_pipe(&pipes->theirs[0], &pipes->ours[0]);
    pipes->theirs[0] = lift(open("/dev/null", O_RDONLY | O_CLOEXEC));
    return pipes->theirs[0] >= 0;
}

int clk_process_open_pipes(struct clk_process_pipes *pipes, bool with_stdin)
{
    int error;

    memset(pipes, -1, sizeof(*pipes));
    if (open_stdin(pipes, with_stdin)
        && open_pipe(&pipes->ours[1], &pipes->theirs[1])
        && open_pipe(&pipes->ours[2], &pipes->theirs[2]))
        return 0;
    error = uv_translate_sys_error(errno);
    clk_process_close_fds(pipes->ours, 3);
    clk_process_close_fds(pipes->theirs, 3);
    return error;
}

/* Its descriptors: three, and no other that we have or were given. */
static int add_descriptors(posix_spawn_file_actions_t *actions,
                           const int *theirs)
{
    int error = 0;

    for (int fd = 0; fd < 3 && !error; fd++)
        error = posix_spawn_file_actions_adddup2(actions, theirs[fd], fd);
#ifdef HAVE_CLOSEFROM
    if (!error)
        error =
            posix_spawn_file_actions_addclosefrom_np(actions, FIRST_FREE_FD);
#endif
    return error;
}

/* No blocked and no ignored signal, and a session of its own. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    short flags =
        POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID;
    sigset_t none, all;
    int error;

#ifdef POSIX_SPAWN_CLOEXEC_DEFAULT
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
    sigemptyset(&none);
    /* Not sigfillset, which leaves out the two signals of glibc's threads:
       those it would set to "ignored". */
    memset(&all, 0xff, sizeof(all));
    error = posix_spawnattr_setsigmask(attributes, &none);
    if (!error)
        error = posix_spawnattr_setsigdefault(attributes, &all);
    if (!error)
        error = posix_spawnattr_setflags(attributes, flags);
    return error;
}

static int spawn(const struct clk_process_options *o, const int *theirs,
                 pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);

    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    error = set_attributes(&attributes);
    if (!error)
        error = add_descriptors(&actions, theirs);
    if (!error && o->cwd)
        error = posix_spawn_file_actions_addchdir_np(&actions, o->cwd);
    if (!error)
        error =
            posix_spawn(pid, o->file, &actions, &attributes, o->argv, o->env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Why a directory cannot be entered; 0 when it can. */
static int check_cwd(const char *cwd)
{
    struct stat st;

    if (stat(cwd, &st) != 0)
        return errno;
    if (!S_ISDIR(st.st_mode))
        return ENOTDIR;
    return access(cwd, X_OK) == 0 ? 0 : errno;
}

int clk_process_start(const struct clk_process_options *options,
                      const struct clk_process_pipes *pipes, pid_t *pid,
                      bool *bad_cwd)
{
    int error = spawn(options, pipes->theirs, pid);

    *bad_cwd = false;
    if (error == 0)
        return 0;
    if (options->cwd) {
        int reason = check_cwd(options->cwd);

        *bad_cwd = reason != 0;
        error = reason ? reason : error;
    }
    return uv_translate_sys_error(error);
}

static int check_program(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return errno == EACCES ? UV_EACCES : UV_ENOENT;
    return S_ISREG(st.st_mode) && access(path, X_OK) == 0 ? 0 : UV_EACCES;
}

/* "directory/name" for a directory of the search path; NULL: out of memory. */
static char *join(const char *directory, size_t len, const char *name)
{
    size_t name_size = strlen(name) + 1;
    char *path = clk_malloc(len + 1 + name_size);

    if (!path)
        return NULL;
    memcpy(path, directory, len);
    path[len] = '/';
    memcpy(path + len + 1, name, name_size);
    return path;
}

int clk_process_find(const char *name, const char *path, char **found)
{
    int result = UV_ENOENT;

    *found = NULL;
    if (strchr(name, '/')) {
        *found = clk_strdup(name);
        return *found ? 0 : UV_ENOMEM;
    }
    while (path && *path && *name) {
        size_t len = strcspn(path, ":");
        char *candidate = *path == '/' ? join(path, len, name) : NULL;
        int error = candidate ? check_program(candidate) : UV_ENOENT;

        if (*path == '/' && !candidate)
            return UV_ENOMEM;
        if (error == 0) {
            *found = candidate;
            return 0;
        }
        clk_free(candidate);
        if (error == UV_EACCES)
            result = UV_EACCES;
        path += len + (path[len] == ':');
    }
    return result;
}
