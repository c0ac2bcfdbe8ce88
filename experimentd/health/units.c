/* Units that do not count, by variant; and whether signals still come. */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "experimentd/health/health.h"
#include "stats/trust/shares.h"

enum { USUAL_DAYS = 7 };

/* Units that count and units that were seen twice, over all days. */
static void add_up(const struct health_input *in, int64_t *units, int64_t *several)
{
    for (size_t k = 0; k < in->counts_count; k++) {
        for (size_t i = 0; in->counts[k].segment.n == 0 && i < in->r->experiment->variants_count; i++) {
            units[i] += in->counts[k].units[i];
            several[i] += in->counts[k].several[i];
        }
    }
}

static void say_shares(struct buf *b, const struct health_input *in, const int64_t *events, const int64_t *units)
{
    for (size_t i = 0; i < in->r->experiment->variants_count; i++)
        if (units[i])
            buf_addf(b, "%s\"" STR_FMT "\" %.3g %%", b->n ? ", " : "", STR_ARG(in->r->experiment->variants[i].key),
                     100 * (double)events[i] / (double)units[i]);
}

/* events[i] of units[i]: each variant's share, and whether they differ. */
static bool compare_shares(const struct health_input *in, const int64_t *events, const int64_t *units,
                           struct shares *out_shares, struct arena *arena, struct health_finding *out)
{
    struct err err;
    struct buf b;
    if (!shares_test(events, units, in->r->experiment->variants_count, out_shares, &err)) {
        health_unknown(out, arena_str(arena, str_of(err.text)));
        return false;
    }
    bool few = out_shares->least_expected < HEALTH_EXPECTED_MIN;
    buf_init(&b, HEALTH_TEXT_MAX);
    say_shares(&b, in, events, units);
    if (few)
        buf_addf(&b, ": %lld in all, too few to compare the variants", (long long)out_shares->events);
    else
        buf_add_c(&b, "; that they are alike has ");
    if (!few)
        health_add_p(&b, out_shares->log_p);
    *out = (struct health_finding){ .state = few ? HEALTH_OK : health_state_of(out_shares->log_p),
                                    .text = health_take(&b, arena),
                                    .log_p = few ? NAN : out_shares->log_p };
    return true;
}

void health_multiple(const struct health_input *in, struct arena *arena, struct health_finding *out)
{
    size_t n = in->r->experiment->variants_count;
    int64_t *units = arena_zalloc(arena, (n + 1) * sizeof *units),
            *several = arena_zalloc(arena, (n + 1) * sizeof *several);
    struct shares s;
    add_up(in, units, several);
    for (size_t i = 0; i < n; i++)
        units[i] += several[i];
    if (!compare_shares(in, several, units, &s, arena, out))
        return;
    if (s.share > HEALTH_MULTIPLE_ALARM)
        out->state = HEALTH_ALARM;
    else if (s.share > HEALTH_MULTIPLE_WARNING && out->state == HEALTH_OK)
        out->state = HEALTH_WARNING;
}

void health_marked(const struct health_input *in, struct arena *arena, struct health_finding *out)
{
    size_t n = in->r->experiment->variants_count;
    int64_t *units = arena_zalloc(arena, (n + 1) * sizeof *units),
            *several = arena_zalloc(arena, (n + 1) * sizeof *several);
    struct shares s;
    if (!in->marked) {
        health_unknown(out, STR("they could not be counted by variant"));
        return;
    }
    add_up(in, units, several);
    for (size_t i = 0; i < n; i++)
        units[i] = llround((double)(units[i] + several[i]) * in->marked_share) + in->marked[i];
    (void)compare_shares(in, in->marked, units, &s, arena, out);
}

/* ---- silence ---- */

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int64_t units_of_day(const struct health_input *in, int32_t day)
{
    int64_t units = 0;
    for (size_t k = 0; k < in->counts_count; k++)
        for (size_t i = 0;
             in->counts[k].segment.n == 0 && in->counts[k].day == day && i < in->r->experiment->variants_count; i++)
            units += in->counts[k].units[i];
    return units;
}

static int32_t first_day(const struct health_input *in)
{
    int32_t first = INT32_MAX;
    for (size_t k = 0; k < in->counts_count; k++)
        first = in->counts[k].segment.n == 0 && in->counts[k].day < first ? in->counts[k].day : first;
    return first;
}

/* The last whole day that was counted brought nobody, and the days before it usually bring many. *out_usual: their median. */
static bool stopped_entering(const struct health_input *in, int32_t *out_day, int64_t *out_usual)
{
    int64_t before[USUAL_DAYS];
    int32_t first = first_day(in);
    size_t n = 0;
    *out_day = clock_day(in->r->as_of_us) - 1;
    for (int i = 1; i <= USUAL_DAYS && *out_day - i >= first; i++)
        before[n++] = units_of_day(in, *out_day - i);
    if (n < 2 || units_of_day(in, *out_day) > 0)
        return false;
    qsort(before, n, sizeof *before, by_size);
    *out_usual = before[n / 2];
    return *out_usual >= HEALTH_USUAL_MIN;
}

static void say_silence(const struct health_input *in, struct arena *arena, struct health_finding *out)
{
    int64_t silent_us = in->now_us - in->loaded_us;
    out->state = silent_us >= HEALTH_SILENCE_ALARM_US     ? HEALTH_ALARM
                 : silent_us >= HEALTH_SILENCE_WARNING_US ? HEALTH_WARNING
                                                          : HEALTH_OK;
    if (silent_us < 2 * 3600 * US_PER_SECOND)
        out->text = arena_printf(arena, "the last ones were written %.0f minutes ago", (double)silent_us / 6e7);
    else
        out->text = arena_printf(arena, "no signal has been written for %.1f hours", (double)silent_us / 3.6e9);
}

void health_silence(const struct health_input *in, struct arena *arena, struct health_finding *out)
{
    char text[CLOCK_TEXT_MAX];
    int32_t day;
    int64_t usual;
    *out = (struct health_finding){ .log_p = NAN };
    if (in->r->experiment->status != EXPERIMENT_RUNNING) {
        health_unknown(out, STR("it does not run"));
        return;
    }
    if (!in->loaded_us) {
        health_unknown(out, STR("no signal has been written yet"));
        return;
    }
    say_silence(in, arena, out);
    if (out->state == HEALTH_ALARM || !in->r->has_data || !stopped_entering(in, &day, &usual))
        return;
    out->state = HEALTH_ALARM;
    out->text = arena_printf(arena, "no unit entered on %s, where %lld a day are usual; " STR_FMT,
                             clock_format_day(day, text), (long long)usual, STR_ARG(out->text));
}
