/* A server under test and a client that waits while the loop runs; for
   t_server*.c. */
#ifndef SERVER_CLIENT_H
#define SERVER_CLIENT_H

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

static inline void on_event(void *ud)
{
    ((struct fixture *)ud)->events++;
}

static inline struct clk_server_options defaults(void)
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

static inline void start(struct fixture *f)
{
    const char *why = NULL;

    assert_int_equal(
        clk_server_open(&f->server, &f->loop, &f->options, on_event, f, &why),
        0);
}

static inline void stop(struct fixture *f)
{
    if (f->server)
        clk_server_close(f->server);
    f->server = NULL;
}

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->reply = calloc(1, REPLY_SIZE + 1);
    f->options = defaults();
    *state = f;
    return uv_loop_init(&f->loop);
}

/* Nothing may be left on the loop. */
static inline int tear_down(void **state)
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

static inline int dial(const struct fixture *f)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_port = htons((uint16_t)clk_server_port(f->server));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (void *)&address, sizeof(address)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static inline void turn(struct fixture *f)
{
    uv_run(&f->loop, UV_RUN_NOWAIT);
    poll(NULL, 0, 1);
}

static inline void put_bytes(struct fixture *f, int fd, const char *text,
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

static inline void put(struct fixture *f, int fd, const char *text)
{
    put_bytes(f, fd, text, strlen(text));
}

/* Takes what arrived; notes the end of the connection. */
static inline void receive(struct fixture *f, int fd)
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

static inline void forget(struct fixture *f)
{
    f->length = 0;
    f->eof = false;
    f->reply[0] = '\0';
}

static inline void expect(struct fixture *f, int fd, const char *text)
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

static inline void expect_eof(struct fixture *f, int fd)
{
    for (int i = 0; i < PATIENCE && !f->eof; i++) {
        turn(f);
        receive(f, fd);
    }
    assert_true(f->eof);
}

/* A connection on which the text was sent. */
static inline int send_to(struct fixture *f, const char *text)
{
    int fd = dial(f);

    put(f, fd, text);
    return fd;
}

/* As send_to, to a server that is started for it. */
static inline int start_and_send(struct fixture *f, const char *text)
{
    start(f);
    return send_to(f, text);
}

static inline struct clk_request *take(struct fixture *f)
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

static inline void reply(struct clk_request *request, const char *body)
{
    assert_int_equal(
        clk_request_reply(request, 200, NULL, 0, body, strlen(body)), 0);
    clk_request_close(request);
}

/* Takes a request and begins to answer it with a stream. */
static inline struct clk_request *take_streaming(struct fixture *f)
{
    struct clk_request *request = take(f);

    assert_int_equal(clk_request_stream(request, 200, NULL, 0), 0);
    return request;
}

/* A server that cannot be opened, for this reason; in words, if there are. */
static inline const char *start_fails(struct fixture *f, int error)
{
    struct clk_server *server = NULL;
    const char *why = NULL;

    assert_int_equal(
        clk_server_open(&server, &f->loop, &f->options, on_event, f, &why),
        error);
    return why;
}

#define GET(target) "GET " target " HTTP/1.1\r\nHost: x\r\n\r\n"

#endif
