/* The YAML parse: events of libyaml become a tree. */
#include "core/yaml.h"

#include <string.h>

#include "core/mem.h"
#include "core/yaml_parse.h"
#include "core/yaml_scalar.h"
#include "core/yaml_tree.h"

#define TAG "tag:yaml.org,2002:"

/* The most anchors in one document: each alias looks through them. */
enum { ANCHORS_MAX = 1000 };

static struct clk_yaml_frame *top(struct clk_yaml_parse *p)
{
    return p->depth > 0 ? &p->stack[p->depth - 1] : NULL;
}

static bool fail_event(struct clk_yaml_parse *p, const yaml_event_t *e,
                       const char *code, const char *text)
{
    return clk_yaml_fail(p, code, e->start_mark.line + 1,
                         e->start_mark.column + 1, text);
}

static struct clk_yaml_node *new_node(struct clk_yaml_parse *p,
                                      const yaml_event_t *e,
                                      enum clk_yaml_type type)
{
    struct clk_yaml_node *node = clk_yaml_node_new(
        p->yaml, type, e->start_mark.line + 1, e->start_mark.column + 1);

    if (!node)
        clk_yaml_no_memory(p);
    return node;
}

/* --- putting values in their place -------------------------------------- */

static bool is_key_next(struct clk_yaml_parse *p)
{
    struct clk_yaml_frame *f = top(p);

    return f && f->node->type == CLK_YAML_MAP && !f->key;
}

/* Counts a value, now whole, for the collection it is in. */
static void complete(struct clk_yaml_frame *f, const struct clk_yaml_node *node)
{
    f->node->weight += node->weight;
    if (f->node->height < node->height + 1)
        f->node->height = node->height + 1;
    f->key = NULL;
}

/* Puts a key, a value or an element where it belongs. */
static bool place(struct clk_yaml_parse *p, const yaml_event_t *e,
                  struct clk_yaml_node *node)
{
    struct clk_yaml_frame *f = top(p);
    bool is_key = is_key_next(p);

    p->total += node->weight;
    if (p->total > CLK_YAML_NODES_MAX)
        return fail_event(p, e, "E2BIG", "too many values");
    if (p->depth + node->height > CLK_YAML_DEPTH_MAX)
        return fail_event(p, e, "E2BIG", "nested too deeply");
    if (!f) {
        p->yaml->root = node;
        return true;
    }
    if (!clk_yaml_node_add(f->node, node))
        return clk_yaml_no_memory(p);
    if (is_key) {
        f->node->weight += node->weight;
        f->key = node;
    } else if (!node->open) {
        complete(f, node);
    }
    return true;
}

/* --- anchors ------------------------------------------------------------ */

static bool add_anchor(struct clk_yaml_parse *p, const yaml_event_t *e,
                       const yaml_char_t *name, struct clk_yaml_node *node)
{
    struct clk_yaml_anchor *anchor;

    if (!name)
        return true;
    if (++p->anchor_count > ANCHORS_MAX)
        return fail_event(p, e, "E2BIG", "too many anchors");
    anchor = clk_malloc(sizeof(*anchor));
    if (!anchor)
        return clk_yaml_no_memory(p);
    anchor->name = clk_strdup((const char *)name);
    anchor->node = node;
    anchor->next = p->anchors;
    p->anchors = anchor;
    return anchor->name ? true : clk_yaml_no_memory(p);
}

static bool on_alias(struct clk_yaml_parse *p, const yaml_event_t *e)
{
    const char *name = (const char *)e->data.alias.anchor;
    struct clk_yaml_anchor *anchor = p->anchors;

    if (is_key_next(p))
        return fail_event(p, e, "EINVAL", "an alias cannot be a key");
    if (clk_yaml_place(p) != CLK_YAML_ORDINARY)
        return fail_event(p, e, "EINVAL",
                          "an alias cannot stand where a secret belongs");
    while (anchor && strcmp(anchor->name, name) != 0)
        anchor = anchor->next;
    if (!anchor)
        return fail_event(p, e, "EINVAL", "there is no anchor of this name");
    if (anchor->node->open)
        return fail_event(p, e, "EINVAL", "an alias to what contains it");
    return place(p, e, anchor->node);
}

/* --- scalars ------------------------------------------------------------ */

static bool on_key(struct clk_yaml_parse *p, const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;
    size_t len = e->data.scalar.length;
    bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct clk_yaml_node *node;

    if (plain && len == 0)
        return fail_event(p, e, "EINVAL", "a key is missing");
    if (plain && strcmp(text, "<<") == 0)
        return fail_event(p, e, "EINVAL", "merge keys are not supported");
    node = new_node(p, e, CLK_YAML_STRING);
    if (!node)
        return false;
    if (!clk_yaml_node_text(node, text, len))
        return clk_yaml_no_memory(p);
    return add_anchor(p, e, e->data.scalar.anchor, node) && place(p, e, node);
}

static bool on_secret(struct clk_yaml_parse *p, const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;
    size_t len = e->data.scalar.length;
    bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct clk_yaml_node *node;

    if (e->data.scalar.anchor)
        return fail_event(p, e, "EINVAL", "a secret cannot have an anchor");
    node = new_node(p, e, CLK_YAML_NULL);
    if (!node)
        return false;
    if (plain && clk_yaml_resolve(node, text, len)
        && node->type == CLK_YAML_NULL)
        return place(p, e, node);
    node->type = CLK_YAML_SECRET;
    memset(&node->text, 0, sizeof(node->text));
    if (!clk_yaml_node_text(node, text, len))
        return clk_yaml_no_memory(p);
    return place(p, e, node);
}

/* The type that a tag asks for; CLK_YAML_MAP stands for an unknown one. */
static enum clk_yaml_type tagged_type(const char *tag)
{
    if (strcmp(tag, "!") == 0 || strcmp(tag, TAG "str") == 0)
        return CLK_YAML_STRING;
    if (strcmp(tag, TAG "null") == 0)
        return CLK_YAML_NULL;
    if (strcmp(tag, TAG "bool") == 0)
        return CLK_YAML_BOOL;
    if (strcmp(tag, TAG "int") == 0)
        return CLK_YAML_INT;
    return strcmp(tag, TAG "float") == 0 ? CLK_YAML_FLOAT : CLK_YAML_MAP;
}

/* Gives the node the type its tag or its text says. */
static bool resolve(struct clk_yaml_parse *p, const yaml_event_t *e,
                    struct clk_yaml_node *node)
{
    const char *text = (const char *)e->data.scalar.value;
    const char *tag = (const char *)e->data.scalar.tag;
    bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    enum clk_yaml_type want = CLK_YAML_STRING;

    if (tag) {
        want = tagged_type(tag);
        if (want == CLK_YAML_MAP)
            return fail_event(p, e, "EINVAL", "an unknown tag");
    }
    if (want == CLK_YAML_STRING && (tag || !plain))
        return true;
    if (!clk_yaml_resolve(node, text, e->data.scalar.length))
        node->type = CLK_YAML_STRING;
    if (!tag)
        return true;
    if (want == CLK_YAML_FLOAT && node->type == CLK_YAML_INT) {
        node->type = CLK_YAML_FLOAT;
        node->number = (double)node->integer;
    }
    if (node->type != want)
        return fail_event(p, e, "EINVAL", "the value is not what its tag says");
    return true;
}

static bool on_scalar(struct clk_yaml_parse *p, const yaml_event_t *e)
{
    struct clk_yaml_node *node;

    if (is_key_next(p))
        return on_key(p, e);
    if (clk_yaml_place(p) == CLK_YAML_AT_SECRET)
        return on_secret(p, e);
    node = new_node(p, e, CLK_YAML_STRING);
    if (!node || !resolve(p, e, node))
        return false;
    if (node->type == CLK_YAML_STRING) {
        memset(&node->text, 0, sizeof(node->text));
        if (!clk_yaml_node_text(node, (const char *)e->data.scalar.value,
                                e->data.scalar.length))
            return clk_yaml_no_memory(p);
    }
    return add_anchor(p, e, e->data.scalar.anchor, node) && place(p, e, node);
}

/* --- collections -------------------------------------------------------- */

static bool on_collection(struct clk_yaml_parse *p, const yaml_event_t *e)
{
    bool is_map = e->type == YAML_MAPPING_START_EVENT;
    const char *tag = (const char *)(is_map ? e->data.mapping_start.tag
                                            : e->data.sequence_start.tag);
    struct clk_yaml_node *node;

    if (is_key_next(p))
        return fail_event(p, e, "EINVAL", "a key must be a single value");
    if (clk_yaml_place(p) == CLK_YAML_AT_SECRET)
        return fail_event(p, e, "EINVAL", "a single value is expected here");
    if (tag && strcmp(tag, "!") != 0
        && strcmp(tag, is_map ? TAG "map" : TAG "seq") != 0)
        return fail_event(p, e, "EINVAL", "an unknown tag");
    node = new_node(p, e, is_map ? CLK_YAML_MAP : CLK_YAML_LIST);
    if (!node)
        return false;
    node->open = true;
    node->height = 1;
    if (!place(p, e, node))
        return false;
    p->stack[p->depth].node = node;
    p->stack[p->depth].key = NULL;
    p->depth++;
    return add_anchor(p, e,
                      is_map ? e->data.mapping_start.anchor
                             : e->data.sequence_start.anchor,
                      node);
}

static bool on_end(struct clk_yaml_parse *p)
{
    struct clk_yaml_node *node = p->stack[--p->depth].node;
    const struct clk_yaml_node *first, *second;

    node->open = false;
    if (p->depth > 0)
        complete(top(p), node);
    if (node->type != CLK_YAML_MAP)
        return true;
    if (!clk_yaml_find_twice(node, &first, &second))
        return clk_yaml_no_memory(p);
    return second ? clk_yaml_fail_twice(p, first, second) : true;
}

/* --- the parse ---------------------------------------------------------- */

static bool on_event(struct clk_yaml_parse *p, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (p->yaml->root)
            return fail_event(p, e, "EINVAL", "a second document begins here");
        return true;
    case YAML_ALIAS_EVENT: return on_alias(p, e);
    case YAML_SCALAR_EVENT: return on_scalar(p, e);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT: return on_collection(p, e);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return on_end(p);
    default: return true;
    }
}

static bool run(struct clk_yaml_parse *p)
{
    bool done = false;

    yaml_parser_set_encoding(&p->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p->parser, (const unsigned char *)p->text,
                                 p->len);
    while (!done) {
        yaml_event_t event;
        bool ok;

        if (!yaml_parser_parse(&p->parser, &event))
            return clk_yaml_fail_parser(p);
        ok = on_event(p, &event);
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (!ok)
            return false;
    }
    return true;
}

static void free_anchors(struct clk_yaml_parse *p)
{
    while (p->anchors) {
        struct clk_yaml_anchor *anchor = p->anchors;

        p->anchors = anchor->next;
        clk_free(anchor->name);
        clk_free(anchor);
    }
}

struct clk_yaml *clk_yaml_parse(const char *text, size_t len,
                                struct clk_yaml_secrets secrets,
                                struct clk_yaml_error *error)
{
    struct clk_yaml_parse p = {.secrets = secrets, .error = error};
    bool ok = true;

    p.text = text;
    p.len = len;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        p.text += 3;
        p.len -= 3;
    }
    if (len > CLK_YAML_TEXT_MAX) {
        clk_yaml_fail(&p, "E2BIG", 0, 0, "the text is too long");
        return NULL;
    }
    p.yaml = clk_calloc(1, sizeof(*p.yaml));
    if (!p.yaml || !yaml_parser_initialize(&p.parser)) {
        clk_free(p.yaml);
        clk_yaml_no_memory(&p);
        return NULL;
    }
    ok = run(&p);
    yaml_parser_delete(&p.parser);
    free_anchors(&p);
    if (ok)
        return p.yaml;
    clk_yaml_free(p.yaml);
    return NULL;
}
