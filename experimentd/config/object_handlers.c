#include "experimentd/config/object_handlers.h"

#include "base/pgloop.h"
#include "experimentd/config/edit.h"
#include "experimentd/config/experiment.h"
#include "experimentd/config/layers.h"
#include "experimentd/config/object.h"
#include "experimentd/config/state.h"
#include "experimentd/queries.h"
#include "experimentd/resources/rows.h"
#include "experimentd/worker.h"

enum { ANSWER_MAX = 64 << 20, REVISIONS_PAGE = 50 };

static enum object_kind kind_of(const struct edit *e)
{
    for (int k = 0; k < OBJECT_KIND_COUNT; k++)
        if (strcmp(object_kind_names[k], e->kind) == 0)
            return (enum object_kind)k;
    return OBJECT_KIND_COUNT;
}

static bool not_known(enum object_kind kind, struct str key, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "%s \"" STR_FMT "\" is not known", object_kind_names[kind],
                   STR_ARG(str_cut(key, EXPERIMENT_KEY_MAX)));
}

/* ---- answers ---- */

/* Who has which part of a layer. */
static void write_parts(struct jsonw *w, const struct snapshot *s, const struct snapshot_object *layer)
{
    int used = 0;
    jsonw_open(w, "parts", '[');
    for (size_t i = 0; i < s->experiments_count; i++) {
        const struct snapshot_experiment *e = &s->experiments[i];
        if (e->status != EXPERIMENT_RUNNING || !str_eq(e->layer, layer->key))
            continue;
        int n = 0;
        for (size_t k = 0; k < e->slots.n; k++)
            n += e->slots.p[k].hi - e->slots.p[k].lo;
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "experiment", e->key);
        jsonw_double(w, "share", (double)n / SNAPSHOT_SLOTS);
        jsonw_close(w);
        used += n;
    }
    for (size_t i = 0; i < s->objects[OBJECT_DOMAIN].n; i++) {
        const struct snapshot_object *d = &s->objects[OBJECT_DOMAIN].p[i];
        if (!str_eq(d->layer, layer->key))
            continue;
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "domain", d->key);
        jsonw_double(w, "share", d->share);
        jsonw_close(w);
        for (size_t k = 0; k < d->slots.n; k++)
            used += d->slots.p[k].hi - d->slots.p[k].lo;
    }
    jsonw_close(w);
    jsonw_double(w, "free", (double)(SNAPSHOT_SLOTS - used) / SNAPSHOT_SLOTS);
}

static void write_object(struct jsonw *w, const struct snapshot *s, const struct snapshot_object *o)
{
    jsonw_open(w, NULL, '{');
    object_write(w, o);
    if (o->kind == OBJECT_LAYER)
        write_parts(w, s, o);
    jsonw_i64(w, "version", o->version);
    jsonw_time(w, "created_at", o->created_us);
    jsonw_time(w, "updated_at", o->updated_us);
    jsonw_close(w);
}

static void reply_object(struct http_request *req, const struct snapshot *s, const struct snapshot_object *o,
                         int status)
{
    struct buf b;
    struct jsonw w;
    http_reply_header(req, STR("ETag"), arena_printf(&req->arena, "\"%lld\"", (long long)o->version));
    if (status == 201)
        http_reply_header(req, STR("Location"),
                          arena_printf(&req->arena, "/v1/%ss/" STR_FMT, object_kind_names[o->kind], STR_ARG(o->key)));
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    write_object(&w, s, o);
    http_reply_buf(req, status, &b, "the answer");
}

static void reply_edited(struct edit *e, const struct snapshot *s)
{
    const struct snapshot_object *o = snapshot_object(s, kind_of(e), e->key);
    struct err err;
    if (strcmp(e->action, "delete") == 0) {
        http_reply(e->req, 204, NULL, STR(""));
    } else if (o) {
        reply_object(e->req, s, o, strcmp(e->action, "create") == 0 ? 201 : 200);
    } else {
        (void)not_known(kind_of(e), e->key, &err); /* deleted meanwhile */
        http_reply_err(e->req, &err);
    }
}

/* ---- edits ---- */

/* A domain gets its slots of its layer with the edit that makes or widens it. */
static bool write_object_edit(struct edit *e, const struct snapshot *s, struct snapshot_object *o,
                              const struct snapshot_object *was, struct err *err)
{
    struct str spec, state = { NULL, 0 };
    if (!object_check(o, was, s, err) || !object_spec(o, e->arena, &spec, err))
        return false;
    if (o->kind == OBJECT_DOMAIN) {
        if (!layers_allocate(s, o->layer, o->key, o->share, &o->slots, e->arena, &o->slots, err))
            return false;
        state = slots_write(&o->slots, e->arena);
    }
    edit_write_begin(e, e->kind, o->key, e->action, spec, state);
    edit_write_end(e);
    return true;
}

static bool make_create(struct edit *e, const struct snapshot *s, struct err *err)
{
    struct snapshot_object o;
    json_auto_t *root = json_parse(e->req->body, err);
    if (!root || !object_read(root, kind_of(e), e->arena, &o, err))
        return false;
    e->key = o.key;
    if (snapshot_object(s, o.kind, o.key))
        return err_set(err, ERR_CONFLICT, "%s \"" STR_FMT "\" exists already", e->kind, STR_ARG(o.key));
    return write_object_edit(e, s, &o, NULL, err);
}

static const struct snapshot_object *find(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_object *o = snapshot_object(s, kind_of(e), e->key);
    if (!o)
        (void)not_known(kind_of(e), e->key, err);
    return o && edit_match(e, e->kind, o->key, o->version, err) ? o : NULL;
}

static bool read_changed(struct edit *e, const struct snapshot_object *was, struct snapshot_object *now,
                         struct err *err)
{
    json_auto_t *root = edit_patched(e, was->spec_json, err);
    if (!root)
        return false;
    if (!object_read(root, was->kind, e->arena, now, err))
        return false;
    now->slots = str_eq(now->layer, was->layer) ? was->slots : (struct slot_ranges){ 0 };
    return str_eq(now->key, was->key) ||
           err_set(err, ERR_CONFLICT, "field \"key\" of %s \"" STR_FMT "\" cannot change", e->kind, STR_ARG(was->key));
}

static bool make_change(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_object *was = find(e, s, err);
    struct snapshot_object now;
    return was && read_changed(e, was, &now, err) && write_object_edit(e, s, &now, was, err);
}

static bool make_delete(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_object *o = find(e, s, err);
    struct str nothing = { NULL, 0 };
    if (!o || !object_unused(o, s, err))
        return false;
    edit_write_begin(e, e->kind, o->key, e->action, nothing, nothing);
    edit_write_end(e);
    return true;
}

static void run(struct http_request *req, void *worker, enum object_kind kind, const char *action, edit_make_fn make)
{
    edit_run(edit_new(req, worker, object_kind_names[kind], action, req->params[0], make, reply_edited));
}

/* ---- reading ---- */

static void reply_one(struct http_request *req, enum object_kind kind)
{
    const struct snapshot *s = snapshot_get();
    const struct snapshot_object *o = snapshot_object(s, kind, req->params[0]);
    struct err err;
    if (o) {
        reply_object(req, s, o, 200);
        return;
    }
    (void)not_known(kind, req->params[0], &err);
    http_reply_err(req, &err);
}

static void reply_list(struct http_request *req, enum object_kind kind)
{
    const struct snapshot *s = snapshot_get();
    struct buf b;
    struct jsonw w;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, arena_printf(&req->arena, "%ss", object_kind_names[kind]).p, '[');
    for (size_t i = 0; s && i < s->objects[kind].n; i++)
        write_object(&w, s, &s->objects[kind].p[i]);
    jsonw_close(&w);
    jsonw_close(&w);
    http_reply_buf(req, 200, &b, "the list");
}

/* ---- revisions ---- */

static void write_document(struct jsonw *w, const char *name, const PGresult *r, int row, int column)
{
    jsonw_raw(w, name, PQgetisnull(r, row, column) ? STR("null") : pg_get(r, row, column));
}

static void write_revision(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    jsonw_i64(w, "id", pg_get_i64(r, row, 0));
    jsonw_time(w, "at", pg_get_i64(r, row, 1));
    jsonw_str(w, "actor", pg_get(r, row, 2));
    jsonw_str(w, "action", pg_get(r, row, 3));
    write_document(w, "before", r, row, 4);
    write_document(w, "after", r, row, 5);
    jsonw_close(w);
}

static void on_revisions(void *arg, const PGresult *r, const struct err *err)
{
    static const struct rows_form form = {
        .write = write_revision, .list = "revisions", .bytes_max = ANSWER_MAX, .all = "the answer"
    };
    if (err) {
        http_reply_err(arg, err);
        return;
    }
    struct rows_page page = { .shown = PQntuples(r), .last_without = true };
    if (page.shown == REVISIONS_PAGE)
        page.next = pg_get(r, REVISIONS_PAGE - 1, 0);
    rows_reply_page(arg, &form, r, &page);
}

static void revisions(struct http_request *req, struct worker *worker, const char *kind)
{
    struct str token = STR("9223372036854775807");
    int64_t before;
    struct err err;
    (void)http_query(req, STR("page_token"), &token);
    if (!parse_i64(token, &before, &err)) {
        (void)err_prefix(&err, "query string: field \"page_token\": ");
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { arena_printf(&req->arena, "%s:" STR_FMT, kind, STR_ARG(req->params[0])).p,
                             arena_cstr(&req->arena, token), arena_printf(&req->arena, "%d", REVISIONS_PAGE).p };
    pgloop_run(worker->pg, &queries[QUERY_REVISIONS], params, on_revisions, req);
}

void experiments_revisions(struct http_request *req, void *arg)
{
    revisions(req, arg, "experiment");
}

void metrics_revisions(struct http_request *req, void *arg)
{
    revisions(req, arg, "metric");
}

void jobs_revisions(struct http_request *req, void *arg)
{
    revisions(req, arg, "job");
}

void models_revisions(struct http_request *req, void *arg)
{
    revisions(req, arg, "model");
}

void judgments_revisions(struct http_request *req, void *arg)
{
    revisions(req, arg, "judgments");
}

void query_sets_revisions(struct http_request *req, void *arg)
{
    revisions(req, arg, "query-set");
}

/* ---- one set of handlers a kind ---- */

#define HANDLERS(plural, kind)                                   \
    void plural##_list(struct http_request *req, void *arg)      \
    {                                                            \
        (void)arg;                                               \
        reply_list(req, kind);                                   \
    }                                                            \
    void plural##_get(struct http_request *req, void *arg)       \
    {                                                            \
        (void)arg;                                               \
        reply_one(req, kind);                                    \
    }                                                            \
    void plural##_create(struct http_request *req, void *arg)    \
    {                                                            \
        run(req, arg, kind, "create", make_create);              \
    }                                                            \
    void plural##_patch(struct http_request *req, void *arg)     \
    {                                                            \
        run(req, arg, kind, "change", make_change);              \
    }                                                            \
    void plural##_delete(struct http_request *req, void *arg)    \
    {                                                            \
        run(req, arg, kind, "delete", make_delete);              \
    }                                                            \
    void plural##_revisions(struct http_request *req, void *arg) \
    {                                                            \
        revisions(req, arg, object_kind_names[kind]);            \
    }
HANDLERS(layers, OBJECT_LAYER)
HANDLERS(domains, OBJECT_DOMAIN)
HANDLERS(segments, OBJECT_SEGMENT)
