/* What the http_*.c files share and nobody else sees. */
#ifndef CLK_HTTP_PRIVATE_H
#define CLK_HTTP_PRIVATE_H

#include "core/curl_api.h"
#include "core/http.h"
#include "core/secret.h"

enum {
    HTTP_NEVER = -1,
    HTTP_ORIGIN_SIZE = CLK_HTTP_MAX_HOST + 32,
    HTTP_IDLE_BUCKETS = 64,
    HTTP_OWN_SOCKETS = 4096 /* socket numbers from 0 that are kept track of */
};

struct http_watch;

/* A growing byte buffer. */
struct http_buffer {
    char *bytes;
    size_t len, size;
};

/* One multi handle with its sockets, its timer and its transfers. A client has
   two, because a paused HTTP/2 stream holds up all others on its connection:
   bodies read whole go where requests share HTTP/2 connections, bodies read
   piece by piece to where each has an HTTP/1.1 connection of its own. */
struct http_lane {
    struct clk_http *http;
    CURLM *multi;     /* NULL before the first use and after a break */
    uv_timer_t timer; /* libcurl's and our deadlines; unreferenced when idle */
    uint64_t now_ns;  /* monotonic, as of the last clk_http_tick */
    int64_t now;      /* the same in ms, and so is what follows */
    int64_t curl_due; /* when libcurl wants to run */
    int64_t deadline; /* no later than the first deadline of a transfer */
    int64_t armed;    /* what the timer is set to */
    bool overdue;     /* the deadline was seen to be over once already */
    struct clk_http_transfer *first;            /* running transfers */
    size_t active;                              /* their number */
    struct http_watch *idle[HTTP_IDLE_BUCKETS]; /* by socket number */
    unsigned char own[HTTP_OWN_SOCKETS / 8];    /* bits: sockets we opened */
};

enum { LANE_SHARED, LANE_STREAM, LANE_COUNT };

/* A client; see http.h. */
struct clk_http {
    const struct clk_curl *curl;
    uv_loop_t *loop;
    struct http_lane lanes[LANE_COUNT];
    int open_timers;    /* the block is freed when the last one is closed */
    char *cafile;       /* trusted certificates, NULL: none in one file */
    const char *capath; /* and the folder of more, libcurl's, or NULL */
    /* The beginning of the URL parsed last, "https://host:1", and where such
       URLs lead. */
    char origin[HTTP_ORIGIN_SIZE];
    struct clk_http_target target;
    CURL *pool[CLK_HTTP_MAX_KEPT]; /* easy handles to use again */
    size_t pooled;
    uint64_t transfers, connections, handles; /* so far */
};

/* A transfer; see http.h. */
struct clk_http_transfer {
    struct http_lane *lane; /* NULL when it no longer runs, as is `easy` */
    CURL *easy;
    struct clk_http_transfer *next, **link; /* in lane->first */
    struct clk_http_request *request;
    clk_http_event *event;
    void *ud;
    struct clk_http_error error;  /* code NULL: none */
    char detail[CURL_ERROR_SIZE]; /* libcurl's words */
    int os_error;                 /* why no socket could be had */
    unsigned attempts;            /* how often sending was begun */
    int status;                   /* of the reply read last, 0 before */
    char version[4];              /* "1.0", "1.1", "2" */
    struct http_buffer head;      /* "name:value\n" of the final reply */
    size_t fields;                /* lines in it */
    size_t head_received;         /* bytes of all replies' heads */
    struct http_buffer body;      /* received and not consumed */
    size_t body_received;         /* bytes, decoded */
    bool has_head, done;
    bool paused; /* libcurl holds back what follows */
    uint64_t started_ns, ended_ns;
    int64_t deadline, last_arrival; /* ms by the lane's clock */
};

/* Looks at the clock: sets now and now_ns. Called whenever the loop or the
   caller comes in, so that one look serves all that follows. */
void clk_http_tick(struct http_lane *lane);

/* Fills an error; the message is formatted as by printf. Returns false. */
bool clk_http_error_set(struct clk_http_error *error, const char *code,
                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool clk_http_error_memory(struct clk_http_error *error);

/* Completes the header list: libcurl must add no Content-Type of its own, and
   wait for no "100 Continue". False with `error`. */
bool clk_http_request_seal(struct clk_http_request *request,
                           struct clk_http_error *error);

/* Wipes and frees headers and body, as soon as nobody sends them any more. */
void clk_http_request_clear(struct clk_http_request *request);

/* Says in transfer->error why libcurl ended it with `code`. */
void clk_http_explain(struct clk_http_transfer *transfer, CURLcode code);
/* The same for limits of our own. */
void clk_http_explain_timeout(struct clk_http_transfer *transfer, bool idle);
void clk_http_explain_size(struct clk_http_transfer *transfer, const char *what,
                           size_t limit);

/* Remembers in `code` the first failure of a series of settings. */
#define CLK_HTTP_SET(easy, option, value)                                      \
    do {                                                                       \
        if (code == CURLE_OK)                                                  \
            code = curl->easy_setopt(easy, option, value);                     \
    } while (0)

/* Sets a fresh or reset handle to what holds for all requests of a client. */
CURLcode clk_http_prepare(const struct clk_http *http, CURL *easy);

/* The part of it that has replies recorded in their transfers. */
CURLcode clk_http_record(const struct clk_http *http, CURL *easy);

/* Puts the transfer's request into its prepared handle. */
CURLcode clk_http_configure(struct clk_http_transfer *transfer);

/* Takes back what the next request in the handle may not set anew. */
CURLcode clk_http_unset(const struct clk_http *http,
                        const struct clk_http_transfer *transfer);

/* Sees to it that the transfer's next deadline is kept. */
void clk_http_await(const struct clk_http_transfer *transfer,
                    struct http_lane *lane);

/* Makes an empty lane of the client. */
void clk_http_lane_open(struct http_lane *lane, struct clk_http *http);

/* Sees to it that the lane has a multi handle. False when memory is out. */
bool clk_http_lane_ready(struct http_lane *lane);

/* Ends all its transfers for that reason, and its connections. */
void clk_http_lane_drop(struct http_lane *lane, const char *code,
                        const char *why);

/* The same for good; the client is freed with its last lane. */
void clk_http_lane_close(struct http_lane *lane);

/* Lets libcurl act on events of a socket, or on its timeout. */
void clk_http_lane_run(struct http_lane *lane, curl_socket_t socket,
                       int events);

/* libcurl's callbacks: what to watch a socket for, how to open and close one.
   The first and last get the lane, the second the transfer. */
int clk_http_watch(CURL *easy, curl_socket_t socket, int what, void *lane,
                   void *watch);
curl_socket_t clk_http_socket_open(void *transfer, curlsocktype purpose,
                                   struct curl_sockaddr *address);
int clk_http_socket_close(void *lane, curl_socket_t socket);

/* Forgets all idle sockets. */
void clk_http_watch_none(struct http_lane *lane);

/* Ends a transfer: takes it from its lane, gives the handle back, tells the
   owner. `code` explains unless transfer->error is set. */
void clk_http_finish(struct clk_http_transfer *transfer, CURLcode code);

#endif
