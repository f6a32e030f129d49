/* Building a YAML tree; for the YAML files of this directory only. */
#ifndef CLK_YAML_TREE_H
#define CLK_YAML_TREE_H

#include "core/yaml.h"

/* A new node of the document, NULL when memory is out. */
struct clk_yaml_node *clk_yaml_node_new(struct clk_yaml *yaml,
                                        enum clk_yaml_type type, size_t line,
                                        size_t column);

/* Gives a string or secret its text, a copy. False when memory is out. */
bool clk_yaml_node_text(struct clk_yaml_node *node, const char *bytes,
                        size_t len);

/* Adds a child to a list (or a key or value to a map). False when memory is
   out. */
bool clk_yaml_node_add(struct clk_yaml_node *node, struct clk_yaml_node *child);

/* Looks for a key that a map has twice: `*second` is the earliest repetition
   and
   `*first` where it was before, or both are NULL. False when memory is out. */
bool clk_yaml_find_twice(const struct clk_yaml_node *map,
                         const struct clk_yaml_node **first,
                         const struct clk_yaml_node **second);

#endif
