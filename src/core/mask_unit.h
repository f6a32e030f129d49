/* Reads one escaped byte or character of a text; for mask_form.c. */
#ifndef CLK_MASK_UNIT_H
#define CLK_MASK_UNIT_H

#include "core/secret_set.h"

/* What one byte, or one escape sequence, of a text stands for. */
struct clk_mask_unit {
    size_t used;           /* bytes of text; 0: the text ended inside */
    unsigned char alt[2];  /* the byte it stands for, and an alternative */
    unsigned char utf8[4]; /* or these, when it stands for a character */
    size_t utf8_len;       /* 0: it does not */
    bool no_byte;          /* a character that is no single byte in any code */
};

/* The unit at the beginning of `text` (len > 0) as the form writes it. Anything
   that is no escape sequence stands for itself. */
struct clk_mask_unit clk_mask_unit(enum clk_mask_form form,
                                   const unsigned char *text, size_t len);

/* What an escape sequence of the form begins with; in percent-encoding "+" is
   another one. */
unsigned char clk_mask_unit_lead(enum clk_mask_form form);

/* Whether the form may write the byte as something else than itself. */
bool clk_mask_unit_escapes(enum clk_mask_form form, unsigned char byte);

#endif
