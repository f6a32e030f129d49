/* A small SQL store: one SQLite database, prepared statements only.

   Calls block: queries are bounded in steps, waiting for another process in
   time. What SQL may do is narrowed: no other databases, no extensions, no
   transaction control and no settings (they have functions of their own), one
   statement at a time. Foreign keys are enforced; files are written ahead
   (WAL), mode 0600, and every commit reaches the disk.

   One connection belongs to one thread. */
#ifndef CLK_STORE_H
#define CLK_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits of every store. */
enum {
    CLK_STORE_BUSY_MS = 2000,      /* wait for another process's lock */
    CLK_STORE_CACHE = 32,          /* statements kept prepared */
    CLK_STORE_ROWS = 100000,       /* rows of one query */
    CLK_STORE_VALUE_MAX = 1 << 26, /* bytes of one value or row */
    CLK_STORE_SQL_MAX = 1 << 20,   /* bytes of one statement */
    CLK_STORE_ERROR_SIZE = 320
};

/* Virtual machine steps of one statement: seconds, on any machine. */
#define CLK_STORE_STEPS INT64_C(100000000)

struct clk_store;
struct clk_store_stmt;

/* Why something failed; the caller knows of which file. */
struct clk_store_error {
    const char
        *code; /* ENOMEM, EBUSY, ECORRUPT, …; NULL when misused (a bug) */
    char text[CLK_STORE_ERROR_SIZE];
};

/* The type of a value in a row. */
enum clk_store_type {
    CLK_STORE_NULL,
    CLK_STORE_INTEGER,
    CLK_STORE_REAL,
    CLK_STORE_TEXT,
    CLK_STORE_BLOB
};

/* One value of a row; its bytes are valid until the next step. */
struct clk_store_value {
    enum clk_store_type type;
    int64_t integer;
    double real;
    const char *bytes;
    size_t len;
};

/* What clk_store_step says. */
enum clk_store_step { CLK_STORE_ROW, CLK_STORE_DONE, CLK_STORE_FAILED };

/* Opens (and creates) the database in the file at `path`, or one in memory for
   ":memory:". `max_steps` and `busy_ms` bound each statement. NULL on failure.
 */
struct clk_store *clk_store_open(const char *path, int64_t max_steps,
                                 int busy_ms, struct clk_store_error *error);

/* Closes it, ending any statement and rolling back any transaction. NULL is
   allowed. */
void clk_store_close(struct clk_store *store);

/* The statement for this SQL, without parameters set; it belongs to the store
   and must be ended before anything else is asked of the store. NULL on
   failure. */
struct clk_store_stmt *clk_store_prepare(struct clk_store *store,
                                         const char *sql, size_t len,
                                         struct clk_store_error *error);

/* How many parameters it has; they count from 1. */
int clk_store_param_count(const struct clk_store_stmt *stmt);

/* The parameter's name without its sign, or NULL when it has a number only. */
const char *clk_store_param_name(const struct clk_store_stmt *stmt, int index);

/* Sets a parameter. The bytes are not copied: they must stay until the
   statement is ended. False on failure. */
bool clk_store_bind(struct clk_store_stmt *stmt, int index,
                    const struct clk_store_value *value,
                    struct clk_store_error *error);

/* Runs the statement to its next row or its end. */
enum clk_store_step clk_store_step(struct clk_store_stmt *stmt,
                                   struct clk_store_error *error);

/* Ends a statement, forgetting its parameters. NULL is allowed. */
void clk_store_end(struct clk_store_stmt *stmt);

/* The columns of the current row, counted from 0. */
int clk_store_column_count(const struct clk_store_stmt *stmt);
const char *clk_store_column_name(const struct clk_store_stmt *stmt, int index);

/* A value of the current row. False when memory is out. */
bool clk_store_column(const struct clk_store_stmt *stmt, int index,
                      struct clk_store_value *value);

/* The rows that a statement which is done changed (without those changed in
   turn by triggers and foreign keys), and the row id inserted last. */
int64_t clk_store_changes(const struct clk_store_stmt *stmt);
int64_t clk_store_rowid(const struct clk_store_stmt *stmt);

/* Begins a transaction that may write; commits it; rolls it back. Commit rolls
   back when it fails. False on failure. */
bool clk_store_begin(struct clk_store *store, struct clk_store_error *error);
bool clk_store_commit(struct clk_store *store, struct clk_store_error *error);
void clk_store_rollback(struct clk_store *store);

/* Whether a transaction is open (SQLite ends it by itself on some errors). */
bool clk_store_in_transaction(const struct clk_store *store);

/* The schema version of the database, 0 for a new one; -1 on failure. */
int clk_store_version(struct clk_store *store, struct clk_store_error *error);

/* Runs a script of any number of statements and sets the version, in a
   transaction of its own; nothing when the version is reached already. False on
   failure, with nothing changed. */
bool clk_store_migrate(struct clk_store *store, const char *script, size_t len,
                       int version, struct clk_store_error *error);

#endif
