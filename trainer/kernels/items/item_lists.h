/* item_lists.h - pure: lists of similar items by number, as a blob: u32 items, u32 0, items + 1 u64 ends, then { u32 item, f32 score } of each. */
#pragma once
#include "base/buf.h"
#include "base/mem.h"

struct item_lists {
    uint32_t items;
    const uint64_t *ends;
    const struct item_score {
        uint32_t item;
        float score;
    } * entries;
};
/* ends: items + 1 numbers, the first of them 0. */
void item_lists_write(struct buf *b, uint32_t items, const uint64_t *ends, const struct item_score *entries);
/* Borrows the blob, which lies at a multiple of 8. ERR_INVALID: it is none. */
bool item_lists_read(struct str blob, struct item_lists *out, struct err *err) MUSTCHECK;

/* What a unit would like: of each item that it has, those that are similar, by Σ weight × score; what it has is left out. */
struct item_taste {
    double *scores;    /* by item */
    uint32_t *touched; /* items with a score */
    uint32_t touched_count;
};
struct best;
void item_taste_init(struct item_taste *t, uint32_t items, struct arena *arena);
void item_taste_best(struct item_taste *t, const struct item_lists *lists, const uint32_t *items, const float *weights,
                     uint32_t count, struct best *out);
