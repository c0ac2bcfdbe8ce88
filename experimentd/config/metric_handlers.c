#include "experimentd/config/metric_handlers.h"

#include "base/pgloop.h"
#include "experimentd/config/edit.h"
#include "experimentd/config/experiment.h"
#include "experimentd/queries.h"
#include "experimentd/worker.h"
#include "metric/metric.h"

enum { ANSWER_MAX = 16 << 20, WORDS_MAX = 64 << 10, SQL_MAX = METRIC_SQL_MAX + 1000 };

static bool not_known(struct str key, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "metric \"" STR_FMT "\" is not known", STR_ARG(str_cut(key, METRIC_KEY_MAX)));
}

/* ---- who measures it ---- */

/* What the experiment has the metric for; NULL: it does not name it. */
static const char *role_of(const struct snapshot_experiment *e, struct str metric, struct arena *arena)
{
    for (size_t i = 0; i < e->metrics_count; i++)
        if (str_eq(e->metrics[i].metric, metric))
            return arena_cstr(arena, e->metrics[i].role);
    if (str_eq(e->bandit.metric, metric))
        return "bandit";
    for (size_t i = 0; i < e->holdout_metrics.n; i++)
        if (str_eq(e->holdout_metrics.p[i], metric))
            return "holdout";
    return NULL;
}

static void write_experiments(struct jsonw *w, const struct snapshot *s, struct str metric, struct arena *arena)
{
    jsonw_open(w, "experiments", '[');
    for (size_t i = 0; i < s->experiments_count; i++) {
        const struct snapshot_experiment *e = &s->experiments[i];
        const char *role = role_of(e, metric, arena);
        if (!role)
            continue;
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "key", e->key);
        jsonw_str(w, "name", e->name);
        jsonw_text(w, "status", experiment_status_names[e->status]);
        jsonw_text(w, "role", role);
        jsonw_close(w);
    }
    jsonw_close(w);
}

/* The first experiment that names it; of those that have been started, or of all. */
static const struct snapshot_experiment *used_by(const struct snapshot *s, struct str metric, bool started,
                                                 struct arena *arena)
{
    for (size_t i = 0; i < s->experiments_count; i++) {
        const struct snapshot_experiment *e = &s->experiments[i];
        if ((!started || e->status != EXPERIMENT_DRAFT) && role_of(e, metric, arena))
            return e;
    }
    return NULL;
}

/* ---- answers ---- */

static void write_definition(struct jsonw *w, const struct metric_def *def)
{
    struct buf words;
    buf_init(&words, WORDS_MAX);
    metric_words(&words, def);
    metric_write(w, def);
    jsonw_str(w, "counts", buf_str(&words));
    buf_release(&words);
}

static void write_metric(struct jsonw *w, const struct snapshot *s, const struct snapshot_metric *m,
                         struct arena *arena)
{
    jsonw_open(w, NULL, '{');
    write_definition(w, m->def);
    jsonw_bool(w, "builtin", m->builtin);
    write_experiments(w, s, m->key, arena);
    jsonw_i64(w, "version", m->version);
    jsonw_time(w, "created_at", m->created_us);
    jsonw_time(w, "updated_at", m->updated_us);
    jsonw_close(w);
}

static void reply_metric(struct http_request *req, const struct snapshot *s, const struct snapshot_metric *m,
                         int status)
{
    struct buf b;
    struct jsonw w;
    http_reply_header(req, STR("ETag"), arena_printf(&req->arena, "\"%lld\"", (long long)m->version));
    if (status == 201)
        http_reply_header(req, STR("Location"), arena_printf(&req->arena, "/v1/metrics/" STR_FMT, STR_ARG(m->key)));
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    write_metric(&w, s, m, &req->arena);
    http_reply_buf(req, status, &b, "the metric");
}

static void reply_edited(struct edit *e, const struct snapshot *s)
{
    const struct snapshot_metric *m = snapshot_metric(s, e->key);
    struct err err;
    if (strcmp(e->action, "delete") == 0) {
        http_reply(e->req, 204, NULL, STR(""));
    } else if (m) {
        reply_metric(e->req, s, m, strcmp(e->action, "create") == 0 ? 201 : 200);
    } else {
        (void)not_known(e->key, &err); /* deleted meanwhile */
        http_reply_err(e->req, &err);
    }
}

/* ---- edits ---- */

static bool write_edit(struct edit *e, const struct metric_def *def, struct err *err)
{
    struct str spec, nothing = { NULL, 0 };
    if (!metric_text(def, e->arena, &spec, err))
        return false;
    edit_write_begin(e, e->kind, def->key, e->action, spec, nothing);
    edit_write_end(e);
    return true;
}

static bool read_created(struct edit *e, struct metric_def *out, struct err *err)
{
    return metric_parse(e->req->body, e->arena, out, err);
}

static bool make_create(struct edit *e, const struct snapshot *s, struct err *err)
{
    struct metric_def def;
    if (!read_created(e, &def, err))
        return false;
    e->key = def.key;
    if (snapshot_metric(s, def.key))
        return err_set(err, ERR_CONFLICT, "metric \"" STR_FMT "\" exists already", STR_ARG(def.key));
    return write_edit(e, &def, err);
}

/* The metric to change or delete. */
static const struct snapshot_metric *find(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_metric *m = snapshot_metric(s, e->key);
    if (!m)
        (void)not_known(e->key, err);
    else if (m->builtin)
        (void)err_set(err, ERR_CONFLICT,
                      "metric \"" STR_FMT "\" is built in and stays as it is; make one of your own under another key",
                      STR_ARG(m->key));
    else if (edit_match(e, e->kind, m->key, m->version, err))
        return m;
    return NULL;
}

static bool read_changed(struct edit *e, const struct snapshot_metric *was, struct metric_def *out, struct err *err)
{
    struct str spec;
    if (!metric_text(was->def, e->arena, &spec, err))
        return false;
    json_auto_t *root = edit_patched(e, spec, err);
    if (!root || !metric_read(root, e->arena, out, err))
        return false;
    return str_eq(out->key, was->key) ||
           err_set(err, ERR_CONFLICT, "field \"key\" of metric \"" STR_FMT "\" cannot change", STR_ARG(was->key));
}

/* A result is of one definition: the one that stands in the catalogue. And who reads it must be able to trust that nobody chose it when the
 * numbers were already to be seen. */
static bool check_started(struct edit *e, const struct snapshot *s, const struct snapshot_metric *was,
                          const struct metric_def *now, struct err *err)
{
    const struct snapshot_experiment *user = used_by(s, was->key, true, e->arena);
    if (!user || (metric_equal(was->def, now) && was->def->direction == now->direction))
        return true;
    return err_set(err, ERR_CONFLICT,
                   "cannot change what metric \"" STR_FMT "\" counts: experiment \"" STR_FMT
                   "\" was started with it; make a metric under another key",
                   STR_ARG(was->key), STR_ARG(user->key));
}

static bool make_change(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_metric *was = find(e, s, err);
    struct metric_def now;
    return was && read_changed(e, was, &now, err) && check_started(e, s, was, &now, err) && write_edit(e, &now, err);
}

/* Also what ended names it: its result is still read. */
static bool make_delete(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_metric *m = find(e, s, err);
    struct str nothing = { NULL, 0 };
    if (!m)
        return false;
    const struct snapshot_experiment *user = used_by(s, m->key, false, e->arena);
    if (user)
        return err_set(err, ERR_CONFLICT, "cannot delete metric \"" STR_FMT "\": experiment \"" STR_FMT "\" uses it",
                       STR_ARG(m->key), STR_ARG(user->key));
    edit_write_begin(e, e->kind, m->key, e->action, nothing, nothing);
    edit_write_end(e);
    return true;
}

/* ---- SQL ---- */

/* An edit whose facts of SQL are looked at by the database, one after the other. */
struct sql_check {
    struct edit *edit;
    struct metric_def def;
    size_t at; /* the fact that is looked at */
    bool dry;  /* nothing is stored */
};

static const char *fact_name(const struct sql_check *c)
{
    if (c->def.form == METRIC_FORM_FUNNEL)
        return arena_printf(c->edit->arena, "steps[%zu]", c->at).p;
    return c->at == 0 ? "numerator" : "denominator";
}

static void check_from(struct sql_check *c, size_t at);

static void on_checked(void *arg, const PGresult *r, const struct err *err)
{
    struct sql_check *c = arg;
    struct err refusal;
    if (err) {
        http_reply_err(c->edit->req, err);
    } else if (!PQgetisnull(r, 0, 0)) {
        (void)err_set(&refusal, ERR_INVALID, "metric: %s: field \"select\": " STR_FMT, fact_name(c),
                      STR_ARG(pg_get(r, 0, 0)));
        http_reply_err(c->edit->req, &refusal);
    } else {
        check_from(c, c->at + 1);
    }
}

/* How the document was understood. */
static void reply_understood(struct sql_check *c)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    write_definition(&w, &c->def);
    jsonw_close(&w);
    http_reply_buf(c->edit->req, 200, &b, "the metric");
}

static void look_at(struct sql_check *c, struct str select)
{
    AUTO(buf_release) struct buf sql;
    buf_init(&sql, SQL_MAX);
    fact_sql_rows(&sql, select);
    const char *params[] = { buf_str(&sql).p };
    pgloop_run(c->edit->worker->pg, &queries[QUERY_METRIC_SQL], params, on_checked, c);
}

static void check_from(struct sql_check *c, size_t at)
{
    for (c->at = at; c->at < c->def.facts_count; c->at++) {
        const struct metric_fact *f = &c->def.facts[c->at];
        if (f->of != FACT_SQL)
            continue;
        look_at(c, f->sql);
        return;
    }
    if (c->dry)
        reply_understood(c);
    else
        edit_run(c->edit);
}

static struct edit *new_edit(struct http_request *req, void *worker, const char *action, edit_make_fn make)
{
    return edit_new(req, worker, "metric", action, req->params[0], make, reply_edited);
}

static bool read_dry(struct http_request *req, bool *out, struct err *err)
{
    struct str dry = STR("false");
    (void)http_query(req, STR("dry_run"), &dry);
    return parse_bool(dry, out, err) || err_prefix(err, "query string: field \"dry_run\": ");
}

void metrics_create(struct http_request *req, void *arg)
{
    struct sql_check *c = arena_zalloc(&req->arena, sizeof *c);
    struct err err;
    c->edit = new_edit(req, arg, "create", make_create);
    if (read_dry(req, &c->dry, &err) && read_created(c->edit, &c->def, &err))
        check_from(c, 0);
    else
        http_reply_err(req, &err);
}

void metrics_patch(struct http_request *req, void *arg)
{
    struct sql_check *c = arena_zalloc(&req->arena, sizeof *c);
    const struct snapshot *s = snapshot_get();
    const struct snapshot_metric *was = s ? snapshot_metric(s, req->params[0]) : NULL;
    struct err err;
    c->edit = new_edit(req, arg, "change", make_change);
    if (!was || was->builtin)
        edit_run(c->edit); /* which refuses it */
    else if (read_changed(c->edit, was, &c->def, &err))
        check_from(c, 0);
    else
        http_reply_err(req, &err);
}

void metrics_delete(struct http_request *req, void *arg)
{
    edit_run(new_edit(req, arg, "delete", make_delete));
}

/* ---- reading ---- */

void metrics_get(struct http_request *req, void *arg)
{
    const struct snapshot *s = snapshot_get();
    const struct snapshot_metric *m = s ? snapshot_metric(s, req->params[0]) : NULL;
    struct err err;
    (void)arg;
    if (m) {
        reply_metric(req, s, m, 200);
        return;
    }
    (void)not_known(req->params[0], &err);
    http_reply_err(req, &err);
}

void metrics_list(struct http_request *req, void *arg)
{
    const struct snapshot *s = snapshot_get();
    struct buf b;
    struct jsonw w;
    (void)arg;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "metrics", '[');
    for (size_t i = 0; s && i < s->metrics_count; i++)
        write_metric(&w, s, &s->metrics[i], &req->arena);
    jsonw_close(&w);
    jsonw_close(&w);
    http_reply_buf(req, 200, &b, "the list");
}
