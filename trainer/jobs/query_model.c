#include "trainer/jobs/query_model.h"

#include <math.h>

#include "trainer/kernels/queries/queries.h"

enum { CARD_MAX = 256 << 10, METRICS_MAX = QUERY_JUDGE_SIDES * QUERY_JUDGE_METRICS, BOUNDS = 2 };

bool query_model_begin(struct query_model *m, struct run_context *run, struct arena *arena, const char *kind,
                       struct err *err)
{
    *m = (struct query_model){ .run = run, .arena = arena };
    query_log_window(run, &m->training, &m->evaluation);
    m->t = (struct training){ .model = training_model(run),
                              .kind = kind,
                              .from = m->training.from,
                              .until = m->training.until,
                              .eval_from = m->evaluation.from,
                              .eval_until = m->evaluation.until };
    return training_begin(run, kind, err);
}

void query_model_judge_queries(struct query_model *m)
{
    static const char *const queries[QUERY_JUDGE_METRICS] = {
        [QUERY_JUDGE_NDCG] = "ndcg@10", [QUERY_JUDGE_HIT_RATE] = "hit_rate@10", [QUERY_JUDGE_MRR] = "mrr@10"
    };
    static const char *const items[QUERY_JUDGE_METRICS] = { [QUERY_JUDGE_NDCG] = "items_ndcg@10",
                                                            [QUERY_JUDGE_HIT_RATE] = "items_hit_rate@10",
                                                            [QUERY_JUDGE_MRR] = "items_mrr@10" };
    m->sections[QUERY_JUDGE_NEXT] = STR("queries_for_query");
    m->sections[QUERY_JUDGE_ITEMS] = STR("items_for_query");
    m->names[QUERY_JUDGE_NEXT] = queries;
    m->names[QUERY_JUDGE_ITEMS] = items;
}

/* ---- judging ---- */

struct judging {
    struct query_model *m;
    struct str candidate;
    struct buf champion; /* its file */
    int version;         /* its number; 0: there is none */
    int blobs[2];
    size_t blobs_count;
    struct gate_metric metrics[METRICS_MAX];
    size_t metrics_count;
    struct gate_bound bounds[BOUNDS];
    uint64_t listed, later; /* of the first side that is judged */
};

static bool make_blobs(struct judging *j, struct err *err)
{
    j->blobs[0] = engine_blob(j->m->run->engine, j->candidate, err);
    j->blobs_count = 1;
    if (j->blobs[0] < 0 || !j->version)
        return j->blobs[0] >= 0;
    j->blobs[1] = engine_blob(j->m->run->engine, buf_str(&j->champion), err);
    j->blobs_count = 2;
    return j->blobs[1] >= 0;
}

static void drop_blobs(struct judging *j)
{
    for (size_t i = 0; i < j->blobs_count; i++)
        if (j->blobs[i] >= 0)
            engine_blob_drop(j->m->run->engine, j->blobs[i]);
}

static bool add_parts(struct judging *j, const struct engine_result *result, struct err *err)
{
    struct query_judged *parts = arena_zalloc(j->m->arena, (result->count + 1) * sizeof *parts), all;
    for (uint32_t i = 0; i < result->count; i++) {
        if (result->parts[i].n != sizeof *parts)
            return err_set(err, ERR_SYSTEM, "what was judged of part %u is damaged", i);
        memcpy(&parts[i], result->parts[i].p, sizeof *parts);
    }
    query_judge_merge(parts, result->count, &all);
    for (int s = QUERY_JUDGE_SIDES - 1; s >= 0; s--) {
        if (!j->m->names[s])
            continue;
        j->listed = all.listed[s];
        j->later = (uint64_t)all.m[s][0].n;
    }
    for (int s = 0; s < QUERY_JUDGE_SIDES; s++)
        for (int k = 0; j->m->names[s] && k < QUERY_JUDGE_METRICS; k++)
            j->metrics[j->metrics_count++] = (struct gate_metric){ j->m->names[s][k], all.m[s][k] };
    return true;
}

static bool pass_judge(struct judging *j, const struct query_log *later, struct err *err)
{
    const struct query_model *m = j->m;
    const struct queries_judge_params params = { .queries = m->sections[QUERY_JUDGE_NEXT],
                                                 .items = m->sections[QUERY_JUDGE_ITEMS],
                                                 .champion = j->version > 0 };
    struct engine_split *splits = arena_zalloc(m->arena, later->parts * sizeof *splits);
    struct engine_input *inputs = arena_zalloc(m->arena, later->parts * sizeof *inputs);
    struct engine_result result;
    struct str text;
    if (!queries_judge_params_write(&params, m->arena, &text, err))
        return false;
    for (uint32_t i = 0; i < later->parts; i++) {
        inputs[i] = (struct engine_input){ i, 0 };
        splits[i] = (struct engine_split){
            .desc = arena_printf(m->arena, "%u", i), .weight = 1, .inputs = &inputs[i], .inputs_count = 1
        };
    }
    const struct engine_pass pass = { .name = "judge",
                                      .kernel = QUERIES_JUDGE_KERNEL,
                                      .params = text,
                                      .splits = splits,
                                      .splits_count = later->parts,
                                      .input_pass = later->pass,
                                      .out = ENGINE_COLLECT,
                                      .blobs = j->blobs,
                                      .blobs_count = j->blobs_count };
    if (!run_pass(m->run, &pass, &result, err))
        return false;
    bool ok = add_parts(j, &result, err);
    engine_result_release(&result);
    return ok;
}

static bool judge(struct judging *j, struct err *err)
{
    struct query_log later;
    bool ok = query_log_open(&later, j->m->run, j->m->arena, "evaluation", j->m->evaluation, err) &&
              make_blobs(j, err) && pass_judge(j, &later, err);
    drop_blobs(j);
    query_log_close(&later);
    return ok;
}

/* ---- bounds ---- */

/* Of the lists, the share that one entry leads, the one that leads most of them; NAN: there is no list. */
static bool concentration_of(const struct query_model *m, const struct artifact *a, double *out, struct err *err)
{
    struct lists l;
    struct str section = { NULL, 0 }, key;
    struct lists_row row;
    uint32_t best = 0, lists = 0;
    for (int s = 0; s < QUERY_JUDGE_SIDES && !section.p; s++)
        if (m->sections[s].n)
            section = artifact_section(a, arena_cstr(m->arena, m->sections[s]));
    if (!section.p || !lists_read(section, &l, err)) {
        *out = NAN;
        return !section.p;
    }
    uint32_t *counts = mem_zalloc(((size_t)l.texts + 1) * sizeof *counts);
    for (uint32_t n = 0; lists_key_at(&l, n, &key, &row); n++) {
        if (row.count == 0)
            continue;
        uint32_t leads = ++counts[lists_entry_id(&l, row.first)];
        best = leads > best ? leads : best;
        lists++;
    }
    mem_free(counts);
    *out = lists ? (double)best / lists : (double)NAN;
    return true;
}

static bool find_bounds(struct judging *j, const struct artifact *champion, const struct gate_rules *rules,
                        struct err *err)
{
    struct artifact candidate;
    struct gate_bound *c = &j->bounds[0];
    *c = (struct gate_bound){ "concentration", NAN, NAN, NAN, rules->max_concentration };
    j->bounds[1] = (struct gate_bound){ "coverage", j->later ? (double)j->listed / (double)j->later : 0, NAN,
                                        rules->min_coverage, NAN };
    if (!artifact_read(j->candidate, &candidate, err) || !concentration_of(j->m, &candidate, &c->value, err) ||
        (j->version && !concentration_of(j->m, champion, &c->champion, err)))
        return false;
    if (isnan(c->value)) /* no list at all: min_units and min_value have their say */
        c->value = 0;
    return true;
}

/* ---- publishing ---- */

static bool decide(struct judging *j, struct gate_outcome *out, struct buf *metrics, struct err *err)
{
    struct query_model *m = j->m;
    struct gate_rules rules = gate_rules_of(m->run);
    struct artifact champion;
    if (!training_champion(m->run, m->t.model, &j->champion, &champion, &j->version, err))
        return false;
    if (m->evaluation.from > m->evaluation.until) {
        gate_unevaluated(j->version, out);
        return true;
    }
    if (!judge(j, err) || !find_bounds(j, &champion, &rules, err))
        return false;
    gate_decide(&rules, j->metrics, j->metrics_count, j->bounds, BOUNDS, j->version, out);
    gate_metrics_json(&rules, j->metrics, j->metrics_count, j->bounds, BOUNDS, j->version > 0, metrics);
    return buf_ok(metrics, "the metrics", err);
}

bool query_model_publish(struct query_model *m, struct artifact_out *o, struct err *err)
{
    AUTO(buf_release) struct buf card, file, metrics;
    struct judging j = { .m = m };
    struct gate_outcome gate;
    char digest[ARTIFACT_DIGEST];
    buf_init(&card, CARD_MAX);
    buf_init(&metrics, CARD_MAX);
    buf_init(&file, ARTIFACT_BYTES_MAX);
    training_card(m->run, &m->t, &card);
    artifact_add(o, "card", buf_str(&card));
    if (!buf_ok(&card, "the card", err) || !artifact_end(o, &file, digest, err))
        return false;
    buf_init(&j.champion, ARTIFACT_BYTES_MAX);
    j.candidate = m->t.file = buf_str(&file);
    m->t.digest = digest;
    bool ok = decide(&j, &gate, &metrics, err);
    buf_release(&j.champion);
    m->t.metrics = buf_str(&metrics);
    return ok && training_publish(m->run, &m->t, &gate, err);
}
