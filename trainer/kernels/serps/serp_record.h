/* serp_record.h - pure: all searches of a query that were shown the same documents and got the same clicks, with how many they are.
 *
 * A query takes one record or, when it has more than SERP_RECORD_BYTES, several behind each other:
 *
 *   u32 bytes behind it | u8 1: the query's last one | text query | varint new documents, their texts | varint patterns, of each: u8 documents (bit 7: with
 *   propensities), varint number of each; varint clicked (bits); u8 place of the last click; varint count; varint held; float propensities
 *
 * A text is a varint length and bytes. Documents are numbered through all records of the query. */
#pragma once
#include "base/buf.h"
#include "trainer/kernels/serps/serp_shown.h"

enum { SERP_RECORD_BYTES = 256 << 10 };

struct serp_pattern {
    const uint32_t *docs;      /* by position: numbers in the query's documents */
    const float *propensities; /* of each, or NULL */
    uint64_t clicked;          /* bit i: the document at position i + 1 was clicked */
    uint64_t count, held; /* searches; of them to be trained on, and held out (the query's last ones, serp_log.h) */
    uint32_t n;           /* documents */
    uint8_t last;         /* place from 0 of the click that came last; 0 without any */
};

struct serp_query {
    struct str text; /* in the form of query_text.h */
    const struct str *docs;
    const struct serp_pattern *patterns; /* in an order of their contents */
    uint32_t docs_count, patterns_count;
    uint64_t sessions, held; /* sums of the patterns' */
    uint64_t clicks;         /* of sessions that are not held out */
};

typedef bool (*serp_bytes_fn)(void *arg, struct str record, struct err *err);
/* Gives the query's records. `scratch` is emptied. */
bool serp_query_write(const struct serp_query *q, struct buf *scratch, serp_bytes_fn fn, void *arg,
                      struct err *err) MUSTCHECK;

/* Puts records together again. Texts are borrowed from the records when they are read in place (`borrow`), else copied. */
struct serp_reader {
    struct arena arena; /* of the query */
    bool borrow, open;  /* open: more records of the query are to come */
    struct serp_query q;
    struct str *docs;
    struct serp_pattern *patterns;
    size_t docs_room, patterns_room;
};
void serp_reader_init(struct serp_reader *r, bool borrow);
void serp_reader_release(struct serp_reader *r);
/* Takes the next record off *block; *out_whole: with it r->q is a whole query, valid until the next call. False: it is damaged. */
bool serp_reader_take(struct serp_reader *r, struct str *block, bool *out_whole);
/* A copy in the arena; of a reader that borrows, texts stay borrowed. */
void serp_query_copy(const struct serp_query *q, struct arena *arena, struct serp_query *out);
