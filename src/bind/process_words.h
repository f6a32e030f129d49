/* Argument and environment vectors; for the process files of bind/ only. */
#ifndef CLK_PROCESS_WORDS_H
#define CLK_PROCESS_WORDS_H

#include <stddef.h>

#include <lua.h>

/* A NULL-terminated list of strings, in a userdata that wipes and frees it. */
struct clk_words {
    char **list;
    size_t count, room;
};

/* Pushes an empty list. */
struct clk_words *clk_words_new(lua_State *L);

/* Reads the argument vector at `index`: strings without NUL, at least one, no
   secret. Raises otherwise. */
void clk_words_add_argv(lua_State *L, struct clk_words *words, int index);

/* Reads the table NAME -> string or secret at `index` as "NAME=value" in the
   order of the names. Raises on a bad name or a value with NUL. */
void clk_words_add_env(lua_State *L, struct clk_words *words, int index);

/* The value of NAME in an environment, or NULL. */
const char *clk_words_env(const struct clk_words *words, const char *name);

/* Wipes and frees the strings; the userdata stays. */
void clk_words_clear(struct clk_words *words);

#endif
