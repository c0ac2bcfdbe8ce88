/* "clusters.judge@1": see clusters.h. Both models are asked by the code that serves them, each for the fields and words that it was trained on. */
#include "base/json.h"
#include "model/clusters.h"
#include "trainer/kernels/clusters/clusters.h"
#include "trainer/kernels/content/content_read.h"

enum { MODELS = 2, CANDIDATE = 0, CHAMPION = 1 };

struct asked {
    struct artifact artifact;
    struct clusters clusters;
    struct clusters_text *text;
    struct signal_weights fields;
};

struct judging {
    struct task *task;
    double holdout;
    bool champion;
    struct asked models[MODELS];
    struct clusters_judged out;
};

static bool read_params(struct judging *j, struct err *err)
{
    struct json_reader r;
    json_auto_t *root = json_parse(task_params(j->task), err);
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_double(&r, "holdout", JSON_REQUIRED, &j->holdout);
    (void)json_get_bool(&r, "champion", JSON_REQUIRED, &j->champion);
    return json_reader_close(&r, err);
}

static bool open_model(struct judging *j, int which, struct err *err)
{
    struct asked *m = &j->models[which];
    struct arena *arena = task_arena(j->task);
    if (!artifact_read(task_blob(j->task, (size_t)which), &m->artifact, err) ||
        !clusters_open(&m->artifact, arena, &m->clusters, err))
        return false;
    if (!m->clusters.has_space)
        return err_set(err, ERR_INVALID, "a model without centres judges no documents");
    m->text = clusters_text_new(&m->clusters, arena);
    return signal_weights_read(m->clusters.fields, arena, &m->fields, err);
}

static void add_text(void *arg, struct str text, double weight)
{
    clusters_text_add(arg, text, weight);
}

static bool place(struct asked *m, const json_t *fields, double out[CLUSTERS_METRIC_COUNT])
{
    struct clusters_near near;
    content_texts(fields, &m->fields, add_text, m->text);
    const bool found = clusters_text_near(m->text, &near);
    out[CLUSTERS_SILHOUETTE] = found ? clusters_silhouette(near.cosine, near.second_cosine) : 0;
    out[CLUSTERS_COHESION] = found ? near.cosine : 0;
    return found;
}

static bool add_document(void *arg, struct str doc, const json_t *fields, struct err *err)
{
    struct judging *j = arg;
    double values[MODELS][CLUSTERS_METRIC_COUNT];
    (void)err;
    if (!clusters_held_out(doc, j->holdout))
        return true;
    j->out.documents++;
    j->out.found += place(&j->models[CANDIDATE], fields, values[CANDIDATE]);
    if (j->champion)
        (void)place(&j->models[CHAMPION], fields, values[CHAMPION]);
    for (int i = 0; i < CLUSTERS_METRIC_COUNT; i++)
        moments2_add(&j->out.m[i], values[CANDIDATE][i], values[j->champion ? CHAMPION : CANDIDATE][i]);
    return true;
}

static bool run(struct task *t, struct err *err)
{
    struct judging *j = arena_zalloc(task_arena(t), sizeof *j);
    j->task = t;
    return read_params(j, err) && open_model(j, CANDIDATE, err) && (!j->champion || open_model(j, CHAMPION, err)) &&
           content_rows(t, add_document, j, err) &&
           task_collect(t, (struct str){ (const char *)&j->out, sizeof j->out }, err);
}

const struct kernel kernel_clusters_judge = { CLUSTERS_JUDGE_KERNEL, run };
