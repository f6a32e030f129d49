/* host.yaml: YAML texts and files to Lua values and back. */
#include <lauxlib.h>
#include <lua.h>
#include <string.h>

#include <uv.h>

#include "bind/l_secret.h"
#include "bind/yaml_encode.h"
#include "core/mem.h"
#include "core/yaml.h"
#include "host/class.h"
#include "host/err.h"

#define DOCUMENT_META "host.yaml.document"
#define ARRAY_META "host.yaml.array"

/* The most paths of secrets in one call. */
enum { SECRETS_MAX = 64 };

/* Owns what a call has in C memory while it makes Lua values. */
struct document {
    char *text; /* of a file; wiped */
    size_t len;
    struct clk_yaml *yaml;
};

/* What the caller asked for. */
struct options {
    enum { TOP_MAP, TOP_LIST, TOP_ANY } top;
    bool nulls; /* keep them in maps */
    const char *paths[SECRETS_MAX];
    size_t path_count;
};

static void release(struct document *doc)
{
    if (doc->text)
        clk_wipe(doc->text, doc->len);
    clk_free(doc->text);
    doc->text = NULL;
    clk_yaml_free(doc->yaml);
    doc->yaml = NULL;
}

static int document_gc(lua_State *L)
{
    release(luaL_checkudata(L, 1, DOCUMENT_META));
    return 0;
}

/* --- options ------------------------------------------------------------ */

/* The paths stay in the caller's table of options at index 2. */
static void read_secrets(lua_State *L, struct options *o)
{
    lua_Integer count;

    if (lua_getfield(L, 2, "secrets") == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    luaL_argcheck(L, lua_istable(L, -1), 2, "secrets: a list of paths");
    count = luaL_len(L, -1);
    luaL_argcheck(L, count <= SECRETS_MAX, 2, "secrets: too many paths");
    for (lua_Integer i = 1; i <= count; i++) {
        luaL_argcheck(L, lua_rawgeti(L, -1, i) == LUA_TSTRING, 2,
                      "secrets: a path is a string");
        o->paths[o->path_count++] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void read_options(lua_State *L, struct options *o)
{
    static const char *const tops[] = {"map", "list", "any", NULL};

    memset(o, 0, sizeof(*o));
    lua_settop(L, 2);
    if (lua_isnil(L, 2))
        return;
    luaL_checktype(L, 2, LUA_TTABLE);
    read_secrets(L, o);
    lua_getfield(L, 2, "nulls");
    o->nulls = lua_toboolean(L, -1);
    lua_getfield(L, 2, "top");
    o->top = luaL_checkoption(L, -1, "map", tops);
    lua_settop(L, 2);
}

/* --- values ------------------------------------------------------------- */

static void push_node(lua_State *L, const struct options *o,
                      const struct clk_yaml_node *node);

static void push_null(lua_State *L)
{
    lua_pushlightuserdata(L, NULL); /* what JSON's null is, too */
}

static void push_secret(lua_State *L, const struct clk_yaml_node *node)
{
    struct clk_secret *secret = clk_new_secret(L, node->text.len);

    memcpy(secret->bytes, node->text.bytes, node->text.len);
    clk_secret_seal(secret, node->text.len);
}

static void push_list(lua_State *L, const struct options *o,
                      const struct clk_yaml_node *node)
{
    size_t count = node ? node->children.count : 0;

    lua_createtable(L, (int)count, 0);
    luaL_setmetatable(L, ARRAY_META);
    for (size_t i = 0; i < count; i++) {
        push_node(L, o, node->children.items[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_map(lua_State *L, const struct options *o,
                     const struct clk_yaml_node *node)
{
    size_t count = node ? node->children.count : 0;

    lua_createtable(L, 0, (int)(count / 2));
    for (size_t i = 0; i < count; i += 2) {
        const struct clk_yaml_node *key = node->children.items[i];
        const struct clk_yaml_node *value = node->children.items[i + 1];

        if (value->type == CLK_YAML_NULL && !o->nulls)
            continue;
        lua_pushlstring(L, key->text.bytes, key->text.len);
        push_node(L, o, value);
        lua_rawset(L, -3);
    }
}

static void push_node(lua_State *L, const struct options *o,
                      const struct clk_yaml_node *node)
{
    luaL_checkstack(L, 4, "a deep document");
    switch (node->type) {
    case CLK_YAML_NULL: push_null(L); break;
    case CLK_YAML_BOOL: lua_pushboolean(L, node->boolean); break;
    case CLK_YAML_INT: lua_pushinteger(L, node->integer); break;
    case CLK_YAML_FLOAT: lua_pushnumber(L, node->number); break;
    case CLK_YAML_STRING:
        lua_pushlstring(L, node->text.bytes, node->text.len);
        break;
    case CLK_YAML_SECRET: push_secret(L, node); break;
    case CLK_YAML_LIST: push_list(L, o, node); break;
    case CLK_YAML_MAP: push_map(L, o, node); break;
    }
}

/* --- decoding ----------------------------------------------------------- */

/* nil, message, CODE and the place, if there is one. `name` may be NULL. */
static int fail_at(lua_State *L, const char *name,
                   const struct clk_yaml_error *e)
{
    const char *separator = name ? ": " : "";

    if (strcmp(e->code, "ENOMEM") == 0)
        return clk_no_memory(L);
    name = name ? name : "";
    if (e->line == 0)
        return clk_fail(L, e->code, "%s%s%s", name, separator, e->text);
    clk_fail(L, e->code, "%s%sline %d, column %d: %s", name, separator,
             (int)e->line, (int)e->column, e->text);
    lua_createtable(L, 0, 2);
    lua_pushinteger(L, (lua_Integer)e->line);
    lua_setfield(L, -2, "line");
    lua_pushinteger(L, (lua_Integer)e->column);
    lua_setfield(L, -2, "column");
    return 4;
}

/* Pushes the value of the document, checking what is at its top. */
static int push_document(lua_State *L, const char *name, struct document *doc,
                         const struct options *o)
{
    static const char *const wanted[] = {"a mapping", "a list", ""};
    const struct clk_yaml_node *root = doc->yaml->root;
    enum clk_yaml_type want = o->top == TOP_MAP ? CLK_YAML_MAP : CLK_YAML_LIST;

    if (root && root->type == CLK_YAML_NULL)
        root = NULL; /* nothing but "---", or "~": an empty document */
    if (root && o->top != TOP_ANY && root->type != want) {
        struct clk_yaml_error error = {"EINVAL", root->line, root->column, ""};

        memcpy(error.text, "expected ", sizeof("expected "));
        memcpy(error.text + strlen(error.text), wanted[o->top],
               strlen(wanted[o->top]) + 1);
        return fail_at(L, name, &error);
    }
    if (root)
        push_node(L, o, root);
    else if (o->top == TOP_MAP)
        push_map(L, o, NULL);
    else if (o->top == TOP_LIST)
        push_list(L, o, NULL);
    else
        push_null(L);
    release(doc);
    return 1;
}

static struct document *new_document(lua_State *L)
{
    struct document *doc = lua_newuserdatauv(L, sizeof(*doc), 0);

    memset(doc, 0, sizeof(*doc));
    luaL_setmetatable(L, DOCUMENT_META);
    return doc;
}

static int decode(lua_State *L, const char *name, const char *text, size_t len,
                  struct document *doc, const struct options *o)
{
    const struct clk_yaml_secrets secrets = {o->paths, o->path_count};
    struct clk_yaml_error error;

    doc->yaml = clk_yaml_parse(text, len, secrets, &error);
    if (doc->yaml)
        return push_document(L, name, doc, o);
    release(doc);
    return fail_at(L, name, &error);
}

/*** Decodes a text. Lists are marked as arrays; a null in a map is an absent
--- key
--- unless `nulls` is set, elsewhere it is `null`. An empty document is an empty
--- table.
---@param text string
---@param opts? { secrets: string[], top: "map"|"list"|"any", nulls: boolean }
---@return any value
---@return string? message
---@return string? code EINVAL, E2BIG, EILSEQ
---@return { line: integer, column: integer }? place */
static int yaml_decode(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    struct options o;

    read_options(L, &o);
    return decode(L, NULL, text, len, new_document(L), &o);
}

/*** Decodes a file of at most 4 MiB. The values at the paths `secrets` become
--- secrets without ever being Lua strings.
---@param path string
---@param opts? { secrets: string[], top: "map"|"list"|"any", nulls: boolean }
---@return any value
---@return string? message
---@return string? code as decode's, and ENOENT, EACCES, EISDIR, …
---@return { line: integer, column: integer }? place */
static int yaml_load(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct document *doc;
    struct options o;
    int error;

    read_options(L, &o);
    doc = new_document(L);
    error = clk_yaml_read_file(path, &doc->text, &doc->len);
    if (error == UV_EINVAL)
        return clk_fail(L, "EINVAL", "%s: not a regular file", path);
    if (error == UV_E2BIG)
        return clk_fail(L, "E2BIG", "%s: larger than %d bytes", path,
                        (int)CLK_YAML_TEXT_MAX);
    if (error)
        return clk_fail_uv(L, error, path);
    return decode(L, path, doc->text, doc->len, doc, &o);
}

static const luaL_Reg functions[] = {
    {"decode", yaml_decode},
    {"encode", clk_yaml_encode},
    {"load", yaml_load},
    {NULL, NULL},
};

int luaopen_host_yaml(lua_State *L);

int luaopen_host_yaml(lua_State *L)
{
    clk_class(L, DOCUMENT_META, NULL, NULL, document_gc);
    luaL_newmetatable(L, ARRAY_META);
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "__array");
    clk_yaml_encode_open(L);
    luaL_newlib(L, functions);
    push_null(L);
    lua_setfield(L, -2, "null");
    return 1;
}
