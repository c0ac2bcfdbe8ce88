#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>

#include "archive/column.h"

enum { ROWS_MAX = 3000 };

static const struct str texts[] = {
    STR(""),         STR("a"),  STR("click"),           STR("a much longer text than eight bytes"),
    STR("tür/日本"), STR("\n"), STR("\xf0\x9f\x94\x8d")
};
static const int64_t wholes[] = { 0, 1, -1, INT64_MAX, INT64_MIN, 1772323200000000, 127, 128, -128 };
static const double reals[] = { 0, -0.0, 1.5, -1e300, INFINITY, -INFINITY, 5e-324, 0.1 };

static struct archive_value whole(uint64_t kind, uint64_t r)
{
    return (struct archive_value){ .i = kind == 0   ? wholes[r % 9]
                                        : kind == 1 ? 1772323200000000 + (int64_t)(r % 1000000)
                                                    : (int64_t)(r * UINT64_C(0x9e3779b97f4a7c15)) };
}

static struct archive_value text(uint64_t kind, uint64_t r, struct arena *arena)
{
    return (struct archive_value){ .s = kind == 0 ? texts[r % 7]
                                                  : arena_printf(arena, "t%lu", kind == 1 ? r % 50 : r) };
}

static struct archive_value value_of(enum archive_type type, uint64_t kind, uint64_t r, struct arena *arena)
{
    switch (type) {
    case ARCHIVE_INT:
    case ARCHIVE_TIME:
        return whole(kind, r);
    case ARCHIVE_REAL:
        return (struct archive_value){ .d = kind == 0 ? reals[r % 8] : kind == 1 ? NAN : (double)r / 3 };
    case ARCHIVE_UUID:
        return (struct archive_value){ .s = arena_str(arena, arena_printf(arena, "%016lx", r * 77777777777)) };
    default:
        return text(kind, r, arena);
    }
}

/* kind 0: the odd ones, 1: few different ones, 2: many. nulls: one in so many, 0 for none. */
static struct archive_value *make(enum archive_type type, uint64_t kind, uint32_t rows, uint32_t nulls,
                                  struct arena *arena)
{
    struct archive_value *v = arena_zalloc(arena, (rows + 1) * sizeof *v);
    for (uint32_t i = 0; i < rows; i++) {
        uint64_t r = (i * UINT64_C(2654435761) + kind) >> 4;
        if (nulls && r % nulls == 0)
            v[i].null = true;
        else
            v[i] = value_of(type, kind, r, arena);
    }
    return v;
}

static bool same(enum archive_type type, const struct archive_value *a, const struct archive_value *b)
{
    if (a->null || b->null)
        return a->null && b->null;
    if (type >= ARCHIVE_TEXT)
        return str_eq(a->s, b->s);
    return memcmp(&a->i, &b->i, sizeof a->i) == 0; /* of reals the bits: NaN is NaN, -0 is not 0 */
}

static void check(enum archive_type type, const struct archive_value *v, uint32_t rows, struct arena *arena)
{
    struct archive_range range;
    struct archive_value *back;
    struct archive_vector vector;
    struct err err = { 0 };
    AUTO(buf_release) struct buf b;
    buf_init(&b, ARCHIVE_RAW_MAX);
    archive_column_encode(type, v, rows, &b, &range);
    cr_assert(archive_column_decode(type, rows, buf_str(&b), arena, &vector, &err), "%s", err.text);
    cr_assert(archive_column_values(type, rows, buf_str(&b), arena, &back, &err), "%s", err.text);
    uint32_t nulls = 0;
    for (uint32_t i = 0; i < rows; i++) {
        cr_assert(same(type, &v[i], &back[i]), "%s: row %u of %u", archive_type_names[type], i, rows);
        nulls += v[i].null;
        if (v[i].null) { /* what is null may be looked at without asking */
            cr_assert(type < ARCHIVE_TEXT || !vector.texts[vector.codes[i]].p);
            cr_assert(type != ARCHIVE_REAL || isnan(vector.reals[i]));
            cr_assert(type > ARCHIVE_TIME || vector.ints[i] == 0);
        }
        cr_assert(v[i].null || archive_range_holds(type, &range, rows, archive_range_key(type, &v[i])), "row %u", i);
    }
    cr_assert(eq(u32, range.nulls, nulls));
}

Test(column, every_type_comes_back_as_it_went_in)
{
    static const uint32_t rows[] = { 0, 1, 2, 7, 8, 9, 100, ROWS_MAX }, nulls[] = { 0, 1, 2, 10 };
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (int type = 0; type < ARCHIVE_TYPE_COUNT; type++)
        for (uint64_t kind = 0; kind < 3; kind++)
            for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
                for (size_t n = 0; n < sizeof nulls / sizeof *nulls; n++) {
                    check((enum archive_type)type, make((enum archive_type)type, kind, rows[r], nulls[n], &arena),
                          rows[r], &arena);
                    arena_reset(&arena);
                }
    arena_release(&arena);
}

Test(column, what_repeats_is_written_once)
{
    struct arena arena;
    struct archive_range range;
    AUTO(buf_release) struct buf few;
    AUTO(buf_release) struct buf times;
    buf_init(&few, ARCHIVE_RAW_MAX);
    buf_init(&times, ARCHIVE_RAW_MAX);
    arena_init(&arena, 1 << 20);
    archive_column_encode(ARCHIVE_TEXT, make(ARCHIVE_TEXT, 1, ROWS_MAX, 0, &arena), ROWS_MAX, &few, &range);
    cr_assert(lt(sz, few.n, ROWS_MAX + 50 * 4 + 16)); /* a byte each, and fifty texts */
    archive_column_encode(ARCHIVE_TIME, make(ARCHIVE_TIME, 1, ROWS_MAX, 0, &arena), ROWS_MAX, &times, &range);
    cr_assert(lt(sz, times.n, ROWS_MAX * 4));
    arena_release(&arena);
}

Test(column, ranges_leave_out_what_is_not_there)
{
    struct archive_value v[] = { { .s = STR("unit-b") }, { .null = true }, { .s = STR("unit-d") } };
    struct archive_value r[] = { { .d = -2 }, { .d = NAN } }, x = { .d = 1e308 }, y = { .d = -3 };
    struct archive_range range;
    AUTO(buf_release) struct buf b;
    buf_init(&b, ARCHIVE_RAW_MAX);
    archive_column_encode(ARCHIVE_TEXT, v, 3, &b, &range);
    const char *names[] = { "unit-a", "unit-b", "unit-c", "unit-d", "unit-e" };
    for (int i = 0; i < 5; i++) {
        struct archive_value one = { .s = str_of(names[i]) };
        cr_assert(eq(int, archive_range_holds(ARCHIVE_TEXT, &range, 3, archive_range_key(ARCHIVE_TEXT, &one)),
                     i > 0 && i < 4));
    }
    archive_column_encode(ARCHIVE_REAL, r, 2, &b, &range);
    cr_assert(archive_range_holds(ARCHIVE_REAL, &range, 2, archive_range_key(ARCHIVE_REAL, &x))); /* NaN is greatest */
    cr_assert(not(archive_range_holds(ARCHIVE_REAL, &range, 2, archive_range_key(ARCHIVE_REAL, &y))));
    archive_column_encode(ARCHIVE_TEXT, v + 1, 1, &b, &range);
    cr_assert(not(archive_range_holds(ARCHIVE_TEXT, &range, 1, range.min)));
}

Test(column, every_cut_off_is_found)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (int type = 0; type < ARCHIVE_TYPE_COUNT; type++)
        for (uint64_t kind = 0; kind < 3; kind++) {
            struct archive_range range;
            struct archive_value *back;
            struct err err;
            AUTO(buf_release) struct buf b;
            buf_init(&b, ARCHIVE_RAW_MAX);
            archive_column_encode((enum archive_type)type, make((enum archive_type)type, kind, 60, 5, &arena), 60, &b,
                                  &range);
            for (size_t n = 0; n < b.n; n++)
                cr_assert(not(archive_column_values((enum archive_type)type, 60, (struct str){ b.p, n }, &arena, &back,
                                                    &err)),
                          "%s %zu", archive_type_names[type], n);
            buf_add_byte(&b, 0);
            cr_assert(not(archive_column_values((enum archive_type)type, 60, buf_str(&b), &arena, &back, &err)));
            cr_assert(eq(str, err.text, "1 bytes are left behind its 60 values"));
        }
    arena_release(&arena);
}
