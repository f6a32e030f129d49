/* Token buckets, the arithmetic. */
#include "core/rate.h"

/* A word holds the time in its upper bits and, in the lower eight, how many
   requests started since the bucket was last full (255: that many or more). */
#define COUNT_MASK UINT64_C(255)

#define DAY (86400 * CLK_RATE_SECOND)
#define DRIFT_SHARE 1024 /* the interval's share that covers clock drift */

/* A penalty says that the bucket was empty; this long after its end that says
   nothing any more, for any limit in use. */
#define PENALTY_MEMORY (60 * CLK_RATE_SECOND)

bool clk_rate_limit_init(struct clk_rate_limit *limit, double per_second,
                         double burst, double jitter_seconds)
{
    double interval = 1e9 / per_second;
    double jitter = jitter_seconds * 1e9;

    /* Written so that a NaN is out of range. */
    if (!(per_second > 0 && burst >= 1 && burst == (double)(int64_t)burst))
        return false;
    if (!(interval >= 1e3 && interval * burst <= (double)DAY))
        return false;
    if (!(jitter >= 0 && jitter <= (double)CLK_RATE_MAX_JITTER))
        return false;
    limit->interval = (int64_t)interval;
    limit->burst = (int64_t)burst;
    limit->jitter = (int64_t)jitter;
    if (limit->jitter > 0)
        limit->interval += limit->interval / DRIFT_SHARE + 1;
    return true;
}

static uint64_t pack(int64_t due, int64_t count)
{
    uint64_t time = ((uint64_t)due + COUNT_MASK) & ~COUNT_MASK;

    return time | (count < 255 ? (uint64_t)count : COUNT_MASK);
}

uint64_t clk_rate_full(int64_t now)
{
    return pack(now > 0 ? now : 1, 255);
}

/* A bucket, unpacked. */
struct bucket {
    int64_t due;   /* when it is full again */
    int64_t count; /* requests since it was last full, at most 255 */
};

static struct bucket unpack(const struct clk_rate_limit *limit, uint64_t word,
                            int64_t now)
{
    int64_t lead = limit->interval * limit->burst;
    struct bucket b = {(int64_t)(word & ~COUNT_MASK),
                       (int64_t)(word & COUNT_MASK)};

    if (b.due < 0 || b.due > now + lead + (int64_t)COUNT_MASK) {
        b.due = now + lead; /* impossible: take it for an empty bucket */
        b.count = limit->burst;
    }
    return b;
}

/* At a penalty's end there is one token, since a refusal means there is none.
 */
static void punish(const struct clk_rate_limit *limit, struct bucket *b,
                   int64_t until, int64_t now)
{
    int64_t lead = (limit->burst - 1) * limit->interval;

    if (until <= 0 || until > now + CLK_RATE_MAX_PENALTY
        || until + lead <= b->due)
        return;
    b->due = until + lead;
    b->count = limit->burst;
}

int64_t clk_rate_decide(const struct clk_rate_limit *limit, uint64_t word,
                        int64_t until, int64_t n, int64_t now, uint64_t *next)
{
    struct bucket b = unpack(limit, word, now);
    int64_t burst = limit->burst < 255 ? limit->burst : 254;
    int64_t start = now;

    *next =
        b.due == (int64_t)(word & ~COUNT_MASK) ? word : pack(b.due, b.count);
    punish(limit, &b, until, now);
    if (b.due + limit->jitter <= now)
        b.count = 0; /* full, even if what came before arrives late */
    else if (b.count + n > burst)
        start = b.due - (limit->burst - n) * limit->interval + limit->jitter;
    if (start > now)
        return start - now;
    if (b.due < now)
        b.due = now;
    *next = pack(b.due + n * limit->interval, b.count + n);
    return 0;
}

bool clk_rate_is_stale(uint64_t word, int64_t until, int64_t now)
{
    int64_t due = (int64_t)(word & ~COUNT_MASK);
    bool full = due <= now - CLK_RATE_MAX_JITTER || due > now + DAY + DAY;
    bool free = until <= 0 || until <= now - PENALTY_MEMORY
                || until > now + CLK_RATE_MAX_PENALTY;

    return due < 0 || (full && free);
}

uint64_t clk_rate_key(const char *name, size_t len)
{
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a … */

    for (size_t i = 0; i < len; i++) {
        h ^= (unsigned char)name[i];
        h *= UINT64_C(1099511628211);
    }
    h ^= h >> 33; /* … and a finalizer, since the low bits choose the slot */
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    return h ? h : 1;
}
