/* Puts a terminal right when a signal suspends or ends the process in the midst
   of a question. What the program handles itself is not watched: SIGINT,
   SIGTERM and SIGHUP cancel the task that waits, and that closes the question.
 */
#ifndef CLK_TERM_GUARD_H
#define CLK_TERM_GUARD_H

#include <uv.h>

struct clk_guard;

/* Watches those of SIGHUP, SIGQUIT and SIGTSTP that nobody handles. When one
   comes `leave(ud)` is called, then the signal does what it does by default; if
   that suspended the process, `enter(ud)` is called when it goes on. */
int clk_guard_open(struct clk_guard **out, uv_loop_t *loop,
                   void (*leave)(void *ud), void (*enter)(void *ud), void *ud);

/* Stops watching. NULL is allowed. */
void clk_guard_close(struct clk_guard *guard);

/* Opens the terminal behind a descriptor again, with `flags` (O_RDWR,
   O_NONBLOCK …) that are then nobody else's. Where that is not allowed it is a
   duplicate, which may block. A descriptor or -1. */
int clk_terminal_open(int fd, int flags);

#endif
