/* The client: its transfers and the pool of their handles. */
#include "core/http.h"

#include <stdlib.h>
#include <string.h>

#include "core/http_private.h"
#include "core/mem.h"

/* ---- handles ---- */

/* A prepared handle, or NULL when memory is out. */
static CURL *take_easy(struct clk_http *http)
{
    CURL *easy;

    if (http->pooled)
        return http->pool[--http->pooled];
    easy = http->curl->easy_init();
    http->handles++;
    if (easy && clk_http_prepare(http, easy) != CURLE_OK) {
        http->curl->easy_cleanup(easy);
        return NULL;
    }
    return easy;
}

/* A handle goes back prepared or not at all. Not one that was sent by twice or
   never: it keeps count of what it had to send again. */
static void give_easy(struct clk_http *http, struct clk_http_transfer *t)
{
    CURL *easy = t->easy;

    if (http->pooled < CLK_HTTP_MAX_KEPT && t->attempts == 1
        && clk_http_unset(http, t) == CURLE_OK)
        http->pool[http->pooled++] = easy;
    else
        http->curl->easy_cleanup(easy);
    t->easy = NULL;
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
    give_easy(lane->http, t);
    clk_http_request_clear(t->request);
    unlink_transfer(lane, t);
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
    return clk_http_lane_ready(lane) || clk_http_error_memory(error);
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
    give_easy(lane->http, t);
    t->lane = NULL;
    if (code == CURLE_OK || code == CURLE_OUT_OF_MEMORY)
        return clk_http_error_memory(error);
    return clk_http_error_set(error, "EINVAL", "%s", curl->easy_strerror(code));
}

static void set_deadline(struct clk_http_transfer *t, struct http_lane *lane)
{
    t->started_ns = lane->now_ns;
    t->last_arrival = lane->now;
    t->deadline = t->request->timeout_ms
                      ? t->last_arrival + t->request->timeout_ms
                      : HTTP_NEVER;
    clk_http_await(t, lane);
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

/* SSL_CERT_FILE, else where libcurl itself looks. */
static bool find_certificates(struct clk_http *http)
{
    const curl_version_info_data *info =
        http->curl->version_info(CURLVERSION_NOW);
    const char *file = getenv("SSL_CERT_FILE");

    http->capath = info->capath;
    if (!file || !*file)
        file = info->cainfo;
    if (!file)
        return true;
    http->cafile = clk_strdup(file);
    return http->cafile != NULL;
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
    if (http)
        http->curl = curl;
    if (!http || !find_certificates(http)) {
        clk_free(http);
        clk_http_error_memory(error);
        return NULL;
    }
    http->loop = loop;
    for (int i = 0; i < LANE_COUNT; i++)
        clk_http_lane_open(&http->lanes[i], http);
    return http;
}

void clk_http_free(struct clk_http *http)
{
    if (!http)
        return;
    for (int i = 0; i < LANE_COUNT; i++)
        clk_http_lane_close(&http->lanes[i]);
    while (http->pooled)
        http->curl->easy_cleanup(http->pool[--http->pooled]);
    clk_free(http->cafile);
}

struct clk_http_stats clk_http_stats(const struct clk_http *http)
{
    struct clk_http_stats stats = {http->transfers, http->connections,
                                   http->handles, 0};

    for (int i = 0; i < LANE_COUNT; i++)
        stats.active += http->lanes[i].active;
    return stats;
}
