/* What the tests of token buckets share. */
#ifndef RATE_KIT_H
#define RATE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/rate_file.h"

#define SECOND CLK_RATE_SECOND
#define MS (SECOND / 1000)

static inline struct clk_rate_limit limit_of(double per_second, double burst,
                                             double jitter)
{
    struct clk_rate_limit limit;

    assert_true(clk_rate_limit_init(&limit, per_second, burst, jitter));
    return limit;
}

/* A repeatable source of numbers from 0 to n - 1. */
static inline int64_t pick(uint64_t *seed, int64_t n)
{
    *seed =
        *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((*seed >> 33) % (uint64_t)n);
}

static inline int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static inline int64_t fake_clock(void *ud)
{
    return *(int64_t *)ud;
}

#endif
