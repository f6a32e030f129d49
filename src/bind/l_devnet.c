/* host.devnet: raw TCP on loopback, with which tests play peers that misbehave.
   A release build is made without this file. */
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "core/mem.h"
#include "host/class.h"
#include "host/err.h"
#include "host/task.h"

#define LISTENER_META "host.devnet.listener"
#define CONN_META "host.devnet.conn"

enum { MAX_READ = 65536, BACKLOG = 128 };

/* One direction of a connection, and what is under way there. */
struct flow {
    struct clk_wait wait; /* first: the cancel callback casts */
    struct sock *sock;
    char *bytes; /* being written, or read */
    size_t len;
    int status; /* of the operation waited for; UV_EOF at the end */
    bool busy;  /* that operation is not over */
};

/* A listener or a connection; libuv owns it until its close callback. */
struct sock {
    uv_tcp_t tcp;
    struct flow in, out; /* accepting is `in`, connecting `out` */
    struct sock *next;   /* accepted, not yet taken */
    uv_write_t write;
    uv_connect_t connect;
};

/* What Lua holds. */
struct box {
    struct sock *sock; /* NULL once closed */
};

static void free_sock(uv_handle_t *handle)
{
    struct sock *sock = handle->data;

    clk_free(sock->in.bytes);
    clk_free(sock->out.bytes);
    clk_free(sock);
}

static void close_sock(struct sock *sock, bool reset)
{
    for (struct sock *taken; (taken = sock->next);) {
        sock->next = taken->next;
        taken->next = NULL;
        close_sock(taken, false);
    }
    clk_wake(&sock->in.wait);
    clk_wake(&sock->out.wait);
    if (!reset || uv_tcp_close_reset(&sock->tcp, (uv_close_cb)free_sock) != 0)
        uv_close((uv_handle_t *)&sock->tcp, free_sock);
}

static struct sock *new_sock(uv_loop_t *loop)
{
    struct sock *sock = clk_calloc(1, sizeof(*sock));

    if (sock) {
        uv_tcp_init(loop, &sock->tcp); /* opens nothing yet: can't fail */
        sock->tcp.data = sock;
        sock->in.sock = sock->out.sock = sock;
    }
    return sock;
}

static int close_box(lua_State *L, const char *meta, bool reset)
{
    struct box *box = luaL_checkudata(L, 1, meta);
    struct sock *sock = box->sock;

    box->sock = NULL;
    if (sock)
        close_sock(sock, reset);
    return 0;
}

static struct sock *check_sock(lua_State *L, const char *meta)
{
    struct box *box = luaL_checkudata(L, 1, meta);

    luaL_argcheck(L, box->sock != NULL, 1, "closed");
    return box->sock;
}

/* The same on resume, when another task may have closed it: NULL then. */
static struct sock *waited_sock(lua_State *L)
{
    return ((struct box *)lua_touserdata(L, 1))->sock;
}

static struct box *new_box(lua_State *L, const char *meta)
{
    struct box *box = lua_newuserdatauv(L, sizeof(*box), 0);

    box->sock = NULL;
    luaL_setmetatable(L, meta);
    return box;
}

/*** Stops listening; connections not yet accepted are closed.
---@param self host.devnet.Listener */
static int listener_close(lua_State *L)
{
    return close_box(L, LISTENER_META, false);
}

/*** Closes the connection.
---@param self host.devnet.Conn */
static int conn_close(lua_State *L)
{
    return close_box(L, CONN_META, false);
}

/*** Closes the connection so that the peer sees a reset.
---@param self host.devnet.Conn */
static int conn_reset(lua_State *L)
{
    return close_box(L, CONN_META, true);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct sock *listener = stream->data;
    struct sock *sock = status == 0 ? new_sock(stream->loop) : NULL;
    struct sock **end = &listener->next;

    if (!sock)
        return;
    if (uv_accept(stream, (uv_stream_t *)&sock->tcp) != 0) {
        close_sock(sock, false);
        return;
    }
    while (*end)
        end = &(*end)->next;
    *end = sock;
    clk_wake(&listener->in.wait);
}

/*** Listens on a free port of 127.0.0.1.
---@return host.devnet.Listener?
---@return integer|string port
---@return string? code */
static int devnet_listen(lua_State *L)
{
    struct box *box = new_box(L, LISTENER_META);
    struct sockaddr_in address;
    int size = sizeof(address), error;

    box->sock = new_sock(clk_loop(clk_host_of(L)));
    if (!box->sock)
        return clk_no_memory(L);
    uv_ip4_addr("127.0.0.1", 0, &address);
    error = uv_tcp_bind(&box->sock->tcp, (struct sockaddr *)&address, 0);
    if (!error)
        error =
            uv_listen((uv_stream_t *)&box->sock->tcp, BACKLOG, on_connection);
    if (!error)
        error = uv_tcp_getsockname(&box->sock->tcp, (struct sockaddr *)&address,
                                   &size);
    if (error)
        return clk_fail_uv(L, error, "listen");
    lua_pushinteger(L, ntohs(address.sin_port));
    return 2;
}

static int accept_done(lua_State *L, int status, lua_KContext ctx)
{
    struct sock *listener = waited_sock(L), *sock;
    struct box *box;

    (void)status;
    if (!listener)
        return 0;
    if (!listener->next)
        return clk_wait(L, &listener->in.wait, ctx, accept_done);
    box = new_box(L, CONN_META);
    sock = box->sock = listener->next;
    listener->next = sock->next;
    sock->next = NULL;
    return 1;
}

/*** The next connection; nil when the listener is closed meanwhile.
---@async
---@param self host.devnet.Listener
---@return host.devnet.Conn? */
static int listener_accept(lua_State *L)
{
    check_sock(L, LISTENER_META);
    return accept_done(L, LUA_OK, 0);
}

/* Ends what was under way. Safe in callbacks. */
static void end_flow(struct flow *flow, ssize_t result)
{
    flow->status = result < 0 ? (int)result : 0;
    flow->len = result < 0 ? 0 : (size_t)result;
    flow->busy = false;
    clk_wake(&flow->wait);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    struct sock *sock = handle->data;

    (void)size;
    *buffer = uv_buf_init(sock->in.bytes, MAX_READ);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct sock *sock = stream->data;

    (void)buffer;
    if (count == 0)
        return;
    uv_read_stop(stream);
    end_flow(&sock->in, count);
}

static int read_done(lua_State *L, int status, lua_KContext ctx)
{
    struct sock *sock = waited_sock(L);

    (void)status;
    if (!sock)
        return 0;
    if (sock->in.busy)
        return clk_wait(L, &sock->in.wait, ctx, read_done);
    if (sock->in.status == UV_EOF)
        return 0;
    if (sock->in.status)
        return clk_fail_uv(L, sock->in.status, "read");
    lua_pushlstring(L, sock->in.bytes, sock->in.len);
    return 1;
}

/* One operation at a time in each direction, whose buffer is the flow's. */
static void begin(lua_State *L, struct flow *flow, size_t size)
{
    luaL_argcheck(L, !flow->busy, 1, "in use by another task");
    clk_free(flow->bytes);
    flow->bytes = clk_malloc(size);
    if (!flow->bytes)
        clk_no_memory(L);
}

static void stop_reading(struct clk_wait *wait)
{
    struct flow *flow = (struct flow *)(void *)wait;

    uv_read_stop((uv_stream_t *)&flow->sock->tcp);
    flow->busy = false;
}

/*** Some bytes, as they arrive; nil at the end.
---@async
---@param self host.devnet.Conn
---@return string? bytes
---@return string? message
---@return string? code */
static int conn_read(lua_State *L)
{
    struct sock *sock = check_sock(L, CONN_META);
    int error;

    begin(L, &sock->in, MAX_READ);
    sock->in.wait.cancel = stop_reading;
    error = uv_read_start((uv_stream_t *)&sock->tcp, on_alloc, on_read);
    if (error)
        return clk_fail_uv(L, error, "read");
    sock->in.busy = true;
    return read_done(L, LUA_OK, 0);
}

static void on_written(uv_write_t *write, int status)
{
    end_flow(&((struct sock *)write->data)->out, status);
}

static int write_done(lua_State *L, int status, lua_KContext ctx)
{
    struct sock *sock = waited_sock(L);

    (void)status;
    if (!sock)
        return 0;
    if (sock->out.busy)
        return clk_wait(L, &sock->out.wait, ctx, write_done);
    if (sock->out.status)
        return clk_fail_uv(L, sock->out.status, "write");
    lua_pushboolean(L, 1);
    return 1;
}

/*** Writes all bytes; waits until the system took them.
---@async
---@param self host.devnet.Conn
---@param bytes string
---@return boolean? ok
---@return string? message
---@return string? code */
static int conn_write(lua_State *L)
{
    size_t len;
    const char *bytes = luaL_checklstring(L, 2, &len);
    struct sock *sock = check_sock(L, CONN_META);
    uv_buf_t buffer;
    int error;

    begin(L, &sock->out, len);
    memcpy(sock->out.bytes, bytes, len);
    buffer = uv_buf_init(sock->out.bytes, (unsigned)len);
    sock->write.data = sock;
    error = uv_write(&sock->write, (uv_stream_t *)&sock->tcp, &buffer, 1,
                     on_written);
    if (error)
        return clk_fail_uv(L, error, "write");
    sock->out.busy = true;
    return write_done(L, LUA_OK, 0);
}

static void on_connected(uv_connect_t *connect, int status)
{
    end_flow(&((struct sock *)connect->data)->out, status);
}

static int connect_done(lua_State *L, int status, lua_KContext ctx)
{
    struct sock *sock = waited_sock(L);

    (void)status;
    if (sock->out.busy)
        return clk_wait(L, &sock->out.wait, ctx, connect_done);
    if (sock->out.status)
        return clk_fail_uv(L, sock->out.status, "connect");
    return 1;
}

/*** Connects to a port of 127.0.0.1.
---@async
---@param port integer
---@return host.devnet.Conn?
---@return string? message
---@return string? code */
static int devnet_connect(lua_State *L)
{
    int port = (int)luaL_checkinteger(L, 1);
    struct box *box = new_box(L, CONN_META);
    struct sockaddr_in address;
    int error;

    lua_replace(L, 1);
    lua_settop(L, 1);
    box->sock = new_sock(clk_loop(clk_host_of(L)));
    if (!box->sock)
        return clk_no_memory(L);
    uv_ip4_addr("127.0.0.1", port, &address);
    box->sock->connect.data = box->sock;
    error = uv_tcp_connect(&box->sock->connect, &box->sock->tcp,
                           (struct sockaddr *)&address, on_connected);
    if (error)
        return clk_fail_uv(L, error, "connect");
    box->sock->out.busy = true;
    return connect_done(L, LUA_OK, 0);
}

static const luaL_Reg functions[] = {
    {"connect", devnet_connect},
    {"listen", devnet_listen},
    {NULL, NULL},
};

static const luaL_Reg listener_methods[] = {
    {"accept", listener_accept},
    {"close", listener_close},
    {NULL, NULL},
};

static const luaL_Reg conn_methods[] = {
    {"close", conn_close}, {"read", conn_read}, {"reset", conn_reset},
    {"write", conn_write}, {NULL, NULL},
};

int luaopen_host_devnet(lua_State *L);

int luaopen_host_devnet(lua_State *L)
{
    clk_class(L, LISTENER_META, listener_methods, listener_close,
              listener_close);
    clk_class(L, CONN_META, conn_methods, conn_close, conn_close);
    luaL_newlib(L, functions);
    return 1;
}
