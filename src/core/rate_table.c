/* Slots of a table: finding, claiming, changing them without a lock. */
#include "core/rate_table.h"

#include <stdatomic.h>
#include <sys/file.h>
#include <time.h>

#include "core/rate_file.h"

/* The word of a slot that is being given to another name: no bucket is due
   then. Set and removed under the lock only. */
#define CLAIMED UINT64_MAX

/* Lost races after which a caller is told to try again. */
#define MAX_TRIES 64

#define RETRY (CLK_RATE_SECOND / 1000)    /* after lost races */
#define FULL_RETRY (CLK_RATE_SECOND / 50) /* while no slot is free */

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics take a lock");
_Static_assert((CLK_RATE_SLOTS & (CLK_RATE_SLOTS - 1)) == 0, "a power of two");

static struct clk_rate_slot *slot_at(struct clk_rate_table *t, uint64_t key,
                                     unsigned probe)
{
    return &t->file->slots[(key + probe) & (CLK_RATE_SLOTS - 1)];
}

/* The slot of that name; NULL when it has none. With `claim` an unused slot is
   given to it: names never move and an unused slot is never passed over, so
   two processes cannot choose different ones. */
static struct clk_rate_slot *find(struct clk_rate_table *t, uint64_t key,
                                  bool claim)
{
    for (unsigned i = 0; i < CLK_RATE_PROBES; i++) {
        struct clk_rate_slot *slot = slot_at(t, key, i);
        uint64_t found = atomic_load(&slot->key);

        if (found == 0) {
            if (!claim)
                return NULL;
            if (atomic_compare_exchange_strong(&slot->key, &found, key))
                return slot;
        }
        if (found == key && atomic_load(&slot->word) != CLAIMED)
            return slot;
    }
    return NULL;
}

/* Gives a stale slot to a new name. Its word is claimed first: from then on no
   request of the old name can be counted there. A claim that is already there
   is of a process that died here, since only the lock's holder claims. */
static bool evict(struct clk_rate_table *t, struct clk_rate_slot *slot,
                  uint64_t key)
{
    uint64_t word = atomic_load(&slot->word);
    int64_t until = atomic_load(&slot->until);
    int64_t now = t->clock(t->clock_ud);

    if (word != CLAIMED) {
        if (!clk_rate_is_stale(word, until, now))
            return false;
        if (!atomic_compare_exchange_strong(&slot->word, &word, CLAIMED))
            return false;
    }
    atomic_store(&slot->key, key);
    atomic_store(&slot->until, 0);
    /* Full as of now: a word the slot never had before, so that a request of
       the old name that is on its way fails to change it. */
    atomic_store(&slot->word, clk_rate_full(now - CLK_RATE_MAX_JITTER));
    return true;
}

static struct clk_rate_slot *replace_stale(struct clk_rate_table *t,
                                           uint64_t key)
{
    struct clk_rate_slot *slot;

    if (t->fd >= 0 && flock(t->fd, LOCK_EX | LOCK_NB) != 0)
        return NULL;
    slot = find(t, key, true); /* another process may have been faster */
    for (unsigned i = 0; !slot && i < CLK_RATE_PROBES; i++)
        if (evict(t, slot_at(t, key, i), key))
            slot = slot_at(t, key, i);
    if (t->fd >= 0)
        flock(t->fd, LOCK_UN);
    return slot;
}

int64_t clk_rate_take(struct clk_rate_table *t, uint64_t key,
                      const struct clk_rate_limit *limit, int64_t n)
{
    for (int i = 0; i < MAX_TRIES; i++) {
        struct clk_rate_slot *slot = find(t, key, true);
        uint64_t word, next;
        int64_t until, wait;

        if (!slot)
            slot = replace_stale(t, key);
        if (!slot)
            return FULL_RETRY;
        word = atomic_load(&slot->word);
        until = atomic_load(&slot->until);
        if (word == CLAIMED || atomic_load(&slot->key) != key)
            continue;
        wait = clk_rate_decide(limit, word, until, n, t->clock(t->clock_ud),
                               &next);
        if (next != word
            && !atomic_compare_exchange_strong(&slot->word, &word, next))
            continue;
        /* Counted for another name if the slot changed hands: once more. */
        if (wait > 0 || atomic_load(&slot->key) == key)
            return wait;
    }
    return RETRY;
}

int64_t clk_rate_delay(struct clk_rate_table *t, uint64_t key,
                       const struct clk_rate_limit *limit, int64_t n)
{
    struct clk_rate_slot *slot = find(t, key, false);
    uint64_t word, next;
    int64_t until;

    if (!slot)
        return 0;
    word = atomic_load(&slot->word);
    until = atomic_load(&slot->until);
    if (word == CLAIMED || atomic_load(&slot->key) != key)
        return 0;
    return clk_rate_decide(limit, word, until, n, t->clock(t->clock_ud), &next);
}

void clk_rate_penalize(struct clk_rate_table *t, uint64_t key,
                       int64_t nanoseconds)
{
    struct clk_rate_slot *slot = find(t, key, true);
    int64_t now = t->clock(t->clock_ud), end, until;

    if (!slot)
        slot = replace_stale(t, key);
    if (!slot)
        return; /* a full table delays this name anyway */
    if (nanoseconds > CLK_RATE_MAX_PENALTY)
        nanoseconds = CLK_RATE_MAX_PENALTY;
    end = now + nanoseconds;
    until = atomic_load(&slot->until);
    for (int i = 0; i < MAX_TRIES; i++) {
        bool ours = until <= now + CLK_RATE_MAX_PENALTY;

        if (until >= end && ours)
            return;
        if (atomic_compare_exchange_strong(&slot->until, &until, end))
            return;
    }
}

int64_t clk_rate_now(void *unused)
{
    struct timespec t;

    (void)unused;
#ifdef CLOCK_BOOTTIME
    if (clock_gettime(CLOCK_BOOTTIME, &t) != 0)
#endif
        clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * CLK_RATE_SECOND + t.tv_nsec;
}
