/* Standard output and standard error: every byte goes through the masking of
   secrets, a full pipe or a stopped terminal never stops the loop, and a
   descriptor that other processes share keeps its flags. */
#ifndef CLK_TERM_OUT_H
#define CLK_TERM_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "core/secret.h"

/* One output descriptor with what is still to be written to it. */
struct clk_out;

/* `fd` stays the caller's. The set of secrets must outlive the output.
   `on_event(ud)` is called from the loop when something was written, or could
   not be, after clk_out_flush said UV_EAGAIN. UV_ENOMEM or UV_EBADF. */
int clk_out_open(struct clk_out **out, uv_loop_t *loop,
                 struct clk_secrets *secrets, int fd,
                 void (*on_event)(void *ud), void *ud);

/* Adds text to what is to be written, secrets masked. The end of the text is
   held back while it could be the beginning of a secret that the next text
   goes on with; `last` gives it free. Returns 0, UV_ENOMEM, or the error that
   ended the output. */
int clk_out_add(struct clk_out *out, const char *text, size_t length,
                bool last);

/* Writes as much as goes without blocking. 0: all of it; UV_EAGAIN: the rest
   follows by itself; else the error that ended the output (UV_EPIPE …). */
int clk_out_flush(struct clk_out *out);

/* As clk_out_flush, but blocks for up to `patience` ms while the reader is
   slow: for where nothing else can run meanwhile. UV_EAGAIN: it still is. */
int clk_out_finish(struct clk_out *out, int patience);

/* Bytes added and bytes written so far, masked. */
uint64_t clk_out_added(const struct clk_out *out);
uint64_t clk_out_sent(const struct clk_out *out);

/* Writes what goes without blocking, drops the rest, and frees the output. */
void clk_out_close(struct clk_out *out);

#endif
