/* libsodium behind core/crypto.h. */
#include "core/crypto.h"

#include <sodium/core.h>
#include <sodium/crypto_scalarmult.h>
#include <sodium/crypto_secretbox.h>
#include <sodium/randombytes.h>
#include <string.h>

#include "core/secret.h"

enum { NONCE = crypto_secretbox_NONCEBYTES };

_Static_assert(CLK_CRYPTO_KEY == crypto_secretbox_KEYBYTES, "secretbox keys");
_Static_assert(CLK_CRYPTO_KEY == crypto_scalarmult_BYTES, "X25519 keys");
_Static_assert(CLK_CRYPTO_OVERHEAD == NONCE + crypto_secretbox_MACBYTES,
               "nonce and tag");

/* Doing it again costs nothing. */
static bool is_ready(void)
{
    return sodium_init() >= 0;
}

bool clk_crypto_random(void *out, size_t len)
{
    if (!is_ready())
        return false;
    randombytes_buf(out, len);
    return true;
}

bool clk_crypto_seal(const unsigned char key[CLK_CRYPTO_KEY],
                     const unsigned char *text, size_t len, unsigned char *out)
{
    if (!clk_crypto_random(out, NONCE))
        return false;
    return crypto_secretbox_easy(out + NONCE, text, len, out, key) == 0;
}

bool clk_crypto_open(const unsigned char key[CLK_CRYPTO_KEY],
                     const unsigned char *sealed, size_t len,
                     unsigned char *out)
{
    if (len < CLK_CRYPTO_OVERHEAD || !is_ready())
        return false;
    return crypto_secretbox_open_easy(out, sealed + NONCE, len - NONCE, sealed,
                                      key)
           == 0;
}

bool clk_crypto_public(unsigned char private_key[CLK_CRYPTO_KEY],
                       unsigned char public_key[CLK_CRYPTO_KEY])
{
    if (!is_ready())
        return false;
    private_key[0] &= 248;
    private_key[31] = (unsigned char)((private_key[31] & 127) | 64);
    return crypto_scalarmult_base(public_key, private_key) == 0;
}

size_t clk_base64_size(size_t len)
{
    return (len + 2) / 3 * 4;
}

/* 1 when a <= x <= b, else 0, without a branch; all are below 256. */
static unsigned within(unsigned x, unsigned a, unsigned b)
{
    return (((x - a) | (b - x)) >> 31) ^ 1;
}

/* The character of 6 bits, without a table that caches would tell about. */
static unsigned char digit_of(unsigned bits)
{
    unsigned c = within(bits, 0, 25) * (bits + 'A')
                 + within(bits, 26, 51) * (bits - 26 + 'a')
                 + within(bits, 52, 61) * (bits - 52 + '0')
                 + within(bits, 62, 62) * '+' + within(bits, 63, 63) * '/';

    return (unsigned char)c;
}

/* The 6 bits of a character; more than 63 for none. */
static unsigned bits_of(unsigned c)
{
    unsigned upper = within(c, 'A', 'Z'), small = within(c, 'a', 'z');
    unsigned digit = within(c, '0', '9'), plus = within(c, '+', '+');
    unsigned slash = within(c, '/', '/');
    unsigned any = upper | small | digit | plus | slash;

    return upper * (c - 'A') + small * (c - 'a' + 26) + digit * (c - '0' + 52)
           + plus * 62 + slash * 63 + (any ^ 1) * 64;
}

void clk_base64_write(const unsigned char *bytes, size_t len,
                      unsigned char *out)
{
    for (size_t i = 0; i < len; i += 3, out += 4) {
        unsigned second = i + 1 < len ? bytes[i + 1] : 0;
        unsigned third = i + 2 < len ? bytes[i + 2] : 0;
        unsigned group = (unsigned)bytes[i] << 16 | second << 8 | third;

        out[0] = digit_of(group >> 18);
        out[1] = digit_of(group >> 12 & 63);
        out[2] = i + 1 < len ? digit_of(group >> 6 & 63) : '=';
        out[3] = i + 2 < len ? digit_of(group & 63) : '=';
    }
}

bool clk_base64_read(const unsigned char *text, size_t len, unsigned char *out,
                     size_t *size)
{
    size_t pad = 0;
    unsigned wrong = 0;

    if (len % 4 != 0)
        return false;
    while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
        pad++;
    for (size_t i = 0; i < len; i += 4, out += 3) {
        size_t missing = i + 4 == len ? pad : 0;
        unsigned group = 0;

        for (size_t k = 0; k < 4; k++) {
            unsigned bits = k < 4 - missing ? bits_of(text[i + k]) : 0;

            wrong |= bits >> 6;
            group = group << 6 | (bits & 63);
        }
        out[0] = (unsigned char)(group >> 16);
        if (missing < 2)
            out[1] = (unsigned char)(group >> 8);
        if (missing < 1)
            out[2] = (unsigned char)group;
        /* Bits beyond the last byte are zero in the one true form. */
        wrong |= group & (missing == 2 ? 0xffffu : missing == 1 ? 0xffu : 0u);
    }
    *size = len / 4 * 3 - pad;
    return wrong == 0;
}
