/* segments.h - pure: the segments that units of an experiment fall into, from what was known of them at their first exposure.
 *
 * A unit is in one segment of each dimension that any of the units has: "device=phone", or "device=(none)". Of each dimension the
 * SEGMENTS_VALUES_MAX most frequent values have a segment (of equally frequent ones the first by bytes), the others share
 * "device=(other)". */
#pragma once
#include "base/mem.h"

enum { SEGMENTS_VALUES_MAX = 50, SEGMENTS_DIMENSIONS_MAX = 16, SEGMENT_VALUE_MAX = 100 };
#define SEGMENT_NONE "(none)"
#define SEGMENT_OTHER "(other)"

struct segments {
    struct str *names; /* "DIM=VALUE" */
    size_t count, dimensions;
    uint32_t *of; /* of each text, `dimensions` numbers of segments */
};

/* texts: different lists of "DIM=VALUE" lines (event.h), and how many units have each. Everything is the arena's. */
void segments_find(const struct str *texts, const int64_t *units, size_t count, struct arena *arena,
                   struct segments *out);
/* The dimension of a segment's name, without "=". */
struct str segment_dimension(struct str name);
