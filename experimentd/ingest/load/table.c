/* The mapping's document. What it makes of rows is table_row.c. */
#include "experimentd/ingest/load/table.h"

#include <math.h>

#include "base/json.h"
#include "experimentd/ingest/load/table_parts.h"

/* ---- patterns ---- */

static bool read_pattern(struct json_reader *r, struct str text, struct table *t, struct table_pattern **out)
{
    struct table_pattern *p = mem_zalloc(sizeof *p);
    char why[120];
    int code = regcomp(&p->regex, arena_cstr(&t->arena, text), REG_EXTENDED);
    if (code != 0) {
        (void)regerror(code, &p->regex, why, sizeof why);
        mem_free(p);
        return json_fail(r, "find", "is no regular expression: %s", why);
    }
    p->next = t->patterns;
    t->patterns = p;
    *out = p;
    return true;
}

/* ---- cells ---- */

static struct str own_text(const json_t *v, struct table *t)
{
    return arena_str(&t->arena, (struct str){ json_string_value(v), json_string_length(v) });
}

static bool read_factor(struct json_reader *r, const char *field, struct table_factor *out, struct table *t)
{
    json_t *v = NULL;
    if (!json_get_any(r, field, JSON_OPTIONAL, &v))
        return r->err.kind == ERR_NONE;
    out->given = true;
    out->number = json_is_number(v) ? json_number_value(v) : NAN;
    if (json_is_string(v))
        out->column = own_text(v, t);
    else if (!json_is_number(v))
        return json_fail(r, field, "is neither a number nor the name of a column");
    return true;
}

static void read_source(struct json_reader *r, struct table_cell *out, struct table *t)
{
    bool file = false, column = json_get_str(r, "column", JSON_OPTIONAL, &out->text, &t->arena);
    bool text = !column && json_get_str(r, "text", JSON_OPTIONAL, &out->text, &t->arena);
    (void)json_get_bool(r, "file", JSON_OPTIONAL, &file);
    out->from = column ? CELL_COLUMN : text ? CELL_TEXT : file ? CELL_FILE : CELL_NONE;
    if ((int)column + (int)text + (int)file != 1)
        (void)json_fail(r, NULL, "wants one of \"column\", \"text\" and \"file\": true");
}

static bool read_cell_object(json_t *v, const char *what, struct table_cell *out, struct table *t, struct err *err)
{
    struct json_reader r;
    struct str find;
    json_reader_open(&r, v, what);
    read_source(&r, out, t);
    if (json_get_str(&r, "find", JSON_OPTIONAL, &find, NULL))
        (void)read_pattern(&r, find, t, &out->find);
    (void)read_factor(&r, "times", &out->times, t);
    (void)read_factor(&r, "over", &out->over, t);
    return json_reader_close(&r, err);
}

static bool read_cell(json_t *v, const char *what, struct table_cell *out, struct table *t, struct err *err)
{
    if (json_is_object(v))
        return read_cell_object(v, what, out, t, err);
    if (json_is_string(v))
        *out = (struct table_cell){ .from = CELL_COLUMN, .text = own_text(v, t) };
    else if (json_is_number(v))
        *out = (struct table_cell){ .from = CELL_TEXT, .text = arena_printf(&t->arena, "%.17g", json_number_value(v)) };
    else
        return err_set(err, ERR_INVALID, "%s is neither the name of a column, a number nor an object", what);
    return true;
}

/* A field of `r` that is a cell; absent it stays CELL_NONE. */
static void cell_field(struct json_reader *r, const char *field, enum json_need need, struct table_cell *out,
                       struct table *t)
{
    json_t *v = NULL;
    struct err why = { 0 };
    if (json_get_any(r, field, need, &v) &&
        !read_cell(v, arena_printf(&t->arena, "%s.%s", r->what, field).p, out, t, &why))
        r->err = why;
}

/* ---- signals ---- */

/* A field of `r` that is an object of cells. */
static void params_field(struct json_reader *r, const char *field, struct table_params *out, struct table *t)
{
    json_t *object = NULL, *v;
    const char *name;
    struct err why = { 0 };
    if (!json_get_object(r, field, JSON_OPTIONAL, &object))
        return;
    if (json_object_size(object) > TABLE_PARAMS_MAX) {
        (void)json_fail(r, field, "has more than %d members", TABLE_PARAMS_MAX);
        return;
    }
    out->list = arena_zalloc(&t->arena, (json_object_size(object) + 1) * sizeof *out->list);
    json_object_foreach(object, name, v)
    {
        struct table_param *p = &out->list[out->count++];
        p->name = arena_str(&t->arena, str_of(name));
        if (!read_cell(v, arena_printf(&t->arena, "%s.%s.%s", r->what, field, name).p, &p->cell, t, &why)) {
            r->err = why;
            return;
        }
    }
}

static bool read_signal(json_t *v, size_t i, struct table_signal *s, struct table *t, struct err *err)
{
    struct {
        const char *field;
        struct table_cell *cell;
    } const cells[] = {
        { "if", &s->only_if },  { "value", &s->value },       { "position", &s->position }, { "doc", &s->doc },
        { "query", &s->query }, { "query_id", &s->query_id }, { "session", &s->session },   { "at", &s->at },
        { "count", &s->count }, { "units", &s->units },       { "after", &s->after },
    };
    struct json_reader r;
    json_reader_open(&r, v, arena_printf(&t->arena, "signals[%zu]", i).p);
    (void)json_get_str(&r, "type", JSON_REQUIRED, &s->type, &t->arena);
    (void)json_get_double(&r, "after_hours", JSON_OPTIONAL, &s->after_hours);
    for (size_t c = 0; c < COUNT_OF(cells); c++)
        cell_field(&r, cells[c].field, JSON_OPTIONAL, cells[c].cell, t);
    params_field(&r, "params", &s->params, t);
    if (t->units.from == CELL_NONE && (s->units.from != CELL_NONE || s->after.from != CELL_NONE))
        (void)json_fail(&r, NULL, "has \"units\" or \"after\", but the mapping has no \"units\"");
    return json_reader_close(&r, err);
}

static bool read_signals(json_t *list, struct table *t, struct err *err)
{
    size_t n = json_array_size(list);
    if (n > TABLE_SIGNALS_MAX)
        return err_set(err, ERR_INVALID, "mapping: field \"signals\" has %zu elements, more than %d", n,
                       TABLE_SIGNALS_MAX);
    t->signals = arena_zalloc(&t->arena, (n + 1) * sizeof *t->signals);
    for (; t->signals_count < n; t->signals_count++) {
        struct table_signal *s = &t->signals[t->signals_count];
        if (!read_signal(json_array_get(list, t->signals_count), t->signals_count, s, t, err))
            return false;
        t->has_requests = t->has_requests || str_eq(s->type, STR("request"));
    }
    return true;
}

/* ---- the whole ---- */

static void read_filters(struct json_reader *r, struct table *t)
{
    json_t *object = NULL, *v;
    const char *name;
    if (!json_get_object(r, "rows", JSON_OPTIONAL, &object))
        return;
    if (json_object_size(object) > TABLE_FILTERS_MAX) {
        (void)json_fail(r, "rows", "has more than %d members", TABLE_FILTERS_MAX);
        return;
    }
    t->filters = arena_zalloc(&t->arena, (json_object_size(object) + 1) * sizeof *t->filters);
    json_object_foreach(object, name, v)
    {
        if (!json_is_string(v)) {
            (void)json_fail(r, "rows", "wants the text of column \"%.60s\"", name);
            return;
        }
        t->filters[t->filters_count++] = (struct table_filter){ .column = arena_str(&t->arena, str_of(name)),
                                                                .text = own_text(v, t) };
    }
}

static void read_missing(struct json_reader *r, struct table *t)
{
    json_t *list = NULL;
    if (!json_get_array(r, "missing", JSON_OPTIONAL, &list))
        return;
    t->missing_count = 0;
    for (size_t i = 0; i < json_array_size(list) && t->missing_count < COUNT_OF(t->missing); i++)
        t->missing[t->missing_count++] = own_text(json_array_get(list, i), t);
}

/* The command line's --experiment wins over the document's key. */
static void read_experiment(struct json_reader *r, struct table *t)
{
    json_t *object = NULL;
    if (!json_get_object(r, "experiment", JSON_OPTIONAL, &object))
        return;
    t->experiment = json_deep_copy(object);
    (void)json_object_set_new(t->experiment, "origin", json_string("imported"));
    if (*t->key)
        (void)json_object_set_new(t->experiment, "key", json_string(t->key));
    const char *key = json_string_value(json_object_get(t->experiment, "key"));
    if (key)
        t->key = arena_cstr(&t->arena, str_of(key));
    else
        (void)json_fail(r, "experiment", "has no \"key\"");
}

static bool read_document(json_t *root, struct table *t, struct err *err)
{
    struct json_reader r;
    struct str format;
    json_t *signals = NULL, *metrics = NULL;
    json_reader_open(&r, root, "mapping");
    read_experiment(&r, t);
    if (json_get_array(&r, "metrics", JSON_OPTIONAL, &metrics))
        t->metrics = json_incref(metrics);
    read_filters(&r, t);
    read_missing(&r, t);
    if (json_get_str(&r, "timestamp_format", JSON_OPTIONAL, &format, &t->arena))
        t->timestamp_format = format.p;
    cell_field(&r, "units", JSON_OPTIONAL, &t->units, t);
    cell_field(&r, "unit", JSON_OPTIONAL, &t->unit, t);
    cell_field(&r, "variant", JSON_OPTIONAL, &t->variant, t);
    cell_field(&r, "at", JSON_REQUIRED, &t->at, t);
    params_field(&r, "attributes", &t->attributes, t);
    (void)json_get_array(&r, "signals", JSON_OPTIONAL, &signals);
    if (t->unit.from != CELL_NONE && t->units.from != CELL_NONE)
        (void)json_fail(&r, NULL, "has both \"unit\" and \"units\": who are the units of a row");
    if (t->variant.from != CELL_NONE && !*t->key)
        (void)json_fail(&r, "variant", "is mapped: name the experiment, here or with --experiment KEY");
    return json_reader_close(&r, err) && read_signals(signals, t, err);
}

bool table_read(struct str document, const char *key, const char *timestamp_format, const char *missing,
                struct table *out, struct err *err)
{
    struct str rest = str_of(missing), text;
    *out = (struct table){ .key = key, .timestamp_format = timestamp_format };
    arena_init(&out->arena, 1 << 14);
    while (rest.n && out->missing_count < COUNT_OF(out->missing) && str_split(&rest, ',', &text))
        out->missing[out->missing_count++] = text;
    json_auto_t *root = json_parse(document, err);
    if (root && read_document(root, out, err))
        return true;
    table_release(out);
    return false;
}

void table_release(struct table *t)
{
    json_decref(t->experiment);
    json_decref(t->metrics);
    while (t->patterns) {
        struct table_pattern *next = t->patterns->next;
        regfree(&t->patterns->regex);
        mem_free(t->patterns);
        t->patterns = next;
    }
    arena_release(&t->arena);
    *t = (struct table){ 0 };
}
