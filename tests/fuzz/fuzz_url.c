/* URL 0 pattern 0 redirect: URL targeting of both types, redirects with the query string kept, and the query string's override. */
#include <stdio.h>

#include "tests/fuzz/assign_fuzz.h"

static void write_member(FILE *to, const char *before, struct assign_text text)
{
    struct assign_value v = { .type = ASSIGN_STRING, .text = text };
    char *json = fuzz_write(&v);
    (void)fprintf(to, "%s%s", before, json);
    free(json);
}

static char *payload_of(struct assign_text pattern, struct assign_text redirect, const char *type, size_t *n)
{
    char *json = NULL;
    FILE *to = open_memstream(&json, n);
    (void)fprintf(to,
                  "{\"experiments\":[{\"key\":\"k\",\"persistQueryString\":true,\"urlPatterns\":[{\"type\":\"%s\","
                  "\"include\":true",
                  type);
    write_member(to, ",\"pattern\":", pattern);
    write_member(to, "}],\"variations\":[{},{\"urlRedirect\":", redirect);
    (void)fputs("}]}]}", to);
    (void)fclose(to);
    return json;
}

static void evaluate(const char *json, size_t n, struct assign_text url)
{
    struct assign_error e;
    struct fuzz_arena a;
    struct assign_run run;
    struct assign_text to = { NULL, 0 };
    struct assign_member id = { { "id", 2 }, { .type = ASSIGN_STRING, .text = { "2", 1 } } };
    struct assign_unit unit = { .attributes = { .type = ASSIGN_OBJECT, .count = 1, .members = &id }, .url = url };
    struct assign_payload *p = assign_payload_new(json, n, (struct assign_text){ NULL, 0 }, &e);
    if (!p || assign_auto_count(p) != 1)
        abort();
    fuzz_arena_init(&a, FUZZ_PIECES);
    struct assign_session *s = assign_bind(p, &unit, &a.arena);
    if (s && assign_run_auto(s, 0, &run) && !run.value)
        abort();
    if (s && assign_redirect(s, &to, &run) && to.p && !run.in_experiment)
        abort();
    fuzz_arena_release(&a);
    assign_payload_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct assign_text url = fuzz_part(&data, &n), pattern = fuzz_part(&data, &n), redirect = { (const char *)data, n };
    static const char *const types[] = { "simple", "regex" };
    for (size_t i = 0; i < 2; i++) {
        size_t json_n;
        char *json = payload_of(pattern, redirect, types[i], &json_n);
        evaluate(json, json_n, url);
        free(json);
    }
    char *ended = strndup(url.p ? url.p : "", url.n);
    int forced = assign_query_string_override("k", ended, 3);
    if (forced < -1 || forced > 2)
        abort();
    free(ended);
    return 0;
}
