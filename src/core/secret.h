/* Secrets: bytes that must not leak, kept in C and never in a Lua string.

   Each secret has pages of its own, locked into memory, left out of core dumps
   and of forked children, with an unmapped page on either side; they are wiped
   before they are given back. What *uses* a secret copies it into ordinary heap
   memory on its way out; core/wipe.c sees to those copies once they are freed.
   A connection that is kept open frees its buffers when it is closed, not when
   the secret is.

   While a process holds its first secret it can no longer dump core, and in a
   release build other processes of the same user can no longer attach to it or
   read its memory (PR_SET_DUMPABLE). A dev build stays attachable: debuggers
   work, and the tests can prove from /proc/self/mem what this file promises. */
#ifndef CLK_SECRET_H
#define CLK_SECRET_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CLK_SECRET_MAX = 1 << 20, /* bytes in one secret */
    CLK_SECRETS_MAX = 8192,   /* live secrets in one process */
    CLK_SECRET_MASK_MIN =
        4,                /* shorter ones are not masked: any text has them */
    CLK_DIGEST_SIZE = 16, /* bytes in a digest */
    CLK_SECRET_READ_MAX = 1
                          << 16 /* default limit of files and pipes, in bytes */
};

struct clk_secrets;

/* One secret; counted references, freed (and wiped) with the last. */
struct clk_secret {
    unsigned char *bytes; /* never NULL; writable until sealed */
    size_t len;           /* bytes in use; 0 until sealed */
    size_t cap;           /* bytes that fit */
    unsigned refs;
    void *map;               /* the mapping, its guard pages included */
    size_t map_size;         /* in bytes */
    struct clk_secrets *set; /* NULL once the set is gone */
    struct clk_secret *prev, *next;
};

/* The live secrets of one host, which is what masking looks for. NULL when
   memory is out. */
struct clk_secrets *clk_secrets_new(void);

/* Frees the set; secrets that somebody still refers to are wiped at once and
   freed with their last reference. NULL is allowed. */
void clk_secrets_free(struct clk_secrets *set);

/* Overwrites every live secret with zeros and makes it empty; handles stay
   valid. For an exit that skips destructors. NULL is allowed. */
void clk_secrets_wipe(struct clk_secrets *set);

/* How many secrets are live. */
size_t clk_secrets_count(const struct clk_secrets *set);

/* A secret with room for `cap` bytes (<= CLK_SECRET_MAX + 1, so that a reader
   can tell "full" from "too much") and one reference, the caller's. Fill
   `bytes`, then seal it. NULL when memory is out or the set is full. */
struct clk_secret *clk_secret_new(struct clk_secrets *set, size_t cap);

/* The same, filled with a copy of `len` bytes and sealed. */
struct clk_secret *clk_secret_copy(struct clk_secrets *set, const void *bytes,
                                   size_t len);

/* Declares the first `len` <= cap bytes the secret's content; masked from now
 * on. */
void clk_secret_seal(struct clk_secret *secret, size_t len);

/* Another owner; returns its argument. */
struct clk_secret *clk_secret_ref(struct clk_secret *secret);

/* One owner less; the last one wipes. NULL is allowed. */
void clk_secret_unref(struct clk_secret *secret);

/* Whether two byte strings are the same, in a time that depends on the lengths
   alone. */
bool clk_secret_same(const void *a, size_t a_len, const void *b, size_t b_len);

/* What tells this secret from others without telling what it is: the same for
   the same bytes and key, and of no use for finding either. Of a key, at most
   64 bytes count. */
void clk_secret_digest(const struct clk_secret *secret, const void *key,
                       size_t key_len, unsigned char out[CLK_DIGEST_SIZE]);

/* Zeroes memory in a way no compiler leaves out. */
void clk_wipe(void *p, size_t len);

/* Zeroes the part of the C stack that calls made so far have used and left. */
void clk_wipe_stack(void);

/* Masked text is `text` with every occurrence of a live secret (of at least
   CLK_SECRET_MASK_MIN bytes) replaced by "[secret]": its bytes, also when they
   are percent-encoded, escaped with backslashes (JSON, YAML, C), HTML entities,
   written with doubled quotes (CSV), or within base64 at any alignment.
   Returns 0 when there is nothing to replace (*out is NULL: use `text` itself),
   1 with the masked text in *out (clk_free it; not terminated) and its length
   in *out_len, or -1 when memory is out. `set` may be NULL. */
int clk_secret_mask(struct clk_secrets *set, const char *text, size_t len,
                    char **out, size_t *out_len);

/* Masks a stream whose chunks may end in the midst of a secret: holds back what
   could be the beginning of one, at most ten times the longest secret. */
struct clk_masker;

/* NULL when memory is out. The set must outlive the masker. */
struct clk_masker *clk_masker_new(struct clk_secrets *set);

/* Wipes what is held back. NULL is allowed. */
void clk_masker_free(struct clk_masker *masker);

/* Takes a chunk and gives what can be written by now, as clk_secret_mask does
   (0: the chunk itself). `last` gives everything. On -1 the chunk was not
   taken. */
int clk_masker_feed(struct clk_masker *masker, const char *text, size_t len,
                    bool last, char **out, size_t *out_len);

#endif
