#include "experimentd/evaluate/evaluation_parts.h"

#include <assert.h>

#include "base/clock.h"
#include "base/hash.h"
#include "experimentd/config/payload.h"
#include "experimentd/config/snapshot_parts.h"
#include "experimentd/evaluate/exposure_filter.h"
#include "experimentd/ingest/journal/journal.h"
#include "experimentd/server.h"

enum { PIECE_BYTES = 8 << 10, BULK_FEATURES = 4 };

/* A unit in the variant of an experiment. */
struct pending_exposure {
    struct pending_exposure *next;
    const struct snapshot_experiment *experiment;
    struct str variant, unit;
    uint64_t identity;
};

/* ---- memory: the request's arena, in pieces ---- */

static char *more(void *owner, size_t bytes)
{
    struct evaluation *e = owner;
    size_t n = bytes > PIECE_BYTES ? bytes : PIECE_BYTES;
    if (n > EVALUATION_BYTES_MAX - e->arena_bytes)
        return NULL;
    e->arena_bytes += n;
    char *p = arena_alloc(&e->req->arena, n);
    e->arena.at = p;
    e->arena.end = p + n;
    return p;
}

struct evaluation *evaluation_new(struct http_request *req, struct worker *worker, struct str id)
{
    struct evaluation *e = arena_zalloc(&req->arena, sizeof *e);
    e->req = req;
    e->worker = worker;
    e->id = id;
    e->at_us = clock_now_us();
    e->arena = (struct assign_arena){ .more = more, .owner = e };
    e->exposures_end = &e->exposures;
    e->silent = e->drafts = req->scope == SCOPE_QA;
    return e;
}

/* ---- exposures ---- */

static struct str str_from(struct assign_text t)
{
    return (struct str){ t.p, t.n };
}

static void on_exposure(void *arg, const struct assign_run *run)
{
    struct evaluation *e = arg;
    const struct snapshot_features *f = snapshot_features(e->snapshot, e->drafts);
    if (e->silent || run->feature < 0 || (size_t)run->feature >= f->count || !run->hash_text.n ||
        run->hash_value.type >= ASSIGN_ARRAY) /* a list is hashed, as SDKs do, but it names no unit */
        return;
    if (e->on_exposure) {
        e->on_exposure(e->on_exposure_arg, run);
        return;
    }
    const struct snapshot_rule *rule = &f->list[run->feature].rules[run->rule];
    const struct snapshot_assign *a = rule->experiment->assign;
    struct pending_exposure *p = arena_alloc(&e->req->arena, sizeof *p);
    *p = (struct pending_exposure){ NULL, rule->experiment, str_from(run->key), str_from(run->hash_text),
                                    a->identity + (uint64_t)run->variation };
    *e->exposures_end = p;
    e->exposures_end = &p->next;
}

/* All exposures of an answer, but the first one's unit, as one number. */
static uint64_t identity_of_all(const struct evaluation *e)
{
    uint64_t all = 0;
    for (const struct pending_exposure *p = e->exposures, *last = p; p; last = p, p = p->next) {
        all = (all ^ p->identity) * UINT64_C(0x9e3779b97f4a7c15);
        all ^= all >> 32;
        if (!str_eq(p->unit, last->unit))
            all ^= hash64(p->unit);
    }
    return all;
}

static bool record(struct evaluation *e)
{
    bool recorded = true, known = false;
    enum mark mark = MARK_NONE;
    struct str dims = { NULL, 0 };
    for (const struct pending_exposure *p = e->exposures; p; p = p->next) {
        struct exposure x = {
            .at_us = e->at_us, .experiment = p->experiment->key, .variant = p->variant, .unit = p->unit
        };
        struct err ignored; /* a lost exposure is counted by the journal and never fails the answer */
        if (!exposure_filter_pass(e->worker->exposures, p->identity, p->unit, e->at_us))
            continue;
        if (!known) {
            mark = mark_of_request(&e->worker->server->marks, e->req);
            dims = dimensions_of(&e->worker->server->dimensions, &e->unit.attributes, &e->req->arena);
        }
        known = true;
        x.mark = mark;
        x.dims = dims;
        if (journal_append_exposure(e->worker->journal, &x, &ignored))
            continue;
        exposure_filter_forget(e->worker->exposures, p->identity, p->unit, e->at_us);
        recorded = false;
    }
    return recorded;
}

/* A front end asks the same on every search: one look says that the whole of an answer was recorded, where many would cost as much as
 * evaluating. */
void evaluation_commit(struct evaluation *e)
{
    const struct pending_exposure *first = e->exposures;
    uint64_t all = first && first->next ? identity_of_all(e) : 0;
    if (first && !first->next)
        (void)record(e);
    else if (first && exposure_filter_pass(e->worker->answers, all, first->unit, e->at_us) && !record(e))
        exposure_filter_forget(e->worker->answers, all, first->unit, e->at_us);
    e->exposures = NULL;
    e->exposures_end = &e->exposures;
}

/* ---- beginning ---- */

/* The attribute "id" is the unit unless the attributes bring one that is a value. */
static void add_id(struct evaluation *e)
{
    const struct assign_value *given = &e->unit.attributes, *id = assign_member(given, "id", 2);
    size_t n = given->type == ASSIGN_OBJECT ? given->count : 0, k = 0;
    if (!e->id.n || assign_truthy(id))
        return;
    struct assign_member *members = arena_alloc(&e->req->arena, (n + 1) * sizeof *members);
    members[k++] = (struct assign_member){ { "id", 2 }, { .type = ASSIGN_STRING, .text = { e->id.p, e->id.n } } };
    for (size_t i = 0; i < n; i++)
        if (&given->members[i].value != id)
            members[k++] = given->members[i];
    e->unit.attributes = (struct assign_value){ .type = ASSIGN_OBJECT, .count = (uint32_t)k, .members = members };
}

void evaluation_bind(struct evaluation *e)
{
    const struct snapshot_features *f;
    e->snapshot = snapshot_get();
    f = snapshot_features(e->snapshot, e->drafts);
    add_id(e);
    e->exposures = NULL;
    e->exposures_end = &e->exposures;
    e->unit.on_exposure = on_exposure;
    e->unit.arg = e;
    e->session = assign_bind(f->payload, &e->unit, &e->arena);
    if (e->session && e->bulk && f->count >= BULK_FEATURES)
        (void)assign_hash_all(e->session);
}

void evaluations_begin(struct evaluation **list, size_t n, evaluations_fn ready, void *arg)
{
    for (size_t i = 0; i < n; i++)
        evaluation_bind(list[i]);
    if (!evaluation_sticky_begin(list, n, ready, arg))
        ready(list, n, arg);
}

/* ---- for sticky assignments ---- */

const struct assign_value *evaluation_only(const struct evaluation *e, struct str experiment)
{
    struct assign_value *v = arena_alloc(&e->req->arena, 2 * sizeof *v);
    v[1] = (struct assign_value){ .type = ASSIGN_STRING, .text = { experiment.p, experiment.n } };
    v[0] = (struct assign_value){ .type = ASSIGN_ARRAY, .count = 1, .items = &v[1] };
    return v;
}

const struct assign_payload *evaluation_payload(const struct evaluation *e)
{
    return snapshot_features(e->snapshot, e->drafts)->payload;
}

static bool may_stick(const struct snapshot_feature *f)
{
    for (size_t i = 0; i < f->rules_count; i++)
        if (f->rules[i].experiment->sticky || f->rules[i].experiment->prerequisites_count)
            return true;
    return false;
}

static int feature_of(const struct evaluation *e, const struct assign_value *name)
{
    const struct snapshot_experiment *x = snapshot_experiment(e->snapshot, str_from(name->text));
    const struct snapshot_assign *a = x ? x->assign : NULL;
    return a ? a->feature[e->drafts ? VIEW_DRAFTS : VIEW_LIVE] : -1;
}

size_t evaluation_sticky_features(struct evaluation *e, const size_t **out)
{
    const struct snapshot_features *f = snapshot_features(e->snapshot, e->drafts);
    size_t n = 0, room = e->experiments ? e->experiments->count : f->count;
    if (!f->sticky || e->silent)
        return 0;
    size_t *features = arena_alloc(&e->req->arena, (room + 1) * sizeof *features);
    for (size_t i = 0; i < room; i++) {
        int feature = e->experiments ? feature_of(e, &e->experiments->items[i]) : (int)i;
        if (feature >= 0 && may_stick(&f->list[feature]))
            features[n++] = (size_t)feature;
    }
    *out = features;
    return n;
}

bool evaluation_check(const struct evaluation *e, struct err *err)
{
    const struct assign_payload *p = snapshot_features(e->snapshot, e->drafts)->payload;
    for (size_t i = 0; i < assign_sticky_attribute_count(p); i++) {
        struct assign_text name = assign_sticky_attribute(p, i);
        const struct assign_value *v = assign_member(&e->unit.attributes, name.p, name.n);
        if (v && v->type == ASSIGN_STRING && v->text.n > SIGNAL_UNIT_MAX)
            return err_set(err, ERR_INVALID, "field \"attributes.%.*s\" is longer than %d bytes", (int)name.n, name.p,
                           SIGNAL_UNIT_MAX);
    }
    return true;
}

/* ---- answers ---- */

static const char *const why_reasons[ASSIGN_WHY_COUNT] = {
    [ASSIGN_NOT_TRIED] = "other_rule",
    [ASSIGN_IN] = "split",
    [ASSIGN_NO_VARIATIONS] = "not_running",
    [ASSIGN_DISABLED] = "not_running",
    [ASSIGN_URL] = "targeting",
    [ASSIGN_QUERY_STRING] = "override",
    [ASSIGN_FORCED_VARIATION] = "override",
    [ASSIGN_INACTIVE] = "not_running",
    [ASSIGN_NO_HASH_VALUE] = "no_unit",
    [ASSIGN_FILTERED] = "other_part_of_layer",
    [ASSIGN_NAMESPACE] = "other_part_of_layer",
    [ASSIGN_CONDITION] = "targeting",
    [ASSIGN_PREREQUISITE] = "prerequisite",
    [ASSIGN_CYCLE] = "prerequisite",
    [ASSIGN_HASH_VERSION] = "not_running",
    [ASSIGN_STICKY_BLOCKED] = "sticky_blocked",
    [ASSIGN_COVERAGE] = "not_in_coverage",
    [ASSIGN_FORCE] = "forced",
    [ASSIGN_QA_MODE] = "not_in_coverage",
    [ASSIGN_PASSTHROUGH] = "other_rule",
};

static bool no_room(struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "evaluating the request takes more than %d bytes", EVALUATION_BYTES_MAX);
}

static const char *reason_of(const struct assign_result *r, const struct snapshot_rule *rule)
{
    if (!rule)
        return "default";
    if (rule->kind != RULE_EXPERIMENT)
        return rule->kind == RULE_FORCED ? "forced" : "rollout";
    return r->run.sticky_used ? "sticky" : why_reasons[r->run.why];
}

static void read_result(const struct snapshot_feature *f, struct evaluation_answer *out)
{
    const struct assign_result *r = &out->result;
    bool of_rule = r->rule >= 0 && (size_t)r->rule < f->rules_count;
    out->rule = of_rule && (r->source == ASSIGN_SOURCE_EXPERIMENT || r->source == ASSIGN_SOURCE_FORCE)
                    ? &f->rules[r->rule]
                    : NULL;
    out->experiment = out->rule ? out->rule->experiment : NULL;
    out->variant = !out->rule ? -1 : r->source == ASSIGN_SOURCE_EXPERIMENT ? r->run.variation : out->rule->variant;
    out->reason = r->source == ASSIGN_SOURCE_OVERRIDE ? "override" : reason_of(r, out->rule);
}

static bool evaluate(struct evaluation *e, size_t feature, struct evaluation_answer *out, uint8_t *why, struct err *err)
{
    const struct snapshot_features *f = snapshot_features(e->snapshot, e->drafts);
    assert(feature < f->count);
    if (!e->session || !assign_eval(e->session, feature, &out->result, why))
        return no_room(err);
    read_result(&f->list[feature], out);
    return true;
}

bool evaluation_feature(struct evaluation *e, size_t feature, struct evaluation_answer *out, struct err *err)
{
    return evaluate(e, feature, out, NULL, err);
}

/* A prerequisite that failed may be a holdout that holds. */
static bool held_out(struct evaluation *e, const struct snapshot_experiment *x)
{
    const struct snapshot_features *f = snapshot_features(e->snapshot, e->drafts);
    for (size_t i = 0; i < f->count; i++) {
        const struct snapshot_experiment *h = f->list[i].rules_count ? f->list[i].rules[0].experiment : NULL;
        struct assign_result r;
        if (h && payload_holds_out(h, x) && assign_eval(e->session, i, &r, NULL) && r.has_run && r.run.variation == 0)
            return true;
    }
    return false;
}

/* QA: {"experiment": variant's index}. */
static bool forced_by_request(const struct evaluation *e, const struct snapshot_experiment *x,
                              struct evaluation_answer *out)
{
    const struct assign_value *v = e->unit.forced_variations
                                       ? assign_member(e->unit.forced_variations, x->key.p, x->key.n)
                                       : NULL;
    if (!v || v->type != ASSIGN_NUMBER || v->number < 0 || v->number >= (double)x->variants_count)
        return false;
    *out = (struct evaluation_answer){ .experiment = x, .variant = (int)v->number, .reason = "override" };
    return true;
}

bool evaluation_experiment(struct evaluation *e, const struct snapshot_experiment *x, struct evaluation_answer *out,
                           struct err *err)
{
    const struct snapshot_assign *a = x->assign;
    enum snapshot_view view = e->drafts ? VIEW_DRAFTS : VIEW_LIVE;
    if (forced_by_request(e, x, out))
        return true;
    if (!a || a->feature[view] < 0) {
        *out = (struct evaluation_answer){ .variant = -1, .reason = "not_running" };
        return true;
    }
    size_t feature = (size_t)a->feature[view];
    uint8_t *why = arena_alloc(&e->req->arena, snapshot_features(e->snapshot, e->drafts)->list[feature].rules_count);
    if (!evaluate(e, feature, out, why, err))
        return false;
    if (out->experiment == x)
        return true;
    uint8_t mine = why[a->rule[view]];
    out->experiment = NULL;
    out->variant = -1;
    out->reason = mine < ASSIGN_WHY_COUNT ? why_reasons[mine] : "default";
    if (mine == ASSIGN_PREREQUISITE && held_out(e, x))
        out->reason = "held_out";
    return true;
}
