/* Documents of an engine's answer: job/search.h. */
#include "job/search.h"

/* One step of a path: a name of an object, or a number of a list. */
static json_t *step(json_t *at, struct str part)
{
    uint32_t index;
    char name[256];
    if (json_is_array(at))
        return parse_u32(part, &index, NULL) ? json_array_get(at, index) : NULL;
    if (!json_is_object(at) || part.n >= sizeof name)
        return NULL;
    memcpy(name, part.p, part.n);
    name[part.n] = 0;
    return json_object_get(at, name);
}

/* NULL: there is nothing; *out_missing: the part of the path where it ends. */
static json_t *follow(json_t *at, struct str path, struct str *out_missing)
{
    struct str part;
    if (path.n == 0)
        return at;
    while (str_split(&path, '.', &part)) {
        json_t *next = step(at, part);
        *out_missing = part;
        if (!next)
            return NULL;
        at = next;
    }
    return at;
}

static bool is_partial(const struct search_config *c, json_t *answer, struct err *err)
{
    struct str missing;
    const json_t *solr = follow(answer, STR("responseHeader.partialResults"), &missing);
    const json_t *late = json_object_get(answer, "timed_out");
    const json_t *failed = follow(answer, STR("_shards.failed"), &missing);
    if (c->engine == SEARCH_SOLR && json_is_true(solr))
        return !err_set(err, ERR_INVALID, "the answer says that its results are partial");
    if (c->engine != SEARCH_ELASTICSEARCH && c->engine != SEARCH_OPENSEARCH)
        return false;
    if (json_is_true(late))
        return !err_set(err, ERR_INVALID, "the answer says that its time was up, so it is partial");
    if (json_integer_value(failed) > 0)
        return !err_set(err, ERR_INVALID, "the answer is partial: %lld shards failed",
                        (long long)json_integer_value(failed));
    return false;
}

/* An id as text: engines have numbers for ids, too. */
static bool id_text(json_t *id, struct arena *arena, struct str *out)
{
    if (json_is_string(id))
        *out = arena_str(arena, (struct str){ json_string_value(id), json_string_length(id) });
    else if (json_is_integer(id))
        *out = arena_printf(arena, "%lld", (long long)json_integer_value(id));
    else if (json_is_array(id) && json_array_size(id) == 1) /* Solr's fields of many values */
        return id_text(json_array_get(id, 0), arena, out);
    else
        return false;
    return out->n > 0 && out->n <= SEARCH_ID_MAX;
}

static bool add_doc(const struct search_config *c, json_t *doc, size_t number, struct arena *arena,
                    struct search_docs *out, struct err *err)
{
    struct str missing = STR(""), id;
    json_t *value = follow(doc, c->id_field, &missing);
    if (!value || !id_text(value, arena, &id))
        return err_set(err, ERR_INVALID, "document %zu of the answer has no id of 1 to %d bytes at \"" STR_FMT "\"",
                       number, SEARCH_ID_MAX, STR_ARG(str_cut(c->id_field, 60)));
    for (size_t i = 0; i < out->count; i++)
        if (str_eq(out->ids[i], id)) {
            out->repeated++;
            return true;
        }
    out->ids[out->count++] = id;
    return true;
}

static bool read_list(const struct search_config *c, json_t *list, size_t k, struct arena *arena,
                      struct search_docs *out, struct err *err)
{
    struct search_docs docs = { .ids = arena_alloc(arena, (k + 1) * sizeof *docs.ids) };
    for (size_t i = 0; i < json_array_size(list) && docs.count < k; i++)
        if (!add_doc(c, json_array_get(list, i), i + 1, arena, &docs, err))
            return false;
    *out = docs;
    return true;
}

bool search_docs_read(const struct search_config *c, struct str answer, size_t k, struct arena *arena,
                      struct search_docs *out, struct err *err)
{
    struct err bad;
    struct str missing = STR("");
    json_auto_t *root = json_parse(answer, &bad);
    if (!root)
        return err_set(err, ERR_INVALID, "the answer is no JSON: %.150s", bad.text);
    if (is_partial(c, root, err))
        return false;
    json_t *list = follow(root, c->docs_path, &missing);
    if (!list)
        return err_set(err, ERR_INVALID, "the answer has nothing at \"" STR_FMT "\": \"" STR_FMT "\" is missing",
                       STR_ARG(str_cut(c->docs_path, 80)), STR_ARG(str_cut(missing, 60)));
    if (!json_is_array(list))
        return err_set(err, ERR_INVALID, "what the answer has at \"" STR_FMT "\" is no list",
                       STR_ARG(str_cut(c->docs_path, 80)));
    return read_list(c, list, k, arena, out, err);
}
