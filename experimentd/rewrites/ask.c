/* /v1/rewrite: a query → what is searched, and why, from the version that is served (experimentd/serving/). No database, and nothing waits. */
#include "experimentd/rewrites/ask.h"

#include "base/jsonw.h"
#include "experimentd/rewrites/handlers.h"
#include "experimentd/serving/fields.h"
#include "experimentd/serving/serving.h"
#include "model/rewrite.h"

enum { ANSWER_MAX = 1 << 20, TEXT_MAX = 64 << 10, QUERY_BYTES = 8 << 10, NAME_BYTES = 64, TYPES_BYTES = 200 };
enum field_of { FIELD_Q, FIELD_TYPES, FIELD_MIN_CONFIDENCE, FIELD_MODEL, FIELD_ALIAS, FIELD_COUNT };
static const struct field fields[FIELD_COUNT] = {
    [FIELD_Q] = { "q", FIELD_TEXT },
    [FIELD_TYPES] = { "types", FIELD_TEXT },
    [FIELD_MIN_CONFIDENCE] = { "min_confidence", FIELD_NUMBER },
    [FIELD_MODEL] = { "model", FIELD_TEXT },
    [FIELD_ALIAS] = { "alias", FIELD_TEXT },
};

struct ask {
    struct rewrite_ask ask;
    struct str query, model, alias;
    bool named; /* the request says which rules */
};

/* ---- what is asked ---- */

static bool read_types(struct str list, unsigned *out, struct err *err)
{
    struct str name;
    *out = list.p ? 0 : REWRITE_ALL_TYPES;
    while (list.n && str_split(&list, ',', &name)) {
        enum rewrite_type t = rewrite_type_of(str_trim(name));
        if (t == REWRITE_TYPE_COUNT)
            return err_set(err, ERR_INVALID,
                           "field \"types\" names \"" STR_FMT "\", none of query, spelling, head_tail, remove_words, "
                           "phrase, synonym",
                           STR_ARG(str_cut(name, 40)));
        *out |= 1U << t;
    }
    return true;
}

static bool take(const struct assign_value *v, struct ask *a, struct err *err)
{
    struct str types;
    a->named = v[FIELD_MODEL].type != ASSIGN_MISSING || v[FIELD_ALIAS].type != ASSIGN_MISSING;
    return field_short(&v[FIELD_Q], "q", true, QUERY_BYTES, &a->query, err) &&
           field_short(&v[FIELD_TYPES], "types", false, TYPES_BYTES, &types, err) &&
           field_model(&v[FIELD_MODEL], &v[FIELD_ALIAS], &a->model, &a->alias, err) &&
           field_number(&v[FIELD_MIN_CONFIDENCE], "min_confidence", 0, 1, false, 0, &a->ask.min_confidence, err) &&
           read_types(types, &a->ask.types, err);
}

/* Who names no model and no alias gets the query as it is while nothing was published: a front end can ask before there are rules. */
static bool find_rules(const struct ask *a, const struct serving_entry **out, struct err *err)
{
    *out = serving_find(serving_get(), SERVING_REWRITES, a->model, a->alias, err);
    return *out || (!a->named && err->kind == ERR_NOT_FOUND);
}

/* ---- the answer ---- */

static void write_rule(struct jsonw *w, uint64_t id, double confidence, bool manual)
{
    jsonw_i64(w, "rule", (int64_t)id);
    jsonw_double(w, "confidence", (double)(int)(confidence * 10000 + 0.5) / 10000); /* it is a float */
    jsonw_text(w, "source", manual ? "manual" : "job");
}

static void write_steps(struct jsonw *w, const struct rewriting *r)
{
    jsonw_open(w, "steps", '[');
    for (uint32_t i = 0; i < r->steps_count; i++) {
        const struct rewrite_step *s = &r->steps[i];
        jsonw_open(w, NULL, '{');
        jsonw_text(w, "type", rewrite_type_names[s->rule.type]);
        jsonw_str(w, "input", s->rule.input);
        jsonw_str(w, "output", s->rule.output);
        jsonw_str(w, "query", s->query);
        write_rule(w, s->rule.id, s->rule.confidence, s->rule.manual);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_terms(struct jsonw *w, const struct rewriting *r)
{
    jsonw_open(w, "terms", '[');
    for (uint32_t i = 0; i < r->terms_count; i++) {
        const struct rewrite_term *t = &r->terms[i];
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "text", t->text);
        jsonw_bool(w, "phrase", t->phrase);
        jsonw_open(w, "synonyms", '[');
        for (uint32_t k = t->first_synonym; k < t->first_synonym + t->synonyms_count; k++) {
            jsonw_open(w, NULL, '{');
            jsonw_str(w, "text", r->synonyms[k].text);
            write_rule(w, r->synonyms[k].id, r->synonyms[k].confidence, r->synonyms[k].manual);
            jsonw_close(w);
        }
        jsonw_close(w);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_text(struct jsonw *w, const char *name, const struct rewriting *r,
                       void (*fn)(const struct rewriting *, struct buf *))
{
    AUTO(buf_release) struct buf text;
    buf_init(&text, TEXT_MAX);
    fn(r, &text);
    jsonw_str(w, name, text.failed ? r->rewritten : buf_str(&text));
}

static void write_rewriting(struct jsonw *w, const struct rewriting *r, const struct serving_entry *e)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "query", r->normalised);
    jsonw_str(w, "rewritten", r->rewritten);
    jsonw_bool(w, "changed", !str_eq(r->normalised, r->rewritten));
    write_text(w, "quoted", r, rewriting_quoted);
    write_text(w, "expanded", r, rewriting_expanded);
    write_terms(w, r);
    write_steps(w, r);
    jsonw_str(w, "model", e ? e->model : (struct str){ NULL, 0 });
    jsonw_str(w, "alias", e ? e->alias : (struct str){ NULL, 0 });
    if (e)
        jsonw_i64(w, "version", e->version);
    else
        jsonw_null(w, "version");
    jsonw_close(w);
}

static void answer(const struct ask *a, const struct serving_entry *e, struct arena *arena, struct buf *out)
{
    struct rewriting *r = arena_alloc(arena, sizeof *r);
    struct jsonw w;
    rewrite_apply(e ? e->served->view : NULL, a->query, &a->ask, arena, r);
    jsonw_init(&w, out);
    write_rewriting(&w, r, e);
}

void rewrite_query(struct http_request *req, void *arg)
{
    struct assign_value v[FIELD_COUNT];
    struct ask a;
    const struct serving_entry *e;
    struct err err;
    struct buf b;
    (void)arg;
    if (!fields_of_request(req, fields, FIELD_COUNT, v, &err) || !take(v, &a, &err) || !find_rules(&a, &e, &err)) {
        http_reply_err(req, &err);
        return;
    }
    buf_init(&b, ANSWER_MAX);
    answer(&a, e, &req->arena, &b);
    http_reply_buf(req, 200, &b, "the rewriting");
}

bool rewrite_answer(const struct assign_value *input, const struct serving_entry *e, struct arena *arena,
                    struct buf *out, struct err *err)
{
    struct assign_value v[FIELD_COUNT];
    struct ask a;
    if (!fields_of_object(input, fields, FIELD_COUNT, v, err) || !take(v, &a, err))
        return false;
    if (a.named)
        return err_set(err, ERR_INVALID, "fields \"model\" and \"alias\" are not for inputs: the path names the model");
    answer(&a, e, arena, out);
    return true;
}
