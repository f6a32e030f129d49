/* Replies: what libcurl's callbacks record, and how it is read. The callbacks
   change their transfer and tell its owner; they call nothing of libcurl that
   could come back here. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "core/http_private.h"
#include "core/mem.h"

/* The size a buffer begins with: the head of most replies. */
enum { FIRST_SIZE = 512 };

/* Makes room for `size` bytes in all. */
static bool reserve(struct http_buffer *buffer, size_t size)
{
    char *bytes;

    if (size <= buffer->size)
        return true;
    bytes = clk_realloc(buffer->bytes, size);
    if (!bytes)
        return false;
    buffer->bytes = bytes;
    buffer->size = size;
    return true;
}

/* Makes room for `len` bytes more; the capacity doubles. */
static bool make_room(struct http_buffer *buffer, size_t len)
{
    size_t need = buffer->len + len, twice = buffer->size * 2;

    if (need < len)
        return false;
    if (twice < FIRST_SIZE)
        twice = FIRST_SIZE;
    return reserve(buffer, need > buffer->size && need < twice ? twice : need);
}

static void note_arrival(struct clk_http_transfer *t)
{
    if (t->request->idle_timeout_ms)
        t->last_arrival = t->lane->now;
}

static void tell(struct clk_http_transfer *t)
{
    if (t->event)
        t->event(t->ud);
}

/* ---- the head ---- */

/* "HTTP/1.1 200 OK": a new reply begins, after interim ones or not. */
static void begin_head(struct clk_http_transfer *t, const char *line,
                       size_t len)
{
    size_t i = strlen("HTTP/"), n = 0;

    memset(t->version, 0, sizeof(t->version));
    for (; i < len && line[i] != ' '; i++)
        if (n + 1 < sizeof(t->version))
            t->version[n++] = line[i];
    while (i < len && line[i] == ' ')
        i++;
    t->status = 0;
    for (n = 0; n < 3 && i < len && isdigit((unsigned char)line[i]); n++, i++)
        t->status = t->status * 10 + (line[i] - '0');
    t->head.len = 0;
    t->fields = 0;
}

static bool add_folded(struct clk_http_transfer *t, const char *line,
                       size_t len)
{
    if (t->head.len == 0)
        return true;
    if (!make_room(&t->head, len + 1))
        return false;
    t->head.bytes[t->head.len - 1] = ' ';
    memcpy(t->head.bytes + t->head.len, line, len);
    t->head.len += len + 1;
    t->head.bytes[t->head.len - 1] = '\n';
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(const char **text, size_t *len)
{
    while (*len && is_blank((*text)[*len - 1]))
        (*len)--;
    for (; *len && is_blank(**text); (*len)--)
        (*text)++;
}

/* "Name: value" to "name:value\n". A line without a colon is dropped. */
static bool add_field(struct clk_http_transfer *t, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    size_t name_len = colon ? (size_t)(colon - line) : 0;
    char *to;

    if (!name_len)
        return true;
    if (!make_room(&t->head, len + 1))
        return false;
    to = t->head.bytes + t->head.len;
    for (size_t i = 0; i < name_len; i++)
        to[i] = (char)tolower((unsigned char)line[i]);
    to[name_len++] = ':';
    line += name_len;
    len -= name_len;
    trim(&line, &len);
    memcpy(to + name_len, line, len);
    to[name_len + len] = '\n';
    t->head.len += name_len + len + 1;
    t->fields++;
    return true;
}

static bool has_body(const struct clk_http_transfer *t)
{
    return strcmp(t->request->method, "HEAD") != 0 && t->status != 204
           && t->status != 304;
}

/* The blank line after the headers. A body announced as too large is refused
   before it comes; one announced and read whole gets its room at once. */
static bool end_head(struct clk_http_transfer *t)
{
    size_t limit = t->request->max_body;
    curl_off_t length = -1;

    if (t->status < 200)
        return true;
    t->lane->http->curl->easy_getinfo(
        t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length > 0 && has_body(t)) {
        if (limit && (uint64_t)length > limit) {
            clk_http_explain_size(t, "the body", limit);
            return false;
        }
        if (limit && !t->request->stream && !reserve(&t->body, (size_t)length))
            return clk_http_error_memory(&t->error);
    }
    t->has_head = true;
    if (t->request->stream)
        tell(t);
    return true;
}

static bool record_line(struct clk_http_transfer *t, const char *line,
                        size_t len)
{
    t->head_received += len;
    if (t->head_received > CLK_HTTP_MAX_REPLY_HEAD) {
        clk_http_explain_size(t, "the head", CLK_HTTP_MAX_REPLY_HEAD);
        return false;
    }
    while (len && (line[len - 1] == '\r' || line[len - 1] == '\n'))
        len--;
    if (len == 0)
        return end_head(t);
    if (len > 5 && strncasecmp(line, "HTTP/", 5) == 0) {
        begin_head(t, line, len);
        return true;
    }
    if (is_blank(line[0]) ? add_folded(t, line, len) : add_field(t, line, len))
        return true;
    return clk_http_error_memory(&t->error);
}

static size_t on_header(char *line, size_t size, size_t count, void *transfer)
{
    struct clk_http_transfer *t = transfer;

    note_arrival(t);
    if (t->has_head) /* trailers: nobody asked for them */
        return size * count;
    return record_line(t, line, size * count) ? size * count : 0;
}

/* ---- the body ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *transfer)
{
    struct clk_http_transfer *t = transfer;
    size_t len = size * count, limit = t->request->max_body;

    note_arrival(t);
    if (t->request->stream && t->body.len >= CLK_HTTP_STREAM_BUFFER) {
        t->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (limit && len > limit - t->body_received) {
        clk_http_explain_size(t, "the body", limit);
        return 0;
    }
    if (!make_room(&t->body, len)) {
        clk_http_error_memory(&t->error);
        return 0;
    }
    memcpy(t->body.bytes + t->body.len, bytes, len);
    t->body.len += len;
    t->body_received += len;
    if (t->request->stream)
        tell(t);
    return len;
}

/* Right before the request is sent, each time. libcurl sends a request again
   when a kept connection turns out to be dead, but the server may have acted on
   the first one: only what may be repeated is. */
static int on_send(void *transfer, char *remote_ip, char *local_ip,
                   int remote_port, int local_port)
{
    struct clk_http_transfer *t = transfer;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    if (t->attempts > 0 && !t->request->repeatable)
        return CURL_PREREQFUNC_ABORT;
    t->attempts++;
    return CURL_PREREQFUNC_OK;
}

CURLcode clk_http_record(const struct clk_http *http, CURL *easy)
{
    const struct clk_curl *curl = http->curl;
    CURLcode code = CURLE_OK;

    CLK_HTTP_SET(easy, CURLOPT_WRITEFUNCTION, on_body);
    CLK_HTTP_SET(easy, CURLOPT_HEADERFUNCTION, on_header);
    CLK_HTTP_SET(easy, CURLOPT_PREREQFUNCTION, on_send);
    return code;
}

/* ---- reading ---- */

bool clk_http_has_head(const struct clk_http_transfer *t)
{
    return t->has_head;
}

bool clk_http_is_done(const struct clk_http_transfer *t)
{
    return t->done;
}

const struct clk_http_error *clk_http_failure(const struct clk_http_transfer *t)
{
    return t->done && t->error.code ? &t->error : NULL;
}

int clk_http_status(const struct clk_http_transfer *t)
{
    return t->status;
}

const char *clk_http_version(const struct clk_http_transfer *t)
{
    return t->version;
}

double clk_http_elapsed(const struct clk_http_transfer *t)
{
    uint64_t end = t->done ? t->ended_ns : uv_hrtime();

    return (double)(end - t->started_ns) / 1e9;
}

size_t clk_http_field_count(const struct clk_http_transfer *t)
{
    return t->fields;
}

bool clk_http_next_field(const struct clk_http_transfer *t, size_t *cursor,
                         struct clk_http_field *field)
{
    const char *line = t->head.bytes + *cursor, *colon, *end;
    size_t left = t->head.len - *cursor;

    if (left == 0)
        return false;
    end = memchr(line, '\n', left);
    colon = memchr(line, ':', left);
    field->name = line;
    field->name_len = (size_t)(colon - line);
    field->value = colon + 1;
    field->value_len = (size_t)(end - colon - 1);
    *cursor += (size_t)(end - line) + 1;
    return true;
}

const char *clk_http_body(const struct clk_http_transfer *t, size_t *len)
{
    *len = t->body.len;
    return t->body.bytes ? t->body.bytes : "";
}

void clk_http_consume(struct clk_http_transfer *t)
{
    CURLcode code;

    t->body.len = 0;
    if (!t->paused || t->done)
        return;
    t->paused = false;
    clk_http_tick(t->lane);
    t->last_arrival = t->lane->now;
    clk_http_await(t, t->lane);
    code = t->lane->http->curl->easy_pause(t->easy, CURLPAUSE_CONT);
    if (code != CURLE_OK)
        clk_http_finish(t, code);
}
