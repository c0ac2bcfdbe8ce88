#include "trainer/kernels/items/best.h"

#include <stdlib.h>

void best_init(struct best *b, uint32_t max, struct arena *arena)
{
    *b = (struct best){ .entries = arena_alloc(arena, ((size_t)max + 1) * sizeof *b->entries), .max = max };
}

static bool is_worse(const struct best_entry *a, const struct best_entry *b)
{
    return a->score < b->score || (!(a->score > b->score) && a->number > b->number);
}

static void swap(struct best_entry *a, struct best_entry *b)
{
    struct best_entry t = *a;
    *a = *b;
    *b = t;
}

static void sift_down(struct best *b)
{
    for (uint32_t at = 0;;) {
        uint32_t worst = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2; child++)
            if (child < b->count && is_worse(&b->entries[child], &b->entries[worst]))
                worst = child;
        if (worst == at)
            return;
        swap(&b->entries[at], &b->entries[worst]);
        at = worst;
    }
}

static void sift_up(struct best *b)
{
    for (uint32_t at = b->count - 1; at && is_worse(&b->entries[at], &b->entries[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&b->entries[at], &b->entries[(at - 1) / 2]);
}

void best_add(struct best *b, double score, uint32_t number, uint32_t extra)
{
    const struct best_entry e = { score, number, extra };
    if (b->count < b->max) {
        b->entries[b->count++] = e;
        sift_up(b);
    } else if (b->max && is_worse(&b->entries[0], &e)) {
        b->entries[0] = e;
        sift_down(b);
    }
}

static int better_first(const void *a, const void *b)
{
    return is_worse(a, b) ? 1 : -1;
}

void best_sort(struct best *b)
{
    if (b->count > 1)
        qsort(b->entries, b->count, sizeof *b->entries, better_first);
}
