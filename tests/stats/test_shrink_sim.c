/* Simulations with fixed seeds: segments whose effects differ by as much as is said, of unequal sizes; shrunk effects are nearer to the truth than
 * measured ones, and their intervals cover on average over the segments. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "stats/multiple/shrink.h"

enum { RUNS = 4000, SEGMENTS = 12 };
#define Z95 1.959963984540054

struct found {
    double measured, shrunk; /* mean squared errors */
    double covered, winner;  /* shares of intervals; mean error of the largest measured effect, shrunk */
    double winner_measured;
};

static struct found simulate(double spread, uint64_t seed)
{
    struct draw d = { seed };
    struct found f = { 0 };
    for (int run = 0; run < RUNS; run++) {
        double truth[SEGMENTS], y[SEGMENTS], ses[SEGMENTS];
        struct shrunk each[SEGMENTS];
        struct shrink s;
        size_t best = 0;
        for (size_t k = 0; k < SEGMENTS; k++) {
            ses[k] = 0.5 + (double)k / SEGMENTS;
            truth[k] = 1 + spread * draw_normal(&d);
            y[k] = truth[k] + ses[k] * draw_normal(&d);
            best = y[k] > y[best] ? k : best;
        }
        cr_assert(shrink_effects(y, ses, SEGMENTS, &s, each, NULL));
        for (size_t k = 0; k < SEGMENTS; k++) {
            double error = each[k].effect - truth[k];
            f.measured += (y[k] - truth[k]) * (y[k] - truth[k]) / (RUNS * SEGMENTS);
            f.shrunk += error * error / (RUNS * SEGMENTS);
            f.covered += (fabs(error) <= Z95 * each[k].se) / (double)(RUNS * SEGMENTS);
        }
        f.winner += (each[best].effect - truth[best]) / RUNS;
        f.winner_measured += (y[best] - truth[best]) / RUNS;
    }
    cr_log_info(
        "spread %g: squared error %.3f measured, %.3f shrunk; coverage %.4f; largest too large by %.3f, shrunk %.3f",
        spread, f.measured, f.shrunk, f.covered, f.winner_measured, f.winner);
    return f;
}

/* Whatever the spread; intervals cover too often where the effects hardly differ. */
Test(shrink_sim, shrunk_effects_are_nearer_and_their_intervals_cover)
{
    const double spreads[] = { 0, 0.3, 1, 3 };
    for (size_t i = 0; i < 4; i++) {
        struct found f = simulate(spreads[i], 42 + i);
        cr_assert(lt(dbl, f.shrunk, f.measured));
        cr_assert(gt(dbl, f.covered, 0.94));
    }
}

Test(shrink_sim, the_best_segment_is_no_longer_too_good)
{
    struct found f = simulate(0.3, 7);
    cr_assert(gt(dbl, f.winner_measured, 1));
    cr_assert(lt(dbl, fabs(f.winner), 0.4 * f.winner_measured));
}
