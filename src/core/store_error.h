/* SQLite's errors as ours; for the store files of this directory only. */
#ifndef CLK_STORE_ERROR_H
#define CLK_STORE_ERROR_H

#include <sqlite3.h>

#include "core/store.h"

/* Fills in the error that the last call on `db` gave. */
void clk_store_sqlite_error(struct clk_store_error *error, sqlite3 *db);

/* Fills in a libuv error number, an error of the operating system. */
void clk_store_uv_error(struct clk_store_error *error, int number);

/* Fills in an error by hand. A code of NULL says that the caller is wrong. */
void clk_store_set_error(struct clk_store_error *error, const char *code,
                         const char *text);

#endif
