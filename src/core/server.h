/* An HTTP/1.1 server on a libuv loop.

   Requests are read whole and wait in a queue until the owner takes them with
   clk_server_next; each is answered with one reply or with a stream. Nothing of
   the owner's runs inside the HTTP library: events are only announced, by
   `on_event`, and may be acted on afterwards. */
#ifndef CLK_SERVER_H
#define CLK_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

/* A listener and its connections. */
struct clk_server;

/* One request, from its last byte read until its reply is sent or given up. */
struct clk_request;

/* What a server accepts. */
struct clk_server_options {
    const char *host;         /* numeric address or "localhost" */
    unsigned port;            /* 0: any free one */
    bool remote;              /* allow an address that is not loopback */
    size_t max_header;        /* bytes of memory for request line and headers */
    size_t max_body;          /* bytes of a request body; beyond it 413 */
    unsigned max_connections; /* beyond it clients wait to be accepted */
    unsigned max_pending;     /* requests nobody took yet; beyond it 503 */
    unsigned idle_timeout;    /* seconds without a byte; 0: no limit */
    bool background;          /* the loop does not stay alive for it */
};

/* A request or reply header; the strings are the owner's of the moment. Those
   of a request end with their length, those of a reply with NUL. */
struct clk_header {
    const char *name;
    const char *value;
    size_t name_length;
    size_t value_length;
};

/* The parts of a request; they stay valid until the request is answered. */
struct clk_request_head {
    const char *method;
    const char *target; /* path and query as sent, nothing decoded */
    const char *body;   /* NULL when length is 0 */
    size_t body_length;
    const struct clk_header *headers; /* as sent, in order */
    size_t header_count;
    char peer[64]; /* "127.0.0.1:40000" */
};

/* Starts to listen. `on_event(ud)` is called from the loop when a request may
   be taken. 0, or a libuv error number with `*why` set to a text that needs
   no freeing (NULL when the number says it all). */
int clk_server_open(struct clk_server **out, uv_loop_t *loop,
                    const struct clk_server_options *options,
                    void (*on_event)(void *ud), void *ud, const char **why);

/* The port it listens on. */
unsigned clk_server_port(const struct clk_server *server);

/* Takes the oldest waiting request, or NULL. The caller must close it with
   clk_request_close, before or after the server. */
struct clk_request *clk_server_next(struct clk_server *server);

/* Whether a request was lost because memory ran out; asking resets it. */
bool clk_server_lost(struct clk_server *server);

/* Stops listening, sends what was already handed over as far as the sockets
   take it, and closes every connection. Taken requests become `gone`. */
void clk_server_close(struct clk_server *server);

/* Reads a request that was not answered yet. */
void clk_request_read(struct clk_request *request,
                      struct clk_request_head *head);

/* Calls `on_event(ud)` when a stream took or lost data, or the client went. */
void clk_request_watch(struct clk_request *request, void (*on_event)(void *ud),
                       void *ud);

/* Answers with a whole body, which is copied. 0; UV_EPIPE when the client is
   gone; UV_EALREADY when it was answered before; UV_EINVAL for a header that
   cannot be sent; UV_ENOMEM. HEAD gets the headers only. */
int clk_request_reply(struct clk_request *request, unsigned status,
                      const struct clk_header *headers, size_t count,
                      const void *body, size_t length);

/* Answers with a body that clk_request_write makes piece by piece (chunked, or
   until close for HTTP/1.0). Errors as clk_request_reply. */
int clk_request_stream(struct clk_request *request, unsigned status,
                       const struct clk_header *headers, size_t count);

/* Adds bytes to a stream; they are copied. 0, UV_EPIPE when the client is gone,
   UV_EINVAL after clk_request_finish, UV_ENOMEM. */
int clk_request_write(struct clk_request *request, const void *data,
                      size_t length);

/* Bytes written to a stream that were not yet given to the socket. */
size_t clk_request_unsent(const struct clk_request *request);

/* Ends a stream: the client sees a complete body. */
void clk_request_finish(struct clk_request *request);

/* Whether nothing more can be sent: the client closed its connection or its
   sending half of it, the reply is complete, or the server was closed. */
bool clk_request_gone(const struct clk_request *request);

/* Lets go of a request. One that was not answered, or a stream that was not
   finished, breaks its connection, so that the client notices. */
void clk_request_close(struct clk_request *request);

#endif
