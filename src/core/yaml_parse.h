/* One parse under way; for the YAML files of this directory only. */
#ifndef CLK_YAML_PARSE_H
#define CLK_YAML_PARSE_H

#include <yaml.h>

#include "core/yaml.h"

/* An anchor's name: the latest of a name counts. */
struct clk_yaml_anchor {
    char *name;
    struct clk_yaml_node *node;
    struct clk_yaml_anchor *next;
};

/* A collection whose end has not come. */
struct clk_yaml_frame {
    struct clk_yaml_node *node;
    struct clk_yaml_node *key; /* of a map: whose value comes next, or NULL */
};

/* Everything a parse needs. */
struct clk_yaml_parse {
    yaml_parser_t parser;
    const char *text; /* without a byte order mark */
    size_t len;
    struct clk_yaml_secrets secrets;
    struct clk_yaml *yaml;
    struct clk_yaml_error *error;
    struct clk_yaml_anchor *anchors;
    size_t anchor_count;
    size_t total; /* values so far, those of aliases counted again */
    struct clk_yaml_frame stack[CLK_YAML_DEPTH_MAX];
    size_t depth;
};

/* How a place relates to the paths of secrets. */
enum clk_yaml_place {
    CLK_YAML_ORDINARY,
    CLK_YAML_ABOVE_SECRET, /* a secret may be inside */
    CLK_YAML_AT_SECRET
};

/* Where the value that comes next is. */
enum clk_yaml_place clk_yaml_place(const struct clk_yaml_parse *p);

/* Fills in an error at a place (from 1); returns false. */
bool clk_yaml_fail(struct clk_yaml_parse *p, const char *code, size_t line,
                   size_t column, const char *text);

/* Fills in that memory is out; returns false. */
bool clk_yaml_no_memory(struct clk_yaml_parse *p);

/* Fills in the error that libyaml stopped with; returns false. */
bool clk_yaml_fail_parser(struct clk_yaml_parse *p);

/* Fills in that a map has a key twice; returns false. */
bool clk_yaml_fail_twice(struct clk_yaml_parse *p,
                         const struct clk_yaml_node *first,
                         const struct clk_yaml_node *second);

#endif
