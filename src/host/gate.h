/* A gate: a list of tasks that wait for one thing to happen, each with an
   optional timeout. Events and the end of a task are gates. */
#ifndef CLK_GATE_H
#define CLK_GATE_H

#include "host/task.h"

struct clk_gate_waiter;

/* FIFO of waiters; zeroed before first use. */
struct clk_gate {
    struct clk_gate_waiter *head, *tail;
};

/* A gate with a memory: once set, nobody waits until it is cleared. */
struct clk_event {
    struct clk_gate gate;
    bool set;
};

/* Waits for clk_gate_open or for `timeout` seconds (< 0: no limit). Call it as
   a tail call; `k(L, timed_out ? 1 : 0, ctx)` gets the outcome in its status
   argument. The gate's memory must be reachable from the waiting stack. */
int clk_gate_wait(lua_State *L, struct clk_gate *gate, double timeout,
                  lua_KContext ctx, lua_KFunction k);

/* Wakes every waiter. */
void clk_gate_open(struct clk_gate *gate);

/* Forgets every waiter (the gate's memory is going away). */
void clk_gate_close(struct clk_gate *gate);

/* The metatable of waiters; called once per state. */
void clk_gates_open(lua_State *L);

#endif
