/* Requests: assembled by copying, checked piece by piece, wiped when freed. */
#include <string.h>
#include <strings.h>

#include "core/http_private.h"
#include "core/mem.h"

/* One header line in a block of its own; libcurl reads the list in place. */
struct line {
    struct curl_slist node;
    size_t size; /* of the text, its NUL included */
    char text[];
};

/* What the client derives from the request or the connection: a second opinion
   would let a request be read in two ways. */
static const char *const own_headers[] = {
    "connection", "content-length",    "expect", "keep-alive", "te",
    "trailer",    "transfer-encoding", "upgrade"};

struct clk_http_request *clk_http_request_new(struct clk_http *http)
{
    struct clk_http_request *request = clk_calloc(1, sizeof(*request));

    if (!request)
        return NULL;
    memcpy(request->method, "GET", sizeof("GET"));
    request->http = http;
    request->repeatable = true;
    request->headers_end = &request->headers;
    return request;
}

static void drop_body(struct clk_http_request *request)
{
    if (request->body)
        clk_wipe(request->body, request->body_len);
    clk_free(request->body);
    request->body = NULL;
}

static void free_wiped(char *text)
{
    if (text)
        clk_wipe(text, strlen(text));
    clk_free(text);
}

void clk_http_request_clear(struct clk_http_request *request)
{
    for (struct curl_slist *node = request->headers, *next; node; node = next) {
        struct line *line = (struct line *)(void *)node;

        next = node->next;
        clk_wipe(line->text, line->size);
        clk_free(line);
    }
    request->headers = NULL;
    request->headers_end = &request->headers;
    drop_body(request);
}

void clk_http_request_free(struct clk_http_request *request)
{
    if (!request)
        return;
    clk_http_request_clear(request);
    free_wiped(request->url);
    free_wiped(request->proxy);
    clk_free(request->cafile);
    clk_free(request);
}

/* The characters of a method or header name (RFC 9110, "token"). */
static bool is_token(const char *s, size_t len)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < len; i++) {
        char c = s[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
                     || (c >= 'A' && c <= 'Z');

        if (!alnum && (c == '\0' || !strchr(others, c)))
            return false;
    }
    return len > 0;
}

bool clk_http_request_method(struct clk_http_request *request,
                             const char *method, size_t len,
                             struct clk_http_error *error)
{
    static const char *const repeatable[] = {"GET", "HEAD", "OPTIONS"};

    if (!is_token(method, len) || len >= sizeof(request->method)
        || strcmp(method, "CONNECT") == 0 || strcmp(method, "TRACE") == 0)
        return clk_http_error_set(error, "EINVAL", "not a usable method");
    memcpy(request->method, method, len);
    request->method[len] = '\0';
    request->repeatable = false;
    for (size_t i = 0; i < sizeof(repeatable) / sizeof(repeatable[0]); i++)
        if (strcmp(request->method, repeatable[i]) == 0)
            request->repeatable = true;
    return true;
}

static bool copy_string(char **to, const char *from,
                        struct clk_http_error *error)
{
    char *copy = clk_strdup(from);

    if (!copy)
        return clk_http_error_memory(error);
    clk_free(*to);
    *to = copy;
    return true;
}

/* The length of "https://host:1", or 0 when the rest must be looked at by a
   parser: it holds what no URL may. */
static size_t origin_len(const char *url, size_t len)
{
    const char *host = strstr(url, "://");

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)url[i] <= ' ' || url[i] == 0x7f)
            return 0;
    if (!host || len > CLK_HTTP_MAX_URL)
        return 0;
    host += strlen("://");
    if (strchr("/?#", *host)) /* an empty one, of which libcurl makes more */
        return 0;
    return (size_t)(host - url) + strcspn(host, "/?#");
}

/* Parsing is a good part of what a request costs, and most go where the last
   one went. */
static bool find_target(struct clk_http *http, const char *url, size_t len,
                        struct clk_http_target *target,
                        struct clk_http_error *error)
{
    size_t origin = origin_len(url, len);

    if (origin && origin == strlen(http->origin)
        && memcmp(url, http->origin, origin) == 0) {
        *target = http->target;
        return true;
    }
    if (!clk_http_parse(url, target, error))
        return false;
    if (origin && origin < sizeof(http->origin)) {
        memcpy(http->origin, url, origin);
        http->origin[origin] = '\0';
        http->target = *target;
    }
    return true;
}

bool clk_http_request_url(struct clk_http_request *request, const char *url,
                          size_t len, struct clk_http_error *error)
{
    if (memchr(url, '\0', len))
        return clk_http_error_set(error, "EINVAL", "the URL is malformed");
    return find_target(request->http, url, len, &request->target, error)
           && copy_string(&request->url, url, error);
}

bool clk_http_request_cafile(struct clk_http_request *request, const char *path,
                             struct clk_http_error *error)
{
    return copy_string(&request->cafile, path, error);
}

bool clk_http_request_proxy(struct clk_http_request *request, const char *url,
                            struct clk_http_error *error)
{
    return copy_string(&request->proxy, url, error);
}

static bool is_own_header(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(own_headers) / sizeof(own_headers[0]); i++)
        if (strlen(own_headers[i]) == len
            && strncasecmp(own_headers[i], name, len) == 0)
            return true;
    return false;
}

static bool has_control(const unsigned char *value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7f)
            return true;
    return false;
}

/* White space around a value is no part of it, and HTTP/2 forbids it. */
static void trim(const void **value, size_t *len)
{
    const char *bytes = *value;

    while (*len && (bytes[*len - 1] == ' ' || bytes[*len - 1] == '\t'))
        (*len)--;
    while (*len && (*bytes == ' ' || *bytes == '\t')) {
        bytes++;
        (*len)--;
    }
    *value = bytes;
}

/* libcurl's syntax: "Name: value", "Name;" to send an empty value, and "Name:"
   to send no such header, which `value` NULL asks for. */
static bool add_line(struct clk_http_request *request, const char *name,
                     size_t name_len, const void *value, size_t value_len,
                     struct clk_http_error *error)
{
    const char *mark = !value ? ":" : value_len ? ": " : ";";
    size_t size = name_len + strlen(mark) + value_len + 1;
    struct line *line;
    char *end;

    if (size > CLK_HTTP_MAX_REQUEST_HEAD - request->headers_size)
        return clk_http_error_set(error, "E2BIG",
                                  "the headers are larger than %d bytes",
                                  CLK_HTTP_MAX_REQUEST_HEAD);
    line = clk_malloc(sizeof(*line) + size);
    if (!line)
        return clk_http_error_memory(error);
    memcpy(line->text, name, name_len);
    end = line->text + name_len;
    memcpy(end, mark, strlen(mark));
    end += strlen(mark);
    if (value_len)
        memcpy(end, value, value_len);
    end[value_len] = '\0';
    line->size = size;
    line->node.data = line->text;
    line->node.next = NULL;
    *request->headers_end = &line->node;
    request->headers_end = &line->node.next;
    request->headers_size += size;
    return true;
}

bool clk_http_request_header(struct clk_http_request *request, const char *name,
                             size_t name_len, const void *value,
                             size_t value_len, struct clk_http_error *error)
{
    if (!is_token(name, name_len) || name_len > 256)
        return clk_http_error_set(error, "EINVAL", "not a usable header name");
    if (is_own_header(name, name_len))
        return clk_http_error_set(error, "EINVAL",
                                  "header %.*s is set by the client itself",
                                  (int)name_len, name);
    if (has_control(value, value_len))
        return clk_http_error_set(error, "EINVAL",
                                  "header %.*s holds a line break or another "
                                  "control character",
                                  (int)name_len, name);
    trim(&value, &value_len);
    if (name_len == 12 && strncasecmp(name, "content-type", 12) == 0)
        request->has_type = true;
    if (name_len == 15 && strncasecmp(name, "accept-encoding", 15) == 0)
        request->has_coding = true;
    return add_line(request, name, name_len, value, value_len, error);
}

bool clk_http_request_body(struct clk_http_request *request, size_t size,
                           struct clk_http_error *error)
{
    /* One byte more, so that an empty body is a body too. */
    char *body = size < SIZE_MAX ? clk_malloc(size + 1) : NULL;

    if (!body)
        return clk_http_error_memory(error);
    drop_body(request);
    request->body = body;
    request->body_size = size;
    request->body_len = 0;
    return true;
}

/* The others say "Content-Length: 0" when they have none. */
static bool may_lack_body(const char *method)
{
    return strcmp(method, "POST") != 0 && strcmp(method, "PUT") != 0
           && strcmp(method, "PATCH") != 0;
}

bool clk_http_request_seal(struct clk_http_request *request,
                           struct clk_http_error *error)
{
    if (!request->url)
        return clk_http_error_set(error, "EINVAL", "a request needs a URL");
    if (!request->body && !may_lack_body(request->method))
        if (!clk_http_request_body(request, 0, error))
            return false;
    if (!request->body)
        return true;
    return (request->has_type
            || add_line(request, "Content-Type", 12, NULL, 0, error))
           && add_line(request, "Expect", 6, NULL, 0, error);
}

void clk_http_request_append(struct clk_http_request *request,
                             const void *bytes, size_t len)
{
    size_t room = request->body_size - request->body_len;

    if (len > room)
        len = room;
    if (len)
        memcpy(request->body + request->body_len, bytes, len);
    request->body_len += len;
}
