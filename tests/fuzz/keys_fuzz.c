/* Any bytes typed become keys whose codes end. */
#include <string.h>

#include "core/term_keys.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct clk_keys keys;

    memset(&keys, 0, sizeof(keys));
    for (size_t i = 0; i < size; i++) {
        unsigned code, codes = 0;

        if (!clk_keys_add(&keys, data[i]))
            continue;
        MUST(clk_keys_begun(&keys));
        while (clk_keys_take(&keys, &code)) {
            MUST(code < 0x110000);
            MUST(++codes <= sizeof(keys.bytes));
        }
        clk_keys_clear(&keys);
        MUST(!clk_keys_begun(&keys));
    }
    return 0;
}
