/* From what was read to what is evaluated: pieces of answers, payloads, and where each experiment stands in them. */
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "experimentd/config/encrypt.h"
#include "experimentd/config/experiment.h"
#include "experimentd/config/payload.h"
#include "experimentd/config/snapshot_parts.h"

enum { FRAGMENT_MAX = 1 << 20, ETAG_BYTES = 24 };

/* The object of an answer up to its reason, serialised once. */
static bool make_piece(struct snapshot_whole *w, const struct snapshot_experiment *e, struct str variant,
                       struct str value, struct str *out, struct err *err)
{
    struct buf b;
    buf_init(&b, FRAGMENT_MAX);
    buf_add_c(&b, "{\"experiment\":");
    buf_add_json_str(&b, e->key);
    buf_add_c(&b, ",\"variant\":");
    if (variant.p)
        buf_add_json_str(&b, variant);
    else
        buf_add_c(&b, "null");
    buf_add_c(&b, ",\"value\":");
    buf_add_str(&b, value);
    buf_add_c(&b, ",\"reason\":\"");
    bool ok = buf_ok(&b, "a variant's value", err);
    if (ok)
        *out = arena_str(&w->arena, buf_str(&b));
    buf_release(&b);
    return ok;
}

static bool make_pieces(struct snapshot_whole *w, struct snapshot_experiment *e, struct err *err)
{
    struct snapshot_assign *a = arena_zalloc(&w->arena, sizeof *a);
    if (e->variants_count > ASSIGN_VARIANTS_MAX)
        return err_set(err, ERR_INVALID, "%zu variants, more than %d", e->variants_count, ASSIGN_VARIANTS_MAX);
    a->identity = hash64(e->key) ^ ((uint64_t)e->created_us << 8);
    a->assigned = arena_zalloc(&w->arena, e->variants_count * sizeof *a->assigned);
    for (int view = 0; view < VIEW_COUNT; view++)
        a->feature[view] = a->rule[view] = -1;
    for (size_t i = 0; i < e->variants_count; i++)
        if (!make_piece(w, e, e->variants[i].key, e->variants[i].value_json, &a->assigned[i], err))
            return false;
    if (!make_piece(w, e, (struct str){ NULL, 0 }, e->default_json, &a->unassigned, err))
        return false;
    e->assign = a;
    return true;
}

/* One experiment that cannot be evaluated must not keep the others from being published. */
static void make_all_pieces(struct snapshot_whole *w)
{
    for (size_t i = 0; i < w->s.experiments_count; i++) {
        struct err err;
        struct snapshot_experiment *e = &w->s.experiments[i];
        if (!make_pieces(w, e, &err))
            log_error("experiment_not_evaluated", "experiment=%.*s " LOG_ERR, STR_ARG(e->key), LOG_ERR_ARG(&err));
    }
}

static void place(struct snapshot_features *f, int view)
{
    for (size_t i = 0; i < f->count; i++) {
        for (size_t k = 0; k < f->list[i].rules_count; k++) {
            const struct snapshot_rule *rule = &f->list[i].rules[k];
            struct snapshot_assign *a = (struct snapshot_assign *)(uintptr_t)rule->experiment->assign;
            f->sticky = f->sticky || rule->experiment->sticky;
            if (rule->kind == RULE_FORCED)
                continue;
            a->feature[view] = (int)i;
            a->rule[view] = (int)k;
        }
    }
}

static bool make_view(struct snapshot_whole *w, enum snapshot_view view, struct payload *p, struct err *err)
{
    struct assign_error e;
    struct snapshot_features *f = &w->views[view];
    if (!payload_build(&w->s, view == VIEW_DRAFTS, &w->arena, p, err))
        return false;
    f->payload = assign_payload_new(p->json.p, p->json.n, (struct assign_text){ NULL, 0 }, &e);
    if (!f->payload)
        return err_set(err, ERR_INVALID, "cannot compile the configuration: %s", e.text);
    f->list = p->list;
    f->count = p->count;
    place(f, (int)view);
    return true;
}

/* The same for clients that have a decryption key. */
static bool make_encrypted(struct snapshot_whole *w, const struct payload *p, const char *updated, struct err *err)
{
    struct str features, groups;
    if (!encrypt_on())
        return true;
    if (!encrypt_text(&w->arena, p->features_json, &features, err) ||
        !encrypt_text(&w->arena, p->groups_json, &groups, err))
        return false;
    w->s.payload_encrypted = arena_printf(&w->arena,
                                          "{\"status\":200,\"features\":{},\"encryptedFeatures\":\"%.*s\","
                                          "\"encryptedSavedGroups\":\"%.*s\",\"dateUpdated\":\"%s\"}",
                                          STR_ARG(features), STR_ARG(groups), updated);
    return true;
}

/* What SDKs are told has changed only when the payload has. */
static bool make_body(struct snapshot_whole *w, const struct payload *p, struct err *err)
{
    const struct snapshot_whole *before = (const struct snapshot_whole *)(const void *)snapshot_get();
    char at[CLOCK_TEXT_MAX];
    w->s.payload_etag = arena_printf(&w->arena, "\"%016llx\"", (unsigned long long)(hash64(p->json) ^ encrypt_tag()));
    bool same = before && str_eq(before->s.payload_etag, w->s.payload_etag);
    w->s.payload_version = same ? before->s.payload_version : w->s.version;
    w->payload_us = same ? before->payload_us : w->updated_us;
    (void)clock_format(w->payload_us, at);
    w->s.payload_json = arena_printf(&w->arena, "{\"status\":200,%.*s,\"dateUpdated\":\"%s\"}", (int)p->json.n - 2,
                                     p->json.p + 1, at);
    w->s.payload_updated = arena_str(&w->arena, str_of(at));
    return make_encrypted(w, p, at, err);
}

bool snapshot_compile(struct snapshot_whole *w, bool published, struct err *err)
{
    struct payload live, drafts;
    make_all_pieces(w);
    if (!make_view(w, VIEW_LIVE, &live, err) || !make_view(w, VIEW_DRAFTS, &drafts, err))
        return false;
    w->s.payload = w->views[VIEW_LIVE].payload;
    w->s.features = w->views[VIEW_LIVE].list;
    w->s.features_count = w->views[VIEW_LIVE].count;
    return !published || make_body(w, &live, err);
}
