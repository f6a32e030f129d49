/* The one heap of core/ and bind/: plain malloc in a release build; a dev
   build can make the nth allocation fail, which is how the torture tests work.
 */
#ifndef CLK_MEM_H
#define CLK_MEM_H

#include <stdbool.h>
#include <stddef.h>

/* Like malloc, calloc, realloc, free and strdup: NULL when memory is out.
   A size of 0 is allowed and gives a pointer that clk_free takes. */
void *clk_malloc(size_t size);
void *clk_calloc(size_t count, size_t size);
void *clk_realloc(void *p, size_t size);
void clk_free(void *p);
char *clk_strdup(const char *s);

#ifdef CLK_DEV
/* From now on the nth allocation (1 is the next) fails; with `sticky` all that
   follow fail too. 0 disarms. */
void clk_mem_fail_at(unsigned long nth, bool sticky);
/* How many allocations failed since the last clk_mem_fail_at. */
unsigned long clk_mem_failures(void);
#endif

#endif
