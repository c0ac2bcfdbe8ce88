/* traffic.h - pure: how traffic is spread over queries, and where its head ends and its tail begins.
 *
 * A histogram: how many queries have how much traffic. It holds everything about the distribution, is small, and adds up in any order. Queries of equal traffic
 * are together in the head, or not in it.
 *
 * Head and tail by head/tail breaks (B. Jiang, The Professional Geographer 65, 2013), made for distributions of this shape: the head is what lies above
 * the mean; of what is left, the tail is what does not lie above its own mean; in between lies the torso. */
#pragma once
#include "base/buf.h"

struct traffic_step {
    uint64_t traffic, queries;
};
struct traffic {
    struct traffic_step *steps; /* ascending, once it was sorted */
    size_t count, room;
    uint64_t queries, total; /* Σ queries, Σ traffic */
};
void traffic_init(struct traffic *t);
void traffic_release(struct traffic *t);
void traffic_add(struct traffic *t, uint64_t traffic, uint64_t queries);
/* Sorts, and puts steps of equal traffic together. What follows expects it. */
void traffic_sort(struct traffic *t);
void traffic_write(const struct traffic *t, struct buf *out);
/* Adds what traffic_write wrote. */
bool traffic_read(struct traffic *t, struct str bytes, struct err *err) MUSTCHECK;

/* The head has at least so much traffic, the tail at most so much; tail < head. Of the head and the tail: < 0: found as above; 0 … 1: share of the queries; above:
 * how many queries, of which those of the last step are all in it, or, where that would be everything, none. */
struct traffic_cuts {
    uint64_t head, tail;
};
struct traffic_cuts traffic_cut(const struct traffic *t, double head, double tail);

/* Traffic of the first so many queries, most traffic first. */
uint64_t traffic_of_first(const struct traffic *t, uint64_t queries);
/* How many of the first queries it takes for this much traffic. */
uint64_t traffic_queries_for(const struct traffic *t, double traffic);
/* Queries with less traffic. */
uint64_t traffic_queries_below(const struct traffic *t, uint64_t traffic);
