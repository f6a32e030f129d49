/* The forms in which a secret's bytes travel inside other texts. Pure: bytes
   in, bytes out, nothing kept. */
#ifndef CLK_SECRET_FORM_H
#define CLK_SECRET_FORM_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes a text of `len` bytes needs as a JSON string, its quotes included; 0
   when it is not UTF-8 and thus no JSON string at all. */
size_t clk_json_size(const unsigned char *text, size_t len);

/* Writes that JSON string to `out`; `text` is UTF-8. Returns its size. */
size_t clk_json_write(const unsigned char *text, size_t len,
                      unsigned char *out);

/* Whether `flyctl secrets import` reads the value back byte for byte from
   NAME="""value""". Its parser has no escapes, so some values cannot be said;
   `name_len` counts because it reads lines of less than 64 KiB only. */
bool clk_import_fits(const unsigned char *value, size_t len, size_t name_len);

#endif
