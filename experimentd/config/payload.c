#include "experimentd/config/payload.h"

#include <stdlib.h>

#include "base/jsonw.h"
#include "experimentd/config/experiment.h"
#include "experimentd/config/layers.h"
#include "experimentd/config/payload_condition.h"

/* What is compiled: the experiments that live, grouped by the parameter that they vary. */
struct maker {
    const struct snapshot *s;
    bool drafts;
    struct arena *arena;
    const struct snapshot_experiment **live; /* by parameter, then in the order of their rules */
    size_t live_count;
    struct jsonw w;
};

static bool runs(const struct maker *m, const struct snapshot_experiment *e)
{
    return e->status == EXPERIMENT_RUNNING || (m->drafts && e->status == EXPERIMENT_DRAFT);
}

static bool rolled_out(const struct snapshot_experiment *e)
{
    return e->status == EXPERIMENT_CONCLUDED && e->rollout && experiment_variant(e, e->winner) >= 0;
}

bool payload_holds_out(const struct snapshot_experiment *holdout, const struct snapshot_experiment *e)
{
    if (e->kind == EXPERIMENT_HOLDOUT || e->ignore_holdouts || holdout->kind != EXPERIMENT_HOLDOUT)
        return false;
    for (size_t i = 0; i < holdout->holdout_metrics.n; i++)
        for (size_t k = 0; k < e->metrics_count; k++)
            if (str_eq(holdout->holdout_metrics.p[i], e->metrics[k].metric) &&
                str_eq(e->metrics[k].role, STR("primary")))
                return true;
    return holdout->holdout_metrics.n == 0;
}

/* ---- order ---- */

struct sortable {
    const struct snapshot_experiment *e;
    int rank; /* of its rule in the feature: ordinary, launch layer, rolled out */
};

static int order_text(struct str a, struct str b)
{
    int d = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

static int order(const void *pa, const void *pb)
{
    const struct sortable *a = pa, *b = pb;
    int d = order_text(a->e->parameter, b->e->parameter);
    return d ? d : a->rank != b->rank ? a->rank - b->rank : order_text(a->e->key, b->e->key);
}

static void collect(struct maker *m)
{
    struct sortable *list = arena_alloc(m->arena, (m->s->experiments_count + 1) * sizeof *list);
    for (size_t i = 0; i < m->s->experiments_count; i++) {
        const struct snapshot_experiment *e = &m->s->experiments[i];
        if (!e->assign || !(runs(m, e) || rolled_out(e)))
            continue;
        list[m->live_count++] = (struct sortable){ e, rolled_out(e) ? 2 : layers_is_launch(m->s, e) };
    }
    qsort(list, m->live_count, sizeof *list, order);
    m->live = arena_alloc(m->arena, (m->live_count + 1) * sizeof(void *));
    for (size_t i = 0; i < m->live_count; i++)
        m->live[i] = list[i].e;
}

/* ---- one rule ---- */

static void write_filters(struct maker *m, const struct snapshot_experiment *e)
{
    struct layer_step up[LAYERS_DEPTH_MAX];
    size_t n = layers_above(m->s, e->layer, up);
    if (!n)
        return;
    jsonw_open(&m->w, "filters", '[');
    for (size_t i = 0; i < n; i++) {
        const struct slot_ranges *slots = up[i].slots ? up[i].slots : &e->slots;
        jsonw_open(&m->w, NULL, '{');
        jsonw_str(&m->w, "seed", up[i].layer->seed);
        jsonw_str(&m->w, "attribute", up[i].layer->hash_attribute);
        jsonw_i64(&m->w, "hashVersion", 2);
        jsonw_open(&m->w, "ranges", '[');
        for (size_t k = 0; k < slots->n; k++) {
            jsonw_open(&m->w, NULL, '[');
            jsonw_double(&m->w, NULL, (double)slots->p[k].lo / SNAPSHOT_SLOTS);
            jsonw_double(&m->w, NULL, (double)slots->p[k].hi / SNAPSHOT_SLOTS);
            jsonw_close(&m->w);
        }
        jsonw_close(&m->w);
        jsonw_close(&m->w);
    }
    jsonw_close(&m->w);
}

static void write_arms(struct maker *m, const struct snapshot_experiment *e)
{
    struct jsonw *w = &m->w;
    jsonw_open(w, "variations", '[');
    for (size_t i = 0; i < e->variants_count; i++)
        jsonw_raw(w, NULL, e->variants[i].value_json);
    jsonw_close(w);
    jsonw_open(w, "weights", '[');
    for (size_t i = 0; i < e->variants_count; i++)
        jsonw_double(w, NULL, experiment_weight(e, i));
    jsonw_close(w);
    jsonw_open(w, "meta", '[');
    for (size_t i = 0; i < e->variants_count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "key", e->variants[i].key);
        if (e->variants[i].name.n)
            jsonw_str(w, "name", e->variants[i].name);
        jsonw_close(w);
    }
    jsonw_close(w);
}

/* Nothing is split: who is in gets merged lists. SDKs want two variations, so there is a second that nobody gets. */
static void write_interleaved(struct maker *m, const struct snapshot_experiment *e)
{
    struct jsonw *w = &m->w;
    jsonw_open(w, "variations", '[');
    jsonw_open(w, NULL, '{');
    jsonw_open(w, "interleave", '[');
    for (size_t i = 0; i < e->variants_count; i++)
        jsonw_str(w, NULL, e->variants[i].key);
    jsonw_close(w);
    jsonw_close(w);
    jsonw_raw(w, NULL, e->default_json);
    jsonw_close(w);
    jsonw_raw(w, "weights", STR("[1,0]"));
    jsonw_raw(w, "meta", STR("[{\"key\":\"interleaved\"},{\"key\":\"off\"}]"));
}

static void write_sticky(struct jsonw *w, const struct snapshot_experiment *e)
{
    if (!e->sticky) {
        jsonw_bool(w, "disableStickyBucketing", true);
        return;
    }
    if (e->fallback_attribute.n)
        jsonw_str(w, "fallbackAttribute", e->fallback_attribute);
    jsonw_i64(w, "bucketVersion", e->bucket_version);
    jsonw_i64(w, "minBucketVersion", 0);
}

static void write_experiment(struct maker *m, const struct snapshot_experiment *e)
{
    struct jsonw *w = &m->w;
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "id", e->key);
    jsonw_str(w, "key", e->key);
    jsonw_str(w, "name", e->name);
    jsonw_str(w, "seed", experiment_seed(e, m->arena));
    jsonw_str(w, "hashAttribute", e->hash_attribute);
    jsonw_i64(w, "hashVersion", e->hash_version);
    jsonw_double(w, "coverage", experiment_coverage(e));
    if (e->kind == EXPERIMENT_INTERLEAVE)
        write_interleaved(m, e);
    else
        write_arms(m, e);
    write_sticky(w, e);
    if (e->weights_version)
        jsonw_i64(w, "weightsVersion", e->weights_version);
    jsonw_str(w, "phase", arena_printf(m->arena, "%d", e->phase));
    write_filters(m, e);
    payload_write_condition(w, m->s, e, m->arena);
    payload_write_parents(w, m->s, e, m->live, m->live_count);
    jsonw_close(w);
}

static void write_forced(struct maker *m, const struct snapshot_experiment *e, int variant)
{
    struct jsonw *w = &m->w;
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "id", arena_printf(m->arena, STR_FMT ":forced", STR_ARG(e->key)));
    jsonw_open(w, "condition", '{');
    jsonw_open(w, arena_cstr(m->arena, e->hash_attribute), '{');
    jsonw_open(w, "$in", '[');
    for (size_t i = 0; i < e->forced_count; i++)
        if (e->forced[i].variant == variant)
            jsonw_str(w, NULL, e->forced[i].unit);
    jsonw_close(w);
    jsonw_close(w);
    jsonw_close(w);
    jsonw_raw(w, "force", e->variants[variant].value_json);
    jsonw_close(w);
}

static void write_rollout(struct maker *m, const struct snapshot_experiment *e, int winner)
{
    jsonw_open(&m->w, NULL, '{');
    jsonw_str(&m->w, "id", arena_printf(m->arena, STR_FMT ":rollout", STR_ARG(e->key)));
    jsonw_raw(&m->w, "force", e->variants[winner].value_json);
    jsonw_close(&m->w);
}

/* ---- one feature: experiments live[from … to) ---- */

static void add_rule(struct snapshot_rule *rules, size_t *n, enum rule_kind kind, const struct snapshot_experiment *e,
                     int variant)
{
    rules[(*n)++] = (struct snapshot_rule){ kind, e, variant };
}

static void write_forced_of(struct maker *m, const struct snapshot_experiment *e, struct snapshot_rule *rules,
                            size_t *n)
{
    for (size_t v = 0; v < e->variants_count; v++) {
        bool any = false;
        for (size_t i = 0; i < e->forced_count; i++)
            any = any || e->forced[i].variant == (int)v;
        if (!any)
            continue;
        write_forced(m, e, (int)v);
        add_rule(rules, n, RULE_FORCED, e, (int)v);
    }
}

static struct str default_of(const struct maker *m, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (!str_eq(m->live[i]->default_json, STR("null")))
            return m->live[i]->default_json;
    return STR("null");
}

static size_t rules_room(const struct maker *m, size_t from, size_t to)
{
    size_t room = 0;
    for (size_t i = from; i < to; i++)
        room += 1 + (m->live[i]->forced_count ? m->live[i]->variants_count : 0);
    return room;
}

static void write_feature(struct maker *m, size_t from, size_t to, struct snapshot_feature *out)
{
    struct snapshot_rule *rules = arena_alloc(m->arena, rules_room(m, from, to) * sizeof *rules);
    size_t n = 0;
    struct str key = m->live[from]->parameter;
    jsonw_open(&m->w, arena_cstr(m->arena, key), '{');
    jsonw_raw(&m->w, "defaultValue", default_of(m, from, to));
    jsonw_open(&m->w, "rules", '[');
    for (size_t i = from; i < to; i++)
        if (runs(m, m->live[i]))
            write_forced_of(m, m->live[i], rules, &n);
    for (size_t i = from; i < to; i++) {
        const struct snapshot_experiment *e = m->live[i];
        int winner = rolled_out(e) ? experiment_variant(e, e->winner) : -1;
        if (winner >= 0)
            write_rollout(m, e, winner);
        else
            write_experiment(m, e);
        add_rule(rules, &n, winner >= 0 ? RULE_ROLLOUT : RULE_EXPERIMENT, e, winner);
    }
    jsonw_close(&m->w);
    jsonw_close(&m->w);
    *out = (struct snapshot_feature){ key, rules, n, m->live[from]->kind == EXPERIMENT_HOLDOUT };
}

static void write_features(struct maker *m, struct payload *out)
{
    out->list = arena_alloc(m->arena, (m->live_count + 1) * sizeof *out->list);
    jsonw_open(&m->w, "features", '{');
    for (size_t from = 0, to; from < m->live_count; from = to) {
        for (to = from + 1; to < m->live_count && str_eq(m->live[to]->parameter, m->live[from]->parameter);)
            to++;
        write_feature(m, from, to, &out->list[out->count++]);
    }
    jsonw_close(&m->w);
}

/* The text, and where its two objects stand: {"features":X,"savedGroups":Y} with the comma at `middle`. */
static void keep(struct payload *out, struct str json, size_t middle)
{
    static const size_t before = sizeof "{\"features\":" - 1, between = sizeof ",\"savedGroups\":" - 1;
    out->json = json;
    out->features_json = (struct str){ json.p + before, middle - before };
    out->groups_json = (struct str){ json.p + middle + between, json.n - middle - between - 1 };
}

bool payload_build(const struct snapshot *s, bool drafts, struct arena *arena, struct payload *out, struct err *err)
{
    struct maker m = { .s = s, .drafts = drafts, .arena = arena };
    struct buf b;
    *out = (struct payload){ 0 };
    collect(&m);
    buf_init(&b, PAYLOAD_BYTES_MAX);
    jsonw_init(&m.w, &b);
    jsonw_open(&m.w, NULL, '{');
    write_features(&m, out);
    size_t middle = b.n;
    payload_write_groups(&m.w, s, m.live, m.live_count);
    jsonw_close(&m.w);
    bool ok = buf_ok(&b, "the payload", err);
    if (ok)
        keep(out, arena_str(arena, buf_str(&b)), middle);
    buf_release(&b);
    return ok;
}
