/* The job "similar-queries": what is clicked and searched together → the queries that are like a query, the documents that are expected for it.
 *
 * The query log of the training days (query_log.h) → the most searched queries as one blob → a pass over them → lists → judged by later days, published
 * (query_model.h). */
#include "model/lists.h"
#include "trainer/jobs/query_model.h"
#include "trainer/jobs/query_similar.h"

struct sections {
    struct buf queries, items;
    uint64_t queries_count, pairs; /* with a list; entries */
};

static bool write_queries(const struct query_similar *s, struct sections *out, struct err *err)
{
    static const char *const columns[] = { "score", "coclick", "session" };
    struct lists_out o;
    lists_begin(&o, columns, COUNT_OF(columns));
    for (uint32_t q = 0; q < s->head.sizes.queries; q++) {
        const struct queries_lists *l = &s->lists[q];
        if (l->pairs_count)
            lists_key(&o, query_head_query(&s->head, q));
        for (uint32_t i = 0; i < l->pairs_count; i++)
            lists_add(&o, query_head_query(&s->head, l->pairs[i].query),
                      (const float[]){ l->pairs[i].score, l->pairs[i].coclick, l->pairs[i].session });
        out->queries_count += l->pairs_count > 0;
        out->pairs += l->pairs_count;
    }
    return lists_end(&o, &out->queries, err);
}

static bool write_items(const struct query_similar *s, struct sections *out, struct err *err)
{
    static const char *const columns[] = { "score", "clicks" };
    struct lists_out o;
    lists_begin(&o, columns, COUNT_OF(columns));
    for (uint32_t q = 0; q < s->head.sizes.queries; q++) {
        const struct queries_lists *l = &s->lists[q];
        if (l->items_count)
            lists_key(&o, query_head_query(&s->head, q));
        for (uint32_t i = 0; i < l->items_count; i++)
            lists_add(&o, query_head_doc(&s->head, l->items[i].doc),
                      (const float[]){ l->items[i].score, (float)l->items[i].clicks });
    }
    return lists_end(&o, &out->items, err);
}

static bool publish(struct query_model *m, const struct query_similar *s, struct err *err)
{
    struct sections out = { .pairs = 0 };
    struct artifact_out o;
    buf_init(&out.queries, LISTS_BYTES_MAX);
    buf_init(&out.items, LISTS_BYTES_MAX);
    bool ok = write_queries(s, &out, err) && write_items(s, &out, err);
    if (ok) {
        run_say(m->run, "%llu related queries of %llu queries, of %llu that are searched often enough",
                (unsigned long long)out.pairs, (unsigned long long)out.queries_count,
                (unsigned long long)s->head.sizes.queries);
        artifact_begin(&o, m->t.kind);
        artifact_add(&o, "queries_for_query", buf_str(&out.queries));
        artifact_add(&o, "items_for_query", buf_str(&out.items));
        ok = query_model_publish(m, &o, err);
    }
    buf_release(&out.queries);
    buf_release(&out.items);
    return ok;
}

static bool train(struct query_model *m, struct query_log *q, struct query_similar *s, struct err *err)
{
    const struct run_context *run = m->run;
    const struct query_pair_rules rules = query_similar_rules(run);
    if (rules.min_length > rules.max_length)
        return err_set(err, ERR_INVALID, "parameter \"min_length\" is %u, more than max_length, %u", rules.min_length,
                       rules.max_length);
    if (!query_log_open(q, m->run, m->arena, "training", m->training, err) ||
        !training_enough(run, "searches", q->searches, "min_searches", err) ||
        !query_similar_find(s, q, (uint64_t)run_whole(run, "min_query_count"), &rules, err))
        return false;
    m->t.days = q->days.days_count;
    m->t.rows = q->searches;
    m->t.units = s->head.sizes.queries;
    m->t.items = s->head.sizes.docs;
    return publish(m, s, err);
}

static bool run_similar_queries(struct run_context *run, struct err *err)
{
    struct query_model m;
    struct query_log q = { .pass = -1 };
    struct query_similar s = { .lists = NULL };
    struct arena arena;
    arena_init(&arena, 1 << 16);
    bool ok = query_model_begin(&m, run, &arena, "queries", err);
    query_model_judge_queries(&m);
    ok = ok && train(&m, &q, &s, err);
    query_similar_release(&s);
    query_log_close(&q);
    arena_release(&arena);
    return ok;
}

const struct job job_similar_queries = { "similar-queries", run_similar_queries };
