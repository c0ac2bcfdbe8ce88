/* tail_row.h - pure: a tail query with its reason and rewriting, as bytes; and how many there are of which kind. */
#pragma once
#include "trainer/kernels/tail/tail_match.h"

struct tail_row {
    struct str text, head; /* head {"", 0}: it is rewritten to none */
    enum tail_reason reason;
    uint64_t searches, zero_results, clicks, head_searches, head_clicks;
    struct tail_evidence evidence; /* of a rewriting */
};
void tail_row_write(struct buf *out, const struct tail_row *row);
/* Texts are borrowed. False: the bytes are damaged, or used up. */
bool tail_row_read(struct str *in, struct tail_row *out);
/* Most searches first, of as many by text. */
int tail_row_compare(const void *a, const void *b);
/* Of sorted rows, those that are shown or used: the first `top` with a rewriting, and the first `examples` of each reason. Moves them to the
 * front; how many. */
size_t tail_rows_choose(struct tail_row *rows, size_t count, size_t top, size_t examples);

struct tail_sum {
    uint64_t queries, searches, zero_results, clicks;
};
enum tail_class { TAIL_CLASS_HEAD, TAIL_CLASS_TORSO, TAIL_CLASS_TAIL, TAIL_CLASS_COUNT };
extern const char *const tail_class_names[TAIL_CLASS_COUNT];
enum { TAIL_LENGTHS = 10 }; /* queries of 1, 2 … words; the last one: or more */
struct tail_counts {
    struct tail_sum lengths[TAIL_CLASS_COUNT][TAIL_LENGTHS];
    struct tail_sum reasons[TAIL_REASON_COUNT], rewritten[TAIL_REASON_COUNT]; /* of tail queries that were looked at */
    struct tail_sum seldom; /* tail queries that were not: searched too seldom, or too short */
};
void tail_sum_add(struct tail_sum *s, const struct query_record *q);
void tail_counts_add(struct tail_counts *c, const struct tail_counts *other);
