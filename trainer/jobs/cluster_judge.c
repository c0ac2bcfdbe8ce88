#include "trainer/jobs/cluster_judge.h"

#include <math.h>

#include "trainer/kernels/clusters/clusters.h"
#include "trainer/models/training.h"

static const char *const names[CLUSTERS_METRIC_COUNT] = {
    [CLUSTERS_SILHOUETTE] = "silhouette", [CLUSTERS_COHESION] = "cohesion"
};

static bool merge(const struct engine_result *result, struct arena *arena, struct clusters_judged *out, struct err *err)
{
    struct moments2 *parts = arena_zalloc(arena, ((size_t)result->count + 1) * sizeof *parts);
    *out = (struct clusters_judged){ .documents = 0 };
    for (int m = 0; m < CLUSTERS_METRIC_COUNT; m++) {
        for (uint32_t i = 0; i < result->count; i++) {
            struct clusters_judged part;
            if (result->parts[i].n != sizeof part)
                return err_set(err, ERR_SYSTEM, "what was judged of range %u is damaged", i);
            memcpy(&part, result->parts[i].p, sizeof part);
            parts[i] = part.m[m];
            out->documents += m ? 0 : part.documents;
            out->found += m ? 0 : part.found;
        }
        out->m[m] = moments2_tree(parts, result->count);
    }
    return true;
}

static bool run_judge(struct doc_vectors *v, const int *blobs, bool champion, struct clusters_judged *out,
                      struct err *err)
{
    struct engine_result result;
    const struct engine_pass pass = {
        .name = "judge",
        .kernel = CLUSTERS_JUDGE_KERNEL,
        .params = arena_printf(v->arena, "{\"holdout\":%.17g,\"champion\":%s}", run_real(v->run, "holdout"),
                               champion ? "true" : "false"),
        .snapshot = v->items.snapshot,
        .splits = doc_vectors_ranges(v, err),
        .splits_count = v->ranges,
        .input_pass = -1,
        .reads_database = true,
        .blobs = blobs,
        .blobs_count = champion ? 2 : 1,
    };
    if (!pass.splits || !run_pass(v->run, &pass, &result, err))
        return false;
    bool ok = merge(&result, v->arena, out, err);
    engine_result_release(&result);
    return ok;
}

static bool ask_both(struct doc_vectors *v, struct str candidate, struct str champion, struct clusters_judged *out,
                     struct err *err)
{
    int blobs[] = { engine_blob(v->run->engine, candidate, err), -1 };
    bool ok = blobs[0] >= 0;
    if (ok && champion.p)
        ok = (blobs[1] = engine_blob(v->run->engine, champion, err)) >= 0;
    ok = ok && run_judge(v, blobs, champion.p != NULL, out, err);
    for (size_t i = 0; i < COUNT_OF(blobs); i++)
        if (blobs[i] >= 0)
            engine_blob_drop(v->run->engine, blobs[i]);
    return ok;
}

bool cluster_judge(struct doc_vectors *v, struct str candidate, const struct cluster_whole *whole,
                   struct gate_outcome *out, struct buf *metrics_json, struct err *err)
{
    struct gate_rules rules = gate_rules_of(v->run);
    struct gate_metric metrics[CLUSTERS_METRIC_COUNT];
    const struct gate_bound bounds[] = {
        { "cluster_share", whole->cluster_share, NAN, NAN, run_real(v->run, "max_cluster_share") },
        { "outlier_share", whole->outlier_share, NAN, NAN, run_real(v->run, "max_outlier_share") },
        { "clusters", (double)whole->clusters, NAN, NAN, NAN },
    };
    AUTO(buf_release) struct buf file;
    struct artifact champion = { .sections_count = 0 };
    struct clusters_judged judged = { .documents = 0 };
    const bool holdout = run_real(v->run, "holdout") > 0;
    int version = 0;
    buf_init(&file, ARTIFACT_BYTES_MAX);
    if (!training_champion(v->run, training_model(v->run), &file, &champion, &version, err) ||
        (holdout && !ask_both(v, candidate, champion.bytes, &judged, err)))
        return false;
    if (!holdout)
        rules.rule = GATE_NONE;
    for (int m = 0; m < CLUSTERS_METRIC_COUNT; m++)
        metrics[m] = (struct gate_metric){ names[m], judged.m[m] };
    const size_t count = holdout ? CLUSTERS_METRIC_COUNT : 0;
    gate_decide(&rules, metrics, count, bounds, COUNT_OF(bounds), version, out);
    gate_metrics_json(&rules, metrics, count, bounds, COUNT_OF(bounds), version > 0, metrics_json);
    return buf_ok(metrics_json, "the metrics", err);
}
