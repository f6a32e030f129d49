/* What an unquoted YAML scalar means, and what may be unquoted. */
#ifndef CLK_YAML_SCALAR_H
#define CLK_YAML_SCALAR_H

#include "core/yaml.h"

/* Gives the node the type and value of a plain scalar by the core schema. False
   (and the node untouched) when it is a string, which the caller copies. */
bool clk_yaml_resolve(struct clk_yaml_node *node, const char *text, size_t len);

/* Whether the text is a number in decimal, of any size. */
bool clk_yaml_is_number(const char *text, size_t len);

/* Whether a string can be written without quotes: no reader of YAML 1.1 or 1.2
   would take it for something else. */
bool clk_yaml_is_plain(const char *text, size_t len);

#endif
