#include "experimentd/ingest/schema.h"

#include <math.h>
#include <stdio.h>

#include "base/json.h"

static const char *const kinds[] = { "any", "string", "number", "boolean", "object", "array" };

/* Fields of the native format that a schema may require. */
enum field { USER, SESSION, QUERY_ID, QUERY, DOC, POSITION, VALUE, FIELD_COUNT };
static const char *const fields[FIELD_COUNT] = { "user", "session", "query_id", "query", "doc", "position", "value" };

/* ---- reading a schema ---- */

static bool take_or_refuse(struct json_reader *r, const char *key, bool *out_refuse)
{
    struct str word = STR("take");
    (void)json_get_str(r, key, JSON_OPTIONAL, &word, NULL);
    *out_refuse = str_eq(word, STR("refuse"));
    return *out_refuse || str_eq(word, STR("take")) ||
           json_fail(r, key, "is \"" STR_FMT "\", not take or refuse", STR_ARG(str_cut(word, 60)));
}

static int kind_of(struct str name)
{
    for (int i = 0; i < (int)COUNT_OF(kinds); i++)
        if (str_eq_c(name, kinds[i]))
            return i;
    return -1;
}

static struct schema_param *param_of(struct schema_type *t, struct str name)
{
    for (size_t i = 0; i < t->params_count; i++)
        if (str_eq(t->params[i].name, name))
            return &t->params[i];
    if (t->params_count == SCHEMA_PARAMS_MAX)
        return NULL;
    struct schema_param *p = &t->params[t->params_count++];
    *p = (struct schema_param){ .name = name };
    return p;
}

static bool too_many(struct json_reader *r, const char *key)
{
    return json_fail(r, key, "names more than %d params", SCHEMA_PARAMS_MAX);
}

static bool read_params(struct json_reader *r, json_t *params, struct schema_type *t, struct arena *arena)
{
    const char *name;
    json_t *v;
    json_object_foreach(params, name, v)
    {
        struct schema_param *p = param_of(t, arena_str(arena, str_of(name)));
        int kind = json_is_string(v) ? kind_of(str_of(json_string_value(v))) : -1;
        if (!p)
            return too_many(r, "params");
        if (kind < 0)
            return json_fail(r, "params",
                             "gives \"%.60s\" a type that is none of any, string, number, boolean, object, array",
                             name);
        p->kind = kind;
    }
    return true;
}

static bool require(struct json_reader *r, struct str name, struct schema_type *t, struct arena *arena)
{
    static const struct str prefix = { "params.", 7 };
    if (str_starts(name, prefix) && name.n > prefix.n) {
        struct schema_param *p = param_of(t, arena_str(arena, (struct str){ name.p + prefix.n, name.n - prefix.n }));
        if (p)
            p->required = true;
        return p || too_many(r, "required");
    }
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        if (!str_eq_c(name, fields[f]))
            continue;
        t->required |= 1u << f;
        return true;
    }
    return json_fail(r, "required",
                     "names \"" STR_FMT "\", none of user, session, query_id, query, doc, position, value, params.…",
                     STR_ARG(str_cut(name, 60)));
}

static bool read_type(json_t *in, struct schema_type *t, struct arena *arena, struct err *err)
{
    struct json_reader r;
    json_t *required = NULL, *params = NULL;
    json_reader_open(&r, in, arena_printf(arena, "schema: types.%.*s", STR_ARG(t->name)).p);
    t->params = arena_alloc(arena, SCHEMA_PARAMS_MAX * sizeof *t->params);
    (void)json_get_array(&r, "required", JSON_OPTIONAL, &required);
    (void)json_get_object(&r, "params", JSON_OPTIONAL, &params);
    bool ok = take_or_refuse(&r, "other_params", &t->refuse_others) && read_params(&r, params, t, arena);
    for (size_t i = 0; ok && i < json_array_size(required); i++) {
        json_t *name = json_array_get(required, i);
        ok = json_is_string(name) ? require(&r, str_of(json_string_value(name)), t, arena)
                                  : json_fail(&r, "required", "holds what is no string");
    }
    return json_reader_close(&r, err);
}

const struct signal_schema *schema_parse(struct str json, struct arena *arena, struct err *err)
{
    struct signal_schema *s = arena_zalloc(arena, sizeof *s);
    struct json_reader r;
    json_t *types = NULL, *v;
    const char *name;
    if (json.n > SCHEMA_JSON_MAX) {
        err_set(err, ERR_INVALID, "schema: has more than %d bytes", SCHEMA_JSON_MAX);
        return NULL;
    }
    json_auto_t *root = json_parse(json, err);
    if (!root)
        return NULL;
    s->json = arena_str(arena, json);
    json_reader_open(&r, root, "schema");
    (void)take_or_refuse(&r, "others", &s->refuse_others);
    (void)json_get_object(&r, "types", JSON_REQUIRED, &types);
    if (json_object_size(types) > SCHEMA_TYPES_MAX)
        (void)json_fail(&r, "types", "names more than %d types", SCHEMA_TYPES_MAX);
    if (!json_reader_close(&r, err))
        return NULL;
    s->types = arena_zalloc(arena, json_object_size(types) * sizeof *s->types);
    json_object_foreach(types, name, v)
    {
        struct schema_type *t = &s->types[s->types_count++];
        t->name = arena_str(arena, str_of(name));
        if (!read_type(v, t, arena, err))
            return NULL;
    }
    return s;
}

/* ---- checking a signal ---- */

static bool is_there(const struct signal *s, enum field f)
{
    const struct str texts[] = {
        [USER] = s->user, [SESSION] = s->session, [QUERY_ID] = s->query_id, [QUERY] = s->query, [DOC] = s->doc,
    };
    if (f == POSITION)
        return s->position != SIGNAL_POSITION_NONE;
    return f == VALUE ? !isnan(s->value) : texts[f].n > 0;
}

static bool is_kind(const json_t *v, int kind)
{
    switch (kind) {
    case 1:
        return json_is_string(v);
    case 2:
        return json_is_number(v);
    case 3:
        return json_is_boolean(v);
    case 4:
        return json_is_object(v);
    case 5:
        return json_is_array(v);
    default:
        return true;
    }
}

static bool check_named(const struct schema_type *t, json_t *params, struct err *err)
{
    for (size_t i = 0; i < t->params_count; i++) {
        const struct schema_param *p = &t->params[i];
        json_t *v = json_object_get(params, p->name.p);
        if (json_is_null(v))
            v = NULL;
        if (!v && p->required)
            return err_set(err, ERR_INVALID,
                           "field \"params.%.60s\" is missing: this key's schema wants it of \"%.60s\"", p->name.p,
                           t->name.p);
        if (v && !is_kind(v, p->kind))
            return err_set(err, ERR_INVALID, "field \"params.%.60s\" must be of type %s in this key's schema",
                           p->name.p, kinds[p->kind]);
    }
    return true;
}

static bool check_others(const struct schema_type *t, json_t *params, struct err *err)
{
    const char *name;
    json_t *v;
    json_object_foreach(params, name, v)
    {
        size_t i = 0;
        while (i < t->params_count && !str_eq_c(t->params[i].name, name))
            i++;
        if (i == t->params_count)
            return err_set(err, ERR_INVALID, "field \"params.%.60s\" is not in this key's schema of \"%.60s\"", name,
                           t->name.p);
    }
    return true;
}

static bool check_params(const struct schema_type *t, struct str text, struct err *err)
{
    json_auto_t *params = text.p ? json_parse(text, err) : json_object();
    if (!params)
        return err_prefix(err, "field \"params\": ");
    return check_named(t, params, err) && (!t->refuse_others || check_others(t, params, err));
}

static bool check_type(const struct schema_type *t, const struct signal *s, struct err *err)
{
    for (unsigned f = 0; f < FIELD_COUNT; f++)
        if (t->required & 1u << f && !is_there(s, (enum field)f))
            return err_set(err, ERR_INVALID, "field \"%s\" is missing: this key's schema wants it of \"%.60s\"",
                           fields[f], t->name.p);
    return (!t->params_count && !t->refuse_others) || check_params(t, s->params, err);
}

bool schema_check(const struct signal_schema *schema, const struct signal *s, struct err *err)
{
    for (size_t i = 0; schema && i < schema->types_count; i++)
        if (str_eq(schema->types[i].name, s->type))
            return check_type(&schema->types[i], s, err);
    return !schema || !schema->refuse_others ||
           err_set(err, ERR_INVALID, "field \"type\" is \"" STR_FMT "\", which is not in this key's schema",
                   STR_ARG(str_cut(s->type, 60)));
}
