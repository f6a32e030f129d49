/* Errors of a YAML parse. They name places and keys, never values: those may be
   secret. */
#include <stdio.h>
#include <string.h>

#include "core/yaml_parse.h"

/* The most of a key that an error shows, in bytes. */
enum { KEY_SHOWN = 60 };

bool clk_yaml_fail(struct clk_yaml_parse *p, const char *code, size_t line,
                   size_t column, const char *text)
{
    p->error->code = code;
    p->error->line = line;
    p->error->column = column;
    snprintf(p->error->text, sizeof(p->error->text), "%s", text);
    return false;
}

bool clk_yaml_no_memory(struct clk_yaml_parse *p)
{
    return clk_yaml_fail(p, "ENOMEM", 0, 0, "not enough memory");
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The byte at libyaml's index, which counts characters; '\0' past the end. */
static char byte_at(const struct clk_yaml_parse *p, size_t index)
{
    for (size_t i = 0; i < p->len; i++)
        if (!is_continuation(p->text[i]) && index-- == 0)
            return p->text[i];
    return '\0';
}

/* The reader tells an offset in bytes; its line and column are counted here. */
static bool fail_reader(struct clk_yaml_parse *p, const char *problem)
{
    bool control = strstr(problem, "control") != NULL;
    size_t line = 1, column = 1;

    for (size_t i = 0; i < p->parser.problem_offset && i < p->len; i++) {
        if (p->text[i] == '\n') {
            line++;
            column = 1;
        } else if (!is_continuation(p->text[i])) {
            column++;
        }
    }
    return clk_yaml_fail(p, control ? "EINVAL" : "EILSEQ", line, column,
                         control ? "a control character is not allowed"
                                 : "this is not valid UTF-8");
}

bool clk_yaml_fail_parser(struct clk_yaml_parse *p)
{
    const yaml_parser_t *parser = &p->parser;
    const yaml_mark_t *mark = &parser->problem_mark;
    const char *problem = parser->problem ? parser->problem : "not YAML";

    switch (parser->error) {
    case YAML_MEMORY_ERROR: return clk_yaml_no_memory(p);
    case YAML_READER_ERROR: return fail_reader(p, problem);
    default: break;
    }
    if (byte_at(p, mark->index) == '\t')
        problem = "a tab is not allowed here, indent with spaces";
    return clk_yaml_fail(p, "EINVAL", mark->line + 1, mark->column + 1,
                         problem);
}

bool clk_yaml_fail_twice(struct clk_yaml_parse *p,
                         const struct clk_yaml_node *first,
                         const struct clk_yaml_node *second)
{
    char key[KEY_SHOWN + 1];
    size_t len = second->text.len;

    while (
        len > KEY_SHOWN
        || (len < second->text.len && is_continuation(second->text.bytes[len])))
        len--;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)second->text.bytes[i];

        key[i] = '?';
        if (c >= ' ' && c != 0x7f)
            key[i] = second->text.bytes[i];
    }
    key[len] = '\0';
    clk_yaml_fail(p, "EINVAL", second->line, second->column, "");
    snprintf(p->error->text, sizeof(p->error->text),
             "the key \"%s\" is already on line %zu, column %zu", key,
             first->line, first->column);
    return false;
}
