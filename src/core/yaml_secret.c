/* Which values of a YAML document are secrets: matching dotted paths. */
#include <string.h>

#include "core/yaml_parse.h"

/* Whether the segment names what comes next in that collection. */
static bool matches(const struct clk_yaml_frame *f, const char *segment,
                    size_t len)
{
    if (len == 1 && segment[0] == '*')
        return true;
    return f->node->type == CLK_YAML_MAP && f->key && f->key->text.len == len
           && memcmp(f->key->text.bytes, segment, len) == 0;
}

static enum clk_yaml_place match_path(const struct clk_yaml_parse *p,
                                      const char *path)
{
    for (size_t i = 0; i < p->depth; i++) {
        size_t len = strcspn(path, ".");

        if (!matches(&p->stack[i], path, len))
            return CLK_YAML_ORDINARY;
        path += len;
        if (*path == '\0')
            return i + 1 == p->depth ? CLK_YAML_AT_SECRET : CLK_YAML_ORDINARY;
        path++;
    }
    return CLK_YAML_ABOVE_SECRET;
}

enum clk_yaml_place clk_yaml_place(const struct clk_yaml_parse *p)
{
    enum clk_yaml_place found = CLK_YAML_ORDINARY;

    for (size_t i = 0; i < p->secrets.count && found != CLK_YAML_AT_SECRET;
         i++) {
        enum clk_yaml_place place = match_path(p, p->secrets.paths[i]);

        if (place != CLK_YAML_ORDINARY)
            found = place;
    }
    return found;
}
