/* From an options table to a request; secrets are copied in C only. */
#include "bind/http_options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "bind/l_secret.h"

/* The longest time a limit can say, in seconds: thirty days. */
enum { MAX_SECONDS = 30 * 24 * 3600 };

/* What the reading of one table works on. */
struct reader {
    struct clk_http_request *request;
    struct clk_http_error *error;
    int index;       /* of the table */
    bool repeatable; /* the option was given: it overrides the method's */
    bool repeatable_value;
    bool has_hosts;
};

/* Bytes of a string, a number or a secret; valid while the value lives. */
struct bytes {
    const void *at;
    size_t len;
};

static bool test_bytes(lua_State *L, int index, struct bytes *out)
{
    struct clk_secret *secret;

    out->at = "";
    out->len = 0;
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
    case LUA_TNUMBER: out->at = lua_tolstring(L, index, &out->len); return true;
    case LUA_TUSERDATA:
        secret = clk_test_secret(L, index);
        if (!secret)
            return false;
        out->at = secret->bytes;
        out->len = secret->len;
        return true;
    default: return false;
    }
}

/* Raises: the option `name` is not what it has to be. */
static bool misuse(lua_State *L, const struct reader *r, const char *name,
                   const char *expected)
{
    return luaL_argerror(L, r->index,
                         lua_pushfstring(L, "%s: %s expected", name, expected));
}

/* ---- one option each; its value is at the top of the stack ---- */

static bool read_seconds(lua_State *L, struct reader *r, const char *name,
                         unsigned *ms)
{
    int is_number;
    lua_Number seconds = lua_tonumberx(L, -1, &is_number);

    if (!is_number || !(seconds >= 0 && seconds <= MAX_SECONDS))
        return misuse(L, r, name, "seconds, at most thirty days,");
    /* Less than a millisecond is not "no limit". */
    *ms = (unsigned)(seconds * 1000);
    if (seconds > 0 && *ms == 0)
        *ms = 1;
    return true;
}

static bool read_timeout(lua_State *L, struct reader *r)
{
    return read_seconds(L, r, "timeout", &r->request->timeout_ms);
}

static bool read_connect_timeout(lua_State *L, struct reader *r)
{
    return read_seconds(L, r, "connect_timeout",
                        &r->request->connect_timeout_ms);
}

static bool read_idle_timeout(lua_State *L, struct reader *r)
{
    return read_seconds(L, r, "idle_timeout", &r->request->idle_timeout_ms);
}

static bool read_max_body(lua_State *L, struct reader *r)
{
    int is_integer;
    lua_Integer size = lua_tointegerx(L, -1, &is_integer);

    if (!is_integer || size < 0)
        return misuse(L, r, "max_body", "a number of bytes");
    r->request->max_body = (size_t)size;
    return true;
}

static bool read_allow_http(lua_State *L, struct reader *r)
{
    if (!lua_isboolean(L, -1))
        return misuse(L, r, "allow_http", "a boolean");
    r->request->allow_http = lua_toboolean(L, -1);
    return true;
}

static bool read_repeatable(lua_State *L, struct reader *r)
{
    if (!lua_isboolean(L, -1))
        return misuse(L, r, "repeatable", "a boolean");
    r->repeatable = true;
    r->repeatable_value = lua_toboolean(L, -1);
    return true;
}

static bool read_hosts(lua_State *L, struct reader *r)
{
    if (!lua_istable(L, -1))
        return misuse(L, r, "http_hosts", "a list of names");
    r->has_hosts = true;
    return true;
}

static bool read_method(lua_State *L, struct reader *r)
{
    size_t len;
    const char *method = lua_tolstring(L, -1, &len);

    return method ? clk_http_request_method(r->request, method, len, r->error)
                  : misuse(L, r, "method", "a string");
}

static bool read_url(lua_State *L, struct reader *r)
{
    size_t len;
    const char *url = lua_tolstring(L, -1, &len);

    return url ? clk_http_request_url(r->request, url, len, r->error)
               : misuse(L, r, "url", "a string");
}

/* A string that C takes as it is. */
static const char *get_text(lua_State *L, struct reader *r, const char *name)
{
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);

    if (!text || strlen(text) != len)
        misuse(L, r, name, "a string without zero bytes");
    return text;
}

static bool read_cafile(lua_State *L, struct reader *r)
{
    return clk_http_request_cafile(r->request, get_text(L, r, "cafile"),
                                   r->error);
}

static bool read_proxy(lua_State *L, struct reader *r)
{
    return clk_http_request_proxy(r->request, get_text(L, r, "proxy"),
                                  r->error);
}

/* Name at -2, value at -1. */
static bool read_header(lua_State *L, struct reader *r)
{
    struct bytes value;
    const char *name;
    size_t len;

    if (lua_type(L, -2) != LUA_TSTRING)
        return misuse(L, r, "headers", "a name");
    name = lua_tolstring(L, -2, &len);
    if (!test_bytes(L, -1, &value))
        return misuse(L, r, name, "a string or secret");
    return clk_http_request_header(r->request, name, len, value.at, value.len,
                                   r->error);
}

/* { Name = value, … } or a list of { name, value }. */
static bool read_headers(lua_State *L, struct reader *r)
{
    int table = lua_gettop(L);
    bool ok = true;

    if (!lua_istable(L, table))
        return misuse(L, r, "headers", "a table");
    lua_pushnil(L);
    while (ok && lua_next(L, table)) {
        if (lua_istable(L, -1)) {
            lua_rawgeti(L, -1, 1);
            lua_rawgeti(L, -2, 2);
            ok = read_header(L, r);
            lua_pop(L, 2);
        } else {
            ok = read_header(L, r);
        }
        lua_pop(L, 1);
    }
    lua_settop(L, table);
    return ok;
}

static void get_part(lua_State *L, struct reader *r, struct bytes *part)
{
    if (!test_bytes(L, -1, part))
        misuse(L, r, "body", "a string, a secret or a list of them");
}

/* A list: its total length first, then its bytes. */
static bool read_parts(lua_State *L, struct reader *r)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    struct bytes part;
    size_t size = 0;

    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        get_part(L, r, &part);
        size += part.len;
        lua_pop(L, 1);
    }
    if (!clk_http_request_body(r->request, size, r->error))
        return false;
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        get_part(L, r, &part);
        clk_http_request_append(r->request, part.at, part.len);
        lua_pop(L, 1);
    }
    return true;
}

static bool read_body(lua_State *L, struct reader *r)
{
    struct bytes whole;

    if (lua_istable(L, -1))
        return read_parts(L, r);
    get_part(L, r, &whole);
    if (!clk_http_request_body(r->request, whole.len, r->error))
        return false;
    clk_http_request_append(r->request, whole.at, whole.len);
    return true;
}

/* ---- the table ---- */

/* An option and its reader. */
struct option {
    const char *name;
    bool (*read)(lua_State *L, struct reader *r);
};

/* In the order of their names. */
static const struct option options[] = {
    {"allow_http", read_allow_http},
    {"body", read_body},
    {"cafile", read_cafile},
    {"connect_timeout", read_connect_timeout},
    {"headers", read_headers},
    {"http_hosts", read_hosts},
    {"idle_timeout", read_idle_timeout},
    {"max_body", read_max_body},
    {"method", read_method},
    {"proxy", read_proxy},
    {"repeatable", read_repeatable},
    {"timeout", read_timeout},
    {"url", read_url},
};

static int compare(const void *name, const void *option)
{
    return strcmp(name, ((const struct option *)option)->name);
}

/* Key at -2, value at -1. A misspelt option must not be ignored. */
static bool read_option(lua_State *L, struct reader *r)
{
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2)
                                                      : luaL_typename(L, -2);
    const struct option *option =
        bsearch(name, options, sizeof(options) / sizeof(options[0]),
                sizeof(options[0]), compare);

    if (!option)
        return luaL_argerror(L, r->index,
                             lua_pushfstring(L, "unknown option '%s'", name));
    return option->read(L, r);
}

/* Whether the host is in the list of those that plain http may go to. */
static bool is_listed(lua_State *L, const struct reader *r)
{
    const char *host = r->request->target.host;
    bool found = false;

    lua_getfield(L, r->index, "http_hosts");
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++) {
        const char *name = lua_tostring(L, -1);
        size_t n = 0;

        while (host[n] && tolower((unsigned char)name[n]) == host[n])
            n++;
        found = found || (host[n] == '\0' && name[n] == '\0');
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    return found;
}

bool clk_http_read_options(lua_State *L, int index,
                           struct clk_http_request *request,
                           struct clk_http_error *error)
{
    struct reader r = {.request = request, .error = error, .index = index};
    int top = lua_gettop(L);
    bool ok = true;

    lua_pushnil(L);
    while (ok && lua_next(L, index)) {
        ok = read_option(L, &r);
        lua_pop(L, 1);
    }
    lua_settop(L, top);
    if (!ok)
        return false;
    if (r.repeatable)
        request->repeatable = r.repeatable_value;
    if (r.has_hosts && !request->allow_http)
        request->allow_http = is_listed(L, &r);
    return true;
}
