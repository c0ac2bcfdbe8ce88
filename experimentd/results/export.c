#include "experimentd/results/export.h"

#include <assert.h>
#include <math.h>

#include "base/clock.h"
#include "experimentd/results/json_metric.h"
#include "experimentd/results/verdict.h"

enum column {
    COLUMN_EXPERIMENT,
    COLUMN_METRIC,
    COLUMN_KIND,
    COLUMN_ROLE,
    COLUMN_VARIANT,
    COLUMN_SEGMENT,
    COLUMN_DAY,
    COLUMN_METHOD,
    COLUMN_LIFT_KIND,
    COLUMN_REASON,
    COLUMN_N, /* numbers from here on */
    COLUMN_SUM_X,
    COLUMN_SUM_Y,
    COLUMN_MEAN_X,
    COLUMN_M2_X,
    COLUMN_MEAN_Y,
    COLUMN_M2_Y,
    COLUMN_CXY,
    COLUMN_VALUE,
    COLUMN_VALUE_LO,
    COLUMN_VALUE_HI,
    COLUMN_DIFFERENCE,
    COLUMN_DIFFERENCE_LO,
    COLUMN_DIFFERENCE_HI,
    COLUMN_SE,
    COLUMN_STATISTIC,
    COLUMN_DF,
    COLUMN_P,
    COLUMN_LOG10_P,
    COLUMN_LIFT,
    COLUMN_LIFT_LO,
    COLUMN_LIFT_HI,
    COLUMN_LEVEL,
    COLUMN_COUNT
};
enum { TEXTS = COLUMN_N };

static const char *const names[] = {
    [COLUMN_EXPERIMENT] = "experiment",
    [COLUMN_METRIC] = "metric",
    [COLUMN_KIND] = "kind",
    [COLUMN_ROLE] = "role",
    [COLUMN_VARIANT] = "variant",
    [COLUMN_SEGMENT] = "segment",
    [COLUMN_DAY] = "day",
    [COLUMN_METHOD] = "method",
    [COLUMN_LIFT_KIND] = "lift_kind",
    [COLUMN_REASON] = "reason",
    [COLUMN_N] = "n",
    [COLUMN_SUM_X] = "sum_x",
    [COLUMN_SUM_Y] = "sum_y",
    [COLUMN_MEAN_X] = "mean_x",
    [COLUMN_M2_X] = "m2_x",
    [COLUMN_MEAN_Y] = "mean_y",
    [COLUMN_M2_Y] = "m2_y",
    [COLUMN_CXY] = "cxy",
    [COLUMN_VALUE] = "value",
    [COLUMN_VALUE_LO] = "value_lo",
    [COLUMN_VALUE_HI] = "value_hi",
    [COLUMN_DIFFERENCE] = "difference",
    [COLUMN_DIFFERENCE_LO] = "difference_lo",
    [COLUMN_DIFFERENCE_HI] = "difference_hi",
    [COLUMN_SE] = "se",
    [COLUMN_STATISTIC] = "statistic",
    [COLUMN_DF] = "df",
    [COLUMN_P] = "p",
    [COLUMN_LOG10_P] = "log10_p",
    [COLUMN_LIFT] = "lift",
    [COLUMN_LIFT_LO] = "lift_lo",
    [COLUMN_LIFT_HI] = "lift_hi",
    [COLUMN_LEVEL] = "level",
};
static_assert(sizeof names / sizeof *names == COLUMN_COUNT, "a name for every column");

struct export_row {
    struct str texts[TEXTS];
    double numbers[COLUMN_COUNT]; /* NAN: none; those of texts are not used */
    struct err why;
    char day[CLOCK_TEXT_MAX];
};
/* What a table is written to. */
struct sink {
    void (*row)(void *arg, const struct export_row *row);
    void *arg;
};

/* ---- filling a row ---- */

static void fill_moments(struct export_row *row, const struct result_metric *m, const struct moments2 *a)
{
    double n = (double)a->n;
    bool two = m->kind == METRIC_RATIO;
    row->numbers[COLUMN_N] = n;
    row->numbers[COLUMN_SUM_X] = metric_sum(a->mean_x * n);
    row->numbers[COLUMN_MEAN_X] = a->mean_x;
    row->numbers[COLUMN_M2_X] = a->m2_x;
    row->numbers[COLUMN_SUM_Y] = two ? metric_sum(a->mean_y * n) : NAN;
    row->numbers[COLUMN_MEAN_Y] = two ? a->mean_y : NAN;
    row->numbers[COLUMN_M2_Y] = two ? a->m2_y : NAN;
    row->numbers[COLUMN_CXY] = two ? a->cxy : NAN;
}

static void fill_value(struct export_row *row, const struct result_metric *m, const struct result_arm *a)
{
    struct arm_value v;
    if (!metric_value(m, a, &v, &row->why)) {
        row->texts[COLUMN_REASON] = str_of(row->why.text);
        return;
    }
    row->numbers[COLUMN_VALUE] = v.value;
    row->numbers[COLUMN_VALUE_LO] = v.ci_lo;
    row->numbers[COLUMN_VALUE_HI] = v.ci_hi;
    row->texts[COLUMN_METHOD] = str_of(v.method);
}

static void fill_comparison(struct export_row *row, const struct result *r, const struct result_metric *m,
                            const struct result_arm *control, const struct result_arm *treatment)
{
    struct comparison c;
    if (!metric_compare(r, m, control, treatment, &c, &row->why)) {
        row->texts[COLUMN_REASON] = str_of(row->why.text);
        return;
    }
    const double found[] = { c.difference, c.ci_lo, c.ci_hi, c.se, c.statistic, c.df, c.p, c.log_p / M_LN10 };
    static_assert(COLUMN_LOG10_P - COLUMN_DIFFERENCE + 1 == COUNT_OF(found), "the columns of a comparison");
    memcpy(&row->numbers[COLUMN_DIFFERENCE], found, sizeof found);
    row->texts[COLUMN_METHOD] = str_of(c.method);
    row->texts[COLUMN_LIFT_KIND] = str_of(metric_lift_kind(&c));
    if (c.lift_kind == LIFT_NONE)
        return;
    row->numbers[COLUMN_LIFT] = c.lift;
    row->numbers[COLUMN_LIFT_LO] = c.lift_lo;
    row->numbers[COLUMN_LIFT_HI] = c.lift_hi;
}

static void fill(struct export_row *row, const struct result *r, const struct result_metric *m, struct str segment,
                 int32_t day, const struct result_arm *arms, size_t variant)
{
    *row = (struct export_row){ .texts = { [COLUMN_EXPERIMENT] = r->experiment->key,
                                           [COLUMN_METRIC] = m->metric->key,
                                           [COLUMN_KIND] = m->metric->kind,
                                           [COLUMN_ROLE] = m->role,
                                           [COLUMN_VARIANT] = r->experiment->variants[variant].key,
                                           [COLUMN_SEGMENT] = segment } };
    row->texts[COLUMN_DAY] = str_of(clock_format_day(day, row->day));
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        row->numbers[i] = NAN;
    row->numbers[COLUMN_LEVEL] = m->level;
    fill_moments(row, m, &arms[variant].m);
    fill_value(row, m, &arms[variant]);
    if (variant > 0)
        fill_comparison(row, r, m, &arms[0], &arms[variant]);
}

/* ---- the table ---- */

enum { SEGMENT_MAX = 512 };

static void rows_of_arms(const struct sink *sink, const struct result *r, const struct result_metric *m,
                         struct str segment, int32_t day, const struct result_arm *arms)
{
    for (size_t v = 0; v < r->experiment->variants_count; v++) {
        struct export_row row;
        fill(&row, r, m, segment, day, arms, v);
        sink->row(sink->arg, &row);
    }
}

static void rows_of_metric(const struct sink *sink, const struct result *r, const struct result_metric *m)
{
    const struct result_parts *parts = &m->parts[RESULT_SEGMENT];
    int32_t last = m->days_count ? m->days[m->days_count - 1].day : 0;
    for (size_t d = 0; d < m->days_count; d++)
        rows_of_arms(sink, r, m, STR(""), m->days[d].day, m->days[d].arms);
    for (size_t i = 0; i < parts->n; i++) {
        struct buf name;
        buf_init(&name, SEGMENT_MAX);
        buf_addf(&name, STR_FMT "=" STR_FMT, STR_ARG(parts->p[i].dimension), STR_ARG(parts->p[i].value));
        rows_of_arms(sink, r, m, buf_str(&name), last, parts->p[i].arms);
        buf_release(&name);
    }
}

static void rows_of_result(const struct sink *sink, const struct result *r)
{
    for (size_t i = 0; i < r->metrics_count; i++)
        rows_of_metric(sink, r, &r->metrics[i]);
}

/* ---- CSV ---- */

void export_csv_text(struct buf *out, struct str text)
{
    bool formula = text.n && memchr("=+-@\t\r\n", text.p[0], 7);
    buf_add_byte(out, '"');
    if (formula)
        buf_add_byte(out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            buf_add_byte(out, '"');
        buf_add_byte(out, text.p[i]);
    }
    buf_add_byte(out, '"');
}

static void csv_row(void *arg, const struct export_row *row)
{
    struct buf *out = arg;
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (i)
            buf_add_byte(out, ',');
        if (i < TEXTS && row->texts[i].n)
            export_csv_text(out, row->texts[i]);
        else if (i >= TEXTS && isfinite(row->numbers[i]))
            buf_add_json_double(out, row->numbers[i]);
    }
    buf_add_c(out, "\r\n");
}

void export_csv(struct buf *out, const struct result *r)
{
    const struct sink sink = { csv_row, out };
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (i)
            buf_add_byte(out, ',');
        buf_add_c(out, names[i]);
    }
    buf_add_c(out, "\r\n");
    rows_of_result(&sink, r);
}

/* ---- JSON ---- */

static void json_row(void *arg, const struct export_row *row)
{
    struct jsonw *w = arg;
    jsonw_open(w, NULL, '{');
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (i < TEXTS)
            jsonw_str(w, names[i], row->texts[i]);
        else
            jsonw_double(w, names[i], row->numbers[i]);
    }
    jsonw_close(w);
}

void export_json(struct jsonw *w, const struct result *r)
{
    const struct sink sink = { json_row, w };
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "experiment", r->experiment->key);
    jsonw_time(w, "as_of", r->as_of_us);
    jsonw_double(w, "level", result_level(r));
    jsonw_open(w, "rows", '[');
    rows_of_result(&sink, r);
    jsonw_close(w);
    jsonw_close(w);
}
