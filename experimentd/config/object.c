#include "experimentd/config/object.h"

#include <assert.h>

#include "experimentd/config/experiment_parts.h"
#include "experimentd/config/layers.h"

const char *const object_kind_names[] = {
    [OBJECT_LAYER] = "layer",
    [OBJECT_DOMAIN] = "domain",
    [OBJECT_SEGMENT] = "segment",
};
static_assert(COUNT_OF(object_kind_names) == OBJECT_KIND_COUNT, "a name for every kind");

/* ---- reading ---- */

static void read_layer(struct json_reader *r, struct snapshot_object *o, struct arena *arena)
{
    o->hash_attribute = STR("id");
    (void)json_get_str(r, "domain", JSON_OPTIONAL, &o->domain, arena);
    (void)json_get_str(r, "seed", JSON_OPTIONAL, &o->seed, arena);
    (void)json_get_str(r, "hash_attribute", JSON_OPTIONAL, &o->hash_attribute, arena);
    (void)json_get_bool(r, "launch", JSON_OPTIONAL, &o->launch);
    (void)check_length(r, "seed", o->seed);
    (void)check_length(r, "hash_attribute", o->hash_attribute);
    if (o->hash_attribute.n == 0)
        (void)json_fail(r, "hash_attribute", "is empty");
    if (o->launch && o->domain.n)
        (void)json_fail(r, "launch", "is true, but a launch layer runs over all traffic and lies in no domain");
    o->seed = o->seed.n ? o->seed : arena_printf(arena, "layer:" STR_FMT, STR_ARG(o->key));
}

static void read_domain(struct json_reader *r, struct snapshot_object *o, struct arena *arena)
{
    (void)json_get_str(r, "layer", JSON_REQUIRED, &o->layer, arena);
    (void)json_get_double(r, "share", JSON_REQUIRED, &o->share);
    if (r->err.kind == ERR_NONE && !(o->share > 0 && o->share <= 1))
        (void)json_fail(r, "share", "is %g, outside 0 to 1", o->share);
}

static void check_values(struct json_reader *r, const json_t *values)
{
    if (json_array_size(values) > OBJECT_VALUES_MAX)
        (void)json_fail(r, "values", "has %zu elements, more than %d", json_array_size(values), OBJECT_VALUES_MAX);
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *v = json_array_get(values, i);
        if (!json_is_string(v) && !json_is_number(v))
            (void)json_fail(r, "values", "element %zu is neither text nor a number", i);
    }
}

static void read_segment(struct json_reader *r, struct snapshot_object *o, struct arena *arena)
{
    json_t *values = NULL, *condition = NULL;
    struct err err;
    (void)json_get_str(r, "attribute", JSON_OPTIONAL, &o->attribute, arena);
    (void)json_get_array(r, "values", JSON_OPTIONAL, &values);
    (void)json_get_object(r, "condition", JSON_OPTIONAL, &condition);
    if (r->err.kind != ERR_NONE)
        return;
    if (condition ? o->attribute.n || values : !o->attribute.n || !values) {
        (void)json_fail(r, NULL, "give \"attribute\" and \"values\", or \"condition\"");
        return;
    }
    check_values(r, values);
    if (condition && !condition_check(condition, "condition", &err))
        (void)json_fail(r, NULL, "%s", err.text);
    struct str *to = values ? &o->values_json : &o->condition_json;
    struct buf b;
    buf_init(&b, OBJECT_BYTES_MAX);
    json_write(&b, values ? values : condition);
    if (b.failed)
        (void)json_fail(r, NULL, "is larger than %d bytes", OBJECT_BYTES_MAX);
    else
        *to = arena_str(arena, buf_str(&b));
    buf_release(&b);
}

bool object_read(json_t *root, enum object_kind kind, struct arena *arena, struct snapshot_object *o, struct err *err)
{
    static void (*const readers[])(struct json_reader *, struct snapshot_object *, struct arena *) = {
        [OBJECT_LAYER] = read_layer,
        [OBJECT_DOMAIN] = read_domain,
        [OBJECT_SEGMENT] = read_segment,
    };
    struct json_reader r;
    *o = (struct snapshot_object){ .kind = kind, .name = STR("") };
    json_reader_open(&r, root, object_kind_names[kind]);
    (void)json_get_str(&r, "key", JSON_REQUIRED, &o->key, arena);
    check_key(&r, "key", o->key, false);
    (void)json_get_str(&r, "name", JSON_OPTIONAL, &o->name, arena);
    (void)check_length(&r, "name", o->name);
    if (o->key.p)
        readers[kind](&r, o, arena);
    o->name = o->name.n ? o->name : o->key;
    return json_reader_close(&r, err);
}

/* ---- writing ---- */

void object_write(struct jsonw *w, const struct snapshot_object *o)
{
    jsonw_str(w, "key", o->key);
    jsonw_str(w, "name", o->name);
    if (o->kind == OBJECT_LAYER) {
        if (o->domain.n)
            jsonw_str(w, "domain", o->domain);
        jsonw_str(w, "seed", o->seed);
        jsonw_str(w, "hash_attribute", o->hash_attribute);
        jsonw_bool(w, "launch", o->launch);
    } else if (o->kind == OBJECT_DOMAIN) {
        jsonw_str(w, "layer", o->layer);
        jsonw_double(w, "share", o->share);
    } else if (o->condition_json.n) {
        jsonw_raw(w, "condition", o->condition_json);
    } else {
        jsonw_str(w, "attribute", o->attribute);
        jsonw_raw(w, "values", o->values_json);
    }
}

bool object_spec(const struct snapshot_object *o, struct arena *arena, struct str *out, struct err *err)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, OBJECT_BYTES_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    object_write(&w, o);
    jsonw_close(&w);
    bool ok = buf_ok(&b, object_kind_names[o->kind], err);
    if (ok)
        *out = arena_str(arena, buf_str(&b));
    buf_release(&b);
    return ok;
}

/* ---- against the rest ---- */

static bool in_layer(const struct snapshot *s, const struct snapshot_experiment *e, struct str layer)
{
    struct layer_step up[LAYERS_DEPTH_MAX];
    size_t n = layers_above(s, e->layer, up);
    for (size_t i = 0; i < n; i++)
        if (str_eq(up[i].layer->key, layer))
            return true;
    return false;
}

/* The first running experiment that lies on the layer, directly or in a domain of it. */
static const struct snapshot_experiment *runs_on(const struct snapshot *s, struct str layer)
{
    for (size_t i = 0; i < s->experiments_count; i++)
        if (s->experiments[i].status == EXPERIMENT_RUNNING && in_layer(s, &s->experiments[i], layer))
            return &s->experiments[i];
    return NULL;
}

static bool refuse_running(const struct snapshot_object *o, const struct snapshot_experiment *e, struct err *err)
{
    return err_set(err, ERR_CONFLICT,
                   "cannot change %s \"" STR_FMT "\": experiment \"" STR_FMT
                   "\" runs on it, and its units would move; stop the experiment first",
                   object_kind_names[o->kind], STR_ARG(o->key), STR_ARG(e->key));
}

/* Layer → its domain → that domain's layer → …: must end, and within the depth that is compiled. */
static bool ends(const struct snapshot_object *o, const struct snapshot *s)
{
    struct str layer = o->kind == OBJECT_LAYER ? o->key : o->layer;
    for (int depth = 0; depth < LAYERS_DEPTH_MAX; depth++) {
        bool self = o->kind == OBJECT_LAYER && str_eq(layer, o->key);
        const struct snapshot_object *l = self ? o : snapshot_object(s, OBJECT_LAYER, layer);
        if (!l || !l->domain.n)
            return true;
        const struct snapshot_object *d = o->kind == OBJECT_DOMAIN && str_eq(l->domain, o->key)
                                              ? o
                                              : snapshot_object(s, OBJECT_DOMAIN, l->domain);
        if (!d)
            return true;
        layer = d->layer;
    }
    return false;
}

static bool unknown(const struct snapshot_object *o, const char *field, struct str key, struct err *err)
{
    return err_set(err, ERR_INVALID, "%s: field \"%s\": %s \"" STR_FMT "\" is not known", object_kind_names[o->kind],
                   field, field, STR_ARG(str_cut(key, EXPERIMENT_KEY_MAX)));
}

bool object_check(const struct snapshot_object *o, const struct snapshot_object *was, const struct snapshot *s,
                  struct err *err)
{
    if (o->kind == OBJECT_SEGMENT)
        return true;
    if (o->kind == OBJECT_LAYER && o->domain.n && !snapshot_object(s, OBJECT_DOMAIN, o->domain))
        return unknown(o, "domain", o->domain, err);
    if (o->kind == OBJECT_DOMAIN && !snapshot_object(s, OBJECT_LAYER, o->layer))
        return unknown(o, "layer", o->layer, err);
    if (!ends(o, s))
        return err_set(err, ERR_INVALID, "%s \"" STR_FMT "\" would contain itself, or lie deeper than %d levels",
                       object_kind_names[o->kind], STR_ARG(o->key), LAYERS_DEPTH_MAX);
    bool moves = was && (!str_eq(was->seed, o->seed) || !str_eq(was->hash_attribute, o->hash_attribute) ||
                         !str_eq(was->domain, o->domain) || !str_eq(was->layer, o->layer) || o->share < was->share ||
                         was->launch != o->launch);
    const struct snapshot_experiment *e = moves ? runs_on(s, o->kind == OBJECT_LAYER ? o->key : o->layer) : NULL;
    return !e || refuse_running(o, e, err);
}

static bool listed(const struct str_list *list, struct str key)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->p[i], key))
            return true;
    return false;
}

static bool uses(const struct snapshot_experiment *e, const struct snapshot_object *o)
{
    bool lives = e->status == EXPERIMENT_DRAFT || e->status == EXPERIMENT_RUNNING;
    return lives && (o->kind == OBJECT_LAYER ? str_eq(e->layer, o->key)
                                             : o->kind == OBJECT_SEGMENT &&
                                                   (listed(&e->segments, o->key) || listed(&e->not_segments, o->key)));
}

bool object_unused(const struct snapshot_object *o, const struct snapshot *s, struct err *err)
{
    static const char text[] = "cannot delete %s \"" STR_FMT "\": %s \"" STR_FMT "\" uses it";
    for (size_t i = 0; i < s->experiments_count; i++)
        if (uses(&s->experiments[i], o))
            return err_set(err, ERR_CONFLICT, text, object_kind_names[o->kind], STR_ARG(o->key), "experiment",
                           STR_ARG(s->experiments[i].key));
    for (int kind = OBJECT_LAYER; kind <= OBJECT_DOMAIN; kind++) {
        for (size_t i = 0; i < s->objects[kind].n; i++) {
            const struct snapshot_object *x = &s->objects[kind].p[i];
            struct str on = kind == OBJECT_LAYER ? x->domain : x->layer;
            bool other = (kind == OBJECT_LAYER) == (o->kind == OBJECT_DOMAIN) && o->kind != OBJECT_SEGMENT;
            if (other && str_eq(on, o->key))
                return err_set(err, ERR_CONFLICT, text, object_kind_names[o->kind], STR_ARG(o->key),
                               object_kind_names[kind], STR_ARG(x->key));
        }
    }
    return true;
}
