/* core/wipe.c: freed heap blocks are zeroed, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "core/secret.h"

/* Above the largest threshold of glibc's malloc: always a mapping of its own.
 */
enum { LARGE = 64 << 20 };

/* Calls through pointers the compiler knows nothing about: it must not reason
   about freed memory. */
static void *(*volatile take)(size_t) = malloc;
static void *(*volatile resize)(void *, size_t) = realloc;
static void (*volatile give)(void *) = free;

/* Whether nothing is left of a block that was full of 'x'. The allocator may
   have written links and sizes into it. */
static bool is_blank(const unsigned char *freed, size_t len)
{
    size_t run = 0;

    for (size_t i = 0; i < len; i++) {
        run = ((const volatile unsigned char *)freed)[i] == 'x' ? run + 1 : 0;
        if (run == 4)
            return false;
    }
    return true;
}

/* Sanitizers and valgrind bring an allocator of their own, and object to looks
   at freed memory. */
static bool is_wiping_build(void)
{
#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
    return false;
#else
    return !getenv("VALGRIND");
#endif
}

static void test_freed_blocks_are_blank(void **state)
{
    (void)state;
    for (size_t size = 17; size < 100000; size += size / 3) {
        unsigned char *p = take(size);

        memset(p, 'x', malloc_usable_size(p));
        give(p);
        assert_true(is_blank(p, size));
    }
}

static void test_moved_blocks_are_blank(void **state)
{
    (void)state;
    for (size_t size = 32; size < 10000; size += size / 2) {
        unsigned char *p = take(size), *wall = take(size), *q;

        memset(p, 'x', size);
        q = resize(p, 20 * size);
        assert_ptr_not_equal(p, q);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(q[i], 'x');
        assert_true(is_blank(p, size));
        give(q);
        give(wall);
    }
}

static void test_shrunk_blocks_lose_their_tail(void **state)
{
    unsigned char *p = take(4000), *q;

    (void)state;
    memset(p, 'x', 4000);
    q = resize(p, 100);
    assert_ptr_equal(p, q);
    for (int i = 0; i < 100; i++)
        assert_int_equal(q[i], 'x');
    assert_true(is_blank(p + 128, 4000 - 128));
    give(q);
}

static void test_realloc_keeps_its_contract(void **state)
{
    unsigned char *p = resize(NULL, 10);

    (void)state;
    assert_non_null(p);
    memcpy(p, "0123456789", 10);
    p = resize(p, 5);
    p = resize(p, 5000);
    assert_memory_equal(p, "01234", 5);
    give(p);
    give(NULL);
    p = take(10);
    give(p);
}

static void test_a_failed_realloc_keeps_the_block(void **state)
{
    unsigned char *p = take(10);

    (void)state;
    memcpy(p, "0123456789", 10);
    errno = 0;
    assert_null(resize(p, PTRDIFF_MAX));
    assert_int_equal(errno, ENOMEM);
    assert_memory_equal(p, "0123456789", 10);
    give(p);
}

/* A block that is a mapping of its own moves without being copied: its pages
   that were never touched are still not there. */
static void test_large_blocks_are_left_to_the_kernel(void **state)
{
    unsigned char *p = take(LARGE);

    (void)state;
    assert_int_equal(((size_t *)p)[-1] & 2, 2);
    assert_int_equal((uintptr_t)p % 4096, 2 * sizeof(size_t));
    p[0] = 'a';
    p[LARGE - 1] = 'z';
    p = resize(p, 2 * (size_t)LARGE);
    assert_int_equal(p[0], 'a');
    assert_int_equal(p[LARGE - 1], 'z');
    give(p);
    p = take(100);
    assert_int_equal(((size_t *)p)[-1] & 2, 0);
    give(p);
}

static void test_aligned_and_cleared_blocks(void **state)
{
    unsigned char *p = calloc(100, 10);
    void *aligned = NULL;

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    memset(p, 'x', 1000);
    give(p);
    for (size_t align = 16; align <= 65536; align *= 2) {
        assert_int_equal(posix_memalign(&aligned, align, 100), 0);
        assert_int_equal((uintptr_t)aligned % align, 0);
        memset(aligned, 'x', 100);
        aligned = resize(aligned, 300000);
        assert_non_null(aligned);
        assert_int_equal(*(char *)aligned, 'x');
        give(aligned);
    }
}

__attribute__((noinline)) static uintptr_t leave_on_stack(int byte)
{
    volatile char left[4000];

    for (size_t i = 0; i < sizeof(left); i++)
        left[i] = (char)byte;
    return (uintptr_t)left;
}

static void test_left_stack_is_wiped(void **state)
{
    uintptr_t left = leave_on_stack('x');
    const volatile char *bytes;
    size_t kept = 0;

    (void)state;
    clk_wipe_stack();
    bytes = (const volatile char *)left;
    for (size_t i = 0; i < 4000; i++)
        kept += bytes[i] == 'x';
    assert_true(kept < 16);
}

int main(void)
{
    const struct CMUnitTest always[] = {
        cmocka_unit_test(test_realloc_keeps_its_contract),
        cmocka_unit_test(test_aligned_and_cleared_blocks),
    };
    const struct CMUnitTest wiping[] = {
        cmocka_unit_test(test_freed_blocks_are_blank),
        cmocka_unit_test(test_moved_blocks_are_blank),
        cmocka_unit_test(test_shrunk_blocks_lose_their_tail),
        cmocka_unit_test(test_a_failed_realloc_keeps_the_block),
        cmocka_unit_test(test_large_blocks_are_left_to_the_kernel),
        cmocka_unit_test(test_left_stack_is_wiped),
    };
    int failed = cmocka_run_group_tests_name("heap", always, NULL, NULL);

    if (is_wiping_build())
        failed += cmocka_run_group_tests_name("wipe", wiping, NULL, NULL);
    return failed;
}
