/* The one place that loads libmicrohttpd. */
#include "core/mhd_api.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/dynlib.h"

#ifdef __APPLE__
#define LIBRARY "libmicrohttpd.12.dylib"
#else
#define LIBRARY "libmicrohttpd.so.12"
#endif

const struct clk_mhd_api *clk_mhd_api(const char **why)
{
    static struct clk_mhd_api api;
    static bool loaded;
    bool complete = true;
    void *library;

    if (loaded)
        return &api;
    library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        *why = "the library " LIBRARY " is not installed";
        return NULL;
    }
#define LOAD(name)                                                             \
    complete = clk_dynlib_find(library, "MHD_" #name, &api.name) && complete;
    CLK_MHD_FUNCTIONS(LOAD)
#undef LOAD
    if (!complete) {
        *why = "the library " LIBRARY " is too old";
        dlclose(library);
        return NULL;
    }
    loaded = true;
    return &api;
}
