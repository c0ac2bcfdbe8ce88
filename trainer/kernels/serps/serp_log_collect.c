/* "serps.collect@1": queries → those with searches enough, and of these the most searched ones that fit. */
#include <stdlib.h>

#include "base/json.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/serps/serp_each.h"
#include "trainer/kernels/serps/serp_log.h"

struct found {
    struct str text, bytes; /* in the task's arena */
    uint64_t sessions;
};
struct collecting {
    struct task *task;
    struct buf scratch, bytes;
    struct found *list; /* sorted by text */
    size_t count, room;
    uint64_t total, min_sessions, max_bytes;
};

static bool add_bytes(void *arg, struct str record, struct err *err)
{
    struct collecting *c = arg;
    buf_add_str(&c->bytes, record);
    return buf_ok(&c->bytes, "what a query was shown", err);
}

static bool add(void *arg, const struct serp_query *q, struct err *err)
{
    struct collecting *c = arg;
    if (q->sessions + q->held < c->min_sessions)
        return true;
    buf_clear(&c->bytes);
    if (!serp_query_write(q, &c->scratch, add_bytes, c, err))
        return false;
    if (c->count == c->room) {
        c->room = c->room ? 2 * c->room : 1024;
        c->list = mem_realloc(c->list, c->room * sizeof *c->list);
    }
    struct arena *arena = task_arena(c->task);
    c->list[c->count++] = (struct found){ arena_str(arena, q->text), arena_str(arena, buf_str(&c->bytes)),
                                          q->sessions + q->held };
    c->total += c->bytes.n;
    return true;
}

static int by_sessions(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->sessions != y->sessions)
        return x->sessions > y->sessions ? -1 : 1;
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
    if (c->total <= c->max_bytes)
        return 0;
    qsort(c->list, c->count, sizeof *c->list, by_sessions);
    for (c->count = 0; bytes + c->list[c->count].bytes.n <= c->max_bytes; c->count++)
        bytes += c->list[c->count].bytes.n;
    qsort(c->list, c->count, sizeof *c->list, by_text);
    return all - c->count;
}

static bool read_params(struct task *t, struct collecting *out, struct err *err)
{
    json_auto_t *root = json_parse(task_params(t), err);
    struct json_reader r;
    int64_t min_sessions = 0, bytes = 0;
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "min_sessions", JSON_REQUIRED, &min_sessions);
    (void)json_get_i64(&r, "bytes", JSON_REQUIRED, &bytes);
    out->min_sessions = (uint64_t)min_sessions;
    out->max_bytes = (uint64_t)bytes;
    return json_reader_close(&r, err);
}

static bool run(struct task *t, struct err *err)
{
    enum { RECORD_MAX = 2 << 20 };
    struct collecting c = { .task = t };
    buf_init(&c.scratch, RECORD_MAX);
    buf_init(&c.bytes, TASK_COLLECT_MAX);
    bool ok = read_params(t, &c, err) && serp_each(t, add, &c, err);
    uint64_t left_out = ok ? fit(&c) : 0;
    ok = ok && task_collect(t, (struct str){ (const char *)&left_out, sizeof left_out }, err);
    for (size_t i = 0; ok && i < c.count; i++)
        ok = task_collect(t, c.list[i].bytes, err);
    buf_release(&c.scratch);
    buf_release(&c.bytes);
    mem_free(c.list);
    return ok;
}

const struct kernel kernel_serps_collect = { SERP_COLLECT_KERNEL, run };
