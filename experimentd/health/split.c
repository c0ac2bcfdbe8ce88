/* The split of units: all, watched daily, by day, by segment, and variants that can have none. */
#include <math.h>

#include "base/clock.h"
#include "experimentd/health/health.h"
#include "stats/srm.h"

enum { SHOWN_MAX = 8 };

static bool is_all(const struct health_count *c)
{
    return c->segment.n == 0;
}

static double *weights_of(const struct health_input *in, struct arena *arena)
{
    const struct snapshot_experiment *e = in->r->experiment;
    double *w = arena_alloc(arena, (e->variants_count + 1) * sizeof *w);
    for (size_t i = 0; i < e->variants_count; i++)
        w[i] = e->variants[i].weight;
    return w;
}

/* Why there is no one split to compare with; NULL: there is. */
static const char *why_none(const struct health_input *in)
{
    size_t weighty = 0;
    if (!in->r->has_data)
        return "nothing has been aggregated yet";
    if (in->r->experiment->live_weights)
        return "a bandit's weights have moved: there is no one split to compare with";
    if (in->r->experiment->kind == EXPERIMENT_INTERLEAVE)
        return "interleaving splits no units";
    for (size_t i = 0; i < in->r->experiment->variants_count; i++)
        weighty += in->r->experiment->variants[i].weight > 0;
    if (weighty < 2)
        return "fewer than two variants have a weight above 0";
    return NULL;
}

static bool can_split(const struct health_input *in, struct health_finding *out)
{
    const char *why = why_none(in);
    if (why)
        health_unknown(out, str_of(why));
    return why == NULL;
}

/* Units of all days together, of the whole or of one segment. */
static int64_t *add_up(const struct health_input *in, struct str segment, struct arena *arena, int64_t *out_total)
{
    size_t n = in->r->experiment->variants_count;
    int64_t *units = arena_zalloc(arena, (n + 1) * sizeof *units);
    *out_total = 0;
    for (size_t k = 0; k < in->counts_count; k++) {
        for (size_t i = 0; str_eq(in->counts[k].segment, segment) && i < n; i++) {
            units[i] += in->counts[k].units[i];
            *out_total += in->counts[k].units[i];
        }
    }
    return units;
}

/* Units of the whole experiment. An older aggregation did not count first exposures: then those that its first metric counts. */
static int64_t *all_units(const struct health_input *in, struct arena *arena, int64_t *out_total)
{
    int64_t *units = add_up(in, (struct str){ NULL, 0 }, arena, out_total);
    for (size_t i = 0; in->counts_count == 0 && in->r->metrics_count && i < in->r->experiment->variants_count; i++)
        *out_total += units[i] = result_latest(&in->r->metrics[0], i)->n;
    return units;
}

/* Without the units of arms of weight 0, which have a check of their own. */
static int64_t *weighty(const struct health_input *in, const int64_t *units, struct arena *arena, int64_t *out_total)
{
    size_t n = in->r->experiment->variants_count;
    int64_t *kept = arena_zalloc(arena, (n + 1) * sizeof *kept);
    *out_total = 0;
    for (size_t i = 0; i < n; i++) {
        kept[i] = in->r->experiment->variants[i].weight > 0 ? units[i] : 0;
        *out_total += kept[i];
    }
    return kept;
}

/* One row; false when it has too few units for the test. */
static bool make_row(const struct health_input *in, struct str label, const int64_t *units, struct arena *arena,
                     struct health_row *out)
{
    size_t n = in->r->experiment->variants_count;
    double *weights = weights_of(in, arena), *expected = arena_alloc(arena, (n + 1) * sizeof *expected);
    int64_t total, *kept = weighty(in, units, arena, &total);
    struct srm srm;
    if (total == 0 || !srm_test(kept, weights, n, expected, &srm, NULL))
        return false;
    for (size_t i = 0; i < n; i++)
        if (weights[i] > 0 && expected[i] < HEALTH_EXPECTED_MIN)
            return false;
    *out = (struct health_row){ .label = label,
                                .observed = units,
                                .expected = expected,
                                .value = NAN,
                                .se = NAN,
                                .log_p = srm.log_p,
                                .adjusted = NAN };
    return true;
}

/* "5012 and 4988 where the weights ask for 5000 and 5000" */
static void add_counts(struct buf *b, const struct health_input *in, const struct health_row *row)
{
    size_t n = in->r->experiment->variants_count, shown = n < SHOWN_MAX ? n : SHOWN_MAX;
    for (size_t i = 0; i < shown; i++)
        buf_addf(b, "%s%lld", i == 0 ? "" : i + 1 == n ? " and " : ", ", (long long)row->observed[i]);
    buf_addf(b, "%s where the weights ask for ", n > shown ? ", …" : "");
    for (size_t i = 0; i < shown; i++)
        buf_addf(b, "%s%.0f", i == 0 ? "" : i + 1 == n ? " and " : ", ", row->expected[i]);
    buf_add_c(b, n > shown ? ", …" : "");
}

static bool whole_row(const struct health_input *in, struct arena *arena, struct health_row *out,
                      struct health_finding *finding)
{
    int64_t total, *units = all_units(in, arena, &total);
    if (make_row(in, STR(""), units, arena, out))
        return true;
    health_unknown(finding, arena_printf(arena, "%lld units are too few to judge their split", (long long)total));
    return false;
}

void health_split(const struct health_input *in, struct arena *arena, struct health_finding *out)
{
    struct health_row *row = arena_alloc(arena, sizeof *row);
    struct buf b;
    if (!can_split(in, out) || !whole_row(in, arena, row, out))
        return;
    buf_init(&b, HEALTH_TEXT_MAX);
    add_counts(&b, in, row);
    buf_add_c(&b, ": ");
    health_add_p(&b, row->log_p);
    row->adjusted = row->log_p;
    *out = (struct health_finding){ health_state_of(row->log_p), health_take(&b, arena), row->log_p, row, 1 };
}

/* p so far is the least of all days' (the counts of a day are in it whole). */
void health_split_sequential(const struct health_input *in, struct arena *arena, struct health_finding *out)
{
    size_t n = in->r->experiment->variants_count, days = 0;
    struct health_row row;
    double *weights = weights_of(in, arena), log_p = 0;
    int64_t *sum = arena_zalloc(arena, (n + 1) * sizeof *sum), total;
    int32_t worst = 0;
    if (!can_split(in, out) || !whole_row(in, arena, &row, out))
        return;
    for (size_t k = 0; k < in->counts_count; k++) {
        if (!is_all(&in->counts[k]))
            continue;
        const int64_t *kept = weighty(in, in->counts[k].units, arena, &total);
        for (size_t i = 0; i < n; i++)
            sum[i] += kept[i];
        double now = -srm_log_bayes_factor(sum, weights, n, HEALTH_SRM_CONCENTRATION);
        days++;
        if (now < log_p) {
            log_p = now;
            worst = in->counts[k].day;
        }
    }
    if (days == 0) {
        health_unknown(out, STR("the last aggregation did not count first exposures by day"));
        return;
    }
    char day[CLOCK_TEXT_MAX];
    struct buf b;
    buf_init(&b, HEALTH_TEXT_MAX);
    health_add_p(&b, log_p);
    buf_addf(&b, " after %zu day%s", days, days == 1 ? "" : "s");
    if (log_p < log(0.99))
        buf_addf(&b, ", the least on %s", clock_format_day(worst, day));
    *out = (struct health_finding){ health_state_of(log_p), health_take(&b, arena), log_p, NULL, 0 };
}

static void say_rows(const struct health_input *in, struct health_finding *out, size_t n, const char *what,
                     struct arena *arena)
{
    struct buf b;
    buf_init(&b, HEALTH_TEXT_MAX);
    buf_addf(&b, "%zu %s; the least even is " STR_FMT ": ", n, what, STR_ARG(str_cut(out->rows[0].label, 200)));
    add_counts(&b, in, &out->rows[0]);
    buf_addf(&b, ", adjusted ");
    health_add_p(&b, out->log_p);
    out->text = health_take(&b, arena);
}

void health_split_days(const struct health_input *in, struct arena *arena, struct health_finding *out)
{
    struct health_row *rows = arena_alloc(arena, (in->counts_count + 1) * sizeof *rows);
    size_t n = 0;
    char day[CLOCK_TEXT_MAX];
    if (!can_split(in, out))
        return;
    for (size_t k = 0; k < in->counts_count; k++) {
        const struct health_count *c = &in->counts[k];
        if (is_all(c))
            n += make_row(in, arena_str(arena, str_of(clock_format_day(c->day, day))), c->units, arena, &rows[n]);
    }
    if (n == 0) {
        health_unknown(out, STR("no day has enough new units to judge their split"));
        return;
    }
    health_judge_rows(out, rows, n, arena);
    say_rows(in, out, n, n == 1 ? "day" : "days", arena);
}

void health_split_segments(const struct health_input *in, struct arena *arena, struct health_finding *out)
{
    struct health_row *rows = arena_alloc(arena, (in->counts_count + 1) * sizeof *rows);
    struct str last = { NULL, 0 };
    size_t n = 0;
    if (!can_split(in, out))
        return;
    for (size_t k = 0; k < in->counts_count; k++) {
        struct str segment = in->counts[k].segment;
        if (is_all(&in->counts[k]) || str_eq(segment, last))
            continue;
        int64_t total, *units = add_up(in, segment, arena, &total);
        n += make_row(in, segment, units, arena, &rows[n]);
        last = segment;
    }
    if (n == 0) {
        health_unknown(out, STR("no dimension of the units is known, or no value of one has enough units"));
        return;
    }
    health_judge_rows(out, rows, n, arena);
    say_rows(in, out, n, n == 1 ? "segment" : "segments", arena);
}

void health_zero_weight(const struct health_input *in, struct arena *arena, struct health_finding *out)
{
    const struct snapshot_experiment *e = in->r->experiment;
    int64_t total, *units, lost = 0;
    size_t arms = 0, at = 0;
    if (!in->r->has_data || e->live_weights || e->kind == EXPERIMENT_INTERLEAVE) {
        health_unknown(out,
                       str_of(in->r->has_data ? "the weights are no fixed ones" : "nothing has been aggregated yet"));
        return;
    }
    units = all_units(in, arena, &total);
    for (size_t i = 0; i < e->variants_count; i++) {
        if (e->variants[i].weight > 0)
            continue;
        arms++;
        lost += units[i];
        at = units[i] ? i : at;
    }
    *out = (struct health_finding){ .state = lost ? HEALTH_ALARM : HEALTH_OK, .log_p = NAN };
    if (lost)
        out->text = arena_printf(arena, "%lld units are in a variant of weight 0, such as \"" STR_FMT "\"",
                                 (long long)lost, STR_ARG(e->variants[at].key));
    else if (arms)
        out->text = arena_printf(arena, "%zu variant%s of weight 0, and no unit in it", arms, arms == 1 ? "" : "s");
    else
        out->text = STR("every variant has a weight above 0");
}
