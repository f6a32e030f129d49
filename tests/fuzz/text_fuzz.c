/* Any bytes become text that a terminal only shows. */
#include <stdbool.h>
#include <string.h>

#include "core/text.h"
#include "fuzz.h"

static void check_harmless(const char *text, size_t len, bool lines)
{
    for (size_t i = 0; i < len;) {
        unsigned code;
        size_t used =
            clk_text_decode((const unsigned char *)text + i, len - i, &code);

        MUST(used > 0 && used <= len - i && code != CLK_TEXT_INVALID);
        MUST(code >= 0x20 || (lines && (code == '\n' || code == '\t')));
        MUST(code < 0x7f || code > 0x9f);
        i += used;
    }
}

static void check_fit(const char *text, size_t len)
{
    size_t columns = clk_text_columns(text, len);

    for (size_t width = 0; width <= columns + 1; width += 1 + width / 2) {
        size_t used, fits = clk_text_fit(text, len, width, &used);

        MUST(fits <= len && used <= width);
        MUST(clk_text_columns(text, fits) == used);
        MUST(width < columns || fits == len);
    }
}

static void check(const char *text, size_t len, bool lines)
{
    size_t size = clk_text_sanitize(text, len, lines, NULL), again;
    char *clean = malloc(size + 1), *twice = malloc(size + 1);

    MUST(clean && twice && size <= 4 * len);
    MUST(clk_text_sanitize(text, len, lines, clean) == size);
    check_harmless(clean, size, lines);
    again = clk_text_sanitize(clean, size, lines, NULL);
    MUST(again == size);
    clk_text_sanitize(clean, size, lines, twice);
    MUST(memcmp(clean, twice, size) == 0);
    check_fit(clean, size);
    free(clean);
    free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = exact_copy(data, size);

    check(text, size, false);
    check(text, size, true);
    check_fit(text, size);
    free(text);
    return 0;
}
