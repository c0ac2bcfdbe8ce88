/* libassign against the answers of the real @growthbook/growthbook: vectors/growthbook.json, made by vectors/make.mjs. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <math.h>

#include "assign/assign.h"

static json_t *vectors;

static void load(void)
{
    json_error_t e;
    vectors = json_load_file(EXPERIMENTD_SOURCE_DIR "/tests/assign/vectors/growthbook.json", 0, &e);
    cr_assert(vectors != NULL, "vectors: line %d: %s", e.line, e.text);
}

static void unload(void)
{
    json_decref(vectors);
}

TestSuite(vectors, .init = load, .fini = unload);

/* The cases of a section; fewer than `least` would mean that the file was cut. */
static json_t *section(const char *name, size_t least)
{
    json_t *cases = json_object_get(vectors, name);
    cr_assert(json_array_size(cases) >= least, "section %s has %zu cases", name, json_array_size(cases));
    return cases;
}

static const char *shown(json_t *c)
{
    static char text[512];
    size_t n = json_dumpb(c, text, sizeof text - 1, JSON_COMPACT);
    text[n < sizeof text ? n : sizeof text - 1] = '\0';
    return text;
}

static json_t *at(json_t *c, size_t i)
{
    return json_array_get(c, i);
}

static const char *text_at(json_t *c, size_t i)
{
    return json_string_value(at(c, i));
}

static double number_at(json_t *c, size_t i)
{
    return json_number_value(at(c, i));
}

static const char *id_at(json_t *c, size_t i)
{
    static char room[ASSIGN_NUMBER_TEXT_MAX];
    json_t *v = at(c, i);
    if (json_is_boolean(v))
        return json_is_true(v) ? "true" : "false";
    if (!json_is_number(v))
        return json_string_value(v);
    (void)assign_number_text(json_number_value(v), room);
    return room;
}

static double *numbers(json_t *array, double room[ASSIGN_VARIANTS_MAX])
{
    for (size_t i = 0; i < json_array_size(array); i++)
        room[i] = number_at(array, i);
    return json_is_array(array) ? room : NULL;
}

Test(vectors, hash)
{
    size_t i;
    json_t *c;
    json_array_foreach(section("hash", 300), i, c)
    {
        const char *seed = text_at(c, 0), *id = id_at(c, 1);
        double n = -1;
        bool known = assign_hash(seed, strlen(seed), id, strlen(id), (int)number_at(c, 2), &n);
        cr_expect(known ? n == number_at(c, 3) : json_is_null(at(c, 3)), "%s: %.17g", shown(c), n);
    }
}

Test(vectors, bucket_ranges)
{
    size_t i;
    json_t *c;
    json_array_foreach(section("getBucketRange", 80), i, c)
    {
        json_t *in = at(c, 0), *expected = at(c, 1);
        double room[ASSIGN_VARIANTS_MAX];
        struct assign_range ranges[ASSIGN_VARIANTS_MAX];
        size_t n = json_array_size(expected);
        cr_assert(eq(sz, n, (size_t)number_at(in, 0)));
        assign_bucket_ranges(n, number_at(in, 1), numbers(at(in, 2), room), json_array_size(at(in, 2)), ranges);
        for (size_t k = 0; k < n; k++)
            cr_expect(fabs(ranges[k].lo - number_at(at(expected, k), 0)) < 2e-8 &&
                          fabs(ranges[k].hi - number_at(at(expected, k), 1)) < 2e-8,
                      "%s: range %zu is [%.17g, %.17g]", shown(c), k, ranges[k].lo, ranges[k].hi);
    }
}

Test(vectors, choose)
{
    size_t i;
    json_t *c;
    json_array_foreach(section("chooseVariation", 80), i, c)
    {
        struct assign_range ranges[ASSIGN_VARIANTS_MAX];
        size_t n = json_array_size(at(c, 1));
        for (size_t k = 0; k < n; k++)
            ranges[k] = (struct assign_range){ number_at(at(at(c, 1), k), 0), number_at(at(at(c, 1), k), 1) };
        int chosen = assign_choose(number_at(c, 0), ranges, n);
        cr_expect(eq(int, chosen, (int)number_at(c, 2)), "%s: %d", shown(c), chosen);
    }
}

Test(vectors, namespaces)
{
    size_t i;
    json_t *c;
    json_array_foreach(section("inNamespace", 80), i, c)
    {
        const char *value = text_at(c, 0), *name = text_at(at(c, 1), 0);
        bool in = assign_in_namespace(value, strlen(value), name, strlen(name), number_at(at(c, 1), 1),
                                      number_at(at(c, 1), 2));
        cr_expect(in == json_is_true(at(c, 2)), "%s: %d", shown(c), in);
    }
}

Test(vectors, equal_weights)
{
    size_t i;
    json_t *c;
    json_array_foreach(section("getEqualWeights", 20), i, c)
    {
        double weights[ASSIGN_VARIANTS_MAX];
        size_t n = json_array_size(at(c, 1));
        assign_equal_weights(n, weights);
        for (size_t k = 0; k < n; k++)
            cr_expect(fabs(weights[k] - number_at(at(c, 1), k)) < 2e-8, "%s: %.17g", shown(c), weights[k]);
    }
}

Test(vectors, query_string_override)
{
    size_t i;
    json_t *c;
    json_array_foreach(section("getQueryStringOverride", 200), i, c)
    {
        int expected = json_is_null(at(c, 3)) ? -1 : (int)number_at(c, 3);
        int v = assign_query_string_override(text_at(c, 0), text_at(c, 1), (size_t)number_at(c, 2));
        cr_expect(eq(int, v, expected), "%s: %d", shown(c), v);
    }
}

/* [seed, id, version, coverage, weights, count, variation]: the SDK's whole run(). */
Test(vectors, variant_of_an_experiment)
{
    size_t i;
    json_t *c;
    json_array_foreach(section("assignment", 300), i, c)
    {
        struct assign_experiment e;
        double room[ASSIGN_VARIANTS_MAX];
        const char *seed = text_at(c, 0), *id = id_at(c, 1);
        cr_assert(assign_experiment_init(&e, seed, strlen(seed), (int)number_at(c, 2), number_at(c, 3),
                                         numbers(at(c, 4), room), (size_t)number_at(c, 5)));
        bool missing = json_is_false(at(c, 1)); /* JavaScript's falsy ids are no ids: the caller gives none */
        int v = assign_variant(&e, id, missing ? 0 : strlen(id));
        cr_expect(eq(int, v, (int)number_at(c, 6)), "%s: %d", shown(c), v);
    }
}

Test(vectors, text_of_numbers)
{
    size_t i;
    json_t *c;
    json_array_foreach(section("numberText", 160), i, c)
    {
        char text[ASSIGN_NUMBER_TEXT_MAX];
        size_t n = assign_number_text(strtod(text_at(c, 0), NULL), text);
        cr_expect(eq(sz, n, strlen(text)));
        cr_expect(eq(int, strcmp(text, text_at(c, 1)), 0), "%s: %s", shown(c), text);
    }
}
