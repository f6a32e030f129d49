/* A live secret is in no masked text, however that is cut into pieces. The
   first byte is the secret's length, the second that of the pieces. */
#include <stdbool.h>
#include <string.h>

#include "core/mem.h"
#include "core/secret.h"
#include "fuzz.h"

/* What came out so far. */
struct output {
    char *bytes;
    size_t len;
};

static void add(struct output *out, const char *bytes, size_t len)
{
    out->bytes = realloc(out->bytes, out->len + len + 1);
    MUST(out->bytes);
    memcpy(out->bytes + out->len, bytes, len);
    out->len += len;
}

static struct output mask_whole(struct clk_secrets *set, const char *text,
                                size_t len)
{
    struct output out = {NULL, 0};
    char *masked;
    size_t masked_len;

    if (clk_secret_mask(set, text, len, &masked, &masked_len) == 1) {
        add(&out, masked, masked_len);
        clk_free(masked);
    } else {
        add(&out, text, len);
    }
    return out;
}

static struct output mask_pieces(struct clk_secrets *set, const char *text,
                                 size_t len, size_t piece)
{
    struct clk_masker *masker = clk_masker_new(set);
    struct output out = {NULL, 0};

    MUST(masker);
    for (size_t at = 0, n; at < len || len == 0; at += n) {
        char *masked;
        size_t masked_len;
        bool last;
        int result;

        n = len - at < piece ? len - at : piece;
        last = at + n == len;
        result =
            clk_masker_feed(masker, text + at, n, last, &masked, &masked_len);
        MUST(result >= 0);
        if (result == 1) {
            add(&out, masked, masked_len);
            clk_free(masked);
        } else {
            add(&out, text + at, n);
        }
        if (last)
            break;
    }
    clk_masker_free(masker);
    return out;
}

/* The replacement may itself complete what looks like the secret. */
static bool has_letters_of_mask(const char *secret, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (secret[i] && strchr("[secret]", secret[i]))
            return true;
    return false;
}

static void check(struct clk_secrets *set, const char *secret,
                  size_t secret_len, const char *text, size_t len, size_t piece)
{
    struct output whole = mask_whole(set, text, len);
    struct output pieces = mask_pieces(set, text, len, piece);

    MUST(whole.len == pieces.len);
    MUST(memcmp(whole.bytes, pieces.bytes, whole.len) == 0);
    if (secret_len >= CLK_SECRET_MASK_MIN
        && !has_letters_of_mask(secret, secret_len))
        MUST(!memmem(whole.bytes, whole.len, secret, secret_len));
    free(whole.bytes);
    free(pieces.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct clk_secrets *set;
    struct clk_secret *secret;
    size_t secret_len, piece;
    char *all;

    if (size < 2 || size > 4096)
        return 0;
    secret_len = data[0] % 64;
    piece = 1 + data[1] % 32;
    if (secret_len > size - 2)
        secret_len = size - 2;
    all = exact_copy(data + 2, size - 2);
    set = clk_secrets_new();
    secret = clk_secret_copy(set, all, secret_len);
    MUST(set && secret);
    check(set, all, secret_len, all + secret_len, size - 2 - secret_len, piece);
    check(set, all, secret_len, all, size - 2, piece);
    clk_secret_unref(secret);
    clk_secrets_free(set);
    free(all);
    return 0;
}
