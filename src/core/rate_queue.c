/* Queues of waiters, one libuv timer each. */
#include "core/rate_queue.h"

#include "core/mem.h"

/* The longest a timer runs before the bucket is asked again: the machine may
   have slept, another process may have been refused. */
#define MAX_WAIT CLK_RATE_SECOND

/* How long other processes may ask first after this one took a token: at most
   this, and this share of the interval. */
#define MAX_COURTESY (CLK_RATE_SECOND / 500)
#define COURTESY_SHARE 16

/* Who waits for one bucket: a heap block that ends in its timer's close
   callback, since libuv owns the timer until then. */
struct clk_rate_queue {
    uv_timer_t timer;
    struct clk_rate *rate;
    uint64_t key;
    struct clk_rate_waiter *head, *tail;
    struct clk_rate_queue *next; /* in its chain */
};

static struct clk_rate_queue **chain(struct clk_rate *rate, uint64_t key)
{
    return &rate->chains[key % CLK_RATE_CHAINS];
}

static struct clk_rate_queue *find(struct clk_rate *rate, uint64_t key)
{
    struct clk_rate_queue *q = *chain(rate, key);

    while (q && q->key != key)
        q = q->next;
    return q;
}

static void on_closed(uv_handle_t *handle)
{
    clk_free(handle->data);
}

static void drop(struct clk_rate_queue *q)
{
    struct clk_rate_queue **link = chain(q->rate, q->key);

    while (*link != q)
        link = &(*link)->next;
    *link = q->next;
    uv_close((uv_handle_t *)&q->timer, on_closed);
}

static void unlink_waiter(struct clk_rate_waiter *w)
{
    struct clk_rate_queue *q = w->queue;

    *(w->prev ? &w->prev->next : &q->head) = w->next;
    *(w->next ? &w->next->prev : &q->tail) = w->prev;
    w->prev = w->next = NULL;
    w->queue = NULL;
}

static void on_timer(uv_timer_t *timer);

/* Asks again in that many nanoseconds; rounded up, so never too early. */
static void start(struct clk_rate_queue *q, int64_t wait)
{
    if (wait > MAX_WAIT)
        wait = MAX_WAIT;
    uv_update_time(q->rate->loop);
    uv_timer_start(&q->timer, on_timer, (uint64_t)(wait / 1000000) + 1, 0);
}

static int64_t courtesy(const struct clk_rate_limit *limit)
{
    int64_t share = limit->interval / COURTESY_SHARE;

    return share < MAX_COURTESY ? share : MAX_COURTESY;
}

/* Grants what there is, in order. */
static void on_timer(uv_timer_t *timer)
{
    struct clk_rate_queue *q = timer->data;
    struct clk_rate_waiter *w = q->head;
    int64_t wait = 0;
    bool granted = false;

    while (w) {
        wait = clk_rate_take(&q->rate->table, q->key, &w->limit, w->n);
        if (wait > 0)
            break;
        granted = w->granted = true;
        unlink_waiter(w);
        w->on_event(w->ud);
        w = q->head;
    }
    if (!w)
        drop(q);
    else
        start(q, wait + (granted ? courtesy(&w->limit) : 0));
}

static struct clk_rate_queue *queue_of(struct clk_rate *rate, uint64_t key)
{
    struct clk_rate_queue *q = find(rate, key);

    if (q)
        return q;
    q = clk_calloc(1, sizeof(*q));
    if (!q)
        return NULL;
    uv_timer_init(rate->loop, &q->timer);
    q->timer.data = q;
    q->rate = rate;
    q->key = key;
    q->next = *chain(rate, key);
    *chain(rate, key) = q;
    return q;
}

int clk_rate_enter(struct clk_rate *rate, uint64_t key,
                   struct clk_rate_waiter *w)
{
    struct clk_rate_queue *q = find(rate, key);
    int64_t wait = 0;

    if (!q) {
        wait = clk_rate_take(&rate->table, key, &w->limit, w->n);
        w->granted = wait == 0;
        if (w->granted)
            return 0;
        q = queue_of(rate, key);
    }
    if (!q)
        return UV_ENOMEM;
    w->queue = q;
    w->prev = q->tail;
    w->next = NULL;
    *(q->tail ? &q->tail->next : &q->head) = w;
    q->tail = w;
    if (q->head == w)
        start(q, wait);
    return 0;
}

void clk_rate_leave(struct clk_rate_waiter *w)
{
    struct clk_rate_queue *q = w->queue;
    bool was_first = q && q->head == w;

    if (!q)
        return;
    unlink_waiter(w);
    if (!q->head)
        drop(q);
    else if (was_first)
        start(q, 0);
}

void clk_rate_ask_again(struct clk_rate *rate)
{
    for (int i = 0; i < CLK_RATE_CHAINS; i++)
        for (struct clk_rate_queue *q = rate->chains[i]; q; q = q->next)
            start(q, 0);
}

int clk_rate_open(struct clk_rate *rate, uv_loop_t *loop, const char *path,
                  uint64_t boot)
{
    rate->loop = loop;
    return clk_rate_table_open(&rate->table, path, boot);
}

void clk_rate_close(struct clk_rate *rate)
{
    for (int i = 0; i < CLK_RATE_CHAINS; i++) {
        while (rate->chains[i]) {
            struct clk_rate_queue *q = rate->chains[i];
            struct clk_rate_waiter *w = q->head;

            w->closed = true;
            clk_rate_leave(w);
            w->on_event(w->ud);
        }
    }
    clk_rate_table_close(&rate->table);
}
