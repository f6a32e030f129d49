/* Finds every live secret in a text and writes "[secret]" in its place; see
   core/secret.h. Overlapping occurrences are covered as one. */
#include "core/secret_set.h"

#include <string.h>

#include "core/mem.h"

static const char cover[] = "[secret]";

/* Masked text under construction; stays empty while nothing was replaced. */
struct output {
    char *text;
    size_t len, cap;
};

static bool put(struct output *out, const void *text, size_t len)
{
    if (!out->text || out->len + len > out->cap) {
        size_t cap = 2 * out->cap + len + 64;
        char *bigger = clk_realloc(out->text, cap);

        if (!bigger)
            return false;
        out->text = bigger;
        out->cap = cap;
    }
    if (len)
        memcpy(out->text + out->len, text, len);
    out->len += len;
    return true;
}

/* Counts (first pass) or places (second pass) the entries of the index. */
struct index_pass {
    struct clk_secrets *set;
    struct clk_mask_entry entry;
    uint32_t *next; /* per byte: the count, or the next free place */
    bool place;
};

static void add_entry(void *ud, unsigned char c)
{
    struct index_pass *pass = ud;

    if (pass->place) {
        clk_mask_second_bytes(&pass->entry, c);
        pass->set->index[pass->next[c]] = pass->entry;
    }
    pass->next[c]++;
}

static void visit_entries(struct index_pass *pass)
{
    struct clk_secret *s;

    for (s = pass->set->first; s; s = s->next) {
        if (s->len < CLK_SECRET_MASK_MIN)
            continue;
        pass->entry.secret = s;
        for (int form = 0; form < CLK_MASK_FORMS; form++) {
            pass->entry.form = (enum clk_mask_form)form;
            clk_mask_first_bytes(s, pass->entry.form, add_entry, pass);
        }
    }
}

static bool build_index(struct clk_secrets *set)
{
    uint32_t next[256] = {0}, total = 0;
    struct index_pass pass = {.set = set, .next = next};
    struct clk_mask_entry *index;

    visit_entries(&pass);
    for (int c = 0; c < 256; c++) {
        uint32_t count = next[c];

        set->start[c] = next[c] = total;
        total += count;
    }
    set->start[256] = total;
    index = clk_realloc(set->index, (total ? total : 1) * sizeof(*index));
    if (!index) {
        set->stale = true;
        return false;
    }
    set->index = index;
    pass.place = true;
    visit_entries(&pass);
    set->stale = false;
    return true;
}

/* The longest occurrence of any secret at the beginning of `text`. */
static struct clk_mask_match match_here(const struct clk_secrets *set,
                                        const unsigned char *text, size_t len)
{
    struct clk_mask_match best = {0};
    uint32_t end = set->start[text[0] + 1];

    for (uint32_t i = set->start[text[0]]; i < end; i++) {
        const struct clk_mask_entry *e = &set->index[i];
        struct clk_mask_match m;

        if (len > 1 && !e->any && text[1] != e->second[0]
            && text[1] != e->second[1] && text[1] != e->second[2])
            continue;
        m = clk_mask_match_at(e->secret, e->form, text, len);
        if (m.len > best.len)
            best.len = m.len;
        best.more |= m.more;
    }
    return best;
}

/* A walk over one text. */
struct scan {
    const struct clk_secrets *set;
    const unsigned char *text;
    size_t len;
    bool last;      /* no more text will follow */
    size_t at;      /* where the walk stands, or stopped for more text */
    size_t covered; /* bytes from `at` on that are replaced already */
    size_t written; /* up to here the text is in `out` */
    struct output out;
};

/* Steps over one byte at which something matched. */
static bool step(struct scan *scan, size_t match_len)
{
    if (match_len > 0 && scan->covered == 0) {
        if (!put(&scan->out, scan->text + scan->written,
                 scan->at - scan->written)
            || !put(&scan->out, cover, sizeof(cover) - 1))
            return false;
    }
    if (match_len > scan->covered)
        scan->covered = match_len;
    scan->at++;
    if (scan->covered > 0) {
        scan->covered--;
        scan->written = scan->at;
    }
    return true;
}

/* Walks until the end, or to the first byte that could begin a secret whose
   end has not come yet. */
static bool walk(struct scan *scan)
{
    const uint32_t *start = scan->set->start;

    while (scan->at < scan->len) {
        unsigned char c = scan->text[scan->at];
        struct clk_mask_match m = {0};

        if (start[c] != start[c + 1])
            m = match_here(scan->set, scan->text + scan->at,
                           scan->len - scan->at);
        if (m.more && !scan->last)
            return true;
        if (!step(scan, m.len))
            return false;
    }
    return true;
}

/* Adds what the walk passed over to the output. */
static bool flush(struct scan *scan)
{
    return put(&scan->out, scan->text + scan->written,
               scan->at - scan->written);
}

int clk_secret_mask(struct clk_secrets *set, const char *text, size_t len,
                    char **out, size_t *out_len)
{
    struct scan scan = {.set = set,
                        .text = (const unsigned char *)text,
                        .len = len,
                        .last = true};

    *out = NULL;
    *out_len = 0;
    if (!set || set->count == 0)
        return 0;
    if ((set->stale || !set->index) && !build_index(set))
        return -1;
    if (!walk(&scan) || (scan.out.text && !flush(&scan))) {
        clk_free(scan.out.text);
        return -1;
    }
    *out = scan.out.text;
    *out_len = scan.out.len;
    return scan.out.text != NULL;
}

/* A stream of text: what came but cannot be judged yet. */
struct clk_masker {
    struct clk_secrets *set;
    char *held;
    size_t held_len, held_cap;
    size_t covered; /* the first bytes of `held` that are replaced already */
};

struct clk_masker *clk_masker_new(struct clk_secrets *set)
{
    struct clk_masker *masker = clk_calloc(1, sizeof(*masker));

    if (masker)
        masker->set = set;
    return masker;
}

void clk_masker_free(struct clk_masker *masker)
{
    if (!masker)
        return;
    clk_wipe(masker->held, masker->held_len);
    clk_free(masker->held);
    clk_free(masker);
}

/* Makes room for `len` more held bytes, leaving no copy of the old ones. */
static bool hold_room(struct clk_masker *masker, size_t len)
{
    size_t cap = masker->held_len + len;
    char *held;

    if (cap <= masker->held_cap)
        return true;
    held = clk_malloc(cap);
    if (!held)
        return false;
    if (masker->held_len)
        memcpy(held, masker->held, masker->held_len);
    clk_wipe(masker->held, masker->held_len);
    clk_free(masker->held);
    masker->held = held;
    masker->held_cap = cap;
    return true;
}

/* Keeps the text from scan->at on for the next chunk. */
static void hold_rest(struct clk_masker *masker, const struct scan *scan)
{
    size_t rest = scan->len - scan->at;

    if (rest)
        memmove(masker->held, scan->text + scan->at, rest);
    clk_wipe(masker->held + rest, scan->len - rest);
    masker->held_len = rest;
    masker->covered = rest ? scan->covered : 0;
}

int clk_masker_feed(struct clk_masker *masker, const char *text, size_t len,
                    bool last, char **out, size_t *out_len)
{
    struct clk_secrets *set = masker->set;
    struct scan scan = {.set = set, .last = last, .covered = masker->covered};
    size_t before = masker->held_len;

    *out = NULL;
    *out_len = 0;
    if (before == 0 && (len == 0 || set->count == 0))
        return 0;
    if ((set->stale || !set->index) && !build_index(set))
        return -1;
    if (!hold_room(masker, len))
        return -1;
    if (len)
        memcpy(masker->held + before, text, len);
    masker->held_len += len;
    scan.text = (const unsigned char *)masker->held;
    scan.len = masker->held_len;
    if (!walk(&scan) || !flush(&scan)) {
        clk_free(scan.out.text);
        clk_wipe(masker->held + before, len);
        masker->held_len = before;
        return -1;
    }
    *out = scan.out.text;
    *out_len = scan.out.len;
    hold_rest(masker, &scan);
    return 1;
}
