/* query_head.h - pure: the most searched queries of a window as one blob, which every split of a pass over them sees: what was clicked for each, what was
 * searched beside it, and for each document the queries that it was clicked for.
 *
 * Queries and documents are numbered by the bytes of their texts. Of the lists of a record only entries stay that are in the head themselves; of a document
 * the QUERY_HEAD_DOC_QUERIES queries with the most clicks: one that is clicked for everything says little and would cost much.
 *
 *   struct query_head_sizes | queries × struct query_head_sums | u64 text ends (queries), (docs) | u64 ends of entries: docs and same of each query, queries
 *   of each doc | entries of each | docs × u64 clicks | texts of queries, of docs. Every array begins at a multiple of 8. */
#pragma once
#include "trainer/kernels/queries/query_record.h"

enum { QUERY_HEAD_DOC_QUERIES = 1000 };

struct query_head_sizes {
    uint64_t bytes, queries, docs, sessions,
        clicks;             /* sessions: with any query; clicks: of all queries of the head, on documents of the head */
    uint64_t text_bytes[2]; /* queries, docs */
    uint64_t entries[3];    /* docs and same of queries, queries of docs */
};
struct query_head_sums {
    uint64_t searches, clicks, sessions;
    uint64_t mass; /* clicks of all queries on its documents */
};
struct query_head_entry {
    uint32_t number, count;
};
struct query_head_row {
    const struct query_head_entry *entries;
    uint32_t count;
};

struct query_head {
    struct query_head_sizes sizes;
    const struct query_head_sums *sums;
    const uint64_t *query_ends, *doc_ends, *docs_ends, *same_ends, *queries_ends, *doc_clicks;
    const struct query_head_entry *docs, *same, *queries;
    const char *query_text, *doc_text;
};

/* records: sorted by text, each once. `sessions`: of all queries. Fails when it does not fit into `out`. */
bool query_head_write(const struct query_record *records, size_t count, uint64_t sessions, struct buf *out,
                      struct err *err) MUSTCHECK;
/* Borrows the blob, which lies at a multiple of 8. Offsets are checked once. */
bool query_head_read(struct str blob, struct query_head *out, struct err *err) MUSTCHECK;

struct str query_head_query(const struct query_head *h, uint32_t query);
struct str query_head_doc(const struct query_head *h, uint32_t doc);
struct query_head_row query_head_docs(const struct query_head *h, uint32_t query);  /* clicked for it, best first */
struct query_head_row query_head_same(const struct query_head *h, uint32_t query);  /* of its sessions, best first */
struct query_head_row query_head_queries(const struct query_head *h, uint32_t doc); /* by number */
