/* "content.similar@1": see content.h. */
#include "base/json.h"
#include "trainer/kernels/content/content.h"
#include "trainer/kernels/content/content_index.h"
#include "trainer/kernels/items/best.h"
#include "trainer/kernels/record.h"

enum { RECORD_MAX = 1 << 20, TICK_DOCUMENTS = 16 };

struct listing {
    struct task *task;
    struct content_index index;
    struct content_scores scores;
    struct best best;
    struct buf out;
    int64_t top;
    double min_score;
};

static bool read_params(struct listing *l, struct err *err)
{
    struct json_reader r;
    json_auto_t *root = json_parse(task_params(l->task), err);
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "top", JSON_REQUIRED, &l->top);
    (void)json_get_double(&r, "min_score", JSON_REQUIRED, &l->min_score);
    return json_reader_close(&r, err) && content_index_read(task_blob(l->task, 0), &l->index, err);
}

static bool list(struct listing *l, uint32_t document, struct err *err)
{
    content_scores_best(&l->scores, &l->index, document, l->min_score, &l->best);
    if (l->best.count == 0)
        return true;
    buf_clear(&l->out);
    record_put(&l->out, &document, sizeof document);
    record_put(&l->out, &l->best.count, sizeof l->best.count);
    for (uint32_t i = 0; i < l->best.count; i++) {
        const struct content_entry e = { l->best.entries[i].number, (float)l->best.entries[i].score };
        record_put(&l->out, &e, sizeof e);
    }
    return buf_ok(&l->out, "a list of documents", err) && task_collect(l->task, buf_str(&l->out), err);
}

static bool list_all(struct listing *l, struct err *err)
{
    struct str rest = task_desc(l->task), from, to;
    uint32_t first = 0, end = 0;
    if (!str_split(&rest, ' ', &from) || !str_split(&rest, ' ', &to) || !parse_u32(from, &first, err) ||
        !parse_u32(to, &end, err) || end > l->index.documents)
        return err_set(err, ERR_INVALID, "the split names no documents of the index");
    for (uint32_t d = first; d < end; d++)
        if (!list(l, d, err) || ((d - first) % TICK_DOCUMENTS == 0 && !task_tick(l->task, TICK_DOCUMENTS, err)))
            return false;
    return true;
}

static bool run(struct task *t, struct err *err)
{
    struct listing l = { .task = t };
    if (!read_params(&l, err))
        return false;
    content_scores_init(&l.scores, &l.index, task_arena(t));
    best_init(&l.best, (uint32_t)l.top, task_arena(t));
    buf_init(&l.out, RECORD_MAX);
    bool ok = list_all(&l, err);
    buf_release(&l.out);
    return ok;
}

const struct kernel kernel_content_similar = { CONTENT_SIMILAR_KERNEL, run };
