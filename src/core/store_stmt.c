/* Statements of a store: the cache, parameters, steps, columns. */
#include <string.h>

#include "core/mem.h"
#include "core/store_error.h"
#include "core/store_state.h"

static void drop(struct clk_store_stmt *s)
{
    sqlite3_finalize(s->stmt);
    clk_free(s->sql);
    memset(s, 0, sizeof(*s));
}

void clk_store_drop_cache(struct clk_store *store)
{
    for (int i = 0; i < CLK_STORE_CACHE; i++)
        drop(&store->cache[i]);
}

static struct clk_store_stmt *find(struct clk_store *store, const char *sql,
                                   size_t len)
{
    for (int i = 0; i < CLK_STORE_CACHE; i++) {
        struct clk_store_stmt *s = &store->cache[i];

        if (s->stmt && s->len == len && memcmp(s->sql, sql, len) == 0)
            return s;
    }
    return NULL;
}

/* The place whose statement was not used for the longest time. */
static struct clk_store_stmt *oldest(struct clk_store *store)
{
    struct clk_store_stmt *found = &store->cache[0];

    for (int i = 1; i < CLK_STORE_CACHE; i++)
        if (store->cache[i].used < found->used)
            found = &store->cache[i];
    return found;
}

/* Whether another statement follows: anything but space, comments and ";". */
static bool has_more(struct clk_store *store, const char *sql, const char *end)
{
    while (sql < end) {
        const char *tail = end;
        sqlite3_stmt *stmt = NULL;
        int rc =
            sqlite3_prepare_v2(store->db, sql, (int)(end - sql), &stmt, &tail);

        sqlite3_finalize(stmt);
        if (rc != SQLITE_OK || stmt || tail <= sql)
            return true;
        sql = tail;
    }
    return false;
}

/* Compiles the one statement of `sql`; NULL on failure. */
static sqlite3_stmt *compile(struct clk_store *store, const char *sql,
                             size_t len, struct clk_store_error *error)
{
    const char *tail = NULL;
    sqlite3_stmt *stmt = NULL;

    if (len > CLK_STORE_SQL_MAX) {
        clk_store_set_error(error, NULL, "the SQL is too long");
        return NULL;
    }
    store->denied = NULL;
    if (sqlite3_prepare_v3(store->db, sql, (int)len, SQLITE_PREPARE_PERSISTENT,
                           &stmt, &tail)
        != SQLITE_OK) {
        clk_store_fail(store, error);
        return NULL;
    }
    if (!stmt) {
        clk_store_set_error(error, NULL, "no SQL statement");
        return NULL;
    }
    if (has_more(store, tail, sql + len)) {
        sqlite3_finalize(stmt);
        clk_store_set_error(error, NULL, "more than one SQL statement");
        return NULL;
    }
    return stmt;
}

struct clk_store_stmt *clk_store_prepare(struct clk_store *store,
                                         const char *sql, size_t len,
                                         struct clk_store_error *error)
{
    struct clk_store_stmt *s = find(store, sql, len);

    if (!s) {
        sqlite3_stmt *stmt = compile(store, sql, len, error);
        char *copy = stmt ? clk_malloc(len) : NULL;

        if (!copy) {
            if (stmt)
                clk_store_set_error(error, "ENOMEM", "not enough memory");
            sqlite3_finalize(stmt);
            return NULL;
        }
        memcpy(copy, sql, len);
        s = oldest(store);
        drop(s);
        s->store = store;
        s->stmt = stmt;
        s->sql = copy;
        s->len = len;
    }
    s->used = ++store->tick;
    clk_store_end(s); /* who used it last may have been torn away by an error */
    return s;
}

int clk_store_param_count(const struct clk_store_stmt *s)
{
    return sqlite3_bind_parameter_count(s->stmt);
}

const char *clk_store_param_name(const struct clk_store_stmt *s, int index)
{
    const char *name = sqlite3_bind_parameter_name(s->stmt, index);

    return name && name[0] != '?' ? name + 1 : NULL;
}

bool clk_store_bind(struct clk_store_stmt *s, int index,
                    const struct clk_store_value *v,
                    struct clk_store_error *error)
{
    int rc;

    switch (v->type) {
    case CLK_STORE_INTEGER:
        rc = sqlite3_bind_int64(s->stmt, index, v->integer);
        break;
    case CLK_STORE_REAL:
        rc = sqlite3_bind_double(s->stmt, index, v->real);
        break;
    case CLK_STORE_TEXT:
        rc = sqlite3_bind_text64(s->stmt, index, v->bytes, v->len,
                                 SQLITE_STATIC, SQLITE_UTF8);
        break;
    case CLK_STORE_BLOB:
        rc = sqlite3_bind_blob64(s->stmt, index, v->bytes, v->len,
                                 SQLITE_STATIC);
        break;
    default: rc = sqlite3_bind_null(s->stmt, index); break;
    }
    if (rc != SQLITE_OK)
        clk_store_fail(s->store, error);
    return rc == SQLITE_OK;
}

enum clk_store_step clk_store_step(struct clk_store_stmt *s,
                                   struct clk_store_error *error)
{
    struct clk_store *store = s->store;

    if (!s->started) {
        s->started = true;
        s->changes_before = sqlite3_total_changes64(store->db);
        store->steps = 0;
        store->denied = NULL;
    }
    switch (sqlite3_step(s->stmt)) {
    case SQLITE_ROW: return CLK_STORE_ROW;
    case SQLITE_DONE: return CLK_STORE_DONE;
    default: clk_store_fail(store, error); return CLK_STORE_FAILED;
    }
}

void clk_store_end(struct clk_store_stmt *s)
{
    if (!s || !s->stmt)
        return;
    sqlite3_reset(s->stmt);
    sqlite3_clear_bindings(s->stmt);
    s->started = false;
}

int clk_store_column_count(const struct clk_store_stmt *s)
{
    return sqlite3_column_count(s->stmt);
}

const char *clk_store_column_name(const struct clk_store_stmt *s, int index)
{
    return sqlite3_column_name(s->stmt, index);
}

bool clk_store_column(const struct clk_store_stmt *s, int index,
                      struct clk_store_value *v)
{
    switch (sqlite3_column_type(s->stmt, index)) {
    case SQLITE_INTEGER:
        v->type = CLK_STORE_INTEGER;
        v->integer = sqlite3_column_int64(s->stmt, index);
        return true;
    case SQLITE_FLOAT:
        v->type = CLK_STORE_REAL;
        v->real = sqlite3_column_double(s->stmt, index);
        return true;
    case SQLITE_TEXT:
        v->type = CLK_STORE_TEXT;
        v->bytes = (const char *)sqlite3_column_text(s->stmt, index);
        break;
    case SQLITE_BLOB:
        v->type = CLK_STORE_BLOB;
        v->bytes = sqlite3_column_blob(s->stmt, index);
        break;
    default: v->type = CLK_STORE_NULL; return true;
    }
    v->len = (size_t)sqlite3_column_bytes(s->stmt, index);
    if (!v->bytes && sqlite3_errcode(s->store->db) == SQLITE_NOMEM)
        return false;
    if (!v->bytes)
        v->bytes = ""; /* SQLite's empty blob */
    return true;
}

int64_t clk_store_changes(const struct clk_store_stmt *s)
{
    sqlite3 *db = s->store->db;

    /* The count of a statement that changes no rows is that of an earlier one.
     */
    if (sqlite3_total_changes64(db) == s->changes_before)
        return 0;
    return sqlite3_changes64(db);
}

int64_t clk_store_rowid(const struct clk_store_stmt *s)
{
    return sqlite3_last_insert_rowid(s->store->db);
}
