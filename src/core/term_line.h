/* Asking for one line at the terminal, shown or hidden, on the loop.

   A hidden line is read byte by byte into memory of the caller; the terminal's
   echo comes back when the prompt is closed, however that happens: an answer,
   an error, a cancellation, a signal that suspends or ends the process. Nothing
   beyond the end of a shown line is read; what comes at once after a hidden one
   was pasted with it, and is refused without ever being shown. */
#ifndef CLK_TERM_LINE_H
#define CLK_TERM_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

/* One question. */
struct clk_line;

/* What to ask, and where the answer goes. */
struct clk_line_options {
    int fd;             /* the terminal, usually standard input */
    const char *prompt; /* copied; may be empty */
    size_t prompt_length;
    bool hidden;           /* no echo, and no limit of 4096 bytes to a line */
    unsigned char *buffer; /* not owned; must stay until the line is closed */
    size_t size;           /* bytes of buffer */
    void (*on_event)(void *ud); /* called from the loop when there is an end */
    void *ud;
};

/* Asks. UV_ENOTTY when `fd` is no terminal: then nothing was written. */
int clk_line_open(struct clk_line **out, uv_loop_t *loop,
                  const struct clk_line_options *options);

/* UV_EAGAIN while the line is being typed; 0 with its length (without the
   newline); UV_EOF when the input ended before a line began; UV_E2BIG for a
   line longer than the buffer; UV_EMSGSIZE for several lines at once where a
   hidden one was asked for; another error of the terminal. */
int clk_line_result(const struct clk_line *line, size_t *length);

/* Restores the terminal and frees the line. */
void clk_line_close(struct clk_line *line);

#endif
