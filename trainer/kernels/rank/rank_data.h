/* rank_data.h - documents with features and labels, query by query, as one blob: what rankers are learned from and judged on.
 *
 *   char magic[8] | u32 features | u32 queries | u64 rows | u32 end of each query's rows | f32 weight of each query | u64 hash64 of each query's text
 *   f32 label of each row | f32 evidence of each row | f32 values, row by row (NaN: missing); each part at a multiple of 8
 *
 * In the machine's byte order: a blob lives as long as a run. Pure. */
#pragma once
#include "base/buf.h"

enum { RANK_FEATURES_MAX = 1000, RANK_QUERY_ROWS_MAX = 100000 };

struct rank_data {
    uint32_t features, queries;
    uint64_t rows;
    const uint32_t *ends; /* rows of query q: [rank_first(d, q), ends[q]) */
    const float *weights; /* of queries, above 0 */
    const uint64_t *hashes;
    const float *labels;   /* from 0, finite */
    const float *evidence; /* how sure a label is, above 0: 1 is as sure as others. NULL when it is written: all are */
    const float *values;   /* rows × features */
};
static inline uint32_t rank_first(const struct rank_data *d, uint32_t q)
{
    return q ? d->ends[q - 1] : 0;
}
/* Borrows the bytes, which lie at a multiple of 8; all that is said above is checked. */
bool rank_data_read(struct str blob, struct rank_data *out, struct err *err) MUSTCHECK;
/* out->limit_bytes is the caller's. */
bool rank_data_write(const struct rank_data *d, struct buf *out, struct err *err) MUSTCHECK;

/* The queries whose hash falls (inside) or does not fall (outside) into part `part` of `parts`; parts 0: all are outside. */
struct rank_part {
    uint32_t part, parts;
};
bool rank_inside(const struct rank_data *d, uint32_t q, struct rank_part p);
/* A copy of the queries inside or outside; the arrays live in the arena. */
void rank_data_part(const struct rank_data *d, struct rank_part p, bool inside, struct arena *arena,
                    struct rank_data *out);
