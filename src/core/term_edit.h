/* Editing lines at the terminal, with history and completion, on the loop.

   libedit reads keys itself and would stop the loop in the midst of one (an
   escape sequence, a character of several bytes). Here the keys are put
   together on the loop, and it is called once for each whole one. */
#ifndef CLK_TERM_EDIT_H
#define CLK_TERM_EDIT_H

#include <stddef.h>

#include <uv.h>

struct clk_edit;

/* What the user did. */
enum clk_edit_event {
    CLK_EDIT_NOTHING,  /* still typing */
    CLK_EDIT_LINE,     /* Enter: the line is whole */
    CLK_EDIT_COMPLETE, /* Tab: insert or show something, then go on */
    CLK_EDIT_EOF,      /* Ctrl-D on an empty line, or the terminal is gone */
    CLK_EDIT_FAILED    /* out of memory, or the terminal cannot be set */
};

/* Opens an editor on the terminal `fd`. `on_event(ud)` is called from the loop
   when clk_edit_event may have changed. UV_ENOTTY; UV_ENOTSUP without the
   library or when the terminal can do nothing ($TERM is "dumb" or not set). */
int clk_edit_open(struct clk_edit **out, uv_loop_t *loop, int fd,
                  void (*on_event)(void *ud), void *ud);

/* Adds a line to the history, newest last; at most 1000 are kept. UV_ENOMEM. */
int clk_edit_remember(struct clk_edit *edit, const char *line);

/* Shows the prompt (copied) and begins a line. */
int clk_edit_start(struct clk_edit *edit, const char *prompt);

/* What happened; CLK_EDIT_COMPLETE is told once. */
enum clk_edit_event clk_edit_event(struct clk_edit *edit);

/* The line so far, without newline, valid until the next call; `*cursor` is the
   number of its bytes before the cursor. */
const char *clk_edit_line(struct clk_edit *edit, size_t *length,
                          size_t *cursor);

/* Inserts text at the cursor. */
void clk_edit_insert(struct clk_edit *edit, const char *text);

/* Shows text (whole lines, harmless) and the line being edited below it. */
void clk_edit_show(struct clk_edit *edit, const char *text, size_t length);

/* Restores the terminal and frees the editor. */
void clk_edit_close(struct clk_edit *edit);

#endif
