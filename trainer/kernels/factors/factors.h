/* factors.h - lists from factors: what every recommender that learns a vector of each unit and each item ends with. Blobs are those of als_solve.h; a score is
 * the product of two rows, of equal ones the smaller number comes first. A row of zeros is in no list.
 *
 * "factors.units@1": rows of a range → items for units; params {"rank", "columns", "top"}, blobs: factors of units, of items. Collects for each unit: text, u32 count,
 * count × { u32 item, f32 score }, u32 count, count × { u32 item, f32 weight }: best items without those it had, and those it had.
 * "factors.similar@1": a part of the items → similar items by the cosine of the first `columns` numbers of their rows; params {"rank", "columns", "top"}, blob 0: factors of items; text
 * "PART FIRST_ITEM ITEMS". Collects for each item of the part: u32 count, count × { u32 item, f32 cosine }.
 * "factors.items@1": columns of a part → units for items; params {"rank", "columns", "top"}, blobs: factors of units, of items. Collects for each item of the part:
 * u32 count, count × { u32 unit, f32 score }, without units that had it. */
#pragma once
#include "trainer/engine/task.h"

#define FACTORS_UNITS_KERNEL "factors.units@1"
#define FACTORS_SIMILAR_KERNEL "factors.similar@1"
#define FACTORS_ITEMS_KERNEL "factors.items@1"

extern const struct kernel kernel_factors_units, kernel_factors_similar, kernel_factors_items;

struct factors_entry {
    uint32_t number;
    float value;
};
