#include <math.h>
#include <sodium.h>
#include <stdlib.h>

#include "model/artifact.h"
#include "model/classifier.h"
#include "model/clusters.h"
#include "model/lists.h"
#include "model/recommend.h"
#include "model/vectors.h"

/* An artifact whose size and checksum are mended, so that what stands behind them is reached; each section, and the input itself, as lists. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void one_section(struct str section)
{
    struct lists l;
    struct lists_row row, found;
    struct str key;
    struct err err;
    if (!lists_read(section, &l, &err))
        return;
    for (uint32_t k = 0; lists_key_at(&l, k, &key, &row); k++) {
        if (!str_is_utf8(key))
            abort();
        (void)lists_find(&l, key, &found);
        for (uint32_t i = row.first; i < row.first + row.count; i++)
            for (uint32_t c = 0; c < l.columns; c++)
                if (!str_is_utf8(lists_entry(&l, i)) || !isfinite(lists_value(&l, i, c)) ||
                    lists_entry_id(&l, i) >= l.texts)
                    abort();
    }
    for (uint32_t i = 0; i < l.columns; i++)
        if (lists_column_named(&l, "score") == (int)i && !str_eq_c(lists_column(&l, i), "score"))
            abort();
    (void)lists_find(&l, STR("nobody"), &found);
}

/* Every kind of request, of an id and a history that the model knows: nothing but finite scores of valid text, each once. */
static void ask(const struct recommender *r, struct str id, struct arena *arena)
{
    struct recommend_event history[] = { { id, 2 }, { STR("nobody"), 1 } };
    for (int of = 0; of < RECOMMEND_FOR_COUNT * 2; of++) {
        struct recommend_request q = { .of = (enum recommend_for)(of / 2),
                                       .id = id,
                                       .n = 8,
                                       .history = history,
                                       .history_count = 2,
                                       .exclude_seen = true,
                                       .fill = true,
                                       .diversity = of % 2 ? 0.5 : 0 };
        struct recommend_answer out;
        recommend(r, &q, arena, &out);
        for (size_t i = 0; i < out.count; i++)
            if (!isfinite(out.items[i].score) || !str_is_utf8(out.items[i].item) || out.count > q.n)
                abort();
    }
}

static void recommend_all(const struct artifact *a)
{
    struct arena arena;
    struct recommender r;
    struct lists_row row;
    struct str key;
    struct err err;
    arena_init(&arena, 1 << 16);
    if (recommender_open(a, &r, &arena, &err)) {
        ask(&r, STR(""), &arena);
        for (int i = 0; i < RECOMMEND_SECTION_COUNT; i++)
            for (uint32_t k = 0; r.has[i] && k < 4 && lists_key_at(&r.lists[i], k, &key, &row); k++)
                ask(&r, key, &arena);
        for (uint32_t i = 0; r.has_factors && i < r.factors.items && i < 4; i++)
            ask(&r, factors_text(&r.factors, i), &arena);
    }
    arena_release(&arena);
}

static void classify(const struct artifact *a)
{
    static struct classifier_work work;
    struct classifier_best best[3];
    struct classifier_why why[3];
    struct classifier c;
    struct err err;
    if (!classifier_open(a, &c, &err))
        return;
    classifier_predict(&c, STR("red lamp, oak"), &work);
    if (classifier_best(&c, &work, 3, best) < 2 || !(best[0].p >= best[1].p))
        abort();
    (void)classifier_explain(&c, &work, best[0].class, 3, why);
}

/* A text finds a centre that there is, whatever the numbers are. */
static void place(const struct artifact *a)
{
    struct arena arena;
    struct clusters c;
    struct err err;
    arena_init(&arena, 1 << 16);
    if (clusters_open(a, &arena, &c, &err) && c.has_space) {
        struct clusters_near near;
        struct clusters_text *t = clusters_text_new(&c, &arena);
        clusters_text_add(t, STR("red lamp, brass desk lamp"), 2);
        if (clusters_text_near(t, &near) && (near.centre >= c.centres || near.second >= c.centres))
            abort();
    }
    arena_release(&arena);
}

static void nearest(const struct artifact *a)
{
    struct arena arena;
    struct vectors v;
    struct vectors_sum s;
    struct vectors_near *near;
    struct err err;
    arena_init(&arena, 1 << 16);
    if (vectors_open(a, &arena, &v, &err)) {
        vectors_sum_init(&s, &v, &arena);
        vectors_sum_text(&s, &v, STR("red lamp, brass desk lamp"));
        for (int documents = 0; documents <= v.has_documents; documents++)
            for (size_t i = vectors_nearest(&v, &s, documents, 4, &arena, &near); i-- > 0;)
                if (near[i].number >= (documents ? v.documents.items : v.words.items))
                    abort();
    }
    arena_release(&arena);
}

static void mend(struct buf *b)
{
    unsigned char hash[ARTIFACT_HASH];
    uint64_t size = b->n + ARTIFACT_HASH;
    if (b->n >= 24)
        for (int i = 0; i < 8; i++)
            b->p[16 + i] = (char)(size >> 8 * i);
    (void)crypto_generichash(hash, sizeof hash, (const unsigned char *)buf_str(b).p, b->n, NULL, 0);
    buf_add(b, hash, sizeof hash);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf b;
    struct artifact a;
    struct err err;
    char name[ARTIFACT_NAME];
    one_section((struct str){ (const char *)data, n });
    buf_init(&b, n + ARTIFACT_HASH);
    buf_add(&b, data, n);
    mend(&b);
    if (artifact_read(buf_str(&b), &a, &err)) {
        recommend_all(&a);
        classify(&a);
        place(&a);
        nearest(&a);
        for (size_t i = 0; i < a.sections_count; i++) {
            struct str section = artifact_section_at(&a, i, name);
            if (!str_eq(section, artifact_section(&a, name)))
                abort();
            one_section(section);
        }
    }
    buf_release(&b);
    return 0;
}
