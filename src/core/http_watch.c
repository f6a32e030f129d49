/* Sockets: which of them libuv watches for libcurl.

   libcurl takes a socket back from us whenever its connection has nothing to do
   and hands it out again with the next request, and libuv makes six system
   calls of that. So a watch is kept, unreferenced, until its socket is closed,
   and as long as libcurl asks for the same events again nothing is called. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/http_private.h"
#include "core/mem.h"

#ifdef SOCK_CLOEXEC
enum { CLOSE_ON_EXEC = SOCK_CLOEXEC };
#else
enum { CLOSE_ON_EXEC = 0 }; /* children are started without descriptors */
#endif

/* A socket being watched; libuv owns it until its close callback. */
struct http_watch {
    uv_poll_t poll;
    struct http_lane *lane;
    struct http_watch *next; /* in lane->idle */
    curl_socket_t socket;
    int events; /* what libuv looks for, 0: it does not */
    bool idle;  /* libcurl does not want to know */
};

static void free_watch(uv_handle_t *handle)
{
    clk_free(handle->data);
}

static void close_watch(struct http_watch *watch)
{
    uv_close((uv_handle_t *)&watch->poll, free_watch);
}

/* ---- idle watches ---- */

static struct http_watch **bucket(struct http_lane *lane, curl_socket_t socket)
{
    return &lane->idle[(unsigned)socket % HTTP_IDLE_BUCKETS];
}

static struct http_watch *take_idle(struct http_lane *lane,
                                    curl_socket_t socket)
{
    struct http_watch **link = bucket(lane, socket), *watch;

    while (*link && (*link)->socket != socket)
        link = &(*link)->next;
    watch = *link;
    if (!watch)
        return NULL;
    *link = watch->next;
    watch->idle = false;
    uv_ref((uv_handle_t *)&watch->poll);
    return watch;
}

static void put_idle(struct http_watch *watch)
{
    struct http_watch **link = bucket(watch->lane, watch->socket);

    watch->next = *link;
    *link = watch;
    watch->idle = true;
    uv_unref((uv_handle_t *)&watch->poll);
}

void clk_http_watch_none(struct http_lane *lane)
{
    for (int i = 0; i < HTTP_IDLE_BUCKETS; i++)
        while (lane->idle[i])
            close_watch(take_idle(lane, lane->idle[i]->socket));
}

/* ---- own sockets ---- */

/* Only of these are we told when they are closed; libcurl's threads have
   sockets that come and go by themselves. A socket whose number is too high is
   treated as one of those. */
static bool is_own(const struct http_lane *lane, curl_socket_t socket)
{
    return socket >= 0 && socket < HTTP_OWN_SOCKETS
           && (lane->own[socket / 8] >> (socket % 8) & 1);
}

static void set_own(struct http_lane *lane, curl_socket_t socket, bool own)
{
    unsigned char bit = (unsigned char)(1 << (socket % 8));

    if (socket < 0 || socket >= HTTP_OWN_SOCKETS)
        return;
    if (own)
        lane->own[socket / 8] |= bit;
    else
        lane->own[socket / 8] &= (unsigned char)~bit;
}

curl_socket_t clk_http_socket_open(void *transfer, curlsocktype purpose,
                                   struct curl_sockaddr *address)
{
    struct clk_http_transfer *t = transfer;
    curl_socket_t socket_;

    (void)purpose;
    socket_ = socket(address->family, address->socktype | CLOSE_ON_EXEC,
                     address->protocol);
    if (socket_ < 0) {
        t->os_error = errno;
        return CURL_SOCKET_BAD;
    }
    set_own(t->lane, socket_, true);
    return socket_;
}

int clk_http_socket_close(void *lane_, curl_socket_t socket)
{
    struct http_lane *lane = lane_;
    struct http_watch *watch = take_idle(lane, socket);

    if (watch)
        close_watch(watch);
    set_own(lane, socket, false);
    return close(socket);
}

/* ---- watching ---- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct http_watch *watch = poll->data;
    struct http_lane *lane = watch->lane;
    int mask = 0;

    if (status < 0)
        mask = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        mask |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        mask |= CURL_CSELECT_OUT;
    /* After an error libuv has stopped by itself. An idle connection that the
       server closed is left to libcurl, which looks before it uses one. */
    if (status < 0 || watch->idle) {
        uv_poll_stop(poll);
        watch->events = 0;
    }
    if (watch->idle)
        return;
    clk_http_tick(lane);
    clk_http_lane_run(lane, watch->socket, mask);
}

static struct http_watch *open_watch(struct http_lane *lane,
                                     curl_socket_t socket)
{
    struct http_watch *watch = clk_calloc(1, sizeof(*watch));

    if (!watch)
        return NULL;
    if (uv_poll_init_socket(lane->http->loop, &watch->poll, socket) != 0) {
        clk_free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    watch->lane = lane;
    watch->socket = socket;
    return watch;
}

/* The watch of a socket that libcurl mentions for the first time since it last
   took it back; NULL when memory is out. */
static struct http_watch *begin_watch(struct http_lane *lane,
                                      curl_socket_t socket)
{
    struct http_watch *watch = take_idle(lane, socket);

    if (!watch)
        watch = open_watch(lane, socket);
    if (watch
        && lane->http->curl->multi_assign(lane->multi, socket, watch)
               != CURLM_OK) {
        close_watch(watch);
        return NULL;
    }
    return watch;
}

int clk_http_watch(CURL *easy, curl_socket_t socket, int what, void *lane_,
                   void *watch_)
{
    struct http_lane *lane = lane_;
    struct http_watch *watch = watch_;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0)
                 | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch && is_own(lane, socket))
            put_idle(watch);
        else if (watch)
            close_watch(watch);
        return 0;
    }
    if (!watch)
        watch = begin_watch(lane, socket);
    if (!watch)
        return -1;
    if (watch->events == events)
        return 0;
    watch->events = events;
    return uv_poll_start(&watch->poll, events, on_poll) == 0 ? 0 : -1;
}
