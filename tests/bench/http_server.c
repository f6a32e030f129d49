/* A server for benches: answers every HTTP/1.1 request on a kept connection
   with the same 1 KB, as fast as one core can. Prints its port, then serves
   until it is killed. cc -O2 http_server.c -luv */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

enum { BODY = 1024, INPUT = 16384, BACKLOG = 512, MAX_AT_ONCE = 64 };

/* A connection: how much of the blank line that ends a request was seen. */
struct conn {
    uv_tcp_t tcp;
    int matched;
};

static char reply[BODY + 256];
static size_t reply_len;
static char input[INPUT];

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    (void)handle;
    (void)size;
    *buffer = uv_buf_init(input, INPUT);
}

/* How many requests end within these bytes. */
static unsigned count_ends(struct conn *conn, const char *bytes, ssize_t len)
{
    static const char end[] = "\r\n\r\n";
    unsigned count = 0;

    for (ssize_t i = 0; i < len; i++) {
        if (bytes[i] == end[conn->matched])
            conn->matched++;
        else
            conn->matched = bytes[i] == '\r';
        if (conn->matched == 4) {
            conn->matched = 0;
            count++;
        }
    }
    return count;
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer)
{
    struct conn *conn = stream->data;
    uv_buf_t out[MAX_AT_ONCE];
    unsigned count;

    if (len < 0) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    count = count_ends(conn, buffer->base, len);
    if (count == 0)
        return;
    if (count > MAX_AT_ONCE)
        abort();
    for (unsigned i = 0; i < count; i++)
        out[i] = uv_buf_init(reply, (unsigned)reply_len);
    /* Replies are far smaller than a socket's buffer. */
    if (uv_try_write(stream, out, count) < (int)(count * reply_len))
        uv_close((uv_handle_t *)stream, on_closed);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct conn *conn = calloc(1, sizeof(*conn));

    if (status < 0 || !conn)
        abort();
    uv_tcp_init(listener->loop, &conn->tcp);
    conn->tcp.data = conn;
    if (uv_accept(listener, (uv_stream_t *)&conn->tcp) != 0)
        abort();
    uv_tcp_nodelay(&conn->tcp, 1);
    uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    struct sockaddr_in address;
    int size = sizeof(address);
    uv_tcp_t listener;

    reply_len = (size_t)snprintf(reply, sizeof(reply),
                                 "HTTP/1.1 200 OK\r\n"
                                 "Server: bench\r\n"
                                 "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                                 "Content-Type: application/json\r\n"
                                 "Content-Length: %d\r\n\r\n",
                                 (int)BODY);
    memset(reply + reply_len, 'x', BODY);
    reply_len += BODY;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(loop, &listener);
    if (uv_tcp_bind(&listener, (struct sockaddr *)&address, 0) != 0
        || uv_listen((uv_stream_t *)&listener, BACKLOG, on_connection) != 0
        || uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &size)
               != 0)
        return 1;
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
