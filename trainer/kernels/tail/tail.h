/* tail.h - what the job "head-tail" and its kernels say to each other. All of them read records of queries, one part of the log a split, and have the
 * same params: JSON of struct tail_params, whose numbers are known one pass after the other.
 *
 * "tail.traffic@1" collects: u64 bytes of the histogram | the histogram (traffic.h) | of each word: text, u64 queries, searches, traffic.
 * "tail.head@1" collects the records of queries with traffic `head` or more, without what was searched next or in the same sessions.
 * "tail.match@1" has two blobs, the records of the head and words that are not rare (text, u64 queries); it collects struct tail_counts | rows
 * (tail_row.h). */
#pragma once
#include "trainer/engine/task.h"
#include "trainer/kernels/tail/tail_row.h"
#include "trainer/kernels/tail/traffic.h"

#define TAIL_TRAFFIC_KERNEL "tail.traffic@1"
#define TAIL_HEAD_KERNEL "tail.head@1"
#define TAIL_MATCH_KERNEL "tail.match@1"
extern const struct kernel kernel_tail_traffic, kernel_tail_head, kernel_tail_match;

enum { TAIL_EXAMPLES = 5 };

struct tail_params {
    bool by_searches;      /* traffic is searches, not clicks */
    uint64_t head, tail;   /* traffic_cuts */
    uint64_t queries;      /* of the log */
    uint64_t min_searches; /* of a tail query */
    uint64_t min_chars;
    uint64_t top; /* rewritings */
    struct tail_rules rules;
};
bool tail_params_write(const struct tail_params *p, struct arena *arena, struct str *out, struct err *err) MUSTCHECK;
bool tail_params_read(struct str json, struct tail_params *out, struct err *err) MUSTCHECK;

static inline uint64_t tail_traffic_of(const struct tail_params *p, const struct query_record *q)
{
    return p->by_searches ? q->searches : q->clicks;
}
