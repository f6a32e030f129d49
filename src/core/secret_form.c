/* JSON strings and flyctl's import lines; see core/secret_form.h. */
#include "core/secret_form.h"

#include <string.h>

#include "core/text.h"

/* flyctl gives up at a line of 64 KiB; its line end counts too. */
enum { IMPORT_LINE_MAX = 64 * 1024 - 4 };

/* Bytes a control character, quote or backslash takes in a JSON string. */
static size_t escaped_size(unsigned char c)
{
    if (c == '"' || c == '\\')
        return 2;
    if (c >= 0x20)
        return 1;
    return strchr("\b\f\n\r\t", c) && c ? 2 : 6;
}

size_t clk_json_size(const unsigned char *text, size_t len)
{
    size_t size = 2;
    unsigned code;

    for (size_t at = 0; at < len;) {
        size_t step = clk_text_decode(text + at, len - at, &code);

        if (code == CLK_TEXT_INVALID)
            return 0;
        size += step == 1 ? escaped_size(text[at]) : step;
        at += step;
    }
    return size;
}

static size_t write_escaped(unsigned char c, unsigned char *out)
{
    static const char hex[] = "0123456789abcdef";
    static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *found = c ? strchr(plain, c) : NULL;

    out[0] = '\\';
    if (found) {
        out[1] = (unsigned char)letters[found - plain];
        return 2;
    }
    out[1] = 'u';
    out[2] = out[3] = '0';
    out[4] = (unsigned char)hex[c >> 4];
    out[5] = (unsigned char)hex[c & 15];
    return 6;
}

size_t clk_json_write(const unsigned char *text, size_t len, unsigned char *out)
{
    size_t size = 0;

    out[size++] = '"';
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\' || text[i] < 0x20)
            size += write_escaped(text[i], out + size);
        else
            out[size++] = text[i];
    }
    out[size++] = '"';
    return size;
}

/* Whether the first # of a line stands outside of quotes, where it begins a
   comment: the three quotes before the value make an even number odd. */
static bool has_comment(const unsigned char *line, size_t len)
{
    bool quoted = true;

    for (size_t i = 0; i < len; i++) {
        if (line[i] == '"')
            quoted = !quoted;
        else if (line[i] == '#')
            return !quoted;
    }
    return false;
}

/* Whether a line that is not the last would end the value, or lose its end. */
static bool ends_badly(const unsigned char *line, size_t len)
{
    if (len > 0 && line[len - 1] == '\r')
        return true;
    return len >= 3 && memcmp(line + len - 3, "\"\"\"", 3) == 0;
}

bool clk_import_fits(const unsigned char *value, size_t len, size_t name_len)
{
    size_t before = name_len + 4; /* NAME=""" stands in the first line */
    const unsigned char *line = value, *end;

    if (name_len >= IMPORT_LINE_MAX)
        return false;
    for (;;) {
        size_t left = len - (size_t)(line - value), size;

        end = left ? memchr(line, '\n', left) : NULL;
        size = end ? (size_t)(end - line) : left;
        /* The last line is followed by three quotes. */
        if (size + before + 3 >= IMPORT_LINE_MAX)
            return false;
        if (before && has_comment(line, size))
            return false;
        if (!end)
            return true;
        if (ends_badly(line, size))
            return false;
        line = end + 1;
        before = 0;
    }
}
