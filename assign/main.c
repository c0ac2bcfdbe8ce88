/* xassign SECTION - evaluates one JSON array a line, a case's inputs in the order of GrowthBook's cases.json without its name, and
 * prints the result. A line that cannot be read is answered by {"error": …}; the rest goes on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "assign/arena.h"
#include "assign/payload.h"
#include "assign/text.h"
#include "assign/value.h"
#include "assign/xassign.h"

/* ---- building values ---- */

static void need(const void *p)
{
    if (p)
        return;
    (void)fputs("xassign: out of memory\n", stderr);
    exit(EX_OSERR);
}

struct assign_value *x_list(struct x *x, uint32_t room)
{
    struct assign_value *v = assign_alloc_zeroed(&x->heap.arena, (room ? room : 1) * sizeof *v);
    need(v);
    return v;
}

struct assign_value x_items(struct assign_value *items, uint32_t n)
{
    return (struct assign_value){ .type = ASSIGN_ARRAY, .count = n, .items = items };
}

struct assign_value x_text(struct assign_text t)
{
    return (struct assign_value){ .type = ASSIGN_STRING, .text = t };
}

struct assign_value x_bool(bool b)
{
    return (struct assign_value){ .type = ASSIGN_BOOL, .boolean = b };
}

struct assign_value x_number(double n)
{
    return (struct assign_value){ .type = ASSIGN_NUMBER, .number = n };
}

void x_open(struct x *x, struct x_object *o)
{
    o->n = 0;
    o->members = assign_alloc_zeroed(&x->heap.arena, X_MEMBERS_MAX * sizeof *o->members);
    need(o->members);
}

void x_put(struct x_object *o, const char *key, struct assign_value v)
{
    if (v.type != ASSIGN_MISSING && o->n < X_MEMBERS_MAX)
        o->members[o->n++] = (struct assign_member){ { key, strlen(key) }, v };
}

struct assign_value x_close(const struct x_object *o)
{
    return (struct assign_value){ .type = ASSIGN_OBJECT, .count = o->n, .members = o->members };
}

bool x_refuse(struct x *x, const char *why)
{
    (void)snprintf(x->e.text, sizeof x->e.text, "%s", why);
    return false;
}

/* ---- sections of numbers ---- */

static struct assign_value eight_digits(double v)
{
    return x_number(floor(v * 1e8 + 1e-4) / 1e8); /* the table's numbers are cut to eight digits */
}

static bool is_number(const struct assign_value *v)
{
    return v && v->type == ASSIGN_NUMBER;
}

static bool is_text(const struct assign_value *v)
{
    return v && v->type == ASSIGN_STRING;
}

/* An id as an SDK hashes it: numbers and booleans by their JavaScript text. */
static bool id_of(struct x *x, const struct assign_value *v, struct assign_text *out)
{
    if (!v || v->type <= ASSIGN_NULL || v->type >= ASSIGN_ARRAY)
        return x_refuse(x, "the value is no text, number or boolean");
    return assign_to_text(v, &x->heap.arena, out);
}

static bool hash_section(struct x *x, const struct assign_value *in, struct assign_value *out)
{
    struct assign_text value;
    double n;
    if (in->count != 3 || !is_text(&in->items[0]) || !is_number(&in->items[2]))
        return x_refuse(x, "not [seed, value, version]");
    if (!id_of(x, &in->items[1], &value))
        return false;
    struct assign_text seed = in->items[0].text;
    bool known = assign_hash(seed.p, seed.n, value.p, value.n, (int)in->items[2].number, &n);
    *out = known ? x_number(n) : assign_null;
    return true;
}

static bool numbers_of(struct x *x, const struct assign_value *list, double *out)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (i == ASSIGN_VARIANTS_MAX || !is_number(&list->items[i]))
            return x_refuse(x, i == ASSIGN_VARIANTS_MAX ? "too many variants" : "a weight is not a number");
        out[i] = list->items[i].number;
    }
    return true;
}

static struct assign_value range_value(struct x *x, struct assign_range r)
{
    struct assign_value *pair = x_list(x, 2);
    pair[0] = eight_digits(r.lo);
    pair[1] = eight_digits(r.hi);
    return x_items(pair, 2);
}

static bool bucket_range_section(struct x *x, const struct assign_value *in, struct assign_value *out)
{
    const struct assign_value *args = in->count == 1 && in->items[0].type == ASSIGN_ARRAY ? &in->items[0] : in;
    struct assign_range ranges[ASSIGN_VARIANTS_MAX];
    double weights[ASSIGN_VARIANTS_MAX];
    if (args->count != 3 || !is_number(&args->items[0]) || !is_number(&args->items[1]))
        return x_refuse(x, "not [[count, coverage, weights or null]]");
    const struct assign_value *given = &args->items[2];
    double n = args->items[0].number;
    if (!(n >= 0 && n <= ASSIGN_VARIANTS_MAX))
        return x_refuse(x, "the count is negative or too large");
    bool listed = given->type == ASSIGN_ARRAY;
    if (listed && !numbers_of(x, given, weights))
        return false;
    assign_bucket_ranges((size_t)n, args->items[1].number, listed ? weights : NULL, listed ? given->count : 0, ranges);
    struct assign_value *items = x_list(x, (uint32_t)n);
    for (uint32_t i = 0; i < (uint32_t)n; i++)
        items[i] = range_value(x, ranges[i]);
    *out = x_items(items, (uint32_t)n);
    return true;
}

static bool choose_section(struct x *x, const struct assign_value *in, struct assign_value *out)
{
    struct assign_range ranges[ASSIGN_VARIANTS_MAX];
    if (in->count != 2 || !is_number(&in->items[0]) || in->items[1].type != ASSIGN_ARRAY ||
        in->items[1].count > ASSIGN_VARIANTS_MAX)
        return x_refuse(x, "not [n, [[lo, hi], …]], or too many ranges");
    const struct assign_value *list = &in->items[1];
    for (uint32_t i = 0; i < list->count; i++) {
        const struct assign_value *r = &list->items[i];
        if (r->type != ASSIGN_ARRAY || r->count != 2 || !is_number(&r->items[0]) || !is_number(&r->items[1]))
            return x_refuse(x, "a range is not [lo, hi]");
        ranges[i] = (struct assign_range){ r->items[0].number, r->items[1].number };
    }
    *out = x_number(assign_choose(in->items[0].number, ranges, list->count));
    return true;
}

static bool namespace_section(struct x *x, const struct assign_value *in, struct assign_value *out)
{
    struct assign_text value;
    const struct assign_value *space = in->count == 2 ? &in->items[1] : NULL;
    if (!space || space->type != ASSIGN_ARRAY || space->count != 3 || !is_text(&space->items[0]) ||
        !is_number(&space->items[1]) || !is_number(&space->items[2]))
        return x_refuse(x, "not [value, [name, lo, hi]]");
    if (!id_of(x, &in->items[0], &value))
        return false;
    struct assign_text name = space->items[0].text;
    *out = x_bool(
        assign_in_namespace(value.p, value.n, name.p, name.n, space->items[1].number, space->items[2].number));
    return true;
}

static bool equal_weights_section(struct x *x, const struct assign_value *in, struct assign_value *out)
{
    double weights[ASSIGN_VARIANTS_MAX];
    if (in->count != 1 || !is_number(&in->items[0]) || in->items[0].number > ASSIGN_VARIANTS_MAX)
        return x_refuse(x, "not [count], or too many variants");
    uint32_t n = in->items[0].number > 0 ? (uint32_t)in->items[0].number : 0;
    struct assign_value *items = x_list(x, n);
    assign_equal_weights(n, weights);
    for (uint32_t i = 0; i < n; i++)
        items[i] = eight_digits(weights[i]);
    *out = x_items(items, n);
    return true;
}

static bool override_section(struct x *x, const struct assign_value *in, struct assign_value *out)
{
    if (in->count != 3 || !is_text(&in->items[0]) || !is_text(&in->items[1]) || !is_number(&in->items[2]))
        return x_refuse(x, "not [key, url, count]");
    double n = in->items[2].number;
    int v = assign_query_override(in->items[0].text, in->items[1].text, n > 0 ? (size_t)n : 0);
    *out = v < 0 ? assign_null : x_number(v);
    return true;
}

/* ---- the others of one call ---- */

static bool condition_section(struct x *x, const struct assign_value *in, struct assign_value *out)
{
    if (in->count < 2 || in->count > 3)
        return x_refuse(x, "not [condition, attributes, saved groups]");
    *out = x_bool(
        assign_condition(&in->items[0], &in->items[1], in->count == 3 ? &in->items[2] : NULL, &x->heap.arena));
    return true;
}

static bool decrypt_section(struct x *x, const struct assign_value *in, struct assign_value *out)
{
    struct assign_text text;
    if (in->count != 2 || !is_text(&in->items[0]) || !is_text(&in->items[1]))
        return x_refuse(x, "not [text, key]");
    bool ok = assign_decrypt(in->items[0].text, in->items[1].text, &x->heap.arena, &text);
    *out = ok ? x_text(text) : assign_null;
    return true;
}

static const struct section {
    const char *name;
    bool (*run)(struct x *x, const struct assign_value *in,
                struct assign_value *out); /* false: refused, x->e says why */
    const char *help;
} sections[] = {
    { "hash", hash_section, "[seed, value, version] → n in [0, 1), or null" },
    { "getBucketRange", bucket_range_section, "[[count, coverage, weights or null]] → [[lo, hi], …]" },
    { "chooseVariation", choose_section, "[n, [[lo, hi], …]] → index or -1" },
    { "inNamespace", namespace_section, "[value, [name, lo, hi]] → true or false" },
    { "getEqualWeights", equal_weights_section, "[count] → weights" },
    { "getQueryStringOverride", override_section, "[key, url, count] → index or null" },
    { "evalCondition", condition_section, "[condition, attributes, saved groups] → true or false" },
    { "feature", x_feature_section, "[context, key] → the SDK's FeatureResult" },
    { "run", x_run_section, "[context, experiment] → [value, in experiment, hash used]" },
    { "decrypt", decrypt_section, "[text, key] → plain text or null" },
    { "stickyBucket", x_sticky_section, "[context, documents, key] → [experiment's result, documents]" },
    { "urlRedirect", x_redirect_section, "[context] → [] or [{inExperiment, urlRedirect, urlWithParams}]" },
    { "contextualBandit", x_feature_section, "[context, key] → the SDK's FeatureResult" },
};

static void print_help(void)
{
    (void)puts("usage: xassign SECTION < cases\n"
               "       xassign eval PAYLOAD < units\n\n"
               "SECTION: one JSON array a line in, the result a line out.\n"
               "eval: PAYLOAD is a file as /api/features answers it; a unit a line in, as {\"attributes\": {…}, "
               "\"url\": …}; what\n"
               "each feature is for it out.\n\nSections:");
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        (void)printf("  %-24s %s\n", sections[i].name, sections[i].help);
}

static void print(struct x *x, const struct assign_value *v)
{
    size_t n = assign_json_write(v, NULL, 0);
    char *text = assign_alloc(&x->heap.arena, n + 1);
    need(text);
    (void)assign_json_write(v, text, n + 1);
    (void)puts(text);
}

static void answer(const struct section *s, const struct assign_payload *p, const char *line, size_t n)
{
    struct x x = { .payload = p };
    struct assign_value in, out = assign_null;
    assign_heap_init(&x.heap);
    bool ok = assign_json_read(line, n, &x.heap.arena, &in, &x.e);
    if (ok && in.type != (s ? ASSIGN_ARRAY : ASSIGN_OBJECT))
        ok = x_refuse(&x, s ? "the line is not an array" : "the line is not an object");
    ok = ok && (s ? s->run(&x, &in, &out) : x_eval_unit(&x, &in, &out));
    if (!ok) {
        struct x_object o;
        x_open(&x, &o);
        x_put(&o, "error", x_text((struct assign_text){ x.e.text, strlen(x.e.text) }));
        out = x_close(&o);
    }
    print(&x, &out);
    assign_payload_free(x.made);
    assign_heap_release(&x.heap);
}

static int run_lines(const struct section *s, const struct assign_payload *p)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    while ((n = getline(&line, &room, stdin)) > 0)
        answer(s, p, line, (size_t)n);
    free(line);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EX_IOERR;
}

static int eval(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t room = 0;
    ssize_t n = f ? getdelim(&text, &room, EOF, f) : -1;
    struct assign_error e = { "cannot be read" };
    struct assign_payload *p = n > 0 ? assign_payload_new(text, (size_t)n, (struct assign_text){ NULL, 0 }, &e) : NULL;
    int code = EX_DATAERR;
    if (p)
        code = run_lines(NULL, p);
    else
        (void)fprintf(stderr, "xassign: %s: %s\n", path, e.text);
    assign_payload_free(p);
    free(text);
    if (f)
        (void)fclose(f);
    return code;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "eval") == 0)
        return eval(argv[2]);
    if (argc != 2 || strcmp(argv[1], "--help") == 0) {
        print_help();
        return argc == 2 ? EXIT_SUCCESS : EX_USAGE;
    }
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (strcmp(argv[1], sections[i].name) == 0)
            return run_lines(&sections[i], NULL);
    (void)fprintf(stderr, "xassign: section \"%s\" is not offered; \"xassign --help\" lists them\n", argv[1]);
    return EX_USAGE;
}
