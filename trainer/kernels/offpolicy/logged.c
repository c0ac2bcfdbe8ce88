#include "trainer/kernels/offpolicy/logged.h"

#include <math.h>

#include "base/json.h"

static struct str doc_of(const json_t *v, struct arena *arena)
{
    if (json_is_integer(v))
        return arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    if (!json_is_string(v) || json_string_length(v) > LOGGED_DOC_BYTES)
        return (struct str){ NULL, 0 };
    return arena_str(arena, (struct str){ json_string_value(v), json_string_length(v) });
}

/* Number i of a list, or the one that is of the whole. NaN: it is none. */
static double number_at(const json_t *v, size_t i)
{
    const json_t *n = json_is_array(v) ? json_array_get(v, i) : v;
    return json_is_number(n) ? json_number_value(n) : (double)NAN;
}

bool logged_read(struct str params, struct arena *arena, struct logged *out)
{
    json_auto_t *root = params.n ? json_parse(params, NULL) : NULL;
    const json_t *docs = json_object_get(root, "docs");
    const size_t count = json_array_size(docs);
    out->count = 0;
    for (size_t i = 0; i < count && i < LOGGED_DOCS_MAX; i++) {
        const struct str doc = doc_of(json_array_get(docs, i), arena);
        const double p = number_at(json_object_get(root, "propensity"), i),
                     t = number_at(json_object_get(root, "target"), i);
        if (doc.n == 0 || !(p > 0 && p <= 1))
            return false;
        out->docs[i] = doc;
        out->propensities[i] = p;
        out->targets[i] = t >= 0 && t <= 1 ? t : (double)NAN;
        out->count++;
    }
    out->whole = out->count > 1 && json_is_number(json_object_get(root, "propensity"));
    return out->count > 0;
}
