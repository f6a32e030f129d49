/* A secret's JSON string has the size foretold and is quoted to its end. */
#include <string.h>

#include "core/secret_form.h"
#include "core/text.h"
#include "fuzz.h"

static bool is_utf8(const unsigned char *text, size_t len)
{
    unsigned code;

    for (size_t i = 0; i < len;) {
        i += clk_text_decode(text + i, len - i, &code);
        if (code == CLK_TEXT_INVALID)
            return false;
    }
    return true;
}

static void check_quotes(const unsigned char *json, size_t size)
{
    MUST(size >= 2 && json[0] == '"' && json[size - 1] == '"');
    for (size_t i = 1; i < size - 1; i++) {
        MUST(json[i] >= 0x20 && json[i] != '"');
        if (json[i] == '\\')
            i++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *text = (unsigned char *)exact_copy(data, size);
    size_t need = clk_json_size(text, size);
    unsigned char *json = malloc(need ? need : 1);

    MUST(json && (need > 0) == is_utf8(text, size));
    if (need) {
        MUST(clk_json_write(text, size, json) == need);
        check_quotes(json, need);
    }
    clk_import_fits(text, size, 8);
    free(json);
    free(text);
    return 0;
}
