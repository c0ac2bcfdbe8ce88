#include "experimentd/results/model.h"

#include <assert.h>
#include <stdlib.h>

#include "base/pg.h"
#include "stats/ranks/sketch_bytes.h"

static const struct result_arm nothing;

const char *const result_part_prefixes[] = {
    [RESULT_SEGMENT] = "",
    [RESULT_SINCE] = "since:",
    [RESULT_COHORT] = ":first_day",
    [RESULT_STEP] = "step:",
};
static_assert(sizeof result_part_prefixes / sizeof *result_part_prefixes == RESULT_PART_COUNT,
              "a prefix for every kind of part");

/* ---- the experiment's own metrics and variants ---- */

/* Retention and funnels are shares of units, counts are means. */
static enum metric_kind kind_of(struct str kind)
{
    static const struct {
        const char *name;
        enum metric_kind kind;
    } kinds[] = {
        { "proportion", METRIC_PROPORTION }, { "retention", METRIC_PROPORTION }, { "funnel", METRIC_PROPORTION },
        { "ratio", METRIC_RATIO },           { "quantile", METRIC_QUANTILE },
    };
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_eq_c(kind, kinds[i].name))
            return kinds[i].kind;
    return METRIC_MEAN;
}

static size_t variant_index(const struct snapshot_experiment *e, struct str key)
{
    for (size_t i = 0; i < e->variants_count; i++)
        if (str_eq(e->variants[i].key, key))
            return i;
    return SIZE_MAX;
}

static struct result_metric *metric_of(struct result *out, struct str key)
{
    for (size_t i = 0; i < out->metrics_count; i++)
        if (str_eq(out->metrics[i].metric->key, key))
            return &out->metrics[i];
    return NULL;
}

static void init_metrics(struct result *out, const struct snapshot *snapshot, struct arena *arena)
{
    const struct snapshot_experiment *e = out->experiment;
    out->metrics = arena_zalloc(arena, e->metrics_count * sizeof *out->metrics);
    for (size_t i = 0; i < e->metrics_count; i++) {
        const struct snapshot_metric *metric = snapshot_metric(snapshot, e->metrics[i].metric);
        if (!metric)
            continue;
        struct result_metric *m = &out->metrics[out->metrics_count++];
        m->metric = metric;
        m->role = e->metrics[i].role;
        m->level = e->analysis.level;
        m->kind = kind_of(metric->kind);
    }
}

/* ---- rows: ordered by metric, segment and day, so that the arms of a day or part follow each other ---- */

/* `list` with room for one more behind its n elements: doubled whenever n is a power of two. */
static void *with_room(void *list, size_t n, size_t size, struct arena *arena)
{
    if (n & (n - 1))
        return list;
    void *more = arena_zalloc(arena, (n ? 2 * n : 1) * size);
    if (n)
        memcpy(more, list, n * size);
    return more;
}

static struct result_arm *new_arms(const struct result *out, struct arena *arena)
{
    return arena_zalloc(arena, out->experiment->variants_count * sizeof(struct result_arm));
}

static struct result_arm *arms_of_day(struct result *out, struct result_metric *m, int32_t day, struct arena *arena)
{
    if (m->days_count && m->days[m->days_count - 1].day == day)
        return m->days[m->days_count - 1].arms;
    m->days = with_room(m->days, m->days_count, sizeof *m->days, arena);
    m->days[m->days_count] = (struct result_day){ .day = day, .arms = new_arms(out, arena) };
    return m->days[m->days_count++].arms;
}

static struct result_arm *arms_of_part(struct result *out, struct result_parts *parts, const struct result_part *wanted,
                                       struct arena *arena)
{
    struct result_part *last = parts->n ? &parts->p[parts->n - 1] : NULL;
    if (last && last->number == wanted->number && str_eq(last->dimension, wanted->dimension) &&
        str_eq(last->value, wanted->value))
        return last->arms;
    parts->p = with_room(parts->p, parts->n, sizeof *parts->p, arena);
    parts->p[parts->n] = (struct result_part){ .dimension = arena_str(arena, wanted->dimension),
                                               .value = arena_str(arena, wanted->value),
                                               .number = wanted->number,
                                               .arms = new_arms(out, arena) };
    return parts->p[parts->n++].arms;
}

static bool numbered(struct str segment, enum result_part_kind kind, int32_t *out)
{
    struct str prefix = str_of(result_part_prefixes[kind]), rest;
    uint32_t number;
    if (!str_starts(segment, prefix))
        return false;
    rest = (struct str){ segment.p + prefix.n, segment.n - prefix.n };
    if (!parse_u32(rest, &number, NULL) || number > INT32_MAX)
        return false;
    *out = (int32_t)number;
    return true;
}

/* False: a kind that this server does not know (a newer trainer wrote it). */
static bool part_of(struct str segment, int32_t day, enum result_part_kind *kind, struct result_part *out)
{
    *out = (struct result_part){ .number = day };
    if (str_eq_c(segment, result_part_prefixes[RESULT_COHORT])) {
        *kind = RESULT_COHORT;
        return true;
    }
    for (*kind = RESULT_SINCE; *kind <= RESULT_STEP; (*kind)++)
        if (*kind != RESULT_COHORT && numbered(segment, *kind, &out->number))
            return true;
    *kind = RESULT_SEGMENT;
    out->number = 0;
    out->value = segment;
    return str_split(&out->value, '=', &out->dimension) && out->value.p;
}

static struct result_arm *arms_of(struct result *out, struct result_metric *m, struct str segment, int32_t day,
                                  struct arena *arena)
{
    enum result_part_kind kind;
    struct result_part part;
    if (segment.n == 0)
        return arms_of_day(out, m, day, arena);
    return part_of(segment, day, &kind, &part) ? arms_of_part(out, &m->parts[kind], &part, arena) : NULL;
}

static double or_zero(const PGresult *r, int row, int column)
{
    return PQgetisnull(r, row, column) ? 0 : pg_get_double(r, row, column);
}

/* The numbers of an array's text, "{1,2.5}"; how many there are, at most `room` of them read. */
static size_t read_numbers(struct str text, double *out, size_t room)
{
    struct str rest = { text.p + 1, text.n - 2 }, number;
    size_t n = 0;
    while (str_split(&rest, ',', &number)) {
        if (n < room && !parse_double(number, &out[n], NULL))
            return 0;
        n++;
    }
    return n;
}

/* Packed as the migration that made the column says: mean and rest of each variable, then the upper triangle. NULL: of another size. */
static const struct cross *read_pre(struct str text, int64_t units, struct arena *arena)
{
    enum { NUMBERS_MAX = 2 * CROSS_MAX + CROSS_MAX * (CROSS_MAX + 1) / 2 };
    double numbers[NUMBERS_MAX], *at = numbers;
    if (text.n < 2)
        return NULL;
    size_t n = read_numbers(text, numbers, NUMBERS_MAX), vars = 1;
    while (vars < CROSS_MAX && 2 * vars + vars * (vars + 1) / 2 < n)
        vars++;
    if (2 * vars + vars * (vars + 1) / 2 != n)
        return NULL;
    struct cross *c = arena_alloc(arena, sizeof *c);
    *c = cross_none(vars);
    c->n = units;
    for (size_t i = 0; i < vars; i++) {
        c->mean[i] = *at++;
        c->rest[i] = *at++;
    }
    for (size_t i = 0; i < vars; i++)
        for (size_t j = i; j < vars; j++)
            c->m2[i][j] = c->m2[j][i] = *at++;
    return c;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

/* bytea as text: "\x" and two digits a byte. NULL: none, or none that this server can read. */
static const struct sketch *read_sketch(struct str text, struct arena *arena)
{
    if (text.n < 2)
        return NULL;
    size_t n = text.n / 2 - 1;
    unsigned char *bytes = arena_alloc(arena, n + 1);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(hex_digit(text.p[2 * i + 2]) << 4 | hex_digit(text.p[2 * i + 3]));
    struct sketch *s = arena_alloc(arena, sizeof *s);
    return sketch_bytes_read(bytes, n, s, NULL) ? s : NULL;
}

static void read_arm(struct result *out, const PGresult *r, int row, struct arena *arena)
{
    struct result_metric *m = metric_of(out, pg_get(r, row, RC_METRIC));
    size_t variant = variant_index(out->experiment, pg_get(r, row, RC_VARIANT));
    if (!m || variant == SIZE_MAX)
        return;
    int32_t day = (int32_t)pg_get_i64(r, row, RC_DAY);
    struct result_arm *arms = arms_of(out, m, pg_get(r, row, RC_SEGMENT), day, arena);
    if (!arms)
        return;
    arms[variant].m = (struct moments2){
        .n = pg_get_i64(r, row, RC_N),
        .mean_x = pg_get_double(r, row, RC_MEAN_X),
        .m2_x = pg_get_double(r, row, RC_M2_X),
        .mean_y = or_zero(r, row, RC_MEAN_Y),
        .m2_y = or_zero(r, row, RC_M2_Y),
        .cxy = or_zero(r, row, RC_CXY),
    };
    arms[variant].pre = read_pre(pg_get(r, row, RC_PRE), arms[variant].m.n, arena);
    arms[variant].sketch = read_sketch(pg_get(r, row, RC_SKETCH), arena);
}

static void read_head(struct result *out, const PGresult *r, int row, struct arena *arena)
{
    out->has_data = true;
    out->as_of_us = pg_get_i64(r, row, RC_AS_OF);
    out->published_us = pg_get_i64(r, row, RC_PUBLISHED_AT);
    out->units = pg_get_i64(r, row, RC_UNITS);
    out->multiple_exposures = pg_get_i64(r, row, RC_MULTIPLE);
    out->marked_units = pg_get_i64(r, row, RC_MARKED);
    out->dimensions = arena_str(arena, pg_get(r, row, RC_DIMENSIONS));
    out->days_seen = pg_get_i64(r, row, RC_DAYS_SEEN);
    out->run = (struct result_run){
        .id = arena_str(arena, pg_get(r, row, RC_RUN)),
        .engine = arena_str(arena, pg_get(r, row, RC_ENGINE)),
        .workers = pg_get_i64(r, row, RC_WORKERS),
        .rows_in = pg_get_i64(r, row, RC_ROWS_IN),
        .retries = pg_get_i64(r, row, RC_RETRIES),
        .splits = pg_get_i64(r, row, RC_SPLITS),
        .seconds = pg_get_double(r, row, RC_SECONDS),
    };
}

/* Numbers in text order ("since:10" before "since:2") come into their own. */
static int by_number(const void *a, const void *b)
{
    const struct result_part *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static void sort_parts(struct result *out)
{
    for (size_t i = 0; i < out->metrics_count; i++)
        for (enum result_part_kind kind = RESULT_SINCE; kind < RESULT_PART_COUNT; kind++) {
            struct result_parts *parts = &out->metrics[i].parts[kind];
            if (parts->n > 1)
                qsort(parts->p, parts->n, sizeof *parts->p, by_number);
        }
}

void result_read(struct result *out, const struct snapshot *snapshot, const struct snapshot_experiment *experiment,
                 const PGresult *r, struct arena *arena)
{
    *out = (struct result){ .experiment = experiment };
    init_metrics(out, snapshot, arena);
    for (int row = 0; row < PQntuples(r); row++) {
        if (!str_eq(pg_get(r, row, RC_EXPERIMENT), experiment->key))
            continue;
        if (!out->has_data)
            read_head(out, r, row, arena);
        if (!PQgetisnull(r, row, RC_METRIC))
            read_arm(out, r, row, arena);
    }
    sort_parts(out);
}

static void add_part(struct buf *b, struct str prefix, const char *rest)
{
    buf_addf(b, "%s" STR_FMT "%s", b->n > 1 ? "," : "", STR_ARG(prefix), rest);
}

void result_add_parts(struct buf *b, const struct snapshot_experiment *e)
{
    if (e->kind == EXPERIMENT_BANDIT)
        add_part(b, str_of(result_part_prefixes[RESULT_COHORT]), "");
    if (e->adjustment == ADJUSTMENT_STRATA || e->adjustment == ADJUSTMENT_BOTH)
        add_part(b, e->stratify_by, "=");
}

const char *result_wanted_parts(const struct snapshot_experiment *e, struct arena *arena)
{
    struct buf b;
    buf_init(&b, 1024);
    buf_add_c(&b, "{step:");
    result_add_parts(&b, e);
    buf_add_c(&b, "}");
    const char *parts = arena_str(arena, buf_str(&b)).p;
    buf_release(&b);
    return parts;
}

/* ---- reading it ---- */

const struct result_arm *result_arm(const struct result_metric *m, size_t variant)
{
    return m->days_count ? &m->days[m->days_count - 1].arms[variant] : &nothing;
}

const struct moments2 *result_latest(const struct result_metric *m, size_t variant)
{
    return &result_arm(m, variant)->m;
}

const struct result_metric *result_primary(const struct result *r)
{
    for (size_t i = 0; i < r->metrics_count; i++)
        if (str_eq(r->metrics[i].role, STR("primary")))
            return &r->metrics[i];
    return r->metrics_count ? &r->metrics[0] : NULL;
}
