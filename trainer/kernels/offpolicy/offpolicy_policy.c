/* "offpolicy.policy@1": see offpolicy.h. */
#include <math.h>

#include "trainer/kernels/marked.h"
#include "trainer/kernels/offpolicy/decisions.h"
#include "trainer/kernels/offpolicy/policy.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/task_blocks.h"

struct asking {
    struct task *task;
    struct offpolicy_params params;
    struct marked_hashes marked;
    struct policy policy;
    struct decision *decisions;
    size_t count, room;
    struct policy_counts counts;
    struct buf rows;
    struct arena texts, arena; /* of all queries; of one */
};

/* ---- reading ---- */

static void keep(struct asking *a, const struct decision *d)
{
    if (a->count == a->room) {
        a->room = a->room ? 2 * a->room : 4096;
        a->decisions = mem_realloc(a->decisions, a->room * sizeof *a->decisions);
    }
    struct decision *to = &a->decisions[a->count++];
    *to = *d;
    to->query = arena_str(&a->texts, d->query);
    to->doc = arena_str(&a->texts, d->doc);
}

static bool read_block(void *arg, struct str block, uint64_t *out_rows, struct err *err)
{
    struct asking *a = arg;
    struct decision d[OFFPOLICY_POSITIONS_MAX];
    uint32_t n;
    for (*out_rows = 0; block.n; ++*out_rows) {
        if (!decisions_take(&block, d, &n))
            return err_set(err, ERR_SYSTEM, "a decision is damaged");
        for (uint32_t i = 0; i < n && !marked_has_hash(&a->marked, d[0].unit); i++)
            keep(a, &d[i]);
    }
    return true;
}

static bool read_all(struct asking *a, struct err *err)
{
    if (!task_blocks(a->task, read_block, a, err))
        return false;
    decisions_sort(a->decisions, a->count);
    return true;
}

/* ---- a query ---- */

struct places {
    double *shares; /* [positions][docs] */
    double unsupported[OFFPOLICY_POSITIONS_MAX];
    double expected[OFFPOLICY_FOLDS_MAX][OFFPOLICY_POSITIONS_MAX]; /* Σ π(a) q(a) */
};

static void ask_places(struct asking *a, const struct expected *e, struct places *p)
{
    p->shares = arena_alloc(&a->arena, (size_t)e->positions * e->docs * sizeof *p->shares);
    for (uint32_t at = 1; at <= e->positions; at++) {
        double *shares = p->shares + (size_t)(at - 1) * e->docs;
        policy_at(&a->policy, at, shares, &p->unsupported[at - 1]);
        for (uint32_t f = 0; f < e->folds; f++) {
            double sum = p->unsupported[at - 1] * expected_of(e, f, at, UINT32_MAX);
            for (uint32_t d = 0; d < e->docs; d++)
                sum += shares[d] > 0 ? shares[d] * expected_of(e, f, at, d) : 0;
            p->expected[f][at - 1] = sum;
        }
    }
}

static void write_row(struct asking *a, const struct decision *d, const struct expected *e, const struct places *p)
{
    const bool logged = a->params.target == TARGET_LOGGED;
    const uint32_t fold = offpolicy_fold(d->unit, e->folds), at = d->position - 1;
    struct policy_row row = { .unit = d->unit, .reward = d->reward, .pscore = d->propensity };
    row.target = logged ? d->target : p->shares[(size_t)at * e->docs + d->number];
    row.model = logged ? (double)NAN : expected_of(e, fold, d->position, d->number);
    row.model_target = logged ? (double)NAN : p->expected[fold][at];
    if (isnan(row.target)) {
        a->counts.silent++;
        return;
    }
    a->counts.unsupported += logged ? 0 : p->unsupported[at];
    record_put(&a->rows, &row, sizeof row);
}

static void ask_query(struct asking *a, struct decision *d, size_t count)
{
    struct expected e;
    struct places p = { .shares = NULL };
    struct str *docs;
    arena_reset(&a->arena);
    expected_make(d, count, &a->params, &a->arena, &e, &docs);
    a->counts.queries++;
    a->counts.decisions += count;
    if (!policy_query(&a->policy, d->query, docs, e.docs, &a->arena)) {
        a->counts.silent += count;
        return;
    }
    if (a->params.target != TARGET_LOGGED)
        ask_places(a, &e, &p);
    for (size_t i = 0; i < count; i++)
        write_row(a, &d[i], &e, &p);
}

static bool ask_all(struct asking *a, struct err *err)
{
    for (size_t from = 0, to; from < a->count; from = to) {
        for (to = from + 1; to < a->count && str_eq(a->decisions[to].query, a->decisions[from].query);)
            to++;
        ask_query(a, a->decisions + from, to - from);
        if (!task_tick(a->task, 0, err))
            return false;
    }
    return buf_ok(&a->rows, "the rows of decisions", err) &&
           task_collect(a->task, (struct str){ (const char *)&a->counts, sizeof a->counts }, err) &&
           task_collect(a->task, buf_str(&a->rows), err);
}

static bool run(struct task *t, struct err *err)
{
    struct asking *a = arena_zalloc(task_arena(t), sizeof *a);
    a->task = t;
    if (!offpolicy_params_read(task_params(t), task_arena(t), &a->params, err) || !marked_of_run(t, &a->marked, err) ||
        !policy_open(&a->policy, &a->params,
                     a->params.target == TARGET_MODEL ? task_blob(t, 0) : (struct str){ NULL, 0 }, task_arena(t), err))
        return false;
    arena_init(&a->texts, 1 << 16);
    arena_init(&a->arena, 1 << 16);
    buf_init(&a->rows, TASK_COLLECT_MAX - sizeof a->counts);
    const bool ok = read_all(a, err) && ask_all(a, err);
    buf_release(&a->rows);
    mem_free(a->decisions);
    arena_release(&a->arena);
    arena_release(&a->texts);
    return ok;
}

const struct kernel kernel_offpolicy_policy = { OFFPOLICY_POLICY_KERNEL, run };
