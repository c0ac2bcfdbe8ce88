/* counters.h - what /metrics says of jobs: of the ends that this daemon saw while it led. One lock: the jobs' thread writes, workers read. */
#pragma once
#include "base/buf.h"
#include "base/mem.h"

struct tally;
struct tally *tally_new(void);
void tally_free(struct tally *t);

void tally_lead(struct tally *t, bool leads);
void tally_open(struct tally *t, size_t running, size_t queued);
void tally_end(struct tally *t, struct str job, struct str type, struct str state, double seconds, int64_t finished_us);
void tally_success(struct tally *t, struct str job, struct str type,
                   int64_t finished_us); /* of an earlier leader's time */
void tally_write(struct tally *t, struct buf *b);
