/* YAML, read into a tree: libyaml's events, checked and bounded.

   Scalars follow the YAML 1.2 core schema: null, true, false, integers
   (decimal, 0o, 0x), floats; everything else, and whatever is quoted, is a
   string ("no" and "on" too). Whole numbers beyond 64 bits stay strings, so
   that no digit is lost. Keys are always strings. Refused, with the place: keys
   given twice, merge keys
   (<<), keys that are collections, unknown tags, several documents, an alias to
   what contains it, and aliases that would make more than CLK_YAML_NODES_MAX
   values. A secret, a scalar at one of the given paths, is kept apart: its text
   is wiped with the tree, and it may have neither an anchor nor be an alias,
   since then it would also be somewhere else. */
#ifndef CLK_YAML_H
#define CLK_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits of every document. */
enum {
    CLK_YAML_TEXT_MAX = 4 << 20, /* bytes */
    CLK_YAML_DEPTH_MAX = 64,     /* collections within collections */
    CLK_YAML_NODES_MAX = 100000, /* values, those of aliases counted again */
    CLK_YAML_ERROR_SIZE = 256
};

/* The type of a node. */
enum clk_yaml_type {
    CLK_YAML_NULL,
    CLK_YAML_BOOL,
    CLK_YAML_INT,
    CLK_YAML_FLOAT,
    CLK_YAML_STRING,
    CLK_YAML_SECRET,
    CLK_YAML_LIST,
    CLK_YAML_MAP
};

/* One value. Lists and maps may share children (aliases); there are no cycles.
 */
struct clk_yaml_node {
    enum clk_yaml_type type;
    bool open;           /* a collection whose end has not come */
    size_t line, column; /* from 1 */
    size_t weight;       /* values in it, itself and aliases included */
    size_t height;       /* collections within each other, itself included */
    union {
        bool boolean;
        int64_t integer;
        double number;
        struct {
            char *bytes; /* UTF-8, terminated */
            size_t len;
        } text; /* strings and secrets */
        struct {
            struct clk_yaml_node **items; /* of a map: key, value, key, … */
            size_t count, room;
        } children;
    };
    struct clk_yaml_node *next; /* in the document's list of all nodes */
};

/* A document and all its nodes. */
struct clk_yaml {
    struct clk_yaml_node *root; /* NULL when the text has no document */
    struct clk_yaml_node *all;
};

/* Why a text was refused. */
struct clk_yaml_error {
    const char *code;    /* EINVAL, E2BIG, EILSEQ, ENOMEM */
    size_t line, column; /* from 1; 0 when there is no place */
    char text[CLK_YAML_ERROR_SIZE];
};

/* Where secrets are: each path is keys joined by dots, "*" is any key or any
   element of a list. */
struct clk_yaml_secrets {
    const char *const *paths;
    size_t count;
};

/* Reads `len` bytes of UTF-8 (a byte order mark is skipped). NULL on failure.
 */
struct clk_yaml *clk_yaml_parse(const char *text, size_t len,
                                struct clk_yaml_secrets secrets,
                                struct clk_yaml_error *error);

/* Frees the tree and wipes its texts. NULL is allowed. */
void clk_yaml_free(struct clk_yaml *yaml);

/* Reads a whole file of at most CLK_YAML_TEXT_MAX bytes into *text, which the
   caller wipes and frees. 0 or a libuv error number (UV_E2BIG, UV_EISDIR, …);
   UV_EINVAL for what is no file. */
int clk_yaml_read_file(const char *path, char **text, size_t *len);

#endif
