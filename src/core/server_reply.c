/* A request's way out: one whole reply, or a stream. */
#include "core/server_state.h"

#include <string.h>
#include <strings.h>

#include "core/mem.h"

enum {
    STREAM_BLOCK = 16384, /* bytes the library asks for at once */
    MIN_STREAM_BUFFER = 4096
};

/* --- replies ------------------------------------------------------------- */

static int reply_check(const struct clk_request *request)
{
    if (request->answered)
        return UV_EALREADY;
    return request->conn ? 0 : UV_EPIPE;
}

/* The library sets these itself, and rightly. */
static bool header_is_ours(const char *name)
{
    return strcasecmp(name, "Content-Length") == 0
           || strcasecmp(name, "Transfer-Encoding") == 0;
}

/* Queues the reply, which this owns from now on, for the next turn. */
static int reply_send(struct clk_request *request, unsigned status,
                      struct MHD_Response *reply,
                      const struct clk_header *headers, size_t count)
{
    const struct clk_mhd_api *api = request->server->api;

    if (!reply)
        return UV_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        if (header_is_ours(headers[i].name)
            || api->add_response_header(reply, headers[i].name,
                                        headers[i].value)
                   != MHD_YES) {
            api->destroy_response(reply);
            return UV_EINVAL;
        }
    }
    request->answered = true;
    request->reply = reply;
    request->status = status;
    clk_request_resume(request);
    return 0;
}

int clk_request_reply(struct clk_request *request, unsigned status,
                      const struct clk_header *headers, size_t count,
                      const void *body, size_t length)
{
    int error = reply_check(request);

    if (error)
        return error;
    return reply_send(
        request, status,
        request->server->api->create_response_from_buffer(
            length, (void *)(uintptr_t)body,
            length ? MHD_RESPMEM_MUST_COPY : MHD_RESPMEM_PERSISTENT),
        headers, count);
}

/* --- streams ------------------------------------------------------------- */

/* The library wants bytes. With none there its connection is left alone until
   there are: returning 0 otherwise would make it ask again and again. */
static ssize_t stream_read(void *ud, uint64_t position, char *buffer,
                           size_t size)
{
    struct clk_request *request = ud;
    struct clk_stream *stream = &request->stream;
    size_t count = stream->end - stream->start;

    (void)position;
    if (request->aborted || request->gone || !request->server)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (count > 0) {
        count = count < size ? count : size;
        memcpy(buffer, stream->data + stream->start, count);
        stream->start += count;
        clk_request_announce(request);
        return (ssize_t)count;
    }
    if (stream->finished)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (request->server->closing)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    clk_request_suspend(request);
    return 0;
}

static void stream_freed(void *ud)
{
    clk_request_release(ud);
}

int clk_request_stream(struct clk_request *request, unsigned status,
                       const struct clk_header *headers, size_t count)
{
    struct MHD_Response *reply;
    int error = reply_check(request);

    if (error)
        return error;
    reply = request->server->api->create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read, request, stream_freed);
    if (reply)
        request->holders++; /* let go by stream_freed */
    error = reply_send(request, status, reply, headers, count);
    if (!error)
        request->stream.open = true;
    return error;
}

static bool stream_reserve(struct clk_stream *stream, size_t length)
{
    size_t used = stream->end - stream->start;
    size_t size = stream->size ? stream->size : MIN_STREAM_BUFFER;
    char *data;

    if (stream->start > 0) {
        memmove(stream->data, stream->data + stream->start, used);
        stream->start = 0;
        stream->end = used;
    }
    if (length > SIZE_MAX / 4 - used)
        return false;
    while (size < used + length)
        size *= 2;
    if (size == stream->size)
        return true;
    data = clk_realloc(stream->data, size);
    if (!data)
        return false;
    stream->data = data;
    stream->size = size;
    return true;
}

int clk_request_write(struct clk_request *request, const void *data,
                      size_t length)
{
    struct clk_stream *stream = &request->stream;

    if (!stream->open || stream->finished)
        return UV_EINVAL;
    if (request->gone || !request->conn)
        return UV_EPIPE;
    if (length == 0)
        return 0;
    if (!stream_reserve(stream, length))
        return UV_ENOMEM;
    memcpy(stream->data + stream->end, data, length);
    stream->end += length;
    clk_request_resume(request);
    return 0;
}

size_t clk_request_unsent(const struct clk_request *request)
{
    return request->stream.end - request->stream.start;
}

void clk_request_finish(struct clk_request *request)
{
    if (!request->stream.open || request->stream.finished)
        return;
    request->stream.finished = true;
    if (request->conn)
        clk_request_resume(request);
}

bool clk_request_gone(const struct clk_request *request)
{
    return request->gone || !request->conn;
}

void clk_request_watch(struct clk_request *request, void (*on_event)(void *ud),
                       void *ud)
{
    request->on_event = on_event;
    request->ud = ud;
}

void clk_request_close(struct clk_request *request)
{
    request->on_event = NULL;
    if (request->conn
        && (!request->answered
            || (request->stream.open && !request->stream.finished))) {
        request->aborted = true;
        clk_request_resume(request);
    }
    clk_request_release(request);
}
