#include "experimentd/serving/rank_ask.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "base/nearest.h"
#include "experimentd/ingest/formats/pull.h"
#include "experimentd/ingest/signal.h"
#include "model/query_text.h"

enum { NAME_MAX_BYTES = 64, SHOWN_MAX = 60, KNOWN_SHOWN = 20, ROOM_FIRST = 64 };

/* ---- the first walk ---- */

struct first_walk {
    struct pull p;
    struct rank_ask ask;
    rank_find_fn find;
    void *arg;
};

/* How many bytes from here on are neither a quote nor a bracket, of those that come in eights. */
static size_t dull_run(const char *at, const char *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    const char *from = at;
    for (uint64_t eight; end - at >= 8; at += 8) {
        memcpy(&eight, at, sizeof eight);
        uint64_t quotes = eight ^ ones * '"',
                 brackets = (eight | ones * 0x26) ^ ones * 0x7f; /* [ ] { } alone and Y y */
        if ((((quotes - ones) & ~quotes) | ((brackets - ones) & ~brackets)) & highs)
            break;
    }
    return (size_t)(at - from);
}

static const char *string_end(const char *at, const char *end)
{
    for (; at < end && *at != '"'; at++)
        if (*at == '\\' && at + 1 < end)
            at++;
    return at < end ? at + 1 : end;
}

/* A list, passed over by its brackets alone: the second walk looks into it, and takes nothing that is no JSON. */
static bool pass_list(struct pull *p, const char *name, struct str *out)
{
    if (pull_peek(p) != PULL_ARRAY)
        return pull_fail(p, "field \"%s\" is not a list", name);
    if (out->p)
        return pull_fail(p, "field \"%s\" is there twice", name);
    size_t depth = 0;
    const char *at = p->at;
    do {
        at += dull_run(at, p->end);
        if (at >= p->end)
            return pull_fail(p, "field \"%s\": the JSON ends inside of it", name);
        char c = *at++;
        if (c == '"')
            at = string_end(at, p->end);
        depth += c == '[' || c == '{';
        depth -= c == ']' || c == '}';
    } while (depth);
    *out = (struct str){ p->at, (size_t)(at - p->at) };
    p->at = at;
    return true;
}

static bool take_docs(struct first_walk *w, const char *name, bool rows,
                      struct str *out); /* below, with the documents */

static bool read_text(struct pull *p, const char *name, size_t max_bytes, struct str *out)
{
    if (out->p)
        return pull_fail(p, "field \"%s\" is there twice", name);
    if (pull_peek(p) != PULL_STRING)
        return pull_fail(p, "field \"%s\" is not a string", name);
    if (!pull_string(p, out))
        return false;
    return out->n <= max_bytes || pull_fail(p, "field \"%s\" is longer than %zu bytes", name, max_bytes);
}

static bool read_whole(struct pull *p, const char *name, double low, double high, uint32_t *out)
{
    double v;
    if (pull_peek(p) != PULL_NUMBER || !pull_number(p, &v) || !(v >= low && v <= high) || floor(v) < v)
        return pull_fail(p, "field \"%s\" is not a whole number from %g to %g", name, low, high);
    *out = (uint32_t)v;
    return true;
}

enum name { MODEL, ALIAS, QUERY, N, EXPLAIN, DEADLINE, DOCS, FEATURES, VALUES, IDS, NAME_COUNT };
static const char *const names[] = { "model",       "alias", "query",    "n",      "explain",
                                     "deadline_ms", "docs",  "features", "values", "ids" };
static_assert(COUNT_OF(names) == NAME_COUNT, "one name each");

static bool read_explain(struct pull *p, bool *out)
{
    enum pull_type type = pull_peek(p);
    if (type != PULL_TRUE && type != PULL_FALSE)
        return pull_fail(p, "field \"explain\" is neither true nor false");
    *out = type == PULL_TRUE;
    return pull_skip(p, NULL);
}

static bool read_member(struct first_walk *w, struct str key)
{
    struct pull *p = &w->p;
    struct rank_ask *a = &w->ask;
    struct str *const lists[NAME_COUNT] = {
        [DOCS] = &a->docs, [FEATURES] = &a->features, [VALUES] = &a->values, [IDS] = &a->ids
    };
    int i = 0;
    while (i < NAME_COUNT && !str_eq_c(key, names[i]))
        i++;
    if (i < NAME_COUNT && pull_peek(p) == PULL_NULL)
        return pull_skip(p, NULL);
    switch (i) {
    case MODEL:
        return read_text(p, names[i], 2 * NAME_MAX_BYTES + 1, &a->model);
    case ALIAS:
        return read_text(p, names[i], NAME_MAX_BYTES, &a->alias);
    case QUERY:
        return read_text(p, names[i], SIGNAL_QUERY_MAX, &a->query);
    case N:
        return read_whole(p, names[i], 1, RANK_DOCS_MAX, &a->n);
    case EXPLAIN:
        return read_explain(p, &a->explain);
    case DEADLINE:
        return read_whole(p, names[i], 1, RANK_DEADLINE_MAX_MS, &a->deadline_ms);
    case NAME_COUNT: {
        const char *nearest = nearest_name(key, names, NAME_COUNT);
        return pull_fail(p, nearest ? "unknown field \"%.*s\" (did you mean \"%s\"?)" : "unknown field \"%.*s\"",
                         STR_ARG(str_cut(key, SHOWN_MAX)), nearest ? nearest : "");
    }
    case DOCS:
    case VALUES:
        return take_docs(w, names[i], i == VALUES, lists[i]);
    default:
        return pass_list(p, names[i], lists[i]);
    }
}

/* "model@alias" is both. */
static bool split_model(struct rank_ask *a, struct err *err)
{
    struct str rest = a->model, name;
    if (rest.n && memchr(rest.p, '@', rest.n) && str_split(&rest, '@', &name)) {
        if (a->alias.n && !str_eq(a->alias, rest))
            return err_set(err, ERR_INVALID, "field \"model\" names another alias than field \"alias\"");
        a->model = name;
        a->alias = rest;
    }
    if (!a->alias.n)
        a->alias = STR(SERVING_ALIAS);
    return true;
}

static bool check(struct rank_ask *a, struct arena *arena, struct err *err)
{
    if (!a->docs.p && !a->values.p)
        return err_set(err, ERR_INVALID, "field \"docs\" is missing, and field \"values\" too");
    if (a->docs.p && (a->values.p || a->ids.p))
        return err_set(err, ERR_INVALID, "field \"docs\" and field \"%s\" are both there",
                       a->values.p ? "values" : "ids");
    if (a->query.n)
        a->query = query_text(a->query, arena_alloc(arena, QUERY_TEXT_MAX));
    return split_model(a, err);
}

bool rank_ask_read(struct str body, int64_t started_us, rank_find_fn find, void *arg, struct arena *arena,
                   struct rank_ask *out, struct err *err)
{
    struct first_walk w = { .ask = { .n = RANK_DOCS_MAX }, .find = find, .arg = arg };
    struct rank_ask *a = &w.ask;
    struct pull *p = &w.p;
    struct str key;
    pull_init(p, body, arena);
    if (pull_peek(p) != PULL_OBJECT)
        return err_set(err, ERR_INVALID, "the request is not a JSON object");
    (void)pull_enter(p, '{');
    for (bool first = true; pull_member(p, first, &key) && read_member(&w, key); first = false) {
    }
    if (pull_ok(p) && !pull_at_end(p))
        (void)pull_fail(p, "there is something behind the JSON object");
    if (!pull_ok(p)) {
        *err = p->err;
        return false;
    }
    a->deadline_us = a->deadline_ms ? started_us + (int64_t)a->deadline_ms * 1000 : 0;
    if (!check(a, arena, err))
        return false;
    *out = *a;
    return true;
}

bool rank_ask_of(const struct assign_value *object, int64_t started_us, struct arena *arena, struct rank_ask *out,
                 struct err *err)
{
    size_t n = assign_json_write(object, NULL, 0);
    char *text = arena_alloc(arena, n + 1);
    (void)assign_json_write(object, text, n + 1);
    return rank_ask_read((struct str){ text, n }, started_us, NULL, NULL, arena, out, err);
}

/* ---- the second walk ---- */

struct reading {
    struct pull p;
    const struct ranker *r;
    struct arena *arena;
    struct rank_docs *docs;
    uint32_t room;
    /* Lists: the feature of each column; NULL: the model's order. */
    const uint32_t *columns;
    uint32_t columns_count;
    double *row; /* as many */
    /* Objects: each name once in a document, and mostly in the model's order. */
    uint32_t *seen, expected;
    bool *plain; /* names that JSON writes as they are */
    bool with_ids;
};

static bool unknown_feature(struct reading *g, struct str name)
{
    char known[160] = "";
    for (uint32_t f = 0; f < g->r->features && f < KNOWN_SHOWN; f++) {
        size_t n = strlen(known);
        if (n + g->r->names[f].n + 6 > sizeof known)
            break;
        (void)snprintf(known + n, sizeof known - n, "%s%.*s", n ? ", " : "", STR_ARG(g->r->names[f]));
    }
    return pull_fail(&g->p, "the model has no feature \"%.*s\"; it has %u: %s%s", STR_ARG(str_cut(name, SHOWN_MAX)),
                     g->r->features, known, g->r->features > KNOWN_SHOWN ? ", …" : "");
}

static bool no_float(struct reading *g, struct str name, double v)
{
    return pull_fail(&g->p, "feature \"%.*s\" is %g, beyond a float", STR_ARG(str_cut(name, SHOWN_MAX)), v);
}

/* The number of a feature; what is none gets its name. */
static bool read_value(struct reading *g, struct str name, float *out)
{
    double v;
    enum pull_type type = pull_peek(&g->p);
    if (type != PULL_NULL && type != PULL_NUMBER)
        return pull_fail(&g->p, "feature \"%.*s\" is neither a number nor null", STR_ARG(str_cut(name, SHOWN_MAX)));
    if (!pull_number_or_null(&g->p, &v))
        return false;
    *out = (float)v;
    return !isinf(*out) || no_float(g, name, v);
}

static float *add_doc(struct reading *g, const char *field)
{
    struct rank_docs *d = g->docs;
    size_t row = g->r->features;
    if (d->count == RANK_DOCS_MAX) {
        (void)pull_fail(&g->p, "field \"%s\" has more than %d elements", field, RANK_DOCS_MAX);
        g->p.err.kind = ERR_TOO_LARGE;
        return NULL;
    }
    if (d->count == g->room) {
        uint32_t room = g->room ? 4 * g->room : ROOM_FIRST;
        float *more = arena_alloc(g->arena, room * row * sizeof *more);
        if (d->count)
            memcpy(more, d->values, d->count * row * sizeof *more);
        d->values = more;
        g->room = room;
    }
    float *to = d->values + d->count * row;
    for (size_t f = 0; f < row; f++)
        to[f] = NAN;
    return to;
}

static bool read_row(struct reading *g, float *to)
{
    size_t n;
    if (!pull_numbers(&g->p, g->row, g->columns_count, &n))
        return false;
    if (n > g->columns_count)
        return pull_fail(&g->p, "more values than the %u features", g->columns_count);
    if (n < g->columns_count)
        return pull_fail(&g->p, "%zu values for %u features", n, g->columns_count);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t f = g->columns ? g->columns[i] : i;
        to[f] = (float)g->row[i];
        if (isinf(to[f]))
            return no_float(g, g->r->names[f], g->row[i]);
    }
    return true;
}

/* The next member's feature, which is mostly the one behind the feature before; -1: there is none, or it is wrong. */
static int next_feature(struct reading *g, bool first)
{
    struct str name;
    uint32_t next = g->expected;
    if (next < g->r->features && g->plain[next] && pull_member_is(&g->p, first, g->r->names[next]))
        return (int)next;
    if (!pull_ok(&g->p) || !pull_member(&g->p, first, &name))
        return -1;
    int f = ranker_feature(g->r, name);
    if (f < 0)
        (void)unknown_feature(g, name);
    return f;
}

static bool read_named(struct reading *g, float *to)
{
    int f;
    if (!pull_enter(&g->p, '{'))
        return false;
    g->expected = 0;
    for (bool first = true; (f = next_feature(g, first)) >= 0; first = false) {
        struct str name = g->r->names[f];
        if (g->seen[f] == g->docs->count + 1)
            return pull_fail(&g->p, "feature \"%.*s\" is there twice", STR_ARG(str_cut(name, SHOWN_MAX)));
        g->seen[f] = g->docs->count + 1;
        g->expected = (uint32_t)f + 1;
        if (!read_value(g, name, &to[f]))
            return false;
    }
    return pull_ok(&g->p);
}

static bool read_id(struct reading *g, struct str *out)
{
    if (pull_peek(&g->p) != PULL_STRING)
        return pull_fail(&g->p, "field \"id\" is not a string");
    if (!pull_string(&g->p, out))
        return false;
    return (out->n > 0 && out->n <= RANK_ID_MAX) ||
           pull_fail(&g->p, "an id is empty or longer than %d bytes", RANK_ID_MAX);
}

static bool read_doc(struct reading *g, struct str *id, float *to)
{
    struct str key;
    bool features = false;
    if (pull_peek(&g->p) != PULL_OBJECT)
        return pull_fail(&g->p, "it is not an object");
    (void)pull_enter(&g->p, '{');
    for (bool first = true; pull_member(&g->p, first, &key); first = false) {
        if (str_eq_c(key, "id") ? id->p != NULL : features && str_eq_c(key, "features"))
            return pull_fail(&g->p, "field \"%.*s\" is there twice", STR_ARG(key));
        if (str_eq_c(key, "id")) {
            if (!read_id(g, id))
                return false;
        } else if (str_eq_c(key, "features")) {
            enum pull_type type = pull_peek(&g->p);
            features = true;
            if (type != PULL_OBJECT && type != PULL_ARRAY)
                return pull_fail(&g->p, "field \"features\" is neither an object nor a list");
            if (type == PULL_OBJECT ? !read_named(g, to) : !read_row(g, to))
                return false;
        } else {
            return pull_fail(&g->p, "unknown field \"%.*s\"; there are \"id\" and \"features\"",
                             STR_ARG(str_cut(key, SHOWN_MAX)));
        }
    }
    return pull_ok(&g->p);
}

/* Ids: all documents have one, or none. */
static bool take_id(struct reading *g, struct str id)
{
    struct rank_docs *d = g->docs;
    if (d->count == 0)
        g->with_ids = id.p != NULL;
    if (g->with_ids != (id.p != NULL))
        return pull_fail(&g->p, "field \"id\" is %s, and the documents before have %s", id.p ? "there" : "missing",
                         id.p ? "none" : "one");
    if (g->with_ids && !d->ids)
        d->ids = arena_alloc(g->arena, RANK_DOCS_MAX * sizeof *d->ids);
    if (g->with_ids)
        d->ids[d->count] = id;
    return true;
}

static bool where(struct reading *g, const char *field, struct err *err)
{
    *err = g->p.err;
    return g->p.err.kind == ERR_TOO_LARGE ? false : err_prefix(err, "field \"%s\" element %u: ", field, g->docs->count);
}

static bool read_documents(struct reading *g, const char *field, bool rows, struct err *err)
{
    (void)pull_enter(&g->p, '[');
    for (bool first = true; pull_element(&g->p, first); first = false) {
        struct str id = { NULL, 0 };
        float *to = add_doc(g, field);
        bool fine = to && (rows ? read_row(g, to) : read_doc(g, &id, to) && take_id(g, id));
        if (!fine)
            return where(g, field, err);
        g->docs->count++;
    }
    return pull_ok(&g->p) || where(g, field, err);
}

static bool read_columns(struct reading *g, struct str text, struct err *err)
{
    uint32_t *columns = arena_alloc(g->arena, g->r->features * sizeof *columns), n = 0;
    struct str name;
    pull_init(&g->p, text, g->arena);
    (void)pull_enter(&g->p, '[');
    for (bool first = true; pull_element(&g->p, first) && pull_string(&g->p, &name); first = false) {
        int f = ranker_feature(g->r, name);
        if (f < 0)
            (void)unknown_feature(g, name);
        else if (g->seen[f])
            (void)pull_fail(&g->p, "\"%.*s\" is there twice", STR_ARG(str_cut(name, SHOWN_MAX)));
        if (!pull_ok(&g->p))
            break;
        g->seen[f] = 1;
        columns[n++] = (uint32_t)f;
    }
    if (!pull_ok(&g->p)) {
        *err = g->p.err;
        return err_prefix(err, "field \"features\" element %u: ", n);
    }
    memset(g->seen, 0, g->r->features * sizeof *g->seen);
    g->columns = columns;
    g->columns_count = n;
    return true;
}

static bool read_ids(struct reading *g, struct str text, struct err *err)
{
    uint32_t n = 0;
    g->docs->ids = arena_alloc(g->arena, (g->docs->count + (size_t)1) * sizeof *g->docs->ids);
    pull_init(&g->p, text, g->arena);
    (void)pull_enter(&g->p, '[');
    for (bool first = true; pull_element(&g->p, first) && n <= g->docs->count; first = false)
        if (read_id(g, &g->docs->ids[n]))
            n++;
    if (!pull_ok(&g->p)) {
        *err = g->p.err;
        return err_prefix(err, "field \"ids\" element %u: ", n);
    }
    return n == g->docs->count || err_set(err, ERR_INVALID, "field \"ids\" has %s than the %u rows of field \"values\"",
                                          n < g->docs->count ? "fewer elements" : "more elements", g->docs->count);
}

static void reading_open(struct reading *g, const struct ranker *r, struct arena *arena, struct rank_docs *docs)
{
    *g = (struct reading){ .r = r, .arena = arena, .docs = docs, .columns_count = r->features };
    *docs = (struct rank_docs){ .count = 0 };
    g->seen = arena_zalloc(arena, r->features * sizeof *g->seen);
    g->row = arena_alloc(arena, r->features * sizeof *g->row);
    g->plain = arena_alloc(arena, r->features * sizeof *g->plain);
    for (uint32_t f = 0; f < r->features; f++)
        g->plain[f] = !memchr(r->names[f].p, '"', r->names[f].n) && !memchr(r->names[f].p, '\\', r->names[f].n);
}

/* Documents at once, when it is known for which ranker; where that fails, the second walk says why, if it still is that ranker. */
static bool take_docs(struct first_walk *w, const char *name, bool rows, struct str *out)
{
    const struct ranker *r = w->find ? w->find(w->arg, w->ask.model, w->ask.alias) : NULL;
    struct reading g;
    struct err err;
    if (!r || out->p || pull_peek(&w->p) != PULL_ARRAY)
        return pass_list(&w->p, name, out);
    reading_open(&g, r, w->p.arena, &w->ask.early_docs);
    if (w->ask.features.p && !read_columns(&g, w->ask.features, &err))
        return pass_list(&w->p, name, out);
    g.p = w->p;
    if (!read_documents(&g, name, rows, &err))
        return pass_list(&w->p, name, out);
    w->ask.early = r;
    w->ask.early_features = w->ask.features.p;
    *out = (struct str){ w->p.at, (size_t)(g.p.at - w->p.at) };
    w->p.at = g.p.at;
    return true;
}

static void fill_signals(const struct rank_ask *ask, const struct ranker *r, struct arena *arena,
                         struct rank_docs *docs)
{
    struct ranker_signals s;
    if (!r->has_signals || !docs->ids)
        return;
    ranker_signals_open(r, ask->query, arena, &s);
    for (uint32_t i = 0; i < docs->count; i++)
        ranker_signals_fill(&s, docs->ids[i], docs->values + (size_t)i * r->features);
}

bool rank_docs_read(const struct rank_ask *ask, const struct ranker *r, struct arena *arena, struct rank_docs *out,
                    struct err *err)
{
    struct reading g;
    reading_open(&g, r, arena, out);
    if (ask->early == r && ask->early_features == ask->features.p) {
        *out = ask->early_docs;
    } else {
        if (ask->features.p && !read_columns(&g, ask->features, err))
            return false;
        pull_init(&g.p, ask->docs.p ? ask->docs : ask->values, arena);
        if (!read_documents(&g, ask->docs.p ? "docs" : "values", !ask->docs.p, err))
            return false;
    }
    if (ask->ids.p && !read_ids(&g, ask->ids, err))
        return false;
    fill_signals(ask, r, arena, out);
    return true;
}
