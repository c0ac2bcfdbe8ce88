#include "experimentd/models/compare.h"

#include "base/json.h"
#include "base/jsonw.h"
#include "model/lists.h"

/* ---- what they were told ---- */

static void put_json(struct jsonw *w, const char *key, const json_t *v)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, 1 << 20);
    if (v)
        json_write(&b, v);
    if (b.n)
        jsonw_raw(w, key, buf_str(&b));
    else
        jsonw_null(w, key);
}

static void put_pair(struct jsonw *w, const char *key, const json_t *a, const json_t *b)
{
    jsonw_open(w, key, '{');
    put_json(w, "a", a);
    put_json(w, "b", b);
    jsonw_close(w);
}

static void put_param(struct jsonw *w, const char *name, const json_t *a, const json_t *b)
{
    if (a && b && json_equal(a, b))
        return;
    jsonw_open(w, NULL, '{');
    jsonw_text(w, "name", name);
    put_json(w, "a", a);
    put_json(w, "b", b);
    jsonw_close(w);
}

static void put_params(struct jsonw *w, json_t *a, json_t *b)
{
    const char *name;
    json_t *v;
    jsonw_open(w, "params", '[');
    json_object_foreach(a, name, v) put_param(w, name, v, json_object_get(b, name));
    json_object_foreach(b, name, v) if (!json_object_get(a, name)) put_param(w, name, NULL, v);
    jsonw_close(w);
}

static void put_cards(struct jsonw *w, json_t *a, json_t *b)
{
    static const char *const pairs[] = { "job", "window", "evaluation", "seed", "engine", "build" };
    static const char *const counts[] = { "rows", "units", "items" };
    put_params(w, json_object_get(a, "params"), json_object_get(b, "params"));
    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        put_pair(w, pairs[i], json_object_get(a, pairs[i]), json_object_get(b, pairs[i]));
    jsonw_open(w, "counts", '{');
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        put_pair(w, counts[i], json_object_get(a, counts[i]), json_object_get(b, counts[i]));
    jsonw_close(w);
}

/* ---- how good they were ---- */

static void put_metric(struct jsonw *w, const char *name, json_t *a, json_t *b)
{
    json_t *x = json_object_get(a, "value"), *y = json_object_get(b, "value");
    jsonw_open(w, NULL, '{');
    jsonw_text(w, "name", name);
    put_json(w, "a", a);
    put_json(w, "b", b);
    if (json_is_number(x) && json_is_number(y))
        jsonw_double(w, "difference", json_number_value(y) - json_number_value(x));
    else
        jsonw_null(w, "difference");
    jsonw_close(w);
}

/* Beside metrics there may be tables for the page: they are not compared. */
static bool is_metric(const json_t *v)
{
    return json_object_get(v, "value") != NULL;
}

static void put_metrics(struct jsonw *w, json_t *a, json_t *b)
{
    const char *name;
    json_t *v;
    jsonw_open(w, "metrics", '[');
    json_object_foreach(a, name, v) if (is_metric(v)) put_metric(w, name, v, json_object_get(b, name));
    json_object_foreach(b, name, v) if (is_metric(v) && !json_object_get(a, name)) put_metric(w, name, NULL, v);
    jsonw_close(w);
}

/* ---- their lists ---- */

static bool in_row(const struct lists *l, struct lists_row row, struct str entry)
{
    for (uint32_t i = 0; i < row.count; i++)
        if (str_eq(lists_entry(l, row.first + i), entry))
            return true;
    return false;
}

/* Jaccard of the first entries; 1 of two empty lists. */
static double overlap(const struct lists *a, struct lists_row x, const struct lists *b, struct lists_row y,
                      bool *out_same)
{
    uint32_t both = 0;
    x.count = x.count < COMPARE_TOP ? x.count : COMPARE_TOP;
    y.count = y.count < COMPARE_TOP ? y.count : COMPARE_TOP;
    *out_same = x.count == y.count;
    for (uint32_t i = 0; i < x.count; i++) {
        struct str entry = lists_entry(a, x.first + i);
        both += in_row(b, y, entry);
        *out_same = *out_same && str_eq(entry, lists_entry(b, y.first + i));
    }
    uint32_t either = x.count + y.count - both;
    return either ? (double)both / either : 1;
}

static void put_lists(struct jsonw *w, const char *name, const struct lists *a, const struct lists *b)
{
    struct str key;
    struct lists_row x, y;
    uint64_t both = 0, same = 0;
    double sum = 0;
    for (uint32_t k = 0; lists_key_at(a, k, &key, &x); k++) {
        bool equal;
        if (!lists_find(b, key, &y))
            continue;
        both++;
        sum += overlap(a, x, b, y, &equal);
        same += equal;
    }
    jsonw_open(w, NULL, '{');
    jsonw_text(w, "section", name);
    jsonw_i64(w, "keys_a", a->keys);
    jsonw_i64(w, "keys_b", b->keys);
    jsonw_i64(w, "keys_both", (int64_t)both);
    jsonw_i64(w, "same", (int64_t)same);
    if (both)
        jsonw_double(w, "overlap", sum / (double)both);
    else
        jsonw_null(w, "overlap");
    jsonw_close(w);
}

/* Sections that both have and that are lists: others have no keys to compare by. */
static void put_sections(struct jsonw *w, const struct artifact *a, const struct artifact *b)
{
    char name[ARTIFACT_NAME];
    struct lists x, y;
    jsonw_open(w, "lists", '[');
    for (size_t i = 0; i < a->sections_count; i++) {
        struct str mine = artifact_section_at(a, i, name), other = artifact_section(b, name);
        if (other.p && lists_read(mine, &x, NULL) && lists_read(other, &y, NULL))
            put_lists(w, name, &x, &y);
    }
    jsonw_close(w);
}

bool compare_write(const struct compared *a, const struct compared *b, struct buf *out, struct err *err)
{
    json_auto_t *card_a = json_parse(a->card, err), *card_b = card_a ? json_parse(b->card, err) : NULL;
    json_auto_t *metrics_a = card_b ? json_parse(a->metrics, err) : NULL;
    json_auto_t *metrics_b = metrics_a ? json_parse(b->metrics, err) : NULL;
    struct jsonw w;
    if (!metrics_b)
        return false;
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '{');
    jsonw_i64(&w, "a", a->version);
    jsonw_i64(&w, "b", b->version);
    put_cards(&w, card_a, card_b);
    put_metrics(&w, metrics_a, metrics_b);
    put_sections(&w, a->artifact, b->artifact);
    jsonw_close(&w);
    return buf_ok(out, "the comparison", err);
}
