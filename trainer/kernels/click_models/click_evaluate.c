/* "click_models.evaluate@1", "click_models.spread@1": what each model says of the searches that are held out, and how much queries differ in it. */
#include <math.h>

#include "trainer/engine/task.h"
#include "trainer/kernels/click_models/click_models.h"
#include "trainer/kernels/click_models/click_score.h"

/* ---- perplexity ---- */

/* Σ log2 P of a query's held searches by position, and how many they are. */
struct bits {
    double bits[CLICK_POSITIONS], searches[CLICK_POSITIONS];
};

static void add_list(struct bits *b, const struct click_list *l, const double *clicked)
{
    double searches = 0;
    for (uint32_t r = 0; r <= l->n; r++)
        searches += l->last[r];
    for (uint32_t r = 0; r < l->n; r++) {
        double p = click_within(clicked[r]), clicks = l->clicks[r];
        b->bits[r] += clicks * log2(p) + (searches - clicks) * log2(1 - p);
        b->searches[r] += searches;
    }
}

static struct bits bits_of(const struct click_query *q, enum click_model m, const struct click_globals *g,
                           const struct click_params *p)
{
    struct bits b = { { 0 }, { 0 } };
    struct click_lists lists = q->held;
    struct click_list l;
    double clicked[CLICK_POSITIONS], looked[CLICK_POSITIONS];
    while (click_lists_next(&lists, true, &l)) {
        click_expect(m, g, p, l.docs, l.n, clicked, looked);
        add_list(&b, &l, clicked);
    }
    return b;
}

static void add_looked(const struct click_query *q, enum click_model m, const struct click_globals *g,
                       const struct click_params *p, double *to, double *trained)
{
    struct click_lists lists = q->train;
    struct click_list l;
    double clicked[CLICK_POSITIONS], looked[CLICK_POSITIONS];
    while (click_lists_next(&lists, false, &l)) {
        double searches = 0;
        for (uint32_t r = 0; r <= l.n; r++)
            searches += l.last[r];
        click_expect(m, g, p, l.docs, l.n, clicked, looked);
        for (uint32_t r = 0; r < l.n; r++) {
            to[r] += searches * looked[r];
            trained[r] += m == 0 ? searches : 0;
        }
    }
}

struct evaluating {
    struct click_globals g;
    struct click_evaluation *out;
    struct click_means *means;
    struct click_spread *spread;
    struct arena arena; /* of a query */
};

static bool evaluate(void *arg, struct click_query *q, struct err *err)
{
    struct evaluating *e = arg;
    (void)err;
    arena_reset(&e->arena);
    struct click_params *p = arena_alloc(&e->arena, (q->docs_count + (size_t)1) * sizeof *p);
    double *room = arena_alloc(&e->arena, (q->docs_count + (size_t)1) * 2 * sizeof *room);
    for (int m = 0; m < CLICK_MODEL_COUNT; m++) {
        uint64_t shown;
        click_params_of(q, (enum click_model)m, &e->g, p);
        double l = click_loglikelihood(q, (enum click_model)m, &e->g, p, room, &shown);
        add_looked(q, (enum click_model)m, &e->g, p, e->out->looked[m], e->out->trained);
        if (shown == 0)
            continue;
        moments2_add(&e->out->loglikelihood[m], l, (double)shown);
        struct bits b = bits_of(q, (enum click_model)m, &e->g, p);
        for (int r = 0; r < CLICK_POSITIONS; r++) {
            e->out->bits[m][r] += b.bits[r];
            e->out->searches[r] += m == 0 ? b.searches[r] : 0;
        }
    }
    return true;
}

static bool run_evaluate(struct task *t, struct err *err)
{
    struct evaluating e = { .out = arena_zalloc(task_arena(t), sizeof *e.out) };
    arena_init(&e.arena, 1 << 16);
    bool ok = click_blob(t, 0, &e.g, sizeof e.g, err) && click_each(t, evaluate, &e, err) &&
              task_collect(t, (struct str){ (const char *)e.out, sizeof *e.out }, err);
    arena_release(&e.arena);
    return ok;
}

const struct kernel kernel_click_evaluate = { CLICK_EVALUATE_KERNEL, run_evaluate };

/* ---- spread ---- */

/* Perplexity at r is 2^(-B / N), of sums over queries. What one query moves it by: -ln 2 · 2^(-B/N) · (b - B/N · n) / N. */
static void add_spread(struct click_spread *s, int m, const struct bits *b, const struct click_means *means)
{
    double all = 0;
    for (uint32_t r = 0; r < means->positions; r++) {
        double mean = means->bits[m][r],
               moved = -log(2) * exp2(-mean) * (b->bits[r] - mean * b->searches[r]) / means->searches[r];
        s->at[m][r] += moved * moved;
        all += moved / means->positions;
    }
    s->all[m] += all * all;
}

static bool spread(void *arg, struct click_query *q, struct err *err)
{
    struct evaluating *e = arg;
    (void)err;
    arena_reset(&e->arena);
    struct click_params *p = arena_alloc(&e->arena, (q->docs_count + (size_t)1) * sizeof *p);
    for (int m = 0; m < CLICK_MODEL_COUNT && q->held.count; m++) {
        click_params_of(q, (enum click_model)m, &e->g, p);
        struct bits b = bits_of(q, (enum click_model)m, &e->g, p);
        add_spread(e->spread, m, &b, e->means);
    }
    return true;
}

static bool run_spread(struct task *t, struct err *err)
{
    struct evaluating e = { .spread = arena_zalloc(task_arena(t), sizeof *e.spread),
                            .means = arena_alloc(task_arena(t), sizeof *e.means) };
    arena_init(&e.arena, 1 << 16);
    bool ok = click_blob(t, 0, &e.g, sizeof e.g, err) && click_blob(t, 1, e.means, sizeof *e.means, err) &&
              click_each(t, spread, &e, err) &&
              task_collect(t, (struct str){ (const char *)e.spread, sizeof *e.spread }, err);
    arena_release(&e.arena);
    return ok;
}

const struct kernel kernel_click_spread = { CLICK_SPREAD_KERNEL, run_spread };
