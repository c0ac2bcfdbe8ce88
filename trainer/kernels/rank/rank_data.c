#include "trainer/kernels/rank/rank_data.h"

#include <math.h>

static const char magic[8] = "XPRANK1";

struct head {
    char magic[8];
    uint32_t features, queries;
    uint64_t rows;
};

static size_t padded(size_t n)
{
    return (n + 7) / 8 * 8;
}

/* ---- reading ---- */

static const void *cut(struct str *rest, uint64_t count, size_t size)
{
    const void *p = rest->p;
    size_t n = padded((size_t)count * size);
    rest->p += n;
    rest->n -= n;
    return p;
}

static uint64_t bytes_of(const struct head *h)
{
    return sizeof *h + padded(h->queries * sizeof(uint32_t)) + padded(h->queries * sizeof(float)) +
           h->queries * sizeof(uint64_t) + 2 * padded(h->rows * sizeof(float)) +
           padded(h->rows * h->features * sizeof(float));
}

static bool check_queries(const struct rank_data *d, struct err *err)
{
    uint32_t at = 0;
    for (uint32_t q = 0; q < d->queries; q++) {
        if (d->ends[q] <= at || d->ends[q] - at > RANK_QUERY_ROWS_MAX)
            return err_set(err, ERR_INVALID, "query %u of the training data has %u rows, not from 1 to %d", q,
                           d->ends[q] - at, RANK_QUERY_ROWS_MAX);
        if (!(d->weights[q] > 0) || !isfinite(d->weights[q]))
            return err_set(err, ERR_INVALID, "query %u of the training data has no weight above 0", q);
        at = d->ends[q];
    }
    return at == d->rows || err_set(err, ERR_INVALID, "the training data has rows of no query");
}

static bool check_labels(const struct rank_data *d, struct err *err)
{
    for (uint64_t i = 0; i < d->rows; i++)
        if (!(d->labels[i] >= 0) || !isfinite(d->labels[i]) || !(d->evidence[i] > 0) || !isfinite(d->evidence[i]))
            return err_set(err, ERR_INVALID, "a label of the training data is no number from 0, or rests on nothing");
    return true;
}

bool rank_data_read(struct str blob, struct rank_data *out, struct err *err)
{
    struct head h;
    if (blob.n < sizeof h)
        return err_set(err, ERR_INVALID, "the training data is damaged");
    memcpy(&h, blob.p, sizeof h);
    if (memcmp(h.magic, magic, sizeof magic) != 0 || h.features > RANK_FEATURES_MAX || h.rows > UINT32_MAX ||
        bytes_of(&h) != blob.n)
        return err_set(err, ERR_INVALID, "the training data is damaged");
    struct rank_data d = { .features = h.features, .queries = h.queries, .rows = h.rows };
    struct str rest = { blob.p + sizeof h, blob.n - sizeof h };
    d.ends = cut(&rest, d.queries, sizeof *d.ends);
    d.weights = cut(&rest, d.queries, sizeof *d.weights);
    d.hashes = cut(&rest, d.queries, sizeof *d.hashes);
    d.labels = cut(&rest, d.rows, sizeof *d.labels);
    d.evidence = cut(&rest, d.rows, sizeof *d.evidence);
    d.values = cut(&rest, d.rows * d.features, sizeof *d.values);
    if (!check_queries(&d, err) || !check_labels(&d, err))
        return false;
    *out = d;
    return true;
}

/* ---- writing ---- */

static void put(struct buf *out, const void *p, uint64_t count, size_t size)
{
    const char zeros[8] = { 0 };
    size_t n = (size_t)count * size;
    buf_add(out, p, n);
    buf_add(out, zeros, padded(n) - n);
}

static void put_evidence(struct buf *out, const struct rank_data *d)
{
    const float one = 1;
    if (d->evidence) {
        put(out, d->evidence, d->rows, sizeof *d->evidence);
        return;
    }
    for (uint64_t i = 0; i < d->rows; i++)
        buf_add(out, &one, sizeof one);
    if (d->rows % 2)
        buf_add(out, "\0\0\0\0", 4);
}

bool rank_data_write(const struct rank_data *d, struct buf *out, struct err *err)
{
    struct head h = { .features = d->features, .queries = d->queries, .rows = d->rows };
    memcpy(h.magic, magic, sizeof magic);
    buf_add(out, &h, sizeof h);
    put(out, d->ends, d->queries, sizeof *d->ends);
    put(out, d->weights, d->queries, sizeof *d->weights);
    put(out, d->hashes, d->queries, sizeof *d->hashes);
    put(out, d->labels, d->rows, sizeof *d->labels);
    put_evidence(out, d);
    put(out, d->values, d->rows * d->features, sizeof *d->values);
    return buf_ok(out, "the training data", err);
}

/* ---- parts ---- */

bool rank_inside(const struct rank_data *d, uint32_t q, struct rank_part p)
{
    return p.parts > 0 && d->hashes[q] % p.parts == p.part;
}

struct copy {
    uint32_t *ends;
    float *weights, *labels, *evidence, *values;
    uint64_t *hashes;
};

static void add_query(const struct rank_data *d, uint32_t q, struct rank_data *out, struct copy *c)
{
    const uint32_t first = rank_first(d, q), n = d->ends[q] - first;
    c->weights[out->queries] = d->weights[q];
    c->hashes[out->queries] = d->hashes[q];
    memcpy(c->labels + out->rows, d->labels + first, n * sizeof *c->labels);
    for (uint32_t i = 0; i < n; i++)
        c->evidence[out->rows + i] = d->evidence ? d->evidence[first + i] : 1;
    memcpy(c->values + out->rows * d->features, d->values + (uint64_t)first * d->features,
           (size_t)n * d->features * sizeof *c->values);
    out->rows += n;
    c->ends[out->queries++] = (uint32_t)out->rows;
}

void rank_data_part(const struct rank_data *d, struct rank_part p, bool inside, struct arena *arena,
                    struct rank_data *out)
{
    uint64_t rows = 0;
    for (uint32_t q = 0; q < d->queries; q++)
        rows += rank_inside(d, q, p) == inside ? d->ends[q] - rank_first(d, q) : 0;
    struct copy c = { .ends = arena_alloc(arena, (d->queries + 1) * sizeof *c.ends),
                      .weights = arena_alloc(arena, (d->queries + 1) * sizeof *c.weights),
                      .hashes = arena_alloc(arena, (d->queries + 1) * sizeof *c.hashes),
                      .labels = arena_alloc(arena, (rows + 1) * sizeof *c.labels),
                      .evidence = arena_alloc(arena, (rows + 1) * sizeof *c.evidence),
                      .values = arena_alloc(arena, (rows * d->features + 1) * sizeof *c.values) };
    *out = (struct rank_data){ .features = d->features,
                               .ends = c.ends,
                               .weights = c.weights,
                               .hashes = c.hashes,
                               .labels = c.labels,
                               .evidence = c.evidence,
                               .values = c.values };
    for (uint32_t q = 0; q < d->queries; q++)
        if (rank_inside(d, q, p) == inside)
            add_query(d, q, out, &c);
}
