/* Topics by number, as qrels and LETOR files name queries: sorted, found by halving. */
#include <stdlib.h>

#include "experimentd/judgments/rating_parts.h"

static int compare(struct str a, struct str b)
{
    int d = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

static int by_id_and_line(const void *a, const void *b)
{
    const struct topic *x = a, *y = b;
    int d = compare(x->id, y->id);
    return d ? d : (x->line > y->line) - (x->line < y->line);
}

void topics_add(struct topics *t, struct str id, struct str text, size_t line)
{
    if (t->count == t->room) {
        t->room = t->room ? 2 * t->room : 64;
        t->items = mem_realloc(t->items, t->room * sizeof *t->items);
    }
    t->items[t->count++] = (struct topic){ id, text, line };
}

void topics_sort(struct topics *t, struct bad_lines *bad)
{
    size_t kept = 0;
    if (t->count)
        qsort(t->items, t->count, sizeof *t->items, by_id_and_line);
    for (size_t i = 0; i < t->count; i++) {
        const struct topic *one = &t->items[i], *before = kept ? &t->items[kept - 1] : NULL;
        struct err err;
        if (!before || !str_eq(before->id, one->id)) {
            t->items[kept++] = *one;
        } else if (!str_eq(before->text, one->text)) {
            (void)err_set(&err, ERR_INVALID, "topic \"" STR_FMT "\" is \"" STR_FMT "\" in line %zu",
                          STR_ARG(str_cut(one->id, 40)), STR_ARG(str_cut(before->text, 80)), before->line);
            bad_lines_add(bad, one->line, &err);
        }
    }
    t->count = kept;
}

const struct str *topics_find(const struct topics *t, struct str id)
{
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int d = compare(t->items[mid].id, id);
        if (d == 0)
            return &t->items[mid].text;
        if (d < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

void topics_release(struct topics *t)
{
    mem_free(t->items);
    *t = (struct topics){ 0 };
}
