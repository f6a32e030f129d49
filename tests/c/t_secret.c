/* core/secret.c and core/mask*.c: memory and masking of secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/secret.h"

static int open_set(void **state)
{
    *state = clk_secrets_new();
    return *state ? 0 : -1;
}

static int close_set(void **state)
{
    assert_int_equal(clk_secrets_count(*state), 0);
    clk_secrets_free(*state);
    return 0;
}

static struct clk_secret *make(struct clk_secrets *set, const char *text)
{
    struct clk_secret *s = clk_secret_copy(set, text, strlen(text));

    assert_non_null(s);
    return s;
}

static void assert_masked(struct clk_secrets *set, const char *text,
                          const char *want)
{
    char *out;
    size_t len;
    int found = clk_secret_mask(set, text, strlen(text), &out, &len);

    assert_int_equal(found, strcmp(text, want) != 0);
    if (!found)
        return;
    assert_int_equal(len, strlen(want));
    assert_memory_equal(out, want, len);
    clk_free(out);
}

static void test_holds_bytes(void **state)
{
    struct clk_secret *s = clk_secret_copy(*state, "a\0b", 3);

    assert_int_equal(s->len, 3);
    assert_memory_equal(s->bytes, "a\0b", 3);
    assert_int_equal(clk_secrets_count(*state), 1);
    assert_ptr_equal(clk_secret_ref(s), s);
    clk_secret_unref(s);
    assert_memory_equal(s->bytes, "a\0b", 3);
    clk_secret_unref(s);
    clk_secret_unref(NULL);
}

static void test_empty_and_too_long(void **state)
{
    struct clk_secret *s = clk_secret_copy(*state, NULL, 0);

    assert_non_null(s);
    assert_int_equal(s->len, 0);
    clk_secret_unref(s);
    assert_null(clk_secret_new(*state, CLK_SECRET_MAX + 2));
}

/* The child's exit status after touching one byte beside the secret. */
static int touch_beside(struct clk_secret *s, ptrdiff_t offset)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct rlimit none = {0, 0};

        setrlimit(RLIMIT_CORE, &none);
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        ((volatile unsigned char *)s->bytes)[offset] = 1;
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_guard_pages_stop_overruns(void **state)
{
    struct clk_secret *s = make(*state, "guarded");
    long page = sysconf(_SC_PAGESIZE);

    assert_int_equal(touch_beside(s, 0), 0);
    assert_true(WIFSIGNALED(touch_beside(s, (ptrdiff_t)s->cap)));
    assert_true(WIFSIGNALED(touch_beside(s, -page)));
    clk_secret_unref(s);
}

static void test_a_forked_child_sees_zeros(void **state)
{
    struct clk_secret *s = make(*state, "not for children");
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(s->bytes[0] == 0 && s->bytes[s->len - 1] == 0 ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    clk_secret_unref(s);
}

/* The flags of the mapping that holds `address`, as /proc/self/smaps has them.
 */
static bool has_flag(const void *address, const char *flag)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    char line[512];
    bool inside = false, found = false;

    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        unsigned long from, to;

        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = from <= (uintptr_t)address && (uintptr_t)address < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, flag) != NULL;
    }
    fclose(maps);
    return found;
}

static void test_pages_are_locked_and_undumpable(void **state)
{
    struct clk_secret *s = make(*state, "locked");
    struct rlimit core;

#ifndef __SANITIZE_ADDRESS__ /* it makes mlock do nothing */
    assert_true(has_flag(s->bytes, " lo"));
#endif
    assert_true(has_flag(s->bytes, " dd"));
    assert_true(has_flag(s->bytes, " wf"));
    assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
    assert_int_equal(core.rlim_cur, core.rlim_max > 0 ? 1 : 0);
    clk_secret_unref(s);
}

static void test_pages_go_back(void **state)
{
    struct clk_secret *s = make(*state, "gone");
    unsigned char *bytes = s->bytes, state_of_page;
    uintptr_t page = (uintptr_t)bytes & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);

    clk_secret_unref(s);
    assert_int_not_equal(mincore((void *)page, 1, &state_of_page), 0);
}

static void test_no_more_than_the_bound(void **state)
{
    static struct clk_secret *all[CLK_SECRETS_MAX];

    for (int i = 0; i < CLK_SECRETS_MAX; i++)
        assert_non_null(all[i] = clk_secret_copy(*state, &i, sizeof(i)));
    assert_null(clk_secret_new(*state, 1));
    for (int i = 0; i < CLK_SECRETS_MAX; i++)
        clk_secret_unref(all[i]);
}

static void test_wipe_empties_all(void **state)
{
    struct clk_secret *a = make(*state, "first"), *b = make(*state, "second");

    clk_secrets_wipe(*state);
    assert_int_equal(a->len, 0);
    assert_int_equal(b->len, 0);
    assert_memory_equal(a->bytes, "\0\0\0\0\0", 5);
    assert_masked(*state, "first second", "first second");
    clk_secret_unref(a);
    clk_secret_unref(b);
    clk_secrets_wipe(NULL);
}

static void test_is_wiped_with_its_set(void **state)
{
    struct clk_secrets *set = clk_secrets_new();
    struct clk_secret *a = make(set, "one"), *b = make(set, "two");

    (void)state;
    clk_secrets_free(set);
    assert_memory_equal(a->bytes, "\0\0\0", 3);
    clk_secret_unref(a);
    assert_int_equal(b->len, 0);
    clk_secret_unref(b);
    clk_secrets_free(NULL);
}

static void test_same(void **state)
{
    (void)state;
    assert_true(clk_secret_same("abc", 3, "abc", 3));
    assert_true(clk_secret_same("", 0, NULL, 0));
    assert_false(clk_secret_same("abc", 3, "abd", 3));
    assert_false(clk_secret_same("abc", 3, "ab", 2));
    assert_false(clk_secret_same("\x80", 1, "\0", 1));
}

static void test_digests_tell_bytes_and_keys_apart(void **state)
{
    /* BLAKE2b with 16 bytes of output, from another implementation. */
    static const unsigned char want[CLK_DIGEST_SIZE] = {
        0x3b, 0x41, 0xf7, 0x7f, 0xd5, 0x8d, 0x4b, 0xa5,
        0x1a, 0x2f, 0xb8, 0x74, 0xb5, 0x0e, 0x5f, 0xbe};
    struct clk_secret *s = make(*state, "hunter2!");
    struct clk_secret *other = make(*state, "hunter3!");
    unsigned char a[CLK_DIGEST_SIZE], b[CLK_DIGEST_SIZE];

    clk_secret_digest(s, "key", 3, a);
    assert_memory_equal(a, want, sizeof(want));
    clk_secret_digest(s, "kez", 3, b);
    assert_memory_not_equal(a, b, sizeof(a));
    clk_secret_digest(other, "key", 3, b);
    assert_memory_not_equal(a, b, sizeof(a));
    clk_secret_unref(other);
    clk_secret_unref(s);
}

static void test_masks_the_bytes(void **state)
{
    struct clk_secret *s = make(*state, "hunter2!");

    assert_masked(*state, "", "");
    assert_masked(*state, "nothing here", "nothing here");
    assert_masked(*state, "hunter2", "hunter2");
    assert_masked(*state, "hunter2!", "[secret]");
    assert_masked(*state, "a hunter2! and hunter2!hunter2!.",
                  "a [secret] and [secret][secret].");
    assert_masked(*state, "hunthunter2!", "hunt[secret]");
    clk_secret_unref(s);
    assert_masked(*state, "hunter2!", "hunter2!");
    assert_masked(NULL, "hunter2!", "hunter2!");
}

static void test_short_secrets_are_left(void **state)
{
    struct clk_secret *s = make(*state, "abc"), *t = make(*state, "wxyz");

    assert_masked(*state, "abc wxyz", "abc [secret]");
    clk_secret_unref(s);
    clk_secret_unref(t);
}

static void test_masks_binary(void **state)
{
    struct clk_secret *s = clk_secret_copy(*state, "\0\xff\0\x01x", 5);
    char *out;
    size_t len;

    assert_int_equal(clk_secret_mask(*state, "a\0\xff\0\x01x\0", 7, &out, &len),
                     1);
    assert_int_equal(len, 10);
    assert_memory_equal(out, "a[secret]\0", 10);
    clk_free(out);
    clk_secret_unref(s);
}

static void test_overlapping_secrets_are_covered(void **state)
{
    struct clk_secret *a = make(*state, "abcdef"), *b = make(*state, "defghi"),
                      *c = make(*state, "bcde");

    assert_masked(*state, "xabcdefghix", "x[secret]x");
    assert_masked(*state, "abcdef", "[secret]");
    assert_masked(*state, "abcde", "a[secret]");
    clk_secret_unref(a);
    clk_secret_unref(b);
    clk_secret_unref(c);
}

static void test_masks_percent_encoding(void **state)
{
    struct clk_secret *s = make(*state, "p/q r%41+=~");

    assert_masked(*state, "?t=p%2Fq%20r%2541%2B%3D~&", "?t=[secret]&");
    assert_masked(*state, "?t=p%2fq+r%2541%2b%3d%7E", "?t=[secret]");
    assert_masked(*state, "p/q r%41+=~", "[secret]");
    assert_masked(*state, "p%2Fq%20r%2541%2B%3", "p%2Fq%20r%2541%2B%3");
    assert_masked(*state, "%", "%");
    clk_secret_unref(s);
}

static void test_masks_json_escapes(void **state)
{
    struct clk_secret *s =
        make(*state, "a\"b\\c/\n\t\x01\xc3\xa9\xf0\x9f\x98\x80");

    assert_masked(
        *state,
        "{\"k\":\"a\\\"b\\\\c\\/\\n\\t\\u0001\xc3\xa9\xf0\x9f\x98\x80\"}",
        "{\"k\":\"[secret]\"}");
    assert_masked(
        *state, "a\\u0022b\\u005Cc/\\u000a\\u0009\\u0001\\u00e9\\uD83D\\uDE00.",
        "[secret].");
    assert_masked(*state,
                  "\\u0061\\u0022b\\\\c/\\n\\t\\u0001\\u00c3\\u00a9"
                  "\xf0\x9f\x98\x80",
                  "[secret]");
    assert_masked(*state, "a\\\"b\\", "a\\\"b\\");
    assert_masked(*state, "a\\\"b\\\\c\\/\\n\\t\\u000",
                  "a\\\"b\\\\c\\/\\n\\t\\u000");
    clk_secret_unref(s);
}

static void test_masks_other_escapes(void **state)
{
    struct clk_secret *s = make(*state, "\a'\"<&\x1b/\xc3\xa9\xe2\x80\xae`=\v");

    assert_masked(*state, "\\a\\'\\\"<&\\e/\\xc3\\xa9\\xe2\\x80\\xae`=\\v",
                  "[secret]");
    assert_masked(*state, "\\u{7}'\"<&\\x1b/\xc3\xa9\\u{202e}`=\\x0B|",
                  "[secret]|");
    assert_masked(*state,
                  "<b>\a&#39;&quot;&lt;&amp;\x1b/\xc3\xa9\xe2\x80\xae`=\v</b>",
                  "<b>[secret]</b>");
    assert_masked(*state,
                  "&#7;&apos;&#x22;&#60;&#38;&#x1B;&#47;&#233;&#8238;&#x60;"
                  "&#61;&#11;",
                  "[secret]");
    assert_masked(*state, "\a'\"\"<&\x1b/\xc3\xa9\xe2\x80\xae`=\v", "[secret]");
    assert_masked(*state, "\a''\"<&\x1b/\xc3\xa9\xe2\x80\xae`=\v", "[secret]");
    clk_secret_unref(s);
}

static void test_broken_escapes_are_text(void **state)
{
    static const char text[] = "& &; &#; &#x; &#xZ; &#99999999; &amp &ampamp; "
                               "\\u{} \\u{110000} \\u{fffffffff \\uD83D \\u12 "
                               "\\uZ \\xZ \\x \\ %4 %Z %";
    struct clk_secret *s = make(*state, "&%\\\"'");

    for (size_t from = 0; from < sizeof(text); from++)
        assert_masked(*state, text + from, text + from);
    clk_secret_unref(s);
}

static void test_masks_runs_of_quotes(void **state)
{
    struct clk_secret *s = make(*state, "\"\"''");

    assert_masked(*state, "\"\"''", "[secret]");
    assert_masked(*state, "\"\"\"\"''", "[secret]");
    assert_masked(*state, "\"\"''''", "[secret]");
    assert_masked(*state, "\\\"\\\"\\'\\'", "[secret]");
    clk_secret_unref(s);
}

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Base64 with padding; `out` has room for 4 characters per 3 bytes and a NUL.
 */
static void encode(char *out, const unsigned char *in, size_t len, bool url)
{
    size_t i;

    for (i = 0; i < len; i += 3) {
        unsigned long group = (unsigned long)in[i] << 16
                              | (i + 1 < len ? in[i + 1] << 8 : 0)
                              | (i + 2 < len ? in[i + 2] : 0);

        for (int k = 0; k < 4; k++)
            *out++ =
                i + (size_t)k <= len ? digits[group >> (18 - 6 * k) & 63] : '=';
        if (url) {
            for (int k = -4; k < 0; k++)
                out[k] = out[k] == '+' ? '-' : out[k] == '/' ? '_' : out[k];
        }
    }
    *out = '\0';
}

static void test_masks_base64_alone(void **state)
{
    for (size_t len = 4; len < 40; len++) {
        unsigned char bytes[40];
        char text[64];
        struct clk_secret *s;

        for (size_t i = 0; i < len; i++)
            bytes[i] = (unsigned char)(i * 37 + len * 11 + 200);
        s = clk_secret_copy(*state, bytes, len);
        for (int url = 0; url < 2; url++) {
            encode(text, bytes, len, url);
            assert_masked(*state, text, "[secret]");
            text[strcspn(text, "=")] = '\0';
            assert_masked(*state, text, "[secret]");
        }
        clk_secret_unref(s);
    }
}

/* Within a longer encoded text ("user:password") at every alignment: at most
   the digits shared with a neighbour stay, never two in a row. */
static void test_masks_base64_within(void **state)
{
    static const char secret[] = "s3cret-value-of-some-length";

    for (size_t before = 0; before < 7; before++) {
        for (size_t after = 0; after < 4; after++) {
            char plain[64] = "usernamexxxx", text[96], *out;
            size_t len, covered;
            struct clk_secret *s = make(*state, secret);

            memcpy(plain + before, secret, sizeof(secret));
            memcpy(plain + before + sizeof(secret) - 1, "zzzz", after + 1);
            plain[before + sizeof(secret) - 1 + after] = '\0';
            encode(text, (unsigned char *)plain, strlen(plain), false);
            assert_int_equal(
                clk_secret_mask(*state, text, strlen(text), &out, &len), 1);
            covered = strlen(text) + 8 - len;
            assert_true(covered >= (8 * (sizeof(secret) - 1) - 4) / 6);
            clk_free(out);
            clk_secret_unref(s);
        }
    }
}

/* Feeds `text` in chunks of `size` bytes; the result must be `want`. */
static void assert_streamed(struct clk_secrets *set, const char *text,
                            size_t size, const char *want)
{
    struct clk_masker *m = clk_masker_new(set);
    char got[512];
    size_t total = 0, len = strlen(text);

    for (size_t at = 0; at <= len; at += size) {
        size_t n = len - at < size ? len - at : size, out_len;
        bool last = at + size > len;
        char *out;
        int found = clk_masker_feed(m, text + at, n, last, &out, &out_len);

        assert_true(found >= 0);
        if (!found) {
            memcpy(got + total, text + at, n);
            total += n;
            continue;
        }
        memcpy(got + total, out, out_len);
        total += out_len;
        clk_free(out);
    }
    got[total] = '\0';
    assert_string_equal(got, want);
    clk_masker_free(m);
}

static void test_streams_are_masked_across_chunks(void **state)
{
    static const char text[] = "hun hunter2! aHVudGVyMiE= hunter2%21"
                               "hunter2! overlapping tail hunter2";
    static const char want[] = "hun [secret] [secret] [secret]"
                               "[secret] [secret] tail hunter2";
    struct clk_secret *a = make(*state, "hunter2!"),
                      *b = make(*state, "overlap"),
                      *c = make(*state, "lapping");

    assert_masked(*state, text, want);
    for (size_t size = 1; size < sizeof(text) + 1; size++)
        assert_streamed(*state, text, size, want);
    clk_secret_unref(a);
    clk_secret_unref(b);
    clk_secret_unref(c);
    assert_streamed(*state, text, 3, text);
}

static void test_a_stream_holds_back_no_more_than_it_must(void **state)
{
    struct clk_secret *s = make(*state, "hunter2!");
    struct clk_masker *m = clk_masker_new(*state);
    char *out;
    size_t len;

    assert_int_equal(clk_masker_feed(m, "", 0, false, &out, &len), 0);
    assert_int_equal(clk_masker_feed(m, "a line\n", 7, false, &out, &len), 1);
    assert_int_equal(len, 7);
    clk_free(out);
    assert_int_equal(clk_masker_feed(m, "the hunt", 8, false, &out, &len), 1);
    assert_int_equal(len, 4);
    clk_free(out);
    assert_int_equal(clk_masker_feed(m, "ing\n", 4, false, &out, &len), 1);
    assert_int_equal(len, 8);
    assert_memory_equal(out, "hunting\n", 8);
    clk_free(out);
    assert_int_equal(clk_masker_feed(m, "hunter", 6, false, &out, &len), 1);
    assert_int_equal(len, 0);
    clk_free(out);
    clk_masker_free(m);
    clk_masker_free(NULL);
    clk_secret_unref(s);
}

/* Random texts over a tiny alphabet: streaming in any chunks gives what masking
   the whole gives, and no secret is left in it. */
static void test_random_texts(void **state)
{
    struct clk_secret *s[3] = {make(*state, "abab"), make(*state, "babba"),
                               make(*state, "aaaaaa")};
    unsigned random = 12345;

    for (int round = 0; round < 3000; round++) {
        char text[48], *out, whole[256];
        size_t len;
        int found;

        random = random * 1103515245 + 12345;
        len = random >> 16 & 31;
        for (size_t i = 0; i < len; i++) {
            random = random * 1103515245 + 12345;
            text[i] = "aaabbbc"[(random >> 16) % 7];
        }
        text[len] = '\0';
        found = clk_secret_mask(*state, text, len, &out, &len);
        if (found) {
            memcpy(whole, out, len);
            whole[len] = '\0';
            clk_free(out);
        }
        for (int i = 0; found && i < 3; i++)
            assert_null(strstr(
                whole, (const char[3][8]){"abab", "babba", "aaaaaa"}[i]));
        assert_streamed(*state, text, 1 + (random >> 20) % 5,
                        found ? whole : text);
    }
    for (int i = 0; i < 3; i++)
        clk_secret_unref(s[i]);
}

static void test_mask_survives_failing_allocations(void **state)
{
    struct clk_secret *s = make(*state, "hunter2!");
    int found = -1;

    for (unsigned long nth = 1; found < 0; nth++) {
        char *out;
        size_t len;

        assert_true(nth < 10);
        clk_secret_seal(s, s->len); /* the index is stale */
        clk_mem_fail_at(nth, true);
        found = clk_secret_mask(*state, "x hunter2! y", 12, &out, &len);
        clk_mem_fail_at(0, false);
        if (found > 0) {
            assert_int_equal(len, 12);
            clk_free(out);
        }
    }
    clk_secret_unref(s);
}

static void test_new_survives_failing_allocations(void **state)
{
    struct clk_secret *s = NULL;
    unsigned long nth = 1;

    for (; !s; nth++) {
        clk_mem_fail_at(nth, true);
        s = clk_secret_copy(*state, "abcd", 4);
        clk_mem_fail_at(0, false);
    }
    assert_true(nth > 2);
    clk_secret_unref(s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_set, close_set)
    const struct CMUnitTest tests[] = {
        TEST(test_holds_bytes),
        TEST(test_empty_and_too_long),
        TEST(test_guard_pages_stop_overruns),
        TEST(test_a_forked_child_sees_zeros),
        TEST(test_pages_are_locked_and_undumpable),
        TEST(test_pages_go_back),
        TEST(test_no_more_than_the_bound),
        TEST(test_wipe_empties_all),
        TEST(test_is_wiped_with_its_set),
        TEST(test_same),
        TEST(test_digests_tell_bytes_and_keys_apart),
        TEST(test_masks_the_bytes),
        TEST(test_short_secrets_are_left),
        TEST(test_masks_binary),
        TEST(test_overlapping_secrets_are_covered),
        TEST(test_masks_percent_encoding),
        TEST(test_masks_json_escapes),
        TEST(test_masks_other_escapes),
        TEST(test_broken_escapes_are_text),
        TEST(test_masks_runs_of_quotes),
        TEST(test_masks_base64_alone),
        TEST(test_masks_base64_within),
        TEST(test_streams_are_masked_across_chunks),
        TEST(test_a_stream_holds_back_no_more_than_it_must),
        TEST(test_random_texts),
        TEST(test_mask_survives_failing_allocations),
        TEST(test_new_survives_failing_allocations),
    };

    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
