#include "experimentd/serving/boosts_ask.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "experimentd/ingest/signal.h"
#include "experimentd/serving/fields.h"
#include "experimentd/serving/write.h"
#include "model/query_text.h"

enum { NAME_MAX_BYTES = 64, N_DEFAULT = 10, SIMILAR_DEFAULT = 10, FILTERS_MAX = 20 };
static const double MIN_SIMILARITY = 0.2;

enum name {
    Q,
    FILTERS,
    MODEL,
    ALIAS,
    N,
    SIMILAR,
    MIN_SIMILAR,
    EXPRESSION,
    ROLLUP,
    SCALE,
    FORMAT,
    METHOD,
    FIELD,
    NAME_COUNT
};
static const struct field names[] = {
    [Q] = { "q", FIELD_TEXT },
    [FILTERS] = { "filters", FIELD_LIST },
    [MODEL] = { "model", FIELD_TEXT },
    [ALIAS] = { "alias", FIELD_TEXT },
    [N] = { "n", FIELD_NUMBER },
    [SIMILAR] = { "similar", FIELD_NUMBER },
    [MIN_SIMILAR] = { "min_similarity", FIELD_NUMBER },
    [EXPRESSION] = { "expression", FIELD_TEXT },
    [ROLLUP] = { "rollup", FIELD_TEXT },
    [SCALE] = { "scale", FIELD_TEXT },
    [FORMAT] = { "format", FIELD_TEXT },
    [METHOD] = { "method", FIELD_TEXT },
    [FIELD] = { "field", FIELD_TEXT },
};
static_assert(COUNT_OF(names) == NAME_COUNT && (int)NAME_COUNT <= (int)FIELDS_MAX, "one row each");
static const char *const format_names[] = { "json", "solr", "elasticsearch" };
static_assert(COUNT_OF(format_names) == BOOSTS_FORMAT_COUNT, "one name each");
static const char *const method_names[] = { "add", "multiply" };
static_assert(COUNT_OF(method_names) == BOOSTS_METHOD_COUNT, "one name each");

/* ---- reading ---- */

/* The number of the word; the first when it is missing. */
static bool one_of(const struct assign_value *v, const char *name, const char *const *words, int count, int *out,
                   struct err *err)
{
    struct str text = field_text(v);
    AUTO(buf_release) struct buf known;
    buf_init(&known, 200);
    for (int i = 0; i < count; i++)
        if (!text.p || str_eq_c(text, words[i])) {
            *out = i;
            return true;
        }
    for (int i = 0; i < count; i++)
        buf_addf(&known, "%s%s", i ? ", " : "", words[i]);
    return err_set(err, ERR_INVALID, "field \"%s\" is \"" STR_FMT "\"; known are: " STR_FMT, name,
                   STR_ARG(str_cut(text, NAME_MAX_BYTES)), STR_ARG(buf_str(&known)));
}

static int by_text(const void *va, const void *vb)
{
    const struct str *a = va, *b = vb;
    int d = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);
    return d ? d : (a->n > b->n) - (a->n < b->n);
}

/* A set: sorted, " $ " between them, as the job clicks keeps them. */
static bool read_filters(const struct assign_value *list, struct arena *arena, struct str *out, struct err *err)
{
    struct str texts[FILTERS_MAX];
    uint32_t n = list->type == ASSIGN_ARRAY ? list->count : 0;
    size_t bytes = 0, at = 0;
    if (n > FILTERS_MAX)
        return err_set(err, ERR_TOO_LARGE, "field \"filters\" has more than %d elements", FILTERS_MAX);
    for (uint32_t i = 0; i < n; i++) {
        if (!field_short(&list->items[i], "filters", true, SIGNAL_QUERY_MAX, &texts[i], err))
            return false;
        bytes += texts[i].n + 3;
    }
    qsort(texts, n, sizeof *texts, by_text);
    char *joined = arena_alloc(arena, bytes + 1);
    for (uint32_t i = 0; i < n; i++) {
        if (i && str_eq(texts[i], texts[i - 1]))
            continue;
        if (at) {
            memcpy(joined + at, " $ ", 3);
            at += 3;
        }
        memcpy(joined + at, texts[i].p, texts[i].n);
        at += texts[i].n;
    }
    *out = (struct str){ joined, at };
    return true;
}

/* "1.1,5" */
static bool read_scale(const struct assign_value *v, struct boosts_request *q, struct err *err)
{
    struct str rest = field_text(v), low;
    if (!rest.p)
        return true;
    if (!str_split(&rest, ',', &low) || !parse_double(low, &q->scale_low, NULL) ||
        !parse_double(rest, &q->scale_high, NULL) || !(q->scale_low >= 0 && q->scale_low < q->scale_high))
        return err_set(err, ERR_INVALID,
                       "field \"scale\" is \"" STR_FMT "\", not two numbers LOW,HIGH with 0 <= LOW < HIGH",
                       STR_ARG(str_cut(field_text(v), NAME_MAX_BYTES)));
    return true;
}

/* What engines take as a field's name, and nothing that could end it. */
static bool read_field(const struct assign_value *v, struct boosts_ask *a, struct err *err)
{
    if (!field_short(v, "field", false, NAME_MAX_BYTES, &a->field, err))
        return false;
    for (size_t i = 0; i < a->field.n; i++) {
        char c = a->field.p[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                    c == '.' || c == '-';
        if (!fine)
            return err_set(err, ERR_INVALID,
                           "field \"field\" is \"" STR_FMT "\": names have letters, digits, _ . and -",
                           STR_ARG(a->field));
    }
    if (!a->field.n)
        a->field = a->format == BOOSTS_ELASTICSEARCH ? STR("_id") : STR("id");
    return true;
}

static bool read_words(const struct assign_value *v, struct boosts_ask *a, struct err *err)
{
    int expression, rollup, format, method;
    if (!one_of(&v[EXPRESSION], "expression", boosts_expression_names, BOOSTS_EXPRESSION_COUNT, &expression, err) ||
        !one_of(&v[ROLLUP], "rollup", boosts_rollup_names, BOOSTS_ROLLUP_COUNT, &rollup, err) ||
        !one_of(&v[FORMAT], "format", format_names, BOOSTS_FORMAT_COUNT, &format, err) ||
        !one_of(&v[METHOD], "method", method_names, BOOSTS_METHOD_COUNT, &method, err))
        return false;
    a->request.expression = (enum boosts_expression)expression;
    a->request.rollup = (enum boosts_rollup)rollup;
    a->format = (enum boosts_format)format;
    a->method = (enum boosts_method)method;
    return true;
}

static bool read_query(const struct assign_value *v, struct boosts_request *q, struct arena *arena, struct err *err)
{
    if (!field_short(v, "q", true, SIGNAL_QUERY_MAX, &q->query, err))
        return false;
    q->query = query_text(q->query, arena_alloc(arena, QUERY_TEXT_MAX));
    return q->query.n > 0 || err_set(err, ERR_INVALID, "field \"q\" is blank");
}

static bool take(const struct assign_value *v, struct arena *arena, struct boosts_ask *a, struct err *err)
{
    struct boosts_request *q = &a->request;
    double n, similar;
    *a = (struct boosts_ask){ .format = BOOSTS_JSON };
    if (!read_query(&v[Q], q, arena, err) || !read_filters(&v[FILTERS], arena, &q->filters, err) ||
        !field_model(&v[MODEL], &v[ALIAS], &a->model, &a->alias, err) || !read_words(v, a, err) ||
        !field_number(&v[N], "n", 1, BOOSTS_N_MAX, true, N_DEFAULT, &n, err) ||
        !field_number(&v[SIMILAR], "similar", 0, BOOSTS_SIMILAR_MAX, true, SIMILAR_DEFAULT, &similar, err) ||
        !field_number(&v[MIN_SIMILAR], "min_similarity", 0, 1, false, MIN_SIMILARITY, &q->min_similarity, err) ||
        !read_scale(&v[SCALE], q, err) || !read_field(&v[FIELD], a, err))
        return false;
    q->n = (uint32_t)n;
    q->similar = (uint32_t)similar;
    return true;
}

bool boosts_ask_read(struct http_request *req, struct boosts_ask *out, struct err *err)
{
    struct assign_value *v = arena_alloc(&req->arena, NAME_COUNT * sizeof *v);
    return fields_of_request(req, names, NAME_COUNT, v, err) && take(v, &req->arena, out, err);
}

bool boosts_ask_of(const struct assign_value *object, struct arena *arena, struct boosts_ask *out, struct err *err)
{
    struct assign_value *v = arena_alloc(arena, NAME_COUNT * sizeof *v);
    return fields_of_object(object, names, NAME_COUNT, v, err) && take(v, arena, out, err);
}

/* ---- writing ---- */

static void write_head(const struct boosts_ask *a, const struct serving_entry *e, const struct boosts_answer *r,
                       struct buf *out)
{
    static const char *const matches[] = { "none", "query", "query_and_filters" };
    static_assert(COUNT_OF(matches) == BOOSTS_MATCH_COUNT, "one word each");
    write_model(out, e);
    buf_add_c(out, ",\"query\":");
    buf_add_json_str(out, a->request.query);
    buf_add_c(out, ",\"match\":\"");
    buf_add_c(out, matches[r->match]);
    buf_add_c(out, "\",\"similar_queries\":");
    buf_add_u64(out, r->similar);
    if (r->count == 0)
        buf_add_c(out, ",\"note\":\"unknown_query\",\"detail\":\"the model knows neither documents of this query nor "
                       "of similar ones\"");
}

static void write_known(struct buf *out, const char *member, double v)
{
    if (isnan(v))
        return;
    buf_add_c(out, member);
    write_score(out, v);
}

static void write_json(const struct boost *b, struct buf *out)
{
    buf_add_c(out, "{\"doc\":");
    buf_add_json_str(out, b->doc);
    buf_add_c(out, ",\"boost\":");
    write_score(out, b->boost);
    write_known(out, ",\"weight\":", b->weight);
    write_known(out, ",\"calibrated\":", b->calibrated);
    write_known(out, ",\"signals\":", b->signals);
    buf_add_c(out, b->similarity < 1 ? ",\"source\":\"similar\",\"similarity\":" : ",\"source\":\"exact\"}");
    if (b->similarity < 1) {
        write_score(out, b->similarity);
        buf_add_c(out, ",\"by\":");
        buf_add_json_str(out, b->by);
        buf_add_byte(out, '}');
    }
}

/* A text inside of quotes of Lucene's syntax, or of a local parameter. */
static struct str quoted(struct str text, char quote, struct arena *arena)
{
    char *to = arena_alloc(arena, 2 * text.n + 2), *at = to;
    *at++ = quote;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\\' || text.p[i] == quote)
            *at++ = '\\';
        *at++ = text.p[i];
    }
    *at++ = quote;
    return (struct str){ to, (size_t)(at - to) };
}

/* bq=id:"d-1"^6.9, or boost=map(query({!term f='id' v='d-1'}),0,0,1,6.9): 1 for all other documents. */
static void write_solr(const struct boosts_ask *a, const struct boost *b, struct arena *arena, struct buf *out)
{
    struct buf piece;
    buf_init(&piece, 4 * SIGNAL_DOC_MAX + 256);
    struct str doc = quoted(b->doc, a->method == BOOSTS_ADD ? '"' : '\'', arena);
    if (a->method == BOOSTS_ADD)
        buf_addf(&piece, STR_FMT ":" STR_FMT "^", STR_ARG(a->field), STR_ARG(doc));
    else
        buf_addf(&piece, "map(query({!term f='" STR_FMT "' v=" STR_FMT "}),0,0,1,", STR_ARG(a->field), STR_ARG(doc));
    write_score(&piece, b->boost);
    buf_add_c(&piece, a->method == BOOSTS_ADD ? "" : ")");
    buf_add_json_str(out, buf_str(&piece));
    buf_release(&piece);
}

static void write_elastic(const struct boosts_ask *a, const struct boost *b, struct buf *out)
{
    buf_addf(out,
             a->method == BOOSTS_ADD ? "{\"constant_score\":{\"filter\":{\"term\":{\"" STR_FMT "\":"
                                     : "{\"filter\":{\"term\":{\"" STR_FMT "\":",
             STR_ARG(a->field));
    buf_add_json_str(out, b->doc);
    buf_add_c(out, a->method == BOOSTS_ADD ? "}},\"boost\":" : "}},\"weight\":");
    write_score(out, b->boost);
    buf_add_c(out, a->method == BOOSTS_ADD ? "}}" : "}");
}

static const struct {
    const char *before, *after;
} frames[BOOSTS_FORMAT_COUNT][BOOSTS_METHOD_COUNT] = {
    [BOOSTS_JSON] = { { ",\"boosts\":[", "]}" }, { ",\"boosts\":[", "]}" } },
    [BOOSTS_SOLR] = { { ",\"params\":{\"bq\":[", "]}}" }, { ",\"params\":{\"boost\":[", "]}}" } },
    [BOOSTS_ELASTICSEARCH] = { { ",\"bool\":{\"should\":[", "]}}" },
                               { ",\"function_score\":{\"functions\":[",
                                 "],\"score_mode\":\"max\",\"boost_mode\":\"multiply\"}}" } },
};

bool boosts_answer_write(const struct boosts_ask *a, const struct serving_entry *e, struct arena *arena,
                         struct buf *out, struct err *err)
{
    struct boosts_answer r;
    bool comma = false;
    if (!boosts_for(e->served->view, &a->request, arena, &r, err))
        return false;
    write_head(a, e, &r, out);
    buf_add_c(out, frames[a->format][a->method].before);
    for (size_t i = 0; i < r.count; i++) {
        if (a->format != BOOSTS_JSON && !(r.boosts[i].boost > 0))
            continue; /* engines refuse a boost that is not above 0 */
        if (comma)
            buf_add_byte(out, ',');
        comma = true;
        if (a->format == BOOSTS_JSON)
            write_json(&r.boosts[i], out);
        else if (a->format == BOOSTS_SOLR)
            write_solr(a, &r.boosts[i], arena, out);
        else
            write_elastic(a, &r.boosts[i], out);
    }
    buf_add_c(out, frames[a->format][a->method].after);
    return true;
}
