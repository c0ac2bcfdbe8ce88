/* "queries.similar@1": some queries of the head → the queries that are like each, and the documents that are expected for it. */
#include "trainer/engine/task.h"
#include "trainer/kernels/queries/queries.h"

enum { RECORD_MAX = 64 << 20, TICK_QUERIES = 64 };

static bool read_range(struct str desc, uint64_t queries, uint32_t *out_from, uint32_t *out_to, struct err *err)
{
    struct str rest = desc, from, to;
    if (!str_split(&rest, ' ', &from) || !str_split(&rest, ' ', &to) || !parse_u32(from, out_from, NULL) ||
        !parse_u32(to, out_to, NULL) || *out_from > *out_to || *out_to > queries)
        return err_set(err, ERR_INVALID, "split \"" STR_FMT "\" is no range of the %llu queries", STR_ARG(desc),
                       (unsigned long long)queries);
    return true;
}

static bool find_all(struct task *t, struct query_pairs *p, uint32_t from, uint32_t to, struct err *err)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, RECORD_MAX);
    for (uint32_t i = from; i < to; i++) {
        struct queries_lists l = { .query = i };
        query_pairs_find(p, i, &l.pairs, &l.pairs_count, &l.items, &l.items_count);
        buf_clear(&b);
        queries_lists_write(&b, &l);
        if (!buf_ok(&b, "the lists of a query", err) || !task_collect(t, buf_str(&b), err) ||
            ((i - from) % TICK_QUERIES == 0 && !task_tick(t, 0, err)))
            return false;
    }
    return task_tick(t, to - from, err);
}

static bool run(struct task *t, struct err *err)
{
    struct query_pair_rules rules;
    struct query_head head;
    uint32_t from, to;
    if (!queries_rules_read(task_params(t), &rules, err) || !query_head_read(task_blob(t, 0), &head, err) ||
        !read_range(task_desc(t), head.sizes.queries, &from, &to, err))
        return false;
    AUTO(query_pairs_free) struct query_pairs *p = query_pairs_new(&head, &rules);
    return find_all(t, p, from, to, err);
}

const struct kernel kernel_queries_similar = { QUERIES_SIMILAR_KERNEL, run };
