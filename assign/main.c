/* xassign SECTION - evaluates one JSON array a line, a case's inputs in the order of GrowthBook's cases.json without its name, and
 * prints the result. A line that cannot be read is answered by {"error": …}; the rest goes on. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "assign/assign.h"

static double eight_digits(double v)
{
    return floor(v * 1e8 + 1e-4) / 1e8; /* the table's numbers are cut to eight digits */
}

/* "[2] is too long": the refusal of a section's own check, in the form of jansson's. Returns NULL. */
static json_t *refuse(json_error_t *e, const char *why)
{
    (void)snprintf(e->text, sizeof e->text, "%s", why);
    return NULL;
}

/* An id as an SDK hashes it: numbers and booleans by their JavaScript text, which `room` keeps. NULL: it is none of these. */
static const char *id_of(const json_t *v, char room[ASSIGN_NUMBER_TEXT_MAX])
{
    if (json_is_boolean(v))
        return json_is_true(v) ? "true" : "false";
    if (!json_is_number(v))
        return json_string_value(v);
    (void)assign_number_text(json_number_value(v), room);
    return room;
}

static json_t *hash_section(json_t *in, json_error_t *e)
{
    char room[ASSIGN_NUMBER_TEXT_MAX];
    const char *seed, *value;
    json_t *id;
    int version;
    double n;
    if (json_unpack_ex(in, e, JSON_STRICT, "[s,o,i]", &seed, &id, &version) != 0)
        return NULL;
    if (!(value = id_of(id, room)))
        return refuse(e, "the value is no text, number or boolean");
    return assign_hash(seed, strlen(seed), value, strlen(value), version, &n) ? json_real(n) : json_null();
}

static bool read_numbers(const json_t *array, double *out, json_error_t *e)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *v = json_array_get(array, i);
        if (i == ASSIGN_VARIANTS_MAX || !json_is_number(v))
            return refuse(e, i == ASSIGN_VARIANTS_MAX ? "too many variants" : "a weight is not a number") != NULL;
        out[i] = json_number_value(v);
    }
    return true;
}

static json_t *bucket_range_section(json_t *in, json_error_t *e)
{
    json_t *args = json_array_size(in) == 1 ? json_array_get(in, 0) : in, *given, *out;
    double coverage, weights[ASSIGN_VARIANTS_MAX];
    struct assign_range ranges[ASSIGN_VARIANTS_MAX];
    int n;
    if (json_unpack_ex(args, e, JSON_STRICT, "[i,F,o]", &n, &coverage, &given) != 0 || !read_numbers(given, weights, e))
        return NULL;
    if (n < 0 || n > ASSIGN_VARIANTS_MAX)
        return refuse(e, "the count is negative or too large");
    assign_bucket_ranges((size_t)n, coverage, json_is_array(given) ? weights : NULL, json_array_size(given), ranges);
    out = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(out, json_pack("[f,f]", eight_digits(ranges[i].lo), eight_digits(ranges[i].hi)));
    return out;
}

static json_t *choose_section(json_t *in, json_error_t *e)
{
    struct assign_range ranges[ASSIGN_VARIANTS_MAX];
    json_t *given;
    double n;
    if (json_unpack_ex(in, e, JSON_STRICT, "[F,o]", &n, &given) != 0)
        return NULL;
    if (!json_is_array(given) || json_array_size(given) > ASSIGN_VARIANTS_MAX)
        return refuse(e, "the ranges are no array, or too many");
    for (size_t i = 0; i < json_array_size(given); i++)
        if (json_unpack_ex(json_array_get(given, i), e, JSON_STRICT, "[F,F]", &ranges[i].lo, &ranges[i].hi) != 0)
            return NULL;
    return json_integer(assign_choose(n, ranges, json_array_size(given)));
}

static json_t *namespace_section(json_t *in, json_error_t *e)
{
    char room[ASSIGN_NUMBER_TEXT_MAX];
    const char *value, *name;
    json_t *id;
    double lo, hi;
    if (json_unpack_ex(in, e, JSON_STRICT, "[o,[s,F,F]]", &id, &name, &lo, &hi) != 0)
        return NULL;
    if (!(value = id_of(id, room)))
        return refuse(e, "the value is no text, number or boolean");
    return json_boolean(assign_in_namespace(value, strlen(value), name, strlen(name), lo, hi));
}

static json_t *equal_weights_section(json_t *in, json_error_t *e)
{
    double weights[ASSIGN_VARIANTS_MAX];
    int n;
    if (json_unpack_ex(in, e, JSON_STRICT, "[i]", &n) != 0)
        return NULL;
    if (n > ASSIGN_VARIANTS_MAX)
        return refuse(e, "too many variants");
    assign_equal_weights(n < 0 ? 0 : (size_t)n, weights);
    json_t *out = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(out, json_real(eight_digits(weights[i])));
    return out;
}

static json_t *override_section(json_t *in, json_error_t *e)
{
    const char *key, *url;
    int n;
    if (json_unpack_ex(in, e, JSON_STRICT, "[s,s,i]", &key, &url, &n) != 0)
        return NULL;
    int v = assign_query_string_override(key, url, n < 0 ? 0 : (size_t)n);
    return v < 0 ? json_null() : json_integer(v);
}

static const struct section {
    const char *name;
    json_t *(*run)(json_t *in, json_error_t *e); /* NULL with e->text: refused. NULL here: not offered yet */
    const char *help;
} sections[] = {
    { "hash", hash_section, "[seed, value, version] → n in [0, 1), or null" },
    { "getBucketRange", bucket_range_section, "[[count, coverage, weights or null]] → [[lo, hi], …]" },
    { "chooseVariation", choose_section, "[n, [[lo, hi], …]] → index or -1" },
    { "inNamespace", namespace_section, "[value, [name, lo, hi]] → true or false" },
    { "getEqualWeights", equal_weights_section, "[count] → weights" },
    { "getQueryStringOverride", override_section, "[key, url, count] → index or null" },
    { "evalCondition", NULL, "not offered yet" },
    { "feature", NULL, "not offered yet" },
    { "run", NULL, "not offered yet" },
    { "decrypt", NULL, "not offered yet" },
    { "stickyBucket", NULL, "not offered yet" },
    { "urlRedirect", NULL, "not offered yet" },
    { "contextualBandit", NULL, "not offered yet" },
};

static void print_help(void)
{
    (void)puts("usage: xassign SECTION < cases\n\nOne JSON array a line in, the result a line out. Sections:");
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        (void)printf("  %-24s %s\n", sections[i].name, sections[i].help);
}

static json_t *answer(const struct section *s, const char *line, size_t n)
{
    json_error_t e = { 0 };
    json_t *in = json_loadb(line, n, 0, &e), *out = NULL;
    if (in && !json_is_array(in))
        (void)refuse(&e, "the line is not an array");
    else if (in && !s->run)
        (void)snprintf(e.text, sizeof e.text, "section %s is not offered yet", s->name);
    else if (in)
        out = s->run(in, &e);
    json_decref(in);
    return out ? out : json_pack("{s:s}", "error", e.text);
}

static void run_lines(const struct section *s)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    while ((n = getline(&line, &room, stdin)) > 0) {
        json_t *out = answer(s, line, (size_t)n);
        (void)json_dumpf(out, stdout, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
        (void)putchar('\n');
        json_decref(out);
    }
    free(line);
}

int main(int argc, char **argv)
{
    if (argc != 2 || strcmp(argv[1], "--help") == 0) {
        print_help();
        return argc == 2 ? EXIT_SUCCESS : EX_USAGE;
    }
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (strcmp(argv[1], sections[i].name) == 0) {
            run_lines(&sections[i]);
            return EXIT_SUCCESS;
        }
    }
    (void)fprintf(stderr, "xassign: section \"%s\" is not offered; \"xassign --help\" lists them\n", argv[1]);
    return EX_USAGE;
}
