#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "experimentd/serving/rank_ask.h"
#include "experimentd/serving/write.h"

enum { SCORE_STEP = 64 }; /* documents between two looks at the clock */

/* ---- scoring ---- */

static bool score(const struct rank_ask *ask, const struct ranker *r, const struct rank_docs *docs, float *scores,
                  struct err *err)
{
    for (uint32_t begin = 0; begin < docs->count; begin += SCORE_STEP) {
        uint32_t n = docs->count - begin < SCORE_STEP ? docs->count - begin : SCORE_STEP;
        if (ask->deadline_us && clock_mono_us() >= ask->deadline_us)
            return err_set(err, ERR_BUSY, "the deadline of %u ms passed when %u of %u documents were scored",
                           ask->deadline_ms, begin, docs->count);
        ranker_score(r, docs->values + (size_t)begin * r->features, n, scores + begin);
    }
    return true;
}

/* ---- order: the best first, equal ones as they came ---- */

/* Ascending keys: the score's bits, turned round, above the place. */
static uint64_t key_of(float score, uint32_t place)
{
    uint32_t bits;
    float plus = score + 0; /* −0 is 0 */
    memcpy(&bits, &plus, sizeof bits);
    bits = bits & 0x80000000u ? bits : ~bits & 0x7fffffffu;
    return (uint64_t)bits << 32 | place;
}

static int by_key(const void *va, const void *vb)
{
    const uint64_t *a = va, *b = vb;
    return (*a > *b) - (*a < *b);
}

/* ---- writing ---- */

static void write_name(struct buf *out, struct str name)
{
    buf_add_json_str(out, name);
    buf_add_byte(out, ':');
}

static void write_parts(const struct ranker *r, const float *values, double *parts, struct buf *out)
{
    double base;
    bool comma = false;
    ranker_explain(r, values, parts, &base);
    buf_add_c(out, ",\"contributions\":{");
    for (uint32_t f = 0; f < r->features; f++) {
        if (!(fabs(parts[f]) > 0))
            continue;
        if (comma)
            buf_add_byte(out, ',');
        comma = true;
        write_name(out, r->names[f]);
        write_score(out, parts[f]);
    }
    buf_add_byte(out, '}');
}

/* What contributions are counted from, and how they were found: the same for all documents. */
static void write_method(const struct ranker *r, const float *values, double *parts, struct buf *out)
{
    double base;
    ranker_explain(r, values, parts, &base);
    buf_add_c(out, r->type == RANKER_LINEAR ? ",\"explained_by\":\"terms\",\"base\":"
                                            : ",\"explained_by\":\"path\",\"base\":");
    write_score(out, base);
}

static void write_docs(const struct rank_ask *ask, const struct ranker *r, const struct rank_docs *docs,
                       const float *scores, const uint64_t *order, double *parts, struct buf *out)
{
    uint32_t n = docs->count < ask->n ? docs->count : ask->n;
    buf_add_c(out, ",\"docs\":[");
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = (uint32_t)order[k];
        buf_add_c(out, k ? ",{" : "{");
        buf_add_c(out, docs->ids ? "\"id\":" : "\"index\":");
        if (docs->ids)
            buf_add_json_str(out, docs->ids[i]);
        else
            buf_add_u64(out, i);
        buf_add_c(out, ",\"score\":");
        write_float(out, scores[i]);
        if (ask->explain)
            write_parts(r, docs->values + (size_t)i * r->features, parts, out);
        buf_add_byte(out, '}');
    }
    buf_add_c(out, "]}");
}

bool rank_answer_write(const struct rank_ask *ask, const struct serving_entry *e, struct arena *arena, struct buf *out,
                       struct err *err)
{
    const struct ranker *r = e->served->view;
    struct rank_docs docs;
    if (!rank_docs_read(ask, r, arena, &docs, err))
        return false;
    float *scores = arena_alloc(arena, (docs.count + (size_t)1) * sizeof *scores);
    uint64_t *order = arena_alloc(arena, (docs.count + (size_t)1) * sizeof *order);
    double *parts = ask->explain ? arena_alloc(arena, r->features * sizeof *parts) : NULL;
    if (!score(ask, r, &docs, scores, err))
        return false;
    for (uint32_t i = 0; i < docs.count; i++)
        order[i] = key_of(scores[i], i);
    qsort(order, docs.count, sizeof *order, by_key);
    write_model(out, e);
    if (ask->explain && docs.count)
        write_method(r, docs.values, parts, out);
    write_docs(ask, r, &docs, scores, order, parts, out);
    return true;
}
