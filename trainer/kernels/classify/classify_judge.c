/* "classify.judge@1": see classify.h. */
#include "trainer/kernels/classify/class_scores.h"
#include "trainer/kernels/classify/classify.h"

struct side {
    struct classifier c;
    struct classifier_work *work;
    uint32_t *own; /* of each of its classes: the label's number, or UINT32_MAX */
    double *p;     /* by the labels' numbers */
    struct class_said said;
};
struct judging {
    struct task *task;
    struct classify_params params;
    struct classify_labels labels;
    struct side candidate, champion;
    struct example example;
    struct class_scores scores;
};

static bool open_side(struct judging *j, size_t blob, struct side *s, struct err *err)
{
    struct arena *arena = task_arena(j->task);
    struct artifact a;
    if (!artifact_read(task_blob(j->task, blob), &a, err) || !classifier_open(&a, &s->c, err))
        return false;
    s->work = arena_alloc(arena, sizeof *s->work);
    s->own = arena_alloc(arena, s->c.classes * sizeof *s->own);
    s->p = arena_zalloc(arena, (j->labels.count + 1) * sizeof *s->p);
    for (uint32_t k = 0; k < s->c.classes; k++)
        s->own[k] = classify_label_find(&j->labels, classifier_label(&s->c, k));
    return true;
}

static void ask(struct side *s, struct str text)
{
    struct classifier_best best[SCORES_TOP];
    classifier_predict(&s->c, text, s->work);
    for (uint32_t k = 0; k < s->c.classes; k++)
        if (s->own[k] != UINT32_MAX)
            s->p[s->own[k]] = s->work->p[k];
    s->said = (struct class_said){ .p = s->p, .best_count = classifier_best(&s->c, s->work, SCORES_TOP, best) };
    s->said.best_p = best[0].p;
    for (uint32_t i = 0; i < s->said.best_count; i++)
        s->said.best[i] = s->own[best[i].class];
}

static bool judge_block(struct judging *j, struct str block, struct err *err)
{
    uint64_t count = 0;
    for (; block.n; count++) {
        if (!example_text_read(&block, j->params.classes, &j->example))
            return err_set(err, ERR_SYSTEM, "a labelled text is damaged");
        ask(&j->candidate, j->example.text);
        if (j->params.champion)
            ask(&j->champion, j->example.text);
        class_scores_add(&j->scores, &j->example, classify_group_of(&j->candidate.work->text, SCORES_GROUPS),
                         &j->candidate.said, j->params.champion ? &j->champion.said : NULL);
    }
    return task_tick(j->task, count, err);
}

static bool judge_all(struct judging *j, struct err *err)
{
    struct str block;
    for (bool end = false;;) {
        if (!task_next(j->task, 0, &block, &end, err))
            return false;
        if (end)
            return true;
        if (!judge_block(j, block, err))
            return false;
    }
}

static bool run(struct task *t, struct err *err)
{
    struct judging *j = arena_zalloc(task_arena(t), sizeof *j);
    AUTO(buf_release) struct buf b;
    j->task = t;
    buf_init(&b, TASK_COLLECT_MAX);
    if (!classify_params_read(task_params(t), task_arena(t), &j->params, err) ||
        !classify_labels_read(task_blob(t, 0), task_arena(t), &j->labels, err) ||
        !open_side(j, 1, &j->candidate, err) || (j->params.champion && !open_side(j, 2, &j->champion, err)))
        return false;
    example_init(&j->example, task_arena(t));
    class_scores_init(&j->scores, j->labels.count, j->params.champion, task_arena(t));
    if (!judge_all(j, err))
        return false;
    class_scores_write(&j->scores, &b);
    return buf_ok(&b, "the scores", err) && task_collect(t, buf_str(&b), err);
}

const struct kernel kernel_classify_judge = { CLASSIFY_JUDGE_KERNEL, run };
