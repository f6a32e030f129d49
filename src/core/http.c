/* The client: multi handles driven by libuv, deadlines, the pool of handles. */
#include "core/http.h"

#include <stdlib.h>
#include <string.h>

#include "core/http_private.h"
#include "core/mem.h"

enum { NS_PER_MS = 1000000 };

/* A socket that libcurl wants watched; libuv owns it until its close
   callback. */
struct watch {
    uv_poll_t poll;
    struct http_lane *lane;
    curl_socket_t socket;
};

void clk_http_tick(struct http_lane *lane)
{
    lane->now_ns = uv_hrtime();
    lane->now = (int64_t)(lane->now_ns / NS_PER_MS);
}

/* ---- the timer ---- */

static int64_t sooner(int64_t a, int64_t b)
{
    if (a == HTTP_NEVER || b == HTTP_NEVER)
        return a == HTTP_NEVER ? b : a;
    return a < b ? a : b;
}

static void on_timer(uv_timer_t *timer);

/* libuv counts from the time it cached at the turn of the loop, which may be
   past by now: on_timer looks at the clock and arms again if it is early. */
static void arm(struct http_lane *lane)
{
    int64_t due = sooner(lane->curl_due, lane->deadline);

    if (due == lane->armed)
        return;
    lane->armed = due;
    if (due == HTTP_NEVER) {
        uv_timer_stop(&lane->timer);
        return;
    }
    uv_timer_start(&lane->timer, on_timer,
                   due > lane->now ? (uint64_t)(due - lane->now) : 0, 0);
}

/* When this transfer runs out of time, and which limit that is. */
static int64_t deadline_of(const struct clk_http_transfer *t, bool *idle)
{
    unsigned idle_ms = t->request->idle_timeout_ms;
    int64_t quiet = HTTP_NEVER, first;

    if (idle_ms && !t->paused)
        quiet = t->last_arrival + idle_ms;
    first = sooner(t->deadline, quiet);
    *idle = first == quiet && first != t->deadline;
    return first;
}

static void expire(struct http_lane *lane)
{
    struct clk_http_transfer *next;

    lane->deadline = HTTP_NEVER;
    for (struct clk_http_transfer *t = lane->first; t; t = next) {
        bool idle;
        int64_t due = deadline_of(t, &idle);

        next = t->next;
        if (due != HTTP_NEVER && due <= lane->now) {
            clk_http_explain_timeout(t, idle);
            clk_http_finish(t, CURLE_OPERATION_TIMEDOUT);
        } else {
            lane->deadline = sooner(lane->deadline, due);
        }
    }
}

/* ---- driving libcurl ---- */

/* Ends what has ended; called after libcurl ran, from our own stack. */
static void collect(struct http_lane *lane)
{
    const struct clk_curl *curl = lane->http->curl;
    CURLMsg *message;
    int left;

    while (lane->multi && (message = curl->multi_info_read(lane->multi, &left)))
        if (message->msg == CURLMSG_DONE) {
            CURLcode code = message->data.result;
            char *t = NULL;

            curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
            clk_http_finish((struct clk_http_transfer *)(void *)t, code);
        }
}

/* Ends all transfers of a lane and its connections. */
static void drop(struct http_lane *lane, const char *code, const char *why)
{
    while (lane->first) {
        clk_http_error_set(&lane->first->error, code, "%s", why);
        clk_http_finish(lane->first, CURLE_OK);
    }
    if (lane->multi)
        lane->http->curl->multi_cleanup(lane->multi);
    lane->multi = NULL;
    lane->curl_due = lane->deadline = HTTP_NEVER;
    arm(lane);
}

static void run(struct http_lane *lane, curl_socket_t socket, int events)
{
    int running;
    CURLMcode code;

    if (!lane->multi)
        return;
    code = lane->http->curl->multi_socket_action(lane->multi, socket, events,
                                                 &running);
    collect(lane);
    /* A multi handle one of whose callbacks failed is of no more use. */
    if (code != CURLM_OK)
        drop(lane, "ENOMEM", "not enough memory");
}

static void on_timer(uv_timer_t *timer)
{
    struct http_lane *lane = timer->data;

    clk_http_tick(lane);
    lane->armed = HTTP_NEVER;
    if (lane->curl_due != HTTP_NEVER && lane->curl_due <= lane->now) {
        lane->curl_due = HTTP_NEVER;
        run(lane, CURL_SOCKET_TIMEOUT, 0);
    }
    if (lane->deadline != HTTP_NEVER && lane->deadline <= lane->now)
        expire(lane);
    arm(lane);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    int mask = 0;

    if (status < 0)
        mask = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        mask |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        mask |= CURL_CSELECT_OUT;
    clk_http_tick(watch->lane);
    run(watch->lane, watch->socket, mask);
}

/* ---- callbacks of libcurl ---- */

static int on_curl_timer(CURLM *multi, long timeout_ms, void *lane_)
{
    struct http_lane *lane = lane_;

    (void)multi;
    lane->curl_due = timeout_ms < 0 ? HTTP_NEVER : lane->now + timeout_ms;
    arm(lane);
    return 0;
}

static void free_watch(uv_handle_t *handle)
{
    clk_free(handle->data);
}

static void close_watch(struct watch *watch)
{
    uv_close((uv_handle_t *)&watch->poll, free_watch);
}

static struct watch *open_watch(struct http_lane *lane, curl_socket_t socket)
{
    struct watch *watch = clk_calloc(1, sizeof(*watch));

    if (!watch)
        return NULL;
    if (uv_poll_init_socket(lane->http->loop, &watch->poll, socket) != 0) {
        clk_free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    watch->lane = lane;
    watch->socket = socket;
    if (lane->http->curl->multi_assign(lane->multi, socket, watch)
        != CURLM_OK) {
        close_watch(watch);
        return NULL;
    }
    return watch;
}

static int on_curl_socket(CURL *easy, curl_socket_t socket, int what,
                          void *lane_, void *watch_)
{
    struct http_lane *lane = lane_;
    struct watch *watch = watch_;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0)
                 | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch)
            close_watch(watch);
        return 0;
    }
    if (!watch)
        watch = open_watch(lane, socket);
    if (!watch)
        return -1;
    return uv_poll_start(&watch->poll, events, on_poll) == 0 ? 0 : -1;
}

/* ---- lanes and handles ---- */

static bool open_multi(struct http_lane *lane)
{
    const struct clk_curl *curl = lane->http->curl;
    CURLM *multi;

    if (lane->multi)
        return true;
    multi = curl->multi_init();
    if (!multi)
        return false;
    curl->multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl->multi_setopt(multi, CURLMOPT_SOCKETDATA, lane);
    curl->multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl->multi_setopt(multi, CURLMOPT_TIMERDATA, lane);
    curl->multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl->multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)CLK_HTTP_MAX_KEPT);
    curl->multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                       (long)CLK_HTTP_MAX_HOST_CONNECTIONS);
    curl->multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                       (long)CLK_HTTP_MAX_CONNECTIONS);
    lane->multi = multi;
    return true;
}

static CURL *take_easy(struct clk_http *http)
{
    return http->pooled ? http->pool[--http->pooled] : http->curl->easy_init();
}

static void give_easy(struct clk_http *http, CURL *easy)
{
    if (http->pooled == CLK_HTTP_MAX_KEPT) {
        http->curl->easy_cleanup(easy);
        return;
    }
    http->curl->easy_reset(easy);
    http->pool[http->pooled++] = easy;
}

static void link_transfer(struct http_lane *lane, struct clk_http_transfer *t)
{
    t->link = &lane->first;
    t->next = lane->first;
    if (t->next)
        t->next->link = &t->next;
    lane->first = t;
    if (lane->active++ == 0)
        uv_ref((uv_handle_t *)&lane->timer);
}

static void unlink_transfer(struct http_lane *lane, struct clk_http_transfer *t)
{
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    if (--lane->active == 0)
        uv_unref((uv_handle_t *)&lane->timer);
}

/* ---- transfers ---- */

/* Takes the handle out of libcurl and puts it back into the pool. */
static void detach(struct clk_http_transfer *t)
{
    struct http_lane *lane = t->lane;
    long connections = 0;

    lane->http->curl->easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS,
                                   &connections);
    lane->http->connections += (uint64_t)connections;
    lane->http->curl->multi_remove_handle(lane->multi, t->easy);
    give_easy(lane->http, t->easy);
    unlink_transfer(lane, t);
    t->easy = NULL;
    t->lane = NULL;
    t->done = true;
    t->ended_ns = lane->now_ns;
}

void clk_http_finish(struct clk_http_transfer *t, CURLcode code)
{
    if (!t->error.code && code == CURLE_OK && !t->has_head)
        code = CURLE_GOT_NOTHING;
    if (!t->error.code && code != CURLE_OK)
        clk_http_explain(t, code);
    t->error.sent = t->attempts > 0;
    detach(t);
    if (t->event)
        t->event(t->ud);
}

void clk_http_transfer_free(struct clk_http_transfer *t)
{
    if (!t)
        return;
    if (t->lane) {
        clk_http_tick(t->lane);
        detach(t);
    }
    clk_http_request_free(t->request);
    clk_free(t->head.bytes);
    clk_free(t->body.bytes);
    clk_free(t);
}

/* Whether the request may be started at all. */
static bool admit(const struct clk_http *http, struct http_lane *lane,
                  struct clk_http_request *request,
                  struct clk_http_error *error)
{
    const struct clk_http_target *target = &request->target;

    if (!clk_http_request_seal(request, error))
        return false;
    if (!target->tls && !target->loopback && !request->allow_http)
        return clk_http_error_set(
            error, "EPERM", "plain http to %s is not allowed", target->host);
    if (http->lanes[0].active + http->lanes[1].active >= CLK_HTTP_MAX_TRANSFERS)
        return clk_http_error_set(error, "EAGAIN",
                                  "more than %d transfers at one time",
                                  CLK_HTTP_MAX_TRANSFERS);
    return open_multi(lane) || clk_http_error_memory(error);
}

/* Gives the transfer to libcurl. On failure it runs nowhere. */
static bool attach(struct clk_http_transfer *t, struct http_lane *lane,
                   struct clk_http_error *error)
{
    const struct clk_curl *curl = lane->http->curl;
    CURLcode code;

    clk_http_tick(lane);
    t->easy = take_easy(lane->http);
    if (!t->easy)
        return clk_http_error_memory(error);
    t->lane = lane;
    code = clk_http_configure(t);
    if (code == CURLE_OK
        && curl->multi_add_handle(lane->multi, t->easy) == CURLM_OK) {
        link_transfer(lane, t);
        return true;
    }
    give_easy(lane->http, t->easy);
    t->lane = NULL;
    if (code == CURLE_OK || code == CURLE_OUT_OF_MEMORY)
        return clk_http_error_memory(error);
    return clk_http_error_set(error, "EINVAL", "%s", curl->easy_strerror(code));
}

static void set_deadline(struct clk_http_transfer *t, struct http_lane *lane)
{
    bool idle;

    t->started_ns = lane->now_ns;
    t->last_arrival = lane->now;
    t->deadline = t->request->timeout_ms
                      ? t->last_arrival + t->request->timeout_ms
                      : HTTP_NEVER;
    lane->deadline = sooner(lane->deadline, deadline_of(t, &idle));
    arm(lane);
}

struct clk_http_transfer *clk_http_start(struct clk_http_request *request,
                                         clk_http_event *event, void *ud,
                                         struct clk_http_error *error)
{
    struct clk_http *http = request->http;
    struct http_lane *lane =
        &http->lanes[request->stream ? LANE_STREAM : LANE_SHARED];
    struct clk_http_transfer *t = clk_calloc(1, sizeof(*t));

    error->sent = false;
    if (!t) {
        clk_http_request_free(request);
        clk_http_error_memory(error);
        return NULL;
    }
    t->request = request;
    t->event = event;
    t->ud = ud;
    if (!admit(http, lane, request, error) || !attach(t, lane, error)) {
        clk_http_transfer_free(t);
        return NULL;
    }
    http->transfers++;
    set_deadline(t, lane);
    return t;
}

/* ---- the client ---- */

static bool find_cafile(struct clk_http *http)
{
    const char *path = getenv("SSL_CERT_FILE");

    if (!path || !*path)
        return true;
    http->cafile = clk_strdup(path);
    return http->cafile != NULL;
}

static void open_lane(struct clk_http *http, struct http_lane *lane)
{
    lane->http = http;
    lane->curl_due = lane->deadline = lane->armed = HTTP_NEVER;
    uv_timer_init(http->loop, &lane->timer); /* can't fail */
    lane->timer.data = lane;
    uv_unref((uv_handle_t *)&lane->timer);
    http->open_timers++;
}

struct clk_http *clk_http_new(uv_loop_t *loop, struct clk_http_error *error)
{
    char why[CLK_CURL_WHY_SIZE];
    const struct clk_curl *curl = clk_curl_load(why);
    struct clk_http *http;

    error->sent = false;
    if (!curl && why[0]) {
        clk_http_error_set(error, "ENOSYS", "%s", why);
        return NULL;
    }
    http = curl ? clk_calloc(1, sizeof(*http)) : NULL;
    if (!http || !find_cafile(http)) {
        clk_free(http);
        clk_http_error_memory(error);
        return NULL;
    }
    http->curl = curl;
    http->loop = loop;
    for (int i = 0; i < LANE_COUNT; i++)
        open_lane(http, &http->lanes[i]);
    return http;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct http_lane *lane = handle->data;
    struct clk_http *http = lane->http;

    if (--http->open_timers == 0)
        clk_free(http);
}

void clk_http_free(struct clk_http *http)
{
    if (!http)
        return;
    for (int i = 0; i < LANE_COUNT; i++)
        drop(&http->lanes[i], "ECANCELED", "the http client was closed");
    while (http->pooled)
        http->curl->easy_cleanup(http->pool[--http->pooled]);
    clk_free(http->cafile);
    for (int i = 0; i < LANE_COUNT; i++)
        uv_close((uv_handle_t *)&http->lanes[i].timer, on_timer_closed);
}

struct clk_http_stats clk_http_stats(const struct clk_http *http)
{
    struct clk_http_stats stats = {http->transfers, http->connections, 0};

    for (int i = 0; i < LANE_COUNT; i++)
        stats.active += http->lanes[i].active;
    return stats;
}
