/* Text on its way to a terminal: made harmless, measured, cut. UTF-8; what is
   no valid UTF-8 counts as one replacement character per byte. */
#ifndef CLK_TEXT_H
#define CLK_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* What clk_text_decode gives for a byte that starts no valid character. */
enum { CLK_TEXT_INVALID = 0x110000 };

/* Decodes the character at the start of `s` (`length` > 0) and returns its
   length in bytes, 1 for an invalid one. */
size_t clk_text_decode(const unsigned char *s, size_t length, unsigned *code);

/* Copies `text` to `out` with everything a terminal could act on, or that hides
   or reorders what is seen, in visible form: control characters as \x1b or \n,
   others (C1 controls, bidirectional overrides, zero-width and other invisible
   characters) as \u{202e}, invalid bytes as U+FFFD. With `lines`, newlines and
   tabs are kept, and CR LF becomes a newline. Returns the length, at most
   4 * length; with `out` NULL only that. */
size_t clk_text_sanitize(const char *text, size_t length, bool lines,
                         char *out);

/* Columns the text takes on a terminal. Control characters take none: sanitize
   before measuring. */
size_t clk_text_columns(const char *text, size_t length);

/* How many bytes of the text fit into `columns`, whole characters only.
   `*used`, if not NULL, is set to the columns they take. */
size_t clk_text_fit(const char *text, size_t length, size_t columns,
                    size_t *used);

#endif
