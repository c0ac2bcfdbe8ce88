/* "click_models.documents@1": queries with their parameters → relevance of their documents, by one model. */
#include <stdlib.h>

#include "base/json.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/click_models/click_models.h"
#include "trainer/kernels/click_models/click_score.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/record.h"

struct telling {
    struct task *task;
    struct click_globals g;
    enum click_model model;
    struct buf record;
};

struct told {
    struct str doc;
    float values[CLICK_COLUMNS];
};

/* The most relevant first; of equal ones by text. */
static int by_relevance(const void *a, const void *b)
{
    const struct told *x = a, *y = b;
    if (x->values[CLICK_RELEVANCE] != y->values[CLICK_RELEVANCE])
        return x->values[CLICK_RELEVANCE] > y->values[CLICK_RELEVANCE] ? -1 : 1;
    return pair_text_compare(x->doc, y->doc);
}

/* Documents that were shown in what was trained on. Returns how many. */
static uint32_t tell_docs(const struct telling *t, const struct click_query *q, struct told *out)
{
    struct click_relevance *all = mem_alloc((q->docs_count + (size_t)1) * sizeof *all);
    uint32_t n = 0;
    click_relevance_of(q, t->model, &t->g, all);
    for (uint32_t d = 0; d < q->docs_count; d++) {
        const struct click_relevance *r = &all[d];
        const struct click_sums *s = &q->of[d].train;
        if (s->shown)
            out[n++] = (struct told){ q->docs[d],
                                      { (float)r->relevance, (float)r->attractiveness, (float)r->satisfaction,
                                        (float)r->low, (float)r->high, (float)s->shown, (float)s->clicks } };
    }
    mem_free(all);
    return n;
}

static bool tell(void *arg, struct click_query *q, struct err *err)
{
    struct telling *t = arg;
    struct told *docs = mem_alloc((q->docs_count + (size_t)1) * sizeof *docs);
    uint32_t n = tell_docs(t, q, docs);
    qsort(docs, n, sizeof *docs, by_relevance);
    buf_clear(&t->record);
    record_put_text(&t->record, q->text);
    record_put(&t->record, &n, sizeof n);
    for (uint32_t i = 0; i < n; i++) {
        record_put_text(&t->record, docs[i].doc);
        record_put(&t->record, docs[i].values, sizeof docs[i].values);
    }
    mem_free(docs);
    return n == 0 ||
           (buf_ok(&t->record, "the documents of a query", err) && task_collect(t->task, buf_str(&t->record), err));
}

static bool read_params(struct task *t, enum click_model *out, struct err *err)
{
    json_auto_t *root = json_parse(task_params(t), err);
    struct json_reader r;
    struct str name = { NULL, 0 };
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_str(&r, "model", JSON_REQUIRED, &name, task_arena(t));
    *out = click_model_named(name);
    if (*out == CLICK_MODEL_COUNT)
        (void)json_fail(&r, "model", "is no click model");
    return json_reader_close(&r, err);
}

static bool run(struct task *t, struct err *err)
{
    struct telling w = { .task = t };
    buf_init(&w.record, TASK_COLLECT_MAX);
    bool ok = read_params(t, &w.model, err) && click_blob(t, 0, &w.g, sizeof w.g, err) && click_each(t, tell, &w, err);
    buf_release(&w.record);
    return ok;
}

const struct kernel kernel_click_documents = { CLICK_DOCUMENTS_KERNEL, run };
