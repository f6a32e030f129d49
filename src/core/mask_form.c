/* Recognises one secret at one place of a text, in each of the forms that an
   encoder may have given it. Nothing encoded is ever stored: the forms are
   computed from the secret while they are compared. */
#include "core/secret_set.h"

#include <string.h>

static const struct clk_mask_match no_match;

static struct clk_mask_match found(size_t len, bool more)
{
    return (struct clk_mask_match){.len = len, .more = more};
}

static int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What reading one encoded byte or character gave. */
struct unit {
    size_t used;           /* bytes of text; 0: the text ended inside */
    unsigned char alt[2];  /* the byte it stands for, and an alternative */
    unsigned char utf8[4]; /* or these, when it stands for a character */
    size_t utf8_len;       /* 0: it does not */
    bool no_byte;          /* a character that is no single byte in any code */
};

static struct unit plain(unsigned char c, size_t used)
{
    return (struct unit){.used = used, .alt = {c, c}};
}

static struct clk_mask_match match_raw(const struct clk_secret *s,
                                       const unsigned char *text, size_t len)
{
    size_t n = len < s->len ? len : s->len;

    if (memcmp(s->bytes, text, n) != 0)
        return no_match;
    return n == s->len ? found(n, false) : found(0, true);
}

/* "%41" in either case, "+" for a space, anything else for itself. */
static struct unit percent_unit(const unsigned char *text, size_t len)
{
    struct unit u = plain(text[0], 1);

    if (text[0] == '+')
        u.alt[1] = ' ';
    if (text[0] != '%')
        return u;
    if (len < 3)
        return (struct unit){.used = len < 2 || hex_value(text[1]) >= 0 ? 0 : 1,
                             .alt = {'%', '%'}};
    if (hex_value(text[1]) >= 0 && hex_value(text[2]) >= 0)
        u = plain((unsigned char)(hex_value(text[1]) << 4 | hex_value(text[2])),
                  3);
    return u;
}

/* Four hex digits, -1 when they are not, -2 when the text ends inside. */
static long hex4(const unsigned char *text, size_t len)
{
    long value = 0;

    for (size_t i = 0; i < 4; i++) {
        if (i >= len)
            return -2;
        if (hex_value(text[i]) < 0)
            return -1;
        value = value << 4 | hex_value(text[i]);
    }
    return value;
}

static size_t put_utf8(unsigned char *out, unsigned long c)
{
    if (c < 0x80) {
        out[0] = (unsigned char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (unsigned char)(0xC0 | c >> 6);
        out[1] = (unsigned char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (unsigned char)(0xE0 | c >> 12);
        out[1] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (unsigned char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (unsigned char)(0xF0 | c >> 18);
    out[1] = (unsigned char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (unsigned char)(0x80 | (c & 0x3F));
    return 4;
}

/* "\u0041", with the second half of a surrogate pair when there is one. */
static struct unit json_character(const unsigned char *text, size_t len)
{
    long c = hex4(text + 2, len - 2), low;
    struct unit u = {.used = 6};

    if (c == -2)
        return (struct unit){.used = 0};
    if (c < 0)
        return plain('\\', 1);
    if (c >= 0xD800 && c < 0xDC00) {
        if (len < 8)
            return (struct unit){.used = 0};
        low = text[6] == '\\' && text[7] == 'u' ? hex4(text + 8, len - 8) : -1;
        if (low == -2)
            return (struct unit){.used = 0};
        if (low >= 0xDC00 && low < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            u.used = 12;
        }
    }
    u.utf8_len = put_utf8(u.utf8, (unsigned long)c);
    /* An encoder that takes bytes for Latin-1 writes \u00e9 for the byte E9. */
    u.alt[0] = u.alt[1] = (unsigned char)(c & 0xFF);
    u.no_byte = c > 0xFF;
    return u;
}

static struct unit json_unit(const unsigned char *text, size_t len)
{
    static const char names[] = "bfnrt\"\\/", values[] = "\b\f\n\r\t\"\\/";
    const char *name;

    if (text[0] != '\\')
        return plain(text[0], 1);
    if (len < 2)
        return (struct unit){.used = 0};
    if (text[1] == 'u')
        return json_character(text, len);
    name = text[1] ? strchr(names, text[1]) : NULL;
    return name ? plain((unsigned char)values[name - names], 2)
                : plain('\\', 1);
}

/* How many bytes of the secret at `at` the unit stands for; 0 for none. */
static size_t unit_fits(const struct clk_secret *s, size_t at,
                        const struct unit *u)
{
    if (u->utf8_len && s->len - at >= u->utf8_len
        && memcmp(s->bytes + at, u->utf8, u->utf8_len) == 0)
        return u->utf8_len;
    if (u->no_byte)
        return 0;
    return s->bytes[at] == u->alt[0] || s->bytes[at] == u->alt[1];
}

static struct clk_mask_match
match_units(const struct clk_secret *s, const unsigned char *text, size_t len,
            struct unit (*next)(const unsigned char *text, size_t len))
{
    size_t at = 0, used = 0;

    while (at < s->len) {
        struct unit u;
        size_t fits;

        if (used == len)
            return found(0, true);
        u = next(text + used, len - used);
        if (u.used == 0)
            return found(0, true);
        fits = unit_fits(s, at, &u);
        if (fits == 0)
            return no_match;
        at += fits;
        used += u.used;
    }
    return found(used, false);
}

/* The value of a base64 digit of either alphabet, -1 for anything else. */
static int base64_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* The first bit of the secret that starts a digit of its own, for a secret that
   begins at the first, second or third byte of a group. */
static size_t base64_start(enum clk_mask_form form)
{
    static const size_t start[] = {0, 4, 2};

    return start[form - CLK_MASK_BASE64_0];
}

/* Six bits of the secret; zeros behind its end, as an encoder pads. */
static int sextet(const struct clk_secret *s, size_t bit)
{
    size_t at = bit / 8;
    unsigned pair = (unsigned)s->bytes[at] << 8;

    if (at + 1 < s->len)
        pair |= s->bytes[at + 1];
    return (int)(pair >> (10 - bit % 8) & 0x3F);
}

/* The digits that depend on the secret alone; behind them, when the secret ends
   the encoded data, also the padded last digit and the "=" that follow. */
static struct clk_mask_match match_base64(const struct clk_secret *s,
                                          enum clk_mask_form form,
                                          const unsigned char *text, size_t len)
{
    size_t bit = base64_start(form), bits = 8 * s->len, used = 0, pad;

    for (; bit + 6 <= bits; bit += 6, used++) {
        if (used == len)
            return found(0, true);
        if (base64_value(text[used]) != sextet(s, bit))
            return no_match;
    }
    pad = bits == bit ? 0 : bits - bit == 4 ? 1 : 2;
    if (pad == 0)
        return found(used, false);
    if (used == len)
        return found(used, true);
    if (base64_value(text[used]) != sextet(s, bit))
        return found(used, false);
    for (used++; pad > 0; pad--, used++) {
        if (used == len)
            return found(used, true);
        if (text[used] != '=')
            break;
    }
    return found(used, false);
}

struct clk_mask_match clk_mask_match_at(const struct clk_secret *secret,
                                        enum clk_mask_form form,
                                        const unsigned char *text, size_t len)
{
    switch (form) {
    case CLK_MASK_RAW: return match_raw(secret, text, len);
    case CLK_MASK_PERCENT: return match_units(secret, text, len, percent_unit);
    case CLK_MASK_JSON: return match_units(secret, text, len, json_unit);
    default: return match_base64(secret, form, text, len);
    }
}

void clk_mask_first_bytes(const struct clk_secret *secret,
                          enum clk_mask_form form,
                          void (*add)(void *ud, unsigned char c), void *ud)
{
    unsigned char c = secret->bytes[0];

    if (form < CLK_MASK_BASE64_0) {
        add(ud, c);
        if (form == CLK_MASK_PERCENT && c != '%')
            add(ud, '%');
        if (form == CLK_MASK_PERCENT && c == ' ')
            add(ud, '+');
        if (form == CLK_MASK_JSON && c != '\\')
            add(ud, '\\');
        return;
    }
    for (int digit = 0; digit < 256; digit++) {
        if (base64_value((unsigned char)digit)
            == sextet(secret, base64_start(form)))
            add(ud, (unsigned char)digit);
    }
}
