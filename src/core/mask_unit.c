/* The escape sequences of the texts a secret may end up in. */
#include "core/mask_unit.h"

#include <string.h>

enum { LONGEST_ENTITY = 10, LONGEST_BRACES = 11, LAST_CHARACTER = 0x10FFFF };

static const struct clk_mask_unit cut_off = {.used = 0};

static struct clk_mask_unit plain(unsigned char c, size_t used)
{
    return (struct clk_mask_unit){.used = used, .alt = {c, c}};
}

static int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
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

/* A character by its number. An encoder that takes bytes for Latin-1 writes the
   byte E9 as character E9, which is also the alternative here. */
static struct clk_mask_unit character(unsigned long c, size_t used)
{
    struct clk_mask_unit u = plain((unsigned char)(c & 0xFF), used);

    u.no_byte = c > 0xFF;
    if (c >= 0x80)
        u.utf8_len = put_utf8(u.utf8, c);
    return u;
}

/* `count` hex digits at text[from]; -1 when they are not, -2 when the text ends
   before that is known. */
static long digits(const unsigned char *text, size_t len, size_t from,
                   size_t count)
{
    long value = 0;

    for (size_t i = from; i < from + count; i++) {
        if (i >= len)
            return -2;
        if (hex_value(text[i]) < 0)
            return -1;
        value = value << 4 | hex_value(text[i]);
    }
    return value;
}

/* "%41" in either case, "+" for a space. */
static struct clk_mask_unit percent(const unsigned char *text, size_t len)
{
    struct clk_mask_unit u = plain(text[0], 1);
    long value;

    if (text[0] == '+')
        u.alt[1] = ' ';
    if (text[0] != '%')
        return u;
    value = digits(text, len, 1, 2);
    if (value == -2)
        return cut_off;
    return value < 0 ? u : plain((unsigned char)value, 3);
}

/* "\u0041", with the second half of a surrogate pair when there is one. */
static struct clk_mask_unit backslash_u(const unsigned char *text, size_t len)
{
    long c = digits(text, len, 2, 4), low;

    if (c == -2)
        return cut_off;
    if (c < 0)
        return plain('\\', 1);
    if (c < 0xD800 || c >= 0xDC00)
        return character((unsigned long)c, 6);
    if (len < 8)
        return cut_off;
    low = text[6] == '\\' && text[7] == 'u' ? digits(text, len, 8, 4) : -1;
    if (low == -2)
        return cut_off;
    if (low < 0xDC00 || low >= 0xE000)
        return character((unsigned long)c, 6);
    return character(
        0x10000 + ((unsigned long)(c - 0xD800) << 10 | (low & 0x3FF)), 12);
}

/* "\u{1f600}" */
static struct clk_mask_unit braces(const unsigned char *text, size_t len)
{
    unsigned long c = 0;
    size_t at = 3;

    for (; at < len && at < LONGEST_BRACES && hex_value(text[at]) >= 0; at++)
        c = c << 4 | (unsigned long)hex_value(text[at]);
    if (at == len)
        return cut_off;
    return text[at] == '}' && at > 3 && c <= LAST_CHARACTER
               ? character(c, at + 1)
               : plain('\\', 1);
}

/* The escapes of JSON, C, YAML and of our own visible control characters. */
static struct clk_mask_unit backslash(const unsigned char *text, size_t len)
{
    static const char names[] = "abefnrtv\"'\\/",
                      values[] = "\a\b\x1b\f\n\r\t\v\"'\\/";
    const char *name;
    long value;

    if (text[0] != '\\')
        return plain(text[0], 1);
    if (len < 2)
        return cut_off;
    if (text[1] == 'u' && len == 2)
        return cut_off;
    if (text[1] == 'u')
        return text[2] == '{' ? braces(text, len) : backslash_u(text, len);
    if (text[1] == 'x') {
        value = digits(text, len, 2, 2);
        if (value == -2)
            return cut_off;
        return value < 0 ? plain('\\', 1) : character((unsigned long)value, 4);
    }
    name = text[1] ? strchr(names, text[1]) : NULL;
    return name ? plain((unsigned char)values[name - names], 2)
                : plain('\\', 1);
}

/* "&#39;" or "&#x27;" of `size` bytes. */
static struct clk_mask_unit numeric_entity(const unsigned char *text,
                                           size_t size)
{
    unsigned base = text[2] == 'x' || text[2] == 'X' ? 16 : 10;
    unsigned long c = 0;

    for (size_t i = base == 16 ? 3 : 2; i < size - 1; i++) {
        int digit = hex_value(text[i]);

        if (digit < 0 || digit >= (int)base)
            return plain('&', 1);
        c = c * base + (unsigned long)digit;
    }
    return c <= LAST_CHARACTER ? character(c, size) : plain('&', 1);
}

/* The entities that HTML and XML need. */
static struct clk_mask_unit entity(const unsigned char *text, size_t len)
{
    static const struct {
        const char *name;
        unsigned char value;
    } named[] = {{"&amp;", '&'},
                 {"&apos;", '\''},
                 {"&gt;", '>'},
                 {"&lt;", '<'},
                 {"&quot;", '"'}};
    size_t size = 1;

    if (text[0] != '&')
        return plain(text[0], 1);
    while (size < len && size < LONGEST_ENTITY && text[size - 1] != ';')
        size++;
    if (text[size - 1] != ';')
        return size < LONGEST_ENTITY ? cut_off : plain('&', 1);
    if (size > 3 && text[1] == '#')
        return numeric_entity(text, size);
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        if (strlen(named[i].name) == size
            && memcmp(named[i].name, text, size) == 0)
            return plain(named[i].value, size);
    }
    return plain('&', 1);
}

/* A quote within quotes, as CSV, SQL and YAML write it. */
static struct clk_mask_unit doubled(unsigned char quote,
                                    const unsigned char *text, size_t len)
{
    if (text[0] != quote)
        return plain(text[0], 1);
    if (len < 2)
        return cut_off;
    return plain(quote, text[1] == quote ? 2 : 1);
}

struct clk_mask_unit clk_mask_unit(enum clk_mask_form form,
                                   const unsigned char *text, size_t len)
{
    switch (form) {
    case CLK_MASK_PERCENT: return percent(text, len);
    case CLK_MASK_BACKSLASH: return backslash(text, len);
    case CLK_MASK_ENTITY: return entity(text, len);
    case CLK_MASK_QUOTE: return doubled('"', text, len);
    case CLK_MASK_APOSTROPHE: return doubled('\'', text, len);
    default: return plain(text[0], 1);
    }
}

unsigned char clk_mask_unit_lead(enum clk_mask_form form)
{
    switch (form) {
    case CLK_MASK_PERCENT: return '%';
    case CLK_MASK_BACKSLASH: return '\\';
    case CLK_MASK_ENTITY: return '&';
    case CLK_MASK_QUOTE: return '"';
    default: return '\'';
    }
}

bool clk_mask_unit_escapes(enum clk_mask_form form, unsigned char byte)
{
    switch (form) {
    case CLK_MASK_PERCENT:
    case CLK_MASK_BACKSLASH: return true;
    case CLK_MASK_ENTITY:
        return byte < 32 || byte > 126 || strchr("&<>\"'/`=", byte);
    case CLK_MASK_QUOTE: return byte == '"';
    case CLK_MASK_APOSTROPHE: return byte == '\'';
    default: return false;
    }
}
