/* Token buckets: the arithmetic, and the table in memory. */
#include "rate_kit.h"

#include <stdio.h>
#include <stdlib.h>

/* --- arithmetic --------------------------------------------------------- */

static void test_limits_out_of_range_are_refused(void **state)
{
    struct clk_rate_limit l;
    double nan = strtod("nan", NULL), inf = strtod("inf", NULL);

    (void)state;
    assert_true(clk_rate_limit_init(&l, 1, 3, 0));
    assert_int_equal(l.interval, SECOND);
    assert_true(clk_rate_limit_init(&l, 100.0 / 60, 100, 5));
    assert_false(clk_rate_limit_init(&l, 0, 3, 0));
    assert_false(clk_rate_limit_init(&l, -1, 3, 0));
    assert_false(clk_rate_limit_init(&l, nan, 3, 0));
    assert_false(clk_rate_limit_init(&l, inf, 3, 0));
    assert_false(clk_rate_limit_init(&l, 1, 0, 0));
    assert_false(clk_rate_limit_init(&l, 1, 2.5, 0));
    assert_false(clk_rate_limit_init(&l, 1, nan, 0));
    assert_false(clk_rate_limit_init(&l, 1, 1e6, 0));
    assert_false(clk_rate_limit_init(&l, 1, 3, -1));
    assert_false(clk_rate_limit_init(&l, 1, 3, 6));
    assert_false(clk_rate_limit_init(&l, 1, 3, nan));
}

/* Takes one token as soon as it may; the time it took it. */
static int64_t take_when_allowed(const struct clk_rate_limit *limit,
                                 uint64_t *word, int64_t now)
{
    uint64_t next;

    for (int i = 0; i < 10; i++) {
        int64_t wait = clk_rate_decide(limit, *word, 0, 1, now, &next);

        *word = next;
        if (wait == 0)
            return now;
        now += wait;
    }
    fail_msg("the bucket gives different answers each time");
    return 0;
}

static void test_a_burst_leaves_at_once_and_a_stream_follows(void **state)
{
    struct clk_rate_limit l = limit_of(1, 3, 0.5);
    int64_t now = 1000 * SECOND, start = now, t;
    uint64_t word = 0;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(take_when_allowed(&l, &word, now), start);
    for (int i = 1; i <= 100; i++) {
        now = take_when_allowed(&l, &word, now);
        t = start + SECOND / 2 + i * SECOND;
        assert_in_range(now - t, 0, (uint64_t)(i * 2 * MS));
    }
}

/* The bucket as a server would write it. */
struct server {
    double tokens, burst, per_second;
    int64_t last;
};

static bool server_takes(struct server *s, int64_t now)
{
    s->tokens += (double)(now - s->last) / 1e9 * s->per_second;
    if (s->tokens > s->burst)
        s->tokens = s->burst;
    s->last = now;
    if (s->tokens < 1)
        return false;
    s->tokens -= 1;
    return true;
}

static void test_without_jitter_it_is_a_token_bucket(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (int run = 0; run < 200; run++) {
        double burst = (double)(1 + pick(&seed, 12)),
               rate = (double)(1 + pick(&seed, 8));
        struct clk_rate_limit l = limit_of(rate, burst, 0);
        struct server s = {burst, burst, rate, 0};
        int64_t now = SECOND;
        uint64_t word = 0, next;

        for (int i = 0; i < 300; i++) {
            /* On a grid coarse enough for rounding not to matter. */
            int64_t wait = clk_rate_decide(&l, word, 0, 1, now, &next);
            bool granted = wait == 0;

            if (wait > 2000 || granted)
                assert_int_equal(granted, server_takes(&s, now));
            else
                granted = false;
            if (granted)
                word = next;
            now += pick(&seed, 2 * SECOND / (int64_t)rate) + 1;
        }
    }
}

static void test_arrivals_that_jitter_never_empty_the_server(void **state)
{
    uint64_t seed = 1;

    enum { COUNT = 400 };
    int64_t arrivals[COUNT];

    (void)state;
    for (int run = 0; run < 300; run++) {
        double burst = (double)(1 + pick(&seed, 10)),
               rate = (double)(1 + pick(&seed, 5));
        double jitter = (double)(1 + pick(&seed, 1000)) / 1000;
        struct clk_rate_limit l = limit_of(rate, burst, jitter);
        struct server s = {burst, burst, rate, 0};
        int64_t now = 100 * SECOND;
        uint64_t word = 0;

        for (int i = 0; i < COUNT; i++) {
            now = take_when_allowed(&l, &word, now);
            /* All late, none late, or as it comes. */
            arrivals[i] =
                now + pick(&seed, 2) * pick(&seed, (int64_t)(jitter * 1e9) + 1);
            if (pick(&seed, 8) == 0)
                now += pick(&seed, 4 * SECOND);
        }
        qsort(arrivals, COUNT, sizeof(arrivals[0]), by_time);
        for (int i = 0; i < COUNT; i++)
            assert_true(server_takes(&s, arrivals[i]));
    }
}

static void test_several_tokens_are_several_requests(void **state)
{
    struct clk_rate_limit l = limit_of(10, 5, 0);
    uint64_t word = 0, next;
    int64_t now = SECOND;

    (void)state;
    assert_int_equal(clk_rate_decide(&l, word, 0, 5, now, &word), 0);
    assert_in_range(clk_rate_decide(&l, word, 0, 1, now, &next), 100 * MS,
                    101 * MS);
    assert_in_range(clk_rate_decide(&l, word, 0, 5, now, &next), 500 * MS,
                    501 * MS);
    assert_int_equal(next, word);
}

static void test_no_word_blocks_longer_than_the_burst(void **state)
{
    uint64_t seed = 1;
    struct clk_rate_limit l = limit_of(1, 3, 0.5);
    static const uint64_t words[] = {
        0, 1, 255, UINT64_MAX, UINT64_C(1) << 63, UINT64_C(1) << 62};

    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint64_t word = i < 6 ? words[i]
                              : (uint64_t)pick(&seed, INT64_MAX)
                                    << pick(&seed, 8);
        int64_t now = pick(&seed, 1000) * SECOND, waited = 0;
        uint64_t next = word;

        for (int k = 0; k < 4; k++) {
            int64_t wait = clk_rate_decide(&l, next, 0, 1, now, &next);

            waited += wait;
            now += wait;
            if (wait == 0)
                break;
            assert_true(k < 3);
        }
        assert_true(waited <= 3 * SECOND);
    }
}

static void test_a_penalty_ends_with_one_token(void **state)
{
    struct clk_rate_limit l = limit_of(1, 3, 0.5);
    int64_t now = 100 * SECOND, until = now + 10 * SECOND;
    uint64_t word = 0, next;

    (void)state;
    assert_int_equal(clk_rate_decide(&l, word, until, 1, now, &next),
                     10 * SECOND + SECOND / 2);
    now = until + SECOND / 2;
    assert_int_equal(clk_rate_decide(&l, word, until, 1, now, &word), 0);
    assert_in_range(clk_rate_decide(&l, word, until, 1, now, &next), SECOND,
                    SECOND + SECOND / 100);
    /* One that no one can have meant is none. */
    assert_int_equal(
        clk_rate_decide(&l, 0, now + 2 * CLK_RATE_MAX_PENALTY, 1, now, &next),
        0);
    assert_int_equal(clk_rate_decide(&l, 0, INT64_MAX, 1, now, &next), 0);
    assert_int_equal(clk_rate_decide(&l, 0, INT64_MIN, 1, now, &next), 0);
}

/* --- the table ---------------------------------------------------------- */

static void test_a_full_table_counts_everything(void **state)
{
    struct clk_rate_limit l = limit_of(1, 1, 0);
    int64_t now = 1000 * SECOND;
    struct clk_rate_table t = {.clock = fake_clock, .clock_ud = &now};
    int granted = 0, again = 0;

    (void)state;
    assert_int_equal(clk_rate_table_open(&t, NULL, 0), 0);
    for (int round = 0; round < 2; round++) {
        granted = again = 0;
        for (uint64_t i = 1; i <= 3 * CLK_RATE_SLOTS; i++) {
            char name[32];
            int len = snprintf(name, sizeof(name), "key%d-%d", round, (int)i);
            uint64_t key = clk_rate_key(name, (size_t)len);

            granted += clk_rate_take(&t, key, &l, 1) == 0;
            again += clk_rate_take(&t, key, &l, 1) == 0;
        }
        /* What finds no slot waits, it does not pass. */
        assert_true(granted > CLK_RATE_SLOTS / 2);
        assert_true(granted <= CLK_RATE_SLOTS);
        assert_int_equal(again, 0);
        /* Once the buckets are full again, their slots are free. */
        now += 10 * SECOND;
    }
    clk_rate_table_close(&t);
    clk_rate_table_close(&t);
}

static void test_delay_and_penalty_of_a_table(void **state)
{
    struct clk_rate_limit l = limit_of(1, 2, 0);
    int64_t now = 1000 * SECOND;
    struct clk_rate_table t = {.clock = fake_clock, .clock_ud = &now};

    (void)state;
    assert_int_equal(clk_rate_table_open(&t, NULL, 0), 0);
    assert_int_equal(clk_rate_delay(&t, 5, &l, 2), 0);
    assert_int_equal(clk_rate_take(&t, 5, &l, 2), 0);
    assert_in_range(clk_rate_delay(&t, 5, &l, 1), SECOND, SECOND + 300);
    clk_rate_penalize(&t, 5, 30 * SECOND);
    clk_rate_penalize(&t, 5, 20 * SECOND); /* the longer one stays */
    assert_in_range(clk_rate_take(&t, 5, &l, 1), 30 * SECOND,
                    30 * SECOND + 300);
    assert_int_equal(clk_rate_delay(&t, 6, &l, 1), 0);
    clk_rate_penalize(&t, 6, 100 * CLK_RATE_MAX_PENALTY);
    assert_in_range(clk_rate_delay(&t, 6, &l, 1), CLK_RATE_MAX_PENALTY,
                    CLK_RATE_MAX_PENALTY + 300);
    clk_rate_table_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits_out_of_range_are_refused),
        cmocka_unit_test(test_a_burst_leaves_at_once_and_a_stream_follows),
        cmocka_unit_test(test_without_jitter_it_is_a_token_bucket),
        cmocka_unit_test(test_arrivals_that_jitter_never_empty_the_server),
        cmocka_unit_test(test_several_tokens_are_several_requests),
        cmocka_unit_test(test_no_word_blocks_longer_than_the_burst),
        cmocka_unit_test(test_a_penalty_ends_with_one_token),
        cmocka_unit_test(test_a_full_table_counts_everything),
        cmocka_unit_test(test_delay_and_penalty_of_a_table),
    };

    return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
