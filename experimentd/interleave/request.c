#include "experimentd/interleave/request.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "experimentd/ingest/signal.h"

enum { SHOWN_MAX = 60 }; /* bytes of a client's text that an error repeats */

static void check_text(struct json_reader *r, const char *field, struct str s, size_t max)
{
    if (s.p && (s.n == 0 || s.n > max))
        (void)json_fail(r, field, "must have 1 to %zu bytes, not %zu", max, s.n);
}

static void check_length(struct json_reader *r, int64_t length)
{
    if (length < 1 || length > INTERLEAVE_DOCS_MAX)
        (void)json_fail(r, "length", "is %lld, not between 1 and %d", (long long)length, INTERLEAVE_DOCS_MAX);
}

bool interleave_request_read(json_t *root, struct arena *arena, struct interleave_request *out, struct err *err)
{
    struct interleave_request q = { 0 };
    struct json_reader r;
    int64_t length = 0;
    json_reader_open(&r, root, "request");
    (void)json_get_str(&r, "unit", JSON_REQUIRED, &q.unit, arena);
    (void)json_get_str(&r, "query_id", JSON_REQUIRED, &q.query_id, arena);
    (void)json_get_str(&r, "experiment", JSON_REQUIRED, &q.experiment, arena);
    (void)json_get_object(&r, "rankings", JSON_REQUIRED, &q.rankings);
    (void)json_get_object(&r, "attributes", JSON_OPTIONAL, &q.attributes);
    check_text(&r, "unit", q.unit, SIGNAL_UNIT_MAX);
    check_text(&r, "query_id", q.query_id, SIGNAL_ID_MAX);
    if (json_get_i64(&r, "length", JSON_OPTIONAL, &length))
        check_length(&r, length);
    if (!json_reader_close(&r, err))
        return false;
    q.length = (size_t)length;
    *out = q;
    return true;
}

/* ---- rankings ---- */

/* A document where it stands. Equal texts get equal numbers by sorting: no choice of texts makes that slow. */
struct place {
    struct str text;
    size_t ranking, at;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    size_t n = x->text.n < y->text.n ? x->text.n : y->text.n;
    int d = memcmp(x->text.p, y->text.p, n);
    if (d == 0)
        d = (x->text.n > y->text.n) - (x->text.n < y->text.n);
    if (d == 0)
        d = (x->ranking > y->ranking) - (x->ranking < y->ranking);
    return d ? d : (x->at > y->at) - (x->at < y->at);
}

static bool refuse(struct str variant, struct err *err, const char *fmt, ...) PRINTF(3, 4);
static bool refuse(struct str variant, struct err *err, const char *fmt, ...)
{
    char why[160];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    return err_set(err, ERR_INVALID, "request: field \"rankings." STR_FMT "\" %s", STR_ARG(str_cut(variant, SHOWN_MAX)),
                   why);
}

static bool check_names(const json_t *rankings, const struct str *variants, size_t n, struct err *err)
{
    const char *name;
    json_t *ranking;
    json_object_foreach((json_t *)(uintptr_t)rankings, name, ranking)
    {
        size_t i = 0;
        while (i < n && !str_eq_c(variants[i], name))
            i++;
        if (i == n)
            return refuse(str_of(name), err, "names no variant of the experiment");
        if (!json_is_array(ranking))
            return refuse(variants[i], err, "is not a list of document ids");
        if (json_array_size(ranking) > INTERLEAVE_RANKING_MAX)
            return refuse(variants[i], err, "has %zu documents, more than %d", json_array_size(ranking),
                          INTERLEAVE_RANKING_MAX);
    }
    for (size_t i = 0; i < n; i++)
        if (!json_object_getn(rankings, variants[i].p, variants[i].n))
            return refuse(variants[i], err, "is missing: every variant needs its ranking");
    return true;
}

static bool read_ranking(const json_t *ranking, struct str variant, size_t which, struct place *out, struct err *err)
{
    for (size_t i = 0; i < json_array_size(ranking); i++) {
        const json_t *doc = json_array_get(ranking, i);
        if (!json_is_string(doc))
            return refuse(variant, err, "element %zu is not a string", i);
        struct str text = { json_string_value(doc), json_string_length(doc) };
        if (text.n == 0 || text.n > SIGNAL_DOC_MAX)
            return refuse(variant, err, "element %zu must have 1 to %d bytes, not %zu", i, SIGNAL_DOC_MAX, text.n);
        out[i] = (struct place){ text, which, i };
    }
    return true;
}

/* Numbers in the order of the texts. */
static bool number(struct place *places, size_t n, const struct str *variants, int32_t *const *docs,
                   struct interleave_docs *out, struct err *err)
{
    qsort(places, n, sizeof *places, compare_places);
    for (size_t i = 0; i < n; i++) {
        const struct place *p = &places[i];
        bool same = i > 0 && str_eq(p->text, places[i - 1].text);
        if (same && p->ranking == places[i - 1].ranking)
            return refuse(variants[p->ranking], err, "element %zu repeats \"" STR_FMT "\"", p->at,
                          STR_ARG(str_cut(p->text, SHOWN_MAX)));
        if (!same)
            out->texts[out->rankings.docs_count++] = p->text;
        docs[p->ranking][p->at] = (int32_t)out->rankings.docs_count - 1;
    }
    return true;
}

bool interleave_request_docs(const struct interleave_request *r, const struct str *variants, size_t variants_count,
                             struct arena *arena, struct interleave_docs *out, struct err *err)
{
    int32_t *docs[INTERLEAVE_RANKINGS_MAX];
    size_t all = 0, n = 0;
    assert(variants_count <= INTERLEAVE_RANKINGS_MAX);
    if (!check_names(r->rankings, variants, variants_count, err))
        return false;
    for (size_t i = 0; i < variants_count; i++)
        all += json_array_size(json_object_getn(r->rankings, variants[i].p, variants[i].n));
    struct place *places = arena_alloc(arena, (all + 1) * sizeof *places);
    struct interleave_docs d = { .texts = arena_alloc(arena, (all + 1) * sizeof *d.texts) };
    d.rankings.count = variants_count;
    for (size_t i = 0; i < variants_count; i++) {
        const json_t *ranking = json_object_getn(r->rankings, variants[i].p, variants[i].n);
        size_t length = json_array_size(ranking);
        if (!read_ranking(ranking, variants[i], i, places + n, err))
            return false;
        docs[i] = arena_alloc(arena, (length + 1) * sizeof **docs);
        d.rankings.docs[i] = docs[i];
        d.rankings.lengths[i] = length;
        d.longest = length > d.longest ? length : d.longest;
        n += length;
    }
    if (!number(places, n, variants, docs, &d, err))
        return false;
    *out = d;
    return true;
}
