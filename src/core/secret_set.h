/* The set of live secrets and its search index; for the secret
   and mask files of this directory only. */
#ifndef CLK_SECRET_SET_H
#define CLK_SECRET_SET_H

#include <stdint.h>

#include "core/secret.h"

/* The forms a secret may have in a text; see core/mask_form.c. */
enum clk_mask_form {
    CLK_MASK_RAW,
    CLK_MASK_PERCENT,    /* %41, and + for a space */
    CLK_MASK_BACKSLASH,  /* \n, \", \u0041, \x41, \u{41} */
    CLK_MASK_ENTITY,     /* &quot; and &#39; */
    CLK_MASK_QUOTE,      /* "" for a quote */
    CLK_MASK_APOSTROPHE, /* '' for an apostrophe */
    CLK_MASK_BASE64_0,   /* base64, the secret beginning at the first … */
    CLK_MASK_BASE64_1,   /* … second … */
    CLK_MASK_BASE64_2,   /* … or third byte of a group of three */
    CLK_MASK_FORMS
};

/* "An occurrence of this secret in this form may begin here". */
struct clk_mask_entry {
    struct clk_secret *secret;
    enum clk_mask_form form;
    bool any; /* every byte can follow; else one of these: */
    unsigned char second[3];
};

/* All live secrets, with what could begin at each byte value. */
struct clk_secrets {
    struct clk_secret *first;
    size_t count;
    bool hardened;                /* the process forbids core dumps */
    bool stale;                   /* the index no longer fits the secrets */
    struct clk_mask_entry *index; /* grouped by first byte */
    uint32_t start[257];          /* byte c: index[start[c] … start[c + 1]) */
};

/* What a form found at one place of a text. */
struct clk_mask_match {
    size_t len; /* of the longest occurrence, 0 for none */
    bool more; /* the text ended too early to know whether there is a longer one
                */
};

/* Calls `add(ud, c)` for every byte that an occurrence can begin with. */
void clk_mask_first_bytes(const struct clk_secret *secret,
                          enum clk_mask_form form,
                          void (*add)(void *ud, unsigned char c), void *ud);

/* Sets the entry's bytes that can follow `first`, to reject most places fast.
 */
void clk_mask_second_bytes(struct clk_mask_entry *entry, unsigned char first);

/* Looks for an occurrence at the very beginning of `text`. */
struct clk_mask_match clk_mask_match_at(const struct clk_secret *secret,
                                        enum clk_mask_form form,
                                        const unsigned char *text, size_t len);

#endif
