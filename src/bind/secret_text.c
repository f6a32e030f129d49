/* host.secret: secrets as parts of texts, and texts as lists of secrets. */
#include <string.h>

#include <lauxlib.h>

#include "bind/secret_handle.h"
#include "core/dotenv.h"
#include "core/secret_form.h"
#include "host/err.h"

/* Entries of one file; more are not an app's environment. */
enum { DOTENV_MAX = 1000 };

/* Bytes in a row that are no accident. */
enum { PART = 8 };

/*** The secret as a JSON string, quotes and escapes included. JSON has no way
--- to say bytes that are not UTF-8.
---@return host.secret.Secret? json
---@return string? message
---@return string? code EINVAL, E2BIG */
int clk_secret_json(lua_State *L)
{
    struct clk_secret *s = clk_check_secret(L, 1), *json;
    size_t size = clk_json_size(s->bytes, s->len);

    if (size == 0)
        return clk_fail(L, "EINVAL", "not UTF-8 text");
    if (size > CLK_SECRET_MAX)
        return clk_fail(L, "E2BIG", "longer than 1 MiB as JSON");
    json = clk_new_secret(L, size);
    clk_secret_seal(json, clk_json_write(s->bytes, s->len, json->bytes));
    return 1;
}

/*** Whether `flyctl secrets import` reads NAME="""secret""" back byte for byte.
---@param name string
---@return boolean */
int clk_secret_fits_import(lua_State *L)
{
    struct clk_secret *s = clk_check_secret(L, 1);
    size_t len;

    luaL_checklstring(L, 2, &len);
    lua_pushboolean(L, clk_json_size(s->bytes, s->len) != 0
                           && clk_import_fits(s->bytes, s->len, len));
    return 1;
}

/*** Whether a text repeats a part of the secret: at least 8 bytes in a row.
---@param text string
---@return boolean */
int clk_secret_shows_in(lua_State *L)
{
    struct clk_secret *s = clk_check_secret(L, 1);
    size_t len;
    const char *text = luaL_checklstring(L, 2, &len);
    bool shows = false;

    for (size_t i = 0; !shows && i + PART <= len; i++)
        shows = memmem(s->bytes, s->len, text + i, PART) != NULL;
    lua_pushboolean(L, shows);
    return 1;
}

/* Appends { name =, value =, line = } to the list at index 3. */
static void push_entry(lua_State *L, const struct clk_dotenv_entry *entry,
                       const struct clk_secret *value, unsigned line,
                       lua_Integer at)
{
    struct clk_secret *own;

    lua_createtable(L, 0, 3);
    lua_pushlstring(L, (const char *)entry->name, entry->name_len);
    lua_setfield(L, -2, "name");
    own = clk_new_secret(L, entry->value_len);
    memcpy(own->bytes, value->bytes, entry->value_len);
    clk_secret_seal(own, entry->value_len);
    lua_setfield(L, -2, "value");
    lua_pushinteger(L, (lua_Integer)line);
    lua_setfield(L, -2, "line");
    lua_rawseti(L, 3, at);
}

/*** The entries of a text of NAME=value lines, in its order. The rules are
--- those of core/dotenv.h.
---@param text host.secret.Secret
---@return {name: string, value: host.secret.Secret, line: integer}[]? entries
---@return string? message with the line, without its content
---@return string? code EINVAL, E2BIG */
int clk_secret_dotenv(lua_State *L)
{
    struct clk_secret *text = clk_check_secret(L, 1), *value;
    struct clk_dotenv d = {.text = text->bytes, .len = text->len};
    struct clk_dotenv_entry entry;
    unsigned line;
    int status;

    lua_settop(L, 1);
    value = clk_new_secret(L, text->len); /* unsealed: nothing to mask yet */
    lua_newtable(L);
    for (lua_Integer count = 1;; count++) {
        status = clk_dotenv_next(&d, &entry, value->bytes);
        if (status == 0)
            return 1;
        line = d.line;
        if (status < 0)
            return clk_fail(L, "EINVAL", "line %d: %s", (int)line, d.why);
        if (count > DOTENV_MAX)
            return clk_fail(L, "E2BIG", "more than %d entries", DOTENV_MAX);
        push_entry(L, &entry, value, line - 1, count);
    }
}
