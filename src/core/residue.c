/* Searching our own memory; see core/residue.h. */
#include "core/residue.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <uv.h>

#include "core/secret.h"

enum { WINDOW = 1 << 20, LINE = 512 };

/* One search. */
struct search {
    int mem;               /* /proc/self/mem */
    unsigned char *window; /* a mapping of its own, not searched */
    const unsigned char *masked;
    size_t len;
    unsigned char key;
    struct clk_residue *found;
};

static bool same(const struct search *s, const unsigned char *at)
{
    for (size_t i = 0; i < s->len; i++) {
        if (at[i] != (s->masked[i] ^ s->key))
            return false;
    }
    return true;
}

static void note(struct search *s, uintptr_t address, const char *name)
{
    if (s->found->count == CLK_RESIDUE_PLACES)
        return;
    (void)snprintf(s->found->place[s->found->count++], CLK_RESIDUE_NAME,
                   "%" PRIxPTR " %s", address, name);
}

static void search_window(struct search *s, size_t have, uintptr_t address,
                          const char *name)
{
    const unsigned char *at = s->window, *end = s->window + have;
    int first = s->masked[0] ^ s->key;

    while ((size_t)(end - at) >= s->len) {
        at = memchr(at, first, (size_t)(end - at) - s->len + 1);
        if (!at)
            break;
        if (same(s, at))
            note(s, address + (uintptr_t)(at - s->window), name);
        at++;
    }
    clk_wipe(s->window, have);
}

/* Windows overlap, so that no occurrence falls between two. */
static void search_mapping(struct search *s, uintptr_t from, uintptr_t to,
                           const char *name)
{
    while (to - from >= s->len) {
        size_t want = to - from < WINDOW ? to - from : WINDOW;
        ssize_t got = pread(s->mem, s->window, want, (off_t)from);

        if (got < (ssize_t)s->len)
            return; /* cannot be read: [vvar], [vsyscall] */
        search_window(s, (size_t)got, from, name);
        if ((size_t)got == to - from)
            return;
        from += (size_t)got - s->len + 1;
    }
}

/* A line of /proc/self/maps: "from-to rights offset device inode  name". */
static void search_line(struct search *s, const char *line)
{
    char *rest;
    uintptr_t from = strtoul(line, &rest, 16), to;
    const char *name;

    if (*rest != '-')
        return;
    to = strtoul(rest + 1, &rest, 16);
    name = strrchr(rest, ' ');
    name = name ? name + 1 : "";
    if (from <= (uintptr_t)s->window && (uintptr_t)s->window < to) {
        /* The kernel may have joined our window with its neighbours. */
        search_mapping(s, from, (uintptr_t)s->window, name);
        from = (uintptr_t)s->window + WINDOW;
    }
    search_mapping(s, from, to, name);
}

static void search_all(struct search *s, FILE *maps)
{
    char line[LINE];

    while (fgets(line, sizeof(line), maps)) {
        line[strcspn(line, "\n")] = '\0';
        search_line(s, line);
    }
}

int clk_residue_find(const char *masked, size_t len, unsigned char key,
                     struct clk_residue *found)
{
    struct search s = {.masked = (const unsigned char *)masked,
                       .len = len,
                       .key = key,
                       .found = found};
    FILE *maps = fopen("/proc/self/maps", "re");
    int error = 0;

    found->count = 0;
    s.mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    s.window = mmap(NULL, WINDOW, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!maps || s.mem < 0)
        error = uv_translate_sys_error(errno);
    else if (s.window == MAP_FAILED)
        error = UV_ENOMEM;
    else
        search_all(&s, maps);
    if (s.window != MAP_FAILED)
        munmap(s.window, WINDOW);
    if (s.mem >= 0)
        close(s.mem);
    if (maps)
        fclose(maps);
    return error;
}
