#include "trainer/kernels/query.h"

#include <assert.h>
#include <math.h>

enum { NDCG_RANKS_MAX = METRIC_K_MAX };

/* The next event of this kind within the query's window, from *at on; NULL behind the last. */
static const struct day_event *next_of(const struct query *q, enum event_kind kind, size_t *at)
{
    while (*at < q->count && q->events[*at].at_us <= q->at_us + METRIC_QUERY_WINDOW_US)
        if (q->events[(*at)++].kind == kind)
            return &q->events[*at - 1];
    return NULL;
}

static bool within(const struct day_event *click, int k)
{
    return k == 0 || (click->position > 0 && click->position <= k);
}

static const struct day_event *first_click(const struct query *q)
{
    size_t at = 0;
    return next_of(q, EVENT_CLICK, &at);
}

static double all(const struct query *q, const struct metric_fact *f)
{
    (void)q, (void)f;
    return 1;
}

static double clicked(const struct query *q, const struct metric_fact *f)
{
    size_t at = 0;
    for (const struct day_event *c; (c = next_of(q, EVENT_CLICK, &at));)
        if (within(c, f->k))
            return 1;
    return 0;
}

static double satisfied(const struct query *q, const struct metric_fact *f)
{
    size_t at = 0;
    for (const struct day_event *c; (c = next_of(q, EVENT_CLICK, &at));)
        if (within(c, f->k) && (double)(c->next_us - c->at_us) / 1e6 >= f->dwell_seconds)
            return 1;
    return 0;
}

static double abandoned(const struct query *q, const struct metric_fact *f)
{
    (void)f;
    return q->results != 0 && !first_click(q); /* NAN is not 0 */
}

static double zero_results(const struct query *q, const struct metric_fact *f)
{
    (void)f;
    return q->results == 0;
}

static double known_results(const struct query *q, const struct metric_fact *f)
{
    (void)f;
    return !isnan(q->results);
}

static double reformulated(const struct query *q, const struct metric_fact *f)
{
    (void)f;
    const struct day_event *c = first_click(q);
    return q->next_us != INT64_MAX && q->next_us - q->at_us <= METRIC_REFORMULATION_US && q->text.n && q->next_text.n &&
           !str_eq(q->text, q->next_text) && (!c || c->at_us >= q->next_us);
}

static double reciprocal_rank(const struct query *q, const struct metric_fact *f)
{
    const struct day_event *c = first_click(q);
    return c && c->position > 0 && within(c, f->k) ? 1.0 / c->position : 0;
}

/* Gains of the ranks 1 … k in order, of those that were clicked and of as many at the top. */
static double ndcg(const struct query *q, const struct metric_fact *f)
{
    bool seen[NDCG_RANKS_MAX + 1] = { false };
    double got = 0, best = 0;
    int k = f->k > 0 && f->k <= NDCG_RANKS_MAX ? f->k : NDCG_RANKS_MAX, clicks = 0;
    size_t at = 0;
    for (const struct day_event *c; (c = next_of(q, EVENT_CLICK, &at));)
        if (within(c, k))
            seen[c->position] = true;
    for (int rank = 1; rank <= k; rank++)
        if (seen[rank]) {
            got += 1 / log2(rank + 1);
            best += 1 / log2(++clicks + 1);
        }
    return clicks ? got / best : 0;
}

static bool is_timed(const struct query *q)
{
    const struct day_event *c = first_click(q);
    return c && c->at_us > q->at_us;
}

static double timed(const struct query *q, const struct metric_fact *f)
{
    (void)f;
    return is_timed(q);
}

static double seconds_to_first_click(const struct query *q, const struct metric_fact *f)
{
    (void)f;
    return is_timed(q) ? (double)(first_click(q)->at_us - q->at_us) / 1e6 : (double)NAN;
}

static double revenue(const struct query *q, const struct metric_fact *f)
{
    (void)f;
    double sum = 0;
    size_t at = 0;
    for (const struct day_event *p; (p = next_of(q, EVENT_PURCHASE, &at));)
        sum += isnan(p->value) ? 0 : p->value;
    return sum;
}

static double purchased(const struct query *q, const struct metric_fact *f)
{
    (void)f;
    size_t at = 0;
    return next_of(q, EVENT_PURCHASE, &at) != NULL;
}

static double results(const struct query *q, const struct metric_fact *f)
{
    (void)f;
    return q->results;
}

static double (*const measures[])(const struct query *q, const struct metric_fact *f) = {
    [FACT_QUERY_ALL] = all,
    [FACT_QUERY_CLICKED] = clicked,
    [FACT_QUERY_SATISFIED] = satisfied,
    [FACT_QUERY_ABANDONED] = abandoned,
    [FACT_QUERY_ZERO_RESULTS] = zero_results,
    [FACT_QUERY_KNOWN_RESULTS] = known_results,
    [FACT_QUERY_REFORMULATED] = reformulated,
    [FACT_QUERY_RECIPROCAL_RANK] = reciprocal_rank,
    [FACT_QUERY_NDCG] = ndcg,
    [FACT_QUERY_TIMED] = timed,
    [FACT_QUERY_SECONDS_TO_FIRST_CLICK] = seconds_to_first_click,
    [FACT_QUERY_REVENUE] = revenue,
    [FACT_QUERY_PURCHASED] = purchased,
    [FACT_QUERY_RESULTS] = results,
};
static_assert(COUNT_OF(measures) == FACT_QUERY_COUNT, "a function for every measure");

double query_measure(const struct query *q, const struct metric_fact *f)
{
    return measures[f->query](q, f);
}
