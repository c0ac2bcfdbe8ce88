/* Roll-up of days: each function against its plain definition, any order within a day, and what is refused. */
#include "trainer/kernels/sql/rollup.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>

enum { DAYS = 6, GROUPS = 40 };
static struct arena arena;

static void open_arena(void)
{
    arena_init(&arena, 1 << 14);
}

static void close_arena(void)
{
    arena_release(&arena);
}

TestSuite(rollup, .init = open_arena, .fini = close_arena);

static const struct rollup_column found[] = { { STR("query"), ROLLUP_TEXT },   { STR("group"), ROLLUP_WHOLE },
                                              { STR("n"), ROLLUP_WHOLE },      { STR("spent"), ROLLUP_REAL },
                                              { STR("orders"), ROLLUP_WHOLE }, { STR("last_at"), ROLLUP_TIME },
                                              { STR("doc"), ROLLUP_TEXT } };

static struct rollup make(const char *keys, const char *measures)
{
    struct rollup r;
    struct err err = { 0 };
    cr_assert(rollup_make(str_of(keys), str_of(measures), found, COUNT_OF(found), &arena, &r, &err), "%s", err.text);
    return r;
}

/* What group g has on a day; some days have none, some values are null. */
static bool value_on(int g, int day, struct rollup_value row[COUNT_OF(found)], const struct rollup *r)
{
    int n = g * 7 + day * 3;
    struct rollup_value of[COUNT_OF(found)] = { { .s = arena_printf(&arena, "query %d", g / 4) },
                                                { .i = g % 4 },
                                                { .i = n % 5, .null = n % 4 == 0 },
                                                { .d = n / 3.0, .null = n % 3 == 0 },
                                                { .i = n % 6 },
                                                { .i = 1000000 - n * 37 % 1000 },
                                                { .s = arena_printf(&arena, "doc %d", n % 11), .null = n % 7 == 0 } };
    for (uint32_t c = 0; c < r->columns_count; c++)
        for (size_t f = 0; f < COUNT_OF(found); f++)
            if (str_eq(r->columns[c].name, found[f].name))
                row[c] = of[f];
    return n % 10 != 9;
}

static bool keep_record(void *arg, struct str record, uint64_t hash, struct err *err)
{
    (void)err;
    cr_assert(ne(u64, hash, 0));
    buf_add_str(arg, record);
    return true;
}

static void day_records(const struct rollup *r, int day, bool backwards, struct buf *out)
{
    struct rollup_day *d = rollup_day_new(r);
    struct rollup_value row[COUNT_OF(found)];
    for (int i = 0; i < GROUPS; i++)
        if (value_on(backwards ? GROUPS - 1 - i : i, day, row, r))
            cr_assert(rollup_day_add(d, row, NULL));
    cr_assert(rollup_day_each(d, keep_record, out, NULL));
    rollup_day_free(d);
}

struct rows {
    struct rollup_value values[GROUPS][12];
    size_t n;
};

static bool keep_row(void *arg, const struct rollup_value *row, struct err *err)
{
    struct rows *rows = arg;
    (void)err;
    memcpy(rows->values[rows->n++], row, sizeof rows->values[0]);
    return true;
}

static struct rollup_total *total_of(const struct rollup *r, struct rows *out)
{
    struct rollup_total *t = rollup_total_new(r);
    for (int day = 0; day < DAYS; day++) {
        struct buf b;
        buf_init(&b, 1 << 20);
        day_records(r, day, day % 2, &b);
        for (struct str rest = buf_str(&b); rest.n;)
            cr_assert(rollup_total_add(t, &rest, NULL));
        buf_release(&b);
    }
    out->n = 0;
    cr_assert(rollup_total_each(t, keep_row, out, NULL));
    return t;
}

static int group_of(const struct rollup_value *row)
{
    uint32_t query;
    cr_assert(parse_u32((struct str){ row[0].s.p + 6, row[0].s.n - 6 }, &query, NULL));
    return (int)query * 4 + (int)row[1].i;
}

#define EACH_DAY(group, number)          \
    for (int day = 0; day < DAYS; day++) \
        if (value_on(group, day, v, &r) && !v[(number)].null)

Test(rollup, every_function_is_what_its_name_says)
{
    struct rollup r = make("query,group", "n:sum,spent:sum,last_at:min,orders:count,doc:max,price:mean(spent/orders)");
    struct rollup_value v[COUNT_OF(found)];
    struct rows rows;
    struct rollup_total *t = total_of(&r, &rows);
    cr_assert(eq(sz, rows.n, GROUPS));
    cr_assert(eq(u32, r.columns_count, 7)); /* spent and orders are read once */
    for (size_t i = 0; i < rows.n; i++) {
        const struct rollup_value *row = rows.values[i];
        int64_t n = 0, orders = 0, first = INT64_MAX, seen = 0;
        double spent = 0;
        struct str doc = { NULL, 0 };
        int g = group_of(row);
        EACH_DAY(g, 2) n += v[2].i, seen++;
        EACH_DAY(g, 3) spent += v[3].d;
        EACH_DAY(g, 4) first = v[4].i < first ? v[4].i : first;
        EACH_DAY(g, 5) orders += v[5].i;
        EACH_DAY(g, 6) doc = !doc.p || strcmp(v[6].s.p, doc.p) > 0 ? v[6].s : doc;
        cr_assert(eq(i64, row[2].i, n));
        cr_assert(eq(int, row[2].null, seen == 0));
        cr_assert(eq(dbl, row[3].d, spent));
        cr_assert(eq(i64, row[4].i, first));
        cr_assert(eq(i64, row[5].i, orders));
        cr_assert(str_eq(row[6].s, doc));
        cr_assert(eq(dbl, row[7].d, spent / (double)orders));
    }
    rollup_total_free(t);
}

Test(rollup, first_and_last_are_those_of_days)
{
    struct rollup r = make("query,group", "doc:first,n:last,spent:days,orders:max");
    struct rollup_value v[COUNT_OF(found)];
    struct rows rows;
    struct rollup_total *t = total_of(&r, &rows);
    for (size_t i = 0; i < rows.n; i++) {
        const struct rollup_value *row = rows.values[i];
        struct str doc = { NULL, 0 };
        int64_t n = 0, days = 0, orders = 0;
        int g = group_of(row);
        EACH_DAY(g, 2) doc = doc.p ? doc : v[2].s;
        EACH_DAY(g, 3) n = v[3].i;
        EACH_DAY(g, 4) days++;
        EACH_DAY(g, 5) orders = v[5].i > orders ? v[5].i : orders;
        cr_assert(str_eq(row[2].s, doc));
        cr_assert(eq(i64, row[3].i, n));
        cr_assert(eq(i64, row[4].i, days));
        cr_assert(eq(i64, row[5].i, orders));
    }
    rollup_total_free(t);
}

Test(rollup, the_order_of_rows_changes_no_bit)
{
    struct rollup r = make("group,query", "n:sum,doc:first");
    struct buf a, b;
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    day_records(&r, 3, false, &a);
    day_records(&r, 3, true, &b);
    cr_assert(gt(sz, a.n, 500));
    cr_assert(str_eq(buf_str(&a), buf_str(&b)));
    buf_release(&a);
    buf_release(&b);
}

Test(rollup, without_measures_numbers_are_added)
{
    struct rollup r = make("query,group,last_at,doc", "");
    cr_assert(eq(u32, r.measures_count, 3));
    for (uint32_t i = 0; i < 3; i++)
        cr_assert(eq(int, r.measures[i].how, ROLLUP_SUM));
    cr_assert(eq(int, r.measures[1].type, ROLLUP_REAL));
    cr_assert(eq(int, rollup_key(&r, STR("doc")), 3));
    cr_assert(eq(int, rollup_key(&r, STR("n")), -1));
}

Test(rollup, what_is_wrong_is_named)
{
    static const struct {
        const char *keys, *measures, *words;
    } bad[] = { { "", "", "keys: the select has no column \"\"" },
                { "nothing", "", "keys: the select has no column \"nothing\"" },
                { "query,query", "", "keys: \"query\" stands there twice" },
                { "query", "", "measures: say how days of \"last_at\" (timestamp with time zone) are put together" },
                { "query", "n", "measures: \"n\" is not COLUMN:sum" },
                { "query", "n:mean", "is not COLUMN:sum" },
                { "query", "n:median", "is not COLUMN:sum" },
                { "query", "p:mean(spent)", "is not COLUMN:sum" },
                { "query", "p:mean(spent/none)", "measures: the select has no column \"none\"" },
                { "query", "doc:sum", "measures: \"doc\" is of type text, of which there is no sum" },
                { "query", "spent:count", "\"spent\" is of type double precision, of which there is no count" },
                { "query", "n:sum,n:max", "measures: \"n\" stands there twice" },
                { "query", "query:max", "measures: \"query\" is a key" } };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct rollup r;
        struct err err = { 0 };
        cr_assert(
            not(rollup_make(str_of(bad[i].keys), str_of(bad[i].measures), found, COUNT_OF(found), &arena, &r, &err)));
        cr_assert(ne(ptr, strstr(err.text, bad[i].words), NULL), "%s %s: %s", bad[i].keys, bad[i].measures, err.text);
    }
}

Test(rollup, a_group_is_on_a_day_once_and_sums_do_not_wrap)
{
    struct rollup r = make("query", "n:sum");
    struct rollup_value row[] = { { .s = STR("lamp") }, { .i = INT64_MAX } };
    struct rollup_day *d = rollup_day_new(&r);
    struct rollup_total *t = rollup_total_new(&r);
    struct buf b;
    struct err err = { 0 };
    buf_init(&b, 1 << 12);
    cr_assert(rollup_day_add(d, row, &err));
    cr_assert(not(rollup_day_add(d, row, &err)));
    cr_assert(ne(ptr, strstr(err.text, "same keys"), NULL));
    cr_assert(rollup_day_each(d, keep_record, &b, &err));
    struct str block = buf_str(&b);
    cr_assert(rollup_total_add(t, &block, &err));
    block = buf_str(&b);
    cr_assert(not(rollup_total_add(t, &block, &err)));
    cr_assert(ne(ptr, strstr(err.text, "\"n\" is greater than a bigint"), NULL));
    for (size_t n = 0; n < b.n; n++) {
        block = (struct str){ b.p, n };
        cr_assert(not(rollup_total_add(t, &block, &err)));
    }
    rollup_day_free(d);
    rollup_total_free(t);
    buf_release(&b);
}
