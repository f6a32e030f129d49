/* host.server: an HTTP/1.1 server whose requests are taken and answered by
   tasks. */
#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <string.h>

#include "core/server.h"
#include "host/class.h"
#include "host/err.h"
#include "host/task.h"

#define SERVER_META "host.server.server"
#define REQUEST_META "host.server.request"

/* Unsent bytes of a stream above which a write waits, and down to which. */
enum { HIGH_WATER = 64 * 1024, LOW_WATER = 16 * 1024 };

/* Default limits; each is an option of listen. */
enum {
    MAX_HEADER = 32 * 1024,
    MAX_BODY = 8 * 1024 * 1024,
    MAX_CONNECTIONS = 512,
    MAX_PENDING = 512,
    IDLE_TIMEOUT = 60
};

/* A listener; libuv and the HTTP library refer to what is in `core` only. */
struct server {
    struct clk_server *core; /* NULL once closed */
    struct clk_wait accept;
};

/* A taken request. */
struct request {
    struct clk_request *core; /* NULL once closed */
    struct clk_wait write;
    struct clk_wait hangup;
};

/* --- requests ------------------------------------------------------------ */

/*** Lets go of the request. When it was not answered, or its stream not
--- finished, the connection breaks, so that the client notices. */
static int request_close(lua_State *L)
{
    struct request *r = luaL_checkudata(L, 1, REQUEST_META);

    if (r->core)
        clk_request_close(r->core);
    r->core = NULL;
    clk_wake(&r->write);
    clk_wake(&r->hangup);
    return 0;
}

static int request_gc(lua_State *L)
{
    struct request *r = luaL_checkudata(L, 1, REQUEST_META);

    clk_unwait(&r->write);
    clk_unwait(&r->hangup);
    return request_close(L);
}

static struct request *check_request(lua_State *L)
{
    struct request *r = luaL_checkudata(L, 1, REQUEST_META);

    luaL_argcheck(L, r->core != NULL, 1, "the request is closed");
    return r;
}

static void on_request_event(void *ud)
{
    struct request *r = ud;

    clk_wake(&r->write);
    clk_wake(&r->hangup);
}

static void push_headers(lua_State *L, const struct clk_request_head *head)
{
    lua_createtable(L, (int)head->header_count * 2, 0);
    for (size_t i = 0; i < head->header_count; i++) {
        const struct clk_header *h = &head->headers[i];

        lua_pushlstring(L, h->name, h->name_length);
        lua_rawseti(L, -2, (lua_Integer)i * 2 + 1);
        lua_pushlstring(L, h->value, h->value_length);
        lua_rawseti(L, -2, (lua_Integer)i * 2 + 2);
    }
}

static void push_head(lua_State *L, struct clk_request *request)
{
    struct clk_request_head head;

    clk_request_read(request, &head);
    lua_createtable(L, 0, 8);
    lua_pushstring(L, head.method);
    lua_setfield(L, -2, "method");
    lua_pushstring(L, head.target);
    lua_setfield(L, -2, "target");
    lua_pushlstring(L, head.body ? head.body : "", head.body_length);
    lua_setfield(L, -2, "body");
    lua_pushstring(L, head.peer);
    lua_setfield(L, -2, "peer");
    push_headers(L, &head);
    lua_setfield(L, -2, "headers");
}

/* Reads the flat list of names and values at `arg` into an array that is pushed
   on the stack; its strings stay the table's. */
static struct clk_header *check_headers(lua_State *L, int arg, size_t *count)
{
    size_t length = 0;
    struct clk_header *headers;

    if (!lua_isnoneornil(L, arg)) {
        luaL_checktype(L, arg, LUA_TTABLE);
        length = lua_rawlen(L, arg);
    }
    luaL_argcheck(L, length % 2 == 0, arg, "names and values in turn expected");
    *count = length / 2;
    headers = lua_newuserdatauv(L, (*count + 1) * sizeof(*headers), 0);
    for (size_t i = 0; i < length; i++) {
        const char *text;
        size_t size;

        lua_rawgeti(L, arg, (lua_Integer)i + 1);
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, arg,
                      "a header name or value is not a string");
        text = lua_tolstring(L, -1, &size);
        luaL_argcheck(L, strlen(text) == size, arg, "a header contains NUL");
        *(i % 2 ? &headers[i / 2].value : &headers[i / 2].name) = text;
        lua_pop(L, 1);
    }
    return headers;
}

static unsigned check_status(lua_State *L, int arg)
{
    lua_Integer status = luaL_checkinteger(L, arg);

    luaL_argcheck(L, status >= 200 && status <= 599, arg,
                  "a status from 200 to 599 expected");
    return (unsigned)status;
}

static int push_outcome(lua_State *L, int error)
{
    switch (error) {
    case 0: lua_pushboolean(L, 1); return 1;
    case UV_ENOMEM: return clk_no_memory(L);
    case UV_EALREADY: return luaL_error(L, "the request is answered already");
    case UV_EINVAL: return luaL_error(L, "a header that cannot be sent");
    default: return clk_fail(L, "EPIPE", "the client is gone");
    }
}

/*** Answers with a whole body. Content-Length and Date are set by the server.
---@param status integer 200 to 599
---@param headers? string[] names and values in turn
---@param body? string
---@return boolean? ok
---@return string? message
---@return string? code EPIPE */
static int request_reply(lua_State *L)
{
    struct request *r = check_request(L);
    unsigned status = check_status(L, 2);
    size_t count, length;
    const char *body = luaL_optlstring(L, 4, "", &length);
    struct clk_header *headers = check_headers(L, 3, &count);

    return push_outcome(
        L, clk_request_reply(r->core, status, headers, count, body, length));
}

/*** Starts a reply whose body `write` makes piece by piece until `finish`.
---@param status integer 200 to 599
---@param headers? string[] names and values in turn
---@return boolean? ok
---@return string? message
---@return string? code EPIPE */
static int request_stream(lua_State *L)
{
    struct request *r = check_request(L);
    unsigned status = check_status(L, 2);
    size_t count;
    struct clk_header *headers = check_headers(L, 3, &count);

    return push_outcome(L, clk_request_stream(r->core, status, headers, count));
}

static int write_done(lua_State *L, int status, lua_KContext ctx)
{
    struct request *r = (struct request *)ctx;
    size_t limit = status == LUA_OK ? HIGH_WATER : LOW_WATER;

    if (!r->core || clk_request_gone(r->core))
        return clk_fail(L, "EPIPE", "the client is gone");
    if (clk_request_unsent(r->core) > limit)
        return clk_wait(L, &r->write, ctx, write_done);
    lua_pushboolean(L, 1);
    return 1;
}

/*** Sends a piece of a stream. Waits while the client is slow to read.
---@async
---@param chunk string
---@return boolean? ok
---@return string? message
---@return string? code EPIPE */
static int request_write(lua_State *L)
{
    struct request *r = check_request(L);
    size_t length;
    const char *chunk = luaL_checklstring(L, 2, &length);
    int error;

    if (r->write.task)
        return luaL_error(L, "another task writes to this stream");
    error = clk_request_write(r->core, chunk, length);
    if (error == UV_EINVAL)
        return luaL_error(L, "the stream is not open");
    if (error)
        return push_outcome(L, error);
    return write_done(L, LUA_OK, (lua_KContext)r);
}

/*** Ends a stream; the client sees a complete body. */
static int request_finish(lua_State *L)
{
    clk_request_finish(check_request(L)->core);
    return 0;
}

/*** Whether nothing more can be sent: the client went, the reply is complete,
--- or the server was closed.
---@return boolean */
static int request_gone(lua_State *L)
{
    struct request *r = luaL_checkudata(L, 1, REQUEST_META);

    lua_pushboolean(L, !r->core || clk_request_gone(r->core));
    return 1;
}

static int wait_gone_done(lua_State *L, int status, lua_KContext ctx)
{
    struct request *r = (struct request *)ctx;

    (void)status;
    if (!r->core || clk_request_gone(r->core))
        return 0;
    return clk_wait(L, &r->hangup, ctx, wait_gone_done);
}

/*** Waits until `gone` is true.
---@async */
static int request_wait_gone(lua_State *L)
{
    struct request *r = luaL_checkudata(L, 1, REQUEST_META);

    if (r->hangup.task)
        return luaL_error(L, "another task waits for the client to go");
    return wait_gone_done(L, LUA_OK, (lua_KContext)r);
}

/* --- servers ------------------------------------------------------------- */

/*** Stops listening and closes every connection; what was handed over goes out
--- as far as the sockets take it. */
static int server_close(lua_State *L)
{
    struct server *s = luaL_checkudata(L, 1, SERVER_META);

    if (s->core)
        clk_server_close(s->core);
    s->core = NULL;
    clk_wake(&s->accept);
    return 0;
}

static int server_gc(lua_State *L)
{
    struct server *s = luaL_checkudata(L, 1, SERVER_META);

    clk_unwait(&s->accept);
    return server_close(L);
}

static void on_server_event(void *ud)
{
    struct server *s = ud;

    clk_wake(&s->accept);
}

/* Owner first: the request has one before it is taken. */
static int take(lua_State *L, struct server *s)
{
    struct request *r = lua_newuserdatauv(L, sizeof(*r), 0);

    memset(r, 0, sizeof(*r));
    luaL_setmetatable(L, REQUEST_META);
    r->core = clk_server_next(s->core);
    if (!r->core)
        return 0;
    clk_request_watch(r->core, on_request_event, r);
    push_head(L, r->core);
    return 2;
}

static int accept_done(lua_State *L, int status, lua_KContext ctx)
{
    struct server *s = (struct server *)ctx;

    (void)status;
    if (!s->core)
        return 0;
    if (clk_server_lost(s->core))
        return clk_no_memory(L);
    if (take(L, s) == 2)
        return 2;
    lua_settop(L, 1);
    return clk_wait(L, &s->accept, ctx, accept_done);
}

/*** Takes the next request; waits for one. Nothing once the server is closed.
---@async
---@return host.server.Request? request
---@return { method: string, target: string, headers: string[], body: string,
--- peer: string }? head */
static int server_accept(lua_State *L)
{
    struct server *s = luaL_checkudata(L, 1, SERVER_META);

    lua_settop(L, 1);
    if (s->accept.task)
        return luaL_error(L, "another task accepts on this server");
    return accept_done(L, LUA_OK, (lua_KContext)s);
}

/*** The port it listens on.
---@return integer */
static int server_port(lua_State *L)
{
    struct server *s = luaL_checkudata(L, 1, SERVER_META);

    luaL_argcheck(L, s->core != NULL, 1, "the server is closed");
    lua_pushinteger(L, clk_server_port(s->core));
    return 1;
}

/* An integer option from `min` to `max`, or its default. */
static lua_Integer option(lua_State *L, const char *name, lua_Integer fallback,
                          lua_Integer min, lua_Integer max)
{
    lua_Integer value = fallback;
    int ok = 1;

    if (lua_getfield(L, 1, name) != LUA_TNIL)
        value = lua_tointegerx(L, -1, &ok);
    lua_pop(L, 1);
    if (!ok || value < min || value > max)
        luaL_argerror(L, 1,
                      lua_pushfstring(L, "%s must be from %I to %I", name,
                                      (LUAI_UACINT)min, (LUAI_UACINT)max));
    return value;
}

static void read_options(lua_State *L, struct clk_server_options *o)
{
    memset(o, 0, sizeof(*o));
    o->port = (unsigned)option(L, "port", 0, 0, 65535);
    o->max_header = (size_t)option(L, "max_header", MAX_HEADER, 1024, 1 << 20);
    o->max_body = (size_t)option(L, "max_body", MAX_BODY, 0, INT32_MAX);
    o->max_connections =
        (unsigned)option(L, "max_connections", MAX_CONNECTIONS, 1, 65536);
    o->max_pending = (unsigned)option(L, "max_pending", MAX_PENDING, 1, 65536);
    o->idle_timeout =
        (unsigned)option(L, "idle_timeout", IDLE_TIMEOUT, 0, 86400);
    lua_getfield(L, 1, "remote");
    o->remote = lua_toboolean(L, -1);
    lua_getfield(L, 1, "background");
    o->background = lua_toboolean(L, -1);
    lua_pop(L, 2);
    lua_getfield(L, 1, "host"); /* stays on the stack */
    o->host = luaL_optstring(L, -1, "127.0.0.1");
}

/*** Starts to listen. `remote` allows an address that is not loopback; tasks
--- that wait for nothing but a `background` server are in a deadlock.
---@param options { host?: string, port?: integer, remote?: boolean,
--- background?: boolean,
--- max_header?: integer, max_body?: integer, max_connections?: integer,
--- max_pending?: integer, idle_timeout?: integer }
---@return host.server.Server?
---@return string? message
---@return string? code EADDRINUSE, EACCES, EINVAL (not an address), ENOTSUP …
--- */
static int server_listen(lua_State *L)
{
    struct clk_server_options options;
    struct server *s;
    const char *why = NULL;
    int error;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    read_options(L, &options);
    s = lua_newuserdatauv(L, sizeof(*s), 0);
    memset(s, 0, sizeof(*s));
    luaL_setmetatable(L, SERVER_META);
    error = clk_server_open(&s->core, clk_loop(clk_host_of(L)), &options,
                            on_server_event, s, &why);
    if (error == UV_ENOMEM)
        return clk_no_memory(L);
    if (error && why)
        return clk_fail(L, uv_err_name(error), "%s: %s", options.host, why);
    if (error)
        return clk_fail_uv(
            L, error,
            lua_pushfstring(L, "%s:%d", options.host, (int)options.port));
    return 1;
}

static const luaL_Reg functions[] = {
    {"listen", server_listen},
    {NULL, NULL},
};

static const luaL_Reg request_methods[] = {
    {"close", request_close},   {"finish", request_finish},
    {"gone", request_gone},     {"reply", request_reply},
    {"stream", request_stream}, {"wait_gone", request_wait_gone},
    {"write", request_write},   {NULL, NULL},
};

static const luaL_Reg server_methods[] = {
    {"accept", server_accept},
    {"close", server_close},
    {"port", server_port},
    {NULL, NULL},
};

int luaopen_host_server(lua_State *L);

int luaopen_host_server(lua_State *L)
{
    clk_class(L, REQUEST_META, request_methods, request_close, request_gc);
    clk_class(L, SERVER_META, server_methods, server_close, server_gc);
    luaL_newlib(L, functions);
    return 1;
}
