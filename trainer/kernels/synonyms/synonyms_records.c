/* What the kernels of "synonyms" give each other, as bytes. */
#include "base/hash.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/synonyms/synonyms.h"

enum { PARAMS_MAX = 4096, PAIR_MAX = 2 * QUERY_TEXT_MAX + 1, SEPARATOR = 0x1f };

/* ---- params ---- */

bool synonyms_params_write(const struct synonyms_params *p, struct arena *arena, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, PARAMS_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_i64(&w, "min_clicks", (int64_t)p->min_clicks);
    jsonw_i64(&w, "max_words", p->max_words);
    jsonw_i64(&w, "per_document", p->per_document);
    jsonw_bool(&w, "beginnings", p->beginnings);
    jsonw_bool(&w, "whole_queries", p->whole_queries);
    jsonw_double(&w, "length_scale", p->length_scale);
    jsonw_i64(&w, "all_clicks", (int64_t)p->all_clicks);
    jsonw_double(&w, "min_overlap", p->rules.min_overlap);
    jsonw_double(&w, "min_inside", p->rules.min_inside);
    jsonw_double(&w, "min_g", p->rules.min_g);
    jsonw_i64(&w, "min_contexts", (int64_t)p->rules.min_contexts);
    jsonw_double(&w, "z", p->rules.z);
    jsonw_close(&w);
    *out = arena_str(arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

bool synonyms_params_read(struct str json, struct synonyms_params *out, struct err *err)
{
    json_auto_t *root = json_parse(json, err);
    int64_t min_clicks = 0, max_words = 0, per_document = 0, all_clicks = 0, min_contexts = 0;
    struct json_reader r;
    if (!root)
        return false;
    *out = (struct synonyms_params){ .min_clicks = 0 };
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "min_clicks", JSON_REQUIRED, &min_clicks);
    (void)json_get_i64(&r, "max_words", JSON_REQUIRED, &max_words);
    (void)json_get_i64(&r, "per_document", JSON_REQUIRED, &per_document);
    (void)json_get_bool(&r, "beginnings", JSON_REQUIRED, &out->beginnings);
    (void)json_get_bool(&r, "whole_queries", JSON_REQUIRED, &out->whole_queries);
    (void)json_get_double(&r, "length_scale", JSON_REQUIRED, &out->length_scale);
    (void)json_get_i64(&r, "all_clicks", JSON_REQUIRED, &all_clicks);
    (void)json_get_double(&r, "min_overlap", JSON_REQUIRED, &out->rules.min_overlap);
    (void)json_get_double(&r, "min_inside", JSON_REQUIRED, &out->rules.min_inside);
    (void)json_get_double(&r, "min_g", JSON_REQUIRED, &out->rules.min_g);
    (void)json_get_i64(&r, "min_contexts", JSON_REQUIRED, &min_contexts);
    (void)json_get_double(&r, "z", JSON_REQUIRED, &out->rules.z);
    out->min_clicks = (uint64_t)min_clicks;
    out->max_words = (uint32_t)max_words;
    out->per_document = (uint32_t)per_document;
    out->all_clicks = (uint64_t)all_clicks;
    out->rules.min_contexts = (uint64_t)min_contexts;
    return json_reader_close(&r, err);
}

/* ---- clicks ---- */

void synonyms_click_write(struct buf *out, const struct synonyms_click *c)
{
    const uint64_t w[] = { c->clicks, c->all, c->reach, c->searches };
    record_put_text(out, c->doc);
    record_put_text(out, c->query);
    record_put(out, w, sizeof w);
}

bool synonyms_click_read(struct str *in, struct synonyms_click *out)
{
    uint64_t w[4];
    if (!record_take_text(in, &out->doc) || !record_take_text(in, &out->query) || !record_take(in, w, sizeof w))
        return false;
    out->clicks = w[0];
    out->all = w[1];
    out->reach = w[2];
    out->searches = w[3];
    return true;
}

uint64_t synonyms_reach_of(struct str blob, struct str doc)
{
    uint64_t hash = hash64(doc);
    size_t lo = 0, hi = blob.n / sizeof(struct synonyms_reach);
    struct synonyms_reach r;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        memcpy(&r, blob.p + mid * sizeof r, sizeof r);
        if (r.doc == hash)
            return r.clicks;
        if (r.doc < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    return 0;
}

/* ---- what is known of words ---- */

static struct str pair_text(struct str a, struct str b, char *out)
{
    memcpy(out, a.p, a.n);
    out[a.n] = SEPARATOR;
    memcpy(out + a.n + 1, b.p, b.n);
    return (struct str){ out, a.n + 1 + b.n };
}

static bool take_word(struct str *in, struct str *out)
{
    return record_take_text(in, out) && out->n <= QUERY_TEXT_MAX;
}

static bool read_known(struct synonyms_known *k, struct str in)
{
    uint32_t phrases;
    struct str a, b;
    char pair[PAIR_MAX];
    if (!record_take(&in, &phrases, sizeof phrases))
        return false;
    for (uint32_t i = 0; i < phrases; i++) {
        if (!take_word(&in, &a))
            return false;
        (void)intern_add(&k->phrases, a);
    }
    while (in.n) {
        if (!take_word(&in, &a) || !take_word(&in, &b))
            return false;
        (void)intern_add(&k->misspelled, pair_text(a, b, pair));
        (void)intern_add(&k->wrong, a);
    }
    return true;
}

bool synonyms_known_read(struct synonyms_known *k, struct str bytes, struct err *err)
{
    intern_init(&k->phrases);
    intern_init(&k->misspelled);
    intern_init(&k->wrong);
    if (read_known(k, bytes))
        return true;
    synonyms_known_release(k);
    return err_set(err, ERR_INVALID, "what is known of words is damaged");
}

void synonyms_known_release(struct synonyms_known *k)
{
    intern_release(&k->phrases);
    intern_release(&k->misspelled);
    intern_release(&k->wrong);
}

bool synonyms_known_wrong(const struct synonyms_known *k, struct str query)
{
    struct words w;
    words_split_spaces(query, &w);
    for (uint32_t i = 0; i < w.count; i++)
        if (intern_find(&k->wrong, w.texts[i]) != UINT32_MAX)
            return true;
    return intern_find(&k->wrong, query) != UINT32_MAX;
}

bool synonyms_known_misspelled(const struct synonyms_known *k, struct str a, struct str b)
{
    char pair[PAIR_MAX];
    return intern_find(&k->misspelled, pair_text(a, b, pair)) != UINT32_MAX ||
           intern_find(&k->misspelled, pair_text(b, a, pair)) != UINT32_MAX;
}
