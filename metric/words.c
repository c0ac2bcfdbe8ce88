/* The definition of a metric as a sentence. */
#include <assert.h>

#include "metric/metric.h"

/* What a measure of queries sums; the positions that count stand between. */
static const struct {
    const char *before, *after;
} query_words[] = {
    [FACT_QUERY_ALL] = { "queries", "" },
    [FACT_QUERY_CLICKED] = { "queries with a click", " within 30 minutes" },
    [FACT_QUERY_SATISFIED] = { "queries with a click", " within 30 minutes and nothing else for " },
    [FACT_QUERY_ABANDONED] = { "queries without a click within 30 minutes that are not known to have had no results",
                               "" },
    [FACT_QUERY_ZERO_RESULTS] = { "queries known to have had no results", "" },
    [FACT_QUERY_KNOWN_RESULTS] = { "queries whose number of results is known", "" },
    [FACT_QUERY_REFORMULATED] = { "queries without a click, followed by another text within 5 minutes", "" },
    [FACT_QUERY_RECIPROCAL_RANK] = { "1 / position of the first click of queries", " within 30 minutes" },
    [FACT_QUERY_NDCG] = { "nDCG of queries, with clicks as gains", " within 30 minutes" },
    [FACT_QUERY_TIMED] = { "queries whose first click within 30 minutes has a time of its own", "" },
    [FACT_QUERY_SECONDS_TO_FIRST_CLICK] = { "seconds from queries to their first click within 30 minutes", "" },
    [FACT_QUERY_REVENUE] = { "value of purchases from queries within 30 minutes", "" },
    [FACT_QUERY_PURCHASED] = { "queries with a purchase within 30 minutes", "" },
    [FACT_QUERY_RESULTS] = { "numbers of results of queries", "" },
};
static_assert(COUNT_OF(query_words) == FACT_QUERY_COUNT, "words for every measure of a query");

static const char *const session_words[] = {
    [FACT_SESSION_ALL] = "sessions",
    [FACT_SESSION_WITH_CLICK] = "sessions with a click",
    [FACT_SESSION_ABANDONED] = "sessions with a query and no click",
    [FACT_SESSION_SECONDS] = "seconds of sessions, from first to last signal",
};
static_assert(COUNT_OF(session_words) == FACT_SESSION_COUNT, "words for every measure of a session");

/* What stands between the parts of a list. */
static const char *between(size_t i, size_t n, const char *last)
{
    return i == 0 ? "" : i + 1 == n ? last : ", ";
}

static void bounds(struct buf *b, const char *what, const struct fact_bounds *x, const char **and)
{
    if (!isinf(x->low)) {
        buf_addf(b, "%s%s %s %g", *and, what, x->low_open ? "above" : "at least", x->low);
        *and = " and ";
    }
    if (!isinf(x->high)) {
        buf_addf(b, "%s%s %s %g", *and, what, x->high_open ? "below" : "at most", x->high);
        *and = " and ";
    }
}

static void signals(struct buf *b, const struct metric_fact *f)
{
    const char *and = " with ";
    if (f->sum == FACT_SUM_PARAM)
        buf_addf(b, "params." STR_FMT " of ", STR_ARG(f->sum_param));
    else if (f->sum != FACT_SUM_ONE)
        buf_add_c(b, f->sum == FACT_SUM_VALUE ? "value of " : "position of ");
    for (size_t i = 0; i < f->types_count; i++)
        buf_addf(b, "%s" STR_FMT, between(i, f->types_count, " and "), STR_ARG(f->types[i]));
    buf_add_c(b, f->types_count ? " signals" : "signals of any type");
    bounds(b, "position", &f->position, &and);
    bounds(b, "value", &f->value, &and);
    for (size_t i = 0; i < f->params_count; i++, and = " and ")
        buf_addf(b, "%s" STR_FMT " \"" STR_FMT "\"", and, STR_ARG(f->params[i].name), STR_ARG(f->params[i].value));
}

static void queries(struct buf *b, const struct metric_fact *f)
{
    buf_add_c(b, query_words[f->query].before);
    if (f->k == 1)
        buf_add_c(b, " at position 1");
    else if (f->k)
        buf_addf(b, " at positions 1 to %d", f->k);
    buf_add_c(b, query_words[f->query].after);
    if (f->query == FACT_QUERY_SATISFIED)
        buf_addf(b, "%g seconds", f->dwell_seconds);
}

static void fact(struct buf *b, const struct metric_fact *f)
{
    if (f->of == FACT_SIGNALS)
        signals(b, f);
    else if (f->of == FACT_QUERIES)
        queries(b, f);
    else
        buf_add_c(b, f->of == FACT_SESSIONS ? session_words[f->session] : "values of the rows of the SQL statement");
}

static void steps(struct buf *b, const struct metric_def *m)
{
    for (size_t i = 0; i < m->facts_count; i++) {
        buf_add_c(b, i ? ", then " : "");
        fact(b, &m->facts[i]);
    }
}

static void form(struct buf *b, const struct metric_def *m)
{
    static const char *const begin[] = {
        [METRIC_FORM_PROPORTION] = "Share of units with any: ",
        [METRIC_FORM_MEAN] = "Mean over units of the sum of: ",
        [METRIC_FORM_WHOLE] = "Mean over units of the number of: ",
        [METRIC_FORM_RATIO] = "",
        [METRIC_FORM_QUANTILE] = "",
        [METRIC_FORM_RETENTION] = "Share of units that come back: ",
        [METRIC_FORM_FUNNEL] = "Share of units that go all the way: ",
    };
    static_assert(COUNT_OF(begin) == METRIC_FORM_COUNT, "words for every form");
    buf_add_c(b, begin[m->form]);
    if (m->form == METRIC_FORM_QUANTILE)
        buf_addf(b, "%g %% of these are at most: ", m->quantile * 100);
    if (m->form == METRIC_FORM_FUNNEL)
        steps(b, m);
    else
        fact(b, &m->facts[0]);
    if (m->form == METRIC_FORM_RATIO) {
        buf_add_c(b, "; over: ");
        fact(b, &m->facts[1]);
    }
    buf_add_byte(b, '.');
}

static void window(struct buf *b, const struct metric_def *m)
{
    static const double hour = 3.6e9;
    double from = (double)m->window_from_us / hour, to = (double)m->window_to_us / hour;
    if (m->window_to_us == INT64_MAX && m->window_from_us > 0)
        buf_addf(b, " Counted from %g hours after the first exposure.", from);
    else if (m->window_to_us != INT64_MAX)
        buf_addf(b, " Counted from %g to %g hours after the first exposure.", from, to);
    if (m->form == METRIC_FORM_RETENTION)
        buf_add_c(b, " A unit counts once that time is over.");
}

void metric_words(struct buf *b, const struct metric_def *m)
{
    form(b, m);
    window(b, m);
    if (!isnan(m->cap_value))
        buf_addf(b, " A unit adds at most %g.", m->cap_value);
    if (!isnan(m->cap_percentile))
        buf_addf(b, " A unit adds at most what %g %% of units stay below.", m->cap_percentile * 100);
}
