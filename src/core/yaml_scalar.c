/* Plain scalars: the core schema of YAML 1.2, and what may stay unquoted. */
#include "core/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Texts of this length and more are no numbers. */
enum { NUMBER_SIZE = 400 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(const char *text, size_t len, const char *const *words)
{
    for (; *words; words++)
        if (strlen(*words) == len && memcmp(*words, text, len) == 0)
            return true;
    return false;
}

static size_t digits(const char *s)
{
    size_t n = 0;

    while (is_digit(s[n]))
        n++;
    return n;
}

/* Integers: [-+]?[0-9]+, 0o[0-7]+, 0x[0-9a-fA-F]+ within 64 bits. */
static bool resolve_int(struct clk_yaml_node *node, const char *s)
{
    const char *start = s;
    long long value;
    char *end;
    int base = 10;

    if (s[0] == '0' && (s[1] == 'o' || s[1] == 'x')) {
        base = s[1] == 'o' ? 8 : 16;
        start = s + 2;
        if (strspn(start, "0123456789abcdefABCDEF") == 0)
            return false;
    } else if (digits(s + (s[0] == '-' || s[0] == '+')) == 0) {
        return false;
    }
    errno = 0;
    value = strtoll(start, &end, base);
    if (*end != '\0' || errno != 0)
        return false;
    node->integer = value;
    node->type = CLK_YAML_INT;
    return true;
}

static bool is_whole(const char *s)
{
    s += *s == '-' || *s == '+';
    return digits(s) > 0 && s[digits(s)] == '\0';
}

/* Floats: [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_float(const char *s)
{
    size_t before, after = 0;

    s += *s == '-' || *s == '+';
    before = digits(s);
    s += before;
    if (*s == '.') {
        after = digits(s + 1);
        s += 1 + after;
    }
    if (before + after == 0)
        return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '-' || *s == '+';
        if (digits(s) == 0)
            return false;
        s += digits(s);
    }
    return *s == '\0';
}

static bool resolve_float(struct clk_yaml_node *node, const char *s)
{
    static const char *const infinities[] = {".inf", ".Inf", ".INF", NULL};
    static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};
    const char *word = s + (*s == '-' || *s == '+');

    if (is_word(word, strlen(word), infinities))
        node->number = *s == '-' ? -(double)INFINITY : (double)INFINITY;
    else if (is_word(s, strlen(s), nans))
        node->number = (double)NAN;
    else if (is_float(s) && !is_whole(s)) /* a whole one did not fit 64 bits */
        node->number = strtod(s, NULL);
    else
        return false;
    node->type = CLK_YAML_FLOAT;
    return true;
}

/* Terminated, for the C library; false when it is no number for its length. */
static bool copy_number(char number[NUMBER_SIZE], const char *text, size_t len)
{
    if (len >= NUMBER_SIZE || memchr(text, '\0', len))
        return false;
    memcpy(number, text, len);
    number[len] = '\0';
    return true;
}

bool clk_yaml_resolve(struct clk_yaml_node *node, const char *text, size_t len)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    char number[NUMBER_SIZE];

    if (is_word(text, len, nulls)) {
        node->type = CLK_YAML_NULL;
        return true;
    }
    if (is_word(text, len, trues) || is_word(text, len, falses)) {
        node->type = CLK_YAML_BOOL;
        node->boolean = is_word(text, len, trues);
        return true;
    }
    if (!copy_number(number, text, len))
        return false;
    return resolve_int(node, number) || resolve_float(node, number);
}

bool clk_yaml_is_number(const char *text, size_t len)
{
    char number[NUMBER_SIZE];

    return copy_number(number, text, len) && is_float(number);
}

/* Letters that need no quotes anywhere in a string that begins with a letter.
 */
static bool is_safe(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c)
           || c == '_' || c == '-' || c == '.' || c == '/' || c == '@'
           || c == '+' || c == '%';
}

bool clk_yaml_is_plain(const char *text, size_t len)
{
    /* What YAML 1.1 takes for a boolean or null, in lower case. */
    static const char *const words[] = {
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", NULL,
    };
    char lower[8] = "";

    if (len == 0 || is_digit(text[0]) || strchr("-.@+%", text[0]))
        return false;
    for (size_t i = 0; i < len; i++) {
        bool inside = i > 0 && i + 1 < len;
        bool space = inside && text[i] == ' ' && is_safe(text[i + 1]);
        bool colon = inside && text[i] == ':' && is_safe(text[i + 1]);

        if (!is_safe(text[i]) && !space && !colon)
            return false;
        if (i < sizeof(lower) - 1)
            lower[i] = (char)(text[i] | 0x20);
    }
    return len >= sizeof(lower) || !is_word(lower, len, words);
}
