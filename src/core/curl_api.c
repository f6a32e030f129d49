/* Opening libcurl by name. */
#include "core/curl_api.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>

#include <uv.h>

#include "core/curl_heap.h"
#include "core/dynlib.h"
#include "core/mem.h"

/* Older ones lack CURLOPT_PREREQFUNCTION, without which nobody can tell whether
   a failed request was sent. */
enum { OLDEST_VERSION = 0x075000 }; /* 7.80.0 */

/* One row per function: its name and where in struct clk_curl it goes. */
struct symbol {
    const char *name;
    size_t offset;
};

static const struct symbol symbols[] = {
#define ROW(name) {"curl_" #name, offsetof(struct clk_curl, name)},
    CLK_CURL_FUNCTIONS(ROW)
#undef ROW
};

static const char *const library_names[] = {
#ifdef __APPLE__
    "libcurl.4.dylib",
#endif
    "libcurl.so.4",
    NULL,
};

static void *open_first(const char *const *names)
{
    for (void *library; *names; names++) {
        library = dlopen(*names, RTLD_LAZY | RTLD_LOCAL);
        if (library)
            return library;
    }
    return NULL;
}

static int find_symbols(struct clk_curl *api, void *library, const char *name,
                        char *why)
{
    for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
        if (!clk_dynlib_find(library, symbols[i].name,
                             (char *)api + symbols[i].offset)) {
            snprintf(why, CLK_CURL_WHY_SIZE, "%s has no %s", name,
                     symbols[i].name);
            return -1;
        }
    }
    return 0;
}

static int check_version(const struct clk_curl *api, char *why)
{
    const curl_version_info_data *info = api->version_info(CURLVERSION_NOW);

    if (info->version_num >= OLDEST_VERSION)
        return 0;
    snprintf(why, CLK_CURL_WHY_SIZE,
             "libcurl %s is too old, 7.80.0 or newer is needed", info->version);
    return -1;
}

int clk_curl_open(struct clk_curl *api, const char *const *names,
                  char why[CLK_CURL_WHY_SIZE])
{
    void *library = open_first(names);

    if (!library) {
        const char *reason = dlerror();

        snprintf(why, CLK_CURL_WHY_SIZE, "cannot load libcurl: %s",
                 reason ? reason : "no library name");
        return -1;
    }
    if (find_symbols(api, library, names[0], why) != 0
        || check_version(api, why) != 0) {
        dlclose(library);
        return -1;
    }
    return 0;
}

/* The preloading thread; one per process, like the library it opens. */
static struct {
    uv_thread_t thread;
    bool started, running;
} preload;

/* The reference it takes keeps the library open for clk_curl_open. */
static void preload_main(void *unused)
{
    (void)unused;
    open_first(library_names);
}

void clk_curl_preload(void)
{
    if (preload.started)
        return;
    preload.started = true;
    preload.running =
        uv_thread_create(&preload.thread, preload_main, NULL) == 0;
}

void clk_curl_preload_end(void)
{
    if (preload.running)
        uv_thread_join(&preload.thread);
    preload.running = false;
}

const struct clk_curl *clk_curl_load(char why[CLK_CURL_WHY_SIZE])
{
    /* The dlopen table: one per process, as libcurl's own state is. */
    static struct clk_curl api;
    static bool opened, ready;

    why[0] = '\0';
    if (ready)
        return &api;
    clk_curl_preload_end();
    if (!opened && clk_curl_open(&api, library_names, why) != 0)
        return NULL;
    opened = true;
    if (api.global_init_mem(CURL_GLOBAL_DEFAULT, clk_curl_malloc, clk_curl_free,
                            clk_curl_realloc, clk_strdup, clk_curl_calloc)
        != CURLE_OK)
        return NULL;
    ready = true;
    return &api;
}
