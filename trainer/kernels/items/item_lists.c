#include "trainer/kernels/items/item_lists.h"

#include <math.h>

#include "trainer/kernels/items/best.h"

void item_lists_write(struct buf *b, uint32_t items, const uint64_t *ends, const struct item_score *entries)
{
    const uint32_t head[] = { items, 0 };
    buf_add(b, head, sizeof head);
    buf_add(b, ends, ((size_t)items + 1) * sizeof *ends);
    buf_add(b, entries, ends[items] * sizeof *entries);
}

bool item_lists_read(struct str blob, struct item_lists *out, struct err *err)
{
    size_t head = 2 * sizeof(uint32_t);
    if (blob.n < head)
        return err_set(err, ERR_INVALID, "lists of similar items: %zu bytes", blob.n);
    memcpy(&out->items, blob.p, sizeof out->items);
    out->ends = (const void *)(blob.p + head);
    size_t ends = ((size_t)out->items + 1) * sizeof *out->ends;
    if (blob.n < head + ends || blob.n != head + ends + out->ends[out->items] * sizeof *out->entries)
        return err_set(err, ERR_INVALID, "lists of similar items: %zu bytes for %u items", blob.n, out->items);
    out->entries = (const void *)(blob.p + head + ends);
    return true;
}

void item_taste_init(struct item_taste *t, uint32_t items, struct arena *arena)
{
    *t = (struct item_taste){ .scores = arena_zalloc(arena, ((size_t)items + 1) * sizeof *t->scores),
                              .touched = arena_alloc(arena, ((size_t)items + 1) * sizeof *t->touched) };
}

static void add_similar(struct item_taste *t, const struct item_lists *lists, uint32_t item, double weight)
{
    for (uint64_t i = lists->ends[item]; i < lists->ends[item + 1]; i++) {
        const struct item_score *e = &lists->entries[i];
        if (t->scores[e->item] == 0)
            t->touched[t->touched_count++] = e->item;
        t->scores[e->item] += weight * (double)e->score;
    }
}

/* A score of an item that the unit has is made NAN before they are told. */
void item_taste_best(struct item_taste *t, const struct item_lists *lists, const uint32_t *items, const float *weights,
                     uint32_t count, struct best *out)
{
    best_clear(out);
    for (uint32_t i = 0; i < count; i++)
        add_similar(t, lists, items[i], (double)weights[i]);
    for (uint32_t i = 0; i < count; i++)
        if (t->scores[items[i]] > 0)
            t->scores[items[i]] = NAN;
    for (uint32_t i = 0; i < t->touched_count; i++) {
        double *score = &t->scores[t->touched[i]];
        if (!isnan(*score))
            best_add(out, *score, t->touched[i], 0);
        *score = 0;
    }
    t->touched_count = 0;
    best_sort(out);
}
