/* "click_models.prepare@1": what searches of each query were shown → what click models depend on; and counts of all. */
#include <stdlib.h>

#include "base/json.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/click_models/click_models.h"
#include "trainer/kernels/serps/serp_each.h"

struct preparing {
    struct task *task;
    uint64_t min_sessions;
    struct arena arena; /* of a query */
    struct buf scratch;
    struct click_totals *totals;
};

/* ---- counts ---- */

static void add_pattern(struct click_totals *t, const struct serp_pattern *p)
{
    double n = (double)p->count;
    for (uint32_t r = 0; r < p->n; r++) {
        t->shown_at[r] += n;
        t->clicks_at[r] += p->clicked >> r & 1 ? n : 0;
    }
    if (p->clicked)
        t->last_at[63 - (uint32_t)__builtin_clzll(p->clicked)] += n;
}

static void add_totals(struct click_totals *t, const struct serp_query *q)
{
    t->queries++;
    t->documents += q->docs_count;
    t->sessions += (double)q->sessions;
    t->held += (double)q->held;
    t->clicks += (double)q->clicks;
    for (uint32_t i = 0; i < q->patterns_count; i++)
        add_pattern(t, &q->patterns[i]);
}

/* ---- randomised lists ---- */

/* Of one document at one position, in randomised searches: weighted by 1 / propensity. */
struct placed {
    double clicks, shown;
};

static struct placed *weigh(struct preparing *w, const struct serp_query *q)
{
    struct placed *at = NULL;
    for (uint32_t i = 0; i < q->patterns_count; i++) {
        const struct serp_pattern *p = &q->patterns[i];
        if (!p->propensities || p->count == 0)
            continue;
        if (!at)
            at = arena_zalloc(&w->arena, (q->docs_count + (size_t)1) * CLICK_POSITIONS * sizeof *at);
        for (uint32_t r = 0; r < p->n; r++) {
            struct placed *to = &at[(size_t)p->docs[r] * CLICK_POSITIONS + r];
            double weight = (double)p->count / (double)p->propensities[r];
            to->shown += weight;
            to->clicks += p->clicked >> r & 1 ? weight : 0;
        }
    }
    return at;
}

static void add_swaps(struct click_swaps *s, const struct placed *at, uint32_t docs)
{
    for (uint32_t r = 1; r < CLICK_POSITIONS; r++) {
        double v[CLICK_SWAP_SUMS] = { 0 };
        for (uint32_t d = 0; d < docs; d++) {
            const struct placed *first = &at[(size_t)d * CLICK_POSITIONS], *there = first + r;
            if (first->shown == 0 || there->shown == 0)
                continue;
            v[0] += there->clicks;
            v[1] += there->shown;
            v[2] += first->clicks;
            v[3] += first->shown;
        }
        s->queries[r] += v[1] > 0;
        for (int a = 0, k = 0; a < CLICK_SWAP_SUMS; a++) {
            s->sums[r][a] += v[a];
            for (int b = a; b < CLICK_SWAP_SUMS; b++)
                s->moments[r][k++] += v[a] * v[b];
        }
    }
}

/* ---- the pass ---- */

static bool emit(void *arg, struct str record, struct err *err)
{
    struct preparing *w = arg;
    return task_emit(w->task, 0, record, err);
}

static bool prepare(void *arg, const struct serp_query *s, struct err *err)
{
    struct preparing *w = arg;
    struct click_query q;
    if (s->sessions + s->held < w->min_sessions)
        return true;
    arena_reset(&w->arena);
    add_totals(w->totals, s);
    const struct placed *at = weigh(w, s);
    if (at)
        add_swaps(&w->totals->swaps, at, s->docs_count);
    return click_query_make(s, &w->arena, &q, err) && click_query_write(&q, &w->scratch, emit, w, err);
}

static bool read_params(struct task *t, struct preparing *out, struct err *err)
{
    json_auto_t *root = json_parse(task_params(t), err);
    struct json_reader r;
    int64_t min_sessions = 0;
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "min_sessions", JSON_REQUIRED, &min_sessions);
    out->min_sessions = (uint64_t)min_sessions;
    return json_reader_close(&r, err);
}

static bool run(struct task *t, struct err *err)
{
    struct preparing w = { .task = t };
    w.totals = arena_zalloc(task_arena(t), sizeof *w.totals);
    arena_init(&w.arena, 1 << 20);
    buf_init(&w.scratch, CLICK_QUERY_BYTES_MAX);
    bool ok = read_params(t, &w, err) && serp_each(t, prepare, &w, err) &&
              task_collect(t, (struct str){ (const char *)w.totals, sizeof *w.totals }, err);
    arena_release(&w.arena);
    buf_release(&w.scratch);
    return ok;
}

const struct kernel kernel_click_prepare = { CLICK_PREPARE_KERNEL, run };
