/* Every kind of fact and metric against a second way of counting: random events of a few units and days go through records of days, what is
 * kept of units and the cells; the model walks all events of a unit again for each question, in the plainest way. */
#include "program_of.h"
#include "trainer/kernels/segments.h"
#include "trainer/kernels/signal_fact.h"
#include "trainer/kernels/unit_cells.h"
#include "world.h"

#define CLICK "{\"of\": \"signals\", \"type\": \"click\"}"
#define QUERY(that) "{\"of\": \"queries\", \"that\": \"" that "\"}"
#define SESSION(that) "{\"of\": \"sessions\", \"that\": \"" that "\"}"
#define PURCHASE "{\"of\": \"signals\", \"type\": \"purchase\", \"sum\": \"value\"}"
#define METRIC(key, kind, rest) "{\"key\": \"" key "\", \"kind\": \"" kind "\", " rest "}"
#define MEAN(key, fact) METRIC(key, "mean", "\"covariate_days\": 0, \"numerator\": " fact)

static const char *const metrics[] = {
    METRIC("ctr", "proportion", "\"covariate_days\": 2, \"numerator\": " CLICK),
    METRIC("revenue", "mean", "\"covariate_days\": 3, \"cap\": {\"value\": 50}, \"numerator\": " PURCHASE),
    METRIC("ctr_at_3", "ratio",
           "\"covariate_days\": 2, \"numerator\": {\"of\": \"queries\", \"that\": \"clicked\", \"k\": 3}, "
           "\"denominator\": {\"of\": \"queries\"}"),
    METRIC("satisfied", "ratio",
           "\"covariate_days\": 0, \"window\": {\"to_hours\": 30}, \"numerator\": {\"of\": \"queries\", \"that\": "
           "\"satisfied\", \"dwell_seconds\": 1700}, \"denominator\": {\"of\": \"queries\"}"),
    MEAN("ndcg", "{\"of\": \"queries\", \"that\": \"ndcg\", \"k\": 5}"),
    METRIC("sessions", "count", "\"covariate_days\": 0, \"numerator\": {\"of\": \"sessions\"}"),
    METRIC("seconds_p50", "quantile", "\"quantile\": 0.5, \"numerator\": " QUERY("seconds_to_first_click")),
    METRIC("back", "retention",
           "\"window\": {\"from_hours\": 24, \"to_hours\": 48}, \"numerator\": {\"of\": \"signals\"}"),
    METRIC("bought", "funnel",
           "\"window\": {\"to_hours\": 60}, \"steps\": [{\"of\": \"signals\", \"type\": \"request\"}, {\"of\": "
           "\"signals\", "
           "\"type\": \"click\", \"where\": {\"position\": {\"lte\": 5}}}, {\"of\": \"signals\", \"type\": "
           "\"purchase\"}]"),
    MEAN("reformulated", QUERY("reformulated")),
    MEAN("abandoned", QUERY("abandoned")),
    MEAN("query_revenue", QUERY("revenue")),
    MEAN("purchased", QUERY("purchased")),
    MEAN("results", QUERY("results")),
    MEAN("rr_at_3", "{\"of\": \"queries\", \"that\": \"reciprocal_rank\", \"k\": 3}"),
    MEAN("shoes",
         "{\"of\": \"signals\", \"type\": [\"click\", \"cart\"], \"where\": {\"params\": {\"category\": \"shoes\"}, "
         "\"value\": {\"gt\": 1}}, \"sum\": \"params.price\"}"),
    MEAN("session_seconds", SESSION("seconds")),
    MEAN("session_clicks", SESSION("with_click")),
    MEAN("session_left", SESSION("abandoned")),
    METRIC(
        "rows", "mean",
        "\"covariate_days\": 0, \"window\": {\"from_hours\": 10, \"to_hours\": 50}, \"numerator\": {\"of\": \"sql\", "
        "\"select\": \"select unit, at, value from t\"}"),
    METRIC("trimmed", "mean", "\"covariate_days\": 0, \"cap\": {\"percentile\": 0.8}, \"numerator\": " PURCHASE),
    METRIC("price_p80", "quantile", "\"quantile\": 0.8, \"window\": {\"to_hours\": 48}, \"numerator\": " PURCHASE),
};
enum { METRICS = COUNT_OF(metrics), TRIMMED = METRICS - 2, BOUGHT = 8 };

static struct program program;
static uint32_t numbers[METRICS];
static struct total_experiment experiments[EXPERIMENTS];
static const struct total_rules rules = { &program, experiments, EXPERIMENTS };
static double caps[EXPERIMENTS * METRICS];

static uint32_t fact_of_sql(void)
{
    uint32_t i = 0;
    while (program.facts[i].fact.of != FACT_SQL)
        i++;
    return i;
}

/* ---- through the kernels ---- */

static void fill_hits(struct day_event *e, const struct signal *s)
{
    struct event_hit *hits = arena_alloc(program_arena(), program.facts_count * sizeof *hits);
    const struct signal_row row = { s->type, s->e.position, s->e.value, s->params };
    e->hits = hits;
    if (e->kind == EVENT_ROW)
        hits[e->hits_count++] = (struct event_hit){ fact_of_sql(), s->e.value };
    else if (e->kind != EVENT_EXPOSURE)
        e->hits_count = signal_facts_of(&program, &row, hits);
}

struct adding {
    struct unit_totals *totals;
    int32_t day;
};

/* By way of the record's bytes. */
static bool add_record(void *arg, const struct unit_day *u, struct err *err)
{
    struct adding *a = arg;
    AUTO(buf_release) struct buf b;
    struct unit_day back;
    (void)err;
    buf_init(&b, 1 << 20);
    unit_day_write(&b, u, &program);
    struct str bytes = buf_str(&b);
    cr_assert(unit_day_read(&bytes, &program, &back, program_arena()));
    cr_assert(eq(sz, bytes.n, 0));
    unit_totals_add(a->totals, &back, a->day);
    return true;
}

static void add_day(struct unit_totals *t, int32_t day)
{
    static struct day_event events[EVENTS_MAX];
    const struct unit_day_rules day_rules = { &program, day * DAY_US, (day + 1) * DAY_US };
    struct adding a = { t, day };
    size_t n = 0;
    for (size_t i = 0; i < world_count; i++) {
        int64_t at_us = world[i].e.at_us;
        bool today = at_us >= day_rules.from_us && at_us < day_rules.to_us;
        if (at_us < day_rules.from_us - METRIC_SESSION_GAP_US || at_us >= day_rules.to_us + DAY_US)
            continue;
        events[n] = world[i].e;
        if (today)
            fill_hits(&events[n], &world[i]);
        n++;
    }
    cr_assert(unit_days(events, n, &day_rules, add_record, &a, NULL));
}

/* ---- the model: units in experiments ---- */

struct first {
    const struct signal *exposure; /* NULL: none by the end of the day */
    bool several;
};

static struct first first_of(struct str unit, uint32_t experiment, int64_t end_us)
{
    struct first f = { .exposure = NULL };
    for (size_t i = 0; i < world_count; i++) {
        const struct signal *s = &world[i];
        if (s->e.kind == EVENT_EXPOSURE && s->e.experiment == experiment && str_eq(s->e.unit, unit) &&
            s->e.at_us < end_us && (!f.exposure || event_by_unit_and_time(&s->e, &f.exposure->e) < 0))
            f.exposure = s;
    }
    for (size_t i = 0; i < world_count && f.exposure; i++)
        f.several = f.several || (world[i].e.kind == EVENT_EXPOSURE && world[i].e.experiment == experiment &&
                                  str_eq(world[i].e.unit, unit) && world[i].e.at_us < end_us &&
                                  !str_eq(world[i].e.query_id, f.exposure->e.query_id));
    return f;
}

/* What is asked of the model: units of a variant, all of them or of a segment, by the end of a day; of a day since exposure, or all. */
struct asked {
    uint32_t experiment;
    size_t metric;
    struct str variant;
    const char *line; /* of the dimensions; NULL all units */
    int32_t day, since;
};

static double sum_of(const struct metric_fact *f, struct str unit, int64_t from_us, int64_t to_us)
{
    struct happened of[HAPPENED_MAX];
    size_t n = happened_to(f, unit, of);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        if (of[i].at_us >= from_us && of[i].at_us < to_us)
            sum += of[i].value;
    return sum;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static double steps_of(const struct metric_def *def, struct str unit, int64_t from_us, int64_t to_us)
{
    struct happened of[HAPPENED_MAX];
    int64_t at_us = from_us;
    size_t step = 0;
    for (; step < def->facts_count; step++) {
        size_t n = happened_to(&def->facts[step], unit, of);
        int64_t best = INT64_MAX;
        for (size_t i = 0; i < n; i++)
            if (of[i].at_us >= at_us && of[i].at_us < to_us && of[i].at_us < best)
                best = of[i].at_us;
        if (best == INT64_MAX)
            break;
        at_us = best;
    }
    return (double)step;
}

/* x, y, z, w; false: the unit does not count. */
static bool values_of(const struct asked *a, struct str unit, const struct first *f, double out[4])
{
    const struct metric_def *def = &program.metrics[numbers[a->metric]].def;
    int64_t end_us = (a->day + 1) * DAY_US, at_us = f->exposure->e.at_us, day_us = at_us - at_us % DAY_US;
    int64_t from_us = at_us + def->window_from_us;
    int64_t to_us = def->window_to_us == INT64_MAX ? end_us : least(end_us, at_us + def->window_to_us);
    double cap = fmin(isnan(def->cap_value) ? INFINITY : def->cap_value,
                      isnan(caps[a->metric]) ? INFINITY : caps[a->metric]);
    bool ratio = def->form == METRIC_FORM_RATIO;
    int64_t before_us = day_us - def->covariate_days * DAY_US;
    if (a->since >= 0) {
        from_us = a->since ? day_us + a->since * DAY_US : at_us;
        to_us = day_us + (a->since + 1) * DAY_US;
    }
    if (def->form == METRIC_FORM_RETENTION && at_us + def->window_to_us > end_us)
        return false;
    double sum = def->form == METRIC_FORM_FUNNEL ? steps_of(def, unit, from_us, to_us)
                                                 : sum_of(&def->facts[0], unit, from_us, to_us);
    bool share = def->form == METRIC_FORM_PROPORTION || def->form == METRIC_FORM_RETENTION;
    out[0] = share ? sum > 0 : def->form == METRIC_FORM_FUNNEL ? sum == (double)def->facts_count : fmin(sum, cap);
    out[1] = ratio ? sum_of(&def->facts[1], unit, from_us, to_us) : 0;
    out[2] = fmin(sum_of(&def->facts[0], unit, before_us, at_us), cap);
    out[3] = ratio ? sum_of(&def->facts[1], unit, before_us, at_us) : 0;
    return true;
}

static bool has_line(struct str dims, const char *line)
{
    struct str rest = dims, one;
    bool dimension = false;
    while (str_split(&rest, '\n', &one)) {
        if (str_eq_c(one, line))
            return true;
        dimension = dimension || str_eq(segment_dimension(one), segment_dimension(str_of(line)));
    }
    return !dimension && strstr(line, SEGMENT_NONE);
}

struct answer {
    int64_t n;
    double mean[4], m2[4][4];
};

static struct answer model(const struct asked *a)
{
    double values[UNITS][4];
    struct answer out = { .n = 0 };
    for (unsigned u = 0; u < UNITS; u++) {
        struct first f = first_of(unit_name(u), a->experiment, (a->day + 1) * DAY_US);
        if (!f.exposure || f.several || !str_eq(f.exposure->e.query_id, a->variant) ||
            (a->line && !has_line(f.exposure->e.query, a->line)) ||
            (a->since >= 0 && f.exposure->e.at_us / DAY_US + a->since > a->day) ||
            !values_of(a, unit_name(u), &f, values[out.n]))
            continue;
        out.n++;
    }
    for (int i = 0; i < 4; i++) {
        for (int64_t u = 0; u < out.n; u++)
            out.mean[i] += values[u][i] / (double)out.n;
        for (int j = 0; j <= i; j++)
            for (int64_t u = 0; u < out.n; u++)
                out.m2[i][j] += (values[u][i] - out.mean[i]) * (values[u][j] - out.mean[j]);
    }
    return out;
}

/* ---- comparing ---- */

static void close_to(double got, double want, const struct total_cell *c, const char *what)
{
    cr_assert(fabs(got - want) <= 1e-9 * fmax(1, fabs(want)),
              "%s of %.*s, experiment %u, %.*s, \"%.*s\", day %d: %.17g, the model says %.17g", what,
              STR_ARG(program.metrics[c->metric].def.key), c->experiment, STR_ARG(c->variant), STR_ARG(c->segment),
              c->day, got, want);
}

/* All values of the units that count, in a sketch of its own. */
static void compare_sketch(const struct total_cell *c, const struct asked *a)
{
    static struct sketch want;
    struct happened of[HAPPENED_MAX];
    double values[HAPPENED_MAX];
    const struct metric_def *def = &program.metrics[c->metric].def;
    sketch_init(&want);
    for (unsigned u = 0; u < UNITS; u++) {
        struct first f = first_of(unit_name(u), a->experiment, (a->day + 1) * DAY_US);
        size_t n = 0;
        if (!f.exposure || f.several || !str_eq(f.exposure->e.query_id, a->variant) ||
            (a->line && !has_line(f.exposure->e.query, a->line)))
            continue;
        int64_t at_us = f.exposure->e.at_us, end_us = (a->day + 1) * DAY_US;
        int64_t to_us = def->window_to_us == INT64_MAX ? end_us : least(end_us, at_us + def->window_to_us);
        for (size_t i = 0, all = happened_to(&def->facts[0], unit_name(u), of); i < all; i++)
            if (of[i].at_us >= at_us && of[i].at_us < to_us)
                values[n++] = of[i].value;
        cr_assert(sketch_add_unit(&want, values, n, NULL));
    }
    cr_assert(eq(i64, c->m.n, want.units));
    if (want.units == 0)
        return;
    cr_assert(eq(i64, c->sketch->events, want.events), "%.*s", STR_ARG(def->key));
    cr_assert(eq(sz, c->sketch->used, want.used));
    cr_assert(eq(int, memcmp(c->sketch->buckets, want.buckets, want.used * sizeof *want.buckets), 0));
}

struct comparing {
    size_t cells, filled;
    const char *line;
    int32_t since;
};

static bool compare(void *arg, const struct total_cell *c, struct err *err)
{
    struct comparing *k = arg;
    struct asked a = { c->experiment, 0, c->variant, k->line, c->day, k->since };
    (void)err;
    if (k->line && !str_eq_c(c->segment, k->line))
        return true;
    while (numbers[a.metric] != c->metric)
        a.metric++;
    k->cells++;
    if (c->sketch || program.metrics[c->metric].def.form == METRIC_FORM_QUANTILE) {
        compare_sketch(c, &a);
        return true;
    }
    struct answer want = model(&a);
    cr_assert(eq(i64, c->m.n, want.n), "%.*s", STR_ARG(program.metrics[c->metric].def.key));
    close_to(c->m.mean_x, want.mean[0], c, "mean_x");
    close_to(c->m.m2_x, want.m2[0][0], c, "m2_x");
    close_to(c->m.mean_y, want.mean[1], c, "mean_y");
    close_to(c->m.cxy, want.m2[1][0], c, "cxy");
    k->filled += want.n > 1 && want.m2[0][0] > 0;
    cr_assert(eq(int, c->pre != NULL,
                 k->since < 0 && program.metrics[c->metric].def.covariate_days > 0 &&
                     program.metrics[c->metric].def.form != METRIC_FORM_FUNNEL &&
                     program.metrics[c->metric].def.form != METRIC_FORM_RETENTION));
    if (!c->pre)
        return true;
    bool ratio = c->pre->vars == 4;
    const int vars[] = { 0, ratio ? 1 : 2, 2, 3 };
    cr_assert(eq(i64, c->pre->n, want.n));
    for (size_t i = 0; i < c->pre->vars; i++) {
        close_to(c->pre->mean[i] + c->pre->rest[i], want.mean[vars[i]], c, "mean with covariates");
        for (size_t j = 0; j <= i; j++)
            close_to(c->pre->m2[i][j], want.m2[vars[i]][vars[j]], c, "second moment with covariates");
    }
    return true;
}

static struct cell_pass pass_of(const struct unit_totals *t, int32_t day, struct comparing *k)
{
    static double of_cells[EXPERIMENTS * METRICS];
    for (int e = 0; e < EXPERIMENTS; e++)
        for (size_t i = 0; i < METRICS; i++)
            of_cells[e * METRICS + numbers[i]] = caps[i];
    return (struct cell_pass){ t, day, (day + 1) * DAY_US, of_cells, compare, k };
}

/* The places of the definitions in the program are their own. */
static void begin(uint64_t seed)
{
    static uint32_t all[METRICS];
    state = seed;
    remembered_count = 0;
    program = PROGRAM_OF(metrics);
    for (uint32_t i = 0; i < METRICS; i++) {
        all[i] = numbers[i] = i;
        caps[i] = i == TRIMMED ? 21.5 : (double)NAN;
    }
    for (int e = 0; e < EXPERIMENTS; e++)
        experiments[e] = (struct total_experiment){ INT32_MAX, all, METRICS };
    make_world();
}

static struct unit_totals *totals_new(void)
{
    struct unit_totals *t = unit_totals_new(&rules);
    for (size_t i = 0; i < world_count; i++)
        if (world[i].e.kind == EVENT_EXPOSURE)
            unit_totals_expect(t, world[i].e.unit);
    return t;
}

static struct unit_totals *all_days(void)
{
    struct unit_totals *t = totals_new();
    for (int32_t day = FIRST_DAY; day < FIRST_DAY + DAYS; day++)
        add_day(t, day);
    return t;
}

Test(unit_cells, every_metric_is_what_the_plain_model_says_at_the_end_of_every_day)
{
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        struct comparing k = { .since = -1 };
        begin(round);
        struct unit_totals *t = totals_new();
        for (int32_t day = FIRST_DAY; day < FIRST_DAY + DAYS; day++) {
            const struct cell_pass p = pass_of(t, day, &k);
            add_day(t, day);
            cr_assert(unit_cells_day(&p, NULL));
        }
        cr_assert(gt(sz, k.cells, DAYS * METRICS * EXPERIMENTS));
        cr_assert(gt(sz, k.filled, DAYS * METRICS), "the world is too poor to show anything");
        unit_totals_free(t);
    }
}

Test(unit_cells, segments_are_those_of_the_first_exposure)
{
    static const char *const lines[] = { "device=phone", "device=desk", "device=(none)", "country=de",
                                         "country=(none)" };
    begin(77);
    struct unit_totals *t = all_days();
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct comparing k = { .line = lines[i], .since = -1 };
        const struct cell_pass p = pass_of(t, FIRST_DAY + DAYS - 1, &k);
        cr_assert(unit_cells_segments(&p, NULL));
        cr_assert(gt(sz, k.cells, METRICS));
    }
    unit_totals_free(t);
}

struct since {
    struct comparing k;
    size_t days;
};

static bool compare_since(void *arg, const struct total_cell *c, struct err *err)
{
    struct since *s = arg;
    uint32_t n;
    cr_assert(parse_u32((struct str){ c->segment.p + 6, c->segment.n - 6 }, &n, NULL));
    s->k.since = (int32_t)n;
    s->days = n + 1 > s->days ? n + 1 : s->days;
    return compare(&s->k, c, err);
}

Test(unit_cells, days_since_exposure_are_those_days_alone)
{
    struct since s = { .k = { .line = NULL } };
    begin(78);
    struct unit_totals *t = all_days();
    struct cell_pass p = pass_of(t, FIRST_DAY + DAYS - 1, &s.k);
    p.fn = compare_since;
    p.arg = &s;
    cr_assert(unit_cells_since(&p, NULL));
    cr_assert(eq(sz, s.days, DAYS));
    cr_assert(gt(sz, s.k.filled, METRICS));
    unit_totals_free(t);
}

static bool compare_step(void *arg, const struct total_cell *c, struct err *err)
{
    uint32_t step;
    int64_t n = 0, reached = 0;
    (void)err;
    cr_assert(eq(u32, c->metric, numbers[BOUGHT]));
    cr_assert(parse_u32((struct str){ c->segment.p + 5, c->segment.n - 5 }, &step, NULL));
    for (unsigned u = 0; u < UNITS; u++) {
        struct first f = first_of(unit_name(u), c->experiment, (c->day + 1) * DAY_US);
        if (!f.exposure || f.several || !str_eq(f.exposure->e.query_id, c->variant))
            continue;
        int64_t at_us = f.exposure->e.at_us, to_us = least(at_us + 60 * HOUR_US, (c->day + 1) * DAY_US);
        n++;
        reached += steps_of(&program.metrics[c->metric].def, unit_name(u), at_us, to_us) >= step;
    }
    cr_assert(eq(i64, c->m.n, n));
    close_to(c->m.mean_x, (double)reached / (double)n, c, "the share that reached the step");
    ++*(size_t *)arg;
    return true;
}

Test(unit_cells, steps_of_a_funnel_are_shares_that_reached_them)
{
    size_t cells = 0;
    begin(79);
    struct unit_totals *t = all_days();
    struct cell_pass p = pass_of(t, FIRST_DAY + DAYS - 1, NULL);
    p.fn = compare_step;
    p.arg = &cells;
    cr_assert(unit_cells_steps(&p, NULL));
    cr_assert(eq(sz, cells, 3 * 2 * EXPERIMENTS));
    unit_totals_free(t);
}

static bool compare_caps(void *arg, const struct total_cell *c, struct err *err)
{
    static struct sketch want;
    (void)err;
    sketch_init(&want);
    for (unsigned u = 0; u < UNITS; u++) {
        struct first f = first_of(unit_name(u), c->experiment, (c->day + 1) * DAY_US);
        if (!f.exposure || f.several)
            continue;
        double sum = sum_of(&program.metrics[c->metric].def.facts[0], unit_name(u), f.exposure->e.at_us,
                            (c->day + 1) * DAY_US);
        cr_assert(sketch_add_unit(&want, &sum, 1, NULL));
    }
    cr_assert(eq(u32, c->metric, numbers[TRIMMED]));
    cr_assert(eq(i64, c->sketch->units, want.units));
    cr_assert(eq(int, memcmp(c->sketch->buckets, want.buckets, want.used * sizeof *want.buckets), 0));
    ++*(size_t *)arg;
    return true;
}

Test(unit_cells, caps_are_found_from_the_units_of_all_variants)
{
    size_t cells = 0;
    begin(80);
    struct unit_totals *t = all_days();
    struct cell_pass p = pass_of(t, FIRST_DAY + DAYS - 1, NULL);
    p.fn = compare_caps;
    p.arg = &cells;
    cr_assert(unit_cells_caps(&p, NULL));
    cr_assert(eq(sz, cells, EXPERIMENTS));
    unit_totals_free(t);
}

static bool compare_exposures(void *arg, const struct total_exposures *e, struct err *err)
{
    int64_t units = 0, several = 0;
    (void)err;
    for (unsigned u = 0; u < UNITS; u++) {
        struct first f = first_of(unit_name(u), e->experiment, INT64_MAX);
        if (!f.exposure || f.exposure->e.at_us / DAY_US != e->day || !str_eq(f.exposure->e.query_id, e->variant))
            continue;
        if (e->segment.n) {
            char *line = arena_cstr(program_arena(), e->segment);
            if (!has_line(f.exposure->e.query, line))
                continue;
        }
        units++;
        several += f.several;
    }
    cr_assert(eq(i64, e->units, units), "%.*s on day %d", STR_ARG(e->segment), e->day);
    cr_assert(eq(i64, e->several, several));
    *(int64_t *)arg += e->segment.n ? 0 : e->units;
    return true;
}

Test(unit_cells, exposures_are_counted_by_day_variant_and_segment)
{
    int64_t units = 0, want = 0;
    begin(81);
    struct unit_totals *t = all_days();
    cr_assert(unit_cells_exposures(t, compare_exposures, &units, NULL));
    for (unsigned u = 0; u < UNITS; u++)
        for (uint32_t e = 0; e < EXPERIMENTS; e++)
            want += first_of(unit_name(u), e, INT64_MAX).exposure != NULL;
    cr_assert(eq(i64, units, want));
    unit_totals_free(t);
}
