/* Puts the bytes a terminal sends together to keys: a character of several
   bytes, or what an arrow key sends. Pure. */
#ifndef CLK_TERM_KEYS_H
#define CLK_TERM_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/* A key in the making, or one whose codes are being taken; zeroed at first. */
struct clk_keys {
    unsigned char bytes[32];
    size_t count, taken;
};

/* Adds a byte. True when the key is whole: take its codes, then clear. What is
   no key (an invalid byte, an endless sequence) is dropped. */
bool clk_keys_add(struct clk_keys *keys, unsigned char byte);

/* Whether a key has begun: after a pause it is no key but a lone Escape. */
bool clk_keys_begun(const struct clk_keys *keys);

/* The next code of a whole key: a Unicode character, or a byte of an escape
   sequence. False when there is none left. */
bool clk_keys_take(struct clk_keys *keys, unsigned *code);

/* Makes room for the next key. */
void clk_keys_clear(struct clk_keys *keys);

#endif
