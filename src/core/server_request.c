/* A request's way in: the HTTP library's callbacks, up to the queue. */
#include "core/server_state.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* By how much a body may be too large and still be read, and thrown away, so
   that a client that sends it without asking gets to see the 413. */
#define MAX_DISCARD ((size_t)4 << 20)

#define MIN_BODY_BUFFER ((size_t)4096)

/* --- holding ------------------------------------------------------------- */

static void link_in(struct clk_server *server, struct clk_request *request)
{
    request->server = server;
    request->next = server->requests;
    if (request->next)
        request->next->prev = request;
    server->requests = request;
}

static void unlink_pending(struct clk_request *request)
{
    struct clk_server *server = request->server;
    struct clk_request *before = NULL;

    for (struct clk_request *r = server->pending_head; r != request;
         r = r->next_pending)
        before = r;
    *(before ? &before->next_pending : &server->pending_head) =
        request->next_pending;
    if (server->pending_tail == request)
        server->pending_tail = before;
    server->pending--;
    request->pending = false;
}

static void link_out(struct clk_request *request)
{
    struct clk_server *server = request->server;

    if (request->pending)
        unlink_pending(request);
    *(request->prev ? &request->prev->next : &server->requests) = request->next;
    if (request->next)
        request->next->prev = request->prev;
    if (request->connection)
        request->connection->request = NULL;
    request->prev = request->next = NULL;
    request->connection = NULL;
    request->conn = NULL;
    request->server = NULL;
}

void clk_request_release(struct clk_request *request)
{
    if (--request->holders > 0)
        return;
    clk_free(request->headers);
    clk_free(request->body);
    clk_free(request->stream.data);
    clk_free(request);
}

void clk_request_suspend(struct clk_request *request)
{
    request->server->api->suspend_connection(request->conn);
    request->suspended = true;
}

void clk_request_resume(struct clk_request *request)
{
    if (!request->suspended)
        return;
    request->suspended = false;
    request->server->api->resume_connection(request->conn);
    clk_server_kick(request->server);
}

void clk_request_announce(struct clk_request *request)
{
    if (request->on_event)
        request->on_event(request->ud);
}

void clk_request_hangup(struct clk_request *request)
{
    request->gone = true;
    if (request->stream.open)
        clk_request_resume(request);
    clk_request_announce(request);
}

/* --- the callbacks ------------------------------------------------------- */

/* Called with the untouched request target before the library decodes it: the
   only chance to keep an escaped slash apart from a real one. */
void *clk_request_on_target(void *ud, const char *target,
                            struct MHD_Connection *conn)
{
    struct clk_server *server = ud;
    const union MHD_ConnectionInfo *info = server->api->get_connection_info(
        conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    size_t length = target ? strlen(target) : 0;
    struct clk_request *request;

    if (!info || !info->socket_context)
        return NULL;
    request = clk_calloc(1, sizeof(*request) + length + 1);
    if (!request)
        return NULL;
    if (length > 0)
        memcpy(request->target, target, length);
    request->holders = 1;
    request->conn = conn;
    request->connection = info->socket_context;
    request->connection->request = request;
    request->gone = request->connection->gone;
    link_in(server, request);
    return request;
}

void clk_request_on_completed(void *ud, struct MHD_Connection *conn,
                              void **slot, enum MHD_RequestTerminationCode code)
{
    struct clk_request *request = *slot;

    (void)ud;
    (void)conn;
    *slot = NULL;
    if (!request)
        return;
    request->suspended = false;
    if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK)
        request->gone = true;
    if (request->reply) {
        request->server->api->destroy_response(request->reply);
        request->reply = NULL;
    }
    link_out(request);
    clk_request_announce(request);
    clk_request_release(request);
}

static enum MHD_Result out_of_memory(struct clk_server *server)
{
    server->lost = true;
    server->on_event(server->ud);
    return MHD_NO;
}

static enum MHD_Result refuse(struct clk_request *request, unsigned status,
                              struct MHD_Response *reply)
{
    return request->server->api->queue_response(request->conn, status, reply);
}

/* The headers are there. A body that says it is too large is refused at once
   when the client waits to be told (or when it is hopeless to read it). */
static enum MHD_Result begin(struct clk_request *request, const char *method)
{
    struct clk_server *server = request->server;
    const char *text = server->api->lookup_connection_value(
        request->conn, MHD_HEADER_KIND, "Content-Length");
    const char *expect = server->api->lookup_connection_value(
        request->conn, MHD_HEADER_KIND, "Expect");
    unsigned long long length = text ? strtoull(text, NULL, 10) : 0;

    request->begun = true;
    request->method = method;
    if (length <= server->max_body)
        return MHD_YES;
    request->refused = true;
    if (!expect && length - server->max_body <= MAX_DISCARD)
        return MHD_YES;
    return refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, server->too_large);
}

static bool body_reserve(struct clk_request *request, size_t need)
{
    size_t size = request->body_size ? request->body_size : MIN_BODY_BUFFER;
    char *body;

    if (need <= request->body_size)
        return true;
    while (size < need)
        size *= 2;
    if (size > request->server->max_body)
        size = request->server->max_body;
    body = clk_realloc(request->body, size);
    if (!body)
        return false;
    request->body = body;
    request->body_size = size;
    return true;
}

static enum MHD_Result body_add(struct clk_request *request, const char *data,
                                size_t *length)
{
    struct clk_server *server = request->server;
    size_t count = *length;

    *length = 0;
    if (count > server->max_body - request->body_length)
        request->refused = true;
    if (request->refused) {
        request->discarded += count;
        return request->discarded <= server->max_body + MAX_DISCARD ? MHD_YES
                                                                    : MHD_NO;
    }
    if (!body_reserve(request, request->body_length + count))
        return out_of_memory(server);
    memcpy(request->body + request->body_length, data, count);
    request->body_length += count;
    return MHD_YES;
}

/* Where header_add stores the next header. */
struct header_list {
    struct clk_header *next, *end;
};

static enum MHD_Result header_add(void *ud, enum MHD_ValueKind kind,
                                  const char *name, size_t name_length,
                                  const char *value, size_t value_length)
{
    struct header_list *list = ud;

    (void)kind;
    if (list->next == list->end)
        return MHD_NO;
    list->next->name = name;
    list->next->name_length = name_length;
    list->next->value = value ? value : "";
    list->next->value_length = value ? value_length : 0;
    while (list->next->value_length > 0
           && strchr(" \t", value[list->next->value_length - 1]))
        list->next->value_length--; /* the library trims the start only */
    list->next++;
    return MHD_YES;
}

static bool headers_collect(struct clk_request *request)
{
    const struct clk_mhd_api *api = request->server->api;
    int count = api->get_connection_values_n(request->conn, MHD_HEADER_KIND,
                                             NULL, NULL);
    struct header_list list;

    if (count <= 0)
        return true;
    request->headers = clk_calloc((size_t)count, sizeof(*request->headers));
    if (!request->headers)
        return false;
    list.next = request->headers;
    list.end = request->headers + count;
    api->get_connection_values_n(request->conn, MHD_HEADER_KIND, header_add,
                                 &list);
    request->header_count = (size_t)(list.next - request->headers);
    return true;
}

/* The request is whole: into the queue with it. */
static enum MHD_Result deliver(struct clk_request *request)
{
    struct clk_server *server = request->server;

    if (request->refused)
        return refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, server->too_large);
    if (server->pending >= server->max_pending)
        return refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE,
                      server->overloaded);
    if (!headers_collect(request))
        return out_of_memory(server);
    *(server->pending_tail ? &server->pending_tail->next_pending
                           : &server->pending_head) = request;
    server->pending_tail = request;
    server->pending++;
    request->pending = request->delivered = true;
    if (request->connection->gone) /* it came whole, and may take its time */
        clk_connection_limit(server, request->connection, server->idle_timeout);
    clk_request_suspend(request);
    server->on_event(server->ud);
    return MHD_YES;
}

static enum MHD_Result answer(struct clk_request *request)
{
    const struct clk_mhd_api *api = request->server->api;
    enum MHD_Result result =
        api->queue_response(request->conn, request->status, request->reply);

    api->destroy_response(request->reply);
    request->reply = NULL;
    return result;
}

enum MHD_Result clk_request_on_access(void *ud, struct MHD_Connection *conn,
                                      const char *url, const char *method,
                                      const char *version, const char *upload,
                                      size_t *upload_size, void **slot)
{
    struct clk_server *server = ud;
    struct clk_request *request = *slot;

    (void)conn;
    (void)url;
    (void)version;
    if (!request)
        return out_of_memory(server);
    if (request->reply)
        return answer(request);
    if (server->closing || request->aborted)
        return MHD_NO;
    if (!request->begun)
        return begin(request, method);
    if (*upload_size > 0)
        return body_add(request, upload, upload_size);
    if (!request->delivered)
        return deliver(request);
    clk_request_suspend(request); /* woken too early */
    return MHD_YES;
}

/* --- reading ------------------------------------------------------------- */

static void peer_name(struct clk_request *request, char *name, size_t size)
{
    const union MHD_ConnectionInfo *info =
        request->server->api->get_connection_info(
            request->conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *any = info ? info->client_addr : NULL;
    const struct sockaddr_in *v4 = (const void *)any;
    const struct sockaddr_in6 *v6 = (const void *)any;
    char text[INET6_ADDRSTRLEN];

    name[0] = '\0';
    if (!any)
        return;
    if (any->sa_family == AF_INET
        && inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text)))
        snprintf(name, size, "%s:%u", text, (unsigned)ntohs(v4->sin_port));
    else if (any->sa_family == AF_INET6
             && inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text)))
        snprintf(name, size, "[%s]:%u", text, (unsigned)ntohs(v6->sin6_port));
}

void clk_request_read(struct clk_request *request,
                      struct clk_request_head *head)
{
    memset(head, 0, sizeof(*head));
    head->target = request->target;
    head->method = "";
    if (!request->server)
        return;
    head->method = request->method;
    head->body = request->body;
    head->body_length = request->body_length;
    head->headers = request->headers;
    head->header_count = request->header_count;
    peer_name(request, head->peer, sizeof(head->peer));
}
