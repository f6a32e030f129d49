/* Any file of NAME=value lines is read to its end or refused with a line. */
#include <string.h>

#include "core/dotenv.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *text = (unsigned char *)exact_copy(data, size);
    unsigned char *value = malloc(size ? size : 1);
    struct clk_dotenv d = {.text = text, .len = size};
    struct clk_dotenv_entry entry;
    size_t before = 0;
    unsigned line = 0;
    int more;

    MUST(value);
    while ((more = clk_dotenv_next(&d, &entry, value)) == 1) {
        MUST(d.at > before && d.at <= size && d.line > line);
        MUST(entry.name >= text && entry.name_len > 0);
        MUST(entry.name + entry.name_len <= text + size);
        MUST(!memchr(entry.name, '=', entry.name_len));
        MUST(entry.value_len <= size);
        before = d.at;
        line = d.line;
    }
    MUST(more == 0 || (d.why && d.line > 0));
    free(value);
    free(text);
    return 0;
}
