/* The job "query-intent": labelled texts → a classifier that says what a query is about.
 *
 * Texts are cut into n-grams on workers, weights found by L-BFGS over their gradients (classify_train.h), probabilities made right on texts that were held out for
 * that, and the version judged by others, beside the champion (classify_gate.h). */
#include <inttypes.h>

#include "base/clock.h"
#include "trainer/jobs/classify_gate.h"
#include "trainer/jobs/model_file.h"

enum { METRICS_MAX = 4 << 20 };

static bool write_section(struct classify_train *t, struct model_file *f, struct err *err)
{
    const uint32_t classes = t->labels.count;
    struct buf *b = model_file_section(f);
    const struct classifier_parts parts = { .rules = t->params.rules,
                                            .temperature = t->temperature,
                                            .labels = t->labels.labels,
                                            .classes = classes,
                                            .rows = t->params.rows,
                                            .bias = t->l.x,
                                            .slots = t->slots,
                                            .idf = t->idf,
                                            .weights = t->l.x + classes };
    if (!classifier_write(&parts, b, err))
        return false;
    artifact_add(&f->out, "classifier", buf_str(b));
    return true;
}

static bool publish_same(struct classify_train *t, const struct training *of, int version, struct err *err)
{
    run_result(t->run, "{\"model\":\"%s\",\"version\":%d,\"unchanged\":true}", of->model, version);
    run_say(t->run, "the model is as version %d has it", version);
    return run_publish_begin(t->run, err) && run_publish_end(t->run, err);
}

static bool judge_and_publish(struct classify_train *t, struct training *of, struct err *err)
{
    AUTO(buf_release) struct buf file, metrics;
    struct artifact champion;
    struct gate_outcome gate;
    int version;
    buf_init(&file, ARTIFACT_BYTES_MAX);
    buf_init(&metrics, METRICS_MAX);
    if (!training_champion(t->run, of->model, &file, &champion, &version, err))
        return false;
    if (version && strcmp(champion.digest, of->digest) == 0)
        return publish_same(t, of, version, err);
    if (!classify_gate(t, of->file, version ? buf_str(&file) : STR(""), version, &gate, &metrics, err))
        return false;
    of->metrics = buf_str(&metrics);
    return training_publish(t->run, of, &gate, err);
}

static bool publish(struct classify_train *t, struct model_file *f, struct err *err)
{
    const int32_t day = clock_day(t->read.updated_us);
    struct training of = { .model = training_model(t->run),
                           .from = INT32_MIN,
                           .until = day,
                           .eval_from = day + 1,
                           .eval_until = day,
                           .rows = t->counts.texts[CLASSIFY_TRAIN],
                           .items = t->labels.count };
    return write_section(t, f, err) && model_file_end(f, t->run, &of, err) && judge_and_publish(t, &of, err);
}

static bool run_query_intent(struct run_context *run, struct err *err)
{
    struct classify_train t = { .run = run };
    struct model_file file;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    model_file_begin(&file, CLASSIFIER_KIND);
    const bool ok = training_begin(run, CLASSIFIER_KIND, err) && classify_train_open(&t, run, &arena, err) &&
                    classify_train(&t, err) && publish(&t, &file, err);
    classify_train_release(&t);
    model_file_release(&file);
    arena_release(&arena);
    return ok;
}

const struct job job_query_intent = { "query-intent", run_query_intent };
