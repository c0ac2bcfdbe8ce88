/* items.h - what the jobs "item-similarity" and "association-rules" and their kernels say to each other. Rows are those of the matrix
 * (kernels/matrix/rows.h), items their numbers.
 *
 * "item_pairs.count@1": rows of a range → of each two items that a unit had, how many units had both and Σ of the products of their weights: struct pair_sum
 * with the key (a, b), in the part of a. Params {"items", "weighted": false: each weight is 1, "both": (b, a) too; else only a < b}.
 * Collects Σ weight² of each item (double). More pairs than fit go out in several turns, whose borders follow from the rows alone.
 * "item_pairs.similar@1": a part of all ranges → lists of the items of it; params {"similarity", "shrink", "units", "min_units", "top"}, blob 0 a struct
 * similar_item for each item. Collects for each item with a list: u32 item, u32 count, count × { u32 item, u32 units, f32 score }.
 * "item_lists.users@1": rows of a range → what its units would like and what they had: params {"top"}, blob 0 lists of similar items (item_lists.h).
 * Collects for each unit: text, u32 count, count × { u32 item, f32 score }, u32 count, count × { u32 item, f32 weight }.
 * "pair_sums.merge@1": a part of all inputs → the sums that count at least {"min_count"} and at most "max_count", by key; collects struct pair_sum.
 * "item_triples.count@1": rows of a range → of each three items of a unit of which every two are a frequent pair, how many units had them: struct pair_sum
 * with the key (number of the pair a < b, c > b), in the part of the pair; blob 0 the keys of the frequent pairs, ascending. */
#pragma once
#include "trainer/engine/task.h"

#define ITEM_PAIRS_COUNT_KERNEL "item_pairs.count@1"
#define ITEM_PAIRS_SIMILAR_KERNEL "item_pairs.similar@1"
#define ITEM_LISTS_USERS_KERNEL "item_lists.users@1"
#define PAIR_SUMS_MERGE_KERNEL "pair_sums.merge@1"
#define ITEM_TRIPLES_COUNT_KERNEL "item_triples.count@1"

extern const struct kernel kernel_item_pairs_count, kernel_item_pairs_similar, kernel_item_lists_users,
    kernel_pair_sums_merge, kernel_item_triples_count;

/* The part of a number below `numbers`. */
static inline uint32_t items_part(uint32_t number, uint32_t numbers, uint32_t parts)
{
    return (uint32_t)((uint64_t)number * parts / numbers);
}
