#include "experimentd/health/health.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "stats/multiple/family.h"

const char *const health_state_names[] = {
    [HEALTH_UNKNOWN] = "not_enough_data",
    [HEALTH_OK] = "ok",
    [HEALTH_WARNING] = "warning",
    [HEALTH_ALARM] = "alarm",
};
static_assert(sizeof health_state_names / sizeof *health_state_names == HEALTH_STATE_COUNT, "a name for every state");

/* Below, a p is no double any more. */
#define LOG_P_SHOWN (-690.0)
#define FIND_THE_LOSS                                                                                                 \
    "Read no metric. Find where units are lost on one side: redirects, crashes, a cache that serves one variant, "    \
    "bots "                                                                                                           \
    "left out on one side, exposures sent too late. Mend it and begin a new phase or experiment: what was collected " \
    "with the fault cannot be put right."

const struct health_words health_words[] = {
    [HEALTH_SPLIT] = { "srm", "Units by variant",
                       "Whether as many units came into each variant as the weights ask for. A split that chance does "
                       "not "
                       "make says that some units are missing, and the missing ones are never like the others.",
                       FIND_THE_LOSS, true },
    [HEALTH_SPLIT_SEQUENTIAL] = { "srm_any_time", "Units by variant, watched daily",
                                  "The same by a test that may be looked at every day: its p is the smallest so far, "
                                  "and is "
                                  "below 0.001 in one of a thousand sound experiments, however long they run.",
                                  FIND_THE_LOSS, true },
    [HEALTH_SPLIT_DAYS] = { "srm_days", "Units by variant, day by day",
                            "The split among the units that were first seen on each day, p adjusted for so many days. "
                            "A fault "
                            "of one day (a release, an outage) shows here and is lost in the sum.",
                            "Look at what changed on the days named: releases, flags, caches. Mend it and begin a new "
                            "phase "
                            "after it.",
                            true },
    [HEALTH_SPLIT_SEGMENTS] = { "srm_segments", "Units by variant, by segment",
                                "The split within each value of each dimension, adjusted for all of them. One browser "
                                "or "
                                "country that loses units of one variant shows here.",
                                "Try the variants yourself in the segment named. Mend it and begin a new phase.",
                                true },
    [HEALTH_ZERO_WEIGHT] = { "zero_weight", "Units in variants of weight 0",
                             "A variant of weight 0 can get no unit by chance: one unit in it is an error by itself.",
                             "Look for clients that choose variants themselves, forced variants that are counted, or "
                             "old "
                             "configuration in a cache; then begin a new phase.",
                             true },
    [HEALTH_MULTIPLE] = { "multiple_exposures", "Units that saw several variants",
                          "They count in no metric. Many of them say that the unit is no stable one (cookies that are "
                          "lost, "
                          "a login); more of them in one variant than in the other says that leaving them out bends "
                          "the rest.",
                          "Randomise on an id that lasts, use sticky assignment with a fallback attribute, and check "
                          "that "
                          "all clients hash the same attribute with the same seed.",
                          true },
    [HEALTH_MARKED] = { "marked_units", "Units marked as bots or internal",
                        "They count in no metric. When the variants differ in how many are marked, the marks depend on "
                        "what "
                        "the variant does, and what is left is no fair comparison.",
                        "Look which rule marks them (GET /v1/marks). A variant that makes clients send more signals "
                        "can "
                        "reach marks.unit_signals_per_minute: raise it, or mark by agent and network only.",
                        true },
    [HEALTH_BEFORE] = { "before", "Before the first exposure",
                        "Whether the variants' units were alike before they saw anything, by the same metrics. A "
                        "difference "
                        "that was there before is none that the variant made. p adjusted for all metrics and variants.",
                        "Check the seed: an earlier experiment with the same one leaves its effect behind. Adjusted "
                        "results "
                        "(CUPED) take a small difference out; begin again with a new seed when it is large.",
                        true },
    [HEALTH_NOVELTY] = { "novelty", "Effect by days since exposure",
                         "Whether the effect of the primary metric wears off (novelty) or grows (habits give way) as "
                         "units "
                         "get used to the variant. The days share units, so the test errs on the side of seeing "
                         "nothing.",
                         "Let it run until the effect is level, and decide by the later days.", false },
    [HEALTH_SIMPSON] = { "simpson", "Segments against the whole",
                         "Whether all values of a dimension say one thing and the sum of them the opposite: then the "
                         "variants "
                         "differ in who is in them.",
                         "Believe the segments, not the sum, and look for why the mix differs: the split by segment "
                         "tells "
                         "where.",
                         false },
    [HEALTH_SILENCE] = { "data", "Signals that arrive",
                         "Whether signals still come, and units still enter a running experiment.",
                         "Look whether the search front end still sends (the page \"Live\"), whether the loader runs "
                         "(/metrics: experimentd_journal_backlog_bytes), and whether clients still evaluate the "
                         "experiment.",
                         false },
    [HEALTH_HISTORY] = { "aa_history", "A/A tests of the past",
                         "Whether the p-values of A/A tests that are over (variants with the same value) are spread "
                         "evenly, as "
                         "those of a sound test are; by metric.",
                         "Too many small ones say that the variance of the metric is understated: check that the unit "
                         "of "
                         "randomisation is the one that is counted, and cap heavy values.",
                         false },
};
static_assert(sizeof health_words / sizeof *health_words == HEALTH_CHECK_COUNT, "words for every check");

enum health_state health_state_of(double log_p)
{
    return log_p < log(HEALTH_ALARM_P) ? HEALTH_ALARM : log_p < log(HEALTH_WARNING_P) ? HEALTH_WARNING : HEALTH_OK;
}

void health_unknown(struct health_finding *out, struct str why)
{
    *out = (struct health_finding){ .state = HEALTH_UNKNOWN, .text = why, .log_p = NAN };
}

void health_add_p(struct buf *b, double log_p)
{
    if (log_p < LOG_P_SHOWN)
        buf_addf(b, "p = 10^%.0f", log_p / M_LN10);
    else
        buf_addf(b, "p = %.2g", exp(log_p));
}

struct str health_take(struct buf *b, struct arena *arena)
{
    struct str text = arena_str(arena, buf_str(b));
    buf_release(b);
    return text;
}

static int by_p(const void *a, const void *b)
{
    const struct health_row *x = a, *y = b;
    return x->log_p < y->log_p ? -1 : x->log_p > y->log_p;
}

void health_judge_rows(struct health_finding *out, struct health_row *rows, size_t n, struct arena *arena)
{
    double *log_p = arena_alloc(arena, n * sizeof *log_p), *adjusted = arena_alloc(arena, n * sizeof *adjusted);
    struct family_rank *ranks = arena_alloc(arena, n * sizeof *ranks);
    for (size_t i = 0; i < n; i++)
        log_p[i] = rows[i].log_p;
    family_rank(log_p, n, ranks);
    family_p(FAMILY_HOLM, ranks, n, adjusted);
    for (size_t i = 0; i < n; i++)
        rows[i].adjusted = adjusted[i];
    qsort(rows, n, sizeof *rows, by_p);
    out->rows = rows;
    out->rows_count = n < HEALTH_ROWS_MAX ? n : HEALTH_ROWS_MAX;
    out->log_p = rows[0].adjusted;
    out->state = health_state_of(out->log_p);
}

typedef void (*health_fn)(const struct health_input *in, struct arena *arena, struct health_finding *out);
static const health_fn checks[] = {
    [HEALTH_SPLIT] = health_split,
    [HEALTH_SPLIT_SEQUENTIAL] = health_split_sequential,
    [HEALTH_SPLIT_DAYS] = health_split_days,
    [HEALTH_SPLIT_SEGMENTS] = health_split_segments,
    [HEALTH_ZERO_WEIGHT] = health_zero_weight,
    [HEALTH_MULTIPLE] = health_multiple,
    [HEALTH_MARKED] = health_marked,
    [HEALTH_BEFORE] = health_before,
    [HEALTH_NOVELTY] = health_novelty,
    [HEALTH_SIMPSON] = health_simpson,
    [HEALTH_SILENCE] = health_silence,
    [HEALTH_HISTORY] = health_history,
};
static_assert(sizeof checks / sizeof *checks == HEALTH_CHECK_COUNT, "a function for every check");

void health_make(const struct health_input *in, struct arena *arena, struct health *out)
{
    *out = (struct health){ .worst = HEALTH_UNKNOWN };
    for (size_t i = 0; i < HEALTH_CHECK_COUNT; i++) {
        out->of[i].log_p = NAN;
        checks[i](in, arena, &out->of[i]);
        if (out->of[i].state > out->worst)
            out->worst = out->of[i].state;
    }
}

enum health_check health_spoilt_by(const struct health *h)
{
    size_t i = 0;
    while (i < HEALTH_CHECK_COUNT && !(health_words[i].spoils && h->of[i].state == HEALTH_ALARM))
        i++;
    return (enum health_check)i;
}
