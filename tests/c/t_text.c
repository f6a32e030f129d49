/* core/text.c, core/term_keys.c: text for terminals, bytes to keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "core/term_keys.h"
#include "core/text.h"

static void assert_clean(const char *text, size_t length, bool lines,
                         const char *want)
{
    char out[256];
    size_t size = clk_text_sanitize(text, length, lines, NULL);

    assert_in_range(size, 0, 4 * length);
    assert_in_range(size, 0, sizeof(out) - 1);
    assert_int_equal(clk_text_sanitize(text, length, lines, out), size);
    out[size] = '\0';
    assert_string_equal(out, want);
}

#define CLEAN(text, want) assert_clean(text, sizeof(text) - 1, false, want)

static void plain_text_stays(void **state)
{
    (void)state;
    CLEAN("", "");
    CLEAN("a name-1.x ~", "a name-1.x ~");
    CLEAN("h\xc3\xa9llo \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x9a\x80",
          "h\xc3\xa9llo \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x9a\x80");
    CLEAN("\xe2\x9d\xa4\xef\xb8\x8f", "\xe2\x9d\xa4\xef\xb8\x8f");
}

static void what_a_terminal_acts_on_is_shown(void **state)
{
    (void)state;
    CLEAN("\x1b]0;title\x07", "\\x1b]0;title\\x07");
    CLEAN("a\nb\tc\rd\0e", "a\\nb\\tc\\rd\\x00e");
    CLEAN("\x7f", "\\x7f");
    CLEAN("\xc2\x9b"
          "31m",
          "\\u{9b}31m");
    CLEAN("\x9b"
          "31m",
          "\xef\xbf\xbd"
          "31m");
}

static void what_is_not_seen_is_shown(void **state)
{
    (void)state;
    CLEAN("\xe2\x80\xae", "\\u{202e}"); /* right to left override */
    CLEAN("\xe2\x81\xa6", "\\u{2066}"); /* isolate */
    CLEAN("a\xe2\x80\x8b"
          "b",
          "a\\u{200b}b");                    /* zero width space */
    CLEAN("\xef\xbb\xbf", "\\u{feff}");      /* byte order mark */
    CLEAN("\xf3\xa0\x81\xa1", "\\u{e0061}"); /* tag */
    CLEAN("\xe2\x80\xa8", "\\u{2028}");      /* line separator */
    CLEAN("\xc2\xad", "\\u{ad}");            /* soft hyphen */
}

static void invalid_bytes_are_replaced_one_by_one(void **state)
{
    (void)state;
    CLEAN("\xff", "\xef\xbf\xbd");
    CLEAN("\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"); /* overlong NUL */
    CLEAN("\xe0\x9f\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    CLEAN("\xed\xa0\x80",
          "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* surrogate */
    CLEAN("\xf4\x90\x80\x80",
          "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    CLEAN("a\xe6\x97", "a\xef\xbf\xbd\xef\xbf\xbd"); /* cut off */
    CLEAN("\xe6\x97x", "\xef\xbf\xbd\xef\xbf\xbdx");
}

static void lines_are_kept_when_asked(void **state)
{
    (void)state;
    assert_clean("a\r\nb\tc\rd\x1b", 9, true, "a\nb\tc\\rd\\x1b");
    assert_clean("\r", 1, true, "\\r");
}

/* Random bytes never leave anything a terminal acts on. */
static void nothing_harmful_survives(void **state)
{
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[24], out[100];
        size_t length, size;

        for (size_t i = 0; i < sizeof(text); i++) {
            seed = seed * 1103515245u + 12345u;
            text[i] = (char)(seed >> 16);
        }
        length = seed % sizeof(text);
        size = clk_text_sanitize(text, length, false, out);
        assert_in_range(size, 0, 4 * length);
        for (size_t i = 0; i < size;) {
            unsigned code;

            i += clk_text_decode((unsigned char *)out + i, size - i, &code);
            assert_true(code >= 0x20 && code != 0x7f
                        && !(code >= 0x80 && code < 0xa0)
                        && code != CLK_TEXT_INVALID);
        }
    }
}

#define COLUMNS(text) ((int)clk_text_columns(text, sizeof(text) - 1))

static void columns_are_counted(void **state)
{
    (void)state;
    assert_int_equal(COLUMNS(""), 0);
    assert_int_equal(COLUMNS("abc"), 3);
    assert_int_equal(COLUMNS("\xc3\xa9"), 1);
    assert_int_equal(COLUMNS("e\xcc\x81"), 1);                /* combining */
    assert_int_equal(COLUMNS("\xe6\x97\xa5\xe6\x9c\xac"), 4); /* CJK */
    assert_int_equal(COLUMNS("\xea\xb0\x80"), 2);             /* Hangul */
    assert_int_equal(COLUMNS("\xe1\x84\x80\xe1\x85\xa1"), 2); /* Jamo */
    assert_int_equal(COLUMNS("\xf0\x9f\x9a\x80"), 2);         /* emoji */
    assert_int_equal(COLUMNS("\xe2\x80\x8b"), 0);
    assert_int_equal(COLUMNS("\xef\xbc\xa1"), 2); /* full width */
    assert_int_equal(COLUMNS("\xff\xfe"), 2);
    assert_int_equal(COLUMNS("a\tb\x1b"), 2);
}

static void text_is_cut_at_whole_characters(void **state)
{
    const char *text = "a\xe6\x97\xa5"
                       "e\xcc\x81z";
    size_t used;

    (void)state;
    assert_int_equal(clk_text_fit(text, 8, 0, &used), 0);
    assert_int_equal(clk_text_fit(text, 8, 1, &used), 1);
    assert_int_equal(clk_text_fit(text, 8, 2, &used), 1);
    assert_int_equal(used, 1);
    assert_int_equal(clk_text_fit(text, 8, 3, &used), 4);
    assert_int_equal(used, 3);
    assert_int_equal(clk_text_fit(text, 8, 4, NULL), 7); /* with its accent */
    assert_int_equal(clk_text_fit(text, 8, 100, &used), 8);
    assert_int_equal(used, 5);
}

/* --- keys ---------------------------------------------------------------- */

/* The number of keys that the bytes make, their codes in `codes`. */
static int keys_of(const char *bytes, size_t length, unsigned *codes,
                   size_t *count)
{
    struct clk_keys keys = {0};
    int whole = 0;

    *count = 0;
    for (size_t i = 0; i < length; i++) {
        if (!clk_keys_add(&keys, (unsigned char)bytes[i]))
            continue;
        whole++;
        while (clk_keys_take(&keys, &codes[*count]))
            ++*count;
        clk_keys_clear(&keys);
    }
    return whole;
}

#define KEYS(bytes) keys_of(bytes, sizeof(bytes) - 1, codes, &count)

static void bytes_make_keys(void **state)
{
    unsigned codes[64];
    size_t count;

    (void)state;
    assert_int_equal(KEYS("ab\x03"), 3);
    assert_int_equal(KEYS("\xe6\x97\xa5x"), 2);
    assert_int_equal(codes[0], 0x65e5);
    assert_int_equal(KEYS("\x1b[A\x1bOB\x1b[1;5C\x1b[3~"), 4);
    assert_int_equal(count, 3 + 3 + 6 + 4);
    assert_int_equal(codes[2], 'A');
    assert_int_equal(KEYS("\x1bx"), 1);
    assert_int_equal(count, 2);
}

static void what_is_no_key_is_dropped(void **state)
{
    unsigned codes[64];
    size_t count;
    struct clk_keys keys = {0};

    (void)state;
    assert_int_equal(KEYS("\xff\x80"), 0);
    assert_int_equal(KEYS("\xe6x"), 0); /* what it broke is lost, no more */
    assert_int_equal(KEYS("\x1b[\x01"), 0);
    assert_int_equal(KEYS("\x1b\x1b"), 0);
    for (int i = 0; i < 32; i++) /* a sequence without end */
        assert_false(clk_keys_add(&keys, i == 0 ? 0x1b : i == 1 ? '[' : '1'));
    assert_false(clk_keys_begun(&keys));
    assert_int_equal(KEYS("\x1b["), 0);
    clk_keys_clear(&keys);
    assert_false(clk_keys_add(&keys, 0x1b));
    assert_true(clk_keys_begun(&keys));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays),
        cmocka_unit_test(what_a_terminal_acts_on_is_shown),
        cmocka_unit_test(what_is_not_seen_is_shown),
        cmocka_unit_test(invalid_bytes_are_replaced_one_by_one),
        cmocka_unit_test(lines_are_kept_when_asked),
        cmocka_unit_test(nothing_harmful_survives),
        cmocka_unit_test(columns_are_counted),
        cmocka_unit_test(text_is_cut_at_whole_characters),
        cmocka_unit_test(bytes_make_keys),
        cmocka_unit_test(what_is_no_key_is_dropped),
    };

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
