/* ages.h - how old the results of the running experiments are, for /metrics: a page that is asked for each few seconds, and also while the
 * database is away, so what it tells is read by the control thread and kept here. */
#pragma once
#include "base/buf.h"

struct ages;
struct pg;

struct ages *ages_new(void);
void ages_free(struct ages *a);
/* Control thread, once a second: reads them again when that is due. After a failure what was known stays, and grows older. */
void ages_turn(struct ages *a, struct pg *pg);
/* Any thread. Prometheus' text: seconds since results were computed, or, until they are, since the experiment began; and since the last
 * signal or exposure that they count. */
void ages_write(struct ages *a, int64_t now_us, struct buf *b);
