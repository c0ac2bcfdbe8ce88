/* What the job "golden" does with rows: statistics of each split, an exchange of counts by document, gradients of a logistic regression, and the
 * counts of a part of the documents as rows to be published. */
#include <math.h>
#include <unistd.h>

#include "base/pg.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/golden.h"

enum { ROW_MAX = 256, STEP_MB = 1 };

static bool collect(struct task *t, const void *p, size_t n, struct err *err)
{
    return task_collect(t, (struct str){ p, n }, err);
}

/* ---- golden.stats ---- */

struct stats_of {
    struct golden_stats stats;
    uint64_t rows;
};

static bool add_stats(void *arg, const struct golden_row *row, struct err *err)
{
    struct stats_of *s = arg;
    s->rows++;
    if (row->clicked > 1)
        return err_set(err, ERR_INVALID, "row %llu: clicked is %u, neither 0 nor 1", (unsigned long long)s->rows,
                       row->clicked);
    for (unsigned k = 0; k < GOLDEN_FEATURES; k++)
        moments_add(&s->stats.x[k], row->x[k]);
    moments_add(&s->stats.clicked, row->clicked);
    return true;
}

/* A kernel that is stuck. */
static void hang(void)
{
    for (;;)
        (void)pause();
}

static bool hold(struct task *t, uint32_t mb, struct err *err)
{
    for (uint32_t i = 0; i < mb; i += STEP_MB) {
        memset(arena_alloc(task_arena(t), (size_t)STEP_MB << 20), 1, (size_t)STEP_MB << 20);
        if (!task_tick(t, 0, err))
            return false;
    }
    return true;
}

static bool run_stats(struct task *t, struct err *err)
{
    struct golden_params p;
    struct stats_of s = { .rows = 0 };
    if (!golden_params_read(task_params(t), &p, task_arena(t), err))
        return false;
    bool chosen = task_split(t) == p.fault_split;
    if (chosen && p.fault == GOLDEN_HANG)
        hang();
    if (chosen && p.fault == GOLDEN_HOG && !hold(t, p.hog_mb, err))
        return false;
    return golden_each_row(t, 0, p.fault == GOLDEN_SLOW ? p.slow_ms : 0, add_stats, &s, err) &&
           collect(t, &s.stats, sizeof s.stats, err);
}

const struct kernel kernel_golden_stats = { "golden.stats@1", run_stats };

/* ---- golden.counts ---- */

struct counts_of {
    struct golden_count *docs;
    uint32_t docs_count;
};

static bool add_count(void *arg, const struct golden_row *row, struct err *err)
{
    struct counts_of *c = arg;
    if (row->doc >= c->docs_count)
        return err_set(err, ERR_INVALID, "document %u of %u", row->doc, c->docs_count);
    struct golden_count *d = &c->docs[row->doc];
    d->rows++;
    d->clicks += row->clicked;
    d->weight += row->clicked ? row->x[0] : 0;
    return true;
}

static bool run_counts(struct task *t, struct err *err)
{
    struct golden_params p;
    if (!golden_params_read(task_params(t), &p, task_arena(t), err))
        return false;
    struct counts_of c = { arena_zalloc(task_arena(t), p.docs * sizeof *c.docs), p.docs };
    bool ok = golden_each_row(t, 0, 0, add_count, &c, err);
    for (uint32_t d = 0; ok && d < p.docs; d++) {
        c.docs[d].doc = d;
        if (c.docs[d].rows)
            ok = task_emit(t, d % task_parts(t), (struct str){ (const char *)&c.docs[d], sizeof c.docs[d] }, err);
    }
    return ok;
}

const struct kernel kernel_golden_counts = { "golden.counts@1", run_counts };

/* ---- golden.gradient ---- */

struct gradient_of {
    struct golden_weights w;
    struct golden_gradient g;
};

static bool add_gradient(void *arg, const struct golden_row *row, struct err *err)
{
    struct gradient_of *s = arg;
    double z = s->w.w[GOLDEN_FEATURES];
    (void)err;
    for (unsigned k = 0; k < GOLDEN_FEATURES; k++)
        z += s->w.w[k] * row->x[k];
    double p = 1 / (1 + exp(-z)), wrong = p - row->clicked;
    for (unsigned k = 0; k < GOLDEN_FEATURES; k++)
        s->g.g[k] += wrong * row->x[k];
    s->g.g[GOLDEN_FEATURES] += wrong;
    s->g.loss -= log(row->clicked ? p : 1 - p);
    s->g.rows++;
    return true;
}

static bool run_gradient(struct task *t, struct err *err)
{
    struct gradient_of s = { .g = { .rows = 0 } };
    struct str weights = task_blob(t, 0);
    if (weights.n != sizeof s.w)
        return err_set(err, ERR_INVALID, "the blob has %zu bytes, not those of the weights", weights.n);
    memcpy(&s.w, weights.p, sizeof s.w);
    return golden_each_row(t, 0, 0, add_gradient, &s, err) && collect(t, &s.g, sizeof s.g, err);
}

const struct kernel kernel_golden_gradient = { "golden.gradient@1", run_gradient };

/* ---- golden.docs ---- */

static bool add_parts(struct task *t, const struct golden_params *p, struct golden_count *docs, struct err *err)
{
    for (size_t i = 0; i < task_inputs(t); i++) {
        struct str block;
        bool end = false;
        while (!end) {
            struct golden_count c;
            if (!task_next(t, i, &block, &end, err))
                return false;
            for (size_t at = 0; !end && at + sizeof c <= block.n; at += sizeof c) {
                memcpy(&c, block.p + at, sizeof c);
                if (c.doc >= p->docs)
                    return err_set(err, ERR_INVALID, "document %u of %u", c.doc, p->docs);
                docs[c.doc].rows += c.rows;
                docs[c.doc].clicks += c.clicks;
                docs[c.doc].weight += c.weight;
            }
            if (p->fault == GOLDEN_SLOW)
                (void)usleep(p->slow_ms * 1000);
            if (!task_tick(t, end ? 0 : block.n / sizeof c, err))
                return false;
        }
    }
    return true;
}

static bool put_doc(struct task *t, uint32_t doc, const struct golden_count *c, struct err *err)
{
    AUTO(buf_release) struct buf row;
    char name[24];
    (void)snprintf(name, sizeof name, "doc-%06u", doc);
    buf_init(&row, ROW_MAX);
    pg_copy_row(&row, GOLDEN_DOC_COLUMNS);
    pg_copy_text(&row, str_of(name));
    pg_copy_i64(&row, (int64_t)c->clicks);
    pg_copy_double(&row, c->weight);
    return buf_ok(&row, "a document", err) && task_put(t, buf_str(&row), err) && task_collect(t, buf_str(&row), err);
}

static bool run_docs(struct task *t, struct err *err)
{
    struct golden_params p;
    if (!golden_params_read(task_params(t), &p, task_arena(t), err))
        return false;
    struct golden_count *docs = arena_zalloc(task_arena(t), p.docs * sizeof *docs);
    bool ok = add_parts(t, &p, docs, err);
    for (uint32_t d = 0; ok && d < p.docs; d++)
        ok = docs[d].rows == 0 || put_doc(t, d, &docs[d], err);
    return ok;
}

const struct kernel kernel_golden_docs = { "golden.docs@1", run_docs };
