/* A server's life: listening, its place on the loop, closing. */
#include "core/server_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/mem.h"

enum {
    BACKLOG = 128,
    TURNS = 8, /* of the HTTP library before others get the loop */
    HANGUP_EVENTS = 64,
    CLOSING_TURNS = 4,
    DRAIN_READS = 64
};

/* --- on the loop --------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

/* Milliseconds until the HTTP library wants to work again; -1: no time-out is
   running. Its descriptor set is edge-triggered inside: work it left over for
   fairness is not signalled again, only told by a time-out of 0. And a listener
   it dropped when the last connection was taken is put back when it works
   after one was closed. */
static long long time_to_work(struct clk_server *server)
{
    MHD_UNSIGNED_LONG_LONG wait = 0;

    if (server->closed_one)
        return 0;
    if (server->api->get_timeout(server->daemon, &wait) != MHD_YES)
        return -1;
    return (long long)wait;
}

/* Lets the HTTP library work. */
static void pump(struct clk_server *server)
{
    long long wait = 0;

    server->kicked = false;
    for (int i = 0; i < TURNS && wait == 0; i++) {
        server->closed_one = false;
        server->api->run(server->daemon);
        wait = time_to_work(server);
    }
    if (wait < 0)
        uv_timer_stop(&server->io->timer);
    else
        uv_timer_start(&server->io->timer, on_timer, (uint64_t)wait, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct clk_server_loop *io = timer->data;

    if (io->server)
        pump(io->server);
}

void clk_server_kick(struct clk_server *server)
{
    if (server->kicked || server->closing)
        return;
    server->kicked = true;
    uv_timer_start(&server->io->timer, on_timer, 0, 0);
}

static void on_http(uv_poll_t *poll, int status, int events)
{
    struct clk_server_loop *io = poll->data;

    (void)status;
    (void)events;
    if (io->server)
        pump(io->server);
}

void clk_connection_limit(const struct clk_server *server,
                          const struct clk_connection *connection,
                          unsigned seconds)
{
    server->api->set_connection_option(connection->conn,
                                       MHD_CONNECTION_OPTION_TIMEOUT, seconds);
}

/* The HTTP library takes a short read for all there is, and so may overlook an
   end that came together with the last bytes. If those are no whole request
   nothing will follow: the connection gets a second, not its idle time. */
static void hang_up(struct clk_server *server,
                    struct clk_connection *connection)
{
    struct clk_request *request = connection->request;

    connection->gone = true;
    if (request)
        clk_request_hangup(request);
    if (request && request->delivered)
        return;
    clk_connection_limit(server, connection, 1);
    clk_server_kick(server);
}

static void on_hangups(uv_poll_t *poll, int status, int events)
{
    struct clk_server_loop *io = poll->data;
    struct epoll_event list[HANGUP_EVENTS];
    int count = epoll_wait(io->hangups_fd, list, HANGUP_EVENTS, 0);

    (void)status;
    (void)events;
    for (int i = 0; i < count && io->server; i++)
        hang_up(io->server, list[i].data.ptr);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct clk_server_loop *io = handle->data;

    if (--io->open > 0)
        return;
    close(io->hangups_fd);
    clk_free(io);
}

static void loop_close(struct clk_server_loop *io)
{
    io->server = NULL;
    uv_close((uv_handle_t *)&io->timer, on_handle_closed);
    if (io->open > 1)
        uv_close((uv_handle_t *)&io->hangups, on_handle_closed);
    if (io->open > 2)
        uv_close((uv_handle_t *)&io->http, on_handle_closed);
}

static int loop_open(struct clk_server *server, uv_loop_t *loop)
{
    struct clk_server_loop *io = clk_calloc(1, sizeof(*io));
    int error;

    if (!io)
        return UV_ENOMEM;
    io->hangups_fd = epoll_create1(EPOLL_CLOEXEC);
    if (io->hangups_fd < 0) {
        clk_free(io);
        return -errno;
    }
    io->timer.data = io->hangups.data = io->http.data = io;
    server->io = io;
    uv_timer_init(loop, &io->timer);
    io->open = 1;
    error = uv_poll_init(loop, &io->hangups, io->hangups_fd);
    if (!error) {
        io->open = 2;
        error = uv_poll_start(&io->hangups, UV_READABLE, on_hangups);
    }
    io->server = server;
    return error;
}

static int loop_add_daemon(struct clk_server *server)
{
    struct clk_server_loop *io = server->io;
    const union MHD_DaemonInfo *info =
        server->api->get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    int error;

    if (!info)
        return UV_ENOTSUP;
    error = uv_poll_init(io->timer.loop, &io->http, info->epoll_fd);
    if (error)
        return error;
    io->open = 3;
    error = uv_poll_start(&io->http, UV_READABLE, on_http);
    if (!error)
        pump(server); /* which puts the listener into the set */
    return error;
}

/* Nobody but this program is expected to call: when it waits for nothing else,
   nothing will come. */
static void loop_unref(struct clk_server_loop *io)
{
    uv_unref((uv_handle_t *)&io->timer);
    uv_unref((uv_handle_t *)&io->hangups);
    uv_unref((uv_handle_t *)&io->http);
}

/* --- connections --------------------------------------------------------- */

/* While a request is being served the HTTP library does not look at its
   socket, so we watch for the client's closing. The set forgets the socket
   when the library closes it. */
static void connection_open(struct clk_server *server,
                            struct MHD_Connection *conn, void **slot)
{
    struct clk_connection *connection = clk_calloc(1, sizeof(*connection));
    const union MHD_ConnectionInfo *info = server->api->get_connection_info(
        conn, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET};

    *slot = connection;
    if (!connection)
        return;
    connection->conn = conn;
    connection->fd = -1;
    if (!info)
        return;
    connection->fd = info->connect_fd;
    event.data.ptr = connection;
    epoll_ctl(server->io->hangups_fd, EPOLL_CTL_ADD, info->connect_fd, &event);
}

/* Bytes of a refused request that nobody read would turn the closing into a
   reset, and the client might never see why it was refused. */
static void drain(int fd)
{
    char rest[4096];

    for (int i = 0; i < DRAIN_READS; i++)
        if (recv(fd, rest, sizeof(rest), MSG_DONTWAIT) <= 0)
            return;
}

static void connection_close(struct clk_server *server,
                             struct clk_connection *connection)
{
    server->closed_one = true;
    if (connection && connection->fd >= 0)
        drain(connection->fd);
    clk_free(connection);
}

static void on_connection(void *ud, struct MHD_Connection *conn, void **slot,
                          enum MHD_ConnectionNotificationCode code)
{
    struct clk_server *server = ud;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection_open(server, conn, slot);
    } else {
        connection_close(server, *slot);
        *slot = NULL;
    }
}

/* --- listening ----------------------------------------------------------- */

/* An address of either family. */
union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static int address_parse(const struct clk_server_options *options,
                         union address *address, socklen_t *length)
{
    const char *host = options->host;

    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    memset(address, 0, sizeof(*address));
    if (uv_ip4_addr(host, (int)options->port, &address->v4) == 0)
        *length = sizeof(address->v4);
    else if (uv_ip6_addr(host, (int)options->port, &address->v6) == 0)
        *length = sizeof(address->v6);
    else
        return UV_EINVAL;
    return 0;
}

static bool address_is_loopback(const union address *address)
{
    if (address->any.sa_family == AF_INET)
        return (ntohl(address->v4.sin_addr.s_addr) >> 24) == 127;
    return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

/* The listening socket, or a libuv error number. */
static int listen_on(const union address *address, socklen_t length,
                     unsigned *port)
{
    union address bound;
    socklen_t bound_length = sizeof(bound);
    int yes = 1, error;
    int fd;

    memset(&bound, 0, sizeof(bound));
    fd = socket(address->any.sa_family,
                SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0
        || bind(fd, &address->any, length) != 0 || listen(fd, BACKLOG) != 0
        || getsockname(fd, &bound.any, &bound_length) != 0) {
        error = -errno;
        close(fd);
        return error;
    }
    *port = ntohs(bound.any.sa_family == AF_INET ? bound.v4.sin_port
                                                 : bound.v6.sin6_port);
    return fd;
}

/* The listener belongs to the daemon once there is one. */
static int daemon_start(struct clk_server *server, int fd,
                        const struct clk_server_options *options)
{
    server->daemon = server->api->start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, (uint16_t)server->port, NULL,
        NULL, clk_request_on_access, server, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, options->max_header,
        MHD_OPTION_CONNECTION_LIMIT, options->max_connections,
        MHD_OPTION_CONNECTION_TIMEOUT, options->idle_timeout,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, MHD_OPTION_NOTIFY_COMPLETED,
        clk_request_on_completed, server, MHD_OPTION_URI_LOG_CALLBACK,
        clk_request_on_target, server, MHD_OPTION_END);
    return server->daemon ? 0 : UV_ENOMEM;
}

static struct MHD_Response *refusal(const struct clk_mhd_api *api,
                                    const char *text)
{
    struct MHD_Response *reply = api->create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);

    if (reply)
        api->add_response_header(reply, "Content-Type", "text/plain");
    return reply;
}

static int server_start(struct clk_server *server, uv_loop_t *loop,
                        const struct clk_server_options *options, int fd)
{
    const struct clk_mhd_api *api = server->api;
    int error = loop_open(server, loop);

    server->overloaded = refusal(api, "too many requests are waiting\n");
    server->too_large = refusal(api, "the request body is too large\n");
    if (!error && !(server->overloaded && server->too_large))
        error = UV_ENOMEM;
    if (!error)
        error = daemon_start(server, fd, options);
    if (error) {
        /* A daemon that fails to start closes the listener, but not always. */
        if (fcntl(fd, F_GETFD) >= 0)
            close(fd);
        return error;
    }
    api->add_response_header(server->overloaded, "Retry-After", "1");
    error = loop_add_daemon(server);
    if (!error && options->background)
        loop_unref(server->io);
    return error;
}

int clk_server_open(struct clk_server **out, uv_loop_t *loop,
                    const struct clk_server_options *options,
                    void (*on_event)(void *ud), void *ud, const char **why)
{
    const struct clk_mhd_api *api = clk_mhd_api(why);
    struct clk_server *server;
    union address address;
    socklen_t length;
    int fd, error;

    if (!api)
        return UV_ENOTSUP;
    *why = "not a numeric address";
    error = address_parse(options, &address, &length);
    if (error)
        return error;
    *why = "not a loopback address";
    if (!options->remote && !address_is_loopback(&address))
        return UV_EACCES;
    *why = NULL;
    server = clk_calloc(1, sizeof(*server));
    if (!server)
        return UV_ENOMEM;
    server->api = api;
    server->on_event = on_event;
    server->ud = ud;
    server->max_body = options->max_body;
    server->max_pending = options->max_pending;
    server->idle_timeout = options->idle_timeout;
    fd = listen_on(&address, length, &server->port);
    error = fd < 0 ? fd : server_start(server, loop, options, fd);
    if (error) {
        clk_server_close(server);
        return error;
    }
    *out = server;
    return 0;
}

unsigned clk_server_port(const struct clk_server *server)
{
    return server->port;
}

struct clk_request *clk_server_next(struct clk_server *server)
{
    struct clk_request *request = server->pending_head;

    if (!request)
        return NULL;
    server->pending_head = request->next_pending;
    if (!server->pending_head)
        server->pending_tail = NULL;
    server->pending--;
    request->pending = false;
    request->holders++;
    return request;
}

bool clk_server_lost(struct clk_server *server)
{
    bool lost = server->lost;

    server->lost = false;
    return lost;
}

/* The library insists on having no suspended connection when it stops. */
static void daemon_stop(struct clk_server *server)
{
    server->closing = true;
    for (struct clk_request *r = server->requests; r; r = r->next)
        clk_request_resume(r);
    for (int i = 0; i < CLOSING_TURNS; i++)
        server->api->run(server->daemon);
    for (struct clk_request *r = server->requests; r; r = r->next)
        clk_request_resume(r);
    server->api->stop_daemon(server->daemon);
}

void clk_server_close(struct clk_server *server)
{
    if (server->io)
        loop_close(server->io);
    if (server->daemon)
        daemon_stop(server);
    if (server->overloaded)
        server->api->destroy_response(server->overloaded);
    if (server->too_large)
        server->api->destroy_response(server->too_large);
    clk_free(server);
}
