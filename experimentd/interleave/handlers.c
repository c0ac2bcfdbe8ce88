#include "experimentd/interleave/handlers.h"

#include "base/jsonw.h"
#include "experimentd/evaluate/ask.h"
#include "experimentd/evaluate/evaluation.h"
#include "experimentd/ingest/journal/journal.h"
#include "experimentd/interleave/coins.h"
#include "experimentd/interleave/impression.h"
#include "experimentd/server.h"
#include "stats/interleave/optimized.h"

enum { ANSWER_MAX = 64 << 20, SHOWN_MAX = 100 };

/* One request, while sticky assignments may be waited for. */
struct merging {
    struct worker *worker;
    json_t *root; /* holds the request's texts */
    struct interleave_request q;
    struct evaluation *evaluation;
};

/* What is answered. */
struct merged {
    const struct snapshot_experiment *experiment;
    enum interleave_method method;
    struct str *variants;
    struct interleave_docs docs;
    struct interleave_list list;
    bool interleaved;
    const char *reason;
};

/* ---- the experiment ---- */

static bool find_experiment(const struct snapshot *s, struct str key, struct merged *out, struct err *err)
{
    const struct snapshot_experiment *x = snapshot_experiment(s, key);
    struct str shown = str_cut(key, SHOWN_MAX);
    if (!x)
        return err_set(err, ERR_NOT_FOUND, "experiment \"" STR_FMT "\" is not known", STR_ARG(shown));
    if (x->kind != EXPERIMENT_INTERLEAVE)
        return err_set(err, ERR_INVALID,
                       "request: field \"experiment\": \"" STR_FMT "\" is not an experiment of kind interleave",
                       STR_ARG(shown));
    out->experiment = x;
    out->method = interleave_method_of(x->interleave_method.p, x->interleave_method.n);
    if (out->method == INTERLEAVE_METHOD_COUNT || x->variants_count > INTERLEAVE_RANKINGS_MAX)
        return err_set(err, ERR_INVALID, "experiment \"" STR_FMT "\": %zu rankings cannot be merged by \"" STR_FMT "\"",
                       STR_ARG(shown), x->variants_count, STR_ARG(x->interleave_method));
    return true;
}

static bool read_rankings(const struct interleave_request *q, struct arena *arena, struct merged *out, struct err *err)
{
    const struct snapshot_experiment *x = out->experiment;
    out->variants = arena_alloc(arena, (x->variants_count + 1) * sizeof *out->variants);
    for (size_t i = 0; i < x->variants_count; i++)
        out->variants[i] = x->variants[i].key;
    return interleave_request_docs(q, out->variants, x->variants_count, arena, &out->docs, err) &&
           interleave_check(out->method, &out->docs.rankings, q->length ? q->length : 1, err);
}

/* ---- the list ---- */

static void take_ranking(struct merged *m, size_t ranking, size_t length)
{
    const struct interleave_rankings *r = &m->docs.rankings;
    m->list.n = r->lengths[ranking] < length ? r->lengths[ranking] : length;
    for (size_t i = 0; i < m->list.n; i++)
        m->list.docs[i] = r->docs[ranking][i];
}

static void make_list(const struct interleave_request *q, const struct evaluation_answer *answer, struct arena *arena,
                      struct merged *m)
{
    size_t length = q->length ? q->length : m->docs.longest, room = m->docs.rankings.docs_count + 1;
    bool mine = answer->experiment == m->experiment;
    m->list = (struct interleave_list){ 0, arena_alloc(arena, room * sizeof *m->list.docs),
                                        arena_alloc(arena, room * sizeof *m->list.owners),
                                        arena_alloc(arena, room * sizeof *m->list.credit) };
    m->interleaved = mine && answer->rule && answer->rule->kind == RULE_EXPERIMENT && answer->variant == 0;
    m->reason = answer->reason;
    if (m->interleaved) {
        struct coins_stream s;
        const struct interleave_coins coins = { coins_toss, &s };
        coins_start(&s, m->experiment->seed, q->query_id);
        interleave_merge(m->method, &m->docs.rankings, length < room ? length : room, &coins, &m->list);
    } else {
        /* A rolled out winner or a unit that was given a variant: that one's ranking alone. */
        bool given = mine && answer->rule && answer->rule->kind != RULE_EXPERIMENT;
        take_ranking(m, given ? (size_t)answer->variant : 0, length);
    }
}

static bool merge(struct merging *in, struct merged *m, struct err *err)
{
    struct evaluation *e = in->evaluation;
    struct evaluation_answer answer;
    if (!find_experiment(e->snapshot, in->q.experiment, m, err) || !read_rankings(&in->q, &e->req->arena, m, err) ||
        !evaluation_check(e, err) || !evaluation_experiment(e, m->experiment, &answer, err))
        return false;
    make_list(&in->q, &answer, &e->req->arena, m);
    return true;
}

/* ---- the answer ---- */

static void write_docs(struct jsonw *w, const struct merged *m)
{
    jsonw_open(w, "docs", '[');
    for (size_t i = 0; i < m->list.n; i++)
        jsonw_str(w, NULL, m->docs.texts[m->list.docs[i]]);
    jsonw_close(w);
}

static void write_owners(struct jsonw *w, const struct merged *m)
{
    jsonw_open(w, "owners", '[');
    for (size_t i = 0; i < m->list.n; i++)
        jsonw_str(w, NULL,
                  m->list.owners[i] == INTERLEAVE_NEUTRAL ? (struct str){ NULL, 0 } : m->variants[m->list.owners[i]]);
    jsonw_close(w);
    if (m->method != INTERLEAVE_OPTIMIZED)
        return;
    jsonw_open(w, "credit", '[');
    for (size_t i = 0; i < m->list.n; i++)
        jsonw_double(w, NULL, m->list.credit[i]);
    jsonw_close(w);
}

static void write_answer(struct buf *b, const struct merged *m)
{
    struct jsonw w;
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "experiment", m->experiment->key);
    jsonw_text(&w, "method", interleave_method_names[m->method]);
    jsonw_bool(&w, "interleaved", m->interleaved);
    jsonw_text(&w, "reason", m->reason);
    write_docs(&w, m);
    if (m->interleaved)
        write_owners(&w, m);
    else
        jsonw_null(&w, "owners");
    jsonw_close(&w);
}

static void record(const struct merging *in, const struct merged *m)
{
    struct evaluation *e = in->evaluation;
    const struct impression im = { m->experiment->key, m->method, m->variants, &m->docs, &m->list };
    struct signal s;
    struct err ignored; /* counted; never fails the answer */
    evaluation_commit(e);
    if (!m->interleaved || e->silent)
        return;
    impression_signal(&im, &in->q, &e->req->arena, &s);
    if (!journal_ready(in->worker->journal, &ignored) || !journal_append_signal(in->worker->journal, &s, &ignored))
        atomic_fetch_add_explicit(&in->worker->server->impressions_lost, 1, memory_order_relaxed);
}

static void interleave_ready(struct evaluation **list, size_t n, void *arg)
{
    struct merging *in = arg;
    json_t *root = in->root;
    struct http_request *req = list[0]->req;
    struct merged m = { 0 };
    struct buf b;
    struct err err;
    (void)n;
    buf_init(&b, ANSWER_MAX);
    bool ok = merge(in, &m, &err);
    if (ok)
        write_answer(&b, &m);
    if (ok && buf_ok(&b, "the answer", &err)) {
        record(in, &m);
        http_reply_json(req, 200, buf_str(&b));
    } else {
        http_reply_err(req, &err);
    }
    buf_release(&b);
    json_decref(root);
}

/* ---- the request ---- */

/* Attributes as libassign takes them. */
static bool read_attributes(struct http_request *req, const json_t *in, struct assign_value *out, struct err *err)
{
    struct err why;
    struct buf b;
    if (!in)
        return true;
    buf_init(&b, ANSWER_MAX);
    json_write(&b, in);
    struct str text = arena_str(&req->arena, buf_str(&b));
    buf_release(&b);
    return ask_read_json(req, text, out, &why) ||
           err_set(err, ERR_INVALID, "request: field \"attributes\": %.180s", why.text);
}

void interleave_post(struct http_request *req, void *arg)
{
    struct merging *in = arena_zalloc(&req->arena, sizeof *in);
    struct assign_value attributes = { .type = ASSIGN_MISSING };
    struct err err;
    json_auto_t *root = json_parse(req->body, &err);
    if (!root || !interleave_request_read(root, &req->arena, &in->q, &err) ||
        !read_attributes(req, in->q.attributes, &attributes, &err)) {
        http_reply_err(req, &err);
        return;
    }
    in->worker = arg;
    in->root = TAKE(root);
    in->evaluation = evaluation_new(req, arg, in->q.unit);
    in->evaluation->unit.attributes = attributes;
    in->evaluation->experiments = evaluation_only(in->evaluation, in->q.experiment);
    evaluations_begin(&in->evaluation, 1, interleave_ready, in);
}
