/* core/server*.c: requests in, replies and streams out, limits, closing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/server.h"

enum { PATIENCE = 10000, REPLY_SIZE = 1 << 20 }; /* ms; bytes */

/* A server under test, with what its clients received. */
struct fixture {
    uv_loop_t loop;
    struct clk_server *server;
    struct clk_server_options options;
    int events;
    char *reply;
    size_t length;
    bool eof;
};

static void on_event(void *ud)
{
    ((struct fixture *)ud)->events++;
}

static struct clk_server_options defaults(void)
{
    return (struct clk_server_options){
        .host = "127.0.0.1",
        .max_header = 16384,
        .max_body = 100000,
        .max_connections = 50,
        .max_pending = 20,
        .idle_timeout = 30,
    };
}

static void start(struct fixture *f)
{
    const char *why = NULL;

    assert_int_equal(
        clk_server_open(&f->server, &f->loop, &f->options, on_event, f, &why),
        0);
}

static void stop(struct fixture *f)
{
    if (f->server)
        clk_server_close(f->server);
    f->server = NULL;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->reply = calloc(1, REPLY_SIZE + 1);
    f->options = defaults();
    *state = f;
    return uv_loop_init(&f->loop);
}

/* Nothing may be left on the loop. */
static int tear_down(void **state)
{
    struct fixture *f = *state;
    int closed;

    stop(f);
    for (int i = 0; i < 10; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    closed = uv_loop_close(&f->loop);
    free(f->reply);
    free(f);
    return closed;
}

/* --- a client that waits while the loop runs ----------------------------- */

static int dial(const struct fixture *f)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_port = htons((uint16_t)clk_server_port(f->server));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (void *)&address, sizeof(address)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void turn(struct fixture *f)
{
    uv_run(&f->loop, UV_RUN_NOWAIT);
    poll(NULL, 0, 1);
}

static void put_bytes(struct fixture *f, int fd, const char *text,
                      size_t length)
{
    for (int i = 0; length > 0 && i < PATIENCE; i++) {
        ssize_t count = send(fd, text, length, MSG_NOSIGNAL);

        if (count < 0 && errno != EAGAIN)
            return; /* the server closed: the reply tells */
        if (count > 0) {
            text += count;
            length -= (size_t)count;
        }
        turn(f);
    }
    assert_int_equal(length, 0);
}

static void put(struct fixture *f, int fd, const char *text)
{
    put_bytes(f, fd, text, strlen(text));
}

/* Takes what arrived; notes the end of the connection. */
static void receive(struct fixture *f, int fd)
{
    for (;;) {
        ssize_t count =
            recv(fd, f->reply + f->length, REPLY_SIZE - f->length, 0);

        if (count < 0 && errno == EAGAIN)
            break;
        if (count <= 0) {
            f->eof = true;
            break;
        }
        f->length += (size_t)count;
        if (f->length == REPLY_SIZE)
            break;
    }
    f->reply[f->length] = '\0';
}

static void forget(struct fixture *f)
{
    f->length = 0;
    f->eof = false;
    f->reply[0] = '\0';
}

static void expect(struct fixture *f, int fd, const char *text)
{
    for (int i = 0; i < PATIENCE && !strstr(f->reply, text); i++) {
        turn(f);
        receive(f, fd);
        if (f->eof)
            break;
    }
    if (!strstr(f->reply, text))
        fail_msg("expected \"%s\" in \"%.400s\"", text, f->reply);
}

static void expect_eof(struct fixture *f, int fd)
{
    for (int i = 0; i < PATIENCE && !f->eof; i++) {
        turn(f);
        receive(f, fd);
    }
    assert_true(f->eof);
}

static struct clk_request *take(struct fixture *f)
{
    struct clk_request *request = NULL;

    for (int i = 0; i < PATIENCE && !request; i++) {
        request = clk_server_next(f->server);
        if (!request)
            turn(f);
    }
    assert_non_null(request);
    return request;
}

static void reply(struct clk_request *request, const char *body)
{
    assert_int_equal(
        clk_request_reply(request, 200, NULL, 0, body, strlen(body)), 0);
    clk_request_close(request);
}

#define GET(target) "GET " target " HTTP/1.1\r\nHost: x\r\n\r\n"

/* --- requests ------------------------------------------------------------ */

static void target_comes_undecoded(void **state)
{
    struct fixture *f = *state;
    struct clk_request_head head;
    struct clk_request *request;
    int fd;

    start(f);
    fd = dial(f);
    put(f, fd,
        "GET /v1/apps/a%2Fb/%2e%2E?q=%41+x&y HTTP/1.1\r\n"
        "Host: x\r\nX-One: 1\r\nx-one:  2 \r\n\r\n");
    request = take(f);
    clk_request_read(request, &head);
    assert_string_equal(head.method, "GET");
    assert_string_equal(head.target, "/v1/apps/a%2Fb/%2e%2E?q=%41+x&y");
    assert_int_equal(head.header_count, 3);
    assert_string_equal(head.headers[1].name, "X-One");
    assert_int_equal(head.headers[2].value_length, 1);
    assert_memory_equal(head.headers[2].value, "2", 1);
    assert_int_equal(strncmp(head.peer, "127.0.0.1:", 10), 0);
    assert_int_equal(head.body_length, 0);
    assert_true(f->events > 0);
    reply(request, "hello");
    expect(f, fd, "\r\n\r\nhello");
    assert_non_null(strstr(f->reply, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(f->reply, "Content-Length: 5\r\n"));
    close(fd);
}

static void connection_is_kept(void **state)
{
    struct fixture *f = *state;
    int fd;

    start(f);
    fd = dial(f);
    put(f, fd, GET("/1") GET("/2"));
    reply(take(f), "first");
    expect(f, fd, "first");
    reply(take(f), "second");
    expect(f, fd, "second");
    put(f, fd, "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    reply(take(f), "third");
    expect(f, fd, "third");
    expect_eof(f, fd);
    close(fd);
}

static void many_at_once(void **state)
{
    struct fixture *f = *state;
    enum { CLIENTS = 40, ROUNDS = 5 };
    int fds[CLIENTS];

    f->options.max_pending = CLIENTS;
    start(f);
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = dial(f);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CLIENTS; i++)
            put(f, fds[i], GET("/"));
        for (int i = 0; i < CLIENTS; i++)
            reply(take(f), "ok");
        for (int i = 0; i < CLIENTS; i++) {
            forget(f);
            expect(f, fds[i], "\r\n\r\nok");
        }
    }
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
}

static void head_gets_no_body(void **state)
{
    struct fixture *f = *state;
    int fd;

    start(f);
    fd = dial(f);
    put(f, fd, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" GET("/2"));
    reply(take(f), "BODY");
    reply(take(f), "second");
    expect(f, fd, "second");
    assert_non_null(strstr(f->reply, "Content-Length: 4\r\n"));
    assert_null(strstr(f->reply, "BODY"));
    close(fd);
}

static void reply_headers_go_out(void **state)
{
    struct fixture *f = *state;
    const struct clk_header headers[] = {
        {.name = "Content-Type", .value = "application/json"},
        {.name = "Fly-Request-Id", .value = "01J"},
    };
    const struct clk_header split[] = {{.name = "X", .value = "a\r\nY: b"}};
    const struct clk_header length[] = {
        {.name = "content-length", .value = "1"}};
    struct clk_request *request;
    int fd;

    start(f);
    fd = dial(f);
    put(f, fd, GET("/"));
    request = take(f);
    assert_int_equal(clk_request_reply(request, 200, split, 1, "", 0),
                     UV_EINVAL);
    assert_int_equal(clk_request_reply(request, 200, length, 1, "", 0),
                     UV_EINVAL);
    assert_int_equal(clk_request_reply(request, 422, headers, 2, "{}", 2), 0);
    assert_int_equal(clk_request_reply(request, 200, NULL, 0, "", 0),
                     UV_EALREADY);
    clk_request_close(request);
    expect(f, fd, "{}");
    assert_non_null(strstr(f->reply, "HTTP/1.1 422 "));
    assert_non_null(strstr(f->reply, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(f->reply, "Fly-Request-Id: 01J\r\n"));
    close(fd);
}

static void unanswered_breaks_the_connection(void **state)
{
    struct fixture *f = *state;
    int fd;

    start(f);
    fd = dial(f);
    put(f, fd, GET("/"));
    clk_request_close(take(f));
    expect_eof(f, fd);
    assert_int_equal(f->length, 0);
    close(fd);
}

static void garbage_is_not_delivered(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "GARBAGE\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", /* no Host */
        "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
        "chunked\r\n\r\nzz\r\n",
        "\r\n\r\n\r\n\x01\x02\x03\r\n\r\n",
    };

    start(f);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int fd = dial(f);

        forget(f);
        put(f, fd, bad[i]);
        shutdown(fd, SHUT_WR);
        expect_eof(f, fd);
        assert_null(clk_server_next(f->server));
        assert_null(strstr(f->reply, " 200 "));
        close(fd);
    }
}

/* --- bodies and limits --------------------------------------------------- */

static void post(struct fixture *f, int fd, size_t length)
{
    char head[128];
    char *body = malloc(length);

    memset(body, 'b', length);
    snprintf(head, sizeof(head),
             "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
             length);
    put(f, fd, head);
    put_bytes(f, fd, body, length);
    free(body);
}

static void body_arrives_whole(void **state)
{
    struct fixture *f = *state;
    struct clk_request_head head;
    struct clk_request *request;
    int fd;

    start(f);
    fd = dial(f);
    post(f, fd, 100000); /* exactly what is allowed */
    request = take(f);
    clk_request_read(request, &head);
    assert_int_equal(head.body_length, 100000);
    assert_int_equal(head.body[99999], 'b');
    reply(request, "got it");
    expect(f, fd, "got it");
    put(f, fd,
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n");
    put(f, fd, "4;x=y\r\ndefg\r\n0\r\n\r\n");
    request = take(f);
    clk_request_read(request, &head);
    assert_int_equal(head.body_length, 7);
    assert_memory_equal(head.body, "abcdefg", 7);
    reply(request, "chunks");
    expect(f, fd, "chunks");
    close(fd);
}

static void large_body_gets_413(void **state)
{
    struct fixture *f = *state;
    int fd;

    start(f);
    fd = dial(f);
    post(f, fd, 100001);
    expect(f, fd, "HTTP/1.1 413 ");
    expect(f, fd, "too large");
    close(fd);
    forget(f);
    fd = dial(f); /* chunked: known only on the way */
    put(f, fd,
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 51; i++) {
        char chunk[2048 + 16];
        int n = snprintf(chunk, sizeof(chunk), "800\r\n");

        memset(chunk + n, 'c', 2048);
        memcpy(chunk + n + 2048, "\r\n", 2);
        put_bytes(f, fd, chunk, (size_t)n + 2050);
    }
    put(f, fd, "0\r\n\r\n");
    expect(f, fd, "HTTP/1.1 413 ");
    close(fd);
    forget(f);
    fd = dial(f); /* asks first, and need not send anything */
    put(f, fd,
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n"
        "Expect: 100-continue\r\n\r\n");
    expect(f, fd, "HTTP/1.1 413 ");
    expect_eof(f, fd);
    assert_null(strstr(f->reply, "100 Continue"));
    close(fd);
    forget(f);
    fd = dial(f); /* hopelessly large */
    put(f, fd,
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
    expect(f, fd, "HTTP/1.1 413 ");
    expect_eof(f, fd);
    close(fd);
    assert_null(clk_server_next(f->server));
}

static void allowed_expectation_is_continued(void **state)
{
    struct fixture *f = *state;
    int fd;

    start(f);
    fd = dial(f);
    put(f, fd,
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
        "Expect: 100-continue\r\n\r\n");
    expect(f, fd, "HTTP/1.1 100 Continue\r\n\r\n");
    put(f, fd, "abc");
    reply(take(f), "fine");
    expect(f, fd, "fine");
    close(fd);
}

static void large_header_gets_431(void **state)
{
    struct fixture *f = *state;
    char *text = malloc(40001);
    int fd;

    memset(text, 'h', 40000);
    text[40000] = '\0';
    start(f);
    fd = dial(f);
    put(f, fd, "GET / HTTP/1.1\r\nHost: x\r\nX: ");
    put(f, fd, text);
    expect(f, fd, "HTTP/1.1 431 ");
    expect_eof(f, fd);
    close(fd);
    forget(f);
    fd = dial(f);
    put(f, fd, "GET /");
    put(f, fd, text);
    expect(f, fd, "HTTP/1.1 414 ");
    close(fd);
    free(text);
}

static void too_many_pending_get_503(void **state)
{
    struct fixture *f = *state;
    int first, second;

    f->options.max_pending = 1;
    start(f);
    first = dial(f);
    put(f, first, GET("/1"));
    second = dial(f);
    put(f, second, GET("/2"));
    expect(f, second, "HTTP/1.1 503 ");
    assert_non_null(strstr(f->reply, "Retry-After: 1\r\n"));
    reply(take(f), "one");
    forget(f);
    expect(f, first, "one");
    close(first);
    close(second);
}

static void too_many_connections_wait(void **state)
{
    struct fixture *f = *state;
    int first, second;

    f->options.max_connections = 1;
    start(f);
    first = dial(f);
    put(f, first, GET("/1"));
    reply(take(f), "one");
    expect(f, first, "one");
    second = dial(f);
    put(f, second, GET("/2"));
    for (int i = 0; i < 20; i++)
        turn(f);
    assert_null(clk_server_next(f->server));
    close(first);
    reply(take(f), "two");
    forget(f);
    expect(f, second, "two");
    close(second);
}

static void idle_connection_is_closed(void **state)
{
    struct fixture *f = *state;
    int fd;

    f->options.idle_timeout = 1;
    start(f);
    fd = dial(f);
    put(f, fd, "GET / HT");
    expect_eof(f, fd);
    close(fd);
}

/* --- streams ------------------------------------------------------------- */

static void stream_goes_out_piece_by_piece(void **state)
{
    struct fixture *f = *state;
    struct clk_request *request;
    int fd;

    start(f);
    fd = dial(f);
    put(f, fd, GET("/") GET("/next"));
    request = take(f);
    assert_int_equal(clk_request_write(request, "x", 1), UV_EINVAL);
    assert_int_equal(clk_request_stream(request, 200, NULL, 0), 0);
    expect(f, fd, "Transfer-Encoding: chunked\r\n\r\n");
    assert_int_equal(clk_request_write(request, "data: 1\n\n", 9), 0);
    expect(f, fd, "9\r\ndata: 1\n\n\r\n");
    assert_int_equal(clk_request_write(request, "", 0), 0);
    assert_int_equal(clk_request_write(request, "data: 2\n\n", 9), 0);
    expect(f, fd, "9\r\ndata: 2\n\n\r\n");
    assert_int_equal(clk_request_unsent(request), 0);
    assert_false(clk_request_gone(request));
    clk_request_finish(request);
    clk_request_finish(request);
    assert_int_equal(clk_request_write(request, "x", 1), UV_EINVAL);
    expect(f, fd, "0\r\n\r\n");
    clk_request_close(request);
    reply(take(f), "kept"); /* the connection lives on */
    expect(f, fd, "kept");
    close(fd);
}

static void stream_to_http_1_0_ends_with_the_connection(void **state)
{
    struct fixture *f = *state;
    struct clk_request *request;
    int fd;

    start(f);
    fd = dial(f);
    put(f, fd, "GET / HTTP/1.0\r\n\r\n");
    request = take(f);
    clk_request_stream(request, 200, NULL, 0);
    clk_request_write(request, "plain", 5);
    clk_request_finish(request);
    clk_request_close(request);
    expect_eof(f, fd);
    assert_non_null(strstr(f->reply, "\r\n\r\nplain"));
    assert_null(strstr(f->reply, "chunked"));
    close(fd);
}

static void slow_reader_holds_the_stream_back(void **state)
{
    struct fixture *f = *state;
    struct clk_request *request;
    size_t total = 0, got = 0;
    char *block = calloc(1, 100000);
    int fd;

    start(f);
    fd = dial(f);
    put(f, fd, GET("/"));
    request = take(f);
    clk_request_stream(request, 200, NULL, 0);
    while (clk_request_unsent(request) < 1000000 && total < 100000000) {
        assert_int_equal(clk_request_write(request, block, 100000), 0);
        total += 100000;
        turn(f);
    }
    assert_true(clk_request_unsent(request) >= 1000000);
    clk_request_finish(request);
    for (int i = 0; i < PATIENCE && !strstr(f->reply, "\r\n0\r\n\r\n"); i++) {
        forget(f);
        receive(f, fd);
        got += f->length;
        if (f->length >= 7)
            memmove(f->reply, f->reply + f->length - 7, 8);
        turn(f);
    }
    assert_true(got > total);
    assert_int_equal(clk_request_unsent(request), 0);
    clk_request_close(request);
    free(block);
    close(fd);
}

static void client_that_goes_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct clk_request *request;
    int fd, events = 0;

    start(f);
    fd = dial(f);
    put(f, fd, GET("/"));
    request = take(f);
    f->events = 0;
    clk_request_watch(request, on_event, f);
    clk_request_stream(request, 200, NULL, 0);
    clk_request_write(request, "hello", 5);
    expect(f, fd, "hello");
    close(fd); /* while nothing is being written */
    for (events = 0; events < PATIENCE && !clk_request_gone(request); events++)
        turn(f);
    assert_true(clk_request_gone(request));
    assert_true(f->events > 0);
    assert_int_equal(clk_request_write(request, "x", 1), UV_EPIPE);
    clk_request_close(request);
}

static void client_that_goes_before_the_reply_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct clk_request *request;
    int fd;

    start(f);
    fd = dial(f);
    put(f, fd, GET("/"));
    request = take(f);
    assert_false(clk_request_gone(request));
    close(fd);
    for (int i = 0; i < PATIENCE && !clk_request_gone(request); i++)
        turn(f);
    assert_true(clk_request_gone(request));
    reply(request, "to nobody");
}

static void half_closed_client_gets_its_reply(void **state)
{
    struct fixture *f = *state;
    int fd;

    start(f);
    fd = dial(f);
    put(f, fd, GET("/"));
    shutdown(fd, SHUT_WR);
    reply(take(f), "still there");
    expect(f, fd, "still there");
    close(fd);
}

static void unfinished_stream_breaks_the_connection(void **state)
{
    struct fixture *f = *state;
    struct clk_request *request;
    int fd;

    start(f);
    fd = dial(f);
    put(f, fd, GET("/"));
    request = take(f);
    clk_request_stream(request, 200, NULL, 0);
    clk_request_write(request, "part", 4);
    expect(f, fd, "part");
    clk_request_close(request);
    expect_eof(f, fd);
    assert_null(strstr(f->reply, "0\r\n\r\n"));
    close(fd);
}

static void head_of_a_stream_has_no_body(void **state)
{
    struct fixture *f = *state;
    struct clk_request *request;
    int fd;

    start(f);
    fd = dial(f);
    put(f, fd, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" GET("/2"));
    request = take(f);
    clk_request_stream(request, 200, NULL, 0);
    clk_request_write(request, "BODY", 4);
    reply(take(f), "second");
    expect(f, fd, "second");
    assert_null(strstr(f->reply, "BODY"));
    assert_true(clk_request_gone(request));
    clk_request_close(request);
    close(fd);
}

/* --- life ---------------------------------------------------------------- */

static void addresses_are_checked(void **state)
{
    struct fixture *f = *state;
    struct clk_server *second = NULL;
    const char *why = NULL;

    start(f);
    assert_true(clk_server_port(f->server) > 0);
    f->options.port = clk_server_port(f->server);
    assert_int_equal(
        clk_server_open(&second, &f->loop, &f->options, on_event, f, &why),
        UV_EADDRINUSE);
    f->options.port = 0;
    f->options.host = "0.0.0.0";
    assert_int_equal(
        clk_server_open(&second, &f->loop, &f->options, on_event, f, &why),
        UV_EACCES);
    assert_non_null(why);
    f->options.host = "example.com";
    assert_int_equal(
        clk_server_open(&second, &f->loop, &f->options, on_event, f, &why),
        UV_EINVAL);
    stop(f);
    f->options.host = "0.0.0.0";
    f->options.remote = true;
    start(f);
    stop(f);
    f->options.host = "localhost";
    f->options.remote = false;
    start(f);
}

static void port_is_free_after_close(void **state)
{
    struct fixture *f = *state;

    start(f);
    f->options.port = clk_server_port(f->server);
    stop(f);
    start(f);
    assert_int_equal(clk_server_port(f->server), f->options.port);
}

static void close_with_everything_pending(void **state)
{
    struct fixture *f = *state;
    struct clk_request *taken, *streaming, *finished;
    struct clk_request_head head;
    int fds[6];

    start(f);
    for (int i = 0; i < 6; i++)
        fds[i] = dial(f);
    put(f, fds[0], GET("/taken"));
    taken = take(f);
    put(f, fds[1], GET("/streaming"));
    streaming = take(f);
    clk_request_stream(streaming, 200, NULL, 0);
    clk_request_write(streaming, "part", 4);
    put(f, fds[2], GET("/pending"));
    put(f, fds[3], "GET /half");
    put(f, fds[4], GET("/replied"));
    for (int i = 0; i < 20; i++)
        turn(f);
    finished = clk_server_next(f->server);
    assert_non_null(finished);
    assert_int_equal(clk_request_reply(finished, 200, NULL, 0, "last", 4), 0);
    stop(f);
    assert_true(clk_request_gone(taken));
    assert_int_equal(clk_request_reply(taken, 200, NULL, 0, "", 0), UV_EPIPE);
    assert_int_equal(clk_request_stream(taken, 200, NULL, 0), UV_EPIPE);
    clk_request_read(taken, &head);
    assert_string_equal(head.target, "/taken");
    assert_int_equal(clk_request_write(streaming, "x", 1), UV_EPIPE);
    clk_request_finish(streaming);
    clk_request_close(taken);
    clk_request_close(streaming);
    clk_request_close(finished);
    for (int i = 0; i < 6; i++) {
        forget(f);
        expect_eof(f, fds[i]);
        close(fds[i]);
    }
}

/* What was handed over before the close goes out. */
static void close_sends_what_it_has(void **state)
{
    struct fixture *f = *state;
    int fd;

    start(f);
    fd = dial(f);
    put(f, fd, GET("/quit"));
    reply(take(f), "bye");
    stop(f);
    expect(f, fd, "bye");
    expect_eof(f, fd);
    close(fd);
}

#ifdef CLK_DEV
/* One round of a scenario in which the nth allocation fails. */
static bool survives(struct fixture *f, unsigned long nth)
{
    const char *why = NULL;
    struct clk_request *request = NULL;
    bool failed;
    int fd;

    clk_mem_fail_at(nth, false);
    if (clk_server_open(&f->server, &f->loop, &f->options, on_event, f, &why)
        != 0) {
        failed = clk_mem_failures() > 0;
        clk_mem_fail_at(0, false);
        assert_true(failed);
        return false;
    }
    fd = dial(f);
    put(f, fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    for (int i = 0; i < PATIENCE && !request && clk_mem_failures() == 0; i++) {
        turn(f);
        request = clk_server_next(f->server);
    }
    if (request) {
        if (clk_request_stream(request, 200, NULL, 0) == 0
            && clk_request_write(request, "abc", 3) == 0)
            clk_request_finish(request);
        clk_request_close(request);
    }
    failed = clk_mem_failures() > 0;
    clk_mem_fail_at(0, false);
    forget(f);
    expect_eof(f, fd);
    close(fd);
    stop(f);
    return !failed;
}

static void failing_allocations_are_survived(void **state)
{
    struct fixture *f = *state;
    unsigned long nth = 1;

    f->options.idle_timeout = 1; /* ends the round that succeeds */
    while (!survives(f, nth) && nth < 1000)
        nth++;
    assert_in_range(nth, 4, 999);
}
#endif

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(target_comes_undecoded),
        TEST(connection_is_kept),
        TEST(many_at_once),
        TEST(head_gets_no_body),
        TEST(reply_headers_go_out),
        TEST(unanswered_breaks_the_connection),
        TEST(garbage_is_not_delivered),
        TEST(body_arrives_whole),
        TEST(large_body_gets_413),
        TEST(allowed_expectation_is_continued),
        TEST(large_header_gets_431),
        TEST(too_many_pending_get_503),
        TEST(too_many_connections_wait),
        TEST(idle_connection_is_closed),
        TEST(stream_goes_out_piece_by_piece),
        TEST(stream_to_http_1_0_ends_with_the_connection),
        TEST(slow_reader_holds_the_stream_back),
        TEST(client_that_goes_is_noticed),
        TEST(client_that_goes_before_the_reply_is_noticed),
        TEST(half_closed_client_gets_its_reply),
        TEST(unfinished_stream_breaks_the_connection),
        TEST(head_of_a_stream_has_no_body),
        TEST(addresses_are_checked),
        TEST(port_is_free_after_close),
        TEST(close_with_everything_pending),
        TEST(close_sends_what_it_has),
#ifdef CLK_DEV
        TEST(failing_allocations_are_survived),
#endif
    };

    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
