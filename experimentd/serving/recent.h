/* recent.h - the documents that units chose lately, as this daemon took them in: what a model of last night does not know yet.
 *
 * A table of a fixed size, in sets of RECENT_WAYS units; of a full set the unit that was seen longest ago gives way. A unit is known by hash64 of
 * its id alone (that two share one has odds 2^-64 a pair). Its documents lie in RECENT_UNIT_BYTES, newest first, at most RECENT_DOCS; one
 * that comes again moves to the front and keeps the greater weight; older than RECENT_AGE_HOURS they are not told. Memory is reserved at once and
 * used as units come. Any thread; a lock for every 1/64 of the sets, held for a copy. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "model/recommend.h"

enum { RECENT_WAYS = 4, RECENT_UNIT_BYTES = 1024, RECENT_DOCS = 32, RECENT_AGE_HOURS = 48 };

struct recent;

struct recent *recent_new(size_t limit_bytes); /* 0: keeps nothing */
void recent_free(struct recent *r);
/* What a signal of this type says of a document: of click 1, cart 10, purchase 25, as the jobs' defaults are; 0: nothing. */
double recent_weight(struct str type);
void recent_note(struct recent *r, struct str unit, struct str doc, double weight, int64_t at_us);
/* Newest first, in the arena; the number of events. */
size_t recent_get(struct recent *r, struct str unit, int64_t now_us, struct arena *arena, struct recommend_event **out);
void recent_forget(struct recent *r, uint64_t unit_hash);
/* Units that are known now, and the most there is room for. */
void recent_stats(struct recent *r, uint64_t *out_units, uint64_t *out_room);
