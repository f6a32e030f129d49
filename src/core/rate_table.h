/* A table of token buckets, in private memory or in a file that processes map
   side by side.

   The file is a header and a fixed number of slots {name, word, penalty}, open
   addressing, at most CLK_RATE_PROBES slots looked at for a name. A request
   changes one word by compare-and-swap: nobody holds a lock, a process killed
   anywhere leaves a whole table behind and, since nothing is reserved ahead,
   blocks nobody. A name keeps its slot; once all the slots it may use are
   taken, the first of them whose bucket has long been full (so that it says
   nothing) is given to it. Only that step takes a lock (flock, which the kernel
   gives back when its holder dies); while no slot is free, the caller is told
   to try again soon, so a full table delays new names by seconds but never lets
   a request through uncounted.

   The header names the boot: after a restart of the machine the clock starts
   anew and the first to open the file empties it. The file is written whole
   before it gets its name, mode 0600. One that is empty, zeroed or of another
   version of this program is replaced; one that is anything else is refused.
   Its directory is the user's: who can truncate a mapped file can kill us. */
#ifndef CLK_RATE_TABLE_H
#define CLK_RATE_TABLE_H

#include <stdint.h>

#include "core/rate.h"

#define CLK_RATE_SLOTS 4096
#define CLK_RATE_PROBES 64

struct clk_rate_file;

/* Reads a clock in nanoseconds; it must not go back. */
typedef int64_t clk_rate_clock(void *ud);

/* An open table; zeroed before it is opened. */
struct clk_rate_table {
    struct clk_rate_file *file; /* the mapping, or private memory */
    int fd;                     /* of the file, -1 for private memory */
    clk_rate_clock *clock;
    void *clock_ud;
};

/* Opens the table in the file at `path`, or a private one when it is NULL.
   `boot` is a number that differs from one start of the machine to the next.
   0, or a libuv error number: UV_EINVAL when the file is something else,
   UV_EPERM when it belongs to another user, UV_EBUSY when another process does
   not finish setting it up. */
int clk_rate_table_open(struct clk_rate_table *table, const char *path,
                        uint64_t boot);

/* Closes it; nothing when it is not open. */
void clk_rate_table_close(struct clk_rate_table *table);

/* Takes `n` tokens of a bucket: 0 when they were there, else the nanoseconds
   after which to ask again. A name must be used with one limit only. */
int64_t clk_rate_take(struct clk_rate_table *table, uint64_t key,
                      const struct clk_rate_limit *limit, int64_t n);

/* The same without taking them. */
int64_t clk_rate_delay(struct clk_rate_table *table, uint64_t key,
                       const struct clk_rate_limit *limit, int64_t n);

/* Lets nothing start for that many nanoseconds (at most CLK_RATE_MAX_PENALTY):
   the server refused. An earlier penalty that lasts longer stays. */
void clk_rate_penalize(struct clk_rate_table *table, uint64_t key,
                       int64_t nanoseconds);

/* The machine's clock, sleep included; it never goes back. */
int64_t clk_rate_now(void *unused);

/* A number for this start of the machine; 0 when the system gives none. */
uint64_t clk_rate_boot(void);

#endif
