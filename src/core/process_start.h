/* The start of a child, before the loop has anything to do with it. */
#ifndef CLK_PROCESS_START_H
#define CLK_PROCESS_START_H

#include <sys/types.h>

#include "core/process.h"

/* The descriptors of a child's pipes; -1 for none. */
struct clk_process_pipes {
    int ours[3];   /* write end of stdin, read ends of stdout and stderr */
    int theirs[3]; /* the other ends; of stdin perhaps /dev/null */
};

/* Opens the pipes, all close-on-exec and above standard error. 0 or a libuv
   error, and then nothing is open. */
int clk_process_open_pipes(struct clk_process_pipes *pipes, bool with_stdin);

/* Closes the descriptors and sets them to -1. */
void clk_process_close_fds(int *fds, int count);

/* Runs the program with `pipes->theirs`. 0 with its id in *pid, or a libuv
   error. */
int clk_process_start(const struct clk_process_options *options,
                      const struct clk_process_pipes *pipes, pid_t *pid,
                      bool *bad_cwd);

#endif
