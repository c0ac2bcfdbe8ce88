#include "experimentd/front/ofrep.h"

#include <assert.h>
#include <sodium.h>

#include "experimentd/config/snapshot_parts.h"
#include "experimentd/evaluate/evaluation.h"
#include "experimentd/front/feeds.h"
#include "experimentd/front/read.h"
#include "experimentd/front/value.h"
#include "experimentd/server.h"
#include "experimentd/worker.h"

enum { ANSWER_MAX = 64 << 20, REFUSAL_BYTES = 4096, SHOWN_MAX = 100, TAG_BYTES = 16, INACTIVITY_SECONDS = 120 };

/* ---- refusals ---- */

static void put_error(struct buf *b, struct str flag, const char *code, const char *details)
{
    buf_add_byte(b, '{');
    if (flag.p) {
        buf_add_c(b, "\"key\":");
        buf_add_json_str(b, flag);
        buf_add_byte(b, ',');
    }
    buf_addf(b, "\"errorCode\":\"%s\",\"errorDetails\":", code);
    buf_add_json_str(b, str_of(details));
    buf_add_byte(b, '}');
}

static void refuse(struct http_request *req, int status, const char *code, const char *details)
{
    struct buf b;
    buf_init(&b, REFUSAL_BYTES + req->params[0].n * 6);
    put_error(&b, req->params[0], code, details);
    http_reply_json(req, status, buf_str(&b));
    buf_release(&b);
}

/* ---- asking ---- */

/* The experiments behind one flag: only their sticky assignments matter. */
static const struct assign_value *experiments_of(struct http_request *req, struct str flag)
{
    const struct snapshot_features *f = snapshot_features(snapshot_get(), req->scope == SCOPE_QA);
    int i = assign_feature_index(f->payload, flag.p, flag.n);
    size_t n = i < 0 ? 0 : f->list[i].rules_count;
    struct assign_value *out = arena_alloc(&req->arena, sizeof *out);
    struct assign_value *names = arena_alloc(&req->arena, (n + 1) * sizeof *names);
    for (size_t k = 0; k < n; k++) {
        struct str key = arena_str(&req->arena, f->list[i].rules[k].experiment->key); /* may outlive the snapshot */
        names[k] = (struct assign_value){ .type = ASSIGN_STRING, .text = { key.p, key.n } };
    }
    *out = (struct assign_value){ .type = ASSIGN_ARRAY, .count = (uint32_t)n, .items = names };
    return out;
}

static void begin(struct http_request *req, void *worker, bool bulk, evaluations_fn ready)
{
    struct ofrep_ask ask;
    const char *code;
    struct err err;
    if (!ofrep_read(req, &ask, &code, &err)) {
        refuse(req, 400, code, err.text);
        return;
    }
    struct evaluation **list = arena_alloc(&req->arena, sizeof(void *));
    list[0] = evaluation_new(req, worker, ask.unit);
    list[0]->unit.attributes = ask.context;
    list[0]->bulk = bulk;
    list[0]->experiments = bulk ? NULL : experiments_of(req, req->params[0]);
    evaluations_begin(list, 1, ready, NULL);
}

/* ---- one flag ---- */

static const char *reason_of(const struct evaluation_answer *a)
{
    if (a->result.source == ASSIGN_SOURCE_OVERRIDE)
        return "TARGETING_MATCH";
    if (!a->rule)
        return "DEFAULT";
    static const char *const by_kind[] = {
        [RULE_EXPERIMENT] = "SPLIT", [RULE_FORCED] = "TARGETING_MATCH", [RULE_ROLLOUT] = "STATIC"
    };
    static_assert(COUNT_OF(by_kind) == RULE_KIND_COUNT, "a reason for every kind");
    return by_kind[a->rule->kind];
}

/* Nothing answered since the flag's experiments hash the unit's id, and there is none. */
static bool lacks_unit(const struct evaluation *e, const struct snapshot_feature *f, const struct evaluation_answer *a)
{
    if (a->rule || assign_truthy(assign_member(&e->unit.attributes, "id", 2)))
        return false;
    for (size_t i = 0; i < f->rules_count; i++)
        if (f->rules[i].kind == RULE_EXPERIMENT && str_eq(f->rules[i].experiment->hash_attribute, STR("id")))
            return true;
    return false;
}

static void put_variant(struct buf *b, const struct evaluation_answer *a)
{
    const struct snapshot_experiment *x = a->experiment;
    if (a->variant < 0)
        return;
    buf_add_c(b, ",\"variant\":");
    buf_add_json_str(b, x->variants[a->variant].key);
    buf_add_c(b, ",\"metadata\":{\"experiment\":");
    buf_add_json_str(b, x->key);
    buf_addf(b, ",\"phase\":%d,\"reason\":\"%s\"", x->phase, a->reason);
    if (x->live_weights)
        buf_addf(b, ",\"weightsVersion\":%d", x->weights_version);
    buf_add_byte(b, '}');
}

/* False: the flag has an error, which is written instead. */
static bool put_flag(struct buf *b, struct evaluation *e, size_t feature)
{
    const struct snapshot_feature *f = &snapshot_features(e->snapshot, e->drafts)->list[feature];
    struct evaluation_answer a;
    struct err err;
    if (!evaluation_feature(e, feature, &a, &err)) {
        put_error(b, f->key, "GENERAL", err.text);
        return false;
    }
    if (lacks_unit(e, f, &a)) {
        put_error(b, f->key, "TARGETING_KEY_MISSING",
                  "the flag splits units by \"targetingKey\": the context has none");
        return false;
    }
    buf_add_c(b, "{\"key\":");
    buf_add_json_str(b, f->key);
    if (a.result.value->type != ASSIGN_NULL) {
        buf_add_c(b, ",\"value\":");
        value_write(b, a.result.value);
    }
    buf_addf(b, ",\"reason\":\"%s\"", reason_of(&a));
    put_variant(b, &a);
    buf_add_byte(b, '}');
    return true;
}

/* A flag without a feature: of an experiment that does not run, or unknown. */
static void answer_without(struct http_request *req, const struct snapshot *s)
{
    struct str flag = req->params[0];
    for (size_t i = 0; i < s->experiments_count; i++) {
        const struct snapshot_experiment *x = &s->experiments[i];
        if (x->kind == EXPERIMENT_HOLDOUT || !str_eq(x->parameter, flag))
            continue;
        struct buf b;
        buf_init(&b, REFUSAL_BYTES + flag.n * 6);
        buf_add_c(&b, "{\"key\":");
        buf_add_json_str(&b, flag);
        buf_add_c(&b, ",\"reason\":\"DISABLED\"}");
        http_reply_json(req, 200, buf_str(&b));
        buf_release(&b);
        return;
    }
    refuse(req, 404, "FLAG_NOT_FOUND",
           arena_printf(&req->arena, "there is no flag \"" STR_FMT "\"", STR_ARG(str_cut(flag, SHOWN_MAX))).p);
}

static bool reply(struct http_request *req, int status, struct buf *b)
{
    struct err err;
    bool ok = buf_ok(b, "the answer", &err);
    if (ok)
        http_reply_json(req, status, buf_str(b));
    else
        refuse(req, 400, "GENERAL", err.text);
    buf_release(b);
    return ok;
}

static void flag_ready(struct evaluation **list, size_t n, void *arg)
{
    struct evaluation *e = list[0];
    const struct snapshot_features *f = snapshot_features(e->snapshot, e->drafts);
    struct str flag = e->req->params[0];
    int feature = assign_feature_index(f->payload, flag.p, flag.n);
    struct err err;
    (void)n;
    (void)arg;
    if (feature < 0 || f->list[feature].internal) {
        answer_without(e->req, e->snapshot);
        return;
    }
    if (!evaluation_check(e, &err)) {
        refuse(e->req, 400, "INVALID_CONTEXT", err.text);
        return;
    }
    struct buf b;
    buf_init(&b, ANSWER_MAX);
    bool ok = put_flag(&b, e, (size_t)feature);
    if (ok && !b.failed)
        evaluation_commit(e);
    (void)reply(e->req, ok ? 200 : 400, &b);
}

void ofrep_flag(struct http_request *req, void *arg)
{
    begin(req, arg, false, flag_ready);
}

/* ---- all flags ---- */

/* The URL of the stream holds the key: one that may do more than a client's is not put into it. */
static void put_streams(struct buf *b, struct http_request *req)
{
    if (req->scope > SCOPE_QA)
        return;
    buf_addf(b, ",\"eventStreams\":[{\"type\":\"sse\",\"endpoint\":{\"requestUri\":\"/ofrep/v1/events/" STR_FMT "\"",
             STR_ARG(http_percent_encode(&req->arena, req->key)));
    buf_addf(b, "},\"inactivityDelaySec\":%d}]", INACTIVITY_SECONDS);
}

static void put_flags(struct buf *b, struct evaluation *e)
{
    const struct snapshot_features *f = snapshot_features(e->snapshot, e->drafts);
    bool comma = false;
    buf_add_c(b, "{\"flags\":[");
    for (size_t i = 0; i < f->count; i++) {
        if (f->list[i].internal)
            continue;
        if (comma)
            buf_add_byte(b, ',');
        comma = true;
        (void)put_flag(b, e, i);
    }
    buf_add_byte(b, ']');
    put_streams(b, e->req);
    buf_add_byte(b, '}');
}

/* Of what is answered: so it follows configuration, context and sticky assignments alike. */
static struct str tag_of(struct http_request *req, struct str body)
{
    unsigned char hash[TAG_BYTES];
    char hex[2 * TAG_BYTES + 1];
    (void)crypto_generichash(hash, sizeof hash, (const unsigned char *)body.p, body.n, NULL, 0);
    (void)sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    return arena_printf(&req->arena, "\"%s\"", hex);
}

static void flags_ready(struct evaluation **list, size_t n, void *arg)
{
    struct evaluation *e = list[0];
    struct http_request *req = e->req;
    struct err err;
    struct buf b;
    (void)n;
    (void)arg;
    if (!evaluation_check(e, &err)) {
        refuse(req, 400, "INVALID_CONTEXT", err.text);
        return;
    }
    buf_init(&b, ANSWER_MAX);
    put_flags(&b, e);
    if (e->worker->server->settings.ofrep_bulk_exposures && !b.failed) /* a refused answer exposes nobody */
        evaluation_commit(e);
    struct str tag = tag_of(req, buf_str(&b));
    http_reply_header(req, STR("ETag"), tag);
    http_reply_header(req, STR("Cache-Control"), STR("private, no-cache"));
    if (http_etag_matches(req, tag)) {
        http_reply(req, 304, NULL, STR(""));
        buf_release(&b);
        return;
    }
    (void)reply(req, 200, &b);
}

void ofrep_flags(struct http_request *req, void *arg)
{
    begin(req, arg, true, flags_ready);
}

void ofrep_events(struct http_request *req, void *arg)
{
    struct worker *w = arg;
    if (req->scope >= SCOPE_CLIENT)
        feeds_answer(w->feeds, FEED_REFETCH, req);
    else
        http_reply_problem(req, 401, "the key in the path is not known or was revoked");
}
