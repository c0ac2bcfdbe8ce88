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

static const char *text_of(json_t *v)
{
    return json_string_value(v) ? json_string_value(v) : "";
}

static json_t *hash_section(json_t *in)
{
    const char *seed = text_of(json_array_get(in, 0)), *value = text_of(json_array_get(in, 1));
    double n;
    if (!assign_hash(seed, strlen(seed), value, strlen(value), (int)json_integer_value(json_array_get(in, 2)), &n))
        return json_null();
    return json_real(n);
}

static size_t read_numbers(json_t *array, double *out)
{
    size_t n = json_array_size(array);
    for (size_t i = 0; i < n && i < ASSIGN_VARIANTS_MAX; i++)
        out[i] = json_number_value(json_array_get(array, i));
    return n;
}

static json_t *bucket_range_section(json_t *in)
{
    json_t *args = json_array_size(in) == 1 ? json_array_get(in, 0) : in;
    double weights[ASSIGN_VARIANTS_MAX];
    struct assign_range ranges[ASSIGN_VARIANTS_MAX];
    size_t n = (size_t)json_integer_value(json_array_get(args, 0));
    json_t *given = json_array_get(args, 2), *out = json_array();
    if (n > ASSIGN_VARIANTS_MAX || json_array_size(given) > ASSIGN_VARIANTS_MAX)
        return json_pack("{s:s}", "error", "too many variants");
    size_t count = read_numbers(given, weights);
    assign_bucket_ranges(n, json_number_value(json_array_get(args, 1)), json_is_array(given) ? weights : NULL, count, ranges);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(out, json_pack("[f,f]", eight_digits(ranges[i].lo), eight_digits(ranges[i].hi)));
    return out;
}

static json_t *choose_section(json_t *in)
{
    struct assign_range ranges[ASSIGN_VARIANTS_MAX];
    json_t *given = json_array_get(in, 1);
    size_t n = json_array_size(given);
    if (n > ASSIGN_VARIANTS_MAX)
        return json_pack("{s:s}", "error", "too many variants");
    for (size_t i = 0; i < n; i++) {
        json_t *pair = json_array_get(given, i);
        ranges[i] = (struct assign_range){ json_number_value(json_array_get(pair, 0)), json_number_value(json_array_get(pair, 1)) };
    }
    return json_integer(assign_choose(json_number_value(json_array_get(in, 0)), ranges, n));
}

static json_t *namespace_section(json_t *in)
{
    json_t *space = json_array_get(in, 1);
    const char *value = text_of(json_array_get(in, 0)), *name = text_of(json_array_get(space, 0));
    return json_boolean(assign_in_namespace(value, strlen(value), name, strlen(name), json_number_value(json_array_get(space, 1)),
                                            json_number_value(json_array_get(space, 2))));
}

static json_t *equal_weights_section(json_t *in)
{
    double weights[ASSIGN_VARIANTS_MAX];
    int64_t n = json_integer_value(json_array_get(in, 0));
    json_t *out = json_array();
    if (n < 1 || n > ASSIGN_VARIANTS_MAX)
        return out;
    assign_equal_weights((size_t)n, weights);
    for (int64_t i = 0; i < n; i++)
        json_array_append_new(out, json_real(eight_digits(weights[i])));
    return out;
}

static json_t *override_section(json_t *in)
{
    int v = assign_query_string_override(text_of(json_array_get(in, 0)), text_of(json_array_get(in, 1)),
                                         (size_t)json_integer_value(json_array_get(in, 2)));
    return v < 0 ? json_null() : json_integer(v);
}

static const struct section {
    const char *name;
    json_t *(*run)(json_t *in);
    const char *help;
} sections[] = {
    { "hash", hash_section, "[seed, value, version] → n in [0, 1), or null" },
    { "getBucketRange", bucket_range_section, "[[count, coverage, weights or null]] → [[lo, hi], …]" },
    { "chooseVariation", choose_section, "[n, [[lo, hi], …]] → index or -1" },
    { "inNamespace", namespace_section, "[value, [name, lo, hi]] → true or false" },
    { "getEqualWeights", equal_weights_section, "[count] → weights" },
    { "getQueryStringOverride", override_section, "[key, url, count] → index or null" },
};

static void print_help(void)
{
    (void)puts("usage: xassign SECTION < cases\n\nOne JSON array a line in, the result a line out. Sections:");
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        (void)printf("  %-24s %s\n", sections[i].name, sections[i].help);
}

static void run_lines(const struct section *s)
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        json_error_t e;
        json_t *in = json_loads(line, 0, &e);
        json_t *out = json_is_array(in) ? s->run(in) : json_pack("{s:s}", "error", in ? "the line is not an array" : e.text);
        (void)json_dumpf(out, stdout, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
        (void)putchar('\n');
        json_decref(out);
        json_decref(in);
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
