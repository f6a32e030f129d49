/* core/crypto.c against published vectors; core/secret_form.c at its edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto.h"
#include "core/secret_form.h"

static void unhex(const char *hex, unsigned char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (; *hex; hex += 2)
        *out++ = (unsigned char)((strchr(digits, hex[0]) - digits) << 4
                                 | (strchr(digits, hex[1]) - digits));
}

/* RFC 7748, section 6.1. */
static void public_keys_are_those_of_the_rfc(void **state)
{
    unsigned char key[CLK_CRYPTO_KEY], want[CLK_CRYPTO_KEY],
        got[CLK_CRYPTO_KEY];

    (void)state;
    unhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
          key);
    unhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
          want);
    assert_true(clk_crypto_public(key, got));
    assert_memory_equal(got, want, CLK_CRYPTO_KEY);
    /* Clamped, so that the same key is used by everybody who reads it. */
    assert_int_equal(key[0] & 7, 0);
    assert_int_equal(key[31] & 192, 64);
}

static void a_sealed_text_opens_in_place_only_with_its_key(void **state)
{
    unsigned char key[CLK_CRYPTO_KEY] = {1}, sealed[5 + CLK_CRYPTO_OVERHEAD];
    unsigned char opened[5] = {0};

    (void)state;
    assert_true(
        clk_crypto_seal(key, (const unsigned char *)"hello", 5, sealed));
    assert_true(clk_crypto_open(key, sealed, sizeof(sealed), opened));
    assert_memory_equal(opened, "hello", 5);
    memset(opened, 0, sizeof(opened));
    key[0] = 2;
    assert_false(clk_crypto_open(key, sealed, sizeof(sealed), opened));
    assert_memory_equal(opened, "\0\0\0\0\0", 5);
    assert_false(clk_crypto_open(key, sealed, CLK_CRYPTO_OVERHEAD - 1, opened));
}

static void json_sizes_are_what_is_written(void **state)
{
    static const char text[] = "a\"\\\b\f\n\r\t\x01\x1f\x7f\xc3\xa9";
    unsigned char out[128];
    size_t len = sizeof(text) - 1, size;

    (void)state;
    size = clk_json_size((const unsigned char *)text, len);
    assert_int_equal(clk_json_write((const unsigned char *)text, len, out),
                     size);
    out[size] = 0;
    assert_string_equal(
        out, "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9\"");
    assert_int_equal(clk_json_size((const unsigned char *)"\xff", 1), 0);
    assert_int_equal(clk_json_size(NULL, 0), 2);
    /* NUL is a character like others. */
    assert_int_equal(clk_json_size((const unsigned char *)"\0", 1), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_keys_are_those_of_the_rfc),
        cmocka_unit_test(a_sealed_text_opens_in_place_only_with_its_key),
        cmocka_unit_test(json_sizes_are_what_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
