/* core/server*.c: requests in, replies out, limits. */
#include "server_client.h"

/* --- requests ------------------------------------------------------------ */

static void target_comes_undecoded(void **state)
{
    struct fixture *f = *state;
    struct clk_request_head head;
    struct clk_request *request;
    int fd;

    fd = start_and_send(f, "GET /v1/apps/a%2Fb/%2e%2E?q=%41+x&y HTTP/1.1\r\n"
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
    int fd = start_and_send(f, GET("/1") GET("/2"));

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
    int fd = start_and_send(f, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" GET("/2"));

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
    int fd = start_and_send(f, GET("/"));

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
    int fd = start_and_send(f, GET("/"));

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

enum { MUTANTS = 100 };

/* A request with random bytes changed, sometimes cut. */
static size_t mutate(char *text, size_t length, unsigned *seed, int round)
{
    static const char alphabet[] = "\r\n\t :/?%&=;,0aZ\0\x7f\xff";

    for (int change = round % 5; change >= 0; change--) {
        *seed = *seed * 1103515245u + 12345u;
        text[(*seed >> 16) % length] =
            alphabet[(*seed >> 8) % (sizeof(alphabet) - 1)];
    }
    return round % 4 ? length : (*seed >> 12) % length;
}

/* Whatever the server makes of them, it goes on. */
static void mutated_requests_do_no_harm(void **state)
{
    struct fixture *f = *state;
    static const char base[] =
        "POST /v1/a%2Fb?x=1&y HTTP/1.1\r\nHost: x\r\nX-A: b\r\n"
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" GET("/2");
    int fds[MUTANTS], open_count = MUTANTS, fd;
    unsigned seed = 7;

    f->options.max_connections = f->options.max_pending = MUTANTS + 1;
    start(f);
    for (int i = 0; i < MUTANTS; i++) {
        char text[sizeof(base)];

        memcpy(text, base, sizeof(base));
        fds[i] = dial(f);
        put_bytes(f, fds[i], text, mutate(text, sizeof(base) - 1, &seed, i));
        shutdown(fds[i], SHUT_WR);
    }
    for (int turns = 0; turns < PATIENCE && open_count > 0; turns++) {
        struct clk_request *request = clk_server_next(f->server);

        if (request)
            reply(request, "ok");
        else
            turn(f);
        for (int i = 0; i < MUTANTS; i++) {
            forget(f);
            if (fds[i] >= 0)
                receive(f, fds[i]);
            if (!f->eof)
                continue;
            close(fds[i]);
            fds[i] = -1;
            open_count--;
        }
    }
    assert_int_equal(open_count, 0);
    fd = dial(f);
    forget(f);
    put(f, fd, GET("/"));
    reply(take(f), "alive");
    expect(f, fd, "alive");
    close(fd);
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
    /* chunked: known only on the way */
    fd = send_to(
        f, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
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
    /* asks first, and need not send anything */
    fd = send_to(f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n"
                    "Expect: 100-continue\r\n\r\n");
    expect(f, fd, "HTTP/1.1 413 ");
    expect_eof(f, fd);
    assert_null(strstr(f->reply, "100 Continue"));
    close(fd);
    forget(f);
    /* hopelessly large */
    fd = send_to(
        f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
    expect(f, fd, "HTTP/1.1 413 ");
    expect_eof(f, fd);
    close(fd);
    assert_null(clk_server_next(f->server));
}

static void allowed_expectation_is_continued(void **state)
{
    struct fixture *f = *state;
    int fd;

    fd = start_and_send(f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
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
    fd = start_and_send(f, "GET / HTTP/1.1\r\nHost: x\r\nX: ");
    put(f, fd, text);
    expect(f, fd, "HTTP/1.1 431 ");
    expect_eof(f, fd);
    close(fd);
    forget(f);
    fd = send_to(f, "GET /");
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
    first = send_to(f, GET("/1"));
    second = send_to(f, GET("/2"));
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
    first = send_to(f, GET("/1"));
    reply(take(f), "one");
    expect(f, first, "one");
    second = send_to(f, GET("/2"));
    for (int i = 0; i < 20; i++)
        turn(f);
    assert_null(clk_server_next(f->server));
    close(first);
    reply(take(f), "two");
    forget(f);
    expect(f, second, "two");
    close(second);
}

/* Not after the idle time, which is longer than this test waits. */
static void half_a_request_ends_with_its_client(void **state)
{
    struct fixture *f = *state;
    static const char *const halves[] = {
        "G", "GET / HTTP/1.1\r\nHost",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"};

    start(f);
    for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
        int fd = dial(f);

        forget(f);
        assert_int_equal(write(fd, halves[i], strlen(halves[i])),
                         strlen(halves[i]));
        shutdown(fd, SHUT_WR); /* the bytes and the end come together */
        expect_eof(f, fd);
        assert_null(clk_server_next(f->server));
        close(fd);
    }
}

static void idle_connection_is_closed(void **state)
{
    struct fixture *f = *state;
    int fd;

    f->options.idle_timeout = 1;
    fd = start_and_send(f, "GET / HT");
    expect_eof(f, fd);
    close(fd);
}

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
        TEST(mutated_requests_do_no_harm),
        TEST(body_arrives_whole),
        TEST(large_body_gets_413),
        TEST(allowed_expectation_is_continued),
        TEST(large_header_gets_431),
        TEST(too_many_pending_get_503),
        TEST(too_many_connections_wait),
        TEST(half_a_request_ends_with_its_client),
        TEST(idle_connection_is_closed),
    };

    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
