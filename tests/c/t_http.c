/* core/http*.c and core/curl_api.c: addresses, requests, the engine without Lua
   and its failing allocations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/curl_api.h"
#include "core/curl_heap.h"
#include "core/http.h"
#include "core/mem.h"

/* ---- the library ---- */

static void a_missing_library_is_named(void **state)
{
    static const char *const names[] = {"libnowhere.so.1", NULL};
    struct clk_curl api;
    char why[CLK_CURL_WHY_SIZE];

    (void)state;
    assert_int_equal(clk_curl_open(&api, names, why), -1);
    assert_non_null(strstr(why, "cannot load libcurl: libnowhere.so.1"));
}

static void another_library_is_refused(void **state)
{
    static const char *const names[] = {"libm.so.6", NULL};
    struct clk_curl api;
    char why[CLK_CURL_WHY_SIZE];

    (void)state;
    assert_int_equal(clk_curl_open(&api, names, why), -1);
    assert_string_equal(why, "libm.so.6 has no curl_easy_cleanup");
}

static void the_first_library_found_is_taken(void **state)
{
    static const char *const names[] = {"libnowhere.so.1", "libcurl.so.4",
                                        NULL};
    struct clk_curl api;
    char why[CLK_CURL_WHY_SIZE] = "";

    (void)state;
    assert_int_equal(clk_curl_open(&api, names, why), 0);
    assert_non_null(api.easy_init);
    assert_non_null(api.version_info);
    assert_ptr_equal(clk_curl_load(why), clk_curl_load(why));
}

/* ---- its heap ---- */

enum { MANY = 100, ASKED = CLK_CURL_READ_BUFFER + 1 };

static void read_buffers_never_overlap_and_come_back(void **state)
{
    unsigned char *taken[MANY];

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++) {
            taken[i] = clk_curl_malloc(ASKED);
            assert_non_null(taken[i]);
            memset(taken[i], i, ASKED);
        }
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(taken[i][0], i);
            assert_int_equal(taken[i][ASKED - 1], i);
        }
        for (int i = 0; i < MANY; i++)
            clk_curl_free(taken[(i * 37) % MANY]);
    }
}

static void blocks_of_both_kinds_are_resized(void **state)
{
    char *p = clk_curl_malloc(ASKED);

    (void)state;
    memset(p, 'x', ASKED);
    p = clk_curl_realloc(p, 3);
    assert_memory_equal(p, "xxx", 3);
    p = clk_curl_realloc(p, ASKED);
    assert_memory_equal(p, "xxx", 3);
    p = clk_curl_realloc(p, 2 * ASKED);
    assert_memory_equal(p, "xxx", 3);
    clk_curl_free(p);
    p = clk_curl_realloc(NULL, 5);
    assert_non_null(p);
    clk_curl_free(p);
    clk_curl_free(NULL);
}

static void zeroed_blocks_are_zero_and_bounded(void **state)
{
    static const unsigned char zeros[10000];
    unsigned char *p;

    (void)state;
    for (size_t size = 1; size <= sizeof(zeros); size = size * 3 + 1) {
        p = clk_curl_malloc(size);
        memset(p, 0xff, size);
        clk_curl_free(p);
        p = clk_curl_calloc(1, size);
        assert_memory_equal(p, zeros, size);
        clk_curl_free(p);
    }
    assert_null(clk_curl_calloc(SIZE_MAX / 2, 3));
}

/* ---- addresses ---- */

static void targets_are_as_libcurl_sees_them(void **state)
{
    static const struct {
        const char *url, *host;
        unsigned port;
        bool tls, loopback;
    } rows[] = {
        {"https://api.example.com", "api.example.com", 443, true, false},
        {"HTTPS://API.Example.COM:8443/v1?x#y", "api.example.com", 8443, true,
         false},
        {"http://localhost/", "localhost", 80, false, true},
        {"http://127.0.0.1:4280", "127.0.0.1", 4280, false, true},
        {"http://127.1.2.3", "127.1.2.3", 80, false, true},
        {"http://0x7f.1/", "127.0.0.1", 80, false, true},
        {"http://2130706433/", "127.0.0.1", 80, false, true},
        {"http://[::1]:81/", "[::1]", 81, false, true},
        {"http://[0:0::1]/", "[::1]", 80, false, true},
        {"http://[::ffff:127.0.0.1]/", "[::ffff:127.0.0.1]", 80, false, false},
        {"http://127.0.0.1.example.com/", "127.0.0.1.example.com", 80, false,
         false},
        {"http://127.0.0.1@example.com", NULL, 0, false, false},
        {"http://localhost.example.com", "localhost.example.com", 80, false,
         false},
        {"http://_api.internal:4280/v1", "_api.internal", 4280, false, false},
        {"http://128.0.0.1/", "128.0.0.1", 80, false, false},
        {"http://\\127.0.0.1\\@example.com/", NULL, 0, false, false},
        {"ftp://localhost/", NULL, 0, false, false},
        {"//localhost/", NULL, 0, false, false},
        {"http:///path", "path", 80, false, false},
        {"http://example.com:0/", NULL, 0, false, false},
        {"http://example.com:65536/", NULL, 0, false, false},
        {"http://exa mple.com/", NULL, 0, false, false},
    };
    struct clk_http_error error;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct clk_http_target target;
        bool ok = clk_http_parse(rows[i].url, &target, &error);

        if (ok != (rows[i].host != NULL))
            fail_msg("%s", rows[i].url);
        if (!ok)
            continue;
        assert_string_equal(target.host, rows[i].host);
        assert_int_equal(target.port, rows[i].port);
        assert_int_equal(target.tls, rows[i].tls);
        assert_int_equal(target.loopback, rows[i].loopback);
    }
}

static void references_are_resolved(void **state)
{
    static const char *const rows[][3] = {
        {"https://a.example/b/c?d", "e", "https://a.example/b/e"},
        {"https://a.example/b/c?d", "/e", "https://a.example/e"},
        {"https://a.example/b/c", "?e", "https://a.example/b/c?e"},
        {"https://a.example/b/c", "//b.example/", "https://b.example/"},
        {"https://a.example/b/c", "http://b.example/", "http://b.example/"},
        {"https://a.example/b/c", "https://u:p@b.example/", NULL},
        {"https://a.example/b/c", "http://[", NULL},
    };
    char url[CLK_HTTP_MAX_URL + 1];
    struct clk_http_error error;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool ok = clk_http_join(rows[i][0], rows[i][1], url, &error);

        assert_int_equal(ok, rows[i][2] != NULL);
        if (ok)
            assert_string_equal(url, rows[i][2]);
        else
            assert_string_equal(error.code, "EINVAL");
    }
}

/* ---- requests ---- */

static struct clk_http_request *new_request(struct clk_http *http,
                                            const char *url)
{
    struct clk_http_request *request = clk_http_request_new(http);
    struct clk_http_error error;

    assert_non_null(request);
    assert_true(clk_http_request_url(request, url, strlen(url), &error));
    return request;
}

static void headers_are_lines_in_their_order(void **state)
{
    struct clk_http_request *request = clk_http_request_new(NULL);
    struct clk_http_error error;

    (void)state;
    assert_true(clk_http_request_header(request, "A", 1, " b \t", 4, &error));
    assert_true(clk_http_request_header(request, "C-D", 3, "", 0, &error));
    assert_true(
        clk_http_request_header(request, "A", 1, "\xc3\xa9", 2, &error));
    assert_string_equal(request->headers->data, "A: b");
    assert_string_equal(request->headers->next->data, "C-D;");
    assert_string_equal(request->headers->next->next->data, "A: \xc3\xa9");
    assert_null(request->headers->next->next->next);
    clk_http_request_free(request);
}

static void a_body_never_outgrows_its_size(void **state)
{
    struct clk_http_request *request = clk_http_request_new(NULL);
    struct clk_http_error error;

    (void)state;
    assert_true(clk_http_request_body(request, 4, &error));
    clk_http_request_append(request, "abc", 3);
    clk_http_request_append(request, "def", 3);
    assert_int_equal(request->body_len, 4);
    assert_memory_equal(request->body, "abcd", 4);
    assert_true(clk_http_request_body(request, 0, &error));
    assert_int_equal(request->body_len, 0);
    assert_non_null(request->body);
    assert_false(clk_http_request_body(request, SIZE_MAX, &error));
    assert_string_equal(error.code, "ENOMEM");
    clk_http_request_free(request);
}

/* ---- the engine ---- */

/* A server that gives every connection's first bytes one answer. */
struct peer {
    uv_loop_t loop;
    uv_tcp_t listener, conn;
    bool connected;
    uv_write_t write;
    char input[65536];
    const char *answer;
    char url[64];
    struct clk_http *http;
    int events;
};

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    struct peer *peer = handle->data;

    (void)size;
    *buffer = uv_buf_init(peer->input, sizeof(peer->input));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct peer *peer = stream->data;
    uv_buf_t answer;

    (void)buffer;
    if (count <= 0 || !peer->answer)
        return;
    answer = uv_buf_init((char *)(uintptr_t)peer->answer,
                         (unsigned)strlen(peer->answer));
    assert_int_equal(uv_write(&peer->write, stream, &answer, 1, NULL), 0);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct peer *peer = listener->data;

    assert_int_equal(status, 0);
    assert_false(peer->connected);
    peer->connected = true;
    uv_tcp_init(&peer->loop, &peer->conn);
    peer->conn.data = peer;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&peer->conn), 0);
    assert_int_equal(
        uv_read_start((uv_stream_t *)&peer->conn, on_alloc, on_read), 0);
}

/* As a waking does on the host: the loop must not wait after an event that a
   timer brought. */
static void count_event(void *ud)
{
    struct peer *peer = ud;

    peer->events++;
    uv_stop(&peer->loop);
}

static void open_peer(struct peer *peer, const char *answer)
{
    struct clk_http_error error;
    struct sockaddr_in address;
    int size = sizeof(address);

    memset(peer, 0, sizeof(*peer));
    peer->answer = answer;
    assert_int_equal(uv_loop_init(&peer->loop), 0);
    assert_int_equal(uv_tcp_init(&peer->loop, &peer->listener), 0);
    peer->listener.data = peer;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_bind(&peer->listener, (struct sockaddr *)&address, 0);
    assert_int_equal(
        uv_listen((uv_stream_t *)&peer->listener, 8, on_connection), 0);
    uv_tcp_getsockname(&peer->listener, (struct sockaddr *)&address, &size);
    snprintf(peer->url, sizeof(peer->url), "http://127.0.0.1:%d/",
             ntohs(address.sin_port));
    peer->http = clk_http_new(&peer->loop, &error);
    assert_non_null(peer->http);
}

static void close_peer(struct peer *peer)
{
    clk_http_free(peer->http);
    uv_close((uv_handle_t *)&peer->listener, NULL);
    if (peer->connected)
        uv_close((uv_handle_t *)&peer->conn, NULL);
    /* The first run may only take notice of an earlier uv_stop. */
    uv_run(&peer->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_run(&peer->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&peer->loop), 0);
}

static struct clk_http_transfer *start(struct peer *peer, bool stream)
{
    struct clk_http_request *request = new_request(peer->http, peer->url);
    struct clk_http_transfer *transfer;
    struct clk_http_error error;

    request->stream = stream;
    request->timeout_ms = 5000;
    transfer = clk_http_start(request, count_event, peer, &error);
    assert_non_null(transfer);
    return transfer;
}

static void run_until_done(struct peer *peer,
                           const struct clk_http_transfer *transfer)
{
    while (!clk_http_is_done(transfer))
        uv_run(&peer->loop, UV_RUN_ONCE);
}

static const char answer[] = "HTTP/1.1 200 OK\r\nA: 1\r\nB:2\r\n"
                             "Content-Length: 5\r\n\r\nhello";

static void a_remembered_origin_is_only_itself(void **state)
{
    static const struct {
        const char *first, *second, *host; /* of the second; NULL: refused */
    } rows[] = {
        {"https://a.example/x", "https://a.example/y?z", "a.example"},
        {"https://a.example/x", "https://a.example.evil/x", "a.example.evil"},
        {"https://a.example", "https://a.example:8443/", "a.example"},
        {"https://a.example:8443", "https://a.example:84/", "a.example"},
        {"https://a.example/", "https://a.example@b.example/", NULL},
        {"https://a.example/", "https://a.example\\@b.example/", NULL},
        {"https://a.example/", "https://a.example/\r\nX: y", NULL},
        {"https://a.example/", "https://a.example/ x", NULL},
        {"http:///a", "http:///b", "b"},
        {"http:/a/://x", "http:/b/://x", "b"},
    };
    struct peer peer;
    struct clk_http_error error;

    (void)state;
    open_peer(&peer, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct clk_http_request *request =
            new_request(peer.http, rows[i].first);
        bool ok = clk_http_request_url(request, rows[i].second,
                                       strlen(rows[i].second), &error);

        assert_int_equal(ok, rows[i].host != NULL);
        if (ok)
            assert_string_equal(request->target.host, rows[i].host);
        clk_http_request_free(request);
    }
    close_peer(&peer);
}

static void a_whole_reply_is_one_event(void **state)
{
    struct peer peer;
    struct clk_http_transfer *transfer;
    struct clk_http_field field;
    size_t cursor = 0, len;

    (void)state;
    open_peer(&peer, answer);
    transfer = start(&peer, false);
    assert_false(clk_http_has_head(transfer));
    run_until_done(&peer, transfer);
    assert_int_equal(peer.events, 1);
    assert_null(clk_http_failure(transfer));
    assert_int_equal(clk_http_status(transfer), 200);
    assert_string_equal(clk_http_version(transfer), "1.1");
    assert_int_equal(clk_http_field_count(transfer), 3);
    assert_true(clk_http_next_field(transfer, &cursor, &field));
    assert_true(clk_http_next_field(transfer, &cursor, &field));
    assert_memory_equal(field.name, "b", field.name_len);
    assert_memory_equal(field.value, "2", field.value_len);
    assert_true(clk_http_next_field(transfer, &cursor, &field));
    assert_false(clk_http_next_field(transfer, &cursor, &field));
    assert_memory_equal(clk_http_body(transfer, &len), "hello", 5);
    assert_int_equal(len, 5);
    clk_http_transfer_free(transfer);
    close_peer(&peer);
}

static void a_freed_transfer_tells_nobody(void **state)
{
    struct peer peer;
    struct clk_http_transfer *transfer;

    (void)state;
    open_peer(&peer, NULL);
    transfer = start(&peer, true);
    while (!peer.connected)
        uv_run(&peer.loop, UV_RUN_ONCE);
    clk_http_transfer_free(transfer);
    assert_int_equal(clk_http_stats(peer.http).active, 0);
    assert_int_equal(peer.events, 0);
    close_peer(&peer);
}

static void a_transfer_outlives_its_client(void **state)
{
    struct peer peer;
    struct clk_http_transfer *transfer;

    (void)state;
    open_peer(&peer, NULL);
    transfer = start(&peer, false);
    clk_http_free(peer.http);
    peer.http = NULL;
    assert_true(clk_http_is_done(transfer));
    assert_string_equal(clk_http_failure(transfer)->code, "ECANCELED");
    assert_false(clk_http_failure(transfer)->sent);
    clk_http_consume(transfer);
    clk_http_transfer_free(transfer);
    close_peer(&peer);
}

static void an_idle_client_does_not_keep_the_loop(void **state)
{
    struct peer peer;
    struct clk_http_transfer *transfer;

    (void)state;
    open_peer(&peer, answer);
    transfer = start(&peer, false);
    run_until_done(&peer, transfer);
    clk_http_transfer_free(transfer);
    uv_unref((uv_handle_t *)&peer.listener);
    uv_unref((uv_handle_t *)&peer.conn);
    uv_run(&peer.loop, UV_RUN_NOWAIT);
    assert_false(uv_loop_alive(&peer.loop));
    close_peer(&peer);
}

/* Beyond the bound a transfer is refused, and one that ends makes room. */
static void transfers_at_one_time_are_bounded(void **state)
{
    static struct clk_http_transfer *all[CLK_HTTP_MAX_TRANSFERS];
    struct clk_http_error error;
    struct peer peer;

    (void)state;
    open_peer(&peer, NULL);
    for (int i = 0; i < CLK_HTTP_MAX_TRANSFERS; i++)
        all[i] = start(&peer, i % 2);
    for (int stream = 0; stream < 2; stream++) {
        struct clk_http_request *request = new_request(peer.http, peer.url);

        request->stream = stream;
        assert_null(clk_http_start(request, count_event, &peer, &error));
        assert_string_equal(error.code, "EAGAIN");
        assert_false(error.sent);
    }
    clk_http_transfer_free(all[0]);
    all[0] = start(&peer, false);
    assert_int_equal(clk_http_stats(peer.http).active, CLK_HTTP_MAX_TRANSFERS);
    for (int i = 0; i < CLK_HTTP_MAX_TRANSFERS; i++)
        clk_http_transfer_free(all[i]);
    assert_int_equal(clk_http_stats(peer.http).active, 0);
    close_peer(&peer);
}

#ifdef CLK_DEV
/* One request with its nth allocation failing; whether none failed. */
static bool survives(unsigned long nth, bool sticky)
{
    struct peer peer;
    struct clk_http_request *request;
    struct clk_http_transfer *transfer = NULL;
    struct clk_http_error error;
    bool ok;

    open_peer(&peer, answer);
    clk_mem_fail_at(nth, sticky);
    request = clk_http_request_new(peer.http);
    ok = request
         && clk_http_request_url(request, peer.url, strlen(peer.url), &error)
         && clk_http_request_header(request, "X", 1, "y", 1, &error)
         && clk_http_request_body(request, 3, &error);
    if (ok) {
        clk_http_request_append(request, "abc", 3);
        request->timeout_ms = 5000;
        transfer = clk_http_start(request, count_event, &peer, &error);
    } else {
        clk_http_request_free(request);
    }
    if (transfer)
        run_until_done(&peer, transfer);
    ok = clk_mem_failures() == 0;
    clk_mem_fail_at(0, false);
    if (ok)
        assert_null(clk_http_failure(transfer));
    clk_http_transfer_free(transfer);
    /* What failed has done no harm to the client. */
    if (!peer.connected) {
        transfer = start(&peer, false);
        run_until_done(&peer, transfer);
        assert_null(clk_http_failure(transfer));
        clk_http_transfer_free(transfer);
    }
    close_peer(&peer);
    return ok;
}

static void every_failing_allocation_is_survived(void **state)
{
    unsigned long n;

    (void)state;
    for (n = 1; !survives(n, false); n++)
        assert_true(n < 1000);
    assert_true(n > 20);
    for (n = 1; !survives(n, true); n++)
        assert_true(n < 1000);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_library_is_named),
        cmocka_unit_test(another_library_is_refused),
        cmocka_unit_test(the_first_library_found_is_taken),
        cmocka_unit_test(read_buffers_never_overlap_and_come_back),
        cmocka_unit_test(blocks_of_both_kinds_are_resized),
        cmocka_unit_test(zeroed_blocks_are_zero_and_bounded),
        cmocka_unit_test(targets_are_as_libcurl_sees_them),
        cmocka_unit_test(references_are_resolved),
        cmocka_unit_test(headers_are_lines_in_their_order),
        cmocka_unit_test(a_body_never_outgrows_its_size),
        cmocka_unit_test(a_remembered_origin_is_only_itself),
        cmocka_unit_test(a_whole_reply_is_one_event),
        cmocka_unit_test(a_freed_transfer_tells_nobody),
        cmocka_unit_test(a_transfer_outlives_its_client),
        cmocka_unit_test(an_idle_client_does_not_keep_the_loop),
        cmocka_unit_test(transfers_at_one_time_are_bounded),
#ifdef CLK_DEV
        cmocka_unit_test(every_failing_allocation_is_survived),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
