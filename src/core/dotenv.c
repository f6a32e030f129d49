/* The parser of NAME=value files; the rules are in core/dotenv.h. */
#include "core/dotenv.h"

#include <stdbool.h>
#include <string.h>

static bool at_end(const struct clk_dotenv *d)
{
    return d->at >= d->len;
}

/* The byte `ahead` of the current one; 0 beyond the end. */
static unsigned char peek(const struct clk_dotenv *d, size_t ahead)
{
    return d->len - d->at > ahead ? d->text[d->at + ahead] : 0;
}

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t';
}

/* Whether the current position is at a line's end, or at the text's. */
static bool at_line_end(const struct clk_dotenv *d)
{
    return at_end(d) || peek(d, 0) == '\n'
           || (peek(d, 0) == '\r'
               && (d->at + 1 == d->len || peek(d, 1) == '\n'));
}

static void skip_blanks(struct clk_dotenv *d)
{
    while (!at_end(d) && is_blank(peek(d, 0)))
        d->at++;
}

/* Beyond the end of this line. */
static void skip_line(struct clk_dotenv *d)
{
    const unsigned char *from = d->text + d->at;
    const unsigned char *end = memchr(from, '\n', d->len - d->at);

    d->at = end ? d->at + (size_t)(end - from) + 1 : d->len;
    d->line++;
}

static int fail(struct clk_dotenv *d, const char *why)
{
    d->why = why;
    return -1;
}

static bool is_name(unsigned char c, bool first)
{
    return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
           || (!first && c >= '0' && c <= '9');
}

static size_t read_word(struct clk_dotenv *d, const unsigned char **word)
{
    size_t from = d->at;

    *word = d->text + from;
    while (!at_end(d) && is_name(peek(d, 0), d->at == from))
        d->at++;
    return d->at - from;
}

static int read_name(struct clk_dotenv *d, struct clk_dotenv_entry *entry)
{
    entry->name_len = read_word(d, &entry->name);
    if (entry->name_len == 6 && memcmp(entry->name, "export", 6) == 0
        && is_blank(peek(d, 0))) {
        skip_blanks(d);
        if (peek(d, 0) != '=')
            entry->name_len = read_word(d, &entry->name);
    }
    if (entry->name_len == 0)
        return fail(d, "no name of letters, digits and _ before the =");
    skip_blanks(d);
    if (peek(d, 0) != '=')
        return fail(d, "no = after the name, which is letters, digits and _");
    d->at++;
    skip_blanks(d);
    return 1;
}

static void read_bare(struct clk_dotenv *d, struct clk_dotenv_entry *entry,
                      unsigned char *value)
{
    size_t len = 0;

    while (!at_line_end(d)) {
        unsigned char c = peek(d, 0);

        if (c == '#' && (len == 0 || is_blank(value[len - 1])))
            break;
        value[len++] = c;
        d->at++;
    }
    while (len > 0 && is_blank(value[len - 1]))
        len--;
    entry->value_len = len;
    skip_line(d);
}

/* The character that a backslash before `c` makes of it; 0 for none. */
static unsigned char unescape(unsigned char c)
{
    static const char from[] = "nrt\"\\$", to[] = "\n\r\t\"\\$";
    const char *found = c ? strchr(from, c) : NULL;

    return found ? (unsigned char)to[found - from] : 0;
}

/* Whether the closing quotes stand here: `count` of them, the last of a run. */
static bool is_close(const struct clk_dotenv *d, unsigned char quote,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (peek(d, i) != quote)
            return false;
    }
    return count == 1 || peek(d, count) != quote;
}

/* What stands after a quoted value: nothing, or a comment. */
static int finish_quoted(struct clk_dotenv *d)
{
    bool blank = is_blank(peek(d, 0));

    skip_blanks(d);
    if (!at_line_end(d) && !(blank && peek(d, 0) == '#'))
        return fail(d, "more text after the closing quote");
    skip_line(d);
    return 1;
}

static int read_quoted(struct clk_dotenv *d, struct clk_dotenv_entry *entry,
                       unsigned char *value)
{
    unsigned char quote = peek(d, 0), special;
    bool is_triple = quote == '"' && peek(d, 1) == '"' && peek(d, 2) == '"';
    size_t count = is_triple ? 3 : 1, len = 0;
    unsigned first_line = d->line, lines = 0;

    for (d->at += count; !at_end(d); d->at++) {
        unsigned char c = peek(d, 0);

        if (c == quote && is_close(d, quote, count)) {
            d->at += count;
            d->line += lines;
            entry->value_len = len;
            return finish_quoted(d);
        }
        special =
            quote == '"' && count == 1 && c == '\\' ? unescape(peek(d, 1)) : 0;
        if (special)
            d->at++;
        if (c == '\r' && peek(d, 1) == '\n')
            continue;
        lines += c == '\n';
        value[len++] = special ? special : c;
    }
    d->line = first_line;
    return fail(d, "a quote is opened here and never closed");
}

int clk_dotenv_next(struct clk_dotenv *d, struct clk_dotenv_entry *entry,
                    unsigned char *value)
{
    int status;

    if (d->line == 0) {
        d->line = 1;
        if (d->len >= 3 && memcmp(d->text, "\xef\xbb\xbf", 3) == 0)
            d->at = 3;
    }
    for (;;) {
        skip_blanks(d);
        if (at_end(d))
            return 0;
        if (!at_line_end(d) && peek(d, 0) != '#')
            break;
        skip_line(d);
    }
    status = read_name(d, entry);
    if (status != 1)
        return status;
    if (peek(d, 0) == '"' || peek(d, 0) == '\'')
        return read_quoted(d, entry, value);
    read_bare(d, entry, value);
    return 1;
}
