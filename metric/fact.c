#include "metric/fact.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { WHAT_MAX = 120, TYPE_MAX = 64, VALUE_MAX = 256 };

const char *const fact_of_names[] = {
    [FACT_SIGNALS] = "signals",
    [FACT_QUERIES] = "queries",
    [FACT_SESSIONS] = "sessions",
    [FACT_SQL] = "sql",
};
static_assert(COUNT_OF(fact_of_names) == FACT_OF_COUNT, "a name for everything a fact can be of");

const char *const fact_query_names[] = {
    [FACT_QUERY_ALL] = "all",
    [FACT_QUERY_CLICKED] = "clicked",
    [FACT_QUERY_SATISFIED] = "satisfied",
    [FACT_QUERY_ABANDONED] = "abandoned",
    [FACT_QUERY_ZERO_RESULTS] = "zero_results",
    [FACT_QUERY_KNOWN_RESULTS] = "known_results",
    [FACT_QUERY_REFORMULATED] = "reformulated",
    [FACT_QUERY_RECIPROCAL_RANK] = "reciprocal_rank",
    [FACT_QUERY_NDCG] = "ndcg",
    [FACT_QUERY_TIMED] = "timed",
    [FACT_QUERY_SECONDS_TO_FIRST_CLICK] = "seconds_to_first_click",
    [FACT_QUERY_REVENUE] = "revenue",
    [FACT_QUERY_PURCHASED] = "purchased",
    [FACT_QUERY_RESULTS] = "results",
};
static_assert(COUNT_OF(fact_query_names) == FACT_QUERY_COUNT, "a name for every measure of a query");

const char *const fact_session_names[] = {
    [FACT_SESSION_ALL] = "all",
    [FACT_SESSION_WITH_CLICK] = "with_click",
    [FACT_SESSION_ABANDONED] = "abandoned",
    [FACT_SESSION_SECONDS] = "seconds",
};
static_assert(COUNT_OF(fact_session_names) == FACT_SESSION_COUNT, "a name for every measure of a session");

/* What a measure of a query takes, and what it gives. */
static const struct {
    bool takes_k, valued; /* valued: a number of its own, not 0 or 1 */
    int default_k;
} query_traits[FACT_QUERY_COUNT] = {
    [FACT_QUERY_CLICKED] = { .takes_k = true },
    [FACT_QUERY_SATISFIED] = { .takes_k = true },
    [FACT_QUERY_RECIPROCAL_RANK] = { .takes_k = true, .valued = true },
    [FACT_QUERY_NDCG] = { .takes_k = true, .valued = true, .default_k = 10 },
    [FACT_QUERY_SECONDS_TO_FIRST_CLICK] = { .valued = true },
    [FACT_QUERY_REVENUE] = { .valued = true },
    [FACT_QUERY_RESULTS] = { .valued = true },
};

int fact_word(struct json_reader *r, const char *field, struct str word, const char *const *names, int count)
{
    char list[200] = "";
    size_t at = 0;
    for (int i = 0; i < count; i++)
        if (str_eq_c(word, names[i]))
            return i;
    for (int i = 0; i < count && at < sizeof list; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s\"%s\"", i ? ", " : "", names[i]);
    struct str shown = str_cut(word, 40);
    (void)json_fail(r, field, "is \"" STR_FMT "\", not one of %s", STR_ARG(shown), list);
    return 0;
}

/* ---- signals ---- */

static bool type_is_good(struct str type)
{
    for (size_t i = 0; i < type.n; i++) {
        char c = type.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
            return false;
    }
    return type.n > 0 && type.n <= TYPE_MAX;
}

static void read_type(struct json_reader *r, const json_t *v, struct arena *arena, struct metric_fact *f)
{
    if (!json_is_string(v)) {
        (void)json_fail(r, "type", "must be text or a list of texts");
        return;
    }
    struct str type = { json_string_value(v), json_string_length(v) };
    if (!type_is_good(type)) {
        (void)json_fail(r, "type", "must be 1 to %d of a-z, 0-9, \"_\", \"-\", \".\"", TYPE_MAX);
        return;
    }
    for (size_t i = 0; i < f->types_count; i++)
        if (str_eq(f->types[i], type))
            (void)json_fail(r, "type", "names \"" STR_FMT "\" twice", STR_ARG(type));
    f->types[f->types_count++] = arena_str(arena, type);
}

static void read_types(struct json_reader *r, const json_t *v, struct arena *arena, struct metric_fact *f)
{
    bool list = json_is_array(v);
    size_t n = list ? json_array_size(v) : 1;
    if (n == 0 || n > METRIC_LIST_MAX) {
        (void)json_fail(r, "type", "has %zu elements, not 1 to %d", n, METRIC_LIST_MAX);
        return;
    }
    f->types = arena_zalloc(arena, n * sizeof *f->types);
    for (size_t i = 0; i < n && r->err.kind == ERR_NONE; i++)
        read_type(r, list ? json_array_get(v, i) : v, arena, f);
}

/* Which end of the interval each word sets, and whether the end itself is outside. */
static const struct {
    const char *name;
    bool low, open;
} bound_words[] = { { "gt", true, true }, { "gte", true, false }, { "lt", false, true }, { "lte", false, false } };

static bool read_bounds(json_t *object, const char *what, struct fact_bounds *out, struct err *err)
{
    struct json_reader r;
    bool has_low = false, has_high = false;
    json_reader_open(&r, object, what);
    for (size_t i = 0; i < COUNT_OF(bound_words); i++) {
        double v;
        if (!json_get_double(&r, bound_words[i].name, JSON_OPTIONAL, &v))
            continue;
        bool *has = bound_words[i].low ? &has_low : &has_high;
        if (*has)
            (void)json_fail(&r, bound_words[i].name, "is a second bound at the same end");
        *has = true;
        *(bound_words[i].low ? &out->low : &out->high) = v;
        *(bound_words[i].low ? &out->low_open : &out->high_open) = bound_words[i].open;
    }
    if (r.err.kind == ERR_NONE && !has_low && !has_high)
        (void)json_fail(&r, NULL, "has no bound; give \"gt\", \"gte\", \"lt\" or \"lte\"");
    if (out->low > out->high || (out->low == out->high && (out->low_open || out->high_open)))
        (void)json_fail(&r, NULL, "holds no number");
    return json_reader_close(&r, err);
}

static bool read_params(json_t *object, const char *what, struct arena *arena, struct metric_fact *f, struct err *err)
{
    const char *name;
    json_t *v;
    size_t n = json_object_size(object);
    if (n == 0 || n > METRIC_LIST_MAX)
        return err_set(err, ERR_INVALID, "%s: field \"params\" has %zu members, not 1 to %d", what, n, METRIC_LIST_MAX);
    f->params = arena_zalloc(arena, n * sizeof *f->params);
    json_object_foreach(object, name, v)
    {
        struct str shown = str_cut(str_of(name), 40);
        if (!json_is_string(v) || json_string_length(v) > VALUE_MAX)
            return err_set(err, ERR_INVALID, "%s: params: field \"" STR_FMT "\" must be text of up to %d bytes", what,
                           STR_ARG(shown), VALUE_MAX);
        if (!*name || strlen(name) > VALUE_MAX)
            return err_set(err, ERR_INVALID, "%s: params: a name has %zu bytes, not 1 to %d", what, strlen(name),
                           VALUE_MAX);
        f->params[f->params_count++] = (struct fact_param){
            .name = arena_str(arena, str_of(name)),
            .value = arena_str(arena, (struct str){ json_string_value(v), json_string_length(v) }),
        };
    }
    return true;
}

static bool read_where(json_t *object, const char *fact, struct arena *arena, struct metric_fact *f, struct err *err)
{
    char what[WHAT_MAX], part[WHAT_MAX + 16];
    json_t *position = NULL, *value = NULL, *params = NULL;
    struct json_reader r;
    (void)snprintf(what, sizeof what, "%s: where", fact);
    json_reader_open(&r, object, what);
    (void)json_get_object(&r, "position", JSON_OPTIONAL, &position);
    (void)json_get_object(&r, "value", JSON_OPTIONAL, &value);
    (void)json_get_object(&r, "params", JSON_OPTIONAL, &params);
    if (r.err.kind == ERR_NONE && !position && !value && !params)
        (void)json_fail(&r, NULL, "is empty; give \"position\", \"value\" or \"params\", or leave it out");
    if (!json_reader_close(&r, err))
        return false;
    (void)snprintf(part, sizeof part, "%s: position", what);
    if (position && !read_bounds(position, part, &f->position, err))
        return false;
    (void)snprintf(part, sizeof part, "%s: value", what);
    if (value && !read_bounds(value, part, &f->value, err))
        return false;
    return !params || read_params(params, what, arena, f, err);
}

static void read_sum(struct json_reader *r, struct arena *arena, struct metric_fact *f)
{
    struct str sum = { NULL, 0 };
    if (!json_get_str(r, "sum", JSON_OPTIONAL, &sum, arena))
        return;
    if (str_eq(sum, STR("value"))) {
        f->sum = FACT_SUM_VALUE;
    } else if (str_eq(sum, STR("position"))) {
        f->sum = FACT_SUM_POSITION;
    } else if (str_starts(sum, STR("params.")) && sum.n > STR("params.").n && sum.n <= VALUE_MAX) {
        f->sum = FACT_SUM_PARAM;
        f->sum_param = (struct str){ sum.p + STR("params.").n, sum.n - STR("params.").n };
    } else {
        struct str shown = str_cut(sum, 40);
        (void)json_fail(r, "sum", "is \"" STR_FMT "\", not \"value\", \"position\" or \"params.NAME\"", STR_ARG(shown));
    }
}

static json_t *read_signals(struct json_reader *r, struct arena *arena, struct metric_fact *f)
{
    json_t *types = NULL, *where = NULL;
    if (json_get_any(r, "type", JSON_OPTIONAL, &types) && !json_is_null(types))
        read_types(r, types, arena, f);
    (void)json_get_object(r, "where", JSON_OPTIONAL, &where);
    read_sum(r, arena, f);
    return where;
}

/* ---- queries, sessions, sql ---- */

static void read_queries(struct json_reader *r, struct metric_fact *f)
{
    struct str that = STR("all");
    int64_t k = 0;
    (void)json_get_str(r, "that", JSON_OPTIONAL, &that, NULL);
    f->query = (enum fact_query)fact_word(r, "that", that, fact_query_names, FACT_QUERY_COUNT);
    k = query_traits[f->query].default_k;
    if (json_get_i64(r, "k", JSON_OPTIONAL, &k)) {
        if (!query_traits[f->query].takes_k)
            (void)json_fail(r, "k", "does not go with \"%s\"", fact_query_names[f->query]);
        else if (k < 1 || k > METRIC_K_MAX)
            (void)json_fail(r, "k", "is %lld, not 1 to %d", (long long)k, METRIC_K_MAX);
    }
    f->k = (int)k;
    if (json_get_double(r, "dwell_seconds", JSON_OPTIONAL, &f->dwell_seconds)) {
        if (f->query != FACT_QUERY_SATISFIED)
            (void)json_fail(r, "dwell_seconds", "does not go with \"%s\"", fact_query_names[f->query]);
        else if (!(f->dwell_seconds > 0 && f->dwell_seconds <= (double)METRIC_SESSION_GAP_US / 1e6))
            (void)json_fail(r, "dwell_seconds", "is %g, not above 0 and up to %g", f->dwell_seconds,
                            (double)METRIC_SESSION_GAP_US / 1e6);
    }
}

static void read_sessions(struct json_reader *r, struct metric_fact *f)
{
    struct str that = STR("all");
    (void)json_get_str(r, "that", JSON_OPTIONAL, &that, NULL);
    f->session = (enum fact_session)fact_word(r, "that", that, fact_session_names, FACT_SESSION_COUNT);
}

static void read_sql(struct json_reader *r, struct arena *arena, struct metric_fact *f)
{
    if (json_get_str(r, "select", JSON_REQUIRED, &f->sql, arena) &&
        (str_trim(f->sql).n == 0 || f->sql.n > METRIC_SQL_MAX))
        (void)json_fail(r, "select", "has %zu bytes, not 1 to %d", f->sql.n, METRIC_SQL_MAX);
}

bool fact_read(json_t *root, const char *what, struct arena *arena, struct metric_fact *out, struct err *err)
{
    static const struct fact_bounds all = { .low = -INFINITY, .high = INFINITY };
    struct metric_fact f = { .position = all, .value = all, .dwell_seconds = METRIC_DWELL_SECONDS };
    struct str of = { NULL, 0 };
    json_t *where = NULL;
    struct json_reader r;
    json_reader_open(&r, root, what);
    if (json_get_str(&r, "of", JSON_REQUIRED, &of, NULL))
        f.of = (enum fact_of)fact_word(&r, "of", of, fact_of_names, FACT_OF_COUNT);
    if (f.of == FACT_SIGNALS)
        where = read_signals(&r, arena, &f);
    else if (f.of == FACT_QUERIES)
        read_queries(&r, &f);
    else if (f.of == FACT_SESSIONS)
        read_sessions(&r, &f);
    else
        read_sql(&r, arena, &f);
    if (!json_reader_close(&r, err) || (where && !read_where(where, what, arena, &f, err)))
        return false;
    *out = f;
    return true;
}

/* ---- what a fact is ---- */

bool fact_has_values(const struct metric_fact *f)
{
    switch (f->of) {
    case FACT_SIGNALS:
        return f->sum != FACT_SUM_ONE;
    case FACT_QUERIES:
        return query_traits[f->query].valued;
    case FACT_SESSIONS:
        return f->session == FACT_SESSION_SECONDS;
    default:
        return true;
    }
}

bool fact_is_counted(const struct metric_fact *f)
{
    return !fact_has_values(f);
}

static bool bounds_equal(const struct fact_bounds *a, const struct fact_bounds *b)
{
    return a->low == b->low && a->high == b->high && a->low_open == b->low_open && a->high_open == b->high_open;
}

static bool params_equal(const struct metric_fact *a, const struct metric_fact *b)
{
    for (size_t i = 0; i < a->params_count && a->params_count == b->params_count; i++)
        if (!str_eq(a->params[i].name, b->params[i].name) || !str_eq(a->params[i].value, b->params[i].value))
            return false;
    return a->params_count == b->params_count;
}

static bool types_equal(const struct metric_fact *a, const struct metric_fact *b)
{
    for (size_t i = 0; i < a->types_count && a->types_count == b->types_count; i++)
        if (!str_eq(a->types[i], b->types[i]))
            return false;
    return a->types_count == b->types_count;
}

bool fact_equal(const struct metric_fact *a, const struct metric_fact *b)
{
    return a->of == b->of && types_equal(a, b) && bounds_equal(&a->position, &b->position) &&
           bounds_equal(&a->value, &b->value) && params_equal(a, b) && a->sum == b->sum &&
           str_eq(a->sum_param, b->sum_param) && a->query == b->query && a->k == b->k &&
           a->dwell_seconds == b->dwell_seconds && a->session == b->session && str_eq(a->sql, b->sql);
}

/* coalesce: its types must match, so a column of another type is refused when the text is checked, not when rows come. The line's end ends a
 * comment of the text's. */
void fact_sql_rows(struct buf *b, struct str select)
{
    struct str sql = str_trim(select);
    while (sql.n > 0 && sql.p[sql.n - 1] == ';')
        sql = str_trim((struct str){ sql.p, sql.n - 1 });
    buf_add_c(b, "select coalesce(f.unit, null::text) as unit, coalesce(f.at, null::timestamptz) as at, "
                 "coalesce(f.value, null::float8) as value from (");
    buf_add_str(b, sql);
    buf_add_c(b, "\n) f");
}

/* ---- writing ---- */

static void write_types(struct jsonw *w, const struct metric_fact *f)
{
    if (f->types_count == 1)
        jsonw_str(w, "type", f->types[0]);
    if (f->types_count <= 1)
        return;
    jsonw_open(w, "type", '[');
    for (size_t i = 0; i < f->types_count; i++)
        jsonw_str(w, NULL, f->types[i]);
    jsonw_close(w);
}

static void write_bounds(struct jsonw *w, const char *key, const struct fact_bounds *b)
{
    if (fact_bounds_any(b))
        return;
    jsonw_open(w, key, '{');
    if (!isinf(b->low))
        jsonw_double(w, b->low_open ? "gt" : "gte", b->low);
    if (!isinf(b->high))
        jsonw_double(w, b->high_open ? "lt" : "lte", b->high);
    jsonw_close(w);
}

/* The names of params are not ended by 0 in general; those of a definition are (arena_str). */
static void write_where(struct jsonw *w, const struct metric_fact *f)
{
    if (fact_bounds_any(&f->position) && fact_bounds_any(&f->value) && f->params_count == 0)
        return;
    jsonw_open(w, "where", '{');
    write_bounds(w, "position", &f->position);
    write_bounds(w, "value", &f->value);
    if (f->params_count) {
        jsonw_open(w, "params", '{');
        for (size_t i = 0; i < f->params_count; i++)
            jsonw_str(w, f->params[i].name.p, f->params[i].value);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_sum(struct jsonw *w, const struct metric_fact *f)
{
    char text[VALUE_MAX + 8];
    (void)snprintf(text, sizeof text, "params." STR_FMT, STR_ARG(f->sum_param));
    if (f->sum != FACT_SUM_ONE)
        jsonw_text(w, "sum", f->sum == FACT_SUM_VALUE ? "value" : f->sum == FACT_SUM_POSITION ? "position" : text);
}

void fact_write(struct jsonw *w, const char *key, const struct metric_fact *f)
{
    jsonw_open(w, key, '{');
    jsonw_text(w, "of", fact_of_names[f->of]);
    if (f->of == FACT_SIGNALS) {
        write_types(w, f);
        write_where(w, f);
        write_sum(w, f);
    } else if (f->of == FACT_QUERIES) {
        jsonw_text(w, "that", fact_query_names[f->query]);
        if (f->k)
            jsonw_i64(w, "k", f->k);
        if (f->query == FACT_QUERY_SATISFIED)
            jsonw_double(w, "dwell_seconds", f->dwell_seconds);
    } else if (f->of == FACT_SESSIONS) {
        jsonw_text(w, "that", fact_session_names[f->session]);
    } else {
        jsonw_str(w, "select", f->sql);
    }
    jsonw_close(w);
}
