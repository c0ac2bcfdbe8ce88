/* The job "boosts": which documents to lift for a query, and by how much.
 *
 * Clicks, carts, purchases of the training days by query, as the job "clicks" weighs them (clicks_plan.h) → of each query, under each set of filters, its best
 * documents: the classic expression of the weight, the share of clicks that is expected (kernels/clicks/boosts.h), how many signals that rests on. For queries
 * that have none of their own: the queries that are like them (query_similar.h). Judged by what was clicked in later days, published (query_model.h). */
#include <stdlib.h>

#include "model/lists.h"
#include "model/query_text.h"
#include "trainer/jobs/clicks_plan.h"
#include "trainer/jobs/query_model.h"
#include "trainer/jobs/query_similar.h"
#include "trainer/kernels/clicks/boosts.h"
#include "trainer/kernels/pair_table.h"

#define FILTERS_BEHIND '\x1f' /* between a key's query and its filters */

static const char *const item_metrics[QUERY_JUDGE_METRICS] = {
    [QUERY_JUDGE_NDCG] = "ndcg@10", [QUERY_JUDGE_HIT_RATE] = "hit_rate@10", [QUERY_JUDGE_MRR] = "mrr@10"
};

struct boosts {
    struct query_model *m;
    struct day_plan days;
    struct clicks_plan plan;
    struct boost_query *queries; /* sorted by key */
    size_t count, room;
    uint64_t signals;
    struct boost_prior prior;
    struct arena texts; /* what was collected */
};

/* ---- collecting ---- */

static bool take_part(struct boosts *b, struct str part, struct err *err)
{
    while (part.n) {
        struct boost_query q;
        if (!boost_query_read(&part, &b->texts, &q))
            return err_set(err, ERR_SYSTEM, "the boosts of a query are damaged");
        if (memchr(q.query.p, FILTERS_BEHIND, q.query.n)) /* nobody types it; with it keys would not be told apart */
            continue;
        if (b->count == b->room) {
            b->room = b->room ? 2 * b->room : 1024;
            b->queries = mem_realloc(b->queries, b->room * sizeof *b->queries);
        }
        b->queries[b->count++] = q;
        b->signals += q.signals;
    }
    return true;
}

static int by_key(const void *a, const void *b)
{
    const struct boost_query *x = a, *y = b;
    int d = pair_text_compare(x->query, y->query);
    return d ? d : pair_text_compare(x->filters, y->filters);
}

/* Texts borrow from the parts, so these are copied first. */
static bool take_parts(struct boosts *b, const struct engine_result *result, struct err *err)
{
    b->count = b->signals = 0;
    for (uint32_t i = 0; i < result->count; i++)
        if (!take_part(b, arena_str(&b->texts, buf_str(&result->parts[i])), err))
            return false;
    if (b->count)
        qsort(b->queries, b->count, sizeof *b->queries, by_key);
    return true;
}

static bool pass_weights(struct boosts *b, struct err *err)
{
    struct engine_split splits[CLICKS_PARTS];
    struct engine_result result;
    for (uint32_t i = 0; i < CLICKS_PARTS; i++)
        splits[i] = day_plan_part(&b->days, i);
    const struct engine_pass pass = { .name = "weights",
                                      .kernel = "boosts.weights@1",
                                      .params = b->plan.merging,
                                      .snapshot = b->days.snapshot,
                                      .reads_database = true, /* which units are marked */
                                      .splits = splits,
                                      .splits_count = CLICKS_PARTS,
                                      .input_pass = b->days.pass,
                                      .out = ENGINE_COLLECT };
    if (!run_pass(b->m->run, &pass, &result, err))
        return false;
    bool ok = take_parts(b, &result, err);
    engine_result_release(&result);
    return ok;
}

static bool compute(void *arg, struct err *err)
{
    struct boosts *b = arg;
    return day_plan_pass(&b->days, &b->plan.day_rules, "clicks", b->plan.params, err) && pass_weights(b, err);
}

static bool collect(struct boosts *b, struct err *err)
{
    struct query_model *m = b->m;
    bool ok = day_plan_open(&b->days, m->run, m->arena, NULL, 0, err) &&
              clicks_plan_read(&b->plan, m->run, m->arena, m->training.until, err) &&
              day_plan_days(&b->days, m->training.from, m->training.until, err) &&
              day_plan_compute(&b->days, &b->plan.day_rules, compute, b, err);
    day_plan_close(&b->days);
    if (ok && b->days.pass >= 0)
        engine_drop(m->run->engine, b->days.pass);
    return ok;
}

/* ---- sections ---- */

struct scale {
    enum boost_expression expression;
    double low, high; /* 0, 0: values stay as they are */
};

static bool read_scale(const struct run_context *run, struct scale *out, struct err *err)
{
    const char *name = run->param(run, "expression");
    *out = (struct scale){ .low = run_real(run, "scale_low"), .high = run_real(run, "scale_high") };
    for (int i = 0; boost_expressions[i]; i++)
        if (strcmp(boost_expressions[i], name) == 0)
            out->expression = (enum boost_expression)i;
    return out->low <= out->high ||
           err_set(err, ERR_INVALID, "parameter \"scale_low\" is %g, more than scale_high, %g", out->low, out->high);
}

static void add_docs(struct lists_out *o, const struct boosts *b, const struct boost_query *q, const struct scale *s)
{
    double best = q->count ? boost_weight(s->expression, q->docs[0].weight) : 0;
    for (uint32_t i = 0; i < q->count; i++) {
        double value = boost_weight(s->expression, q->docs[i].weight);
        if (s->high > 0)
            value = boost_scaled(value, best, s->low, s->high);
        lists_add(
            o, q->docs[i].doc,
            (const float[]){ (float)value, (float)boost_share(&b->prior, q, &q->docs[i]), (float)q->docs[i].signals });
    }
}

static bool write_boosts(const struct boosts *b, const struct scale *s, struct buf *out, struct err *err)
{
    static const char *const columns[] = { "weight", "calibrated", "signals" };
    AUTO(buf_release) struct buf key;
    struct lists_out o;
    buf_init(&key, (size_t)64 << 10);
    lists_begin(&o, columns, COUNT_OF(columns));
    for (size_t i = 0; i < b->count; i++) {
        const struct boost_query *q = &b->queries[i];
        buf_clear(&key);
        buf_add_str(&key, q->query);
        if (q->filters.n)
            buf_add_byte(&key, FILTERS_BEHIND);
        buf_add_str(&key, q->filters);
        lists_key(&o, buf_str(&key));
        add_docs(&o, b, q, s);
    }
    return lists_end(&o, out, err);
}

static bool has_boosts(const struct boosts *b, struct str query)
{
    const struct boost_query key = { .filters = STR(""), .query = query };
    return b->count && bsearch(&key, b->queries, b->count, sizeof key, by_key);
}

/* Of the queries that are like one, those whose boosts it can borrow. */
static bool write_similar(const struct boosts *b, const struct query_similar *s, struct buf *out, struct err *err)
{
    static const char *const columns[] = { "score" };
    struct lists_out o;
    lists_begin(&o, columns, COUNT_OF(columns));
    for (uint32_t q = 0; q < s->head.sizes.queries; q++) {
        const struct queries_lists *l = &s->lists[q];
        bool begun = false;
        for (uint32_t i = 0; i < l->pairs_count; i++) {
            struct str other = query_head_query(&s->head, l->pairs[i].query);
            if (!has_boosts(b, other))
                continue;
            if (!begun)
                lists_key(&o, query_head_query(&s->head, q));
            begun = true;
            lists_add(&o, other, &l->pairs[i].score);
        }
    }
    return lists_end(&o, out, err);
}

/* ---- the job ---- */

static struct query_pair_rules similar_rules(const struct run_context *run)
{
    return (struct query_pair_rules){ .use_clicks = true,
                                      .use_sessions = true,
                                      .min_overlap = run_real(run, "min_overlap"),
                                      .min_llr = run_real(run, "min_llr"),
                                      .min_pair_count = (uint64_t)run_whole(run, "min_pair_count"),
                                      .prior_sessions = run_real(run, "prior_sessions"),
                                      .min_length = 1,
                                      .max_length = QUERY_TEXT_MAX,
                                      .top = (uint32_t)run_whole(run, "top_similar") };
}

static bool publish(struct boosts *b, const struct query_similar *s, struct err *err)
{
    AUTO(buf_release) struct buf boosts, similar;
    struct artifact_out o;
    struct scale scale;
    buf_init(&boosts, LISTS_BYTES_MAX);
    buf_init(&similar, LISTS_BYTES_MAX);
    boost_prior_fit(&b->prior, b->queries, b->count);
    if (!read_scale(b->m->run, &scale, err) || !write_boosts(b, &scale, &boosts, err) ||
        !write_similar(b, s, &similar, err))
        return false;
    run_say(b->m->run, "boosts of %zu queries, from %llu signals; what is known before: as good as %.2f signals",
            b->count, (unsigned long long)b->signals, b->prior.strength);
    b->m->t.items = b->prior.docs.count;
    artifact_begin(&o, b->m->t.kind);
    artifact_add(&o, "boosts", buf_str(&boosts));
    artifact_add(&o, "similar", buf_str(&similar));
    return query_model_publish(b->m, &o, err);
}

static bool train(struct boosts *b, struct query_log *q, struct query_similar *s, struct err *err)
{
    struct query_model *m = b->m;
    const struct query_pair_rules rules = similar_rules(m->run);
    struct scale scale;
    if (!read_scale(m->run, &scale, err) || !collect(b, err) ||
        !training_enough(m->run, "queries with boosts", b->count, "min_queries", err) ||
        !query_log_open(q, m->run, m->arena, "training", m->training, err) ||
        !query_similar_find(s, q, (uint64_t)run_whole(m->run, "min_query_count"), &rules, err))
        return false;
    m->t.days = b->days.days_count;
    m->t.rows = b->signals;
    m->t.units = b->count;
    return publish(b, s, err);
}

static bool run_boosts(struct run_context *run, struct err *err)
{
    struct query_model m;
    struct boosts b = { .m = &m };
    struct query_log q = { .pass = -1 };
    struct query_similar s = { .lists = NULL };
    struct arena arena;
    arena_init(&arena, 1 << 16);
    arena_init(&b.texts, 1 << 16);
    bool ok = query_model_begin(&m, run, &arena, "boosts", err);
    m.sections[QUERY_JUDGE_ITEMS] = STR("boosts");
    m.names[QUERY_JUDGE_ITEMS] = item_metrics;
    ok = ok && train(&b, &q, &s, err);
    boost_prior_release(&b.prior);
    query_similar_release(&s);
    query_log_close(&q);
    mem_free(b.queries);
    arena_release(&b.texts);
    arena_release(&arena);
    return ok;
}

const struct job job_boosts = { "boosts", run_boosts };
