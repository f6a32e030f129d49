/* Making text harmless, measuring and cutting it. */
#include "core/text.h"

#include <stdio.h>
#include <string.h>

#include "core/text_width.h"

enum { INVALID = CLK_TEXT_INVALID, ESCAPE_SIZE = 16 };

/* --- decoding ------------------------------------------------------------ */

/* The smallest code point of a sequence by its length: shorter ones lie. */
static const unsigned smallest[] = {0, 0, 0x80, 0x800, 0x10000};

size_t clk_text_decode(const unsigned char *s, size_t length, unsigned *code)
{
    size_t count;
    unsigned c = s[0];

    *code = c;
    if (c < 0x80)
        return 1;
    count = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    *code = INVALID;
    if (c < 0xc2 || c > 0xf4 || count > length)
        return 1;
    c &= 0x7fu >> count;
    for (size_t i = 1; i < count; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 1;
        c = c << 6 | (s[i] & 0x3fu);
    }
    if (c < smallest[count] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 1;
    *code = c;
    return count;
}

static bool is_in(const struct clk_range *ranges, size_t count, unsigned code)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (code > ranges[middle].last)
            low = middle + 1;
        else if (code < ranges[middle].first)
            high = middle;
        else
            return true;
    }
    return false;
}

#define IS_IN(ranges, code)                                                    \
    is_in(ranges, sizeof(ranges) / sizeof((ranges)[0]), code)

/* --- sanitizing ---------------------------------------------------------- */

/* Characters that are not seen as themselves: C1 controls, soft hyphen,
   fillers, separators, directional and zero-width characters, tags. Variation
   selectors are not among them: emoji are written with them. */
static const struct clk_range invisible[] = {
    {0x0080, 0x009f}, {0x00ad, 0x00ad}, {0x034f, 0x034f},   {0x061c, 0x061c},
    {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x200b, 0x200f},
    {0x2028, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfeff, 0xfeff},
    {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

/* The visible form of a character, or NULL when it is visible itself. */
static const char *visible(unsigned code, char *buffer)
{
    switch (code) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    case INVALID: return "\xef\xbf\xbd"; /* U+FFFD */
    default: break;
    }
    if (code < 0x20 || code == 0x7f)
        snprintf(buffer, ESCAPE_SIZE, "\\x%02x", code);
    else if (code >= 0x80 && IS_IN(invisible, code))
        snprintf(buffer, ESCAPE_SIZE, "\\u{%x}", code);
    else
        return NULL;
    return buffer;
}

static bool is_crlf(const unsigned char *s, size_t length)
{
    return length > 1 && s[0] == '\r' && s[1] == '\n';
}

size_t clk_text_sanitize(const char *text, size_t length, bool lines, char *out)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t total = 0;

    for (size_t i = 0, count; i < length; i += count) {
        char buffer[ESCAPE_SIZE];
        const char *shown = text + i;
        size_t size;
        unsigned code;

        count = clk_text_decode(s + i, length - i, &code);
        if (lines && is_crlf(s + i, length - i))
            continue;
        size = count;
        if (!lines || (code != '\n' && code != '\t')) {
            const char *form = visible(code, buffer);

            shown = form ? form : shown;
            size = form ? strlen(form) : size;
        }
        if (out)
            memcpy(out + total, shown, size);
        total += size;
    }
    return total;
}

/* --- measuring ----------------------------------------------------------- */

static unsigned columns_of(unsigned code)
{
    if (code < 0x20 || (code >= 0x7f && code < 0xa0))
        return 0;
    if (code < 0x300 || code == INVALID)
        return 1;
    if (IS_IN(clk_no_column, code))
        return 0;
    return IS_IN(clk_two_columns, code) ? 2 : 1;
}

size_t clk_text_columns(const char *text, size_t length)
{
    size_t columns;

    clk_text_fit(text, length, (size_t)-1, &columns);
    return columns;
}

size_t clk_text_fit(const char *text, size_t length, size_t columns,
                    size_t *used)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t i = 0, taken = 0;

    while (i < length) {
        unsigned code;
        size_t count = clk_text_decode(s + i, length - i, &code);
        unsigned width = columns_of(code);

        if (width > columns - taken)
            break;
        taken += width;
        i += count;
    }
    if (used)
        *used = taken;
    return i;
}
