/* How an experiment's results are looked at, and what is decided from them: method, level, looks, many tests at once, adjustment, target. */
#include <assert.h>
#include <math.h>

#include "experimentd/config/experiment_parts.h"

enum {
    SHOWN_MAX = 60,
    PLANNED_UNITS_DEFAULT = 10000,
    PLANNED_UNITS_MIN = 200,
    LOOKS_DEFAULT = 5,
    DAYS_MAX = 3660,
    LOOK_CELLS_MAX = 500,
    MINIMUM_DAYS_DEFAULT = 7 /* each day of a week counts once */
};
#define PLANNED_UNITS_MAX INT64_C(1000000000000)
#define LEVEL_DEFAULT 0.95
#define MDE_DEFAULT 0.05
#define SPENDING_PARAMETER_MAX 50.0

const char *const analysis_method_names[] = {
    [ANALYSIS_ANY_TIME] = "any_time",
    [ANALYSIS_GROUP_SEQUENTIAL] = "group_sequential",
    [ANALYSIS_FIXED] = "fixed",
};
static_assert(COUNT_OF(analysis_method_names) == ANALYSIS_METHOD_COUNT, "a name for every method");
const char *const analysis_spending_names[] = {
    [ANALYSIS_OBRIEN_FLEMING] = "obrien_fleming",
    [ANALYSIS_POCOCK] = "pocock",
    [ANALYSIS_POWER] = "power",
    [ANALYSIS_HSD] = "hsd",
    [ANALYSIS_HAYBITTLE_PETO] = "haybittle_peto",
};
static_assert(COUNT_OF(analysis_spending_names) == ANALYSIS_SPENDING_COUNT, "a name for every way to spend");
const char *const multiplicity_names[] = {
    [MULTIPLICITY_HIERARCHICAL] = "hierarchical",
    [MULTIPLICITY_HOLM] = "holm",
    [MULTIPLICITY_BH] = "bh",
    [MULTIPLICITY_NONE] = "none",
};
static_assert(COUNT_OF(multiplicity_names) == MULTIPLICITY_COUNT, "a name for every way");
const char *const adjustment_names[] = {
    [ADJUSTMENT_NONE] = "none",
    [ADJUSTMENT_CUPED] = "cuped",
    [ADJUSTMENT_STRATA] = "strata",
    [ADJUSTMENT_BOTH] = "both",
};
static_assert(COUNT_OF(adjustment_names) == ADJUSTMENT_COUNT, "a name for every adjustment");

/* Which of the names, or `usual` when nothing was said; refuses others. */
static int name_index(struct json_reader *r, const char *field, struct str name, const char *const *names, int count,
                      int usual)
{
    char known[200] = "";
    if (!name.p)
        return usual;
    for (int i = 0; i < count; i++) {
        if (str_eq_c(name, names[i]))
            return i;
        size_t n = strlen(known);
        (void)snprintf(known + n, sizeof known - n, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", names[i]);
    }
    (void)json_fail(r, field, "is \"%.*s\", not %s", STR_ARG(str_cut(name, SHOWN_MAX)), known);
    return usual;
}

/* An attribute's name, without what would need quoting in a statement's list. */
static bool is_dimension(struct str name)
{
    bool ok = name.n <= EXPERIMENT_KEY_MAX;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        ok = ok && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("_.-", c));
    }
    return ok;
}

void analysis_fields(struct json_reader *r, struct rollout_json *j, struct snapshot_experiment *e, struct arena *arena)
{
    e->mde = MDE_DEFAULT;
    e->minimum_days = MINIMUM_DAYS_DEFAULT;
    (void)json_get_object(r, "analysis", JSON_OPTIONAL, &j->analysis);
    (void)json_get_double(r, "mde", JSON_OPTIONAL, &e->mde);
    (void)json_get_double(r, "target_effect", JSON_OPTIONAL, &e->target_effect);
    (void)json_get_i64(r, "minimum_days", JSON_OPTIONAL, &e->minimum_days);
    (void)json_get_str(r, "stratify_by", JSON_OPTIONAL, &e->stratify_by, arena);
    (void)json_get_str(r, "multiplicity", JSON_OPTIONAL, &j->multiplicity, arena);
    (void)json_get_str(r, "adjustment", JSON_OPTIONAL, &j->adjustment, arena);
    e->multiplicity = (enum multiplicity)name_index(r, "multiplicity", j->multiplicity, multiplicity_names,
                                                    MULTIPLICITY_COUNT, MULTIPLICITY_HIERARCHICAL);
    e->adjustment = (enum adjustment)name_index(r, "adjustment", j->adjustment, adjustment_names, ADJUSTMENT_COUNT,
                                                ADJUSTMENT_CUPED);
    if (!(e->mde > 0 && e->mde <= 10))
        (void)json_fail(r, "mde", "is %g: a relative effect, above 0 and at most 10", e->mde);
    if (!(e->target_effect >= 0 && e->target_effect <= 10))
        (void)json_fail(r, "target_effect", "is %g: a relative effect, from 0 to 10", e->target_effect);
    if (e->minimum_days < 0 || e->minimum_days > DAYS_MAX)
        (void)json_fail(r, "minimum_days", "is %lld, outside 0 to %d", (long long)e->minimum_days, DAYS_MAX);
    if (!is_dimension(e->stratify_by))
        (void)json_fail(r, "stratify_by", "is \"%.*s\": must be up to %d of A-Z, a-z, 0-9, \"_\", \".\" and \"-\"",
                        STR_ARG(str_cut(e->stratify_by, SHOWN_MAX)), EXPERIMENT_KEY_MAX);
}

/* ---- reading: what the object "analysis" holds ---- */

/* A log is there as a whole, and looked at once. A bandit's weights follow its data: its page says what its interval is worth. */
static enum analysis_method usual_method(const struct snapshot_experiment *e)
{
    bool at_once = str_eq(e->origin, STR("imported")) || e->kind == EXPERIMENT_BANDIT ||
                   e->kind == EXPERIMENT_INTERLEAVE;
    return at_once ? ANALYSIS_FIXED : ANALYSIS_ANY_TIME;
}

static bool even_looks(struct json_reader *r, int64_t count, struct experiment_analysis *a)
{
    if (count < 1 || count > ANALYSIS_LOOKS_MAX)
        return json_fail(r, "looks", "is %lld, outside 1 to %d", (long long)count, ANALYSIS_LOOKS_MAX);
    a->looks_count = (size_t)count;
    for (size_t i = 0; i < a->looks_count; i++)
        a->looks[i] = (double)(i + 1) / (double)count;
    return true;
}

static bool listed_looks(struct json_reader *r, const json_t *list, struct experiment_analysis *a)
{
    size_t n = json_array_size(list);
    double before = 0;
    if (n < 1 || n > ANALYSIS_LOOKS_MAX)
        return json_fail(r, "looks", "has %zu elements, must have 1 to %d", n, ANALYSIS_LOOKS_MAX);
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(list, i);
        a->looks[i] = json_is_number(v) ? json_number_value(v) : NAN;
        if (!(a->looks[i] > before && a->looks[i] <= 1))
            return json_fail(r, "looks", "[%zu] is not a share of the planned units above %g and up to 1", i, before);
        before = a->looks[i];
    }
    a->looks_count = n;
    return before == 1 || json_fail(r, "looks", "ends at %g: the last look has all planned units, 1", before);
}

static void read_looks(struct json_reader *r, struct experiment_analysis *a)
{
    json_t *looks = NULL;
    if (!json_get_any(r, "looks", JSON_OPTIONAL, &looks) || json_is_null(looks))
        (void)even_looks(r, LOOKS_DEFAULT, a);
    else if (json_is_integer(looks))
        (void)even_looks(r, json_integer_value(looks), a);
    else if (json_is_array(looks))
        (void)listed_looks(r, looks, a);
    else
        (void)json_fail(r, "looks", "is neither a number of looks nor a list of shares");
}

static void check_plan(struct json_reader *r, const struct snapshot_experiment *e)
{
    const struct experiment_analysis *a = &e->analysis;
    bool may_be_unsaid = a->method == ANALYSIS_FIXED && a->planned_units == 0;
    if (e->kind == EXPERIMENT_BANDIT && a->method != ANALYSIS_FIXED)
        (void)json_fail(r, "method", "is \"%s\", which is not for a bandit: its weights follow its data",
                        analysis_method_names[a->method]);
    if (!may_be_unsaid && (a->planned_units < PLANNED_UNITS_MIN || a->planned_units > PLANNED_UNITS_MAX))
        (void)json_fail(r, "planned_units", "is %lld, outside %d to 1e12", (long long)a->planned_units,
                        PLANNED_UNITS_MIN);
    if (a->planned_days < 0 || a->planned_days > DAYS_MAX)
        (void)json_fail(r, "planned_days", "is %lld, outside 0 to %d", (long long)a->planned_days, DAYS_MAX);
    if (!(a->level >= 0.5 && a->level <= 0.9999))
        (void)json_fail(r, "level", "is %g, outside 0.5 to 0.9999", a->level);
    if (a->spending == ANALYSIS_POWER &&
        !(a->spending_parameter > 0 && a->spending_parameter <= SPENDING_PARAMETER_MAX))
        (void)json_fail(r, "spending_parameter", "is %g, outside 0 to %g", a->spending_parameter,
                        SPENDING_PARAMETER_MAX);
    if (a->spending == ANALYSIS_HSD && !(fabs(a->spending_parameter) <= SPENDING_PARAMETER_MAX))
        (void)json_fail(r, "spending_parameter", "is %g, outside -%g to %g", a->spending_parameter,
                        SPENDING_PARAMETER_MAX, SPENDING_PARAMETER_MAX);
}

static bool read_plan(json_t *in, struct snapshot_experiment *e, struct err *err)
{
    struct json_reader r;
    struct experiment_analysis *a = &e->analysis;
    struct str method = { NULL, 0 }, spending = { NULL, 0 };
    json_reader_open(&r, in, "analysis");
    (void)json_get_str(&r, "method", JSON_OPTIONAL, &method, NULL);
    (void)json_get_str(&r, "spending", JSON_OPTIONAL, &spending, NULL);
    a->method = (enum analysis_method)name_index(&r, "method", method, analysis_method_names, ANALYSIS_METHOD_COUNT,
                                                 (int)usual_method(e));
    a->spending = (enum analysis_spending)name_index(&r, "spending", spending, analysis_spending_names,
                                                     ANALYSIS_SPENDING_COUNT, ANALYSIS_OBRIEN_FLEMING);
    a->planned_units = a->method == ANALYSIS_FIXED ? 0 : PLANNED_UNITS_DEFAULT;
    a->level = LEVEL_DEFAULT;
    a->spending_parameter = a->spending == ANALYSIS_HSD ? -4 : 3; /* both near O'Brien and Fleming's */
    (void)json_get_i64(&r, "planned_units", JSON_OPTIONAL, &a->planned_units);
    (void)json_get_i64(&r, "planned_days", JSON_OPTIONAL, &a->planned_days);
    (void)json_get_double(&r, "level", JSON_OPTIONAL, &a->level);
    (void)json_get_double(&r, "spending_parameter", JSON_OPTIONAL, &a->spending_parameter);
    read_looks(&r, a);
    check_plan(&r, e);
    return json_reader_close(&r, err);
}

bool analysis_read(const struct rollout_json *j, struct snapshot_experiment *e, struct err *err)
{
    json_auto_t *none = j->analysis ? NULL : json_object();
    bool by_strata = e->adjustment == ADJUSTMENT_STRATA || e->adjustment == ADJUSTMENT_BOTH;
    if (by_strata && !e->stratify_by.n)
        return err_set(err, ERR_INVALID,
                       "experiment: field \"adjustment\" is \"%s\", which needs \"stratify_by\": a dimension of "
                       "exposures, such as \"country\"",
                       adjustment_names[e->adjustment]);
    return read_plan(j->analysis ? j->analysis : none, e, err);
}

/* Looks are kept with the experiment (state.c), which is read as a whole. */
bool analysis_check(const struct snapshot_experiment *e, struct err *err)
{
    size_t kept = e->analysis.looks_count * e->metrics_count * (e->variants_count - 1);
    if (e->analysis.method != ANALYSIS_GROUP_SEQUENTIAL || kept <= LOOK_CELLS_MAX)
        return true;
    return err_set(err, ERR_INVALID,
                   "experiment: field \"analysis\": %zu looks at %zu metrics of %zu variants are %zu comparisons to "
                   "keep, more than "
                   "%d: plan fewer looks",
                   e->analysis.looks_count, e->metrics_count, e->variants_count, kept, LOOK_CELLS_MAX);
}

/* ---- writing ---- */

static void write_looks(struct jsonw *w, const struct experiment_analysis *a)
{
    jsonw_open(w, "looks", '[');
    for (size_t i = 0; i < a->looks_count; i++)
        jsonw_double(w, NULL, a->looks[i]);
    jsonw_close(w);
    jsonw_text(w, "spending", analysis_spending_names[a->spending]);
    if (a->spending == ANALYSIS_POWER || a->spending == ANALYSIS_HSD)
        jsonw_double(w, "spending_parameter", a->spending_parameter);
}

/* What another method would use is not told. */
void analysis_write_plan(struct jsonw *w, const struct experiment_analysis *a)
{
    jsonw_text(w, "method", analysis_method_names[a->method]);
    jsonw_double(w, "level", a->level);
    if (a->planned_units)
        jsonw_i64(w, "planned_units", a->planned_units);
    if (a->method != ANALYSIS_ANY_TIME && a->planned_days)
        jsonw_i64(w, "planned_days", a->planned_days);
}

void analysis_write(struct jsonw *w, const struct snapshot_experiment *e)
{
    const struct experiment_analysis *a = &e->analysis;
    jsonw_open(w, "analysis", '{');
    analysis_write_plan(w, a);
    if (a->method == ANALYSIS_GROUP_SEQUENTIAL)
        write_looks(w, a);
    jsonw_close(w);
    jsonw_double(w, "mde", e->mde);
    jsonw_double(w, "target_effect", e->target_effect);
    jsonw_i64(w, "minimum_days", e->minimum_days);
    jsonw_text(w, "multiplicity", multiplicity_names[e->multiplicity]);
    jsonw_text(w, "adjustment", adjustment_names[e->adjustment]);
    if (e->stratify_by.n)
        jsonw_str(w, "stratify_by", e->stratify_by);
}
