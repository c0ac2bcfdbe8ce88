/* live.h - the last that clients sent, and what they send now, for who wants to see it.
 *
 * Each worker has two rings of LIVE_RING records, one of what was taken and one of what was refused. It records LIVE_PER_SECOND of each a
 * second and leaves the rest out, so that what it costs does not grow with the load; for each watch it records as many more of what the
 * watch's filter picks, and counts for it what had to be left out. A ring's mutex is taken by its worker when it records and by who
 * looks, a few times a second. Sequence numbers order the rings' records; they go on growing over a restart. */
#pragma once
#include "base/mem.h"
#include "experimentd/ingest/live/live_record.h"

enum {
    LIVE_RING = 512, /* records of each kind of ring, a worker */
    LIVE_PER_SECOND =
        200, /* recorded of what was taken, and as many of what was refused: a worker; and shown to a watch */
    LIVE_LAST_MAX = 200, /* of each, shown at the beginning */
    LIVE_WATCHES_MAX = 16
};

struct live;
struct live_watch;

/* Workers may record from the first moment; all watches are closed before the end. */
struct live *live_new(unsigned workers, int64_t now_us);
void live_free(struct live *l);

/* From the worker's thread. live_wants says whether live_note could do anything with one of this kind now: asked once a request, so that
 * nothing is done for single signals while nobody watches and the second is full. A record costs 1.7 µs, a signal that is left out
 * while somebody watches 25 ns. */
bool live_wants(struct live *l, unsigned worker, enum live_kind kind, int64_t now_us);
void live_note(struct live *l, unsigned worker, const struct live_item *item);

struct live_entry {
    uint64_t sequence;
    enum live_kind kind;
    struct str json;
};
struct live_batch {
    struct live_entry *entries; /* oldest first */
    size_t count;
    uint64_t skipped; /* that the filter picks, but which came too fast */
};

/* What the rings hold, once. All texts are the arena's. Any thread. */
void live_last(struct live *l, const struct live_filter *f, struct arena *arena, struct live_batch *out);

/* From one thread. NULL with ERR_BUSY when LIVE_WATCHES_MAX are open. The first live_watch_next gives what the rings hold behind the
 * sequence number `after`, each later one what came since. */
struct live_watch *live_watch_open(struct live *l, const struct live_filter *f, uint64_t after, struct err *err);
void live_watch_next(struct live_watch *w, int64_t now_us, struct arena *arena, struct live_batch *out);
void live_watch_close(struct live_watch *w);
