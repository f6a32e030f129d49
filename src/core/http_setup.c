/* From a request to the options of an easy handle. */
#include <string.h>

#include "core/http_private.h"

static CURLcode set_connection(struct clk_http_transfer *t,
                               const struct clk_curl *curl)
{
    const struct clk_http_request *request = t->request;
    const char *cafile =
        request->cafile ? request->cafile : t->lane->http->cafile;
    bool shared = request->target.tls && !request->stream;
    CURLcode code = CURLE_OK;

    CLK_HTTP_SET(CURLOPT_SSL_VERIFYPEER, 1L);
    CLK_HTTP_SET(CURLOPT_SSL_VERIFYHOST, 2L);
    CLK_HTTP_SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    CLK_HTTP_SET(CURLOPT_HTTP_VERSION, (long)(shared ? CURL_HTTP_VERSION_2TLS
                                                     : CURL_HTTP_VERSION_1_1));
    CLK_HTTP_SET(CURLOPT_PIPEWAIT, shared ? 1L : 0L);
    CLK_HTTP_SET(CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
    if (cafile)
        CLK_HTTP_SET(CURLOPT_CAINFO, cafile);
    if (request->proxy)
        CLK_HTTP_SET(CURLOPT_PROXY, request->proxy);
    else if (request->target.loopback)
        CLK_HTTP_SET(CURLOPT_PROXY, "");
    if (code != CURLE_OK)
        return code;
    /* Newer than the oldest version we take; the scheme is checked anyway. */
    curl->easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    /* A name being resolved must not delay an abort. */
    curl->easy_setopt(t->easy, CURLOPT_QUICK_EXIT, 1L);
    return CURLE_OK;
}

static CURLcode set_request(struct clk_http_transfer *t,
                            const struct clk_curl *curl)
{
    const struct clk_http_request *request = t->request;
    CURLcode code = CURLE_OK;

    CLK_HTTP_SET(CURLOPT_URL, request->url);
    if (request->headers)
        CLK_HTTP_SET(CURLOPT_HTTPHEADER, request->headers);
    if (request->body) {
        CLK_HTTP_SET(CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)request->body_len);
        CLK_HTTP_SET(CURLOPT_POSTFIELDS, request->body);
    }
    if (strcmp(request->method, "HEAD") == 0)
        CLK_HTTP_SET(CURLOPT_NOBODY, 1L);
    else if (request->body || strcmp(request->method, "GET") != 0)
        CLK_HTTP_SET(CURLOPT_CUSTOMREQUEST, request->method);
    if (!request->stream && !request->has_coding)
        CLK_HTTP_SET(CURLOPT_ACCEPT_ENCODING, "gzip");
    return code;
}

CURLcode clk_http_configure(struct clk_http_transfer *t)
{
    const struct clk_curl *curl = t->lane->http->curl;
    CURLcode code = clk_http_record(t);

    if (code == CURLE_OK)
        code = set_connection(t, curl);
    if (code == CURLE_OK)
        code = set_request(t, curl);
    return code;
}
