/* host.secret: text and streams with every live secret replaced. */
#include <lauxlib.h>

#include "bind/secret_handle.h"
#include "core/mem.h"
#include "host/err.h"
#include "host/host.h"

#define MASKER_META "host.secret.masker"
#define TEXT_META "host.secret.text"

/* A stream being masked. */
struct masker_box {
    struct clk_masker *masker; /* NULL once finished or closed */
};

/* Owns a masked text while its Lua string is made. */
struct text_box {
    char *text;
};

static int text_close(lua_State *L)
{
    struct text_box *box = luaL_checkudata(L, 1, TEXT_META);

    clk_free(box->text);
    box->text = NULL;
    return 0;
}

/* Pushes an owner whose metatable, registered when complete, has `functions`.
 */
static void *push_owner(lua_State *L, size_t size, const char *name,
                        const luaL_Reg *functions)
{
    void **box = lua_newuserdatauv(L, size, 0);

    *box = NULL;
    if (lua_getfield(L, LUA_REGISTRYINDEX, name) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        luaL_setfuncs(L, functions, 0);
        lua_pushvalue(L, -1);
        lua_setfield(L, -2, "__index");
        lua_pushstring(L, name);
        lua_setfield(L, -2, "__name");
        lua_pushvalue(L, -1);
        lua_setfield(L, LUA_REGISTRYINDEX, name);
    }
    lua_setmetatable(L, -2);
    return box;
}

static struct text_box *push_text_box(lua_State *L)
{
    static const luaL_Reg meta[] = {{"__gc", text_close}, {NULL, NULL}};

    return push_owner(L, sizeof(struct text_box), TEXT_META, meta);
}

/* Pushes what a mask function gave: the masked text of the box, or `text`. */
static void push_result(lua_State *L, struct text_box *box, int found,
                        size_t masked_len, const char *text, size_t len)
{
    if (found < 0)
        clk_no_memory(L);
    if (found)
        lua_pushlstring(L, box->text, masked_len);
    else
        lua_pushlstring(L, text, len);
    clk_free(box->text);
    box->text = NULL;
}

void clk_push_masked(lua_State *L, const char *text, size_t len)
{
    struct clk_secrets *set = clk_host_of(L)->secrets;
    struct text_box *box;
    size_t masked_len;
    int found;

    if (!set || clk_secrets_count(set) == 0) {
        lua_pushlstring(L, text, len);
        return;
    }
    box = push_text_box(L);
    found = clk_secret_mask(set, text, len, &box->text, &masked_len);
    push_result(L, box, found, masked_len, text, len);
    lua_remove(L, -2);
}

/*** A text with every live secret of at least four bytes replaced by
--- "[secret]": as it is, percent-encoded, escaped as in JSON, or in base64.
---@param text string
---@return string */
int clk_secret_mask_text(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);

    clk_push_masked(L, text, len);
    return 1;
}

/*** Forgets what it holds back. Twice is once. */
static int masker_close(lua_State *L)
{
    struct masker_box *box = luaL_checkudata(L, 1, MASKER_META);
    struct clk_masker *masker = box->masker;

    box->masker = NULL;
    clk_masker_free(masker);
    return 0;
}

static int feed(lua_State *L, const char *text, size_t len, bool last)
{
    struct masker_box *box = luaL_checkudata(L, 1, MASKER_META);
    struct text_box *masked;
    size_t masked_len;
    int found;

    if (!box->masker)
        return luaL_error(L, "the masker is finished");
    masked = push_text_box(L);
    found = clk_masker_feed(box->masker, text, len, last, &masked->text,
                            &masked_len);
    push_result(L, masked, found, masked_len, text, len);
    return 1;
}

/*** Takes the next chunk of the stream and gives what can be written by now:
--- the beginning of what may become a secret is held back.
---@param chunk string
---@return string */
static int masker_feed(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 2, &len);

    return feed(L, text, len, false);
}

/*** Ends the stream and gives the rest of it.
---@return string */
static int masker_finish(lua_State *L)
{
    feed(L, "", 0, true);
    lua_pushcfunction(L, masker_close);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 0);
    return 1;
}

static const luaL_Reg masker_methods[] = {
    {"__close", masker_close}, {"__gc", masker_close},
    {"close", masker_close},   {"feed", masker_feed},
    {"finish", masker_finish}, {NULL, NULL},
};

/*** A masker for a stream whose chunks may end in the midst of a secret.
---@return host.secret.Masker */
int clk_secret_masker(lua_State *L)
{
    struct clk_secrets *set = clk_secrets_of(L);
    struct masker_box *box =
        push_owner(L, sizeof(*box), MASKER_META, masker_methods);

    box->masker = clk_masker_new(set);
    if (!box->masker)
        return clk_no_memory(L);
    return 1;
}
