#include "trainer/kernels/signals/log_collect.h"

#include <stdlib.h>

#include "base/json.h"
#include "trainer/kernels/pair_table.h"

struct found {
    struct str text, bytes; /* in the task's arena */
    uint64_t searches;
};
struct log_collect {
    struct arena *arena;
    struct found *list; /* sorted by text */
    size_t count, room;
    uint64_t bytes, min_searches, max_bytes;
};

bool log_collect_wants(const struct log_collect *c, uint64_t searches)
{
    return searches >= c->min_searches;
}

void log_collect_add(struct log_collect *c, struct str text, uint64_t searches, struct str records)
{
    if (c->count == c->room) {
        c->room = c->room ? 2 * c->room : 1024;
        c->list = mem_realloc(c->list, c->room * sizeof *c->list);
    }
    c->list[c->count++] = (struct found){ arena_str(c->arena, text), arena_str(c->arena, records), searches };
    c->bytes += records.n;
}

static int by_searches(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->searches != y->searches)
        return x->searches > y->searches ? -1 : 1;
    return pair_text_compare(x->text, y->text);
}

/* Returns how many go. */
static uint64_t fit(struct log_collect *c)
{
    uint64_t all = c->count, bytes = 0;
    if (c->bytes <= c->max_bytes)
        return 0;
    qsort(c->list, c->count, sizeof *c->list, by_searches);
    for (c->count = 0; bytes + c->list[c->count].bytes.n <= c->max_bytes; c->count++)
        bytes += c->list[c->count].bytes.n;
    qsort(c->list, c->count, sizeof *c->list, pair_text_first);
    return all - c->count;
}

static bool read_params(struct task *t, struct log_collect *out, struct err *err)
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

bool log_collect_run(struct task *t, log_collect_fn read, struct err *err)
{
    struct log_collect c = { .arena = task_arena(t) };
    bool ok = read_params(t, &c, err) && read(t, &c, err);
    uint64_t left_out = ok ? fit(&c) : 0;
    ok = ok && task_collect(t, (struct str){ (const char *)&left_out, sizeof left_out }, err);
    for (size_t i = 0; ok && i < c.count; i++)
        ok = task_collect(t, c.list[i].bytes, err);
    mem_free(c.list);
    return ok;
}
