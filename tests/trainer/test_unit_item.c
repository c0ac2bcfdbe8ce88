/* What units did with items: decay, any order of signals, days after each other as everything at once, ranks, documents; and pairs of texts. */
#include "trainer/kernels/units/unit_item.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "trainer/kernels/decay.h"
#include "trainer/kernels/pair_table.h"

enum { DAYS = 5, SIGNALS = 3000, FOUND_MAX = 4000 };
static const int64_t half_life_us = 3 * US_PER_DAY;
static const struct str none;
static struct arena texts;

static void open_texts(void)
{
    arena_init(&texts, 1 << 16);
}

static void close_texts(void)
{
    arena_release(&texts);
}

TestSuite(unit_item, .init = open_texts, .fini = close_texts);

/* ---- decay ---- */

Test(decay, half_after_a_half_life_as_libm_has_it)
{
    cr_assert(eq(dbl, decay_factor(0, half_life_us), 1));
    cr_assert(eq(dbl, decay_factor(half_life_us, half_life_us), 0.5));
    cr_assert(eq(dbl, decay_factor(10 * half_life_us, half_life_us), 1.0 / 1024));
    cr_assert(eq(dbl, decay_factor(123456, 0), 1));
    cr_assert(eq(dbl, decay_factor(INT64_MAX / 2, 1), 0));
    for (int i = -500; i < 5000; i++) {
        int64_t age = i * INT64_C(7777777777);
        double want = exp2(-(double)age / (double)half_life_us);
        cr_assert(epsilon_eq(dbl, decay_factor(age, half_life_us) / want, 1, 4e-15));
    }
}

Test(decay, shares_add_up_to_what_they_are)
{
    decay_sum sum = 0;
    for (int i = 0; i < 100000; i++)
        sum += decay_share(half_life_us, half_life_us);
    cr_assert(eq(dbl, decay_of(sum), 50000));
}

/* ---- pairs ---- */

Test(pair_table, one_value_each_and_an_order_of_bytes)
{
    AUTO(pair_table_free) struct pair_table *t = pair_table_new(sizeof(int));
    char a[16], b[16];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 5000; i++) {
            (void)snprintf(a, sizeof a, "u%d", i % 70);
            (void)snprintf(b, sizeof b, "d%d", i);
            ++*(int *)pair_table_at(t, str_of(a), str_of(b));
        }
    ++*(int *)pair_table_at(t, STR("u1"), STR("")), ++*(int *)pair_table_at(t, STR(""), STR("u1"));
    cr_assert(eq(sz, pair_table_count(t), 5002));
    uint32_t *order = pair_table_sort(t);
    for (size_t i = 0; i < 5002; i++) {
        cr_assert(eq(int, *(int *)pair_table_value(t, i), i < 5000 ? 2 : 1));
        if (i == 0)
            continue;
        int d = pair_text_compare(pair_table_first(t, order[i - 1]), pair_table_first(t, order[i]));
        cr_assert(le(int, d, 0));
        if (d == 0)
            cr_assert(
                lt(int, pair_text_compare(pair_table_second(t, order[i - 1]), pair_table_second(t, order[i])), 0));
    }
    cr_assert(eq(sz, pair_table_first(t, order[0]).n, 0));
    mem_free(order);
}

/* ---- weights ---- */

Test(unit_item, weights_are_read_or_refused_by_name)
{
    struct signal_weights w;
    struct err err;
    cr_assert(signal_weights_read(STR("click=1, cart=10,purchase=2.5"), &texts, &w, &err));
    cr_assert(eq(u32, w.count, 3));
    cr_assert(eq(int, signal_weights_find(&w, STR("cart")), 1));
    cr_assert(eq(dbl, w.weights[2], 2.5));
    cr_assert(eq(int, signal_weights_find(&w, STR("view")), -1));
    static const struct {
        const char *text, *words;
    } bad[] = { { "click", "\"click\" in weights is not TYPE=NUMBER" },
                { "click=", "is not TYPE=NUMBER" },
                { "click=-1", "weight \"-1\" of \"click\" is not a number of at least 0" },
                { "click=x", "weight \"x\" of \"click\"" },
                { "click=1,click=2", "weights name \"click\" twice" },
                { "", "is not TYPE=NUMBER" },
                { "a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1,j=1,k=1,l=1,m=1,n=1,o=1,p=1,q=1", "more than 16 types" } };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        cr_assert(not(signal_weights_read(str_of(bad[i].text), &texts, &w, &err)), "%s", bad[i].text);
        cr_assert(ne(ptr, strstr(err.text, bad[i].words), NULL), "%s", err.text);
    }
}

/* ---- days ---- */

struct signal {
    uint32_t type;
    int64_t at_us;
    struct str unit, item, doc;
};

static struct signal *make_signals(void)
{
    struct signal *s = mem_alloc(SIGNALS * sizeof *s);
    srand48(7);
    for (int i = 0; i < SIGNALS; i++)
        s[i] = (struct signal){ .type = (uint32_t)(lrand48() % 3),
                                .at_us = lrand48() % DAYS * US_PER_DAY + lrand48() % 86400 * US_PER_SECOND,
                                .unit = arena_printf(&texts, "unit-%ld", lrand48() % 20),
                                .item = arena_printf(&texts, "item-%ld", lrand48() % 15),
                                .doc = lrand48() % 3 ? arena_printf(&texts, "doc-%ld", lrand48() % 12) : none };
    return s;
}

static struct signal_weights weights(void)
{
    struct signal_weights w;
    cr_assert(signal_weights_read(STR("click=1,cart=10,purchase=25"), &texts, &w, NULL));
    return w;
}

static bool write_one(void *arg, const struct unit_item *i, struct err *err)
{
    static const struct signal_weights three = { .count = 3 };
    const struct unit_item_rules rules = { &three, half_life_us, true };
    (void)err;
    unit_item_write(arg, i, &rules);
    return true;
}

/* The records of a day, of signals taken in an order of their own. */
static void day_records(const struct signal *s, int32_t day, bool backwards, const struct unit_item_rules *rules,
                        struct buf *out)
{
    struct unit_item_day *d = unit_item_day_new(rules, (day + 1) * US_PER_DAY);
    for (int k = 0; k < SIGNALS; k++) {
        const struct signal *one = &s[backwards ? SIGNALS - 1 - k : k];
        const struct pair_text unit = pair_text_of(one->unit), item = pair_text_of(one->item);
        if (clock_day(one->at_us) == day)
            unit_item_day_add(d, one->type, one->at_us, &unit, &item, one->doc);
    }
    cr_assert(unit_item_day_each(d, write_one, out, NULL));
    unit_item_day_free(d);
}

static void add_records(struct unit_item_total *t, struct str records, const struct unit_item_rules *rules, int64_t age)
{
    struct unit_item_doc docs[UNIT_ITEM_DOCS];
    struct unit_item i = { .last_us = 0 };
    while (records.n) {
        cr_assert(unit_item_read(&records, rules, docs, &i));
        unit_item_total_add(t, &i, age);
    }
}

struct found {
    struct unit_item items[FOUND_MAX];
    uint32_t ranks[FOUND_MAX];
    size_t n;
};

static bool keep(void *arg, const struct unit_item *i, uint32_t rank, struct err *err)
{
    struct found *f = arg;
    (void)err;
    f->items[f->n] = *i;
    f->ranks[f->n++] = rank;
    return true;
}

Test(unit_item, the_order_of_signals_changes_no_bit)
{
    struct signal *s = make_signals();
    struct signal_weights w = weights();
    const struct unit_item_rules rules = { &w, half_life_us, true };
    struct buf a, b;
    buf_init(&a, 1 << 22);
    buf_init(&b, 1 << 22);
    day_records(s, 2, false, &rules, &a);
    day_records(s, 2, true, &rules, &b);
    cr_assert(gt(sz, a.n, 1000));
    cr_assert(str_eq(buf_str(&a), buf_str(&b)));
    buf_release(&a);
    buf_release(&b);
    mem_free(s);
}

/* Found the plain way: every signal by itself. */
static struct unit_item by_hand(const struct signal *s, const struct unit_item *of, const struct signal_weights *w)
{
    struct unit_item sum = { .last_us = 0 };
    for (int i = 0; i < SIGNALS; i++) {
        if (!str_eq(s[i].unit, of->unit) || !str_eq(s[i].item, of->item))
            continue;
        sum.sums[s[i].type].count++;
        sum.weight += w->weights[s[i].type] * exp2(-(double)(DAYS * US_PER_DAY - s[i].at_us) / (double)half_life_us);
        sum.last_us = s[i].at_us > sum.last_us ? s[i].at_us : sum.last_us;
    }
    return sum;
}

/* The instant at which the unit last saw the document with the item; -1: never. */
static int64_t last_seen(const struct signal *s, const struct unit_item *of, struct str doc)
{
    int64_t at = -1;
    for (int i = 0; i < SIGNALS; i++)
        if (str_eq(s[i].unit, of->unit) && str_eq(s[i].item, of->item) && str_eq(s[i].doc, doc) && s[i].at_us > at)
            at = s[i].at_us;
    return at;
}

static void check_docs(const struct signal *s, const struct unit_item *i)
{
    int newer = 0, known = 0;
    for (int d = 0; d < 12; d++) {
        int64_t at = last_seen(s, i, arena_printf(&texts, "doc-%d", d));
        known += at >= 0;
        newer += i->docs_count && at > i->docs[i->docs_count - 1].at_us;
    }
    cr_assert(eq(u32, i->docs_count, known < UNIT_ITEM_DOCS ? (uint32_t)known : UNIT_ITEM_DOCS));
    cr_assert(lt(int, newer, UNIT_ITEM_DOCS));
    for (uint32_t k = 0; k < i->docs_count; k++) {
        cr_assert(eq(i64, i->docs[k].at_us, last_seen(s, i, i->docs[k].doc)));
        cr_assert(k == 0 || i->docs[k].at_us <= i->docs[k - 1].at_us);
    }
}

Test(unit_item, days_after_each_other_are_all_signals_at_once)
{
    struct signal *s = make_signals();
    struct signal_weights w = weights();
    const struct unit_item_rules rules = { &w, half_life_us, true };
    const struct unit_item_limits all = { UNIT_ITEM_BY_WEIGHT, 0, 0 };
    struct unit_item_total *t = unit_item_total_new(&rules);
    struct found *f = mem_zalloc(sizeof *f);
    for (int32_t day = 0; day < DAYS; day++) {
        struct buf b;
        buf_init(&b, 1 << 22);
        day_records(s, day, day % 2, &rules, &b);
        add_records(t, buf_str(&b), &rules, (DAYS - 1 - day) * US_PER_DAY);
        buf_release(&b);
    }
    cr_assert(unit_item_total_each(t, &all, keep, f, NULL));
    cr_assert(eq(sz, f->n, 300));
    for (size_t i = 0; i < f->n; i++) {
        struct unit_item want = by_hand(s, &f->items[i], &w);
        cr_assert(epsilon_eq(dbl, f->items[i].weight / want.weight, 1, 1e-12));
        cr_assert(eq(i64, f->items[i].last_us, want.last_us));
        for (int k = 0; k < 3; k++)
            cr_assert(eq(u64, f->items[i].sums[k].count, want.sums[k].count));
        check_docs(s, &f->items[i]);
        bool same = i > 0 && str_eq(f->items[i].unit, f->items[i - 1].unit);
        cr_assert(eq(u32, f->ranks[i], same ? f->ranks[i - 1] + 1 : 1));
        cr_assert(not(same && f->items[i].weight > f->items[i - 1].weight));
    }
    unit_item_total_free(t);
    mem_free(f);
    mem_free(s);
}

Test(unit_item, the_best_or_last_of_each_unit)
{
    struct signal *s = make_signals();
    struct signal_weights w = weights();
    const struct unit_item_rules rules = { &w, half_life_us, true };
    const struct unit_item_limits limits[] = { { UNIT_ITEM_BY_WEIGHT, 0, 4 },
                                               { UNIT_ITEM_BY_TIME, 0, 4 },
                                               { UNIT_ITEM_BY_TIME, 30, 0 } };
    struct unit_item_total *t = unit_item_total_new(&rules);
    struct found *f = mem_zalloc(sizeof *f);
    struct buf b;
    buf_init(&b, 1 << 22);
    day_records(s, 1, false, &rules, &b);
    add_records(t, buf_str(&b), &rules, 0);
    for (size_t l = 0; l < COUNT_OF(limits); l++) {
        f->n = 0;
        cr_assert(unit_item_total_each(t, &limits[l], keep, f, NULL));
        cr_assert(gt(sz, f->n, 20));
        for (size_t i = 0; i < f->n; i++) {
            cr_assert(ge(dbl, f->items[i].weight, limits[l].minimum));
            cr_assert(limits[l].top == 0 || f->ranks[i] <= limits[l].top);
            if (f->ranks[i] > 1 && limits[l].order == UNIT_ITEM_BY_TIME)
                cr_assert(le(i64, f->items[i].last_us, f->items[i - 1].last_us));
        }
    }
    unit_item_total_free(t);
    buf_release(&b);
    mem_free(f);
    mem_free(s);
}

Test(unit_item, damaged_records_are_none)
{
    struct signal_weights w = weights();
    const struct unit_item_rules rules = { &w, half_life_us, true };
    struct unit_item_doc doc = { 5, STR("doc") }, docs[UNIT_ITEM_DOCS];
    struct unit_item i = { .unit = STR("unit"), .item = STR("item"), .docs = &doc, .docs_count = 1 };
    struct buf b;
    buf_init(&b, 1 << 12);
    unit_item_write(&b, &i, &rules);
    for (size_t n = 0; n <= b.n; n++) {
        char *copy = mem_alloc(n + 1); /* of its own, so that reading behind it is seen */
        memcpy(copy, b.p, n);
        struct str in = { copy, n };
        cr_assert(eq(int, unit_item_read(&in, &rules, docs, &i), n == b.n));
        mem_free(copy);
    }
    buf_release(&b);
}
