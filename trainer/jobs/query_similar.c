#include "trainer/jobs/query_similar.h"

enum { SPLITS = 64, HEAD_BYTES_MAX = 2000 << 20 };

struct query_pair_rules query_similar_rules(const struct run_context *run)
{
    const char *source = run->param(run, "source");
    return (struct query_pair_rules){ .use_clicks = strcmp(source, "sessions") != 0,
                                      .use_sessions = strcmp(source, "clicks") != 0,
                                      .min_overlap = run_real(run, "min_overlap"),
                                      .min_llr = run_real(run, "min_llr"),
                                      .min_pair_count = (uint64_t)run_whole(run, "min_pair_count"),
                                      .prior_sessions = run_real(run, "prior_sessions"),
                                      .prior_clicks = run_real(run, "prior_clicks"),
                                      .min_length = (uint32_t)run_whole(run, "min_length"),
                                      .max_length = (uint32_t)run_whole(run, "max_length"),
                                      .min_token_overlap = run_real(run, "min_token_overlap"),
                                      .top = (uint32_t)run_whole(run, "top"),
                                      .top_items = (uint32_t)run_whole(run, "top_items") };
}

static bool take_lists(struct query_similar *s, const struct engine_result *result, struct arena *arena,
                       struct err *err)
{
    uint64_t next = 0;
    for (uint32_t i = 0; i < result->count; i++) {
        struct str part = buf_str(&result->parts[i]);
        for (; part.n; next++)
            if (next >= s->head.sizes.queries || !queries_lists_read(&part, arena, &s->lists[next]) ||
                s->lists[next].query != next)
                return err_set(err, ERR_SYSTEM, "the lists of part %u are damaged", i);
    }
    return next == s->head.sizes.queries || err_set(err, ERR_SYSTEM, "lists of some queries are missing");
}

static bool pass_similar(struct query_similar *s, struct query_log *q, int blob, const struct query_pair_rules *rules,
                         struct err *err)
{
    struct engine_split splits[SPLITS];
    struct engine_result result;
    struct str params;
    uint64_t queries = s->head.sizes.queries;
    if (!queries_rules_write(rules, q->arena, &params, err))
        return false;
    for (uint32_t i = 0; i < SPLITS; i++)
        splits[i] = (struct engine_split){ .desc = arena_printf(q->arena, "%llu %llu",
                                                                (unsigned long long)(queries * i / SPLITS),
                                                                (unsigned long long)(queries * (i + 1) / SPLITS)),
                                           .weight = 1 };
    const struct engine_pass pass = { .name = "similar",
                                      .kernel = QUERIES_SIMILAR_KERNEL,
                                      .params = params,
                                      .splits = splits,
                                      .splits_count = SPLITS,
                                      .input_pass = -1,
                                      .out = ENGINE_COLLECT,
                                      .blobs = &blob,
                                      .blobs_count = 1 };
    if (!run_pass(q->run, &pass, &result, err))
        return false;
    s->lists = arena_zalloc(q->arena, (queries + 1) * sizeof *s->lists);
    bool ok = take_lists(s, &result, q->arena, err);
    engine_result_release(&result);
    return ok;
}

/* What one person types is nobody else's suggestion. */
static void leave_out(struct query_set *s, uint64_t min_units)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        if (s->queries[i].units >= min_units)
            s->queries[n++] = s->queries[i];
    s->count = n;
}

bool query_similar_open(struct query_similar *s, struct query_log *q, uint64_t min_searches, struct err *err)
{
    *s = (struct query_similar){ .lists = NULL };
    buf_init(&s->blob, HEAD_BYTES_MAX);
    if (!query_log_collect(q, min_searches, &s->set, err))
        return false;
    leave_out(&s->set, (uint64_t)run_whole(q->run, "min_query_units"));
    return query_head_write(s->set.queries, s->set.count, q->sessions, &s->blob, err) &&
           query_head_read(buf_str(&s->blob), &s->head, err);
}

bool query_similar_find(struct query_similar *s, struct query_log *q, uint64_t min_searches,
                        const struct query_pair_rules *rules, struct err *err)
{
    int blob = query_similar_open(s, q, min_searches, err) ? engine_blob(q->run->engine, buf_str(&s->blob), err) : -1;
    if (blob < 0)
        return false;
    bool ok = pass_similar(s, q, blob, rules, err);
    engine_blob_drop(q->run->engine, blob);
    return ok;
}

void query_similar_release(struct query_similar *s)
{
    query_set_release(&s->set);
    buf_release(&s->blob);
}
