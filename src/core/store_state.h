/* What a store is made of; for the store files of this directory only. */
#ifndef CLK_STORE_STATE_H
#define CLK_STORE_STATE_H

#include <sqlite3.h>

#include "core/store.h"

/* A place of the statement cache; unused while `stmt` is NULL. */
struct clk_store_stmt {
    struct clk_store *store;
    sqlite3_stmt *stmt;
    char *sql; /* its text, the cache's key */
    size_t len;
    uint64_t used;          /* the store's tick of its last use */
    int64_t changes_before; /* the connection's count when it started */
    bool started;
};

/* One connection. */
struct clk_store {
    sqlite3 *db;
    struct clk_store_stmt cache[CLK_STORE_CACHE];
    uint64_t tick;
    int64_t steps, max_steps; /* of the running statement */
    bool trusted;             /* our own SQL: the guard lets it pass */
    const char *denied;       /* why the guard refused, or NULL */
};

/* Runs fixed SQL of ours. False on failure. */
bool clk_store_run(struct clk_store *store, const char *sql,
                   struct clk_store_error *error);

/* Fills in the error of a failed call: the guard's reason if it had one. */
void clk_store_fail(struct clk_store *store, struct clk_store_error *error);

/* Finalizes every cached statement. */
void clk_store_drop_cache(struct clk_store *store);

/* Has the connection ask which SQL may be prepared, and count its steps. */
void clk_store_guard(struct clk_store *store);

#endif
