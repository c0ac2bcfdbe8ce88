/* Records of the matrix: what was written is read, at whatever place, and what is cut is none. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "trainer/kernels/matrix/columns.h"
#include "trainer/kernels/matrix/items.h"
#include "trainer/kernels/matrix/rows.h"

static const uint32_t items[] = { 1, 5, 7 }, held[] = { 2, 9, 5 };
static const float weights[] = { 1, 0.5F, 25 };
static const int64_t last_us[] = { 10, 20, 30 };

static struct matrix_row row_of(struct str unit, uint32_t count)
{
    return (struct matrix_row){ .unit = unit,
                                .count = count,
                                .items = items,
                                .weights = weights,
                                .last_us = last_us,
                                .held = 3,
                                .held_new = 2,
                                .held_items = held,
                                .held_outside = 4 };
}

static void check_row(const struct matrix_row *got, const struct matrix_row *want)
{
    cr_assert(str_eq(got->unit, want->unit));
    cr_assert(eq(u32, got->count, want->count));
    cr_assert(eq(u32, got->held, want->held));
    cr_assert(eq(u32, got->held_new, want->held_new));
    cr_assert(eq(u32, got->held_outside, want->held_outside));
    cr_assert(memcmp(got->items, want->items, want->count * sizeof *items) == 0);
    cr_assert(memcmp(got->weights, want->weights, want->count * sizeof *weights) == 0);
    cr_assert(memcmp(got->last_us, want->last_us, want->count * sizeof *last_us) == 0);
    cr_assert(memcmp(got->held_items, want->held_items, want->held * sizeof *held) == 0);
}

Test(matrix_row, is_read_as_it_was_written)
{
    const struct matrix_row rows[] = { row_of(STR("u"), 3), row_of(STR("somebody else"), 1), row_of(STR(""), 2) };
    struct matrix_row got;
    struct buf b;
    buf_init(&b, 1 << 16);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        matrix_row_write(&b, &rows[i]);
        cr_assert(eq(sz, b.n % 8, 0));
    }
    struct str in = buf_str(&b);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_assert(matrix_row_read(&in, &got));
        check_row(&got, &rows[i]);
    }
    cr_assert(eq(sz, in.n, 0));
    for (size_t n = 0; n < 88; n += 8) {
        in = (struct str){ b.p, n };
        cr_assert(not(matrix_row_read(&in, &got)), "%zu bytes", n);
    }
    buf_release(&b);
}

Test(matrix_row, that_claims_more_than_there_is_is_none)
{
    struct matrix_row row = row_of(STR("u"), 3), got;
    struct buf b;
    buf_init(&b, 1 << 16);
    matrix_row_write(&b, &row);
    for (size_t at = 0; at < 16; at += 4) { /* length of the text, items, later items, new ones */
        struct str in = buf_str(&b);
        char kept = b.p[at + 3];
        b.p[at + 3] = 0x7f;
        cr_assert(not(matrix_row_read(&in, &got)), "number at byte %zu", at);
        b.p[at + 3] = kept;
    }
    buf_release(&b);
}

Test(matrix_column, is_read_as_it_was_written)
{
    const struct matrix_column columns[] = { { 3, 3, items, weights, true }, { 3, 1, items, weights, false } };
    struct matrix_column got;
    struct buf b;
    buf_init(&b, 1 << 16);
    for (size_t i = 0; i < COUNT_OF(columns); i++)
        matrix_column_write(&b, &columns[i]);
    struct str in = buf_str(&b);
    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        cr_assert(matrix_column_read(&in, &got));
        cr_assert(eq(u32, got.item, 3));
        cr_assert(eq(u32, got.count, columns[i].count));
        cr_assert(eq(int, got.more, columns[i].more));
        cr_assert(memcmp(got.units, items, got.count * sizeof *items) == 0);
        cr_assert(memcmp(got.weights, weights, got.count * sizeof *weights) == 0);
    }
    in = (struct str){ b.p, 24 };
    cr_assert(not(matrix_column_read(&in, &got)));
    buf_release(&b);
}

Test(matrix_items, are_found_by_text_and_by_number)
{
    const struct str texts[] = { STR(""), STR("a"), STR("a b"), STR("ab"), STR("\xc3\xa9lan") };
    struct matrix_items m;
    struct buf b;
    struct err err;
    uint32_t at;
    buf_init(&b, 1 << 16);
    matrix_items_write(&b, texts, COUNT_OF(texts));
    cr_assert(matrix_items_read(buf_str(&b), &m, &err));
    cr_assert(eq(u32, m.count, COUNT_OF(texts)));
    for (uint32_t i = 0; i < m.count; i++) {
        cr_assert(str_eq(matrix_item_text(&m, i), texts[i]));
        cr_assert(matrix_item_find(&m, texts[i], &at));
        cr_assert(eq(u32, at, i));
    }
    cr_assert(not(matrix_item_find(&m, STR("a c"), &at)));
    cr_assert(not(matrix_item_find(&m, STR("z"), &at)));
    cr_assert(not(matrix_items_read((struct str){ b.p, b.n - 1 }, &m, &err)));
    cr_assert(not(matrix_items_read((struct str){ b.p, 7 }, &m, &err)));
    buf_release(&b);
}

Test(matrix_items, may_be_none)
{
    struct matrix_items m;
    struct buf b;
    struct err err;
    uint32_t at;
    buf_init(&b, 1 << 16);
    matrix_items_write(&b, NULL, 0);
    cr_assert(matrix_items_read(buf_str(&b), &m, &err));
    cr_assert(not(matrix_item_find(&m, STR("a"), &at)));
    buf_release(&b);
}
