/* Requests of /v1/recommend, /v1/boosts and /v1/rewrite's kind: the first byte says which, and whether the rest is a query string or a body. What is taken
 * lies within its bounds, and asks a small recommender without harm. */
#include <stdlib.h>

#include "experimentd/http/http.h"
#include "experimentd/serving/ask.h"
#include "experimentd/serving/boosts_ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Made once: two items that are like each other, a list, factors. */
static const struct recommender *shop(void)
{
    static struct recommender r;
    static struct arena arena;
    static const char *const columns[] = { "score" };
    struct lists_out o;
    struct buf section;
    struct err err;
    if (arena.first_bytes)
        return &r;
    arena_init(&arena, 4096);
    buf_init(&section, 1 << 16);
    lists_begin(&o, columns, 1);
    for (int i = 0; i < 2; i++) {
        lists_key(&o, i ? STR("b") : STR("a"));
        lists_add(&o, i ? STR("a") : STR("b"), &(float){ 1 });
    }
    lists_key(&o, STR(""));
    lists_add(&o, STR("c"), &(float){ 2 });
    if (!lists_end(&o, &section, &err))
        abort();
    struct str bytes = arena_str(&arena, buf_str(&section));
    for (int i = 0; i < RECOMMEND_SECTION_COUNT; i++)
        r.has[i] = lists_read(bytes, &r.lists[i], &err);
    struct factors_out f = { .rank = 1,
                             .items = 2,
                             .texts = (struct str[]){ STR("a"), STR("b") },
                             .vectors = (float[]){ 1, 0.5f },
                             .alpha = 1,
                             .lambda = 1 };
    buf_clear(&section);
    r.has_factors = factors_write(&f, &section, &err) &&
                    factors_read(arena_str(&arena, buf_str(&section)), &r.factors, &arena, &err);
    buf_release(&section);
    return &r;
}

static void recommend_one(struct http_request *req)
{
    struct recommend_ask ask;
    struct recommend_answer a;
    struct err err = { 0 };
    if (!recommend_ask_read(req, &ask, &err)) {
        if (err.kind == ERR_NONE || !err.text[0])
            abort();
        return;
    }
    const struct recommend_request *q = &ask.request;
    if (q->n < 1 || q->n > RECOMMEND_N_MAX || q->history_count > RECOMMEND_HISTORY_MAX ||
        !(q->diversity >= 0 && q->diversity <= 1) || !ask.alias.n)
        abort();
    recommend(shop(), q, &req->arena, &a);
    if (a.count > q->n)
        abort();
}

static void boosts_one(struct http_request *req)
{
    struct boosts_ask ask;
    struct err err = { 0 };
    if (!boosts_ask_read(req, &ask, &err)) {
        if (err.kind == ERR_NONE || !err.text[0])
            abort();
        return;
    }
    const struct boosts_request *q = &ask.request;
    if (q->n < 1 || q->n > BOOSTS_N_MAX || q->similar > BOOSTS_SIMILAR_MAX || !q->query.n || !str_is_utf8(q->query) ||
        !ask.field.n)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct http_request req = { .method = HTTP_GET_ };
    if (n == 0)
        return 0;
    struct str rest = { (const char *)data + 1, n - 1 };
    arena_init(&req.arena, 4096);
    req.method = data[0] & 1 ? HTTP_POST_ : HTTP_GET_;
    *(data[0] & 1 ? &req.body : &req.query) = rest;
    if (data[0] & 2)
        boosts_one(&req);
    else
        recommend_one(&req);
    arena_release(&req.arena);
    return 0;
}
