/* Recognises one secret at one place of a text, in each of the forms that an
   encoder may have given it. Nothing encoded is ever stored: the forms are
   computed from the secret while they are compared. */
#include "core/mask_unit.h"

#include <string.h>

static const struct clk_mask_match no_match;

static struct clk_mask_match found(size_t len, bool more)
{
    return (struct clk_mask_match){.len = len, .more = more};
}

static struct clk_mask_match match_raw(const struct clk_secret *s,
                                       const unsigned char *text, size_t len)
{
    size_t n = len < s->len ? len : s->len;

    if (memcmp(s->bytes, text, n) != 0)
        return no_match;
    return n == s->len ? found(n, false) : found(0, true);
}

/* How many bytes of the secret at `at` the unit stands for; 0 for none. */
static size_t unit_fits(const struct clk_secret *s, size_t at,
                        const struct clk_mask_unit *u)
{
    if (u->utf8_len && s->len - at >= u->utf8_len
        && memcmp(s->bytes + at, u->utf8, u->utf8_len) == 0)
        return u->utf8_len;
    if (u->no_byte)
        return 0;
    return s->bytes[at] == u->alt[0] || s->bytes[at] == u->alt[1];
}

static struct clk_mask_match match_units(const struct clk_secret *s,
                                         enum clk_mask_form form,
                                         const unsigned char *text, size_t len)
{
    unsigned char lead = clk_mask_unit_lead(form);
    size_t at = 0, used = 0;

    while (at < s->len) {
        struct clk_mask_unit u;
        size_t fits;

        if (used == len)
            return found(0, true);
        if (text[used] != lead && text[used] != '+') { /* no escape: the rule */
            if (text[used++] != s->bytes[at++])
                return no_match;
            continue;
        }
        u = clk_mask_unit(form, text + used, len - used);
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
    if (form == CLK_MASK_RAW)
        return match_raw(secret, text, len);
    if (form >= CLK_MASK_BASE64_0)
        return match_base64(secret, form, text, len);
    return match_units(secret, form, text, len);
}

/* Whether the form ever writes a byte of the secret in another way than raw: if
   not, it need not be looked for. */
static bool differs(const struct clk_secret *s, enum clk_mask_form form)
{
    for (size_t i = 0; i < s->len; i++) {
        if (clk_mask_unit_escapes(form, s->bytes[i]))
            return true;
    }
    return false;
}

void clk_mask_first_bytes(const struct clk_secret *secret,
                          enum clk_mask_form form,
                          void (*add)(void *ud, unsigned char c), void *ud)
{
    unsigned char c = secret->bytes[0], lead = clk_mask_unit_lead(form);

    if (form == CLK_MASK_RAW) {
        add(ud, c);
    } else if (form < CLK_MASK_BASE64_0) {
        if (!differs(secret, form))
            return;
        add(ud, c);
        if (lead != c && clk_mask_unit_escapes(form, c))
            add(ud, lead);
        if (form == CLK_MASK_PERCENT && c == ' ')
            add(ud, '+');
    } else {
        for (int digit = 0; digit < 256; digit++) {
            if (base64_value((unsigned char)digit)
                == sextet(secret, base64_start(form)))
                add(ud, (unsigned char)digit);
        }
    }
}

void clk_mask_second_bytes(struct clk_mask_entry *entry, unsigned char first)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                   "qrstuvwxyz0123456789+/";
    const struct clk_secret *s = entry->secret;
    unsigned char *second = entry->second;

    entry->any = false;
    second[0] = second[1] = second[2] = s->bytes[1];
    if (entry->form >= CLK_MASK_BASE64_0) {
        int digit = sextet(s, base64_start(entry->form) + 6);

        second[0] = second[1] = second[2] = (unsigned char)alphabet[digit];
        if (digit > 61)
            second[1] = digit == 62 ? '-' : '_';
    } else if (entry->form != CLK_MASK_RAW) {
        second[1] = clk_mask_unit_lead(entry->form);
        second[2] = '+';
        entry->any = first == second[1] || first != s->bytes[0];
    }
}
