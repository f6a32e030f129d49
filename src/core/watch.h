/* Tells when a descriptor that we did not open can be read or written.

   uv_poll makes its descriptor non-blocking, and that flag belongs to the open
   file, which standard input and output share with other processes: they would
   see it, also after our end. A watch leaves the flags alone. */
#ifndef CLK_WATCH_H
#define CLK_WATCH_H

#include <stdbool.h>

#include <uv.h>

struct clk_watch;

/* Watches `fd`, which must stay open, for reading or writing (as UV_READABLE,
   UV_WRITABLE). `on_ready(ud)` is called once for each clk_watch_arm. UV_EPERM
   for a regular file, which is always ready. */
int clk_watch_open(struct clk_watch **out, uv_loop_t *loop, int fd, int events,
                   void (*on_ready)(void *ud), void *ud);

/* Asks for one call of on_ready, when the descriptor is ready (or its other end
   is gone). */
int clk_watch_arm(struct clk_watch *watch);

/* Frees the watch; on_ready is not called any more. */
void clk_watch_close(struct clk_watch *watch);

/* Whether `fd` is ready for one of the events now. */
bool clk_watch_ready(int fd, int events);

#endif
