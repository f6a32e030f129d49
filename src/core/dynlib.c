/* Libraries that are loaded when they are first needed; see core/dynlib.h. */
#include "core/dynlib.h"

#include <dlfcn.h>
#include <string.h>

/* POSIX says that the pointers have the same representation, ISO C knows no
   cast between them. */
bool clk_dynlib_find(void *library, const char *name, void *slot)
{
    void *symbol = dlsym(library, name);

    memcpy(slot, &symbol, sizeof(symbol));
    return symbol != NULL;
}
