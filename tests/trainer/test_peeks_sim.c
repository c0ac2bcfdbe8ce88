/* An A/A test as a result page sees it, looked at on each of 200 days: units with their own rates, some of them heavy, come over all days and come
 * back; their records go through the kernels to cumulative moments, and these to the comparison for any look. Under no difference it may be wrong in
 * 5 % of the runs over all looks together, whatever the metric; the test for one look is wrong in far more. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "base/clock.h"
#include "program_of.h"
#include "stats/compare.h"
#include "stats/effect.h"
#include "tests/stats/draw.h"
#include "tests/stats/nominal.h"
#include "trainer/kernels/unit_cells.h"

#define ALPHA 0.05
enum { LOOKS = 200, UNITS = 4, DAY = 20000, BEFORE = 7 }; /* UNITS of each variant come on a day */

static const char *const metrics[] = {
    "{\"key\": \"ctr\", \"kind\": \"proportion\", \"covariate_days\": 0, \"numerator\": {\"of\": \"signals\", "
    "\"type\": \"click\"}}",
    "{\"key\": \"revenue\", \"kind\": \"mean\", \"covariate_days\": 0, \"numerator\": {\"of\": \"signals\", \"type\": "
    "\"purchase\", \"sum\": \"value\"}}",
    "{\"key\": \"per_query\", \"kind\": \"ratio\", \"covariate_days\": 7, \"numerator\": {\"of\": \"signals\", "
    "\"type\": \"click\"}, "
    "\"denominator\": {\"of\": \"queries\"}}",
    "{\"key\": \"clicks\", \"kind\": \"mean\", \"covariate_days\": 7, \"numerator\": {\"of\": \"signals\", \"type\": "
    "\"click\"}}",
};
enum { CTR, REVENUE, PER_QUERY, CLICKS, METRICS };
enum { OF_CLICKS, OF_REVENUE, OF_QUERIES, FACTS };
static const char *const names[METRICS] = { "a share", "skewed revenue", "clicks per query, CUPED",
                                            "clicks per unit, CUPED" };

struct person {
    char name[16];
    double queries, clicks; /* a day on which it comes; of a query */
    double comes;           /* on a day */
    int since;
};

/* Search engines' users: half come once, one in a hundred asks a hundred times as much as they. */
static struct person person_of(struct draw *d, int number, int since)
{
    struct person p = { .since = since,
                        .queries = exp(draw_normal(d) * 1.2),
                        .clicks = draw_uniform(d) * draw_uniform(d) };
    p.comes = draw_uniform(d) < 0.5 ? 0 : 0.1 * draw_uniform(d);
    (void)snprintf(p.name, sizeof p.name, "u%d", number);
    return p;
}

static void active_day(struct draw *d, const struct person *p, double facts[FACTS])
{
    facts[OF_QUERIES] = 1 + draw_geometric(d, 1 / (1 + p->queries));
    facts[OF_CLICKS] = facts[OF_REVENUE] = 0;
    for (int q = 0; q < facts[OF_QUERIES]; q++)
        facts[OF_CLICKS] += draw_uniform(d) < p->clicks;
    for (int c = 0; c < facts[OF_CLICKS]; c++)
        facts[OF_REVENUE] += draw_uniform(d) < 0.1 ? exp(3 + draw_normal(d)) : 0;
}

/* The person's record of the day; `exposed`: it is its first one in the experiment. */
static void add_record(struct unit_totals *t, struct draw *d, const struct person *p, int day, struct str variant,
                       bool exposed)
{
    double facts[FACTS];
    active_day(d, p, facts);
    struct day_exposure exposure = { .variant = variant, .at_us = (int64_t)day * US_PER_DAY, .after = facts };
    const struct unit_day u = { .unit = str_of(p->name),
                                .last_us = exposure.at_us + 1,
                                .all = facts,
                                .exposures = &exposure,
                                .exposures_count = exposed };
    unit_totals_add(t, &u, day);
}

/* ---- a run ---- */

struct run {
    struct unit_totals *totals;
    struct person people[2 * UNITS * LOOKS];
    int n;
    struct arm arms[METRICS][2];
    struct cross pre[METRICS][2];
    bool wrong[METRICS], once[METRICS]; /* at any look, by the comparison for any look; by that for one */
};

static bool on_cell(void *arg, const struct total_cell *c, struct err *err)
{
    struct run *r = arg;
    size_t arm = str_eq(c->variant, STR("b"));
    (void)err;
    r->arms[c->metric][arm].m = c->m;
    if (c->pre)
        r->pre[c->metric][arm] = *c->pre;
    return true;
}

/* People of the days to come are seen BEFORE days earlier, so that there is something to adjust by. */
static void a_day(struct run *r, struct draw *d, int day)
{
    for (int i = 0; i < 2 * UNITS && day + BEFORE < LOOKS; i++, r->n++)
        r->people[r->n] = person_of(d, r->n, day + BEFORE);
    for (int i = 0; i < r->n; i++) {
        const struct person *p = &r->people[i];
        bool new = p->since == day;
        if (new || draw_uniform(d) < p->comes + (p->since > day ? 0.1 : 0))
            add_record(r->totals, d, p, DAY + day, i % 2 ? STR("b") : STR("a"), new);
    }
}

static double p_of(const struct run *r, size_t m, double planned)
{
    static const enum metric_kind kinds[METRICS] = { METRIC_PROPORTION, METRIC_MEAN, METRIC_RATIO, METRIC_MEAN };
    const struct compare_plan plan = { .level = 1 - ALPHA, .planned_units = planned };
    struct comparison c;
    struct effect e;
    struct err err;
    struct arm control = { .kind = kinds[m], .m = r->arms[m][0].m },
               treatment = { .kind = kinds[m], .m = r->arms[m][1].m };
    if (m == CTR || m == REVENUE)
        return stats_compare(&control, &treatment, &plan, &c, &err) ? c.p : 1;
    cr_assert(effect_cuped(m == PER_QUERY, &r->pre[m][0], &r->pre[m][1], &e, &err), "%s", err.text);
    return compare_effect(&e, &plan, ALPHA, &c, &err) ? c.p : 1;
}

static void look(struct run *r, int day, double planned)
{
    const struct cell_pass pass = { r->totals, DAY + day, (int64_t)(DAY + day + 1) * US_PER_DAY, NULL, on_cell, r };
    struct err err;
    cr_assert(unit_cells_day(&pass, &err), "%s", err.text);
    for (size_t m = 0; m < METRICS && r->arms[m][0].m.n >= COMPARE_UNITS_MIN; m++) {
        r->wrong[m] = r->wrong[m] || p_of(r, m, planned) < ALPHA;
        r->once[m] = r->once[m] || p_of(r, m, 0) < ALPHA;
    }
}

/* All of them will be exposed: their past counts. */
static void expect_people(struct unit_totals *t)
{
    char name[16];
    for (int i = 0; i < 2 * UNITS * LOOKS; i++) {
        (void)snprintf(name, sizeof name, "u%d", i);
        unit_totals_expect(t, str_of(name));
    }
}

static void peeks_are_right(int runs, double planned, uint64_t seed, const char *how)
{
    static struct run r;
    struct program program = PROGRAM_OF(metrics);
    const uint32_t numbers[METRICS] = { CTR, REVENUE, PER_QUERY, CLICKS };
    const struct total_experiment experiment = { INT32_MAX, numbers, METRICS };
    const struct total_rules rules = { &program, &experiment, 1 };
    struct draw d = { seed };
    int wrong[METRICS] = { 0 }, once[METRICS] = { 0 }, last[METRICS] = { 0 };
    cr_assert(eq(sz, program.facts_count, FACTS));
    for (int i = 0; i < runs; i++) {
        r = (struct run){ .totals = unit_totals_new(&rules) };
        expect_people(r.totals);
        for (int day = -BEFORE; day < LOOKS; day++) {
            a_day(&r, &d, day);
            if (day >= 0)
                look(&r, day, planned);
        }
        unit_totals_free(r.totals);
        for (size_t m = 0; m < METRICS; m++) {
            wrong[m] += r.wrong[m];
            once[m] += r.once[m];
            last[m] += p_of(&r, m, 0) < ALPHA;
        }
    }
    for (size_t m = 0; m < METRICS; m++) {
        char what[100];
        (void)snprintf(what, sizeof what, "A/A, 200 days, %s, %s", names[m], how);
        nominal_at_most(wrong[m], runs, ALPHA, what);
        (void)snprintf(what, sizeof what, "A/A, the last day, %s", names[m]);
        nominal(last[m], runs, ALPHA, 0.01, what); /* skewed values of 800 units */
        cr_log_info("one look's test on each day is wrong: %.4f of %d runs", (double)once[m] / runs, runs);
        cr_assert(gt(dbl, (double)once[m] / runs, 2 * ALPHA), "%s: this population tests nothing: %d", what, once[m]);
    }
}

Test(peeks_sim, planned_for_as_many_units_as_come)
{
    peeks_are_right(1000, 2 * UNITS * LOOKS, 91, "planned for all");
}

Test(peeks_sim, planned_for_many_more)
{
    peeks_are_right(300, 10000, 92, "planned for 10000");
}
