/* POST /api/eval/{client_key}: GrowthBook's remote evaluation. The rules stay here: each feature is answered as a value and the exposures
 * that it stands for ("tracks"), which the SDK reports by its trackingCallback. So none is recorded here: the SDK knows better which
 * feature the page used. */
#include "experimentd/config/snapshot_parts.h"
#include "experimentd/evaluate/evaluation.h"
#include "experimentd/front/growthbook.h"
#include "experimentd/front/read.h"
#include "experimentd/front/value.h"
#include "experimentd/http/cors.h"

enum { ANSWER_MAX = 64 << 20, SEEN_MAX = 64 };

/* ---- the answer ---- */

struct tracks {
    struct buf *out; /* NULL: nothing is answered yet */
    const struct snapshot_features *features;
    const struct snapshot_rule *seen[SEEN_MAX]; /* of this feature: the same exposure is told once */
    size_t count;
};

static bool seen(struct tracks *t, const struct snapshot_rule *rule)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->seen[i] == rule)
            return true;
    if (t->count < SEEN_MAX)
        t->seen[t->count++] = rule;
    return false;
}

static void add_text(struct buf *b, const char *name, struct assign_text v)
{
    buf_addf(b, ",\"%s\":", name);
    buf_add_json_str(b, (struct str){ v.p ? v.p : "", v.n });
}

/* One exposure: what trackingCallback(experiment, result) gets. The other variants' values stay here. */
static void on_exposure(void *arg, const struct assign_run *run)
{
    struct tracks *t = arg;
    struct buf *b = t->out;
    const struct snapshot_rule *rule = b ? &t->features->list[run->feature].rules[run->rule] : NULL;
    if (!rule || seen(t, rule))
        return;
    buf_add_c(b, t->count > 1 ? ",{\"experiment\":{\"key\":" : "{\"experiment\":{\"key\":");
    buf_add_json_str(b, rule->experiment->key);
    add_text(b, "name", (struct assign_text){ rule->experiment->name.p, rule->experiment->name.n });
    buf_addf(b, ",\"phase\":\"%d\",\"variations\":[]},\"result\":{\"key\":", rule->experiment->phase);
    buf_add_json_str(b, (struct str){ run->key.p, run->key.n });
    buf_addf(b, ",\"variationId\":%d,\"inExperiment\":true,\"hashUsed\":true,\"stickyBucketUsed\":%s", run->variation,
             run->sticky_used ? "true" : "false");
    add_text(b, "featureId", assign_feature_key(t->features->payload, (size_t)run->feature));
    add_text(b, "hashAttribute", run->hash_attribute);
    if (run->name.n)
        add_text(b, "name", run->name);
    buf_add_c(b, ",\"hashValue\":");
    value_write(b, &run->hash_value);
    buf_add_c(b, ",\"value\":");
    value_write(b, run->value);
    if (run->has_bucket) {
        buf_add_c(b, ",\"bucket\":");
        buf_add_json_double(b, run->bucket);
    }
    buf_add_c(b, "}}");
}

static bool put_feature(struct buf *b, struct evaluation *e, struct tracks *t, size_t i, struct err *err)
{
    struct evaluation_answer a;
    struct buf told;
    buf_init(&told, ANSWER_MAX);
    t->out = &told;
    t->count = 0;
    bool ok = evaluation_feature(e, i, &a, err) && buf_ok(&told, "the answer", err);
    if (ok) {
        buf_add_json_str(b, t->features->list[i].key);
        bool by_rule = told.n || a.result.source != ASSIGN_SOURCE_DEFAULT_VALUE;
        buf_add_c(b, by_rule ? ":{\"rules\":[{\"force\":" : ":{\"defaultValue\":");
        value_write(b, a.result.value);
        if (told.n) {
            buf_add_c(b, ",\"tracks\":[");
            buf_add_str(b, buf_str(&told));
            buf_add_byte(b, ']');
        }
        buf_add_c(b, by_rule ? "}]}" : "}");
    }
    buf_release(&told);
    t->out = NULL;
    return ok;
}

static bool put_features(struct buf *b, struct evaluation *e, struct err *err)
{
    struct tracks *t = e->on_exposure_arg;
    bool comma = false;
    buf_add_c(b, "{\"status\":200,\"features\":{");
    for (size_t i = 0; i < t->features->count; i++) {
        if (t->features->list[i].internal)
            continue;
        if (comma)
            buf_add_byte(b, ',');
        comma = true;
        if (!put_feature(b, e, t, i, err))
            return false;
    }
    buf_add_c(b, "},\"experiments\":[],\"dateUpdated\":");
    buf_add_json_str(b, e->snapshot->payload_updated);
    buf_add_byte(b, '}');
    return buf_ok(b, "the answer", err);
}

static void ready(struct evaluation **list, size_t n, void *arg)
{
    struct evaluation *e = list[0];
    struct tracks *t = e->on_exposure_arg;
    struct err err;
    struct buf b;
    (void)n;
    (void)arg;
    t->features = snapshot_features(e->snapshot, e->drafts);
    buf_init(&b, ANSWER_MAX);
    if (evaluation_check(e, &err) && put_features(&b, e, &err))
        http_reply_json(e->req, 200, buf_str(&b));
    else
        growthbook_refuse(e->req, http_status_of(err.kind), err.text);
    buf_release(&b);
}

void growthbook_eval(struct http_request *req, void *arg)
{
    struct remote_ask *r = arena_zalloc(&req->arena, sizeof *r);
    struct evaluation **list = arena_alloc(&req->arena, sizeof(void *));
    struct err err;
    http_reply_header(req, STR("Cache-Control"), STR("no-store"));
    if (!growthbook_admit(req))
        return;
    http_reply_header(req, STR("x-sse-support"), STR("enabled"));
    if (!remote_read(req, r, &err)) {
        growthbook_refuse(req, http_status_of(err.kind), err.text);
        return;
    }
    struct evaluation *e = evaluation_new(req, arg, (struct str){ NULL, 0 });
    e->unit.attributes = r->attributes;
    e->unit.url = (struct assign_text){ r->url.p, r->url.n };
    e->unit.forced_variations = r->variations.type == ASSIGN_OBJECT ? &r->variations : NULL;
    e->unit.forced_features = r->features.type == ASSIGN_OBJECT ? &r->features : NULL;
    e->bulk = true;
    e->on_exposure = on_exposure;
    e->on_exposure_arg = arena_zalloc(&req->arena, sizeof(struct tracks));
    list[0] = e;
    evaluations_begin(list, 1, ready, NULL);
}
