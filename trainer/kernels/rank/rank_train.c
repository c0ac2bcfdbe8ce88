/* "rank.train@1": rank.h. Memory: the queries of the split and, with trees, what XGBoost makes of them, which is not counted. */
#include "model/ranker.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/rank/linear.h"
#include "trainer/kernels/rank/rank.h"
#include "trainer/kernels/rank/trees.h"

enum { SECTION_MAX = 1 << 30 };

struct training {
    struct task *task;
    struct rank_params params;
    struct rank_data whole, learned, held;
    bool fold;
};

static bool tick(void *arg, struct err *err)
{
    const struct training *t = arg;
    return task_tick(t->task, 0, err);
}

static bool collect(const struct training *t, const void *p, size_t n, struct err *err)
{
    return task_collect(t->task, (struct str){ p, n }, err);
}

/* ---- what comes of it ---- */

static bool give_curve(const struct training *t, const double *curve, uint32_t rounds, struct err *err)
{
    struct rank_curve c = { .queries = t->held.queries, .rounds = rounds };
    for (uint32_t q = 0; q < t->held.queries; q++)
        c.weight += (double)t->held.weights[q];
    return collect(t, &c, sizeof c, err) && collect(t, curve, rounds * sizeof *curve, err);
}

static bool give_section(const struct training *t, const struct buf *section, struct err *err)
{
    return buf_ok(section, "the ranker", err) && collect(t, section->p, section->n, err);
}

/* ---- training ---- */

static bool train_trees(struct training *t, struct err *err)
{
    struct arena *arena = task_arena(t->task);
    struct ranker_forest forest;
    struct trees_watch watch = { .tick = tick, .arg = t, .judge = t->fold ? &t->held : NULL };
    watch.curve = arena_zalloc(arena, (t->params.trees + 1) * sizeof *watch.curve);
    if (!trees_train(&t->learned, &t->params, &watch, arena, &forest, err))
        return false;
    if (t->fold)
        return give_curve(t, watch.curve, watch.rounds, err);
    AUTO(buf_release) struct buf section;
    buf_init(&section, SECTION_MAX);
    return ranker_forest_write(&forest, &section, err) && give_section(t, &section, err);
}

static bool train_linear(struct training *t, struct err *err)
{
    struct arena *arena = task_arena(t->task);
    struct linear l;
    if (!linear_train(&t->learned, &t->params, tick, t, arena, &l, err))
        return false;
    if (t->fold) {
        float *scores = arena_alloc(arena, (t->held.rows + 1) * sizeof *scores);
        linear_score(&l, &t->held, scores);
        struct lambda *judge = lambda_new(&t->held, &t->params.lambda);
        double ndcg = lambda_ndcg(judge, scores);
        lambda_free(judge);
        return give_curve(t, &ndcg, 1, err);
    }
    AUTO(buf_release) struct buf section;
    struct ranker_out o;
    buf_init(&section, SECTION_MAX);
    ranker_begin(&o, RANKER_LINEAR, t->params.names, t->params.features);
    ranker_linear(&o, l.weights, l.means, l.scales);
    return ranker_end(&o, &section, err) && give_section(t, &section, err);
}

/* "fold I N" or "all" */
static bool open_split(struct training *t, struct err *err)
{
    struct str rest = task_desc(t->task), word, part;
    struct rank_part p = { 0, 0 };
    t->fold = str_split(&rest, ' ', &word) && str_eq_c(word, "fold");
    if (t->fold && (!str_split(&rest, ' ', &part) || !parse_u32(part, &p.part, NULL) ||
                    !parse_u32(rest, &p.parts, NULL) || p.part >= p.parts))
        return err_set(err, ERR_INVALID, "the split is no part of parts");
    if (!t->fold) {
        t->learned = t->whole;
        return true;
    }
    rank_data_part(&t->whole, p, false, task_arena(t->task), &t->learned);
    rank_data_part(&t->whole, p, true, task_arena(t->task), &t->held);
    return true;
}

static bool run(struct task *task, struct err *err)
{
    struct training t = { .task = task };
    if (!rank_params_read(task_params(task), task_arena(task), &t.params, err) ||
        !rank_data_read(task_blob(task, 0), &t.whole, err) || !open_split(&t, err))
        return false;
    if (t.whole.features != t.params.features)
        return err_set(err, ERR_INVALID, "the training data has %u features, not %u", t.whole.features,
                       t.params.features);
    if (t.fold && (t.held.queries == 0 || t.learned.queries == 0))
        return give_curve(&t, NULL, 0, err);
    return task_tick(task, t.whole.rows, err) &&
           (t.params.objective == RANK_LAMBDAMART ? train_trees(&t, err) : train_linear(&t, err));
}

const struct kernel kernel_rank_train = { RANK_TRAIN_KERNEL, run };
