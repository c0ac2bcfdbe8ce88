#include "experimentd/preflight/preflight.h"

#include "base/clock.h"

/* "a 50123, b 49877", as far as it fits. */
static struct str counts_text(const struct snapshot_experiment *e, const struct preflight_split *split,
                              struct arena *arena)
{
    enum { SHOWN_MAX = 4 };
    struct buf b;
    buf_init(&b, 4096);
    for (size_t i = 0; i < e->variants_count && i < SHOWN_MAX; i++)
        buf_addf(&b, "%s\"" STR_FMT "\" %lld for %.0f", i ? ", " : "", STR_ARG(e->variants[i].key),
                 (long long)split->counts[i], split->expected[i]);
    if (e->variants_count > SHOWN_MAX)
        buf_add_c(&b, ", …");
    struct str text = arena_str(arena, buf_str(&b));
    buf_release(&b);
    return text;
}

/* What only the simulation shows: the hash of a layer or of a prerequisite that is the experiment's own. */
static void judge_split(const struct snapshot_experiment *e, const struct preflight_split *split, struct arena *arena,
                        struct preflight_findings *out)
{
    if (split->why_not) {
        preflight_add(out, true, "experiment", str_of(split->why_not));
    } else if (split->has_srm && split->srm.p < PREFLIGHT_SRM_P) {
        struct str counts = counts_text(e, split, arena);
        preflight_add(out, true, "seed",
                      arena_printf(arena,
                                   "the simulated split does not fit the weights (" STR_FMT
                                   ", p %.2g): a layer, holdout or prerequisite has the same seed; choose another",
                                   STR_ARG(counts), split->srm.p));
    } else if (split->reached == 0 && out->errors == 0) {
        preflight_add(out, false, "coverage", arena_printf(arena, "none of %d simulated units is in", PREFLIGHT_UNITS));
    }
}

static void judge_power(const struct preflight_power *p, struct arena *arena, struct preflight_findings *out)
{
    const struct planner_week *last = &p->plan.weeks[PLANNER_WEEKS - 1];
    if (!p->traffic.why_not && !(p->traffic.units > 0))
        preflight_add(out, false, "traffic",
                      arena_printf(arena, "no signal came in the last %d days", p->traffic.days));
    if (!p->why_not && last->power < PREFLIGHT_POWER_POOR)
        preflight_add(out, false, "mde",
                      arena_printf(arena, "after %d weeks an effect of %g %% is found with a power of %.2g only",
                                   PLANNER_WEEKS, p->effect * 100, last->power));
}

void preflight_make(const struct snapshot_experiment *e, const struct snapshot *s, const struct known_traffic *traffic,
                    const struct known_baseline *baseline, struct arena *arena, struct preflight *out)
{
    struct snapshot_experiment placed;
    *out = (struct preflight){ .power = { .traffic = *traffic, .baseline = *baseline } };
    preflight_check(e, s, clock_now_us(), arena, &out->findings, &placed);
    preflight_split(&placed, s, arena, &out->split);
    judge_split(e, &out->split, arena, &out->findings);
    preflight_power(e, &out->split, &out->power);
    judge_power(&out->power, arena, &out->findings);
}

bool preflight_passed(const struct preflight *p, struct err *err)
{
    for (size_t i = 0; i < p->findings.n; i++)
        if (p->findings.p[i].is_error)
            return err_set(err, ERR_CONFLICT, "field \"%s\": " STR_FMT, p->findings.p[i].field,
                           STR_ARG(p->findings.p[i].text));
    return true;
}

bool preflight_may_start(const struct snapshot_experiment *e, const struct snapshot *s, struct arena *arena,
                         struct err *err)
{
    static const struct known_traffic no_traffic = { .why_not = "not asked for" };
    static const struct known_baseline no_baseline = { .why_not = "not asked for" };
    struct preflight *p = arena_alloc(arena, sizeof *p);
    preflight_make(e, s, &no_traffic, &no_baseline, arena, p);
    return preflight_passed(p, err);
}
