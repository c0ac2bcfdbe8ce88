#include "experimentd/rewrites/document.h"

#include "base/json.h"

static const char types[] = "query, spelling, head_tail, remove_words, phrase, synonym";
static const char *const decisions[] = { "approved", "denied", "pending" };

/* ---- fields ---- */

static void read_text(struct json_reader *r, const char *key, enum json_need need, struct str *out, struct arena *arena)
{
    char normal[QUERY_TEXT_MAX];
    if (!json_get_str(r, key, need, out, arena))
        return;
    if (!str_is_utf8(*out))
        (void)json_fail(r, key, "holds a character that text does not have");
    else if (out->n > 4 * QUERY_TEXT_MAX)
        (void)json_fail(r, key, "has %zu bytes, more than %d", out->n, QUERY_TEXT_MAX);
    else
        *out = arena_str(arena, query_text(*out, normal));
}

static void read_review(struct json_reader *r, enum json_need need, struct str *out, struct arena *arena)
{
    if (!json_get_str(r, "review", need, out, arena))
        return;
    for (size_t i = 0; i < COUNT_OF(decisions); i++)
        if (str_eq_c(*out, decisions[i]))
            return;
    (void)json_fail(r, "review", "is \"" STR_FMT "\", none of approved, denied, pending", STR_ARG(str_cut(*out, 40)));
}

static void read_note(struct json_reader *r, struct str *out, struct arena *arena)
{
    if (json_get_str(r, "note", JSON_OPTIONAL, out, arena) && out->n > REWRITE_NOTE_MAX)
        (void)json_fail(r, "note", "has %zu bytes, more than %d", out->n, REWRITE_NOTE_MAX);
}

static void check_rule(struct json_reader *r, const struct rewrite_rule *rule)
{
    struct err why;
    if (r->err.kind == ERR_NONE && !rewrite_check(rule, &why))
        (void)json_fail(r, NULL, "%s", why.text);
}

/* ---- a rule of a person's ---- */

bool rewrite_doc_read(json_t *object, struct arena *arena, struct rewrite_doc *out, struct err *err)
{
    struct rewrite_doc d = { .rule = { .type = REWRITE_TYPE_COUNT, .manual = true, .confidence = 1 },
                             .review = STR("approved"),
                             .note = STR("") };
    struct str type = { NULL, 0 };
    struct json_reader r;
    json_reader_open(&r, object, "rewrite");
    if (json_get_str(&r, "type", JSON_REQUIRED, &type, arena))
        d.rule.type = rewrite_type_of(type);
    if (type.p && d.rule.type == REWRITE_TYPE_COUNT)
        (void)json_fail(&r, "type", "is \"" STR_FMT "\", none of %s", STR_ARG(str_cut(type, 40)), types);
    read_text(&r, "input", JSON_REQUIRED, &d.rule.input, arena);
    d.rule.output = d.rule.type == REWRITE_PHRASE ? d.rule.input : STR("");
    read_text(&r, "output", d.rule.type == REWRITE_PHRASE ? JSON_OPTIONAL : JSON_REQUIRED, &d.rule.output, arena);
    (void)json_get_bool(&r, "bidirectional", JSON_OPTIONAL, &d.rule.bidirectional);
    (void)json_get_double(&r, "confidence", JSON_OPTIONAL, &d.rule.confidence);
    read_review(&r, JSON_OPTIONAL, &d.review, arena);
    read_note(&r, &d.note, arena);
    check_rule(&r, &d.rule);
    if (!json_reader_close(&r, err))
        return false;
    *out = d;
    return true;
}

void rewrite_doc_write(struct jsonw *w, const struct rewrite_doc *d)
{
    jsonw_open(w, NULL, '{');
    jsonw_text(w, "type", rewrite_type_names[d->rule.type]);
    jsonw_str(w, "input", d->rule.input);
    jsonw_str(w, "output", d->rule.output);
    jsonw_bool(w, "bidirectional", d->rule.bidirectional);
    jsonw_double(w, "confidence", d->rule.confidence);
    jsonw_str(w, "review", d->review);
    jsonw_str(w, "note", d->note);
    jsonw_close(w);
}

bool rewrite_patch_read(json_t *object, struct arena *arena, struct rewrite_doc *d, struct jsonw *w, bool *out_rule,
                        struct err *err)
{
    struct json_reader r;
    struct rewrite_rule *rule = &d->rule;
    json_reader_open(&r, object, "rewrite");
    read_text(&r, "input", JSON_OPTIONAL, &rule->input, arena);
    if (rule->type == REWRITE_PHRASE)
        rule->output = rule->input;
    read_text(&r, "output", JSON_OPTIONAL, &rule->output, arena);
    (void)json_get_bool(&r, "bidirectional", JSON_OPTIONAL, &rule->bidirectional);
    (void)json_get_double(&r, "confidence", JSON_OPTIONAL, &rule->confidence);
    read_review(&r, JSON_OPTIONAL, &d->review, arena);
    read_note(&r, &d->note, arena);
    check_rule(&r, rule);
    if (!json_reader_close(&r, err))
        return false;
    bool input = json_object_get(object, "input");
    bool output = json_object_get(object, "output") || (input && rule->type == REWRITE_PHRASE);
    if (input)
        jsonw_str(w, "input", rule->input);
    if (output)
        jsonw_str(w, "output", rule->output);
    if (json_object_get(object, "bidirectional"))
        jsonw_bool(w, "bidirectional", rule->bidirectional);
    if (json_object_get(object, "confidence"))
        jsonw_double(w, "confidence", rule->confidence);
    if (json_object_get(object, "review"))
        jsonw_str(w, "review", d->review);
    if (json_object_get(object, "note"))
        jsonw_str(w, "note", d->note);
    *out_rule = input || output || json_object_get(object, "bidirectional") || json_object_get(object, "confidence");
    return true;
}

/* ---- filters ---- */

const char *const rewrite_filter_names[FILTER_COUNT] = {
    [FILTER_TYPE] = "type",
    [FILTER_REVIEW] = "review",
    [FILTER_SOURCE] = "source",
    [FILTER_CONFIDENCE_CLASS] = "confidence_class",
    [FILTER_JOB] = "job",
    [FILTER_MIN_CONFIDENCE] = "min_confidence",
    [FILTER_MAX_CONFIDENCE] = "max_confidence",
    [FILTER_MIN_SEARCHES] = "min_searches",
    [FILTER_TEXT] = "text",
};
/* What each word of a list may be; NULL: something else. */
static const char *const words[FILTER_COUNT] = {
    [FILTER_TYPE] = types,
    [FILTER_REVIEW] = "pending, auto, approved, denied",
    [FILTER_SOURCE] = "job, manual",
    [FILTER_CONFIDENCE_CLASS] = "low, medium, high",
};

static bool is_one_of(const char *list, struct str word)
{
    struct str rest = str_of(list), one;
    while (str_split(&rest, ',', &one))
        if (str_eq(str_trim(one), word))
            return true;
    return false;
}

static bool check_words(enum rewrite_filter_field f, struct str value, struct err *err)
{
    struct str rest = value, one;
    if (!value.n)
        return err_set(err, ERR_INVALID, "filter \"%s\" is empty", rewrite_filter_names[f]);
    while (str_split(&rest, ',', &one))
        if (!is_one_of(words[f], one))
            return err_set(err, ERR_INVALID, "filter \"%s\" is \"" STR_FMT "\", not of %s", rewrite_filter_names[f],
                           STR_ARG(str_cut(one, 40)), words[f]);
    return true;
}

static bool check_number(enum rewrite_filter_field f, struct str value, struct err *err)
{
    double v;
    uint64_t n;
    struct err why;
    bool ok = f == FILTER_MIN_SEARCHES ? parse_u64(value, &n, &why) : parse_double(value, &v, &why);
    return (ok && value.n < 20) || err_set(err, ERR_INVALID, "filter \"%s\" is \"" STR_FMT "\", not a number",
                                           rewrite_filter_names[f], STR_ARG(str_cut(value, 40)));
}

bool rewrite_filter_check(struct rewrite_filter *f, struct arena *arena, struct err *err)
{
    for (int i = 0; i < FILTER_COUNT; i++) {
        enum rewrite_filter_field field = (enum rewrite_filter_field)i;
        struct str *value = &f->values[i];
        char normal[QUERY_TEXT_MAX];
        if (!value->p)
            continue;
        if (!str_is_utf8(*value))
            return err_set(err, ERR_INVALID, "filter \"%s\" is not UTF-8", rewrite_filter_names[i]);
        if (words[i] && !check_words(field, *value, err))
            return false;
        if (field >= FILTER_MIN_CONFIDENCE && field <= FILTER_MIN_SEARCHES && !check_number(field, *value, err))
            return false;
        if (field == FILTER_TEXT)
            *value = arena_str(arena, query_text(*value, normal));
    }
    return true;
}

static void read_filter_field(struct json_reader *r, int field, struct str *out, struct arena *arena)
{
    json_t *v = NULL;
    if (!json_get_any(r, rewrite_filter_names[field], JSON_OPTIONAL, &v) || json_is_null(v))
        return;
    if (json_is_string(v))
        *out = arena_str(arena, (struct str){ json_string_value(v), json_string_length(v) });
    else if (json_is_integer(v))
        *out = arena_printf(arena, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        *out = arena_printf(arena, "%g", json_real_value(v));
    else
        (void)json_fail(r, rewrite_filter_names[field], "is neither text nor a number");
}

bool rewrite_filter_read(json_t *object, struct arena *arena, struct rewrite_filter *out, struct err *err)
{
    struct json_reader r;
    *out = (struct rewrite_filter){ 0 };
    json_reader_open(&r, object, "filter");
    for (int i = 0; i < FILTER_COUNT; i++)
        read_filter_field(&r, i, &out->values[i], arena);
    return json_reader_close(&r, err) && rewrite_filter_check(out, arena, err);
}

void rewrite_filter_write(struct jsonw *w, const struct rewrite_filter *f)
{
    jsonw_open(w, NULL, '{');
    for (int i = 0; i < FILTER_COUNT; i++)
        if (f->values[i].p)
            jsonw_str(w, rewrite_filter_names[i], f->values[i]);
    jsonw_close(w);
}

/* ---- a review of many ---- */

static void read_ids(struct json_reader *r, json_t *list, struct arena *arena, struct rewrite_review *out)
{
    size_t n = json_array_size(list);
    if (n > REWRITES_BULK_MAX) {
        (void)json_fail(r, "ids", "has %zu ids, more than %d; use a filter", n, REWRITES_BULK_MAX);
        return;
    }
    int64_t *ids = arena_alloc(arena, (n + 1) * sizeof *ids);
    for (size_t i = 0; i < n; i++) {
        if (!json_is_integer(json_array_get(list, i))) {
            (void)json_fail(r, "ids", "element %zu is not a whole number", i);
            return;
        }
        ids[i] = json_integer_value(json_array_get(list, i));
    }
    out->ids = ids;
    out->ids_count = n;
}

bool rewrite_review_read(json_t *object, struct arena *arena, struct rewrite_review *out, struct err *err)
{
    struct json_reader r;
    json_t *ids = NULL, *filter = NULL;
    *out = (struct rewrite_review){ .count = -1 };
    json_reader_open(&r, object, "review");
    read_review(&r, JSON_REQUIRED, &out->review, arena);
    read_note(&r, &out->note, arena);
    (void)json_get_i64(&r, "count", JSON_OPTIONAL, &out->count);
    if (json_get_array(&r, "ids", JSON_OPTIONAL, &ids))
        read_ids(&r, ids, arena, out);
    (void)json_get_object(&r, "filter", JSON_OPTIONAL, &filter);
    if (!ids == !filter)
        (void)json_fail(&r, NULL, "names either \"ids\" or a \"filter\"");
    return json_reader_close(&r, err) && (!filter || rewrite_filter_read(filter, arena, &out->filter, err));
}
