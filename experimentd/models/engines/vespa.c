/* Vespa: the trees as models/NAME.json (XGBoost's dump, numbers as the doubles that they are, for Vespa computes in double), and a rank profile with
 * a function for each feature. A linear model is the expression itself. */
#include <math.h>

#include "experimentd/models/engines/engine.h"

enum { EXPRESSION_MAX = 1 << 20 };

static bool is_identifier(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return s.n > 0;
}

/* Names of functions: those of the features, or f0, f1, … for all when one of them could not be. In the arena. */
static const struct str *functions_of(const struct ranker *r, struct arena *arena)
{
    struct str *names = arena_alloc(arena, r->features * sizeof *names);
    bool fine = true;
    for (uint32_t f = 0; f < r->features; f++)
        fine = fine && is_identifier(r->names[f]);
    for (uint32_t f = 0; f < r->features; f++)
        names[f] = fine ? r->names[f] : arena_printf(arena, "f%u", f);
    return names;
}

bool vespa_trees(const struct engine_ask *a, struct buf *out, struct err *err)
{
    struct arena arena;
    (void)err;
    arena_init(&arena, 4096);
    const struct dump_style style = { .names = functions_of(a->r, &arena), .doubles = true };
    for (uint32_t t = 0; t < a->r->trees; t++) {
        buf_add_c(out, t ? ",\n" : "[\n");
        xgboost_dump_tree(a->r, t, &style, out);
    }
    buf_add_c(out, "\n]\n");
    arena_release(&arena);
    return true;
}

static void put_file_name(const struct engine_ask *a, struct buf *out)
{
    size_t at = out->n;
    engine_name(a, out);
    for (size_t i = at; i < out->n; i++)
        if (out->p[i] == '.' || out->p[i] == '-') /* names of profiles have neither */
            out->p[i] = '_';
}

/* What the feature is in Vespa: its own expression, else an attribute of its name; a default where it is NaN. */
static void put_function(const struct engine_ask *a, uint32_t f, struct str name, double missing, struct buf *out)
{
    const json_t *own = engine_words(a, f, "vespa");
    AUTO(buf_release) struct buf text;
    buf_init(&text, EXPRESSION_MAX);
    if (json_is_string(own))
        buf_add_c(&text, json_string_value(own));
    else
        buf_addf(&text, "attribute(" STR_FMT ")", STR_ARG(name));
    buf_addf(out, "    function " STR_FMT "() {\n        expression: ", STR_ARG(name));
    if (isnan(missing)) {
        buf_add_str(out, buf_str(&text));
    } else {
        buf_addf(out, "if (isNan(" STR_FMT ") == 1, ", STR_ARG(buf_str(&text)));
        engine_double(out, missing);
        buf_addf(out, ", " STR_FMT ")", STR_ARG(buf_str(&text)));
    }
    buf_add_c(out, "\n    }\n");
}

static void put_profile(const struct engine_ask *a, const struct str *names, struct buf *out)
{
    buf_add_c(out, "rank-profile ");
    put_file_name(a, out);
    buf_add_c(out, " inherits default {\n");
    for (uint32_t f = 0; f < a->r->features; f++)
        put_function(a, f, names[f], (double)engine_missing(a->r, f), out);
    buf_add_c(
        out, "    first-phase {\n        expression: nativeRank\n    }\n    second-phase {\n        rerank-count: 100\n"
             "        expression: ");
}

bool vespa_profile(const struct engine_ask *a, struct buf *out, struct err *err)
{
    struct arena arena;
    (void)err;
    arena_init(&arena, 4096);
    put_profile(a, functions_of(a->r, &arena), out);
    buf_add_c(out, "xgboost(\"");
    put_file_name(a, out);
    buf_add_c(out, ".json\")\n    }\n}\n");
    arena_release(&arena);
    engine_note(a, "the trees belong into models/, under the name in the profile");
    return true;
}

static void put_term(const struct ranker *r, uint32_t f, struct str name, struct buf *out)
{
    engine_double(out, (double)r->weights[f]);
    buf_addf(out, " * (" STR_FMT " - (", STR_ARG(name));
    engine_double(out, (double)r->centers[f]);
    buf_add_c(out, ")) / (");
    engine_double(out, (double)r->scales[f]);
    buf_add_byte(out, ')');
}

bool vespa_linear(const struct engine_ask *a, struct buf *out, struct err *err)
{
    struct arena arena;
    (void)err;
    arena_init(&arena, 4096);
    const struct str *names = functions_of(a->r, &arena);
    put_profile(a, names, out);
    for (uint32_t f = 0; f < a->r->features; f++) {
        if (f)
            buf_add_c(out, " + ");
        put_term(a->r, f, names[f], out);
    }
    buf_add_c(out, "\n    }\n}\n");
    arena_release(&arena);
    return true;
}
