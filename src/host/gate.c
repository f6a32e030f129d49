/* Waiter lists with timeouts. A waiter is a userdata on the waiting task's
   stack; its timer lives in a heap block of its own until libuv closed it. */
#include "host/class.h"
#include "host/gate.h"

#include <lauxlib.h>
#include <string.h>

#include "core/mem.h"
#include "host/err.h"

#define WAITER_META "host.task.waiter"

/* The longest wait, in seconds: a year, far below what libuv can count. */
#define MAX_SECONDS 31536000.0

/* A libuv timer that outlives the waiter until its close callback. */
struct gate_timer {
    uv_timer_t uv;
    struct clk_gate_waiter *waiter; /* NULL once the waiter let go of it */
};

/* One task in a gate's list. */
struct clk_gate_waiter {
    struct clk_wait wait;
    struct clk_gate *gate; /* NULL when it is in no list */
    struct clk_gate_waiter *prev, *next;
    struct gate_timer *timer;
    lua_KFunction k;
    lua_KContext ctx;
    bool timed_out;
};

static void timer_closed(uv_handle_t *handle)
{
    clk_free(handle->data);
}

static void leave(struct clk_gate_waiter *w)
{
    struct clk_gate *gate = w->gate;

    if (w->timer) {
        w->timer->waiter = NULL;
        uv_close((uv_handle_t *)&w->timer->uv, timer_closed);
        w->timer = NULL;
    }
    if (!gate)
        return;
    *(w->prev ? &w->prev->next : &gate->head) = w->next;
    *(w->next ? &w->next->prev : &gate->tail) = w->prev;
    w->gate = NULL;
    w->prev = w->next = NULL;
}

static void canceled(struct clk_wait *wait)
{
    leave((struct clk_gate_waiter *)wait);
}

static void timer_fired(uv_timer_t *timer)
{
    struct gate_timer *t = timer->data;
    struct clk_gate_waiter *w = t->waiter;

    if (!w)
        return;
    w->timed_out = true;
    leave(w);
    clk_wake(&w->wait);
}

static int waiter_gc(lua_State *L)
{
    struct clk_gate_waiter *w = luaL_checkudata(L, 1, WAITER_META);

    leave(w);
    clk_unwait(&w->wait);
    return 0;
}

void clk_gates_open(lua_State *L)
{
    clk_class(L, WAITER_META, NULL, NULL, waiter_gc);
}

static int start_timer(struct clk_gate_waiter *w, uv_loop_t *loop,
                       double seconds)
{
    struct gate_timer *t = clk_calloc(1, sizeof(*t));
    double ms = (seconds < MAX_SECONDS ? seconds : MAX_SECONDS) * 1000.0;

    if (!t)
        return UV_ENOMEM;
    uv_timer_init(loop, &t->uv);
    t->uv.data = t;
    t->waiter = w;
    w->timer = t;
    uv_update_time(loop);
    /* Round up: a wait is never shorter than asked. */
    return uv_timer_start(&t->uv, timer_fired, (uint64_t)(ms + 0.999), 0);
}

static int gate_done(lua_State *L, int status, lua_KContext ctx)
{
    struct clk_gate_waiter *w = (struct clk_gate_waiter *)ctx;
    lua_KFunction k = w->k;
    lua_KContext kctx = w->ctx;
    int timed_out = w->timed_out;

    (void)status;
    leave(w);
    lua_pop(L, 1); /* the waiter, which the wait kept on top */
    return k(L, timed_out, kctx);
}

int clk_gate_wait(lua_State *L, struct clk_gate *gate, double timeout,
                  lua_KContext ctx, lua_KFunction k)
{
    struct clk_gate_waiter *w = lua_newuserdatauv(L, sizeof(*w), 0);

    memset(w, 0, sizeof(*w));
    luaL_setmetatable(L, WAITER_META);
    w->wait.cancel = canceled;
    w->k = k;
    w->ctx = ctx;
    if (timeout >= 0 && start_timer(w, clk_loop(clk_host_of(L)), timeout) != 0)
        return clk_no_memory(L);
    w->gate = gate;
    w->prev = gate->tail;
    *(gate->tail ? &gate->tail->next : &gate->head) = w;
    gate->tail = w;
    return clk_wait(L, &w->wait, (lua_KContext)w, gate_done);
}

void clk_gate_open(struct clk_gate *gate)
{
    while (gate->head) {
        struct clk_gate_waiter *w = gate->head;

        leave(w);
        clk_wake(&w->wait);
    }
}

void clk_gate_close(struct clk_gate *gate)
{
    while (gate->head)
        leave(gate->head);
}
