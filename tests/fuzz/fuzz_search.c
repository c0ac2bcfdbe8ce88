/* A search configuration, a zero byte, and an answer of its engine. What is taken as a configuration is written so that it reads the same; its templates are filled with values that
 * need escaping; documents of an answer are at most as many as were wanted, and none comes twice. */
#include <stdlib.h>
#include <string.h>

#include "job/search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { K = 7, TEXT_MAX = 1 << 20 };

static void check(bool ok)
{
    if (!ok)
        abort();
}

static struct str written(const struct search_config *c, struct arena *arena)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, TEXT_MAX);
    jsonw_init(&w, &b);
    search_config_write(&w, NULL, c);
    struct str text = arena_str(arena, buf_str(&b));
    buf_release(&b);
    return text;
}

static void check_config(const struct search_config *c, struct arena *arena)
{
    struct err err;
    struct search_config again;
    struct str text = written(c, arena);
    json_auto_t *root = json_parse(text, &err);
    check(root && search_config_read(root, arena, &again, &err) && str_eq(text, written(&again, arena)));
}

static void fill(const struct search_config *c)
{
    static const struct search_value values[] = { { STR("query"), STR("\"a\\ & {{k}}\n"), STR("\"x\"") },
                                                  { STR("k"), STR("7"), STR("7") } };
    struct buf b;
    struct err err;
    buf_init(&b, TEXT_MAX);
    if (search_template_query(c->params, values, COUNT_OF(values), &b, &err))
        check(!memchr(b.p ? b.p : "", '\n', b.n));
    buf_clear(&b);
    (void)!search_template_body(c->body, values, COUNT_OF(values), &b, &err);
    buf_release(&b);
}

static void read_answer(const struct search_config *c, struct str answer, struct arena *arena)
{
    struct search_docs docs;
    struct err err;
    if (!search_docs_read(c, answer, K, arena, &docs, &err))
        return;
    check(docs.count <= K);
    for (size_t i = 0; i < docs.count; i++) {
        check(docs.ids[i].n > 0 && docs.ids[i].n <= SEARCH_ID_MAX);
        for (size_t j = 0; j < i; j++)
            check(!str_eq(docs.ids[i], docs.ids[j]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *zero = n ? memchr(data, 0, n) : NULL;
    struct arena arena;
    struct search_config c;
    struct err err;
    if (!zero)
        return 0;
    size_t first = (size_t)(zero - data);
    arena_init(&arena, 4096);
    json_auto_t *root = json_parse((struct str){ (const char *)data, first }, &err);
    if (root && search_config_read(root, &arena, &c, &err)) {
        check_config(&c, &arena);
        fill(&c);
        read_answer(&c, (struct str){ (const char *)zero + 1, n - first - 1 }, &arena);
    }
    arena_release(&arena);
    return 0;
}
