/* Reads argument vectors and environments of children from Lua tables. */
#include "bind/process_words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "bind/l_secret.h"
#include "core/mem.h"
#include "host/err.h"

#define META "host.process.words"

/* The most entries in a vector; the kernel bounds their bytes (E2BIG). */
enum { MAX_WORDS = 65536 };

void clk_words_clear(struct clk_words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        clk_wipe(words->list[i], strlen(words->list[i]));
        clk_free(words->list[i]);
    }
    clk_free(words->list);
    words->list = NULL;
    words->count = words->room = 0;
}

static int words_gc(lua_State *L)
{
    clk_words_clear(luaL_checkudata(L, 1, META));
    return 0;
}

struct clk_words *clk_words_new(lua_State *L)
{
    struct clk_words *words = lua_newuserdatauv(L, sizeof(*words), 0);

    memset(words, 0, sizeof(*words));
    if (lua_getfield(L, LUA_REGISTRYINDEX, META) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_createtable(L, 0, 1);
        lua_pushcfunction(L, words_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushvalue(L, -1);
        lua_setfield(L, LUA_REGISTRYINDEX, META);
    }
    lua_setmetatable(L, -2);
    words->list = clk_calloc(1, sizeof(*words->list));
    if (!words->list)
        clk_no_memory(L);
    words->room = 1;
    return words;
}

static bool add_pointer(struct clk_words *words, char *word)
{
    if (words->count + 2 > words->room) {
        size_t room = 2 * words->room + 16;
        char **list = clk_realloc(words->list, room * sizeof(*list));

        if (!list)
            return false;
        words->list = list;
        words->room = room;
    }
    words->list[words->count++] = word;
    words->list[words->count] = NULL;
    return true;
}

/* Adds `prefix`, `separator` and the bytes as one word. */
static void add(lua_State *L, struct clk_words *words, const char *prefix,
                const char *separator, const void *bytes, size_t len)
{
    size_t prefix_len = strlen(prefix), separator_len = strlen(separator);
    char *word = clk_malloc(prefix_len + separator_len + len + 1), *at = word;

    if (!word || !add_pointer(words, word)) {
        clk_free(word);
        clk_no_memory(L);
        return; /* not reached */
    }
    memcpy(at, prefix, prefix_len);
    at += prefix_len;
    memcpy(at, separator, separator_len);
    at += separator_len;
    memcpy(at, bytes, len);
    at[len] = '\0';
}

void clk_words_add_argv(lua_State *L, struct clk_words *words, int index)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, index);

    if (count < 1 || count > MAX_WORDS)
        luaL_error(L, "argv must have 1 to %d words", MAX_WORDS);
    for (lua_Integer i = 1; i <= count; i++) {
        const char *word;
        size_t len;

        lua_rawgeti(L, index, i);
        if (clk_test_secret(L, -1))
            luaL_error(L,
                       "argv word %d is a secret: every user can see arguments",
                       (int)i);
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "argv word %d is a %s, not a string", (int)i,
                       luaL_typename(L, -1));
        word = lua_tolstring(L, -1, &len);
        if (memchr(word, '\0', len))
            luaL_error(L, "argv word %d contains NUL", (int)i);
        add(L, words, "", "", word, len);
        lua_pop(L, 1);
    }
}

/* Adds the pair whose name is at -2 and whose value is at -1. */
static void add_pair(lua_State *L, struct clk_words *words)
{
    struct clk_secret *secret = clk_test_secret(L, -1);
    const char *name, *value;
    size_t name_len, len;

    if (lua_type(L, -2) != LUA_TSTRING)
        luaL_error(L, "an environment name is a %s, not a string",
                   luaL_typename(L, -2));
    name = lua_tolstring(L, -2, &name_len);
    if (name_len == 0 || strlen(name) != name_len || strchr(name, '='))
        luaL_error(L, "'%s' cannot be an environment name", name);
    if (!secret && lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "environment value of %s is a %s, not a string", name,
                   luaL_typename(L, -1));
    value = secret ? (const char *)secret->bytes : lua_tolstring(L, -1, &len);
    if (secret)
        len = secret->len;
    if (memchr(value, '\0', len))
        luaL_error(L, "environment value of %s contains NUL", name);
    if (words->count >= MAX_WORDS)
        luaL_error(L, "an environment of more than %d names", MAX_WORDS);
    add(L, words, name, "=", value, len);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void clk_words_add_env(lua_State *L, struct clk_words *words, int index)
{
    lua_pushnil(L);
    while (lua_next(L, index)) {
        add_pair(L, words);
        lua_pop(L, 1);
    }
    qsort(words->list, words->count, sizeof(*words->list), compare);
}

const char *clk_words_env(const struct clk_words *words, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < words->count; i++) {
        if (strncmp(words->list[i], name, len) == 0
            && words->list[i][len] == '=')
            return words->list[i] + len + 1;
    }
    return NULL;
}
