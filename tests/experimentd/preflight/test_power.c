#include <math.h>

#include "stats/power.h"
#include "tests/experimentd/preflight/config.h"

TestSuite(preflight_power, .init = config_begin, .fini = config_end);

/* 1000 units a day, of which a day brings 100 new ones; a share of 0.2. */
static const struct known_traffic traffic = {
    .days = 7, .share = 1, .units = 1600, .daily = { 1000, 1000, 1000, 1000, 1000, 1000, 1000 }
};
static const struct known_baseline baseline = { .n = 5000, .mean = 0.2, .variance = 0.16 };

#define FIXED "\"analysis\":{\"method\":\"fixed\"}"

static struct preflight make(const struct snapshot_experiment *e, const struct known_traffic *t,
                             const struct known_baseline *b)
{
    struct preflight p;
    preflight_make(e, &snapshot, t, b, &arena, &p);
    return p;
}

static struct snapshot_experiment *draft(void)
{
    return config_add(EXPERIMENT_DRAFT, "{\"key\":\"x\",\"coverage\":0.5,\"mde\":0.4," FIXED "," AB "}");
}

Test(preflight_power, is_the_tests_at_the_units_of_the_week)
{
    struct preflight p = make(draft(), &traffic, &baseline);
    const struct power_design design = { .alpha = 0.05, .sides = 2, .ratio = 1 };
    double growth = log(1.6) / log(7), reached = (double)p.split.reached / PREFLIGHT_UNITS;
    cr_assert(p.power.why_not == NULL);
    cr_assert(epsilon_eq(dbl, known_traffic(&traffic).growth, growth, 1e-12));
    cr_assert(not(known_traffic(&traffic).assumed));
    for (int i = 0; i < PLANNER_WEEKS; i++) {
        const struct planner_week *w = &p.power.plan.weeks[i];
        double units = 1600 * pow(i + 1, growth) * reached, power, effect;
        struct err err;
        cr_assert(eq(int, w->week, i + 1));
        cr_assert(epsilon_eq(dbl, w->units, units, 1e-6));
        cr_assert(power_means(&design, 0.4 * 0.2, 0.4, units / 2, &power, &err));
        cr_assert(epsilon_eq(dbl, w->power, power, 1e-9));
        cr_assert(power_means_effect(&design, 0.4, units / 2, 0.8, &effect, &err));
        cr_assert(epsilon_eq(dbl, w->detectable, effect / 0.2, 1e-9));
    }
}

Test(preflight_power, the_smallest_treatment_counts_and_alpha_is_shared)
{
    struct preflight p = make(config_add(EXPERIMENT_DRAFT,
                                         "{\"key\":\"x\"," FIXED
                                         ",\"variants\":[{\"key\":\"a\",\"weight\":0.6},{\"key\":\"b\","
                                         "\"weight\":0.3},{\"key\":\"c\",\"weight\":0.1}]," METRICS "}"),
                              &traffic, &baseline);
    const struct power_design design = { .alpha = 0.025, .sides = 2, .ratio = 0.1 / 0.6 };
    struct err err;
    double power;
    cr_assert(eq(dbl, p.power.alpha, 0.025));
    cr_assert(power_means(&design, 0.05 * 0.2, 0.4, 1600 * 0.6, &power, &err));
    cr_assert(epsilon_eq(dbl, p.power.plan.weeks[0].power, power, 1e-9));
}

Test(preflight_power, little_of_it_is_warned_of)
{
    struct snapshot_experiment *e = draft();
    cr_assert(eq(sz, make(e, &traffic, &baseline).findings.n, 0));
    e->mde = 0.01;
    struct preflight p = make(e, &traffic, &baseline);
    cr_assert(eq(sz, p.findings.n, 1));
    expect_text(p.findings.p[0].field, "mde");
    cr_assert(str_starts(p.findings.p[0].text, STR("after 8 weeks an effect of 1 % is found with a power of 0.0")));
}

Test(preflight_power, no_traffic_is_warned_of)
{
    struct known_traffic none = { .days = 7, .share = 1 };
    struct preflight p = make(draft(), &none, &baseline);
    cr_assert(eq(sz, p.findings.n, 1));
    cr_assert(eq(sz, p.findings.errors, 0));
    expect_text(p.findings.p[0].field, "traffic");
    expect_text(p.power.why_not, "no signal came in the last days");
}

Test(preflight_power, growth_is_between_all_the_same_and_all_new)
{
    struct known_traffic t = traffic;
    struct snapshot_experiment *e = draft();
    t.units = 7000;
    cr_assert(epsilon_eq(dbl, known_traffic(&t).growth, 1, 1e-12));
    t.units = 1000;
    struct preflight p = make(e, &t, &baseline);
    cr_assert(eq(dbl, known_traffic(&t).growth, 0));
    cr_assert(eq(dbl, p.power.plan.weeks[0].units, p.power.plan.weeks[7].units));
    t = (struct known_traffic){ .days = 7, .share = 1, .units = 500, .daily = { 500 } };
    p = make(e, &t, &baseline);
    cr_assert(known_traffic(&t).assumed);
    cr_assert(
        epsilon_eq(dbl, p.power.plan.weeks[0].units, 500 * sqrt(7) * (double)p.split.reached / PREFLIGHT_UNITS, 1e-6));
}

Test(preflight_power, every_week_without_one_has_its_reason)
{
    struct snapshot_experiment *e = draft();
    struct known_traffic no_traffic = { .why_not = "the traffic could not be read: timeout" };
    struct known_baseline no_baseline = { .why_not = "never measured" }, flat = { .n = 9, .mean = 0.2 },
                          zero = { .n = 9, .variance = 1 };
    expect_text(make(e, &no_traffic, &baseline).power.why_not, no_traffic.why_not);
    expect_text(make(e, &traffic, &no_baseline).power.why_not, no_baseline.why_not);
    cr_assert(make(e, &traffic, &flat).power.why_not != NULL);
    cr_assert(make(e, &traffic, &zero).power.why_not != NULL);
    e->metrics[0].role = STR("secondary");
    expect_text(make(e, &traffic, &baseline).power.why_not, "no metric is primary");
    e = config_add(EXPERIMENT_DRAFT, "{\"key\":\"y\",\"kind\":\"interleave\"," AB "}");
    cr_assert(make(e, &traffic, &baseline).power.why_not != NULL);
}

Test(preflight_power, few_units_have_none)
{
    struct known_traffic t = { .days = 7, .share = 1, .units = 2, .daily = { 2, 2, 2, 2, 2, 2, 2 } };
    struct preflight p = make(draft(), &t, &baseline);
    cr_assert(eq(dbl, p.power.plan.weeks[7].power, 0));
    cr_assert(isnan(p.power.plan.weeks[7].detectable));
}

/* Whatever was found, it is one JSON object. */
Test(preflight_power, the_object_is_json)
{
    struct preflight p = make(draft(), &traffic, &baseline);
    struct buf b;
    struct jsonw w;
    struct err err;
    buf_init(&b, 1 << 20);
    jsonw_init(&w, &b);
    preflight_write(&w, NULL, &experiments[0], &p);
    json_auto_t *root = json_parse(buf_str(&b), &err);
    cr_assert(ne(ptr, root, NULL), "%s", err.text);
    json_t *power = json_object_get(root, "power");
    cr_assert(eq(sz, json_array_size(json_object_get(power, "weeks")), PLANNER_WEEKS));
    cr_assert(eq(int, json_is_null(json_object_get(power, "why_not")), 1));
    cr_assert(eq(int, json_is_true(json_object_get(root, "may_start")), 1));
    buf_release(&b);
}
