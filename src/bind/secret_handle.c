/* The handle on a secret: everything Lua can do with one, none of which gives
   its bytes away. */
#include "bind/secret_handle.h"

#include <string.h>

#include <lauxlib.h>

#include "host/err.h"

#define META "host.secret.secret"

/* The userdata. */
struct handle {
    struct clk_secret *secret; /* NULL: closed */
};

static struct handle *to_handle(lua_State *L, int index)
{
    return luaL_testudata(L, index, META);
}

bool clk_secret_handle_test(lua_State *L, int index)
{
    return to_handle(L, index) != NULL;
}

void clk_secret_handle_set(lua_State *L, int index, struct clk_secret *secret)
{
    struct handle *h = lua_touserdata(L, index);

    h->secret = secret;
}

struct clk_secret *clk_test_secret(lua_State *L, int index)
{
    struct handle *h = to_handle(L, index);

    if (h && !h->secret)
        luaL_error(L, "the secret is closed");
    return h ? h->secret : NULL;
}

struct clk_secret *clk_check_secret(lua_State *L, int arg)
{
    struct handle *h = to_handle(L, arg);

    if (!h)
        luaL_typeerror(L, arg, "secret");
    else if (!h->secret)
        luaL_argerror(L, arg, "the secret is closed");
    return h ? h->secret : NULL;
}

struct clk_secret *clk_new_secret(lua_State *L, size_t cap)
{
    struct clk_secrets *set = clk_secrets_of(L);
    struct clk_secret *secret;

    if (cap > CLK_SECRET_MAX)
        luaL_error(L, "a secret cannot be longer than 1 MiB");
    clk_secret_handle_new(L);
    /* Lua sees only small handles and may have left many uncollected. Not done
       when memory is out: a finalizer that cannot run is lost. */
    if (clk_secrets_count(set) >= CLK_SECRETS_MAX)
        lua_gc(L, LUA_GCCOLLECT);
    secret = clk_secret_new(set, cap);
    if (!secret)
        clk_no_memory(L);
    clk_secret_handle_set(L, -1, secret);
    return secret;
}

/* Pushes a new secret with a part of another one. */
static void push_part(lua_State *L, const struct clk_secret *whole, size_t from,
                      size_t len)
{
    struct clk_secret *s = clk_new_secret(L, len);

    memcpy(s->bytes, whole->bytes + from, len);
    clk_secret_seal(s, len);
}

/*** Gives the bytes up; they are wiped as soon as no request or child process
--- is still sending them. A closed secret cannot be used. Closing twice is
--- allowed. */
static int secret_close(lua_State *L)
{
    struct handle *h = luaL_checkudata(L, 1, META);
    struct clk_secret *secret = h->secret;

    h->secret = NULL;
    clk_secret_unref(secret);
    return 0;
}

/*** Whether two secrets, or a secret and a string, hold the same bytes. The
--- time it takes depends on the lengths alone.
---@param other string|host.secret.Secret
---@return boolean */
static int secret_equals(lua_State *L)
{
    struct clk_secret *s = clk_check_secret(L, 1);
    struct clk_secret *other = clk_test_secret(L, 2);
    const char *text = NULL;
    size_t len = 0;

    if (!other)
        text = luaL_checklstring(L, 2, &len);
    lua_pushboolean(
        L, other ? clk_secret_same(s->bytes, s->len, other->bytes, other->len)
                 : clk_secret_same(s->bytes, s->len, text, len));
    return 1;
}

/*** What tells it from other secrets without telling what it is: a keyed hash.
---@param key string what the digest is for, at most 64 bytes; uses do not mix
---@return string hex 32 digits */
static int secret_digest(lua_State *L)
{
    static const char hex[] = "0123456789abcdef";
    struct clk_secret *s = clk_check_secret(L, 1);
    unsigned char out[CLK_DIGEST_SIZE];
    char text[2 * CLK_DIGEST_SIZE];
    size_t len;
    const char *key = luaL_checklstring(L, 2, &len);

    luaL_argcheck(L, len > 0 && len <= 64, 2, "1 to 64 bytes");
    clk_secret_digest(s, key, len, out);
    for (size_t i = 0; i < sizeof(out); i++) {
        text[2 * i] = hex[out[i] >> 4];
        text[2 * i + 1] = hex[out[i] & 15];
    }
    lua_pushlstring(L, text, sizeof(text));
    return 1;
}

static bool is_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_control(unsigned char c)
{
    return c < 32 || c == 127;
}

static bool is_non_ascii(unsigned char c)
{
    return c > 127;
}

static bool is_invisible(unsigned char c)
{
    return c < 33 || c > 126;
}

/*** The position of the first byte of a class, nil when there is none:
--- "control"
--- (0 to 31 and 127), "space" (ASCII white space), "non_ascii" (128 to 255) or
--- "invisible" (all that is no visible ASCII character).
---@param class "control"|"space"|"non_ascii"|"invisible"
---@return integer? */
static int secret_find_class(lua_State *L)
{
    static const char *const names[] = {"control", "space", "non_ascii",
                                        "invisible", NULL};
    static bool (*const tests[])(unsigned char) = {is_control, is_space,
                                                   is_non_ascii, is_invisible};
    struct clk_secret *s = clk_check_secret(L, 1);
    bool (*test)(unsigned char) = tests[luaL_checkoption(L, 2, NULL, names)];

    for (size_t i = 0; i < s->len; i++) {
        if (test(s->bytes[i])) {
            lua_pushinteger(L, (lua_Integer)i + 1);
            return 1;
        }
    }
    lua_pushnil(L);
    return 1;
}

/*** How many bytes it has.
---@return integer */
static int secret_len(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)clk_check_secret(L, 1)->len);
    return 1;
}

/*** The secret without any ASCII white space: a token that was wrapped.
---@return host.secret.Secret */
static int secret_remove_space(lua_State *L)
{
    struct clk_secret *s = clk_check_secret(L, 1);
    struct clk_secret *kept = clk_new_secret(L, s->len);
    size_t len = 0;

    for (size_t i = 0; i < s->len; i++) {
        if (!is_space(s->bytes[i]))
            kept->bytes[len++] = s->bytes[i];
    }
    clk_secret_seal(kept, len);
    return 1;
}

/* Where `what` is found in the secret from `from` on; s->len when it is not. */
static size_t find(const struct clk_secret *s, size_t from, const char *what,
                   size_t len)
{
    for (; from + len <= s->len; from++) {
        if (memcmp(s->bytes + from, what, len) == 0)
            return from;
    }
    return s->len;
}

/*** The parts between separators, empty ones included; at most 256.
---@param separator string not empty
---@return host.secret.Secret[] */
static int secret_split(lua_State *L)
{
    enum { MAX_PARTS = 256 };
    struct clk_secret *s = clk_check_secret(L, 1);
    size_t len, from = 0, end;
    const char *separator = luaL_checklstring(L, 2, &len);

    luaL_argcheck(L, len > 0, 2, "an empty separator");
    lua_newtable(L);
    for (lua_Integer i = 1; i <= MAX_PARTS; i++) {
        end = i < MAX_PARTS ? find(s, from, separator, len) : s->len;
        push_part(L, s, from, end - from);
        lua_rawseti(L, -2, i);
        if (end == s->len)
            break;
        from = end + len;
    }
    return 1;
}

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/*** Whether it begins with a text: the kind of a token.
---@param text string
---@param ignore_case? boolean of ASCII letters
---@return boolean */
static int secret_starts_with(lua_State *L)
{
    struct clk_secret *s = clk_check_secret(L, 1);
    size_t len, i = 0;
    const char *text = luaL_checklstring(L, 2, &len);
    bool ignore_case = lua_toboolean(L, 3);

    if (len <= s->len) {
        for (; i < len; i++) {
            unsigned char a = s->bytes[i], b = (unsigned char)text[i];

            if (a != b && !(ignore_case && lower(a) == lower(b)))
                break;
        }
    }
    lua_pushboolean(L, len <= s->len && i == len);
    return 1;
}

/*** A part of it; positions as in string.sub.
---@param i integer
---@param j? integer
---@return host.secret.Secret */
static int secret_sub(lua_State *L)
{
    struct clk_secret *s = clk_check_secret(L, 1);
    lua_Integer len = (lua_Integer)s->len;
    lua_Integer i = luaL_checkinteger(L, 2), j = luaL_optinteger(L, 3, -1);

    if (i < 0)
        i = i < -len ? 1 : len + i + 1;
    else if (i == 0)
        i = 1;
    if (j < 0)
        j = j < -len ? 0 : len + j + 1;
    else if (j > len)
        j = len;
    if (i > j)
        push_part(L, s, 0, 0);
    else
        push_part(L, s, (size_t)i - 1, (size_t)(j - i + 1));
    return 1;
}

/*** The secret without ASCII white space at its ends.
---@return host.secret.Secret */
static int secret_trim(lua_State *L)
{
    struct clk_secret *s = clk_check_secret(L, 1);
    size_t from = 0, end = s->len;

    while (from < end && is_space(s->bytes[from]))
        from++;
    while (end > from && is_space(s->bytes[end - 1]))
        end--;
    push_part(L, s, from, end - from);
    return 1;
}

static int meta_tostring(lua_State *L)
{
    lua_pushliteral(L, "[secret]");
    return 1;
}

/* Upvalue: the methods. */
static int meta_index(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL)
        return luaL_error(L, "a secret has no field '%s'",
                          luaL_tolstring(L, 2, NULL));
    return 1;
}

/* Upvalue: what a secret cannot do. */
static int meta_refuse(lua_State *L)
{
    return luaL_error(L, "a secret cannot be %s",
                      lua_tostring(L, lua_upvalueindex(1)));
}

static const luaL_Reg methods[] = {
    {"close", secret_close},
    {"digest", secret_digest},
    {"equals", secret_equals},
    {"find_class", secret_find_class},
    {"fits_import", clk_secret_fits_import},
    {"json", clk_secret_json},
    {"len", secret_len},
    {"remove_space", secret_remove_space},
    {"shows_in", clk_secret_shows_in},
    {"split", secret_split},
    {"starts_with", secret_starts_with},
    {"sub", secret_sub},
    {"trim", secret_trim},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__close", secret_close},
    {"__gc", secret_close},
    {"__tostring", meta_tostring},
    {NULL, NULL},
};

/* Metamethods that raise, and what they say. */
static const struct {
    const char *name, *text;
} refused[] = {
    {"__add", "calculated with"},
    {"__band", "calculated with"},
    {"__bnot", "calculated with"},
    {"__bor", "calculated with"},
    {"__bxor", "calculated with"},
    {"__call", "called"},
    {"__concat", "concatenated: use secret.concat"},
    {"__div", "calculated with"},
    {"__idiv", "calculated with"},
    {"__eq", "compared with ==: use equals"},
    {"__le", "ordered"},
    {"__len", "measured with #: use len"},
    {"__lt", "ordered"},
    {"__mod", "calculated with"},
    {"__mul", "calculated with"},
    {"__newindex", "assigned to"},
    {"__pairs", "iterated"},
    {"__pow", "calculated with"},
    {"__shl", "calculated with"},
    {"__shr", "calculated with"},
    {"__sub", "calculated with"},
    {"__unm", "calculated with"},
};

/* Pushes the metatable, which is registered only once it is complete. */
static void push_meta(lua_State *L)
{
    if (lua_getfield(L, LUA_REGISTRYINDEX, META) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    luaL_setfuncs(L, meta, 0);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        lua_pushstring(L, refused[i].text);
        lua_pushcclosure(L, meta_refuse, 1);
        lua_setfield(L, -2, refused[i].name);
    }
    luaL_newlib(L, methods);
    lua_pushcclosure(L, meta_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "secret");
    lua_setfield(L, -2, "__name");
    lua_pushliteral(L, "secret"); /* getmetatable gives this and no more */
    lua_setfield(L, -2, "__metatable");
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, META);
}

void clk_secret_handle_new(lua_State *L)
{
    struct handle *h = lua_newuserdatauv(L, sizeof(*h), 0);

    h->secret = NULL;
    push_meta(L);
    lua_setmetatable(L, -2);
}
