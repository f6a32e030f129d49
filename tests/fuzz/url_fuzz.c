/* Any URL is refused or leads to a host whose name is bounded. The first line
   is a URL, the rest a reference to be joined to it. */
#include <string.h>

#include "core/http.h"
#include "fuzz.h"

static void check(const char *url)
{
    struct clk_http_target target;
    struct clk_http_error error = {NULL, "", false};

    if (!clk_http_parse(url, &target, &error)) {
        MUST(error.code && memchr(error.message, '\0', sizeof(error.message)));
        return;
    }
    MUST(memchr(target.host, '\0', sizeof(target.host)) && target.host[0]);
    MUST(target.port > 0 && !strpbrk(target.host, " /@\r\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct clk_http_error error = {NULL, "", false};
    char joined[CLK_HTTP_MAX_URL + 1];
    char *url = malloc(size + 1), *reference;

    MUST(url);
    memcpy(url, data, size);
    url[size] = '\0';
    reference = strchr(url, '\n');
    if (reference)
        *reference++ = '\0';
    check(url);
    if (reference && clk_http_join(url, reference, joined, &error))
        check(joined);
    free(url);
    return 0;
}
