#include "experimentd/serving/handlers.h"

#include "base/jsonw.h"
#include "experimentd/server.h"
#include "experimentd/serving/ask.h"
#include "experimentd/serving/boosts_ask.h"
#include "experimentd/serving/rank_ask.h"
#include "experimentd/serving/store.h"

enum { ANSWER_MAX = 8 << 20 };

static bool recommend_into(struct http_request *req, struct worker *w, struct buf *out, struct err *err)
{
    struct recommend_ask ask;
    const struct serving *s = serving_get();
    if (!recommend_ask_read(req, &ask, err))
        return false;
    const struct serving_entry *e = recommend_ask_model(&ask, s, str_of(w->server->settings.models_recommender), err);
    return e && recommend_answer_write(&ask, s, e, w, &req->arena, out, err);
}

void serve_recommend(struct http_request *req, void *arg)
{
    struct err err;
    struct buf b;
    buf_init(&b, ANSWER_MAX);
    if (recommend_into(req, arg, &b, &err)) {
        http_reply_buf(req, 200, &b, "the recommendations");
        return;
    }
    buf_release(&b);
    http_reply_err(req, &err);
}

static bool boosts_into(struct http_request *req, struct buf *out, struct err *err)
{
    struct boosts_ask ask;
    if (!boosts_ask_read(req, &ask, err))
        return false;
    const struct serving_entry *e = serving_find(serving_get(), SERVING_BOOSTS, ask.model, ask.alias, err);
    return e && boosts_answer_write(&ask, e, &req->arena, out, err);
}

void serve_boosts(struct http_request *req, void *arg)
{
    struct err err;
    struct buf b;
    (void)arg;
    buf_init(&b, ANSWER_MAX);
    if (boosts_into(req, &b, &err)) {
        http_reply_buf(req, 200, &b, "the boosts");
        return;
    }
    buf_release(&b);
    http_reply_err(req, &err);
}

/* The ranker of a model and alias as far as the request named them. */
static const struct ranker *find_ranker(void *serving, struct str model, struct str alias)
{
    struct str rest = model, name = model;
    if (model.n && memchr(model.p, '@', model.n) && str_split(&rest, '@', &name))
        alias = rest;
    const struct serving_entry *e = serving_find(serving, SERVING_RANKER, name, alias.n ? alias : STR(SERVING_ALIAS),
                                                 NULL);
    return e ? e->served->view : NULL;
}

static bool rank_into(struct http_request *req, struct buf *out, struct err *err)
{
    struct rank_ask ask;
    if (req->query.n)
        return err_set(err, ERR_INVALID, "a POST has its fields in the body, not in the query string");
    const struct serving *s = serving_get();
    if (!rank_ask_read(req->body, req->started_us, find_ranker, (void *)(uintptr_t)s, &req->arena, &ask, err))
        return false;
    const struct serving_entry *e = serving_find(s, SERVING_RANKER, ask.model, ask.alias, err);
    return e && rank_answer_write(&ask, e, &req->arena, out, err);
}

void serve_rank(struct http_request *req, void *arg)
{
    struct err err;
    struct buf b;
    (void)arg;
    buf_init(&b, ANSWER_MAX);
    if (rank_into(req, &b, &err)) {
        http_reply_buf(req, 200, &b, "the ranking");
        return;
    }
    buf_release(&b);
    http_reply_err(req, &err);
}

/* ---- GET /v1/serving ---- */

static void write_entry(struct jsonw *w, const struct serving_entry *e)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "model", e->model);
    jsonw_str(w, "alias", e->alias);
    jsonw_str(w, "kind", e->kind);
    jsonw_text(w, "served_as", e->view ? serving_view_names[e->view] : NULL);
    if (e->served)
        jsonw_i64(w, "version", e->version);
    else
        jsonw_null(w, "version");
    jsonw_i64(w, "wanted_version", e->wanted_version);
    jsonw_text(w, "artifact", e->served ? e->served->artifact.digest : NULL);
    jsonw_i64(w, "bytes", e->served ? (int64_t)e->served->artifact.bytes.n : 0);
    jsonw_time(w, "made_at", e->made_us);
    jsonw_str(w, "error", e->error);
    jsonw_close(w);
}

void serve_status(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    const struct serving *s = serving_get();
    struct store_stats stats;
    struct buf b;
    struct jsonw w;
    store_stats(worker->server->store, &stats);
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_bool(&w, "database_up", stats.database_up);
    jsonw_i64(&w, "swaps", (int64_t)stats.swaps);
    jsonw_open(&w, "models", '[');
    for (size_t i = 0; s && i < s->entries_count; i++)
        write_entry(&w, &s->entries[i]);
    jsonw_close(&w);
    jsonw_close(&w);
    http_reply_buf(req, 200, &b, "what is served");
}
