/* What SQL may do: one database, no settings, no transaction control, and only
   so many steps. */
#include <string.h>

#include "core/store_state.h"

/* How many steps pass between two looks at the bound. */
#define STEPS_AT_ONCE 1000

static bool is_harmless_pragma(const char *name)
{
    static const char *const harmless[] = {
        "foreign_key_check", "index_list", "integrity_check",
        "quick_check",       "table_info", "table_xinfo",
    };

    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        if (name && sqlite3_stricmp(name, harmless[i]) == 0)
            return true;
    return false;
}

static int authorize(void *ud, int action, const char *a, const char *b,
                     const char *c, const char *d)
{
    struct clk_store *store = ud;
    const char *denied = NULL;

    (void)b;
    (void)c;
    (void)d;
    switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
        denied = "transactions are not begun or ended by SQL";
        break;
    case SQLITE_ATTACH:
    case SQLITE_DETACH: denied = "SQL cannot attach databases"; break;
    case SQLITE_PRAGMA:
        if (!is_harmless_pragma(a))
            denied = "SQL cannot change settings (PRAGMA)";
        break;
    default: break;
    }
    if (!denied || store->trusted)
        return SQLITE_OK;
    store->denied = denied;
    return SQLITE_DENY;
}

static int count_steps(void *ud)
{
    struct clk_store *store = ud;

    store->steps += STEPS_AT_ONCE;
    return store->steps > store->max_steps;
}

void clk_store_guard(struct clk_store *store)
{
    sqlite3_set_authorizer(store->db, authorize, store);
    sqlite3_progress_handler(store->db, STEPS_AT_ONCE, count_steps, store);
}
