/* What a server and its requests are made of; for server*.c only. */
#ifndef CLK_SERVER_STATE_H
#define CLK_SERVER_STATE_H

#include <netinet/in.h>

#include "core/mhd_api.h"
#include "core/server.h"

/* The part of a server that libuv owns until its handles are closed. */
struct clk_server_loop {
    struct clk_server *server; /* NULL once the server let go of it */
    uv_poll_t http;            /* the HTTP library's descriptor set */
    uv_poll_t hangups;         /* our own set: who closed */
    uv_timer_t timer;          /* the next time-out of the HTTP library */
    int hangups_fd;
    int open; /* handles not closed yet */
};

/* See server.h. */
struct clk_server {
    const struct clk_mhd_api *api;
    struct MHD_Daemon *daemon;
    struct clk_server_loop *io;
    struct MHD_Response *overloaded; /* the 503 */
    struct MHD_Response *too_large;  /* the 413 */
    struct clk_request *requests;    /* those the HTTP library knows */
    struct clk_request *pending_head, *pending_tail;
    unsigned pending, max_pending;
    size_t max_body;
    unsigned idle_timeout; /* seconds */
    unsigned port;
    bool closing;
    bool closed_one; /* a connection was closed in this turn */
    bool kicked;     /* the timer is set to let the library work at once */
    bool lost;       /* a request was dropped for lack of memory */
    void (*on_event)(void *ud);
    void *ud;
};

/* A client's connection; it serves one request at a time. */
struct clk_connection {
    struct MHD_Connection *conn;
    struct clk_request *request; /* the one being read or served, or NULL */
    bool gone;                   /* it closed, or closed its sending half */
    int fd;                      /* the library's, or -1 */
};

/* The bytes of a stream on their way to the socket. */
struct clk_stream {
    char *data;
    size_t start, end, size;
    bool open;     /* the reply is a stream */
    bool finished; /* nothing more will be written */
};

/* See server.h. Freed when the last of its holders lets go: the HTTP library's
   request, the HTTP library's stream reply, the taker. */
struct clk_request {
    struct clk_server *server;   /* NULL once the library is done with it */
    struct MHD_Connection *conn; /* likewise */
    struct clk_connection *connection; /* likewise */
    struct clk_request *prev, *next;   /* in server->requests */
    struct clk_request *next_pending;
    int holders;
    const char *method;
    struct clk_header *headers;
    size_t header_count;
    char *body;
    size_t body_length, body_size, discarded;
    struct MHD_Response *reply; /* to be queued at the next turn */
    unsigned status;
    struct clk_stream stream;
    bool begun;     /* its headers were seen */
    bool refused;   /* the body is too large */
    bool delivered; /* it was put into the queue */
    bool pending;   /* it is in the queue */
    bool suspended; /* the HTTP library leaves its connection alone */
    bool answered;
    bool aborted; /* break the connection at the next turn */
    bool gone;
    void (*on_event)(void *ud);
    void *ud;
    char target[]; /* NUL-terminated */
};

/* Callbacks of the HTTP library. */
void *clk_request_on_target(void *server, const char *target,
                            struct MHD_Connection *conn);
enum MHD_Result clk_request_on_access(void *server, struct MHD_Connection *conn,
                                      const char *url, const char *method,
                                      const char *version, const char *upload,
                                      size_t *upload_size, void **request);
void clk_request_on_completed(void *server, struct MHD_Connection *conn,
                              void **request,
                              enum MHD_RequestTerminationCode code);

/* Has the HTTP library work at the loop's next turn: a resumed connection makes
   no descriptor ready. Not to be called in its callbacks. */
void clk_server_kick(struct clk_server *server);

/* Sets after how many idle seconds the connection is closed. */
void clk_connection_limit(const struct clk_server *server,
                          const struct clk_connection *connection,
                          unsigned seconds);

/* Leaves the connection alone until clk_request_resume. Only in a callback. */
void clk_request_suspend(struct clk_request *request);

/* Lets the HTTP library look at the request again, at the next turn. */
void clk_request_resume(struct clk_request *request);

/* The client of the connection went: tells whoever streams to it. */
void clk_request_hangup(struct clk_request *request);

/* Tells the taker that something changed. */
void clk_request_announce(struct clk_request *request);

/* Drops one holder. */
void clk_request_release(struct clk_request *request);

#endif
