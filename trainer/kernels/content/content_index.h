/* content_index.h - pure: vectors of documents and, the other way round, of each term the documents that have it; as one blob.
 *
 *   u32 documents | u32 terms | u64 end of each document's entries | u64 end of each term's | { u32 term, f32 weight } | { u32 document, f32 weight } */
#pragma once
#include "base/buf.h"
#include "base/mem.h"

struct content_entry {
    uint32_t number;
    float weight;
};
struct content_index {
    uint32_t documents, terms;
    const uint64_t *document_ends, *term_ends;
    const struct content_entry *by_document, *by_term;
};
/* ends: of each document in `entries`, whose terms are below `terms` and ascend within a document. */
void content_index_write(struct buf *b, uint32_t documents, uint32_t terms, const uint64_t *ends,
                         const struct content_entry *entries);
/* Borrows the blob, which lies at a multiple of 8. */
bool content_index_read(struct str blob, struct content_index *out, struct err *err) MUSTCHECK;

/* Cosines of a document with all others that share a term. */
struct content_scores {
    double *scores;
    uint32_t *touched;
    uint32_t touched_count;
};
struct best;
void content_scores_init(struct content_scores *s, const struct content_index *index, struct arena *arena);
/* Those of at least min_score, best first; without itself. */
void content_scores_best(struct content_scores *s, const struct content_index *index, uint32_t document,
                         double min_score, struct best *out);
