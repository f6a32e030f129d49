/* A store: opening, closing, transactions, schema versions. */
#include "core/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#include "core/mem.h"
#include "core/store_error.h"
#include "core/store_mem.h"
#include "core/store_state.h"

#define LOG_RETRY_MS 5

void clk_store_fail(struct clk_store *store, struct clk_store_error *error)
{
    if (store->denied && sqlite3_errcode(store->db) == SQLITE_AUTH)
        clk_store_set_error(error, NULL, store->denied);
    else
        clk_store_sqlite_error(error, store->db);
}

bool clk_store_run(struct clk_store *store, const char *sql,
                   struct clk_store_error *error)
{
    int rc;

    store->steps = 0;
    store->trusted = true;
    rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    store->trusted = false;
    if (rc != SQLITE_OK)
        clk_store_fail(store, error);
    return rc == SQLITE_OK;
}

/* --- opening ------------------------------------------------------------ */

/* Creates the file private if there is none: SQLite would make it readable for
   all, and gives its side files the mode of the file. One that exists is not
   opened here, since closing it would drop the locks of a connection that this
   process has to it. 0 or a libuv error number. */
static int prepare_file(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0) {
        close(fd);
        return 0;
    }
    if (errno != EEXIST)
        return uv_translate_sys_error(errno);
    if (stat(path, &st) != 0)
        return uv_translate_sys_error(errno);
    if (S_ISDIR(st.st_mode))
        return UV_EISDIR;
    if (!S_ISREG(st.st_mode))
        return UV_EINVAL;
    return access(path, R_OK | W_OK) ? uv_translate_sys_error(errno) : 0;
}

/* Opens the connection. A relative path gets "./" so that SQLite takes no name
   for one of its own ("file:…", ""). */
static int connect_to(struct clk_store *store, const char *path)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                      | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    bool plain = path[0] == '/' || strcmp(path, ":memory:") == 0;
    size_t size = strlen(path) + sizeof("./");
    char *name = clk_malloc(size);
    int rc;

    if (!name)
        return SQLITE_NOMEM;
    snprintf(name, size, "%s%s", plain ? "" : "./", path);
    rc = sqlite3_open_v2(name, &store->db, flags, NULL);
    clk_free(name);
    return rc;
}

/* Makes it a database with a log. SQLite does not wait for another process that
   is doing the same, whatever its busy timeout: all waiting is done here. */
static bool use_log(struct clk_store *store, int busy_ms,
                    struct clk_store_error *error)
{
    for (int waited = 0;; waited += LOG_RETRY_MS) {
        if (clk_store_run(store, "PRAGMA journal_mode = WAL", error))
            return true;
        if (waited >= busy_ms
            || (sqlite3_errcode(store->db) & 0xff) != SQLITE_BUSY)
            return false;
        sqlite3_sleep(LOG_RETRY_MS);
    }
}

static bool set_up(struct clk_store *store, bool is_file, int busy_ms,
                   struct clk_store_error *error)
{
    sqlite3 *db = store->db;

    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, CLK_STORE_VALUE_MAX);
    sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, CLK_STORE_SQL_MAX);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    clk_store_guard(store);
    if (is_file && !use_log(store, busy_ms, error))
        return false;
    sqlite3_busy_timeout(db, busy_ms);
    /* Reads the file's header and schema, too: what is no database fails now.
     */
    return clk_store_run(store,
                         "PRAGMA synchronous = FULL;"
                         "PRAGMA foreign_keys = ON;"
                         "PRAGMA temp_store = MEMORY;"
                         "PRAGMA schema_version",
                         error);
}

struct clk_store *clk_store_open(const char *path, int64_t max_steps,
                                 int busy_ms, struct clk_store_error *error)
{
    bool is_file = strcmp(path, ":memory:") != 0;
    int number = is_file ? prepare_file(path) : 0;
    struct clk_store *store;

    if (number) {
        clk_store_uv_error(error, number);
        return NULL;
    }
    clk_store_use_mem();
    store = clk_calloc(1, sizeof(*store));
    if (!store) {
        clk_store_set_error(error, "ENOMEM", "not enough memory");
        return NULL;
    }
    store->max_steps = max_steps;
    if (connect_to(store, path) != SQLITE_OK)
        clk_store_sqlite_error(error, store->db);
    else if (set_up(store, is_file, busy_ms, error))
        return store;
    clk_store_close(store);
    return NULL;
}

void clk_store_close(struct clk_store *store)
{
    if (!store)
        return;
    clk_store_drop_cache(store);
    sqlite3_close_v2(store->db);
    clk_free(store);
}

/* --- transactions ------------------------------------------------------- */

bool clk_store_begin(struct clk_store *store, struct clk_store_error *error)
{
    return clk_store_run(store, "BEGIN IMMEDIATE", error);
}

bool clk_store_commit(struct clk_store *store, struct clk_store_error *error)
{
    if (clk_store_run(store, "COMMIT", error))
        return true;
    clk_store_rollback(store);
    return false;
}

void clk_store_rollback(struct clk_store *store)
{
    struct clk_store_error ignored;

    /* It can only fail when SQLite has rolled back already. */
    if (clk_store_in_transaction(store))
        clk_store_run(store, "ROLLBACK", &ignored);
}

bool clk_store_in_transaction(const struct clk_store *store)
{
    return !sqlite3_get_autocommit(store->db);
}

/* --- schema versions ---------------------------------------------------- */

int clk_store_version(struct clk_store *store, struct clk_store_error *error)
{
    sqlite3_stmt *stmt = NULL;
    int version = -1;

    store->trusted = true;
    if (sqlite3_prepare_v2(store->db, "PRAGMA user_version", -1, &stmt, NULL)
            == SQLITE_OK
        && sqlite3_step(stmt) == SQLITE_ROW)
        version = sqlite3_column_int(stmt, 0);
    else
        clk_store_fail(store, error);
    sqlite3_finalize(stmt);
    store->trusted = false;
    return version;
}

/* Runs every statement of a script. */
static bool run_script(struct clk_store *store, const char *sql, size_t len,
                       struct clk_store_error *error)
{
    const char *end = sql + len;

    while (sql < end) {
        sqlite3_stmt *stmt = NULL;
        const char *tail = end;
        int rc;

        store->steps = 0;
        store->denied = NULL;
        rc = sqlite3_prepare_v2(store->db, sql, (int)(end - sql), &stmt, &tail);
        while (stmt && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
            ;
        if (rc != SQLITE_OK && rc != SQLITE_DONE)
            clk_store_fail(store, error);
        sqlite3_finalize(stmt);
        if (rc != SQLITE_OK && rc != SQLITE_DONE)
            return false;
        sql = tail > sql ? tail : end;
    }
    return true;
}

bool clk_store_migrate(struct clk_store *store, const char *script, size_t len,
                       int version, struct clk_store_error *error)
{
    char sql[64];
    int current;

    if (len > CLK_STORE_SQL_MAX) {
        clk_store_set_error(error, NULL, "the SQL is too long");
        return false;
    }
    snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", version);
    if (!clk_store_begin(store, error))
        return false;
    current = clk_store_version(store, error);
    if (current >= version) /* another process was faster */
        return clk_store_commit(store, error);
    if (current >= 0 && run_script(store, script, len, error)
        && clk_store_run(store, sql, error))
        return clk_store_commit(store, error);
    clk_store_rollback(store);
    return false;
}
