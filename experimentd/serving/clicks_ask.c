#include "experimentd/serving/clicks_ask.h"

#include <assert.h>

#include "experimentd/ingest/signal.h"
#include "experimentd/serving/fields.h"
#include "experimentd/serving/write.h"
#include "model/clicks.h"
#include "model/query_text.h"

enum name { QUERY, DOCS, NAME_COUNT };
static const struct field names[] = { [QUERY] = { "query", FIELD_TEXT }, [DOCS] = { "docs", FIELD_LIST } };
static_assert(COUNT_OF(names) == NAME_COUNT && (int)NAME_COUNT <= (int)FIELDS_MAX, "one row each");

/* A list as it was asked for. */
struct shown {
    struct str docs[CLICK_POSITIONS];
    struct click_params params[CLICK_POSITIONS];
    bool known[CLICK_POSITIONS];
    uint32_t n;
};

static bool read_docs(const struct clicks *c, const struct assign_value *docs, struct shown *out, struct err *err)
{
    size_t n = docs->type == ASSIGN_ARRAY ? docs->count : 0;
    if (n == 0 || n > c->g.positions)
        return err_set(err, ERR_INVALID,
                       "field \"docs\" has %zu documents, must have 1 to %u: the model knows of so many positions", n,
                       c->g.positions);
    out->n = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        if (docs->items[i].type != ASSIGN_STRING)
            return err_set(err, ERR_INVALID, "field \"docs\" has an element that is no text (the %zu.)", i + 1);
        out->docs[i] = (struct str){ docs->items[i].text.p, docs->items[i].text.n };
    }
    return true;
}

static void look_up(const struct clicks *c, struct str query, struct shown *s)
{
    struct lists_row row = { 0, 0 };
    (void)lists_find(&c->documents, query, &row);
    for (uint32_t r = 0; r < s->n; r++) {
        s->params[r] = click_params_unknown(c->model, &c->g);
        s->known[r] = false;
    }
    for (uint32_t i = row.first; i < row.first + row.count; i++)
        for (uint32_t r = 0; r < s->n; r++)
            if (str_eq(s->docs[r], lists_entry(&c->documents, i))) {
                s->params[r] = clicks_params(c, i);
                s->known[r] = true;
            }
}

/* Of coec α is how much more often than others it is clicked; as relevance it is what that comes to at the first position. */
static double relevance_of(const struct clicks *c, const struct click_params *p)
{
    double r = p->alpha * p->sigma;
    return c->model == CLICK_COEC ? click_within(r * c->g.ctr_at[0]) : r;
}

static void write_answer(const struct clicks *c, const struct shown *s, struct buf *out)
{
    double clicked[CLICK_POSITIONS], looked[CLICK_POSITIONS];
    uint32_t numbers[CLICK_POSITIONS];
    for (uint32_t r = 0; r < s->n; r++)
        numbers[r] = r;
    click_expect(c->model, &c->g, s->params, numbers, s->n, clicked, looked);
    buf_addf(out, "{\"model\":\"%s\",\"docs\":[", click_model_name(c->model));
    for (uint32_t r = 0; r < s->n; r++) {
        buf_add_c(out, r ? ",{\"doc\":" : "{\"doc\":");
        buf_add_json_str(out, s->docs[r]);
        buf_addf(out, ",\"position\":%u,\"clicked\":", r + 1);
        write_score(out, clicked[r]);
        buf_add_c(out, ",\"looked\":");
        write_score(out, looked[r]);
        buf_add_c(out, ",\"relevance\":");
        write_score(out, relevance_of(c, &s->params[r]));
        buf_add_c(out, s->known[r] ? ",\"known\":true}" : ",\"known\":false}");
    }
    buf_add_c(out, "]}");
}

bool clicks_answer(const struct assign_value *input, const struct serving_entry *e, struct arena *arena,
                   struct buf *out, struct err *err)
{
    const struct clicks *c = e->served->view;
    struct assign_value *v = arena_alloc(arena, NAME_COUNT * sizeof *v);
    struct shown *s = arena_alloc(arena, sizeof *s);
    char text[QUERY_TEXT_MAX];
    struct str query;
    if (!fields_of_object(input, names, NAME_COUNT, v, err) ||
        !field_short(&v[QUERY], "query", true, SIGNAL_QUERY_MAX, &query, err) || !read_docs(c, &v[DOCS], s, err))
        return false;
    look_up(c, query_text(query, text), s);
    write_answer(c, s, out);
    return true;
}
