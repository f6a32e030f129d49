/* libcurl takes a read buffer for every transfer and gives it back at its end.
   That is beyond what glibc's fast lists hold, so that each costs a search and
   a merge of free memory, a tenth of a small request. The buffers here come
   from one block instead, and what it has no room for from the heap. */
#include "core/curl_heap.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/mem.h"

enum {
    BUFFERS = 64,
    /* libcurl adds a byte for a NUL; multiples of 64 suit the processor. */
    ASKED = CLK_CURL_READ_BUFFER + 1,
    STRIDE = CLK_CURL_READ_BUFFER + 64,
    /* From here on, zeroing by the system may be cheaper than ours. */
    MANY_BYTES = 4096
};

/* Part of the dlopen table: one per process, as libcurl's own state is. Only
   the loop's thread asks for blocks of that size. */
static struct {
    char *block; /* NULL until the first is asked for; never freed */
    unsigned free_count;
    uint8_t free[BUFFERS]; /* numbers of the buffers that nobody has */
} buffers;

static bool open_buffers(void)
{
    if (buffers.block)
        return true;
    buffers.block = clk_malloc((size_t)BUFFERS * STRIDE);
    if (!buffers.block)
        return false;
    for (unsigned i = 0; i < BUFFERS; i++)
        buffers.free[buffers.free_count++] = (uint8_t)(BUFFERS - 1 - i);
    return true;
}

/* Whether the block is one of the buffers. Pointers into different blocks have
   no order in C; their numbers do. */
static bool is_buffer(const void *p)
{
    uintptr_t first = (uintptr_t)buffers.block;

    return first && (uintptr_t)p - first < (uintptr_t)BUFFERS * STRIDE;
}

void *clk_curl_malloc(size_t size)
{
    if (size != ASKED || !open_buffers() || buffers.free_count == 0)
        return clk_malloc(size);
    return buffers.block + (size_t)buffers.free[--buffers.free_count] * STRIDE;
}

/* glibc's calloc is much slower than its malloc for small blocks, and libcurl
   asks for many. */
void *clk_curl_calloc(size_t count, size_t size)
{
    void *p;

    if (size && count > MANY_BYTES / size)
        return count > SIZE_MAX / size ? NULL : clk_calloc(count, size);
    p = clk_malloc(count * size);
    if (p)
        memset(p, 0, count * size);
    return p;
}

void *clk_curl_realloc(void *p, size_t size)
{
    void *copy;

    if (!is_buffer(p))
        return clk_realloc(p, size);
    copy = clk_malloc(size);
    if (!copy)
        return NULL;
    memcpy(copy, p, size < ASKED ? size : ASKED);
    clk_curl_free(p);
    return copy;
}

void clk_curl_free(void *p)
{
    if (is_buffer(p))
        buffers.free[buffers.free_count++] =
            (uint8_t)(((char *)p - buffers.block) / STRIDE);
    else
        clk_free(p);
}
