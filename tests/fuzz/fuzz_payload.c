/* payload 0 attributes 0 URL 0 sticky assignments: compiled, then every feature for the unit, twice, with and without sticky buckets. */
#include "tests/fuzz/assign_fuzz.h"

static void check_run(const struct assign_run *run)
{
    if (!run->value || run->variation < 0 || run->why >= ASSIGN_WHY_COUNT || !assign_why_name(run->why))
        abort();
    if (run->has_bucket && !(run->bucket >= 0 && run->bucket < 1))
        abort();
}

static void on_exposure(void *arg, const struct assign_run *run)
{
    (void)arg;
    if (!run->in_experiment && !run->hash_used)
        abort();
    check_run(run);
}

static void on_sticky(void *arg, const struct assign_sticky *doc)
{
    (void)arg;
    if (doc->assignments.type != ASSIGN_OBJECT)
        abort();
    free(fuzz_write(&doc->assignments));
}

static void check_result(const struct assign_result *r)
{
    if (!r->value || r->source >= ASSIGN_SOURCE_COUNT || !assign_source_name(r->source))
        abort();
    if (r->has_run)
        check_run(&r->run);
    free(fuzz_write(r->value));
}

/* Without sticky buckets the second answer must be the first: nothing but the unit and the payload counts. */
static void same_again(struct assign_session *s, size_t feature, const struct assign_result *first)
{
    struct assign_result again;
    if (!assign_eval(s, feature, &again, NULL))
        return;
    if (again.source != first->source || again.rule != first->rule || again.value != first->value)
        abort();
}

static void evaluate(const struct assign_payload *p, const struct assign_unit *unit, struct fuzz_arena *a)
{
    struct assign_session *s = assign_bind(p, unit, &a->arena);
    struct assign_text url;
    struct assign_run run;
    if (!s || !assign_hash_all(s))
        return;
    for (size_t i = 0; i < assign_feature_count(p); i++) {
        struct assign_result r;
        uint8_t *why = malloc(assign_rule_count(p, i));
        struct assign_text key = assign_feature_key(p, i);
        if (assign_eval(s, i, &r, why)) {
            check_result(&r);
            if (!unit->sticky_on && a->limit == FUZZ_PIECES)
                same_again(s, i, &r);
        }
        if (assign_feature_index(p, key.p, key.n) != (int)i)
            abort();
        free(why);
    }
    for (size_t i = 0; i < assign_auto_count(p); i++)
        if (assign_run_auto(s, i, &run))
            check_run(&run);
    (void)!assign_redirect(s, &url, &run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct assign_error e;
    struct fuzz_arena a;
    size_t limit = n % 5 ? FUZZ_PIECES : n % 7;
    struct assign_text json = fuzz_part(&data, &n), attributes = fuzz_part(&data, &n), url = fuzz_part(&data, &n);
    char *copy = malloc(json.n ? json.n : 1); /* the text need not outlive the call */
    memcpy(copy, json.p ? json.p : "", json.n);
    struct assign_payload *p = assign_payload_new(copy, json.n, (struct assign_text){ NULL, 0 }, &e);
    free(copy);
    for (int sticky = 0; p && sticky < 2; sticky++) {
        fuzz_arena_init(&a, limit);
        struct assign_sticky doc = { .attribute = { "id", 2 }, .value = { "1", 1 } };
        struct assign_unit unit = {
            .url = url, .sticky_on = sticky, .on_exposure = on_exposure, .on_sticky = on_sticky
        };
        unit.attributes = fuzz_value(attributes, &a);
        doc.assignments = fuzz_value((struct assign_text){ (const char *)data, n }, &a);
        if (doc.assignments.type == ASSIGN_OBJECT) {
            unit.sticky = &doc;
            unit.sticky_count = 1;
        }
        evaluate(p, &unit, &a);
        fuzz_arena_release(&a);
    }
    assign_payload_free(p);
    return 0;
}
