/* Token buckets, the arithmetic: may a request start now, and if not, when?
   Pure: time comes in as nanoseconds of a clock that never goes back.

   A bucket is one 64-bit word, as in GCRA (the "generic cell rate algorithm"):
   the time at which it will be full again. Each request pushes that time one
   interval further; a request that would push it further than the burst must
   wait. One word can be changed by one compare-and-swap, so processes can share
   it without a lock.

   The aim is that the server's bucket never runs empty, so that it never
   answers "too many requests". The server counts arrivals, not departures:
   requests that leave well spaced arrive closer together when the first one was
   slow (it had to connect). Hence `jitter`: every run of more than `burst`
   requests is stretched by it, whatever happened before, so that a request may
   arrive up to `jitter` later than it was granted without harm. What it costs:
   a full burst still leaves at once, the one request behind it waits `jitter`
   longer, and the stream that follows keeps its rate. For clocks that differ,
   the interval is 1/1024 longer than asked. */
#ifndef CLK_RATE_H
#define CLK_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLK_RATE_SECOND INT64_C(1000000000)

/* The longest penalty, in nanoseconds; one further in the future is not ours.
 */
#define CLK_RATE_MAX_PENALTY (3600 * CLK_RATE_SECOND)

/* The longest jitter that may be asked for, in nanoseconds. */
#define CLK_RATE_MAX_JITTER (5 * CLK_RATE_SECOND)

/* How many requests may start: all in nanoseconds, all positive. */
struct clk_rate_limit {
    int64_t interval; /* from one token to the next */
    int64_t jitter;   /* how much later than others a request may arrive */
    int64_t burst;    /* tokens in a full bucket */
};

/* Sets up a limit of `per_second` tokens and `burst` in a full bucket. False
   when a number is out of range: the bucket must fill within a day, and an
   interval is at least a microsecond. */
bool clk_rate_limit_init(struct clk_rate_limit *limit, double per_second,
                         double burst, double jitter_seconds);

/* Nanoseconds until `n` (1 to burst) requests may start, 0 when they may now.
   `word` is the bucket (0 is a full one), `until` the end of a penalty (0 for
   none), `now` the time, read after both. `*next` is the word to store: the
   bucket after the requests when they may start, else the bucket as it is,
   repaired when no sequence of requests could have led to it (another clock, a
   damaged file). The answer is at most what `n` tokens take in an empty bucket
   (plus jitter) after the end of the penalty: no word blocks for longer. */
int64_t clk_rate_decide(const struct clk_rate_limit *limit, uint64_t word,
                        int64_t until, int64_t n, int64_t now, uint64_t *next);

/* Whether a bucket tells no more than a new one would, whoever uses it: it has
   long been full, or its times are of another clock. */
bool clk_rate_is_stale(uint64_t word, int64_t until, int64_t now);

/* The word of a bucket that is full from `now` on. */
uint64_t clk_rate_full(int64_t now);

/* The name of a bucket as a number, never 0. */
uint64_t clk_rate_key(const char *name, size_t len);

#endif
