/* Reasons: from libcurl's results to stable codes and one line for people. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/http_private.h"

bool clk_http_error_set(struct clk_http_error *error, const char *code,
                        const char *format, ...)
{
    va_list args;

    error->code = code;
    va_start(args, format);
    vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
    return false;
}

bool clk_http_error_memory(struct clk_http_error *error)
{
    return clk_http_error_set(error, "ENOMEM", "not enough memory");
}

/* The class of a result, which decides code and wording. */
enum reason {
    BAD_NAME,
    BAD_PROXY_NAME,
    NO_CONNECTION,
    NO_TIME,
    NO_TLS,
    BROKEN,    /* the connection ended or was cut */
    CUT_SHORT, /* the body did */
    MALFORMED, /* the peer does not speak the protocol */
    NO_MEMORY,
    REFUSED_BY_US, /* a callback of ours stopped a second sending */
};

static enum reason reason_of(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return BAD_NAME;
    case CURLE_COULDNT_RESOLVE_PROXY: return BAD_PROXY_NAME;
    case CURLE_COULDNT_CONNECT: return NO_CONNECTION;
    case CURLE_OPERATION_TIMEDOUT: return NO_TIME;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_USE_SSL_FAILED: return NO_TLS;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return BROKEN;
    case CURLE_PARTIAL_FILE: return CUT_SHORT;
    case CURLE_OUT_OF_MEMORY: return NO_MEMORY;
    case CURLE_ABORTED_BY_CALLBACK: return REFUSED_BY_US;
    default: return MALFORMED;
    }
}

/* libcurl's words, else its name of the result. */
static const char *detail_of(const struct clk_http_transfer *t, CURLcode code)
{
    const struct clk_curl *curl = t->lane->http->curl;

    return t->detail[0] ? t->detail : curl->easy_strerror(code);
}

/* Whether the peer that libcurl's words say it could not connect to is another
   one than the request is for: a proxy. Its address is not shown, for it may
   hold credentials. */
static bool is_about_proxy(const struct clk_http_transfer *t)
{
    static const char start[] = "Failed to connect to ";
    const char *words = t->detail, *host = t->request->target.host;
    size_t len = strlen(host);
    char port[16];

    if (strncmp(words, start, sizeof(start) - 1) != 0)
        return false;
    words += sizeof(start) - 1;
    if (*host == '[' && *words != '[') { /* libcurl leaves out the brackets */
        host++;
        len -= 2;
    }
    snprintf(port, sizeof(port), " port %u ",
             (unsigned)t->request->target.port);
    return strncasecmp(words, host, len) != 0
           || strncmp(words + len, port, strlen(port)) != 0;
}

/* uv_strerror of the errno of the last connect; errnos are positive here. */
static void explain_connect(struct clk_http_transfer *t, const char *host,
                            unsigned port)
{
    long os_error = 0;
    int error;

    if (strncmp(t->detail, "Unsupported proxy", 17) == 0) {
        clk_http_error_set(&t->error, "EINVAL",
                           "the proxy for %s:%u is of an unknown kind", host,
                           port);
        return;
    }
    t->lane->http->curl->easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_error);
    if (t->os_error)
        os_error = t->os_error;
    error = os_error ? uv_translate_sys_error((int)os_error) : UV_ECONNREFUSED;
    clk_http_error_set(&t->error, uv_err_name(error),
                       is_about_proxy(t)
                           ? "cannot connect to the proxy for %s:%u: %s"
                           : "cannot connect to %s:%u: %s",
                       host, port, uv_strerror(error));
}

/* A proxy that answers CONNECT with an error shows as a receive error. */
static bool explain_proxy(struct clk_http_transfer *t, const char *host,
                          unsigned port)
{
    long status = 0;

    t->lane->http->curl->easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE,
                                      &status);
    if (status == 0 || status / 100 == 2)
        return false;
    clk_http_error_set(&t->error, "EPROTO",
                       "the proxy refused to connect to %s:%u (status %ld)",
                       host, port, status);
    return true;
}

static void explain_broken(struct clk_http_transfer *t, const char *host,
                           unsigned port)
{
    if (explain_proxy(t, host, port))
        return;
    /* A malformed chunk has this result too; only libcurl's words tell. */
    if (strstr(t->detail, "chunk")) {
        clk_http_error_set(&t->error, "EPROTO", "%s:%u: %s", host, port,
                           t->detail);
        return;
    }
    clk_http_error_set(
        &t->error, "ECONNRESET",
        t->has_head ? "%s:%u closed the connection before the reply's end"
                    : "%s:%u closed the connection without a reply",
        host, port);
}

void clk_http_explain(struct clk_http_transfer *t, CURLcode code)
{
    const char *host = t->request->target.host;
    unsigned port = t->request->target.port;
    struct clk_http_error *error = &t->error;

    switch (reason_of(code)) {
    case BAD_NAME:
        clk_http_error_set(error, "EAI_NONAME", "cannot resolve %s", host);
        break;
    case BAD_PROXY_NAME:
        clk_http_error_set(error, "EAI_NONAME",
                           "cannot resolve the proxy for %s", host);
        break;
    case NO_CONNECTION: explain_connect(t, host, port); break;
    case NO_TIME:
        clk_http_error_set(error, "ETIMEDOUT",
                           "no connection to %s:%u within %g s", host, port,
                           t->request->connect_timeout_ms / 1000.0);
        break;
    case NO_TLS:
        clk_http_error_set(error, "ETLS", "%s:%u: %s", host, port,
                           detail_of(t, code));
        break;
    case BROKEN:
    case REFUSED_BY_US: explain_broken(t, host, port); break;
    case CUT_SHORT:
        clk_http_error_set(error, "EPROTO",
                           "%s:%u ended the reply early, after %zu bytes of "
                           "its body",
                           host, port, t->body_received);
        break;
    case NO_MEMORY: clk_http_error_memory(error); break;
    case MALFORMED:
        clk_http_error_set(error, "EPROTO", "%s:%u: %s", host, port,
                           detail_of(t, code));
        break;
    }
}

void clk_http_explain_timeout(struct clk_http_transfer *t, bool idle)
{
    const struct clk_http_request *request = t->request;

    clk_http_error_set(&t->error, "ETIMEDOUT",
                       idle ? "%s:%u sent nothing for %g s"
                            : "no complete reply from %s:%u within %g s",
                       request->target.host, (unsigned)request->target.port,
                       (idle ? request->idle_timeout_ms : request->timeout_ms)
                           / 1000.0);
}

void clk_http_explain_size(struct clk_http_transfer *t, const char *what,
                           size_t limit)
{
    clk_http_error_set(&t->error, "E2BIG",
                       "%s of the reply from %s:%u is larger than %zu bytes",
                       what, t->request->target.host,
                       (unsigned)t->request->target.port, limit);
}
