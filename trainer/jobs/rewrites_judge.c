#include "trainer/jobs/rewrites_judge.h"

bool rewrites_is_good(const struct query_record *q, uint64_t good_searches)
{
    return q && q->searches >= good_searches && q->clicks > 0 && 2 * q->zero_results < q->searches;
}

static void judge_query(const struct query_record *q, const struct rewriting *w, const struct query_set *before,
                        uint64_t good_searches, struct rewrites_verdict *out)
{
    out->searches += q->searches;
    out->zero += q->zero_results;
    if (str_eq(w->rewritten, w->normalised))
        return;
    bool good = rewrites_is_good(query_set_find(before, w->rewritten), good_searches);
    bool was_good = rewrites_is_good(query_set_find(before, q->text), good_searches);
    out->changed += q->searches;
    out->recovered += good ? q->zero_results : 0;
    out->lost += was_good && !good ? q->searches : 0;
}

void rewrites_judge(const struct rewrites *rules, const struct query_set *later, const struct query_set *before,
                    uint64_t good_searches, struct rewrites_verdict *out)
{
    const struct rewrite_ask ask = { .types = REWRITE_ALL_TYPES };
    struct rewriting *w = mem_alloc(sizeof *w);
    struct arena arena;
    *out = (struct rewrites_verdict){ 0 };
    arena_init(&arena, 64 << 10);
    for (size_t i = 0; i < later->count; i++) {
        arena_reset(&arena);
        rewrite_apply(rules, later->queries[i].text, &ask, &arena, w);
        judge_query(&later->queries[i], w, before, good_searches, out);
    }
    arena_release(&arena);
    mem_free(w);
}
