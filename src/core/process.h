/* Child processes on the loop: no shell, nothing inherited, bounded memory.

   A child gets exactly the arguments, environment, directory and three
   descriptors it is given, default signal handling, and a session of its own,
   which is also the process group that is killed as a whole. Its output is read
   only as fast as it is taken: at most one chunk per stream is held, and a
   child that writes faster is made to wait by its pipe.

   A child has ended when its process has exited and both its output streams
   have reached their end. Should somebody else keep a stream open (a daemon it
   left behind), then the streams are closed after `kill_after` seconds of
   silence. */
#ifndef CLK_PROCESS_H
#define CLK_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "core/secret.h"

enum {
    CLK_PROCESS_CHUNK = 1 << 16, /* bytes held of each output stream */
    CLK_PROCESS_OUTPUTS = 2      /* stdout, stderr: 0 and 1 here */
};

/* One child; a heap block that outlives its handle until the child is reaped.
 */
struct clk_process;

/* What to run and how; read during clk_process_open only, save for stdin. */
struct clk_process_options {
    const char *file;  /* path of the program; not searched for */
    char *const *argv; /* NULL-terminated, argv[0] first */
    char *const *env;  /* NULL-terminated "NAME=value" */
    const char *cwd;   /* NULL: ours */
    /* Standard input: /dev/null without either of these. The secret is kept by
       reference; the bytes must stay where they are until clk_process_close. */
    struct clk_secret *secret;
    const void *bytes;
    size_t len;        /* of `bytes`; they may be empty, but not NULL */
    double timeout;    /* seconds until the group is terminated; 0: none */
    double kill_after; /* seconds from SIGTERM to SIGKILL */
    /* Called from the loop whenever there may be news. Must not close. */
    void (*on_event)(void *ud);
    void *ud;
};

/* How a child ended. */
struct clk_process_status {
    int code;       /* exit code, when signal is 0 */
    int signal;     /* the signal that killed it, or 0 */
    bool timed_out; /* the timeout made us terminate it */
};

/* Starts a child. Returns 0 or a libuv error: of the program (UV_ENOENT,
   UV_EACCES, UV_E2BIG, …), of the directory when *bad_cwd is set. */
int clk_process_open(struct clk_process **out, uv_loop_t *loop,
                     const struct clk_process_options *options, bool *bad_cwd);

/* The next chunk of output. 1: *stream (0 stdout, 1 stderr), *bytes and *len
   are set, valid until the next call; 0: there is no more; UV_EAGAIN: none yet,
   on_event will tell. */
int clk_process_read(struct clk_process *p, int *stream, const char **bytes,
                     size_t *len);

/* From now on output is read and thrown away, so that the child can end. */
void clk_process_drain(struct clk_process *p);

/* Whether the child has ended; if so, how. */
bool clk_process_ended(const struct clk_process *p,
                       struct clk_process_status *status);

/* Terminates the group: SIGTERM now, SIGKILL after `kill_after` seconds. */
void clk_process_terminate(struct clk_process *p);

/* Sends a signal to the group; SIGTERM as by clk_process_terminate. 0, or
   UV_ESRCH when the child has ended. */
int clk_process_signal(struct clk_process *p, int signal);

/* The child's process id, which is its group's and session's too. */
int clk_process_pid(const struct clk_process *p);

/* Gives the child up: if it has not ended, its group is killed at once. No
   event comes any more. NULL is allowed. */
void clk_process_close(struct clk_process *p);

/* Searches the absolute directories of `path` (colon-separated) for a program;
   a name with a slash is taken as it is. Returns 0 with a string to clk_free in
   *found, UV_ENOENT, UV_EACCES when something is there that cannot be run, or
   UV_ENOMEM. */
int clk_process_find(const char *name, const char *path, char **found);

#endif
