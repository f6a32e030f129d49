/* Memory of secrets: guarded, locked, undumpable pages; see core/secret.h. */
#include "core/secret_set.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "core/mem.h"

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

enum { STACK_DEPTH = 64 * 1024 }; /* bytes of left stack that are wiped */

void clk_wipe(void *p, size_t len)
{
    if (len == 0)
        return;
    memset(p, 0, len);
    /* The compiler must assume that this reads the zeros. */
    __asm__ volatile("" : : "r"(p) : "memory");
}

__attribute__((noinline)) void clk_wipe_stack(void)
{
    char left[STACK_DEPTH];

    clk_wipe(left, sizeof(left));
}

bool clk_secret_same(const void *a, size_t a_len, const void *b, size_t b_len)
{
    const volatile unsigned char *x = a, *y = b;
    unsigned difference = a_len != b_len;
    size_t len = a_len < b_len ? a_len : b_len;

    for (size_t i = 0; i < len; i++)
        difference |= x[i] ^ y[i];
    return difference == 0;
}

/* No core file of this process, whose heap has copies that are still in use,
   nor of its children, which are given some. A program that takes dumps from a
   pipe (core_pattern) gets them whatever the limit is, unless it is 1; that is
   too little for a file as well. The hard limit stays. */
static void forbid_dumps(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max > 0 ? 1 : 0;
        setrlimit(RLIMIT_CORE, &limit);
    }
#if defined(__linux__) && !defined(CLK_DEV)
    /* Also for ptrace. An exec resets it, so that children are not affected. */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

struct clk_secrets *clk_secrets_new(void)
{
    return clk_calloc(1, sizeof(struct clk_secrets));
}

void clk_secrets_wipe(struct clk_secrets *set)
{
    if (!set)
        return;
    for (struct clk_secret *s = set->first; s; s = s->next) {
        clk_wipe(s->bytes, s->cap);
        s->len = 0;
    }
    set->stale = true;
}

void clk_secrets_free(struct clk_secrets *set)
{
    if (!set)
        return;
    clk_secrets_wipe(set);
    for (struct clk_secret *s = set->first; s; s = s->next)
        s->set = NULL;
    clk_free(set->index);
    clk_free(set);
}

size_t clk_secrets_count(const struct clk_secrets *set)
{
    return set->count;
}

/* Maps room for `cap` bytes that end where the upper guard page begins, so that
   the first byte read or written beyond them faults. */
static bool map_pages(struct clk_secret *s, size_t cap)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (cap + page - 1) / page * page;
    unsigned char *map;

    if (room == 0)
        room = page;
#ifdef CLK_DEV
    void *probe = clk_malloc(1); /* so that torture reaches this failure too */
    if (!probe)
        return false;
    clk_free(probe);
#endif
    map = mmap(NULL, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
               -1, 0);
    if (map == MAP_FAILED)
        return false;
    if (mprotect(map + page, room, PROT_READ | PROT_WRITE) != 0) {
        munmap(map, room + 2 * page);
        return false;
    }
    /* Best effort, all three: a small RLIMIT_MEMLOCK must not stop the work. */
    (void)mlock(map + page, room);
#ifdef MADV_DONTDUMP
    (void)madvise(map + page, room, MADV_DONTDUMP);
#endif
#ifdef MADV_WIPEONFORK
    (void)madvise(map + page, room, MADV_WIPEONFORK);
#endif
    s->map = map;
    s->map_size = room + 2 * page;
    s->bytes = map + page + room - cap;
    s->cap = cap;
    return true;
}

static void link_in(struct clk_secrets *set, struct clk_secret *s)
{
    s->set = set;
    s->next = set->first;
    if (s->next)
        s->next->prev = s;
    set->first = s;
    set->count++;
}

static void unlink_from(struct clk_secrets *set, struct clk_secret *s)
{
    if (s->prev)
        s->prev->next = s->next;
    else
        set->first = s->next;
    if (s->next)
        s->next->prev = s->prev;
    set->count--;
    set->stale = true;
}

struct clk_secret *clk_secret_new(struct clk_secrets *set, size_t cap)
{
    struct clk_secret *s;

    if (cap > CLK_SECRET_MAX + 1 || set->count >= CLK_SECRETS_MAX)
        return NULL;
    s = clk_calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    if (!map_pages(s, cap)) {
        clk_free(s);
        return NULL;
    }
    if (!set->hardened) {
        forbid_dumps();
        set->hardened = true;
    }
    s->refs = 1;
    link_in(set, s);
    return s;
}

struct clk_secret *clk_secret_copy(struct clk_secrets *set, const void *bytes,
                                   size_t len)
{
    struct clk_secret *s = clk_secret_new(set, len);

    if (!s)
        return NULL;
    if (len)
        memcpy(s->bytes, bytes, len);
    clk_secret_seal(s, len);
    return s;
}

void clk_secret_seal(struct clk_secret *secret, size_t len)
{
    secret->len = len;
    if (secret->set)
        secret->set->stale = true;
}

struct clk_secret *clk_secret_ref(struct clk_secret *secret)
{
    secret->refs++;
    return secret;
}

void clk_secret_unref(struct clk_secret *secret)
{
    if (!secret || --secret->refs > 0)
        return;
    if (secret->set)
        unlink_from(secret->set, secret);
    clk_wipe(secret->bytes, secret->cap);
    munmap(secret->map, secret->map_size);
    clk_free(secret);
    clk_wipe_stack();
}
