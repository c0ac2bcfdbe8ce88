/* "query_log.collect@1": records of queries → those with searches enough, and of these the most searched ones that fit. */
#include <stdlib.h>

#include "base/json.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/queries/query_log.h"

struct found {
    struct str text, bytes; /* in the task's arena */
    uint64_t searches;
};
struct collecting {
    struct found *list; /* sorted by text */
    size_t count, room;
    uint64_t bytes, min_searches, max_bytes;
};

static void add(struct collecting *c, const struct query_record *q, struct str bytes, struct arena *arena)
{
    if (c->count == c->room) {
        c->room = c->room ? 2 * c->room : 1024;
        c->list = mem_realloc(c->list, c->room * sizeof *c->list);
    }
    c->list[c->count++] = (struct found){ arena_str(arena, q->text), arena_str(arena, bytes), q->searches };
    c->bytes += bytes.n;
}

static bool read_all(struct task *t, struct collecting *c, struct err *err)
{
    struct str block;
    for (bool end = false;;) {
        uint64_t rows = 0;
        if (!task_next(t, 0, &block, &end, err))
            return false;
        if (end)
            return true;
        for (; block.n; rows++) {
            struct query_record q;
            struct str bytes;
            if (!query_record_read(&block, NULL, &q, &bytes))
                return err_set(err, ERR_SYSTEM, "a record of a query is damaged");
            if (q.searches >= c->min_searches)
                add(c, &q, bytes, task_arena(t));
        }
        if (!task_tick(t, rows, err))
            return false;
    }
}

static int by_searches(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->searches != y->searches)
        return x->searches > y->searches ? -1 : 1;
    return pair_text_compare(x->text, y->text);
}

static int by_text(const void *a, const void *b)
{
    return pair_text_compare(((const struct found *)a)->text, ((const struct found *)b)->text);
}

/* Returns how many go. */
static uint64_t fit(struct collecting *c)
{
    uint64_t all = c->count, bytes = 0;
    if (c->bytes <= c->max_bytes)
        return 0;
    qsort(c->list, c->count, sizeof *c->list, by_searches);
    for (c->count = 0; bytes + c->list[c->count].bytes.n <= c->max_bytes; c->count++)
        bytes += c->list[c->count].bytes.n;
    qsort(c->list, c->count, sizeof *c->list, by_text);
    return all - c->count;
}

static bool read_params(struct task *t, struct collecting *out, struct err *err)
{
    json_auto_t *root = json_parse(task_params(t), err);
    struct json_reader r;
    int64_t min_searches = 0, bytes = 0;
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "min_searches", JSON_REQUIRED, &min_searches);
    (void)json_get_i64(&r, "bytes", JSON_REQUIRED, &bytes);
    out->min_searches = (uint64_t)min_searches;
    out->max_bytes = (uint64_t)bytes;
    return json_reader_close(&r, err);
}

static bool run(struct task *t, struct err *err)
{
    struct collecting c = { .count = 0 };
    bool ok = read_params(t, &c, err) && read_all(t, &c, err);
    uint64_t left_out = ok ? fit(&c) : 0;
    ok = ok && task_collect(t, (struct str){ (const char *)&left_out, sizeof left_out }, err);
    for (size_t i = 0; ok && i < c.count; i++)
        ok = task_collect(t, c.list[i].bytes, err);
    mem_free(c.list);
    return ok;
}

const struct kernel kernel_query_log_collect = { QUERY_LOG_COLLECT_KERNEL, run };
