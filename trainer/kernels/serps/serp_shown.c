#include "trainer/kernels/serps/serp_shown.h"

#include "base/json.h"

static struct str doc_of(const json_t *v, struct arena *arena)
{
    if (json_is_integer(v))
        return arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    if (!json_is_string(v))
        return (struct str){ NULL, 0 };
    return arena_str(arena, str_cut((struct str){ json_string_value(v), json_string_length(v) }, SERP_DOC_BYTES));
}

static bool propensity_of(const json_t *v, float *out)
{
    double p = json_number_value(v);
    *out = (float)p;
    return json_is_number(v) && p > 0 && p <= 1;
}

static bool read_propensities(const json_t *v, struct serp_shown *s)
{
    bool each = json_is_array(v);
    for (uint32_t i = 0; i < s->count; i++)
        if (!propensity_of(each ? json_array_get(v, i) : v, &s->propensities[i]))
            return false;
    return true;
}

bool serp_shown_read(struct str params, struct arena *arena, struct serp_shown *out)
{
    json_auto_t *root = params.n ? json_parse(params, NULL) : NULL;
    const json_t *docs = json_object_get(root, "docs");
    size_t count = json_array_size(docs);
    *out = (struct serp_shown){ .count = 0 };
    for (size_t i = 0; i < count && out->count < SERP_DOCS_MAX; i++) {
        struct str doc = doc_of(json_array_get(docs, i), arena);
        if (doc.n == 0)
            break;
        out->docs[out->count++] = doc;
    }
    out->randomised = read_propensities(json_object_get(root, "propensity"), out);
    return out->count > 0;
}
