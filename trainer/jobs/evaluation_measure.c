#include <math.h>

#include "trainer/jobs/evaluation.h"

enum { SAID_MAX = 5 };

static bool measure_list(struct evaluation *e, size_t search, size_t query, struct err *err)
{
    struct evaluation_list *l = evaluation_list(e, search, query);
    const struct evaluation_query *q = &e->of_query[query];
    struct evaluation_search *s = &e->searches[search];
    l->grades = arena_alloc(&e->arena, (l->count + 1) * sizeof *l->grades);
    for (size_t i = 0; i < l->count; i++) {
        const struct judgment *j = q->judged ? judgments_doc(q->judged, l->docs[i]) : NULL;
        l->grades[i] = j ? (double)j->grade : (double)NAN;
        s->shown += q->judged ? 1U : 0U;
        s->holes += q->judged && !j ? 1U : 0U;
    }
    if (!q->judged || l->error.p)
        return true;
    const struct ranking_query ranking = { l->grades,    l->count,       q->ideal,   q->judged->count,
                                           e->max_grade, e->relevant_at, e->unjudged };
    if (!ranking_query_check(&ranking, err))
        return err_prefix(err, "query \"" STR_FMT "\": ", STR_ARG(str_cut(e->queries.queries[query].text, 60)));
    l->metrics = arena_alloc(&e->arena, e->metrics_count * sizeof *l->metrics);
    for (size_t m = 0; m < e->metrics_count; m++)
        l->metrics[m] = ranking_metric_value(&e->metrics[m], &ranking);
    return true;
}

static void count_list(struct evaluation *e, size_t search, size_t query)
{
    const struct evaluation_list *l = evaluation_list(e, search, query);
    struct evaluation_search *s = &e->searches[search];
    s->empty += !l->error.p && l->count == 0 ? 1U : 0U;
    if (!l->error.p)
        return;
    s->errors++;
    if (s->errors <= SAID_MAX)
        run_say(e->run, "search " STR_FMT ", query \"" STR_FMT "\": " STR_FMT, STR_ARG(s->name),
                STR_ARG(str_cut(e->queries.queries[query].text, 60)), STR_ARG(l->error));
}

static bool check_errors(const struct evaluation *e, const struct evaluation_search *s, struct err *err)
{
    double share = (double)s->errors / (double)e->queries.count;
    return share <= run_real(e->run, "max_errors") ||
           err_set(err, ERR_INVALID,
                   "search \"" STR_FMT
                   "\" failed on %u of %zu queries, more than parameter \"max_errors\" lets it; the log "
                   "says how",
                   STR_ARG(str_cut(s->name, 60)), s->errors, e->queries.count);
}

bool evaluation_measure(struct evaluation *e, struct err *err)
{
    for (size_t s = 0; s < e->searches_count; s++)
        for (size_t q = 0; q < e->queries.count; q++) {
            if (!measure_list(e, s, q, err))
                return false;
            count_list(e, s, q);
        }
    for (size_t s = 0; s < e->searches_count; s++)
        if (!check_errors(e, &e->searches[s], err))
            return false;
    return true;
}

void evaluation_values(struct evaluation *e, size_t metric, size_t a, size_t b, struct evaluation_values *out)
{
    size_t n = e->queries.count;
    *out = (struct evaluation_values){ .a = arena_alloc(&e->arena, n * sizeof(double)),
                                       .b = arena_alloc(&e->arena, n * sizeof(double)),
                                       .weights = e->weighted ? arena_alloc(&e->arena, n * sizeof(double)) : NULL };
    for (size_t q = 0; q < n; q++) {
        const double *x = evaluation_list(e, a, q)->metrics, *y = evaluation_list(e, b, q)->metrics;
        double weight = e->queries.queries[q].weight;
        if (!x || !y || (e->weighted && !(weight > 0)))
            continue;
        out->a[out->count] = x[metric];
        out->b[out->count] = y[metric];
        if (out->weights)
            out->weights[out->count] = weight;
        out->count++;
    }
}
