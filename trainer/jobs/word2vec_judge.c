#include "trainer/jobs/word2vec_judge.h"

#include <inttypes.h>
#include <math.h>

#include "model/vectors.h"
#include "trainer/kernels/word2vec/sgns.h"
#include "trainer/kernels/word2vec/word2vec.h"
#include "trainer/models/training.h"

#define BYTES_MAX ((size_t)16 << 30)
enum { SPLITS = 16, MODEL = 1, TABLES = 2, CHAMPION = 3, KNOWN = 4, BLOBS = 5 };

struct judging {
    const struct w2v_train *t;
    int version; /* of the champion; 0: there is none */
    uint32_t champion_dims;
    int blobs[BLOBS];
    struct w2v_judged out;
};

/* ---- the champion by the candidate's numbers ---- */

static float *put_row(float *to, const float *from, uint32_t dims)
{
    memcpy(to, from, dims * sizeof *to);
    return to;
}

static bool turn(struct judging *j, const struct vectors *v, struct err *err)
{
    const struct corpus *c = j->t->corpus;
    const uint32_t dims = v->words.rank;
    const size_t stride = sgns_stride(dims), half = c->words * stride;
    float *rows = mem_zalloc((2 * half + dims) * sizeof *rows), *row = rows + 2 * half;
    uint8_t *known = mem_zalloc(c->words);
    for (uint32_t i = 0; i < c->words; i++) {
        uint32_t number;
        if (!factors_find(&v->words, c->texts[i], &number))
            continue;
        known[i] = 1;
        factors_vector(&v->words, number, row);
        put_row(rows + i * stride, row, dims);
        memcpy(rows + half + i * stride, v->contexts.p + (size_t)number * dims * sizeof *row, dims * sizeof *row);
    }
    struct engine *e = j->t->run->engine;
    j->blobs[CHAMPION] = engine_blob(e, (struct str){ (const char *)rows, 2 * half * sizeof *rows }, err);
    if (j->blobs[CHAMPION] >= 0)
        j->blobs[KNOWN] = engine_blob(e, (struct str){ (const char *)known, c->words }, err);
    j->champion_dims = dims;
    mem_free(rows);
    mem_free(known);
    return j->blobs[CHAMPION] >= 0 && j->blobs[KNOWN] >= 0;
}

static bool load_champion(struct judging *j, struct err *err)
{
    struct run_context *run = j->t->run;
    AUTO(buf_release) struct buf file;
    struct artifact a;
    struct vectors v;
    buf_init(&file, ARTIFACT_BYTES_MAX);
    if (!training_champion(run, training_model(run), &file, &a, &j->version, err))
        return false;
    if (!j->version)
        return true;
    if (!vectors_open(&a, j->t->arena, &v, err))
        return err_prefix(err, "version %d, which is champion: ", j->version);
    if (!v.contexts.p)
        return err_set(err, ERR_INVALID,
                       "version %d, which is champion, has no section \"contexts\": it cannot be compared", j->version);
    return turn(j, &v, err);
}

/* ---- the pass ---- */

static bool merge(struct judging *j, const struct engine_result *result, struct err *err)
{
    struct moments2 parts[SPLITS];
    j->out = (struct w2v_judged){ .sentences = 0 };
    for (uint32_t i = 0; i < result->count; i++) {
        struct w2v_judged part;
        if (result->parts[i].n != sizeof part)
            return err_set(err, ERR_SYSTEM, "what was judged of part %u is damaged", i);
        memcpy(&part, result->parts[i].p, sizeof part);
        parts[i] = part.m;
        j->out.loss += part.loss;
        j->out.sentences += part.sentences;
    }
    j->out.m = moments2_tree(parts, result->count);
    return true;
}

static bool run_judge(struct judging *j, uint64_t sentences, struct err *err)
{
    const struct w2v_train *t = j->t;
    struct engine_split splits[SPLITS] = { { .weight = 1 } };
    struct engine_result result;
    for (uint64_t i = 0; i < SPLITS; i++) {
        splits[i].desc = arena_printf(t->arena, "%" PRIu64 " %" PRIu64, sentences * i / SPLITS,
                                      sentences * (i + 1) / SPLITS);
        splits[i].weight = 1;
    }
    const struct engine_pass pass = {
        .name = "judge",
        .kernel = W2V_JUDGE_KERNEL,
        .params = arena_printf(t->arena, "{\"dims\":%u,\"champion_dims\":%u,\"negative\":%u,\"window\":%u}", t->dims,
                               j->champion_dims, t->negative, t->window),
        .splits = splits,
        .splits_count = SPLITS,
        .input_pass = -1,
        .blobs = j->blobs,
        .blobs_count = j->version ? BLOBS : CHAMPION,
        .seed = 1, /* every version is asked for the same draws */
    };
    if (!run_pass(t->run, &pass, &result, err))
        return false;
    bool ok = merge(j, &result, err);
    engine_result_release(&result);
    return ok;
}

static bool judge(struct judging *j, struct err *err)
{
    const struct sentences s = corpus_sentences(&j->t->corpus->held);
    struct engine *e = j->t->run->engine;
    AUTO(buf_release) struct buf b;
    buf_init(&b, BYTES_MAX);
    sentences_write(&b, &s);
    for (int i = 0; i < BLOBS; i++)
        j->blobs[i] = -1;
    bool ok = buf_ok(&b, "the sentences", err) && load_champion(j, err);
    j->blobs[0] = ok ? engine_blob(e, buf_str(&b), err) : -1;
    j->blobs[MODEL] = j->t->model_blob;
    j->blobs[TABLES] = j->t->tables_blob;
    ok = ok && j->blobs[0] >= 0 && (s.count == 0 || run_judge(j, s.count, err));
    for (int i = 0; i < BLOBS; i++)
        if (i != MODEL && i != TABLES && j->blobs[i] >= 0)
            engine_blob_drop(e, j->blobs[i]);
    return ok;
}

/* ---- the decision ---- */

bool w2v_judge(const struct w2v_train *t, struct gate_outcome *out, struct buf *metrics_json, struct err *err)
{
    struct gate_rules rules = gate_rules_of(t->run);
    struct judging j = { .t = t };
    const bool holdout = run_real(t->run, "holdout") > 0;
    if (!judge(&j, err))
        return false;
    const double held = j.out.sentences ? j.out.loss / (double)j.out.sentences : (double)NAN;
    const struct gate_bound bounds[] = { { "heldout_loss", held, NAN, NAN, NAN },
                                         { "loss", t->loss, NAN, NAN, NAN },
                                         { "words", (double)t->corpus->words, NAN, NAN, NAN } };
    const struct gate_metric metric = { "skill", j.out.m };
    if (!holdout)
        rules.rule = GATE_NONE;
    gate_decide(&rules, &metric, holdout ? 1 : 0, bounds, COUNT_OF(bounds), j.version, out);
    gate_metrics_json(&rules, &metric, holdout ? 1 : 0, bounds, COUNT_OF(bounds), j.version > 0, metrics_json);
    return buf_ok(metrics_json, "the metrics", err);
}
