/* Nodes of a YAML tree. */
#include "core/yaml_tree.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/secret.h"

struct clk_yaml_node *clk_yaml_node_new(struct clk_yaml *yaml,
                                        enum clk_yaml_type type, size_t line,
                                        size_t column)
{
    struct clk_yaml_node *node = clk_calloc(1, sizeof(*node));

    if (!node)
        return NULL;
    node->type = type;
    node->line = line;
    node->column = column;
    node->weight = 1;
    node->next = yaml->all;
    yaml->all = node;
    return node;
}

bool clk_yaml_node_text(struct clk_yaml_node *node, const char *bytes,
                        size_t len)
{
    char *copy = clk_malloc(len + 1);

    if (!copy)
        return false;
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    node->text.bytes = copy;
    node->text.len = len;
    return true;
}

bool clk_yaml_node_add(struct clk_yaml_node *node, struct clk_yaml_node *child)
{
    size_t room = node->children.room;

    if (node->children.count == room) {
        struct clk_yaml_node **items;

        room = room ? 2 * room : 8;
        items = clk_realloc(node->children.items,
                            room * sizeof(struct clk_yaml_node *));
        if (!items)
            return false;
        node->children.items = items;
        node->children.room = room;
    }
    node->children.items[node->children.count++] = child;
    return true;
}

/* Equal keys side by side, in the order of their places. */
static int by_key(const void *x, const void *y)
{
    const struct clk_yaml_node *a = *(struct clk_yaml_node *const *)x;
    const struct clk_yaml_node *b = *(struct clk_yaml_node *const *)y;
    size_t len = a->text.len < b->text.len ? a->text.len : b->text.len;
    int order = memcmp(a->text.bytes, b->text.bytes, len);

    if (order != 0)
        return order;
    if (a->text.len != b->text.len)
        return a->text.len < b->text.len ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->column < b->column ? -1 : a->column > b->column;
}

static bool is_before(const struct clk_yaml_node *a,
                      const struct clk_yaml_node *b)
{
    return a->line < b->line || (a->line == b->line && a->column < b->column);
}

bool clk_yaml_find_twice(const struct clk_yaml_node *map,
                         const struct clk_yaml_node **first,
                         const struct clk_yaml_node **second)
{
    size_t count = map->children.count / 2;
    struct clk_yaml_node **keys;

    *first = *second = NULL;
    if (count < 2)
        return true;
    keys = clk_malloc(count * sizeof(struct clk_yaml_node *));
    if (!keys)
        return false;
    for (size_t i = 0; i < count; i++)
        keys[i] = map->children.items[2 * i];
    qsort(keys, count, sizeof(struct clk_yaml_node *), by_key);
    for (size_t i = 1; i < count; i++) {
        const struct clk_yaml_node *a = keys[i - 1], *b = keys[i];

        if (a->text.len == b->text.len
            && memcmp(a->text.bytes, b->text.bytes, a->text.len) == 0
            && (!*second || is_before(b, *second))) {
            *first = a;
            *second = b;
        }
    }
    clk_free(keys);
    return true;
}

static void free_node(struct clk_yaml_node *node)
{
    switch (node->type) {
    case CLK_YAML_STRING:
    case CLK_YAML_SECRET:
        if (node->text.bytes)
            clk_wipe(node->text.bytes, node->text.len);
        clk_free(node->text.bytes);
        break;
    case CLK_YAML_LIST:
    case CLK_YAML_MAP: clk_free(node->children.items); break;
    default: break;
    }
    clk_free(node);
}

void clk_yaml_free(struct clk_yaml *yaml)
{
    if (!yaml)
        return;
    while (yaml->all) {
        struct clk_yaml_node *node = yaml->all;

        yaml->all = node->next;
        free_node(node);
    }
    clk_free(yaml);
}
