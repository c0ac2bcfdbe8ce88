#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "stats/offpolicy/replay.h"
#include "stats/ratio.h"

enum { N = 50 };

struct rows {
    double reward[N], pscore[N], target[N], model[N], model_target[N];
};

static struct rows draw_rows(uint64_t seed)
{
    struct draw d = { seed };
    struct rows r;
    for (int i = 0; i < N; i++) {
        r.pscore[i] = 0.05 + 0.9 * draw_uniform(&d);
        r.target[i] = draw_uniform(&d) * draw_uniform(&d);
        r.reward[i] = draw_normal(&d) + 1;
        r.model[i] = 0.5 + draw_uniform(&d);
        r.model_target[i] = 0.7 + 0.2 * draw_uniform(&d);
    }
    return r;
}

static struct replay of(const struct rows *r, bool model, struct replay_tuning t)
{
    const struct replay_log log = {
        N, r->reward, r->pscore, r->target, model ? r->model : NULL, model ? r->model_target : NULL
    };
    struct replay out;
    struct err err;
    cr_assert(replay_estimate(&log, &t, &out, &err), "%s", err.text);
    return out;
}

/* The policy that was served, replayed, is its own mean. */
Test(replay, the_policy_that_was_served_has_the_mean_of_its_log)
{
    struct rows r = draw_rows(1);
    double mean = 0;
    for (int i = 0; i < N; i++) {
        r.target[i] = r.pscore[i];
        mean += r.reward[i] / N;
    }
    struct replay a = of(&r, false, (struct replay_tuning){ .clip = 1 });
    cr_assert(epsilon_eq(dbl, a.ips, mean, 1e-14));
    cr_assert(epsilon_eq(dbl, a.snips, mean, 1e-14));
    cr_assert(epsilon_eq(dbl, a.clipped, mean, 1e-14));
    cr_assert(epsilon_eq(dbl, a.ess, N, 1e-12));
}

Test(replay, adding_a_constant_to_rewards)
{
    struct rows r = draw_rows(2), moved = r;
    for (int i = 0; i < N; i++)
        moved.reward[i] += 10;
    struct replay a = of(&r, false, (struct replay_tuning){ 0 }), b = of(&moved, false, (struct replay_tuning){ 0 });
    cr_assert(epsilon_eq(dbl, b.snips, a.snips + 10, 1e-13)); /* SNIPS moves with it */
    cr_assert(epsilon_eq(dbl, b.snips_se, a.snips_se, 1e-13));
    cr_assert(epsilon_eq(dbl, b.ips, a.ips + 10 * a.mean_weight, 1e-13)); /* IPS does not */
}

Test(replay, a_perfect_model_leaves_nothing_to_weights)
{
    struct rows r = draw_rows(3);
    for (int i = 0; i < N; i++)
        r.reward[i] = r.model[i];
    struct replay a = of(&r, true, (struct replay_tuning){ 2, 1.5, 3 });
    cr_assert(eq(dbl, a.dr, a.dm));
    cr_assert(eq(dbl, a.sndr, a.dm));
    cr_assert(eq(dbl, a.switch_dr, a.dm));
    cr_assert(eq(dbl, a.dr_os, a.dm));
}

/* Switching never, shrinking not at all, clipping above everything: the estimate without. A model of 0: IPS and SNIPS. */
Test(replay, tuning_at_its_ends)
{
    struct rows r = draw_rows(4), none = r;
    struct replay a = of(&r, true, (struct replay_tuning){ 1e6, 1e6, 1e15 });
    cr_assert(epsilon_eq(dbl, a.clipped, a.ips, 1e-14));
    cr_assert(epsilon_eq(dbl, a.switch_dr, a.dr, 1e-14));
    cr_assert(epsilon_eq(dbl, a.dr_os, a.dr, 1e-11));
    cr_assert(epsilon_eq(dbl, of(&r, true, (struct replay_tuning){ .switch_at = 1e-9 }).switch_dr, a.dm, 1e-14));
    for (int i = 0; i < N; i++)
        none.model[i] = none.model_target[i] = 0;
    struct replay b = of(&none, true, (struct replay_tuning){ 0 });
    cr_assert(epsilon_eq(dbl, b.dr, b.ips, 1e-14));
    cr_assert(epsilon_eq(dbl, b.sndr, b.snips, 1e-14));
}

/* What the header promises to those who have moments and no rows. */
Test(replay, snips_is_the_ratio_of_the_moments)
{
    struct rows r = draw_rows(5);
    struct moments2 m = { 0 };
    struct estimate ratio;
    struct err err;
    for (int i = 0; i < N; i++)
        moments2_add(&m, r.target[i] / r.pscore[i] * r.reward[i], r.target[i] / r.pscore[i]);
    struct replay a = of(&r, false, (struct replay_tuning){ 0 });
    cr_assert(ratio_estimate(&m, &ratio, &err), "%s", err.text);
    cr_assert(epsilon_eq(dbl, m.mean_x, a.ips, 1e-14));
    cr_assert(epsilon_eq(dbl, ratio.value, a.snips, 1e-14));
    cr_assert(epsilon_eq(dbl, sqrt(ratio.variance * (N - 1) / N), a.snips_se, 1e-14)); /* n - 1 for n */
}

Test(replay, no_overlap_says_nothing)
{
    struct rows r = draw_rows(6);
    for (int i = 0; i < N; i++)
        r.target[i] = 0;
    struct replay a = of(&r, true, (struct replay_tuning){ 0 });
    cr_assert(not(a.has_snips));
    cr_assert(eq(dbl, a.ess, 0));
    cr_assert(eq(dbl, a.ips, 0));
    cr_assert(epsilon_eq(dbl, a.dr, a.dm, 1e-15));
}

Test(replay, one_huge_weight_is_one_row)
{
    struct rows r = draw_rows(7);
    r.pscore[9] = 1e-140;
    struct replay a = of(&r, false, (struct replay_tuning){ 0 });
    cr_assert(epsilon_eq(dbl, a.ess, 1, 1e-12));
    cr_assert(epsilon_eq(dbl, a.snips, r.reward[9], 1e-12));
}

Test(replay, refusals_say_why)
{
    struct rows r = draw_rows(8);
    struct replay_log log = { N, r.reward, r.pscore, r.target, NULL, NULL };
    struct replay_tuning t = { 0 };
    struct replay out;
    struct err err;
    r.pscore[1] = 0;
    cr_assert(not(replay_estimate(&log, &t, &out, &err)));
    cr_assert(eq(str, err.text, "pscore 2 is 0, not above 0 and up to 1"));
    r.pscore[1] = 0.5, r.target[2] = 1.5;
    cr_assert(not(replay_estimate(&log, &t, &out, &err)));
    cr_assert(eq(str, err.text, "target probability 3 is 1.5, no probability"));
    r.target[2] = 0.5, r.reward[0] = NAN;
    cr_assert(not(replay_estimate(&log, &t, &out, &err)));
    cr_assert(eq(str, err.text, "reward 1 is not a finite number"));
    r.reward[0] = 1e300, r.pscore[0] = 1e-300, r.target[0] = 1;
    cr_assert(not(replay_estimate(&log, &t, &out, &err)));
    log.n = 0;
    cr_assert(not(replay_estimate(&log, &t, &out, &err)));
    cr_assert(eq(str, err.text, "there are no rows to replay"));
}
