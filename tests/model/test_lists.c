#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "model/lists.h"

static const char *const three[] = { "support", "confidence", "lift" };
enum { KEYS = 2000 };

/* Entry e of key k, its number of entries and values: the plain table that the section must equal. */
static uint32_t count_of(uint32_t k)
{
    return k % 7;
}

static struct str entry_of(struct arena *arena, uint32_t k, uint32_t e)
{
    return arena_printf(arena, "item %u", (k * 31 + e * 17) % 500);
}

static float value_of(uint32_t k, uint32_t e, uint32_t c)
{
    return (float)(k + e * 10 + c * 100) / 3.0f;
}

static struct str table_section(struct arena *arena, struct buf *out)
{
    struct lists_out o;
    struct err err;
    buf_init(out, 1 << 24);
    lists_begin(&o, three, COUNT_OF(three));
    for (uint32_t k = 0; k < KEYS; k++) {
        lists_key(&o, arena_printf(arena, "unit %u", k));
        for (uint32_t e = 0; e < count_of(k); e++) {
            float values[] = { value_of(k, e, 0), value_of(k, e, 1), value_of(k, e, 2) };
            lists_add(&o, entry_of(arena, k, e), values);
        }
    }
    cr_assert(lists_end(&o, out, &err), "%s", err.text);
    return buf_str(out);
}

static void row_is(const struct lists *l, struct arena *arena, uint32_t k, struct lists_row row)
{
    cr_assert(eq(u32, row.count, count_of(k)));
    for (uint32_t e = 0; e < row.count; e++) {
        uint32_t i = row.first + e;
        cr_assert(str_eq(lists_entry(l, i), entry_of(arena, k, e)));
        cr_assert(str_eq(lists_text(l, lists_entry_id(l, i)), entry_of(arena, k, e)));
        for (uint32_t c = 0; c < 3; c++)
            cr_assert(eq(flt, lists_value(l, i, c), value_of(k, e, c)));
    }
}

Test(lists, every_key_is_found_with_its_entries_and_no_other)
{
    struct arena arena;
    struct buf b;
    struct lists l;
    struct lists_row row;
    struct str key;
    struct err err;
    arena_init(&arena, 1 << 16);
    cr_assert(lists_read(table_section(&arena, &b), &l, &err), "%s", err.text);
    cr_assert(eq(u32, l.keys, KEYS));
    cr_assert(eq(u32, l.texts, KEYS + 500));
    for (uint32_t k = 0; k < KEYS; k++) {
        cr_assert(lists_find(&l, arena_printf(&arena, "unit %u", k), &row));
        row_is(&l, &arena, k, row);
        cr_assert(lists_key_at(&l, k, &key, &row));
        cr_assert(str_eq(key, arena_printf(&arena, "unit %u", k)));
        row_is(&l, &arena, k, row);
        cr_assert(not(lists_find(&l, arena_printf(&arena, "unit %u", KEYS + k), &row)));
    }
    cr_assert(not(lists_key_at(&l, KEYS, &key, &row)));
    cr_assert(not(lists_find(&l, STR("item 1"), &row)), "an entry is no key");
    cr_assert(str_eq_c(lists_column(&l, 1), "confidence"));
    cr_assert(eq(int, lists_column_named(&l, "lift"), 2));
    cr_assert(eq(int, lists_column_named(&l, "score"), -1));
    buf_release(&b);
    arena_release(&arena);
}

Test(lists, nothing_relies_on_alignment)
{
    struct arena arena;
    struct buf b, moved;
    struct lists l;
    struct lists_row row;
    struct err err;
    arena_init(&arena, 1 << 16);
    struct str section = table_section(&arena, &b);
    buf_init(&moved, 1 << 24);
    buf_add_byte(&moved, 'x');
    buf_add_str(&moved, section);
    cr_assert(lists_read((struct str){ moved.p + 1, section.n }, &l, &err), "%s", err.text);
    cr_assert(lists_find(&l, STR("unit 1999"), &row));
    row_is(&l, &arena, 1999, row);
    buf_release(&b);
    buf_release(&moved);
    arena_release(&arena);
}

static const char *const score[] = { "score" };

static bool section_of(const char *const *keys, size_t n, struct str entry, float value, struct buf *out,
                       struct err *err)
{
    struct lists_out o;
    lists_begin(&o, score, 1);
    for (size_t i = 0; i < n; i++) {
        lists_key(&o, str_of(keys[i]));
        lists_add(&o, entry, &value);
    }
    return lists_end(&o, out, err);
}

Test(lists, the_empty_text_is_a_key_and_an_entry)
{
    const char *const keys[] = { "", "x" };
    struct buf b;
    struct lists l;
    struct lists_row row;
    struct err err;
    buf_init(&b, 1 << 10);
    cr_assert(section_of(keys, 2, STR(""), 1, &b, &err));
    cr_assert(lists_read(buf_str(&b), &l, &err), "%s", err.text);
    cr_assert(lists_find(&l, STR(""), &row));
    cr_assert(eq(u32, row.count, 1));
    cr_assert(str_eq_c(lists_entry(&l, row.first), ""));
    cr_assert(not(lists_find(&l, STR("y"), &row)));
    buf_release(&b);
}

Test(lists, no_key_is_a_section_too)
{
    struct buf b;
    struct lists l;
    struct lists_row row;
    struct err err;
    buf_init(&b, 1 << 10);
    cr_assert(section_of(NULL, 0, STR(""), 1, &b, &err));
    cr_assert(lists_read(buf_str(&b), &l, &err), "%s", err.text);
    cr_assert(not(lists_find(&l, STR(""), &row)));
    buf_release(&b);
}

Test(lists, what_cannot_be_read_is_not_written)
{
    const char *const twice[] = { "a", "b", "a" }, *const one[] = { "a" };
    struct buf b;
    struct err err;
    buf_init(&b, 1 << 10);
    cr_assert(not(section_of(twice, 3, STR("x"), 1, &b, &err)));
    cr_assert(eq(str, err.text, "lists: key \"a\" stands twice"));
    cr_assert(not(section_of(one, 1, STR("x"), NAN, &b, &err)));
    cr_assert(eq(str, err.text, "lists: \"x\" has a value that is not finite"));
    cr_assert(not(section_of(one, 1, STR("\xff"), 1, &b, &err)));
    cr_assert(eq(str, err.text, "lists: text 1 is not UTF-8"));
    buf_release(&b);
    buf_init(&b, 90);
    cr_assert(not(section_of(one, 1, STR("x"), 1, &b, &err)));
    cr_assert(eq(int, (int)err.kind, ERR_TOO_LARGE));
    buf_release(&b);
}

/* Walks through everything that can be asked of a section that was taken. */
static uint64_t walk(const struct lists *l)
{
    struct str key;
    struct lists_row row, found;
    uint64_t sum = 0;
    for (uint32_t k = 0; lists_key_at(l, k, &key, &row); k++) {
        sum += lists_find(l, key, &found);
        for (uint32_t i = row.first; i < row.first + row.count; i++)
            sum += lists_entry(l, i).n + (uint64_t)isfinite(lists_value(l, i, l->columns - 1));
    }
    return sum;
}

Test(lists, cuts_are_refused_and_flips_are_harmless)
{
    const char *const keys[] = { "a", "bc", "d", "" };
    struct buf b;
    struct lists l;
    struct err err;
    size_t refused = 0;
    buf_init(&b, 1 << 10);
    cr_assert(section_of(keys, 4, STR("xyz"), 1, &b, &err));
    for (size_t n = 0; n < b.n; n++)
        cr_assert(not(lists_read((struct str){ b.p, n }, &l, &err)));
    for (size_t i = 0; i < b.n * 8; i++) {
        b.p[i / 8] = (char)(b.p[i / 8] ^ (1 << i % 8));
        if (lists_read(buf_str(&b), &l, &err))
            cr_assert(ge(u64, walk(&l), 4));
        else
            refused++;
        b.p[i / 8] = (char)(b.p[i / 8] ^ (1 << i % 8));
    }
    cr_assert(gt(sz, refused, b.n * 4), "most flips break an offset");
    cr_assert(lists_read(buf_str(&b), &l, &err), "%s", err.text);
    buf_release(&b);
}
