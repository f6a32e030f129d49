/* SQLite's error numbers as stable codes. */
#include "core/store_error.h"

#include <stdio.h>

#include <uv.h>

void clk_store_set_error(struct clk_store_error *error, const char *code,
                         const char *text)
{
    error->code = code;
    snprintf(error->text, sizeof(error->text), "%s", text);
}

void clk_store_uv_error(struct clk_store_error *error, int number)
{
    clk_store_set_error(error,
                        number == UV_ENOMEM ? "ENOMEM" : uv_err_name(number),
                        uv_strerror(number));
}

static const char *code_of(int number)
{
    switch (number & 0xff) {
    case SQLITE_NOMEM: return "ENOMEM";
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "EBUSY";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return "ECORRUPT";
    case SQLITE_CONSTRAINT: return "ECONSTRAINT";
    case SQLITE_INTERRUPT: return "ETIMEDOUT";
    case SQLITE_FULL: return "ENOSPC";
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN: return "EACCES";
    case SQLITE_TOOBIG: return "E2BIG";
    case SQLITE_IOERR: return "EIO";
    default: return "EINVAL";
    }
}

/* What people should read where SQLite's own words do not help. */
static const char *text_of(int number, sqlite3 *db)
{
    switch (number & 0xff) {
    case SQLITE_BUSY: return "the database is locked by another process";
    case SQLITE_INTERRUPT: return "the query takes too many steps";
    case SQLITE_NOTADB: return "the file is not a database";
    case SQLITE_CORRUPT: return "the database file is damaged";
    default: return sqlite3_errmsg(db);
    }
}

void clk_store_sqlite_error(struct clk_store_error *error, sqlite3 *db)
{
    int number = sqlite3_extended_errcode(db);

    /* Allocation failures inside the file layer come as I/O errors. */
    if (number == SQLITE_IOERR_NOMEM)
        number = SQLITE_NOMEM;
    clk_store_set_error(error, code_of(number), text_of(number, db));
}
