/* Who gets into an experiment: targeting on attributes, segments, URL rules, prerequisites; and units that are forced in. */
#include "experimentd/config/experiment_parts.h"

enum { SHOWN_MAX = 60, URL_MAX = 1000, CONDITION_DEPTH_MAX = 32 };

/* ---- conditions ---- */

static bool known_operator(struct str name)
{
    static const char *const names[] = {
        "$eq",  "$ne",   "$lt",        "$lte", "$gt",         "$gte",   "$exists", "$in",   "$nin",
        "$ini", "$nini", "$inGroup",   "$all", "$alli",       "$regex", "$regexi", "$type", "$size",
        "$not", "$veq",  "$elemMatch", "$vne", "$notInGroup", "$vgt",   "$vgte",   "$vlt",  "$vlte",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_eq_c(name, names[i]))
            return true;
    return false;
}

static bool all_operators(const json_t *object)
{
    const char *key;
    const json_t *v;
    json_object_foreach((json_t *)(uintptr_t)object, key, v) if (key[0] != '$') return false;
    return json_object_size(object) > 0;
}

static bool check_group(const json_t *v, const char *what, unsigned depth, struct err *err);

/* The value of one attribute's condition: operators, or a value to be equal to. */
static bool check_value(const json_t *v, const char *what, unsigned depth, struct err *err)
{
    const char *key;
    const json_t *inner;
    if (depth > CONDITION_DEPTH_MAX)
        return err_set(err, ERR_INVALID, "experiment: field \"%s\" is nested deeper than %d levels", what,
                       CONDITION_DEPTH_MAX);
    if (!json_is_object(v) || !all_operators(v))
        return true;
    json_object_foreach((json_t *)(uintptr_t)v, key, inner)
    {
        struct str name = str_of(key);
        if (!known_operator(name))
            return err_set(err, ERR_INVALID, "experiment: field \"%s\": operator \"" STR_FMT "\" is not known", what,
                           STR_ARG(str_cut(name, SHOWN_MAX)));
        bool nested = str_eq_c(name, "$elemMatch") && json_is_object(inner) && !all_operators(inner);
        if (nested ? !check_group(inner, what, depth + 1, err) : !check_value(inner, what, depth + 1, err))
            return false;
    }
    return true;
}

static bool check_list(const char *key, const json_t *v, const char *what, unsigned depth, struct err *err)
{
    if (!json_is_array(v))
        return err_set(err, ERR_INVALID, "experiment: field \"%s\": \"%s\" takes a list of conditions", what, key);
    for (size_t i = 0; i < json_array_size(v); i++)
        if (!check_group(json_array_get(v, i), what, depth + 1, err))
            return false;
    return true;
}

static bool check_group(const json_t *v, const char *what, unsigned depth, struct err *err)
{
    const char *key;
    const json_t *inner;
    if (depth > CONDITION_DEPTH_MAX)
        return err_set(err, ERR_INVALID, "experiment: field \"%s\" is nested deeper than %d levels", what,
                       CONDITION_DEPTH_MAX);
    if (!json_is_object(v))
        return err_set(err, ERR_INVALID, "experiment: field \"%s\": a condition is not an object", what);
    json_object_foreach((json_t *)(uintptr_t)v, key, inner)
    {
        bool list = strcmp(key, "$or") == 0 || strcmp(key, "$nor") == 0 || strcmp(key, "$and") == 0;
        bool ok = list                       ? check_list(key, inner, what, depth, err)
                  : strcmp(key, "$not") == 0 ? check_group(inner, what, depth + 1, err)
                                             : check_value(inner, what, depth + 1, err);
        if (!ok)
            return false;
    }
    return true;
}

bool condition_check(const json_t *condition, const char *what, struct err *err)
{
    return check_group(condition, what, 0, err);
}

/* ---- reading ---- */

void audience_fields(struct json_reader *r, struct audience_json *j, struct snapshot_experiment *e, struct arena *arena)
{
    (void)json_get_object(r, "targeting", JSON_OPTIONAL, &j->targeting);
    (void)json_get_array(r, "segments", JSON_OPTIONAL, &j->segments);
    (void)json_get_array(r, "not_segments", JSON_OPTIONAL, &j->not_segments);
    (void)json_get_array(r, "urls", JSON_OPTIONAL, &j->urls);
    (void)json_get_array(r, "prerequisites", JSON_OPTIONAL, &j->prerequisites);
    (void)json_get_object(r, "forced", JSON_OPTIONAL, &j->forced);
    (void)json_get_bool(r, "ignore_holdouts", JSON_OPTIONAL, &e->ignore_holdouts);
    (void)arena;
}

bool read_keys(const json_t *list, const char *field, struct str_list *out, struct arena *arena, struct err *err)
{
    size_t n = json_array_size(list);
    if (n > EXPERIMENT_LIST_MAX)
        return err_set(err, ERR_INVALID, "experiment: field \"%s\" has %zu elements, more than %d", field, n,
                       EXPERIMENT_LIST_MAX);
    out->p = arena_zalloc(arena, n * sizeof *out->p);
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(list, i);
        if (!json_is_string(v))
            return err_set(err, ERR_INVALID, "experiment: field \"%s\" element %zu is not a string", field, i);
        out->p[i] = arena_str(arena, (struct str){ json_string_value(v), json_string_length(v) });
    }
    out->n = n;
    return true;
}

static bool read_url(json_t *in, size_t i, struct experiment_url *u, struct arena *arena, struct err *err)
{
    struct json_reader r;
    struct str type = STR("simple");
    *u = (struct experiment_url){ .include = true };
    json_reader_open(&r, in, arena_printf(arena, "urls[%zu]", i).p);
    (void)json_get_str(&r, "pattern", JSON_REQUIRED, &u->pattern, arena);
    (void)json_get_str(&r, "type", JSON_OPTIONAL, &type, NULL);
    (void)json_get_bool(&r, "include", JSON_OPTIONAL, &u->include);
    if (r.err.kind == ERR_NONE && (u->pattern.n == 0 || u->pattern.n > URL_MAX))
        (void)json_fail(&r, "pattern", "is empty or longer than %d bytes", URL_MAX);
    if (!str_eq(type, STR("simple")) && !str_eq(type, STR("regex")))
        (void)json_fail(&r, "type", "is \"%.*s\", not simple or regex", STR_ARG(str_cut(type, SHOWN_MAX)));
    u->regex = str_eq(type, STR("regex"));
    return json_reader_close(&r, err);
}

static bool read_urls(const json_t *list, struct snapshot_experiment *e, struct arena *arena, struct err *err)
{
    size_t n = json_array_size(list);
    if (n > EXPERIMENT_LIST_MAX)
        return err_set(err, ERR_INVALID, "experiment: field \"urls\" has %zu elements, more than %d", n,
                       EXPERIMENT_LIST_MAX);
    e->urls = arena_zalloc(arena, n * sizeof *e->urls);
    for (; e->urls_count < n; e->urls_count++)
        if (!read_url(json_array_get(list, e->urls_count), e->urls_count, &e->urls[e->urls_count], arena, err))
            return false;
    return true;
}

static bool read_prerequisite(json_t *in, size_t i, struct experiment_prerequisite *p, struct arena *arena,
                              struct err *err)
{
    struct json_reader r;
    json_t *variants = NULL;
    const char *what = arena_printf(arena, "prerequisites[%zu]", i).p;
    json_reader_open(&r, in, what);
    (void)json_get_str(&r, "experiment", JSON_REQUIRED, &p->experiment, arena);
    (void)json_get_array(&r, "variants", JSON_REQUIRED, &variants);
    if (r.err.kind == ERR_NONE && json_array_size(variants) == 0)
        (void)json_fail(&r, "variants", "is empty: name the variants that let a unit in");
    return json_reader_close(&r, err) && read_keys(variants, "prerequisites", &p->variants, arena, err);
}

static bool read_prerequisites(const json_t *list, struct snapshot_experiment *e, struct arena *arena, struct err *err)
{
    size_t n = json_array_size(list);
    if (n > EXPERIMENT_LIST_MAX)
        return err_set(err, ERR_INVALID, "experiment: field \"prerequisites\" has %zu elements, more than %d", n,
                       EXPERIMENT_LIST_MAX);
    e->prerequisites = arena_zalloc(arena, n * sizeof *e->prerequisites);
    for (size_t i = 0; i < n; i++, e->prerequisites_count++)
        if (!read_prerequisite(json_array_get(list, i), i, &e->prerequisites[i], arena, err))
            return false;
    return true;
}

static bool read_forced(json_t *object, struct snapshot_experiment *e, struct arena *arena, struct err *err)
{
    size_t n = json_object_size(object);
    const char *unit;
    json_t *v;
    if (n > EXPERIMENT_FORCED_MAX)
        return err_set(err, ERR_INVALID, "experiment: field \"forced\" has %zu units, more than %d", n,
                       EXPERIMENT_FORCED_MAX);
    e->forced = arena_zalloc(arena, n * sizeof *e->forced);
    json_object_foreach(object, unit, v)
    {
        struct str key = { json_is_string(v) ? json_string_value(v) : "", json_string_length(v) };
        int variant = experiment_variant(e, key);
        if (variant < 0)
            return err_set(err, ERR_INVALID,
                           "experiment: field \"forced\": unit \"%.60s\" names no variant of this experiment", unit);
        e->forced[e->forced_count++] = (struct experiment_forced){ arena_str(arena, str_of(unit)), variant };
    }
    return true;
}

bool audience_read(const struct audience_json *j, struct snapshot_experiment *e, struct arena *arena, struct err *err)
{
    if (json_object_size(j->targeting)) {
        if (!condition_check(j->targeting, "targeting", err))
            return false;
        e->targeting_json = json_text(j->targeting, arena);
    }
    return read_keys(j->segments, "segments", &e->segments, arena, err) &&
           read_keys(j->not_segments, "not_segments", &e->not_segments, arena, err) &&
           read_urls(j->urls, e, arena, err) && read_prerequisites(j->prerequisites, e, arena, err) &&
           read_forced(j->forced, e, arena, err);
}

/* ---- writing ---- */

static void write_keys(struct jsonw *w, const char *name, const struct str_list *list)
{
    if (!list->n)
        return;
    jsonw_open(w, name, '[');
    for (size_t i = 0; i < list->n; i++)
        jsonw_str(w, NULL, list->p[i]);
    jsonw_close(w);
}

static void write_urls(struct jsonw *w, const struct snapshot_experiment *e)
{
    jsonw_open(w, "urls", '[');
    for (size_t i = 0; i < e->urls_count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "pattern", e->urls[i].pattern);
        jsonw_text(w, "type", e->urls[i].regex ? "regex" : "simple");
        jsonw_bool(w, "include", e->urls[i].include);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_prerequisites(struct jsonw *w, const struct snapshot_experiment *e)
{
    jsonw_open(w, "prerequisites", '[');
    for (size_t i = 0; i < e->prerequisites_count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "experiment", e->prerequisites[i].experiment);
        write_keys(w, "variants", &e->prerequisites[i].variants);
        jsonw_close(w);
    }
    jsonw_close(w);
}

void audience_write(struct jsonw *w, const struct snapshot_experiment *e)
{
    if (e->targeting_json.n)
        jsonw_raw(w, "targeting", e->targeting_json);
    write_keys(w, "segments", &e->segments);
    write_keys(w, "not_segments", &e->not_segments);
    if (e->urls_count)
        write_urls(w, e);
    if (e->prerequisites_count)
        write_prerequisites(w, e);
    if (e->forced_count) {
        jsonw_open(w, "forced", '{');
        for (size_t i = 0; i < e->forced_count; i++)
            jsonw_str(w, e->forced[i].unit.p, e->variants[e->forced[i].variant].key);
        jsonw_close(w);
    }
    if (e->ignore_holdouts)
        jsonw_bool(w, "ignore_holdouts", true);
}
