/* Reads a secret from a descriptor straight into its guarded pages. */
#ifndef CLK_SECRET_READ_H
#define CLK_SECRET_READ_H

#include <uv.h>

#include "core/secret.h"

/* A read in progress; one heap block that frees itself on the loop once it is
   closed. */
struct clk_secret_read;

/* Starts to read `fd` until its end. Files and devices that cannot be polled
   are read here and now; pipes, sockets and terminals as their bytes come. At
   most `max` (<= CLK_SECRET_MAX) bytes are accepted. `own_fd`: the descriptor
   is closed by this operation, even when starting fails; else it is left open
   and as it was. `on_end(ud)` is called from the loop when the result is there
   and was not at once. Returns 0 or a libuv error. */
int clk_secret_read_open(struct clk_secret_read **out, uv_loop_t *loop,
                         struct clk_secrets *set, int fd, bool own_fd,
                         size_t max, void (*on_end)(void *ud), void *ud);

/* UV_EAGAIN while reading; else 0 with the secret in *out (the caller's
   reference, given once), UV_E2BIG, or another libuv error. */
int clk_secret_read_result(struct clk_secret_read *read,
                           struct clk_secret **out);

/* Ends the read, if it has not ended, and frees the block. NULL is allowed. */
void clk_secret_read_close(struct clk_secret_read *read);

#endif
