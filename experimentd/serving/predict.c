#include "experimentd/serving/predict.h"

#include "experimentd/evaluate/ask.h"
#include "experimentd/rewrites/ask.h"
#include "experimentd/serving/ask.h"
#include "experimentd/serving/boosts_ask.h"
#include "experimentd/serving/classify_ask.h"
#include "experimentd/serving/clicks_ask.h"
#include "experimentd/serving/clusters_ask.h"
#include "experimentd/serving/fields.h"
#include "experimentd/serving/rank_ask.h"
#include "experimentd/serving/vectors_ask.h"
#include "experimentd/serving/write.h"
#include "experimentd/worker.h"

enum { ANSWER_MAX = 32 << 20, INPUT_ARENA_BYTES = 16 << 10 };

struct prediction {
    struct http_request *req;
    struct worker *worker;
    const struct serving *serving;
    const struct serving_entry *entry;
    struct arena arena; /* of one input: what all of them need together would be a hundred times as much */
    struct buf out;
};

static bool no_model(struct str model, struct err *err)
{
    return !model.n || err_set(err, ERR_INVALID, "field \"model\" is not for inputs: the path names it");
}

static bool recommend_one(struct prediction *p, const struct assign_value *input, struct err *err)
{
    struct recommend_ask ask;
    return recommend_ask_of(input, &p->arena, &ask, err) && no_model(ask.model, err) &&
           recommend_answer_write(&ask, p->serving, p->entry, p->worker, &p->arena, &p->out, err);
}

static bool boosts_one(struct prediction *p, const struct assign_value *input, struct err *err)
{
    struct boosts_ask ask;
    return boosts_ask_of(input, &p->arena, &ask, err) && no_model(ask.model, err) &&
           boosts_answer_write(&ask, p->entry, &p->arena, &p->out, err);
}

static bool rewrite_one(struct prediction *p, const struct assign_value *input, struct err *err)
{
    return rewrite_answer(input, p->entry, &p->arena, &p->out, err);
}

static bool rank_one(struct prediction *p, const struct assign_value *input, struct err *err)
{
    struct rank_ask ask;
    return rank_ask_of(input, p->req->started_us, &p->arena, &ask, err) && no_model(ask.model, err) &&
           rank_answer_write(&ask, p->entry, &p->arena, &p->out, err);
}

static bool clusters_one(struct prediction *p, const struct assign_value *input, struct err *err)
{
    return clusters_answer(input, p->entry, &p->arena, &p->out, err);
}

static bool vectors_one(struct prediction *p, const struct assign_value *input, struct err *err)
{
    return vectors_answer(input, p->entry, &p->arena, &p->out, err);
}

static bool classify_one(struct prediction *p, const struct assign_value *input, struct err *err)
{
    return classify_answer(input, p->entry, &p->arena, &p->out, err);
}

static bool clicks_one(struct prediction *p, const struct assign_value *input, struct err *err)
{
    return clicks_answer(input, p->entry, &p->arena, &p->out, err);
}

typedef bool (*predict_fn)(struct prediction *p, const struct assign_value *input, struct err *err);
static const predict_fn kinds[SERVING_VIEW_COUNT] = {
    [SERVING_RECOMMENDER] = recommend_one, [SERVING_BOOSTS] = boosts_one,     [SERVING_REWRITES] = rewrite_one,
    [SERVING_RANKER] = rank_one,           [SERVING_CLUSTERS] = clusters_one, [SERVING_VECTORS] = vectors_one,
    [SERVING_CLASSIFIER] = classify_one,   [SERVING_CLICKS] = clicks_one,
};

enum name { ALIAS, INPUTS, NAME_COUNT };
static const struct field names[] = { [ALIAS] = { "alias", FIELD_TEXT }, [INPUTS] = { "inputs", FIELD_LIST } };

/* Any kind: what it is decides how it is asked. */
static bool find_model(struct prediction *p, struct str name, struct str alias, predict_fn *out, struct err *err)
{
    const struct serving_entry *e = serving_entry_of(p->serving, name, alias);
    enum serving_view view = e ? e->view : SERVING_RECOMMENDER;
    if (e && !kinds[view])
        return err_set(err, ERR_INVALID, "model \"" STR_FMT "\" is of kind \"" STR_FMT "\", which predicts nothing",
                       STR_ARG(name), STR_ARG(e->kind));
    *out = kinds[view];
    p->entry = serving_find(p->serving, view, name, alias, err);
    return p->entry != NULL;
}

static bool predict_all(struct prediction *p, const struct assign_value *inputs, predict_fn predict, struct err *err)
{
    write_model(&p->out, p->entry);
    buf_add_c(&p->out, ",\"predictions\":[");
    for (uint32_t i = 0; i < inputs->count; i++) {
        if (i)
            buf_add_byte(&p->out, ',');
        if (!predict(p, &inputs->items[i], err))
            return err_prefix(err, "field \"inputs\" element %u: ", i);
        arena_reset(&p->arena);
    }
    buf_add_c(&p->out, "]}");
    return true;
}

static bool answer(struct prediction *p, struct err *err)
{
    struct assign_value v[NAME_COUNT];
    struct str alias;
    predict_fn predict;
    if (!fields_of_request(p->req, names, NAME_COUNT, v, err) ||
        !field_short(&v[ALIAS], "alias", false, 64, &alias, err))
        return false;
    if (v[INPUTS].type == ASSIGN_MISSING)
        return err_set(err, ERR_INVALID, "field \"inputs\" is missing");
    if (v[INPUTS].count > PREDICT_INPUTS_MAX)
        return err_set(err, ERR_TOO_LARGE, "field \"inputs\" has more than %d elements", PREDICT_INPUTS_MAX);
    return find_model(p, p->req->params[0], alias.n ? alias : STR(SERVING_ALIAS), &predict, err) &&
           predict_all(p, &v[INPUTS], predict, err);
}

void serve_predict(struct http_request *req, void *worker)
{
    struct prediction p = { .req = req, .worker = worker, .serving = serving_get() };
    struct err err;
    buf_init(&p.out, ANSWER_MAX);
    arena_init(&p.arena, INPUT_ARENA_BYTES);
    bool fine = answer(&p, &err);
    arena_release(&p.arena);
    if (fine) {
        http_reply_buf(req, 200, &p.out, "the predictions");
        return;
    }
    buf_release(&p.out);
    http_reply_err(req, &err);
}
