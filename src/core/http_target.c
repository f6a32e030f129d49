/* Addresses: parsed by libcurl itself, so that what is checked here is what
   will be connected to. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/http_private.h"

static const struct clk_curl *load(struct clk_http_error *error)
{
    char why[CLK_CURL_WHY_SIZE];
    const struct clk_curl *curl = clk_curl_load(why);

    if (!curl && why[0])
        clk_http_error_set(error, "ENOSYS", "%s", why);
    else if (!curl)
        clk_http_error_memory(error);
    return curl;
}

/* 127.0.0.0/8 in its canonical form, which is what libcurl's parser gives. */
static bool is_loopback(const char *host)
{
    unsigned char address[4];

    if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    return uv_inet_pton(AF_INET, host, address) == 0 && address[0] == 127;
}

static bool bad_url(struct clk_http_error *error, CURLUcode code,
                    const char *what)
{
    switch (code) {
    case CURLUE_OUT_OF_MEMORY: return clk_http_error_memory(error);
    case CURLUE_USER_NOT_ALLOWED:
        return clk_http_error_set(error, "EINVAL",
                                  "the %s must not hold credentials", what);
    case CURLUE_UNSUPPORTED_SCHEME:
        return clk_http_error_set(error, "EPROTONOSUPPORT",
                                  "the %s is neither https nor http", what);
    default:
        return clk_http_error_set(error, "EINVAL", "the %s is malformed", what);
    }
}

/* One part of a URL, copied into `buffer` in lower case. */
static CURLUcode copy_part(const struct clk_curl *curl, CURLU *url,
                           CURLUPart part, char *buffer, size_t size)
{
    char *text;
    CURLUcode code = curl->url_get(url, part, &text, CURLU_DEFAULT_PORT);
    size_t len;

    if (code != CURLUE_OK)
        return code;
    len = strlen(text);
    if (len >= size)
        code = CURLUE_MALFORMED_INPUT;
    for (size_t i = 0; code == CURLUE_OK && i <= len; i++)
        buffer[i] = (char)tolower((unsigned char)text[i]);
    curl->free(text);
    return code;
}

static CURLUcode fill_target(const struct clk_curl *curl, CURLU *url,
                             struct clk_http_target *target)
{
    char scheme[16], port[8];
    CURLUcode code =
        copy_part(curl, url, CURLUPART_SCHEME, scheme, sizeof(scheme));

    if (code != CURLUE_OK)
        return code;
    target->tls = strcmp(scheme, "https") == 0;
    if (!target->tls && strcmp(scheme, "http") != 0)
        return CURLUE_UNSUPPORTED_SCHEME;
    code = copy_part(curl, url, CURLUPART_HOST, target->host,
                     sizeof(target->host));
    if (code == CURLUE_OK)
        code = copy_part(curl, url, CURLUPART_PORT, port, sizeof(port));
    if (code != CURLUE_OK)
        return code;
    target->port = (uint16_t)strtoul(port, NULL, 10);
    target->loopback = is_loopback(target->host);
    return target->port ? CURLUE_OK : CURLUE_BAD_PORT_NUMBER;
}

bool clk_http_parse(const char *text, struct clk_http_target *target,
                    struct clk_http_error *error)
{
    const struct clk_curl *curl = load(error);
    CURLUcode code;
    CURLU *url;

    if (!curl)
        return false;
    if (strlen(text) > CLK_HTTP_MAX_URL)
        return clk_http_error_set(error, "EINVAL",
                                  "the URL is longer than %d bytes",
                                  CLK_HTTP_MAX_URL);
    url = curl->url();
    if (!url)
        return clk_http_error_memory(error);
    code = curl->url_set(url, CURLUPART_URL, text,
                         CURLU_DISALLOW_USER | CURLU_NON_SUPPORT_SCHEME);
    if (code == CURLUE_OK)
        code = fill_target(curl, url, target);
    curl->url_cleanup(url);
    return code == CURLUE_OK || bad_url(error, code, "URL");
}

/* Sets and resolves; the text is libcurl's. */
static CURLUcode resolve(const struct clk_curl *curl, CURLU *url,
                         const char *base, const char *reference, char **text)
{
    CURLUcode code =
        curl->url_set(url, CURLUPART_URL, base, CURLU_NON_SUPPORT_SCHEME);

    if (code == CURLUE_OK)
        code = curl->url_set(url, CURLUPART_URL, reference,
                             CURLU_DISALLOW_USER | CURLU_NON_SUPPORT_SCHEME
                                 | CURLU_URLENCODE);
    if (code == CURLUE_OK)
        code = curl->url_get(url, CURLUPART_URL, text, 0);
    return code;
}

bool clk_http_join(const char *base, const char *reference,
                   char url[CLK_HTTP_MAX_URL + 1], struct clk_http_error *error)
{
    const struct clk_curl *curl = load(error);
    CURLU *handle;
    CURLUcode code;
    char *text = NULL;

    if (!curl)
        return false;
    handle = curl->url();
    if (!handle)
        return clk_http_error_memory(error);
    code = resolve(curl, handle, base, reference, &text);
    if (code == CURLUE_OK && strlen(text) > CLK_HTTP_MAX_URL)
        code = CURLUE_MALFORMED_INPUT;
    if (code == CURLUE_OK)
        memcpy(url, text, strlen(text) + 1);
    curl->free(text);
    curl->url_cleanup(handle);
    return code == CURLUE_OK || bad_url(error, code, "location");
}
