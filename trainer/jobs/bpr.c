/* The job "bpr": Bayesian personalized ranking over units and items → a recommender.
 *
 * Passes of matrix.h; then in each epoch a pass "epoch N" over blocks, which are ranges of units behind each other with about steps_of_units interactions. A
 * block goes through its pairs one after the other, from the items' factors of before; behind the epoch an item's factors are the mean of what the blocks
 * made of it, weighted by how often they moved it, in the order of blocks. These follow from the data alone. With little data there is one block, and that is
 * plain stochastic gradient descent. Last the lists (factor_lists.h), the gate, a version. */
#include <inttypes.h>
#include <math.h>

#include "base/clock.h"
#include "trainer/jobs/factor_lists.h"
#include "trainer/jobs/factor_side.h"
#include "trainer/kernels/als/als_solve.h"
#include "trainer/kernels/bpr/bpr.h"

enum { ARENA_FIRST = 1 << 16 };

struct bpr {
    struct run_context *run;
    struct arena arena;
    struct matrix m;
    uint32_t rank, epochs;
    double learning_rate, regularization;
    uint64_t seed, steps_of_block;
    size_t stride;
    struct engine_split *blocks;
    uint32_t blocks_count;
    struct factor_side units, items;
    double loss; /* of a pair */
};

static void read_params(struct bpr *b)
{
    const struct run_context *run = b->run;
    b->rank = (uint32_t)run_whole(run, "factors");
    b->epochs = (uint32_t)run_whole(run, "epochs");
    b->learning_rate = run_real(run, "learning_rate");
    b->regularization = run_real(run, "regularization");
    b->seed = (uint64_t)run_whole(run, "seed");
    b->steps_of_block = (uint64_t)run_whole(run, "steps_of_units");
    b->stride = als_stride(b->rank + 1);
}

/* ---- blocks ---- */

static void add_block(struct bpr *b, uint32_t from, uint32_t to)
{
    const struct matrix *m = &b->m;
    struct engine_input *inputs = arena_zalloc(&b->arena, (to - from) * sizeof *inputs);
    uint64_t cells = 0;
    for (uint32_t i = from; i < to; i++) {
        inputs[i - from].split = i;
        cells += m->range_cells[i];
    }
    b->blocks[b->blocks_count] = (struct engine_split){
        .desc = arena_printf(&b->arena, "%u %" PRIu64 " %" PRIu64, b->blocks_count, m->range_first_unit[from],
                             m->range_first_unit[to] - m->range_first_unit[from]),
        .weight = cells + 1,
        .inputs = inputs,
        .inputs_count = to - from,
    };
    b->blocks_count++;
}

static void cut_blocks(struct bpr *b)
{
    const struct matrix *m = &b->m;
    uint32_t from = 0;
    uint64_t cells = 0;
    b->blocks = arena_alloc(&b->arena, m->ranges * sizeof *b->blocks);
    for (uint32_t i = 0; i < m->ranges; i++) {
        if (cells && cells + m->range_cells[i] > b->steps_of_block) {
            add_block(b, from, i);
            from = i;
            cells = 0;
        }
        cells += m->range_cells[i];
    }
    add_block(b, from, m->ranges);
}

/* ---- an epoch ---- */

struct epoch {
    double *sums;    /* of items' rows, weighted */
    uint64_t *moved; /* of each item */
    struct bpr_result all;
    float *units;
    size_t units_done;
};

static bool take(const struct bpr *b, const struct buf *part, struct epoch *e, struct err *err)
{
    struct bpr_result r;
    const size_t items = b->m.items, row = b->stride * sizeof(float),
                 head = sizeof r + items * (sizeof(uint32_t) + row);
    if (part->n < head || (part->n - head) % row != 0 || (part->n - head) / row > b->units.count - e->units_done)
        return err_set(err, ERR_SYSTEM, "the factors of a block are damaged");
    memcpy(&r, part->p, sizeof r);
    for (size_t i = 0; i < items; i++) {
        uint32_t moved;
        memcpy(&moved, part->p + sizeof r + i * sizeof moved, sizeof moved);
        e->moved[i] += moved;
        for (size_t k = 0; moved && k < b->stride; k++) {
            float f;
            memcpy(&f, part->p + sizeof r + items * sizeof moved + i * row + k * sizeof f, sizeof f);
            e->sums[i * b->stride + k] += (double)moved * (double)f;
        }
    }
    memcpy(e->units + e->units_done * b->stride, part->p + head, part->n - head);
    e->units_done += (part->n - head) / row;
    e->all.loss += r.loss;
    e->all.steps += r.steps;
    e->all.right += r.right;
    return true;
}

static bool set_both(struct bpr *b, char *units, char *items, struct err *err)
{
    double *gram = mem_zalloc(b->stride * b->stride * sizeof *gram); /* nobody asks for it */
    bool ok = factor_side_set(&b->units, units, gram, err);
    ok = factor_side_set(&b->items, items, gram, ok ? err : NULL) && ok;
    mem_free(gram);
    return ok;
}

static bool gather(struct bpr *b, const struct engine_result *result, struct bpr_result *out, struct err *err)
{
    char *units = factor_side_alloc(&b->units), *items = factor_side_alloc(&b->items);
    const float *old = factor_side_rows(&b->items, b->items.bytes);
    float *rows = factor_side_rows(&b->items, items);
    struct epoch e = { .sums = mem_zalloc((b->m.items * b->stride + 1) * sizeof *e.sums),
                       .moved = mem_zalloc((b->m.items + 1) * sizeof *e.moved),
                       .units = factor_side_rows(&b->units, units) };
    bool ok = true;
    for (uint32_t i = 0; ok && i < result->count; i++)
        ok = take(b, &result->parts[i], &e, err);
    if (ok && e.units_done != b->units.count)
        ok = err_set(err, ERR_SYSTEM, "%zu rows of factors came, of %" PRIu64, e.units_done, b->units.count);
    for (size_t i = 0; i < b->m.items; i++)
        for (size_t k = 0; k < b->stride; k++) {
            const size_t at = i * b->stride + k;
            rows[at] = e.moved[i] ? (float)(e.sums[at] / (double)e.moved[i]) : old[at];
        }
    *out = e.all;
    mem_free(e.sums);
    mem_free(e.moved);
    return set_both(b, units, items, ok ? err : NULL) && ok;
}

static bool epoch(struct bpr *b, uint32_t number, struct err *err)
{
    const int blobs[] = { b->items.blob, b->units.blob };
    int64_t began_us = clock_mono_us();
    struct bpr_result all;
    struct engine_result result;
    AUTO(buf_release) struct buf params;
    buf_init(&params, 1024);
    buf_addf(&params, "{\"rank\":%u,\"learning_rate\":", b->rank);
    buf_add_json_double(&params, b->learning_rate);
    buf_add_c(&params, ",\"regularization\":");
    buf_add_json_double(&params, b->regularization);
    buf_add_byte(&params, '}');
    const struct engine_pass pass = { .name = arena_printf(&b->arena, "epoch %u", number).p,
                                      .kernel = BPR_EPOCH_KERNEL,
                                      .params = buf_str(&params),
                                      .splits = b->blocks,
                                      .splits_count = b->blocks_count,
                                      .input_pass = b->m.pass,
                                      .blobs = blobs,
                                      .blobs_count = COUNT_OF(blobs),
                                      .seed = b->seed };
    if (!run_pass(b->run, &pass, &result, err))
        return false;
    bool ok = gather(b, &result, &all, err);
    engine_result_release(&result);
    if (!ok)
        return false;
    b->loss = all.steps ? all.loss / (double)all.steps : 0;
    if (!isfinite(b->loss))
        return err_set(err, ERR_INVALID, "the loss is not finite: parameter \"learning_rate\" is too large");
    run_say(b->run, "epoch %u of %u: loss %.6f, %.2f %% of pairs in order, %.3f s", number, b->epochs, b->loss,
            all.steps ? 100 * (double)all.right / (double)all.steps : 0, (double)(clock_mono_us() - began_us) / 1e6);
    return run_tick(b->run, "epochs", number, b->epochs, err);
}

/* ---- training ---- */

/* Small numbers; behind a unit's its 1, behind an item's its bias, which begins at 0. Items first in the stream of random numbers. */
static bool begin(struct bpr *b, struct err *err)
{
    char *units = factor_side_alloc(&b->units), *items = factor_side_alloc(&b->items);
    float *u = factor_side_rows(&b->units, units), *i = factor_side_rows(&b->items, items);
    for (uint64_t n = 0; n < b->m.items; n++)
        for (uint32_t k = 0; k < b->rank && b->m.item_units[n]; k++)
            i[n * b->stride + k] = (float)((factor_random(b->seed, n * b->rank + k) - 0.5) / b->rank);
    for (uint64_t n = 0; n < b->m.units; n++) {
        for (uint32_t k = 0; k < b->rank; k++)
            u[n * b->stride + k] = (float)((factor_random(b->seed, (b->m.items + n) * b->rank + k) - 0.5) / b->rank);
        u[n * b->stride + b->rank] = 1;
    }
    return set_both(b, units, items, err);
}

static bool train(struct bpr *b, struct err *err)
{
    factor_side_init(&b->units, b->run, b->rank + 1, b->m.units);
    factor_side_init(&b->items, b->run, b->rank + 1, b->m.items);
    if (b->m.units > UINT32_MAX)
        return err_set(err, ERR_TOO_LARGE, "%" PRIu64 " units are more than can be numbered", b->m.units);
    if (!matrix_transpose(&b->m, err) || !begin(b, err))
        return false;
    cut_blocks(b);
    run_say(b->run, "%u blocks of units", b->blocks_count);
    for (uint32_t i = 1; i <= b->epochs; i++)
        if (!epoch(b, i, err))
            return false;
    return true;
}

static bool publish(struct bpr *b, struct err *err)
{
    const struct factor_lists lists = { .m = &b->m,
                                        .rank = b->rank,
                                        .row_rank = b->rank + 1,
                                        .units_blob = b->units.blob,
                                        .items_blob = b->items.blob,
                                        .items = factor_side_rows(&b->items, b->items.bytes),
                                        .stride = b->stride,
                                        .fold = FOLD_MEAN };
    return factor_lists_publish(&lists, b->seed, b->loss, err);
}

static bool run_bpr(struct run_context *run, struct err *err)
{
    struct bpr b = { .run = run };
    arena_init(&b.arena, ARENA_FIRST);
    read_params(&b);
    bool ok = training_begin(run, "recommender", err) && matrix_open(&b.m, run, &b.arena, err) && train(&b, err) &&
              publish(&b, err);
    factor_side_release(&b.units);
    factor_side_release(&b.items);
    matrix_close(&b.m);
    arena_release(&b.arena);
    return ok;
}

const struct job job_bpr = { "bpr", run_bpr };
