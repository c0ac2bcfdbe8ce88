#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/power.h"
#include "stats/sequential/plan.h"

static const double quarters[] = { 0.25, 0.5, 0.75, 1 }, once[] = { 1 };

static struct plan plan_of(enum plan_method method, enum spending_kind kind)
{
    return (struct plan){
        method, 0.05, 2, method == PLAN_FIXED ? once : quarters, method == PLAN_FIXED ? 1 : 4, { kind, 1 }, 0, 4,
        4,      1,    0
    };
}

static struct plan_test units(const struct plan *p, double effect)
{
    struct plan_test t;
    struct err err;
    cr_assert(plan_units(p, effect, 0.8, &t, &err), "%s", err.text);
    return t;
}

/* Of many units Student's t is normal: the fixed horizon is what power.h has said all along. */
Test(plan, a_fixed_horizon_is_the_plan_of_one_look)
{
    struct plan p = plan_of(PLAN_FIXED, 0);
    struct power_units student;
    struct err err;
    p.ratio = 2;
    struct plan_test t = units(&p, 0.02);
    cr_assert(power_means_units(&(struct power_design){ 0.05, 2, 2, false }, 0.02, 2, 0.8, &student, &err), "%s",
              err.text);
    cr_assert(epsilon_eq(dbl, t.control, student.control_real, 2));
    cr_assert(epsilon_eq(dbl, t.treatment, 2 * t.control, 1e-9));
    cr_assert(epsilon_eq(dbl, t.inflation, 1, 1e-12));
    cr_assert(epsilon_eq(dbl, t.expected, 1, 1e-12));
}

/* C. Jennison, B. Turnbull 2000, section 2: four looks inflate by 1.202 (Pocock's constants) and 1.024 (O'Brien-Fleming's); spending functions come close. */
Test(plan, looks_cost_what_the_book_says)
{
    struct plan pocock = plan_of(PLAN_SPENDING, SPENDING_POCOCK), obf = plan_of(PLAN_SPENDING, SPENDING_OBRIEN_FLEMING),
                any_time = plan_of(PLAN_ANY_TIME, 0), fixed = plan_of(PLAN_FIXED, 0);
    struct plan_test p = units(&pocock, 0.1), o = units(&obf, 0.1), a = units(&any_time, 0.1), f = units(&fixed, 0.1);
    cr_assert(epsilon_eq(dbl, p.inflation, 1.202, 0.02));
    cr_assert(epsilon_eq(dbl, o.inflation, 1.024, 0.02));
    cr_assert(gt(dbl, a.inflation, p.inflation)); /* anything may happen in between: that costs more */
    cr_assert(epsilon_eq(dbl, p.control, f.control * p.inflation, 1e-6 * f.control));
    cr_assert(lt(dbl, p.expected * p.inflation, 1)); /* but on average the test is over earlier than the fixed one */
    cr_assert(lt(dbl, o.expected * o.inflation, 1));
}

Test(plan, units_effect_and_power_are_inverses)
{
    struct err err;
    for (int method = 0; method < PLAN_METHOD_COUNT; method++) {
        struct plan p = plan_of((enum plan_method)method, SPENDING_POWER);
        double effect, power;
        p.ratio = 0.5;
        p.var_t = 9;
        struct plan_test t = units(&p, -0.3);
        cr_assert(plan_effect(&p, t.control, 0.8, &effect, &err), "%s", err.text);
        cr_assert(plan_power(&p, -0.3, t.control, &power, &err), "%s", err.text);
        cr_assert(epsilon_eq(dbl, effect, 0.3, 1e-10));
        cr_assert(epsilon_eq(dbl, power, 0.8, 1e-10));
        cr_assert(plan_power(&p, 0, t.control, &power, &err), "%s", err.text);
        cr_assert(le(dbl, power, 0.05 + 1e-10)); /* without an effect it is the error */
    }
}

/* By hand, with w = 2 z 0.5 √1000 = 61.98 ranks in each arm and half of the variance: b = 1.25/w = 0.02017, v = 1/2w = 0.008067. */
Test(plan, ranks_cost_drift)
{
    struct plan p = plan_of(PLAN_FIXED, 0);
    const double z = 1.959963984540054, bias = 0.0201678, sd = sqrt(1 + z * z * 0.00806713);
    p.rank_sd = 0.5;
    cr_assert(epsilon_eq(dbl, plan_seen_drift(&p, z, 1000, 2.8), z + (2.8 - z * (1 + bias)) / sd, 1e-6));
    cr_assert(epsilon_eq(dbl, plan_seen_drift(&p, z, 1000, -2.8), -z - (2.8 - z * (1 + bias)) / sd, 1e-6));
    cr_assert(epsilon_eq(dbl, plan_needed_drift(&p, z, 1000, plan_seen_drift(&p, z, 1000, 2.8)), 2.8, 1e-12));
    cr_assert(epsilon_eq(dbl, plan_rank_inflation(0.5, 1000), 1 + 3 / 61.9795, 1e-5));
    p.rank_sd = 0;
    cr_assert(eq(dbl, plan_seen_drift(&p, z, 1000, 2.8), 2.8));
    cr_assert(eq(dbl, plan_rank_inflation(0, 1000), 1));
}

Test(plan, units_effect_and_power_of_a_quantile_are_inverses_too)
{
    struct err err;
    for (int method = 0; method < PLAN_METHOD_COUNT; method++) {
        struct plan p = plan_of((enum plan_method)method, SPENDING_POWER);
        double effect, power, plain = units(&p, 0.2).control;
        p.rank_sd = 0.5;
        p.ratio = 0.5;
        p.var_t = 2;
        struct plan_test t = units(&p, 0.2);
        cr_assert(gt(dbl, t.control, plain)); /* of the same variance, v_c + v_t/r */
        cr_assert(plan_effect(&p, t.control, 0.8, &effect, &err), "%s", err.text);
        cr_assert(plan_power(&p, 0.2, t.control, &power, &err), "%s", err.text);
        cr_assert(epsilon_eq(dbl, effect, 0.2, 1e-9));
        cr_assert(epsilon_eq(dbl, power, 0.8, 1e-9));
    }
}

Test(plan, bounds_of_a_confidence_sequence_are_lowest_at_its_end)
{
    struct plan p = plan_of(PLAN_ANY_TIME, 0);
    struct err err;
    double z[4];
    cr_assert(plan_bounds(&p, z, &err));
    for (int k = 0; k < 3; k++)
        cr_assert(gt(dbl, z[k], z[k + 1]));
    cr_assert(epsilon_eq(dbl, z[3], 3.0351, 1e-4));
    p.sides = 1;
    cr_assert(plan_bounds(&p, z, &err));
    cr_assert(lt(dbl, z[3], 3.0351));
}

/* Tuned for 10000 units and looked at up to 40000: the bound at 10000 is that of a sequence that ends there. */
Test(plan, a_confidence_sequence_may_be_narrowest_before_its_end)
{
    struct plan p = plan_of(PLAN_ANY_TIME, 0), own = plan_of(PLAN_ANY_TIME, 0);
    struct err err;
    double z[4], z_own[4], power, tuned;
    p.tuned = 0.25;
    cr_assert(plan_bounds(&p, z, &err));
    cr_assert(plan_bounds(&own, z_own, &err));
    cr_assert(epsilon_eq(dbl, z[0], z_own[3], 1e-12));
    cr_assert(gt(dbl, z[3], z_own[3]));
    cr_assert(lt(dbl, z[0], z_own[0]));
    cr_assert(plan_power(&own, 0.1, 3000, &power, &err) && plan_power(&p, 0.1, 3000, &tuned, &err));
    cr_assert(lt(dbl, tuned, power)); /* what is gained early is lost late */
    p.tuned = -1;
    cr_assert(not(plan_bounds(&p, z, &err)));
    cr_assert(eq(str, err.text, "tuned is -1, not a share of the units from 0"));
}

Test(plan, haybittle_and_peto_cost_next_to_nothing)
{
    struct plan p = plan_of(PLAN_HAYBITTLE_PETO, 0);
    struct err err;
    double z[4];
    cr_assert(plan_bounds(&p, z, &err));
    cr_assert(epsilon_eq(dbl, z[0], 3.2905267314919255, 1e-12)); /* p = 0.001 */
    cr_assert(eq(dbl, z[0], z[2]));
    cr_assert(epsilon_eq(dbl, z[3], 1.97, 0.01));
    cr_assert(epsilon_eq(dbl, units(&p, 0.1).inflation, 1.01, 0.01));
}

Test(plan, days_grow_as_traffic_does)
{
    struct err err;
    double days;
    cr_assert(plan_days(&(struct plan_traffic){ 7, 1000, 1 }, 3000, &days, &err));
    cr_assert(epsilon_eq(dbl, days, 21, 1e-12));
    cr_assert(plan_days(&(struct plan_traffic){ 7, 1000, 0.5 }, 3000, &days, &err));
    cr_assert(epsilon_eq(dbl, days, 63, 1e-12));
    cr_assert(not(plan_days(&(struct plan_traffic){ 7, 1000, 0 }, 3000, &days, &err)));
    cr_assert(eq(str, err.text, "growth is 0, not above 0 and up to 1"));
    cr_assert(not(plan_days(&(struct plan_traffic){ 7, 0, 1 }, 3000, &days, &err)));
    cr_assert(eq(str, err.text, "0 units in 7 days are no traffic"));
    cr_assert(not(plan_days(&(struct plan_traffic){ 7, 1000, 1e-3 }, 1e9, &days, &err)));
    cr_assert(eq(str, err.text, "so many units will never be there"));
}

Test(plan, refusals_say_why)
{
    struct plan p = plan_of(PLAN_FIXED, 0);
    struct plan_test t;
    struct err err;
    double v;
    cr_assert(not(plan_units(&p, 0, 0.8, &t, &err)));
    cr_assert(eq(str, err.text, "the effect is 0, not a number other than 0"));
    cr_assert(not(plan_units(&p, 1, 0.05, &t, &err)));
    cr_assert(eq(str, err.text, "the power is 0.05, not between alpha (0.05) and 1"));
    cr_assert(not(plan_power(&p, 1, -1, &v, &err)));
    cr_assert(eq(str, err.text, "n_c is -1, not a number of units above 0"));
    p.looks = 4, p.t = quarters;
    cr_assert(not(plan_effect(&p, 100, 0.8, &v, &err)));
    cr_assert(eq(str, err.text, "a fixed horizon is looked at once, not 4 times"));
    p.method = PLAN_ANY_TIME, p.looks = 3;
    cr_assert(not(plan_effect(&p, 100, 0.8, &v, &err)));
    cr_assert(eq(str, err.text, "t of the last look is 0.75, must be 1: all units"));
    p.var_c = p.var_t = 0;
    cr_assert(not(plan_effect(&p, 100, 0.8, &v, &err)));
    cr_assert(eq(str, err.text, "the variances of a unit are 0 and 0, not numbers from 0, one above"));
}
