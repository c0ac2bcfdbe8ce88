/* Rules and queries, a line each: TYPE DIRECTION INPUT \t OUTPUT, or a query without a tab. What is applied stays within its limits and is UTF-8 in
 * normal form; and the same again gives the same. */
#include <stdlib.h>
#include <string.h>

#include "model/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { RULES_MAX = 64 };

static void check(bool ok)
{
    if (!ok)
        abort();
}

static struct str normal(struct arena *arena, struct str s)
{
    char out[QUERY_TEXT_MAX];
    return arena_str(arena, query_text(s, out));
}

static bool read_rule(struct arena *arena, struct str line, struct rewrite_rule *out)
{
    struct str output = line, input;
    if (line.n < 3 || !memchr(line.p, '\t', line.n) || !str_split(&output, '\t', &input) || input.n < 3)
        return false;
    *out = (struct rewrite_rule){ .type = (enum rewrite_type)((unsigned char)line.p[0] % REWRITE_TYPE_COUNT),
                                  .input = normal(arena, (struct str){ input.p + 2, input.n - 2 }),
                                  .output = normal(arena, output),
                                  .manual = line.p[1] & 1,
                                  .confidence = (double)((unsigned char)line.p[1] % 11) / 10 };
    out->bidirectional = out->type == REWRITE_SYNONYM && (line.p[1] & 2);
    if (out->type == REWRITE_PHRASE)
        out->output = out->input;
    return rewrite_check(out, NULL);
}

static void apply(const struct rewrites *r, struct str query, struct arena *arena)
{
    const struct rewrite_ask ask = { REWRITE_ALL_TYPES, 0.3 };
    struct rewriting *w = arena_alloc(arena, sizeof *w);
    struct buf a, b;
    rewrite_apply(r, query, &ask, arena, w);
    check(w->rewritten.n <= QUERY_TEXT_MAX && str_eq(normal(arena, w->rewritten), w->rewritten));
    check((w->rewritten.n == 0) == (w->normalised.n == 0));
    size_t covered = 0;
    for (uint32_t i = 0; i < w->terms_count; i++)
        covered += w->terms[i].text.n + (i > 0);
    check(covered == w->rewritten.n);
    for (uint32_t i = 0; i < w->steps_count; i++)
        check(w->steps[i].query.n > 0 && w->steps[i].query.n <= QUERY_TEXT_MAX);
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    rewriting_expanded(w, &a);
    rewriting_quoted(w, &b);
    check(!a.failed && !b.failed);
    buf_release(&a);
    buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rewrite_rule rules[RULES_MAX];
    size_t count = 0;
    struct str rest = { (const char *)data, n }, line;
    struct arena arena;
    struct artifact a;
    struct rewrites r;
    struct buf file;
    char digest[ARTIFACT_DIGEST];
    if (n > 4096 || !str_is_utf8(rest))
        return 0;
    arena_init(&arena, 1 << 16);
    buf_init(&file, 1 << 20);
    while (str_split(&rest, '\n', &line) && count < RULES_MAX)
        count += read_rule(&arena, line, &rules[count]);
    check(rewrites_pack(rules, count, STR("{}"), &file, digest, NULL));
    check(artifact_read(buf_str(&file), &a, NULL) && rewrites_read(&a, &r, NULL));
    rest = (struct str){ (const char *)data, n };
    while (str_split(&rest, '\n', &line))
        if (!memchr(line.p, '\t', line.n))
            apply(&r, line, &arena);
    buf_release(&file);
    arena_release(&arena);
    return 0;
}
