/* Lanes: multi handles driven by libuv, and the deadlines of their transfers.
 */
#include "core/http_private.h"
#include "core/mem.h"

enum { NS_PER_MS = 1000000 };

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

void clk_http_await(const struct clk_http_transfer *t, struct http_lane *lane)
{
    bool idle;

    lane->deadline = sooner(lane->deadline, deadline_of(t, &idle));
    arm(lane);
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

void clk_http_lane_drop(struct http_lane *lane, const char *code,
                        const char *why)
{
    while (lane->first) {
        clk_http_error_set(&lane->first->error, code, "%s", why);
        clk_http_finish(lane->first, CURLE_OK);
    }
    if (lane->multi)
        lane->http->curl->multi_cleanup(lane->multi);
    clk_http_watch_none(lane);
    lane->multi = NULL;
    lane->curl_due = lane->deadline = HTTP_NEVER;
    arm(lane);
}

void clk_http_lane_run(struct http_lane *lane, curl_socket_t socket, int events)
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
        clk_http_lane_drop(lane, "ENOMEM", "not enough memory");
}

/* libuv runs timers before it looks at sockets. When the program was busy, what
   came in time may still wait there: a deadline that is over is looked at once
   more, after the sockets. */
static void check_deadline(struct http_lane *lane)
{
    if (lane->deadline == HTTP_NEVER || lane->deadline > lane->now)
        return;
    if (lane->overdue)
        expire(lane);
    else
        lane->deadline = lane->now + 1;
    lane->overdue = !lane->overdue;
}

static void on_timer(uv_timer_t *timer)
{
    struct http_lane *lane = timer->data;

    clk_http_tick(lane);
    lane->armed = HTTP_NEVER;
    if (lane->curl_due != HTTP_NEVER && lane->curl_due <= lane->now) {
        lane->curl_due = HTTP_NEVER;
        clk_http_lane_run(lane, CURL_SOCKET_TIMEOUT, 0);
    }
    check_deadline(lane);
    arm(lane);
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *lane_)
{
    struct http_lane *lane = lane_;

    (void)multi;
    lane->curl_due = timeout_ms < 0 ? HTTP_NEVER : lane->now + timeout_ms;
    arm(lane);
    return 0;
}

/* ---- opening and closing ---- */

bool clk_http_lane_ready(struct http_lane *lane)
{
    const struct clk_curl *curl = lane->http->curl;
    CURLM *multi;

    if (lane->multi)
        return true;
    multi = curl->multi_init();
    if (!multi)
        return false;
    curl->multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, clk_http_watch);
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

void clk_http_lane_open(struct http_lane *lane, struct clk_http *http)
{
    lane->http = http;
    lane->curl_due = lane->deadline = lane->armed = HTTP_NEVER;
    uv_timer_init(http->loop, &lane->timer); /* can't fail */
    lane->timer.data = lane;
    uv_unref((uv_handle_t *)&lane->timer);
    http->open_timers++;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct http_lane *lane = handle->data;
    struct clk_http *http = lane->http;

    if (--http->open_timers == 0)
        clk_free(http);
}

void clk_http_lane_close(struct http_lane *lane)
{
    clk_http_lane_drop(lane, "ECANCELED", "the http client was closed");
    uv_close((uv_handle_t *)&lane->timer, on_timer_closed);
}
