/* Any document becomes a tree within its limits or is refused with a reason. */
#include <stdbool.h>
#include <string.h>

#include "core/yaml.h"
#include "fuzz.h"

/* How much of a tree is visited; shared nodes count again. */
struct visit {
    size_t values, depth;
};

static void walk(const struct clk_yaml_node *node, size_t depth,
                 struct visit *visit)
{
    bool collection = node->type == CLK_YAML_LIST || node->type == CLK_YAML_MAP;

    MUST(!node->open && ++visit->values <= CLK_YAML_NODES_MAX);
    MUST(depth <= CLK_YAML_DEPTH_MAX);
    if (node->type == CLK_YAML_STRING || node->type == CLK_YAML_SECRET)
        MUST(node->text.bytes[node->text.len] == '\0');
    if (!collection)
        return;
    MUST(node->type == CLK_YAML_LIST || node->children.count % 2 == 0);
    for (size_t i = 0; i < node->children.count; i++) {
        const struct clk_yaml_node *child = node->children.items[i];

        if (node->type == CLK_YAML_MAP && i % 2 == 0)
            MUST(child->type == CLK_YAML_STRING);
        walk(child, depth + 1, visit);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = {"a.b", "s.*"};
    struct clk_yaml_secrets secrets = {paths, 2};
    struct clk_yaml_error error;
    char *text = exact_copy(data, size);
    struct clk_yaml *yaml = clk_yaml_parse(text, size, secrets, &error);
    struct visit visit = {0, 0};

    if (!yaml)
        MUST(error.code && memchr(error.text, '\0', sizeof(error.text)));
    else if (yaml->root)
        walk(yaml->root, 0, &visit);
    clk_yaml_free(yaml);
    free(text);
    return 0;
}
