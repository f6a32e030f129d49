/* core/server*.c: streams, gone clients, closing, failing memory. */
#include "server_client.h"

/* --- streams ------------------------------------------------------------- */

static void stream_goes_out_piece_by_piece(void **state)
{
    struct fixture *f = *state;
    struct clk_request *request;
    int fd = start_and_send(f, GET("/") GET("/next"));

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
    int fd = start_and_send(f, "GET / HTTP/1.0\r\n\r\n");

    request = take_streaming(f);
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
    int fd = start_and_send(f, GET("/"));

    request = take_streaming(f);
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

    fd = start_and_send(f, GET("/"));
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
    int fd = start_and_send(f, GET("/"));

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
    int fd = start_and_send(f, GET("/"));

    shutdown(fd, SHUT_WR);
    reply(take(f), "still there");
    expect(f, fd, "still there");
    close(fd);
}

static void unfinished_stream_breaks_the_connection(void **state)
{
    struct fixture *f = *state;
    struct clk_request *request;
    int fd = start_and_send(f, GET("/"));

    request = take_streaming(f);
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
    int fd = start_and_send(f, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" GET("/2"));

    request = take_streaming(f);
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

    start(f);
    assert_true(clk_server_port(f->server) > 0);
    f->options.port = clk_server_port(f->server);
    assert_null(start_fails(f, UV_EADDRINUSE));
    f->options.port = 0;
    f->options.host = "0.0.0.0";
    assert_non_null(start_fails(f, UV_EACCES));
    f->options.host = "::";
    assert_non_null(start_fails(f, UV_EACCES));
    f->options.host = "example.com";
    assert_non_null(start_fails(f, UV_EINVAL));
    f->options.host = "192.0.2.1"; /* nobody's */
    f->options.remote = true;
    assert_null(start_fails(f, UV_EADDRNOTAVAIL));
    stop(f);
    f->options.host = "0.0.0.0";
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
    int fd = start_and_send(f, GET("/quit"));

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
    fd = send_to(f,
                 "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
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

    return cmocka_run_group_tests_name("server streams", tests, NULL, NULL);
}
