/* From a request to the options of an easy handle. */
#include <string.h>

#include "core/curl_heap.h"
#include "core/http_private.h"

CURLcode clk_http_prepare(const struct clk_http *http, CURL *easy)
{
    const struct clk_curl *curl = http->curl;
    CURLcode code = CURLE_OK;

    CLK_HTTP_SET(easy, CURLOPT_NOSIGNAL, 1L);
    CLK_HTTP_SET(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    CLK_HTTP_SET(easy, CURLOPT_OPENSOCKETFUNCTION, clk_http_socket_open);
    CLK_HTTP_SET(easy, CURLOPT_CLOSESOCKETFUNCTION, clk_http_socket_close);
    CLK_HTTP_SET(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    CLK_HTTP_SET(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    CLK_HTTP_SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    CLK_HTTP_SET(easy, CURLOPT_BUFFERSIZE, (long)CLK_CURL_READ_BUFFER);
    CLK_HTTP_SET(easy, CURLOPT_CAINFO, http->cafile);
    if (code != CURLE_OK)
        return code;
    /* Newer than the oldest version we take; the scheme is checked anyway. */
    curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    /* A name being resolved must not delay an abort. */
    curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    return clk_http_record(http, easy);
}

/* Whether to offer the server to compress: not where it saves no time, nor
   where it would keep back what is to be seen at once. */
static bool wants_gzip(const struct clk_http_request *request)
{
    return !request->stream && !request->has_coding
           && !request->target.loopback;
}

/* NULL: as the environment says. */
static const char *proxy_of(const struct clk_http_request *request)
{
    if (request->proxy)
        return request->proxy;
    return request->target.loopback ? "" : NULL;
}

/* Certificates of the request instead of everybody's. */
static CURLcode set_cafile(CURL *easy, const struct clk_curl *curl,
                           const char *file, const char *path)
{
    CURLcode code = CURLE_OK;

    CLK_HTTP_SET(easy, CURLOPT_CAINFO, file);
    CLK_HTTP_SET(easy, CURLOPT_CAPATH, path);
    return code;
}

static CURLcode set_body(struct clk_http_transfer *t,
                         const struct clk_curl *curl)
{
    CURLcode code = CURLE_OK;

    CLK_HTTP_SET(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                 (curl_off_t)t->request->body_len);
    CLK_HTTP_SET(t->easy, CURLOPT_POSTFIELDS, t->request->body);
    return code;
}

/* Whether libcurl has to be told of the method: GET is what it begins with. */
static bool is_plain_get(const struct clk_http_request *request)
{
    return !request->body && strcmp(request->method, "GET") == 0;
}

static CURLcode set_method(struct clk_http_transfer *t,
                           const struct clk_curl *curl)
{
    const char *method = t->request->method;
    CURLcode code = CURLE_OK;

    if (strcmp(method, "HEAD") == 0)
        CLK_HTTP_SET(t->easy, CURLOPT_NOBODY, 1L);
    else
        CLK_HTTP_SET(t->easy, CURLOPT_CUSTOMREQUEST, method);
    return code;
}

/* What not every request has; clk_http_unset takes it back. */
static CURLcode set_more(struct clk_http_transfer *t,
                         const struct clk_curl *curl)
{
    const struct clk_http_request *request = t->request;
    CURLcode code = CURLE_OK;

    if (request->cafile)
        code = set_cafile(t->easy, curl, request->cafile, NULL);
    if (code == CURLE_OK && request->body)
        code = set_body(t, curl);
    if (code == CURLE_OK && !is_plain_get(request))
        code = set_method(t, curl);
    return code;
}

/* Not by curl_easy_reset: that forgets the size of the read buffer, which the
   handle of a connection still in use by others keeps. */
CURLcode clk_http_unset(const struct clk_http *http,
                        const struct clk_http_transfer *t)
{
    const struct clk_curl *curl = http->curl;
    CURLcode code = CURLE_OK;

    if (!is_plain_get(t->request)) {
        CLK_HTTP_SET(t->easy, CURLOPT_POSTFIELDS, NULL);
        CLK_HTTP_SET(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
        CLK_HTTP_SET(t->easy, CURLOPT_CUSTOMREQUEST, NULL);
        CLK_HTTP_SET(t->easy, CURLOPT_HTTPGET, 1L); /* and with a body again */
    }
    if (code == CURLE_OK && t->request->cafile)
        code = set_cafile(t->easy, curl, http->cafile, http->capath);
    return code;
}

CURLcode clk_http_configure(struct clk_http_transfer *t)
{
    const struct clk_curl *curl = t->lane->http->curl;
    const struct clk_http_request *request = t->request;
    bool shared = request->target.tls && !request->stream;
    long version = shared ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
    CURLcode code = CURLE_OK;

    CLK_HTTP_SET(t->easy, CURLOPT_PRIVATE, t);
    CLK_HTTP_SET(t->easy, CURLOPT_ERRORBUFFER, t->detail);
    CLK_HTTP_SET(t->easy, CURLOPT_WRITEDATA, t);
    CLK_HTTP_SET(t->easy, CURLOPT_HEADERDATA, t);
    CLK_HTTP_SET(t->easy, CURLOPT_PREREQDATA, t);
    CLK_HTTP_SET(t->easy, CURLOPT_OPENSOCKETDATA, t);
    CLK_HTTP_SET(t->easy, CURLOPT_CLOSESOCKETDATA, t->lane);
    CLK_HTTP_SET(t->easy, CURLOPT_URL, request->url);
    CLK_HTTP_SET(t->easy, CURLOPT_HTTPHEADER, request->headers);
    CLK_HTTP_SET(t->easy, CURLOPT_HTTP_VERSION, version);
    CLK_HTTP_SET(t->easy, CURLOPT_PIPEWAIT, shared ? 1L : 0L);
    CLK_HTTP_SET(t->easy, CURLOPT_CONNECTTIMEOUT_MS,
                 (long)request->connect_timeout_ms);
    CLK_HTTP_SET(t->easy, CURLOPT_PROXY, proxy_of(request));
    CLK_HTTP_SET(t->easy, CURLOPT_ACCEPT_ENCODING,
                 wants_gzip(request) ? "gzip" : NULL);
    return code == CURLE_OK ? set_more(t, curl) : code;
}
