/* The gate of recommenders: one pass over the rows of the matrix, in which candidate and champion are asked for each unit (kernels/gate/). Moments of the
 * ranges are merged by a tree of fixed shape, so the decision does not depend on workers. */
#include <inttypes.h>
#include <math.h>

#include "trainer/jobs/matrix.h"
#include "trainer/kernels/gate/gate.h"
#include "trainer/models/training.h"

struct totals {
    struct gate_counts counts;
    uint64_t most[2], recommended[2]; /* lists of the item that is in most; items that are in some */
};

/* ---- results ---- */

static bool read_range(const struct buf *part, uint32_t items, struct gate_counts *out, uint64_t *in_lists[2],
                       struct err *err)
{
    if (part->n != sizeof *out + 2 * (size_t)items * sizeof(uint32_t))
        return err_set(err, ERR_SYSTEM, "what the gate counted is damaged");
    memcpy(out, part->p, sizeof *out);
    const char *p = part->p + sizeof *out;
    for (int model = 0; model < 2; model++)
        for (uint32_t i = 0; i < items; i++, p += sizeof(uint32_t)) {
            uint32_t n;
            memcpy(&n, p, sizeof n);
            in_lists[model][i] += n;
        }
    return true;
}

static void merge(struct totals *out, const struct gate_counts *ranges, uint32_t count, struct arena *arena)
{
    struct moments2 *parts = arena_alloc(arena, count * sizeof *parts);
    for (int s = 0; s < SCORE_COUNT; s++) {
        for (uint32_t i = 0; i < count; i++)
            parts[i] = ranges[i].m[s];
        out->counts.m[s] = moments2_tree(parts, count);
    }
    for (uint32_t i = 0; i < count; i++)
        for (int model = 0; model < 2; model++) {
            out->counts.lists[model] += ranges[i].lists[model];
            out->counts.outside[model] += ranges[i].outside[model];
        }
}

static bool read_totals(const struct matrix *m, const struct engine_result *result, struct totals *out, struct err *err)
{
    struct gate_counts *ranges = arena_alloc(m->arena, (m->ranges + 1) * sizeof *ranges);
    uint64_t *in_lists[2];
    for (int model = 0; model < 2; model++)
        in_lists[model] = arena_zalloc(m->arena, (m->items + 1) * sizeof *in_lists[model]);
    for (uint32_t i = 0; i < result->count; i++)
        if (!read_range(&result->parts[i], m->items, &ranges[i], in_lists, err))
            return false;
    *out = (struct totals){ .most = { 0, 0 } };
    merge(out, ranges, result->count, m->arena);
    for (int model = 0; model < 2; model++)
        for (uint32_t i = 0; i < m->items; i++) {
            out->recommended[model] += in_lists[model][i] > 0;
            if (in_lists[model][i] > out->most[model])
                out->most[model] = in_lists[model][i];
        }
    return true;
}

/* ---- the pass ---- */

static bool run_gate(struct run_context *run, const struct matrix *m, const int *blobs, bool champion,
                     struct totals *out, struct err *err)
{
    struct engine_split *splits = arena_alloc(m->arena, m->ranges * sizeof *splits);
    struct engine_result result;
    for (uint32_t i = 0; i < m->ranges; i++)
        splits[i] = matrix_range(m, i);
    const struct engine_pass pass = {
        .name = "gate",
        .kernel = GATE_UNITS_KERNEL,
        .params = arena_printf(m->arena, "{\"units\":%" PRIu64 ",\"champion\":%s}", m->units,
                               champion ? "true" : "false"),
        .splits = splits,
        .splits_count = m->ranges,
        .input_pass = m->pass,
        .blobs = blobs,
        .blobs_count = champion ? GATE_BLOBS : GATE_BLOBS - 1,
    };
    if (!run_pass(run, &pass, &result, err))
        return false;
    bool ok = read_totals(m, &result, out, err);
    engine_result_release(&result);
    return ok;
}

static bool evaluate(struct run_context *run, const struct matrix *m, struct str candidate, struct str champion,
                     struct totals *out, struct err *err)
{
    const struct str units = { (const char *)m->item_units, m->items * sizeof *m->item_units };
    int blobs[GATE_BLOBS] = { -1, m->items_blob, -1, -1 };
    blobs[GATE_BLOB_CANDIDATE] = engine_blob(run->engine, candidate, err);
    blobs[GATE_BLOB_ITEM_UNITS] = blobs[0] < 0 ? -1 : engine_blob(run->engine, units, err);
    bool ok = blobs[GATE_BLOB_ITEM_UNITS] >= 0;
    if (ok && champion.p)
        ok = (blobs[GATE_BLOB_CHAMPION] = engine_blob(run->engine, champion, err)) >= 0;
    ok = ok && run_gate(run, m, blobs, champion.p != NULL, out, err);
    for (int i = 0; i < GATE_BLOBS; i++)
        if (i != GATE_BLOB_ITEMS && blobs[i] >= 0)
            engine_blob_drop(run->engine, blobs[i]);
    return ok;
}

/* ---- the decision ---- */

static double share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

static void decide(const struct gate_rules *rules, const struct totals *t, uint32_t items, int champion,
                   struct gate_outcome *out, struct buf *metrics_json)
{
    struct gate_metric metrics[SCORE_COUNT];
    double concentration = share(t->most[0], t->counts.lists[0]), before = share(t->most[1], t->counts.lists[1]);
    const struct gate_bound bounds[] = {
        { "coverage", share(t->recommended[0], items), champion ? share(t->recommended[1], items) : NAN,
          rules->min_coverage, NAN },
        { "concentration", concentration, champion ? before : NAN, NAN, rules->max_concentration },
        { "concentration_rise", concentration - before, NAN, NAN, rules->max_rise }, /* against a champion alone */
    };
    const size_t kept = COUNT_OF(bounds) - 1, asked = champion ? kept + 1 : kept;
    for (int s = 0; s < SCORE_COUNT; s++)
        metrics[s] = (struct gate_metric){ unit_score_names[s], t->counts.m[s] };
    gate_decide(rules, metrics, SCORE_COUNT, bounds, asked, champion, out);
    gate_metrics_json(rules, metrics, SCORE_COUNT, bounds, kept, champion > 0, metrics_json);
}

bool gate_recommender(struct run_context *run, const struct matrix *m, struct str candidate, struct gate_outcome *out,
                      struct buf *metrics_json, struct err *err)
{
    const struct gate_rules rules = gate_rules_of(run);
    AUTO(buf_release) struct buf file;
    struct artifact champion;
    struct totals totals = { .most = { 0, 0 } };
    int version;
    buf_init(&file, ARTIFACT_BYTES_MAX);
    if (m->eval_from > m->eval_until) {
        gate_unevaluated(0, out);
        return true;
    }
    if (!training_champion(run, training_model(run), &file, &champion, &version, err) ||
        !evaluate(run, m, candidate, champion.bytes, &totals, err))
        return false;
    decide(&rules, &totals, m->items, version, out, metrics_json);
    return buf_ok(metrics_json, "the metrics", err);
}
