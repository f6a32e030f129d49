/* An HTTP client on a libuv loop: HTTP/1.1 and HTTP/2 over libcurl's multi
   interface, with kept connections.

   A caller assembles a request, starts it on a client and is told by a callback
   when to look again. The callback may come from inside libcurl: it records and
   wakes, and calls nothing of this file. All else is called on the loop's
   thread and never from a callback of libcurl. */
#ifndef CLK_HTTP_H
#define CLK_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

/* The bounds that no option changes; sizes in bytes. */
enum {
    CLK_HTTP_MAX_URL = 16 * 1024,
    CLK_HTTP_MAX_HOST = 255,
    CLK_HTTP_MAX_REQUEST_HEAD = 256 * 1024, /* all header lines */
    CLK_HTTP_MAX_REPLY_HEAD = 256 * 1024,   /* interim replies included */
    CLK_HTTP_STREAM_BUFFER = 256 * 1024,    /* unread before the peer waits */
    CLK_HTTP_MAX_HOST_CONNECTIONS = 128,    /* more requests wait their turn */
    CLK_HTTP_MAX_CONNECTIONS = 256,         /* of one client, all hosts */
    CLK_HTTP_MAX_KEPT = 128,                /* idle connections and handles */
    CLK_HTTP_MAX_TRANSFERS = 16384          /* at one time in one client */
};

/* Why something failed: a stable code (static storage; "ENOMEM" means that
   memory is out and has no message), one line for people, and whether any byte
   of the request may have reached the server. */
struct clk_http_error {
    const char *code;
    char message[320];
    bool sent;
};

/* ---- addresses ---- */

/* Where a URL points, as libcurl itself will understand it. */
struct clk_http_target {
    char host[CLK_HTTP_MAX_HOST + 1]; /* lower case; IPv6 in brackets */
    uint16_t port;
    bool tls;
    bool loopback; /* localhost, 127.0.0.0/8 or [::1] */
};

/* Parses an absolute http or https URL; credentials in it are refused. */
bool clk_http_parse(const char *url, struct clk_http_target *target,
                    struct clk_http_error *error);

/* Resolves `reference` (a Location value) against `base` into `url`. */
bool clk_http_join(const char *base, const char *reference,
                   char url[CLK_HTTP_MAX_URL + 1],
                   struct clk_http_error *error);

/* ---- requests ---- */

/* Connections, handles and running transfers that belong together. */
struct clk_http;

/* A request being assembled. Limits are plain fields for the caller to set; the
   rest is set by the functions below, which copy. All of it is wiped when
   freed. */
struct clk_http_request {
    struct clk_http *http;
    unsigned timeout_ms;         /* for the whole exchange; 0: no limit */
    unsigned connect_timeout_ms; /* name, connection, TLS; 0: libcurl's 300 s */
    unsigned idle_timeout_ms;    /* between two arrivals; 0: no limit */
    size_t max_body;             /* bytes, decoded; 0: no limit */
    bool stream;     /* the body is read piece by piece, with backpressure */
    bool allow_http; /* plain http is fine although the host is not loopback */
    bool repeatable; /* may be sent twice if a kept connection turns out dead */
    bool has_type;   /* a Content-Type was given */
    bool has_coding; /* an Accept-Encoding was given */
    char method[24];
    char *url;
    char *cafile; /* NULL: the client's */
    char *proxy;  /* NULL: the environment's; "": none */
    struct clk_http_target target;
    struct curl_slist *headers; /* in the order given; own nodes */
    struct curl_slist **headers_end;
    size_t headers_size; /* bytes of all lines */
    char *body;          /* NULL: none */
    size_t body_len;
    size_t body_size;
};

/* A GET of nothing yet, without limits. `http` will send it. NULL: memory is
   out. */
struct clk_http_request *clk_http_request_new(struct clk_http *http);

/* Wipes and frees; NULL is fine. */
void clk_http_request_free(struct clk_http_request *request);

/* Each returns false with `error`: EINVAL for what can't be sent as it is
   (control characters, a header the client sets itself), or ENOMEM. */
bool clk_http_request_method(struct clk_http_request *request,
                             const char *method, size_t len,
                             struct clk_http_error *error);
bool clk_http_request_url(struct clk_http_request *request, const char *url,
                          size_t len, struct clk_http_error *error);
bool clk_http_request_header(struct clk_http_request *request, const char *name,
                             size_t name_len, const void *value,
                             size_t value_len, struct clk_http_error *error);
bool clk_http_request_cafile(struct clk_http_request *request, const char *path,
                             struct clk_http_error *error);
bool clk_http_request_proxy(struct clk_http_request *request, const char *url,
                            struct clk_http_error *error);

/* Makes room for a body of exactly `size` bytes, which then is appended in
   pieces: one buffer from the start, so that no copy is left behind. */
bool clk_http_request_body(struct clk_http_request *request, size_t size,
                           struct clk_http_error *error);
void clk_http_request_append(struct clk_http_request *request,
                             const void *bytes, size_t len);

/* ---- clients ---- */

/* What a client did so far. */
struct clk_http_stats {
    uint64_t transfers;   /* started */
    uint64_t connections; /* opened */
    uint64_t handles;     /* libcurl's, made; they serve again */
    uint64_t active;      /* transfers running now */
};

/* Loads libcurl and makes a client; SSL_CERT_FILE is looked up here. NULL with
   `error`. */
struct clk_http *clk_http_new(uv_loop_t *loop, struct clk_http_error *error);

/* Ends all transfers with ECANCELED, closes every connection and frees the
   client, its memory after one more turn of the loop. NULL is fine. */
void clk_http_free(struct clk_http *http);

/* What it did so far, and is doing now. */
struct clk_http_stats clk_http_stats(const struct clk_http *http);

/* ---- transfers ---- */

/* One request on its way and its reply. */
struct clk_http_transfer;

/* Called when there may be something new to see; may come from inside
   libcurl. */
typedef void clk_http_event(void *ud);

/* Starts `request`, which the transfer owns from here on, also on failure. NULL
   with `error` (EPERM: plain http to that host). */
struct clk_http_transfer *clk_http_start(struct clk_http_request *request,
                                         clk_http_event *event, void *ud,
                                         struct clk_http_error *error);

/* Aborts it if it still runs, and frees it; NULL is fine. No event comes. */
void clk_http_transfer_free(struct clk_http_transfer *transfer);

/* Whether status and headers are there. */
bool clk_http_has_head(const struct clk_http_transfer *transfer);

/* Whether it has ended, well or not: nothing more arrives. */
bool clk_http_is_done(const struct clk_http_transfer *transfer);

/* Why it failed; NULL while it runs and when it ended well. */
const struct clk_http_error *
clk_http_failure(const struct clk_http_transfer *transfer);

/* The reply's status, and its version as "1.0", "1.1" or "2". */
int clk_http_status(const struct clk_http_transfer *transfer);
const char *clk_http_version(const struct clk_http_transfer *transfer);

/* Seconds from start to end, or to now. */
double clk_http_elapsed(const struct clk_http_transfer *transfer);

/* One header of the reply; the name is in lower case. Not NUL-terminated. */
struct clk_http_field {
    const char *name, *value;
    size_t name_len, value_len;
};

/* How many headers there are; repeated ones count each. */
size_t clk_http_field_count(const struct clk_http_transfer *transfer);

/* Walks the headers in their order; `cursor` starts at 0. False at the end. */
bool clk_http_next_field(const struct clk_http_transfer *transfer,
                         size_t *cursor, struct clk_http_field *field);

/* The body bytes received and not yet consumed; valid until the next call of
   clk_http_consume or turn of the loop. */
const char *clk_http_body(const struct clk_http_transfer *transfer,
                          size_t *len);

/* Drops those bytes and lets more arrive. */
void clk_http_consume(struct clk_http_transfer *transfer);

#endif
