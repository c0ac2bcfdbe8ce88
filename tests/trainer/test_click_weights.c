/* Clicks by query: texts in one form, records that do not depend on order, weights that do not depend on how a day was cut. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "model/query_text.h"
#include "tests/trainer/parts.h"
#include "trainer/kernels/clicks/click_filters.h"
#include "trainer/kernels/clicks/click_weights.h"
#include "trainer/kernels/radix.h"

enum { EVENTS = 3000, DAY = 20000, TEXT_MAX = 64 };
static const struct str none;
static const struct marked_hashes nobody;

/* ---- texts ---- */

static void check_query(const char *raw, const char *want)
{
    char out[QUERY_TEXT_MAX];
    struct str got = query_text(str_of(raw), out);
    cr_assert(str_eq_c(got, want), "\"%s\" becomes \"%.*s\"", raw, STR_ARG(got));
}

Test(query_text, has_one_form)
{
    check_query("lamp", "lamp");
    check_query("  Red \t LAMP\n", "red lamp");
    check_query("ÄÖÜ Straße ÉLAN", "äöü straße élan");
    check_query("стол\u3000ПИСЬМЕННЫЙ\u00a0", "стол письменный");
    check_query("\u3000 \u2003", "");
    check_query("", "");
}

Test(query_text, is_cut_between_characters)
{
    char raw[4096] = "", out[QUERY_TEXT_MAX];
    for (size_t i = 0; i + 2 < sizeof raw; i += 2)
        memcpy(raw + i, "Ä", 2);
    struct str got = query_text((struct str){ raw, sizeof raw - 2 }, out);
    cr_assert(le(sz, got.n, QUERY_TEXT_MAX));
    cr_assert(gt(sz, got.n, QUERY_TEXT_MAX - 8));
    cr_assert(str_is_utf8(got));
}

static void check_filters(const char *params, const char *want)
{
    struct buf b;
    buf_init(&b, CLICK_FILTERS_TEXT_MAX);
    struct str got = click_filters_of(str_of(params), STR("f"), &b);
    cr_assert(want ? str_eq_c(got, want) : !got.p, "%s gives \"%.*s\"", params, STR_ARG(got));
    buf_release(&b);
}

Test(click_filters, are_a_set)
{
    check_filters("{\"f\":[\"size:L\",\"brand:a\"]}", "brand:a $ size:L");
    check_filters("{\"f\":[\"brand:a\",\" size:L \"]}", "brand:a $ size:L");
    check_filters("{\"f\":\"sale\",\"g\":1}", "sale");
    check_filters("{\"f\":[]}", "");
    check_filters("{\"f\":3}", "3");
    check_filters("{\"f\":null}", NULL);
    check_filters("{\"g\":\"sale\"}", NULL);
    check_filters("nonsense", NULL);
}

/* ---- numbers of texts, and sorting ---- */

Test(intern, places_do_not_depend_on_who_came_first)
{
    enum { TEXTS = 5000 };
    struct intern a, b;
    char text[TEXT_MAX];
    intern_init(&a);
    intern_init(&b);
    for (int i = 0; i < 2 * TEXTS; i++) {
        (void)snprintf(text, sizeof text, "sku-%d", i % TEXTS);
        cr_assert(eq(u32, intern_add(&a, str_of(text)), (uint32_t)(i % TEXTS)));
        (void)snprintf(text, sizeof text, "sku-%d", TEXTS - 1 - i % TEXTS);
        cr_assert(eq(u32, intern_add(&b, str_of(text)), (uint32_t)(i % TEXTS)));
    }
    cr_assert(eq(u32, intern_add_under(&a, 1, STR("sku-7")), TEXTS)); /* another one under another number */
    a.count--;
    uint32_t *of_a = intern_ranks(&a), *of_b = intern_ranks(&b);
    for (uint32_t i = 0; i < TEXTS; i++)
        cr_assert(eq(u32, of_a[i], of_b[TEXTS - 1 - i]));
    mem_free(of_a);
    mem_free(of_b);
    intern_release(&a);
    intern_release(&b);
}

Test(radix, sorts_and_leaves_equals_in_order)
{
    enum { COUNT = 20000 };
    static struct placed p[COUNT], spare[COUNT];
    static const unsigned bits[] = { 0, 7, 11, 12, 33, 64 };
    for (size_t b = 0; b < COUNT_OF(bits); b++) {
        uint64_t v = 88172645463325252ULL, mask = bits[b] == 64 ? UINT64_MAX : (UINT64_C(1) << bits[b]) - 1;
        for (uint32_t i = 0; i < COUNT; i++) {
            v ^= v << 13;
            v ^= v >> 7;
            v ^= v << 17;
            p[i] = (struct placed){ v & mask, i };
        }
        radix_sort(p, spare, COUNT, bits[b]);
        for (size_t i = 1; i < COUNT; i++)
            cr_assert(p[i - 1].place < p[i].place || (p[i - 1].place == p[i].place && p[i - 1].number < p[i].number));
    }
}

/* ---- records ---- */

static struct click_signal signal_of(struct click_events *e, unsigned seed)
{
    char texts[2][TEXT_MAX];
    unsigned query = seed * 2654435761U >> 28, doc = seed * 40503U >> 7 & 31;
    (void)snprintf(texts[0], TEXT_MAX, seed & 1 ? "Query %u" : " query   %u", query);
    (void)snprintf(texts[1], TEXT_MAX, "doc-%u", doc);
    return (struct click_signal){ .type = (uint8_t)(seed % 3),
                                  .at_us = (int64_t)(seed * 7919ULL % 86400) * US_PER_SECOND,
                                  .position = (int32_t)(seed % 70) - 5,
                                  .unit = seed % 50,
                                  .query = typed_queries_number(&e->queries, str_of(texts[0])),
                                  .doc = intern_cut(&e->docs, str_of(texts[1]), CLICK_DOC_MAX),
                                  .filters = seed % 5 == 0 ? STR("sale") : none };
}

/* The records of every `step`-th signal, from `first` on, forwards or backwards. */
static void write_signals(struct parts *p, unsigned first, unsigned step, bool backwards)
{
    struct click_events e;
    click_events_init(&e);
    parts_init(p);
    for (unsigned i = first; i < EVENTS; i += step) {
        struct click_signal s = signal_of(&e, backwards ? EVENTS - 1 - i : i);
        click_events_add(&e, &s);
    }
    cr_assert(click_events_write(&e, PARTS, parts_keep, p, NULL));
    click_events_release(&e);
}

Test(click_events, do_not_depend_on_the_order_of_signals)
{
    struct parts a, b;
    write_signals(&a, 0, 1, false);
    write_signals(&b, 0, 1, true);
    for (int i = 0; i < PARTS; i++) {
        cr_assert(str_eq(buf_str(&a.of[i]), buf_str(&b.of[i])));
        cr_assert(gt(sz, a.of[i].n, 0));
    }
    parts_release(&a);
    parts_release(&b);
}

Test(click_events, take_the_filters_of_their_query)
{
    struct parts p;
    struct click_events e;
    struct click_record r;
    click_events_init(&e);
    parts_init(&p);
    click_events_source(&e, STR("q1"), false, 5, STR("of the response"));
    click_events_source(&e, STR("q1"), true, 9, STR("of the later request"));
    click_events_source(&e, STR("q1"), true, 7, STR("of the request"));
    struct click_signal s = { .query = typed_queries_number(&e.queries, STR("lamp")),
                              .doc = intern_cut(&e.docs, STR("d"), CLICK_DOC_MAX),
                              .query_id = STR("q1") };
    click_events_add(&e, &s);
    cr_assert(click_events_write(&e, 1, parts_keep, &p, NULL));
    struct str block = buf_str(&p.of[0]);
    cr_assert(click_record_read(&block, &r));
    cr_assert(str_eq_c(r.filters, "of the request"));
    cr_assert(eq(sz, block.n, 0));
    click_events_release(&e);
    parts_release(&p);
}

Test(click_events, damaged_records_are_found)
{
    struct parts p;
    const struct click_rules rules = { .types_count = 3, .weights = { 1, 1, 1 }, .as_of = DAY };
    write_signals(&p, 0, 1, false);
    for (size_t cut = 0; cut < p.of[0].n; cut++) {
        uint64_t events;
        struct err err;
        struct click_weights *w = click_weights_new(&rules, &nobody);
        bool whole = click_weights_add(w, DAY, (struct str){ p.of[0].p, cut }, &events, &err);
        cr_assert(whole || err.kind == ERR_SYSTEM);
        click_weights_free(w);
    }
    parts_release(&p);
}

/* ---- weights ---- */

struct told {
    struct buf text;
    double sum;
    uint64_t signals;
};

static bool tell(void *arg, const struct click_weight *c, struct err *err)
{
    struct told *t = arg;
    (void)err;
    buf_addf(&t->text, STR_FMT "|" STR_FMT "|" STR_FMT "|%u|%a|%llu|%llu|%lld\n", STR_ARG(c->filters),
             STR_ARG(c->query), STR_ARG(c->doc), c->rank, c->weight, (unsigned long long)c->signals,
             (unsigned long long)c->counts[2], (long long)c->last_us);
    t->sum += c->weight;
    t->signals += c->signals;
    return true;
}

/* Two days, each cut into so many pieces. */
static struct told weigh(const struct click_rules *rules, unsigned pieces, const struct marked_hashes *marked)
{
    struct told t = { .sum = 0 };
    buf_init(&t.text, 1 << 20);
    for (int part = 0; part < PARTS; part++) {
        struct click_weights *w = click_weights_new(rules, marked);
        for (unsigned i = 0; i < 2 * pieces; i++) {
            struct parts p;
            uint64_t events;
            write_signals(&p, i % pieces, pieces, false);
            cr_assert(click_weights_add(w, DAY + (int32_t)(i / pieces), buf_str(&p.of[part]), &events, NULL));
            parts_release(&p);
        }
        cr_assert(click_weights_finish(w, tell, &t, NULL));
        click_weights_free(w);
    }
    return t;
}

Test(click_weights, do_not_depend_on_how_days_were_cut)
{
    const struct click_rules rules = { .types_count = 3,
                                       .weights = { 1, 0.3, 25 },
                                       .as_of = DAY + 9,
                                       .half_life_days = 3,
                                       .position_power = 0.5,
                                       .top = 5 };
    struct told a = weigh(&rules, 1, &nobody), b = weigh(&rules, 7, &nobody);
    cr_assert(str_eq(buf_str(&a.text), buf_str(&b.text)));
    buf_release(&a.text);
    buf_release(&b.text);
}

Test(click_weights, are_sums_of_what_signals_weigh)
{
    static const double power = 0.5, half_life = 3;
    uint64_t marked[] = { 3, 7 };
    const struct click_rules rules = { .types_count = 3,
                                       .weights = { 1, 0.3, 25 },
                                       .as_of = DAY + 9,
                                       .half_life_days = half_life,
                                       .position_power = power };
    struct told t = weigh(&rules, 1, &(struct marked_hashes){ marked, COUNT_OF(marked) });
    double sum = 0;
    uint64_t count = 0;
    struct click_events e;
    click_events_init(&e);
    for (unsigned i = 0; i < EVENTS; i++) {
        struct click_signal s = signal_of(&e, i);
        double position = s.position > 50 ? 50 : s.position > 0 ? s.position : 1, days = (double)s.at_us / 86400e6;
        if (s.unit == marked[0] || s.unit == marked[1])
            continue;
        for (int day = 0; day < 2; day++)
            sum += rules.weights[s.type] * pow(position, power) * pow(2, (day + days - 10) / half_life);
        count += 2;
    }
    click_events_release(&e);
    cr_assert(eq(u64, t.signals, count));
    cr_assert(lt(dbl, fabs(t.sum / sum - 1), 1e-12));
    buf_release(&t.text);
}
