/* SQLite on the heap of core/mem.h. SQLite asks for the size of its blocks, so
   each one begins with it. */
#include "core/store_mem.h"

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "core/mem.h"

/* What precedes a block; as large as the strictest alignment. */
union header {
    int64_t size;
    max_align_t align;
};

static void *give(union header *h, int size)
{
    if (!h)
        return NULL;
    h->size = size;
    return h + 1;
}

static void *mem_malloc(int size)
{
    return give(clk_malloc(sizeof(union header) + (size_t)size), size);
}

static void mem_free(void *p)
{
    if (p)
        clk_free((union header *)p - 1);
}

static void *mem_realloc(void *p, int size)
{
    union header *h = (union header *)p - 1;

    return give(clk_realloc(h, sizeof(*h) + (size_t)size), size);
}

static int mem_size(void *p)
{
    return p ? (int)((union header *)p - 1)->size : 0;
}

static int mem_roundup(int size)
{
    return (size + 7) & ~7;
}

static int mem_init(void *unused)
{
    (void)unused;
    return SQLITE_OK;
}

static void mem_shutdown(void *unused)
{
    (void)unused;
}

void clk_store_use_mem(void)
{
    static const sqlite3_mem_methods methods = {
        mem_malloc,  mem_free, mem_realloc,  mem_size,
        mem_roundup, mem_init, mem_shutdown, NULL,
    };

    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}
