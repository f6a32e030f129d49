/* Wipes every heap block of the process when it is freed.

   libcurl, nghttp2, OpenSSL, SQLite and Lua copy what they are given into heap
   blocks (a header line, a frame, a record, a string) and free those without
   clearing them, so that a token would stay readable in free memory long after
   its secret was closed. None of them can be told otherwise: libcurl's own
   allocator hooks do not reach the libraries beneath it.

   So this executable defines `free` and `realloc`; the dynamic linker binds all
   shared libraries, those loaded later too, to the executable's definitions.
   The heap itself stays glibc's: memory comes from its malloc, calloc and
   memalign and goes back through __libc_free, which glibc exports for this.
   With the blocks zeroed, free memory holds nothing but the allocator's links.

   What it costs: one memset per free, which is small next to the work that
   filled the block: 8 % of a loop that only decodes and drops JSON, nothing
   that could be measured of a request over TLS. `realloc` cannot let glibc move
   a block (it would free the old one unwiped) nor tell whether it would, so it
   copies where glibc might have grown in place. Blocks that are mappings of
   their own are left to glibc: they move by mremap and are freed to the kernel,
   and no copy stays behind.

   Left out under sanitizers (they bring their own malloc) and where the C
   library is not glibc: there, only the pages of core/secret.c are wiped.
   Valgrind replaces these functions with its own. */
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)        \
    || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#if defined(__GLIBC__) && !defined(SANITIZED)

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/secret.h"

/* glibc's own, under the names it exports for wrappers. */
void *libc_malloc(size_t size) __asm__("__libc_malloc");
void *libc_realloc(void *p, size_t size) __asm__("__libc_realloc");
void libc_free(void *p) __asm__("__libc_free");

/* Whether glibc gave the block a mapping of its own: bit 1 of the size word in
   front of it, part of the layout that heap dumpers rely on since 1996. Such a
   block starts two words into a page, which guards against surprises; a wrong
   "no" only costs time, and t_wipe.c checks both answers. */
static bool is_mapped(const void *p)
{
    enum { FLAG = 2, PAGE_MASK = 4095 };

    return ((uintptr_t)p & PAGE_MASK) == 2 * sizeof(size_t)
           && (((const size_t *)p)[-1] & FLAG);
}

__attribute__((used)) void free(void *p)
{
    if (!p)
        return;
    if (!is_mapped(p))
        clk_wipe(p, malloc_usable_size(p));
    libc_free(p);
}

__attribute__((used)) void *realloc(void *p, size_t size)
{
    size_t have;
    void *bigger;

    if (!p)
        return libc_malloc(size);
    if (size == 0) { /* glibc's meaning of it */
        free(p);
        return NULL;
    }
    if (is_mapped(p))
        return libc_realloc(p, size);
    have = malloc_usable_size(p);
    if (size <= have) { /* shrinks in place */
        clk_wipe((char *)p + size, have - size);
        return libc_realloc(p, size);
    }
    bigger = libc_malloc(size);
    if (!bigger)
        return NULL;
    memcpy(bigger, p, have);
    clk_wipe(p, have);
    libc_free(p);
    return bigger;
}

#else

/* ISO C wants something here. */
typedef int clk_wipe_is_not_for_this_build;

#endif
