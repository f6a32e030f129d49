/* Waiting for tokens on the loop: a queue per bucket, first come, first served
   within the process. Only the first in a queue asks the bucket, when its time
   has come, so nothing is reserved and who leaves owes nothing. A process that
   just took a token lets others ask first, so that processes take turns. */
#ifndef CLK_RATE_QUEUE_H
#define CLK_RATE_QUEUE_H

#include <stdbool.h>

#include <uv.h>

#include "core/rate_table.h"

#define CLK_RATE_CHAINS 64

struct clk_rate_queue;

/* Who waits; in its owner's memory, zeroed, `on_event` set before it enters. */
struct clk_rate_waiter {
    /* Granted, or closed; it has left the queue. Must not call the limiter. */
    void (*on_event)(void *ud);
    void *ud;
    bool granted;
    bool closed;                  /* the limiter was closed meanwhile */
    struct clk_rate_queue *queue; /* NULL when it does not wait */
    struct clk_rate_waiter *prev, *next;
    struct clk_rate_limit limit;
    int64_t n;
};

/* A table and the queues of this process. */
struct clk_rate {
    struct clk_rate_table table;
    uv_loop_t *loop;
    struct clk_rate_queue *chains[CLK_RATE_CHAINS]; /* by bucket */
};

/* Opens a limiter; see clk_rate_table_open for `path`, `boot` and errors. */
int clk_rate_open(struct clk_rate *rate, uv_loop_t *loop, const char *path,
                  uint64_t boot);

/* Ends every wait and closes the table; nothing when it is closed. */
void clk_rate_close(struct clk_rate *rate);

/* Takes waiter->n tokens by waiter->limit: at once (waiter->granted), or when
   on_event is called. 0, or UV_ENOMEM. */
int clk_rate_enter(struct clk_rate *rate, uint64_t key,
                   struct clk_rate_waiter *waiter);

/* Every queue asks its bucket now: the table's clock has jumped. */
void clk_rate_ask_again(struct clk_rate *rate);

/* Leaves the queue without a token; nothing when it is in none. */
void clk_rate_leave(struct clk_rate_waiter *waiter);

#endif
