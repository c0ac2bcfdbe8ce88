/* Results of splits, made by hand, merged: trees, covariates, sketches; segments folded and filled up; damage. And the segments that one
 * split finds. */
#include "trainer/jobs/metrics_merge.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "program_of.h"
#include "trainer/kernels/dimensions.h"
#include "trainer/kernels/segments.h"

enum { SPLITS = 3, VALUES = SEGMENTS_SHOWN + 3 };
static const char *const definitions[] = {
    "{\"key\": \"m\", \"kind\": \"mean\", \"covariate_days\": 7, \"numerator\": {\"of\": \"queries\"}}",
    "{\"key\": \"q\", \"kind\": \"quantile\", \"quantile\": 0.5, \"numerator\": {\"of\": \"queries\", \"that\": "
    "\"revenue\"}}",
};
static struct program program;
static struct buf parts[SPLITS];

static void begin(void)
{
    program = PROGRAM_OF(definitions);
    for (int i = 0; i < SPLITS; i++)
        buf_init(&parts[i], 1 << 20);
}

/* What `units` units of a split are in the mean, whose values all differ. */
static struct total_cell cell_of(const char *segment, int32_t day, int units, double from, struct cross *pre)
{
    struct total_cell c = { .variant = STR("a"), .segment = str_of(segment), .day = day, .pre = pre };
    *pre = cross_none(2);
    for (int i = 0; i < units; i++) {
        const double values[] = { from + i, 2 * (from + i) + (i & 1) };
        moments2_add(&c.m, values[0], 0);
        cross_add(pre, values);
    }
    return c;
}

static void add(uint32_t split, const char *segment, int32_t day, int units, double from)
{
    struct cross pre;
    struct total_cell c = cell_of(segment, day, units, from, &pre);
    metrics_write_cell(&parts[split], METRICS_CELL, &c);
}

static void add_exposures(uint32_t split, const char *segment, int64_t units)
{
    const struct total_exposures e = {
        .variant = STR("a"), .segment = str_of(segment), .day = 9, .units = units, .several = 1
    };
    metrics_write_exposures(&parts[split], &e);
}

static const struct merged_cell *found(const struct merged *m, uint32_t metric, const char *segment, int32_t day)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->cells[i].metric == metric && m->cells[i].day == day && str_eq_c(m->cells[i].segment, segment))
            return &m->cells[i];
    return NULL;
}

static struct merged merge(void)
{
    struct merged m;
    struct err err;
    cr_assert(merged_make(&m, &program, 1, parts, SPLITS, &err), "%s", err.text);
    return m;
}

Test(metrics_merge, parts_become_what_all_units_together_are)
{
    struct moments2 tree[SPLITS], all = { .n = 0 };
    struct cross pre[SPLITS];
    begin();
    for (uint32_t s = 0; s < SPLITS; s++) {
        tree[s] = cell_of("", 9, 10, 100 * s, &pre[s]).m;
        add(s, "", 9, 10, 100 * s);
        for (int i = 0; i < 10; i++)
            moments2_add(&all, 100 * s + (double)i, 0);
    }
    struct merged m = merge();
    const struct merged_cell *c = found(&m, 0, "", 9);
    struct moments2 want = moments2_tree(tree, SPLITS);
    cr_assert(eq(sz, m.count, 1));
    cr_assert(eq(int, memcmp(&c->m, &want, sizeof want), 0), "the tree of moments2_tree");
    cr_assert(epsilon_eq(dbl, c->m.m2_x, all.m2_x, 1e-9 * all.m2_x));
    cr_assert(eq(i64, c->pre->n, 30));
    cr_assert(epsilon_eq(dbl, c->pre->m2[0][0], all.m2_x, 1e-9 * all.m2_x));
    merged_release(&m);
}

Test(metrics_merge, only_the_most_frequent_values_of_all_splits_keep_a_segment)
{
    char name[24];
    begin();
    for (uint32_t s = 0; s < SPLITS; s++) {
        add(s, "", 9, 40, 0);
        for (int v = 0; v < VALUES; v++) {
            (void)snprintf(name, sizeof name, "page=%02d", v);
            add_exposures(s, name, 1 + v);
            add(s, name, 9, 1 + v, 10 * v);
        }
    }
    struct merged m = merge();
    int64_t units = 0;
    for (int v = 0; v < VALUES; v++) {
        (void)snprintf(name, sizeof name, "page=%02d", v);
        const struct merged_cell *c = found(&m, 0, name, 9);
        cr_assert(eq(int, c != NULL, v >= VALUES - SEGMENTS_SHOWN), "%s", name);
        units += c ? c->m.n : 0;
    }
    const struct merged_cell *other = found(&m, 0, "page=(other)", 9),
                             *exposures = found(&m, PROGRAM_NONE, "page=(other)", 9);
    cr_assert(eq(i64, other->m.n, SPLITS * (1 + 2 + 3)));
    cr_assert(eq(i64, other->pre->n, SPLITS * (1 + 2 + 3)));
    cr_assert(eq(i64, exposures->units, SPLITS * (1 + 2 + 3)));
    cr_assert(eq(i64, exposures->several, SPLITS * 3));
    cr_assert(eq(i64, units + other->m.n, SPLITS * VALUES * (VALUES + 1) / 2));
    merged_release(&m);
}

Test(metrics_merge, units_of_a_split_without_the_dimension_have_none)
{
    begin();
    add(0, "", 8, 5, 0);
    add(0, "", 9, 7, 0);
    add_exposures(0, "device=phone", 4);
    add_exposures(0, "device=(none)", 3);
    add(0, "device=phone", 9, 4, 0);
    add(0, "device=(none)", 9, 3, 0);
    add(1, "", 8, 6, 0);
    add(1, "", 9, 11, 50);
    add_exposures(1, "", 11);
    struct merged m = merge();
    cr_assert(eq(i64, found(&m, 0, "device=(none)", 9)->m.n, 3 + 11));
    cr_assert(eq(i64, found(&m, 0, "device=(none)", 9)->pre->n, 3 + 11));
    cr_assert(eq(i64, found(&m, 0, "device=phone", 9)->m.n, 4));
    cr_assert(eq(i64, found(&m, 0, "", 9)->m.n, 18));
    cr_assert(eq(i64, found(&m, PROGRAM_NONE, "device=(none)", 9)->units, 3 + 11));
    cr_assert(found(&m, 0, "device=(none)", 8) == NULL, "segments are of the last day");
    merged_release(&m);
}

Test(metrics_merge, counts_of_many_days_are_all_there)
{
    enum { MANY = 500 };
    int64_t units = 0;
    begin();
    for (uint32_t s = 0; s < SPLITS; s++)
        for (int32_t day = 0; day < MANY; day++) {
            const struct total_exposures e = { .variant = STR("a"), .segment = STR(""), .day = day, .units = day + 1 };
            metrics_write_exposures(&parts[s], &e);
        }
    struct merged m = merge();
    for (int32_t day = 0; day < MANY; day++) {
        const struct merged_cell *c = found(&m, PROGRAM_NONE, "", day);
        cr_assert(eq(i64, c->units, SPLITS * (day + 1)));
        units += c->units;
    }
    cr_assert(eq(i64, units, SPLITS * MANY * (MANY + 1) / 2));
    merged_release(&m);
}

Test(metrics_merge, a_quantile_follows_from_the_values_of_all_splits)
{
    static struct sketch sketch, all;
    struct moments2 want;
    double value;
    begin();
    sketch_init(&all);
    for (uint32_t s = 0; s < SPLITS; s++) {
        struct total_cell c = { .metric = 1, .variant = STR("a"), .segment = STR(""), .day = 9, .sketch = &sketch };
        sketch_init(&sketch);
        for (int u = 0; u < 20; u++) {
            double values[] = { 1 + s + u, 2 + s * u };
            cr_assert(sketch_add_unit(&all, values, 2, NULL));
            cr_assert(sketch_add_unit(&sketch, values, 2, NULL));
        }
        c.m.n = 20;
        metrics_write_cell(&parts[s], METRICS_CELL, &c);
    }
    struct merged m = merge();
    cr_assert(sketch_moments(&all, 0.5, &want, &value, NULL));
    cr_assert(eq(int, memcmp(&found(&m, 1, "", 9)->m, &want, sizeof want), 0));
    merged_release(&m);
}

Test(metrics_merge, damaged_bytes_are_refused)
{
    struct merged m;
    struct err err;
    begin();
    add(0, "", 9, 5, 0);
    size_t whole = parts[0].n;
    for (parts[0].n = 1; parts[0].n < whole; parts[0].n++) {
        cr_assert(not(merged_make(&m, &program, 1, parts, SPLITS, &err)), "%zu of %zu bytes", parts[0].n, whole);
        merged_release(&m);
    }
    cr_assert(not(merged_make(&m, &program, 0, parts, SPLITS, &err)), "of no experiment");
    merged_release(&m);
}

/* ---- what one split finds ---- */

Test(segments, each_unit_has_one_of_each_dimension)
{
    const struct str texts[] = { STR("country=de\ndevice=phone"), STR("device=desk"), STR("") };
    const int64_t units[] = { 5, 3, 2 };
    struct segments s;
    segments_find(texts, units, COUNT_OF(texts), program_arena(), &s);
    cr_assert(eq(sz, s.dimensions, 2));
    cr_assert(eq(sz, s.count, 5)); /* country: de, none; device: phone, desk, none */
    const char *const want[][2] = { { "country=de", "device=phone" },
                                    { "country=(none)", "device=desk" },
                                    { "country=(none)", "device=(none)" } };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        for (size_t d = 0; d < 2; d++)
            cr_assert(str_eq_c(s.names[s.of[2 * i + d]], want[i][d]), "%.*s", STR_ARG(s.names[s.of[2 * i + d]]));
}

Test(segments, rare_values_of_one_split_share_a_segment)
{
    enum { MANY = SEGMENTS_VALUES_MAX + 5 };
    struct str texts[MANY];
    int64_t units[MANY];
    struct segments s;
    for (int i = 0; i < MANY; i++) {
        texts[i] = arena_printf(program_arena(), "page=%03d", i);
        units[i] = 1 + i;
    }
    segments_find(texts, units, MANY, program_arena(), &s);
    cr_assert(eq(sz, s.count, SEGMENTS_VALUES_MAX + 2));
    for (int i = 0; i < MANY; i++)
        cr_assert(eq(int, str_eq_c(s.names[s.of[i]], "page=(other)"), i < 5), "%d", i);
}

Test(dimensions, scalars_become_lines_in_the_order_of_names)
{
    const struct {
        const char *json, *want;
    } cases[] = {
        { "{\"device\": \"phone\", \"country\": \"de\"}", "country=de\ndevice=phone" },
        { "{\"n\": 3, \"b\": true, \"none\": null, \"list\": [1], \"empty\": \"\"}", "b=true\nn=3" },
        { "{\"a=b\": \"x\", \"c\": \"1\\n2=3\"}", "c=1 2=3" },
        { "[]", "" },
        { "no JSON", "" },
        { "{}", "" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str got = dimensions_read(str_of(cases[i].json), program_arena());
        cr_assert(str_eq_c(got, cases[i].want), "%s: %.*s", cases[i].json, STR_ARG(got));
    }
}
