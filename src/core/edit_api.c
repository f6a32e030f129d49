/* The one place that loads libedit. */
#include "core/edit_api.h"

#include <dlfcn.h>
#include <stdbool.h>

#include "core/dynlib.h"

#ifdef __APPLE__
#define LIBRARY "libedit.3.dylib"
#else
#define LIBRARY "libedit.so.2"
#endif

const struct clk_edit_api *clk_edit_api(void)
{
    static struct clk_edit_api api;
    static bool loaded;
    bool complete = true;
    void *library;

    if (loaded)
        return &api;
    library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return NULL;
#define LOAD(name)                                                             \
    complete = clk_dynlib_find(library, #name, &api.name) && complete;
    CLK_EDIT_FUNCTIONS(LOAD)
#undef LOAD
    if (!complete) {
        dlclose(library);
        return NULL;
    }
    loaded = true;
    return &api;
}
