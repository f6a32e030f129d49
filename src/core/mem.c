/* Heap functions with an optional allocation-failure counter (dev builds). */
#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

#ifdef CLK_DEV
/* The torture counter: process-wide state on purpose, since the allocators of
   libuv, libcurl and SQLite that share it have no context argument. Dev only.
 */
static struct {
    unsigned long countdown; /* 0: disarmed */
    bool sticky;             /* keep failing after the first failure */
    unsigned long failures;  /* since it was armed */
} torture;

void clk_mem_fail_at(unsigned long nth, bool sticky)
{
    torture.countdown = nth;
    torture.sticky = sticky;
    torture.failures = 0;
}

unsigned long clk_mem_failures(void)
{
    return torture.failures;
}

static bool must_fail(void)
{
    if (torture.countdown == 0)
        return false;
    if (torture.countdown > 1) {
        torture.countdown--;
        return false;
    }
    if (!torture.sticky)
        torture.countdown = 0;
    torture.failures++;
    return true;
}
#else
static inline bool must_fail(void)
{
    return false;
}
#endif

void *clk_malloc(size_t size)
{
    return must_fail() ? NULL : malloc(size ? size : 1);
}

void *clk_calloc(size_t count, size_t size)
{
    if (count == 0 || size == 0)
        count = size = 1;
    return must_fail() ? NULL : calloc(count, size);
}

void *clk_realloc(void *p, size_t size)
{
    return must_fail() ? NULL : realloc(p, size ? size : 1);
}

void clk_free(void *p)
{
    free(p);
}

char *clk_strdup(const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = clk_malloc(size);

    if (copy)
        memcpy(copy, s, size);
    return copy;
}
