/* Lua values as YAML. */
#include "bind/yaml_encode.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "core/yaml.h"
#include "core/yaml_scalar.h"
#include "core/yaml_write.h"
#include "host/class.h"
#include "host/err.h"

#define WRITER_META "host.yaml.writer"

/* Owns the document under way. */
struct box {
    struct clk_yaml_writer *writer;
};

/* A key of a map; its bytes stay in the map. */
struct key {
    const char *text;
    size_t len;
};

/* Why writing stopped, when it was not for a bug in the caller. */
enum outcome { WRITTEN, STOPPED, NOT_UTF8, TOO_DEEP };

static int box_gc(lua_State *L)
{
    struct box *box = luaL_checkudata(L, 1, WRITER_META);

    clk_yaml_writer_free(box->writer);
    box->writer = NULL;
    return 0;
}

static enum outcome write_value(lua_State *L, struct clk_yaml_writer *w,
                                int depth);

static enum outcome written(bool ok)
{
    return ok ? WRITTEN : STOPPED;
}

static enum outcome write_string(struct clk_yaml_writer *w, const char *text,
                                 size_t len)
{
    if (!clk_yaml_is_utf8(text, len))
        return NOT_UTF8;
    return written(clk_yaml_write_string(w, text, len));
}

/* --- what a table is ---------------------------------------------------- */

static bool is_marked_array(lua_State *L)
{
    bool marked = luaL_getmetafield(L, -1, "__array") != LUA_TNIL;

    if (!marked)
        return false;
    marked = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return marked;
}

/* Counts the keys of the table on top; whether all are strings, or all are the
   integers from 1 to their count. */
static size_t count_keys(lua_State *L, bool *strings, bool *sequence)
{
    lua_Integer highest = 0;
    size_t count = 0;

    *strings = *sequence = true;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        bool whole = lua_isinteger(L, -2);

        count++;
        if (lua_type(L, -2) != LUA_TSTRING)
            *strings = false;
        if (!whole || lua_tointeger(L, -2) < 1)
            *sequence = false;
        else if (lua_tointeger(L, -2) > highest)
            highest = lua_tointeger(L, -2);
    }
    *sequence = *sequence && (size_t)highest == count;
    return count;
}

/* --- tables ------------------------------------------------------------- */

static enum outcome write_list(lua_State *L, struct clk_yaml_writer *w,
                               size_t count, int depth)
{
    if (!clk_yaml_write_list(w))
        return STOPPED;
    for (size_t i = 1; i <= count; i++) {
        enum outcome outcome;

        lua_rawgeti(L, -1, (lua_Integer)i);
        outcome = write_value(L, w, depth + 1);
        lua_pop(L, 1);
        if (outcome != WRITTEN)
            return outcome;
    }
    return written(clk_yaml_write_list_end(w));
}

static int by_bytes(const void *x, const void *y)
{
    const struct key *a = x, *b = y;
    int order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);

    if (order != 0)
        return order;
    return a->len < b->len ? -1 : a->len > b->len;
}

static enum outcome write_map(lua_State *L, struct clk_yaml_writer *w,
                              size_t count, int depth)
{
    struct key *keys = lua_newuserdatauv(L, count * sizeof(*keys) + 1, 0);
    size_t n = 0;

    for (lua_pushnil(L); lua_next(L, -3); lua_pop(L, 1), n++)
        keys[n].text = lua_tolstring(L, -2, &keys[n].len);
    qsort(keys, n, sizeof(*keys), by_bytes);
    if (!clk_yaml_write_map(w))
        return STOPPED;
    for (size_t i = 0; i < n; i++) {
        enum outcome outcome = write_string(w, keys[i].text, keys[i].len);

        if (outcome != WRITTEN)
            return outcome;
        lua_pushlstring(L, keys[i].text, keys[i].len);
        lua_rawget(L, -3);
        outcome = write_value(L, w, depth + 1);
        lua_pop(L, 1);
        if (outcome != WRITTEN)
            return outcome;
    }
    lua_pop(L, 1);
    return written(clk_yaml_write_map_end(w));
}

/* A number that JSON decoding kept as its digits: {text = …}, named json.raw.
 */
static bool is_raw_number(lua_State *L)
{
    bool raw;

    if (luaL_getmetafield(L, -1, "__name") == LUA_TNIL)
        return false;
    raw = lua_type(L, -1) == LUA_TSTRING
          && strcmp(lua_tostring(L, -1), "json.raw") == 0;
    lua_pop(L, 1);
    return raw;
}

static enum outcome write_raw_number(lua_State *L, struct clk_yaml_writer *w)
{
    size_t len;
    const char *text;
    enum outcome outcome;

    lua_getfield(L, -1, "text");
    text = lua_tolstring(L, -1, &len);
    if (!text || !clk_yaml_is_number(text, len))
        luaL_error(L, "raw JSON cannot be written as YAML");
    outcome = written(clk_yaml_write_number(w, text, len));
    lua_pop(L, 1);
    return outcome;
}

static enum outcome write_table(lua_State *L, struct clk_yaml_writer *w,
                                int depth)
{
    bool marked, strings, sequence;
    size_t count;

    if (depth >= CLK_YAML_DEPTH_MAX)
        return TOO_DEEP;
    luaL_checkstack(L, 8, "a deep table");
    if (is_raw_number(L))
        return write_raw_number(L, w);
    marked = is_marked_array(L);
    count = count_keys(L, &strings, &sequence);
    if (marked || (count > 0 && sequence)) {
        if (!sequence)
            luaL_error(L, "an array has holes or other keys");
        return write_list(L, w, count, depth);
    }
    if (!strings)
        luaL_error(L, "the keys of a map must be strings");
    return write_map(L, w, count, depth);
}

/* --- values ------------------------------------------------------------- */

static enum outcome write_number(lua_State *L, struct clk_yaml_writer *w)
{
    if (lua_isinteger(L, -1))
        return written(clk_yaml_write_int(w, lua_tointeger(L, -1)));
    return written(clk_yaml_write_float(w, lua_tonumber(L, -1)));
}

/* Writes the value on top. */
static enum outcome write_value(lua_State *L, struct clk_yaml_writer *w,
                                int depth)
{
    size_t len;
    const char *text;

    switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN:
        return written(clk_yaml_write_bool(w, lua_toboolean(L, -1)));
    case LUA_TNUMBER: return write_number(L, w);
    case LUA_TSTRING:
        text = lua_tolstring(L, -1, &len);
        return write_string(w, text, len);
    case LUA_TTABLE: return write_table(L, w, depth);
    case LUA_TLIGHTUSERDATA:
        if (!lua_touserdata(L, -1))
            return written(clk_yaml_write_null(w));
        break;
    default: break;
    }
    luaL_error(L, "a %s cannot be written as YAML", luaL_typename(L, -1));
    return STOPPED;
}

/*** Encodes a value: keys sorted, arrays (marked, or with keys from 1 on) as
--- lists, strings quoted wherever they could be taken for something else.
---@param value any
---@return string? text
---@return string? message
---@return string? code EILSEQ: not UTF-8; E2BIG: too deep or too long */
int clk_yaml_encode(lua_State *L)
{
    struct box *box;
    const char *text = NULL;
    size_t len;

    luaL_checkany(L, 1);
    lua_settop(L, 1);
    box = lua_newuserdatauv(L, sizeof(*box), 0);
    box->writer = NULL;
    luaL_setmetatable(L, WRITER_META);
    box->writer = clk_yaml_writer_new();
    if (!box->writer)
        return clk_no_memory(L);
    lua_pushvalue(L, 1);
    switch (write_value(L, box->writer, 0)) {
    case NOT_UTF8: return clk_fail(L, "EILSEQ", "a string is not valid UTF-8");
    case TOO_DEEP: return clk_fail(L, "E2BIG", "nested too deeply");
    case WRITTEN: text = clk_yaml_writer_end(box->writer, &len); break;
    case STOPPED: break;
    }
    if (text) {
        lua_pushlstring(L, text, len);
        return 1;
    }
    if (clk_yaml_writer_out_of_memory(box->writer))
        return clk_no_memory(L);
    return clk_fail(L, "E2BIG", "the YAML text is too long");
}

void clk_yaml_encode_open(lua_State *L)
{
    clk_class(L, WRITER_META, NULL, NULL, box_gc);
}
