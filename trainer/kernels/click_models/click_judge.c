/* "click_models.judge@1": candidate and champion, as artifacts, asked for the searches that are held out. */
#include "model/clicks.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/click_models/click_models.h"
#include "trainer/kernels/click_models/click_score.h"
#include "trainer/kernels/intern.h"

struct judging {
    struct clicks models[2];
    size_t count;
    struct click_judged *out;
};

/* What the artifact knows of the query's documents. */
static void look_up(const struct clicks *c, const struct click_query *q, const struct intern *docs,
                    struct click_params *out)
{
    struct lists_row row;
    for (uint32_t d = 0; d < q->docs_count; d++)
        out[d] = click_params_unknown(c->model, &c->g);
    if (!lists_find(&c->documents, q->text, &row))
        return;
    for (uint32_t i = row.first; i < row.first + row.count; i++) {
        uint32_t d = intern_find(docs, lists_entry(&c->documents, i));
        if (d != UINT32_MAX)
            out[d] = clicks_params(c, i);
    }
}

static bool judge(void *arg, struct click_query *q, struct err *err)
{
    struct judging *j = arg;
    double l[2] = { 0, 0 };
    uint64_t shown = 0;
    struct intern docs;
    (void)err;
    if (q->held.count == 0)
        return true;
    struct click_params *p = mem_alloc((q->docs_count + (size_t)1) * sizeof *p);
    double *room = mem_alloc((q->docs_count + (size_t)1) * 2 * sizeof *room);
    intern_init(&docs);
    for (uint32_t d = 0; d < q->docs_count; d++)
        (void)intern_add(&docs, q->docs[d]);
    for (size_t i = 0; i < j->count; i++) {
        look_up(&j->models[i], q, &docs, p);
        l[i] = click_loglikelihood(q, j->models[i].model, &j->models[i].g, p, room, &shown);
    }
    l[1] = j->count == 2 ? l[1] : l[0];
    moments2_add(&j->out->an, l[0], (double)shown);
    moments2_add(&j->out->bn, l[1], (double)shown);
    moments2_add(&j->out->ab, l[0], l[1]);
    intern_release(&docs);
    mem_free(p);
    mem_free(room);
    return true;
}

static bool open_blobs(struct task *t, struct judging *j, struct err *err)
{
    for (; j->count < 2 && task_blob(t, j->count).n; j->count++) {
        struct artifact a;
        if (!artifact_read(task_blob(t, j->count), &a, err) || !clicks_open(&a, &j->models[j->count], err))
            return false;
    }
    return true;
}

static bool run(struct task *t, struct err *err)
{
    struct judging j = { .out = arena_zalloc(task_arena(t), sizeof *j.out) };
    return open_blobs(t, &j, err) && click_each(t, judge, &j, err) &&
           task_collect(t, (struct str){ (const char *)j.out, sizeof *j.out }, err);
}

const struct kernel kernel_click_judge = { CLICK_JUDGE_KERNEL, run };
