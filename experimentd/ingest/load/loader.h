/* loader.h - the thread that carries the journal into PostgreSQL: exactly once, because its position is written in the transaction of
 * the rows. PostgreSQL away: it waits and tries again (back-off up to 5 s). A row that PostgreSQL refuses is found by halving the
 * batch and set aside in DIR/rejects.ndjson with the reason; the rest goes on. */
#pragma once
#include <stdint.h>

#include "base/err.h"

/* The longest that it waits between tries. Refused clients are told to wait as long: room comes no sooner than PostgreSQL. */
enum { LOADER_BACKOFF_MAX_US = 5000000 };

struct journal;
struct loader;
struct pg;

struct loader_stats {
    uint64_t rows, duplicates, rejected;
    uint64_t damaged; /* places of the journal that could not be read; the log names file and offset */
    uint64_t batches;
    int64_t lag_us; /* age of the oldest record that is not loaded, as far as this process knows; 0: all is */
};

/* Up to where the database has the journal's records; *out_known: whether it has ever heard of it. */
bool loader_find_position(struct pg *pg, const struct journal *j, uint64_t *out_position, bool *out_known,
                          struct err *err) MUSTCHECK;
struct loader *loader_start(struct journal *j, const char *url, uint32_t unit_per_minute, struct err *err);
/* Loads what is synced, as far as PostgreSQL lets it within ten seconds, then ends. last: its figures at the end; may be NULL. */
void loader_stop(struct loader *l, struct loader_stats *last);
void loader_stats(const struct loader *l, struct loader_stats *out); /* any thread */
