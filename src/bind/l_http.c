/* host.http: one exchange at a time, over the kept connections of a client. */
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "bind/http_options.h"
#include "core/curl_api.h"
#include "core/http.h"
#include "host/class.h"
#include "host/err.h"
#include "host/task.h"

#define CLIENT_META "host.http.client"
#define TRANSFER_META "host.http.transfer"

/* What holds where the caller says nothing else. */
enum {
    TIMEOUT_MS = 30 * 1000, /* of a request read whole */
    CONNECT_TIMEOUT_MS = 10 * 1000,
    IDLE_TIMEOUT_MS = 60 * 1000, /* of one read piece by piece */
    MAX_BODY = 64 * 1024 * 1024  /* bytes read whole */
};

struct client_box {
    struct clk_http *http; /* NULL once closed */
};

/* Its user value is the client, which must outlive it. */
struct transfer_box {
    struct clk_wait wait;
    struct clk_http_request *request;   /* until it is started */
    struct clk_http_transfer *transfer; /* NULL before and once closed */
};

static void transfer_drop(struct transfer_box *box)
{
    clk_http_request_free(box->request);
    clk_http_transfer_free(box->transfer);
    box->request = NULL;
    box->transfer = NULL;
}

/*** Ends the transfer if it still runs. May be called again.
---@param self host.http.Transfer */
static int transfer_close(lua_State *L)
{
    struct transfer_box *box = luaL_checkudata(L, 1, TRANSFER_META);

    transfer_drop(box);
    clk_wake(&box->wait);
    return 0;
}

/*** Ends all transfers (ECANCELED) and closes every connection. May be called
--- again.
---@param self host.http.Client */
static int client_close(lua_State *L)
{
    struct client_box *box = luaL_checkudata(L, 1, CLIENT_META);

    clk_http_free(box->http);
    box->http = NULL;
    return 0;
}

/* The error triplet, and with it { sent = boolean }. */
static int fail(lua_State *L, const struct clk_http_error *error)
{
    if (strcmp(error->code, "ENOMEM") == 0)
        return clk_no_memory(L);
    clk_fail(L, error->code, "%s", error->message);
    lua_createtable(L, 0, 1);
    lua_pushboolean(L, error->sent);
    lua_setfield(L, -2, "sent");
    return 4;
}

static int fail_closed(lua_State *L, const char *what)
{
    return clk_fail(L, "ECANCELED", "the http %s is closed", what);
}

/* May come from inside libcurl: wakes, and that is all. */
static void on_event(void *ud)
{
    struct transfer_box *box = ud;

    clk_wake(&box->wait);
}

static void cancel_wait(struct clk_wait *wait)
{
    /* The wait is the first member: this is the box. */
    transfer_drop((struct transfer_box *)(void *)wait);
}

/* Pushes an empty box that belongs to the client at index 1. */
static struct transfer_box *new_box(lua_State *L)
{
    struct transfer_box *box = lua_newuserdatauv(L, sizeof(*box), 1);

    memset(box, 0, sizeof(*box));
    luaL_setmetatable(L, TRANSFER_META);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    box->wait.cancel = cancel_wait;
    return box;
}

/* Starts what the options at index 2 say. 0, or the number of results that
   tell why not. */
static int start(lua_State *L, struct transfer_box *box, bool stream)
{
    struct client_box *client = luaL_checkudata(L, 1, CLIENT_META);
    struct clk_http_error error = {NULL, "", false};
    struct clk_http_request *request;

    if (!client->http)
        return fail_closed(L, "client");
    request = box->request = clk_http_request_new(client->http);
    if (!request)
        return clk_no_memory(L);
    request->stream = stream;
    request->connect_timeout_ms = CONNECT_TIMEOUT_MS;
    request->timeout_ms = stream ? 0 : TIMEOUT_MS;
    request->idle_timeout_ms = stream ? IDLE_TIMEOUT_MS : 0;
    request->max_body = stream ? 0 : MAX_BODY;
    if (!clk_http_read_options(L, 2, request, &error))
        return fail(L, &error);
    box->request = NULL;
    box->transfer = clk_http_start(request, on_event, box, &error);
    return box->transfer ? 0 : fail(L, &error);
}

/* Pushes { name = value }; a repeated header's values are joined by ", ". */
static void push_headers(lua_State *L, const struct clk_http_transfer *transfer)
{
    struct clk_http_field field;
    size_t cursor = 0;

    lua_createtable(L, 0, (int)clk_http_field_count(transfer));
    while (clk_http_next_field(transfer, &cursor, &field)) {
        lua_pushlstring(L, field.name, field.name_len);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, -3) == LUA_TSTRING) {
            lua_pushliteral(L, ", ");
            lua_pushlstring(L, field.value, field.value_len);
            lua_concat(L, 3);
        } else {
            lua_pop(L, 1);
            lua_pushlstring(L, field.value, field.value_len);
        }
        lua_rawset(L, -3);
    }
}

/* Pushes { status, version, headers, elapsed }, with room for a body. */
static void push_head(lua_State *L, const struct clk_http_transfer *transfer)
{
    lua_createtable(L, 0, 6);
    lua_pushinteger(L, clk_http_status(transfer));
    lua_setfield(L, -2, "status");
    lua_pushstring(L, clk_http_version(transfer));
    lua_setfield(L, -2, "version");
    lua_pushnumber(L, clk_http_elapsed(transfer));
    lua_setfield(L, -2, "elapsed");
    push_headers(L, transfer);
    lua_setfield(L, -2, "headers");
}

static int request_done(lua_State *L, int status, lua_KContext ctx)
{
    struct transfer_box *box = (struct transfer_box *)ctx;
    struct clk_http_transfer *transfer = box->transfer;
    const char *body;
    size_t len;

    (void)status;
    if (!clk_http_is_done(transfer))
        return clk_wait(L, &box->wait, ctx, request_done);
    if (clk_http_failure(transfer))
        return fail(L, clk_http_failure(transfer));
    push_head(L, transfer);
    body = clk_http_body(transfer, &len);
    lua_pushlstring(L, body, len);
    lua_setfield(L, -2, "body");
    transfer_drop(box);
    return 1;
}

/*** Sends a request and reads the whole reply. Redirects are not followed.
---@async
---@param self host.http.Client
---@param options host.http.Options
---@return { status: integer, headers: table<string, string>, body: string,
--- version: "1.0"|"1.1"|"2", elapsed: number }? reply
---@return string? message
---@return string? code
---@return { sent: boolean }? detail whether any byte may have reached the
--- server */
static int client_request(lua_State *L)
{
    struct transfer_box *box;
    int failed;

    luaL_checkudata(L, 1, CLIENT_META);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    box = new_box(L);
    failed = start(L, box, false);
    return failed ? failed : request_done(L, LUA_OK, (lua_KContext)box);
}

static int open_done(lua_State *L, int status, lua_KContext ctx)
{
    struct transfer_box *box = (struct transfer_box *)ctx;

    (void)status;
    if (clk_http_has_head(box->transfer)) {
        lua_settop(L, 3);
        push_head(L, box->transfer);
        return 2;
    }
    if (clk_http_is_done(box->transfer))
        return fail(L, clk_http_failure(box->transfer));
    return clk_wait(L, &box->wait, ctx, open_done);
}

/*** Sends a request and reads the reply's head; the body is read with
--- `read`, on an HTTP/1.1 connection of its own.
---@async
---@param self host.http.Client
---@param options host.http.Options
---@return host.http.Transfer? transfer
---@return { status: integer, headers: table<string, string>, version: string,
--- elapsed: number }|string head
---@return string? code
---@return { sent: boolean }? detail */
static int client_open(lua_State *L)
{
    struct transfer_box *box;
    int failed;

    luaL_checkudata(L, 1, CLIENT_META);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    box = new_box(L);
    failed = start(L, box, true);
    return failed ? failed : open_done(L, LUA_OK, (lua_KContext)box);
}

static int read_done(lua_State *L, int status, lua_KContext ctx)
{
    struct transfer_box *box = (struct transfer_box *)ctx;
    const char *body;
    size_t len;

    (void)status;
    if (!box->transfer)
        return fail_closed(L, "transfer");
    body = clk_http_body(box->transfer, &len);
    if (len > 0) {
        lua_pushlstring(L, body, len);
        clk_http_consume(box->transfer);
        return 1;
    }
    if (!clk_http_is_done(box->transfer))
        return clk_wait(L, &box->wait, ctx, read_done);
    if (clk_http_failure(box->transfer))
        return fail(L, clk_http_failure(box->transfer));
    lua_pushnil(L);
    return 1;
}

/*** The next piece of the body, as soon as there is one; nil at the end.
---@async
---@param self host.http.Transfer
---@return string? bytes
---@return string? message
---@return string? code
---@return { sent: boolean }? detail */
static int transfer_read(lua_State *L)
{
    struct transfer_box *box = luaL_checkudata(L, 1, TRANSFER_META);

    if (box->wait.task)
        return luaL_error(L, "another task reads this transfer");
    lua_settop(L, 1);
    return read_done(L, LUA_OK, (lua_KContext)box);
}

/*** What the client did so far.
---@param self host.http.Client
---@return { transfers: integer, connections: integer, handles: integer, active:
--- integer } */
static int client_stats(lua_State *L)
{
    struct client_box *box = luaL_checkudata(L, 1, CLIENT_META);
    struct clk_http_stats stats = {0, 0, 0, 0};

    if (box->http)
        stats = clk_http_stats(box->http);
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, (lua_Integer)stats.transfers);
    lua_setfield(L, -2, "transfers");
    lua_pushinteger(L, (lua_Integer)stats.connections);
    lua_setfield(L, -2, "connections");
    lua_pushinteger(L, (lua_Integer)stats.handles);
    lua_setfield(L, -2, "handles");
    lua_pushinteger(L, (lua_Integer)stats.active);
    lua_setfield(L, -2, "active");
    return 1;
}

/*** A client: its connections are its own. Loads libcurl.
---@return host.http.Client? client
---@return string? message
---@return string? code */
static int http_client(lua_State *L)
{
    struct client_box *box = lua_newuserdatauv(L, sizeof(*box), 0);
    struct clk_http_error error = {NULL, "", false};

    box->http = NULL;
    luaL_setmetatable(L, CLIENT_META);
    box->http = clk_http_new(clk_loop(clk_host_of(L)), &error);
    return box->http ? 1 : fail(L, &error);
}

/*** Resolves a reference, such as a Location, against an absolute URL.
---@param base string
---@param reference string
---@return string? url
---@return string? message
---@return string? code */
static int http_join(lua_State *L)
{
    struct clk_http_error error = {NULL, "", false};
    const char *base = luaL_checkstring(L, 1);
    const char *reference = luaL_checkstring(L, 2);
    char url[CLK_HTTP_MAX_URL + 1];

    if (!clk_http_join(base, reference, url, &error))
        return fail(L, &error);
    lua_pushstring(L, url);
    return 1;
}

/*** Where a URL points.
---@param url string absolute, http or https
---@return { host: string, port: integer, tls: boolean, loopback: boolean }?
--- target
---@return string? message
---@return string? code */
static int http_parse(lua_State *L)
{
    struct clk_http_error error = {NULL, "", false};
    struct clk_http_target target;

    if (!clk_http_parse(luaL_checkstring(L, 1), &target, &error))
        return fail(L, &error);
    lua_createtable(L, 0, 4);
    lua_pushstring(L, target.host);
    lua_setfield(L, -2, "host");
    lua_pushinteger(L, target.port);
    lua_setfield(L, -2, "port");
    lua_pushboolean(L, target.tls);
    lua_setfield(L, -2, "tls");
    lua_pushboolean(L, target.loopback);
    lua_setfield(L, -2, "loopback");
    return 1;
}

#define PRELOAD_META "host.http.preload"

static int preload_gc(lua_State *L)
{
    (void)L;
    clk_curl_preload_end();
    return 0;
}

/*** Starts loading libcurl in the background, for a program that knows it will
--- make a request soon. */
static int http_preload(lua_State *L)
{
    /* Collected with the state: the thread is over before the process is. */
    lua_newuserdatauv(L, 1, 0);
    if (luaL_newmetatable(L, PRELOAD_META)) {
        lua_pushcfunction(L, preload_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    luaL_ref(L, LUA_REGISTRYINDEX);
    clk_curl_preload();
    return 0;
}

static const luaL_Reg functions[] = {
    {"client", http_client},   {"join", http_join}, {"parse", http_parse},
    {"preload", http_preload}, {NULL, NULL},
};

static const luaL_Reg client_methods[] = {
    {"close", client_close}, {"open", client_open}, {"request", client_request},
    {"stats", client_stats}, {NULL, NULL},
};

static const luaL_Reg transfer_methods[] = {
    {"close", transfer_close},
    {"read", transfer_read},
    {NULL, NULL},
};

int luaopen_host_http(lua_State *L);

int luaopen_host_http(lua_State *L)
{
    clk_class(L, CLIENT_META, client_methods, client_close, client_close);
    clk_class(L, TRANSFER_META, transfer_methods, transfer_close,
              transfer_close);
    luaL_newlib(L, functions);
    return 1;
}
