/* event_units.h - pure: events in any order in, unit after unit out.
 *
 * Rows of a day come by time (partitions) or by unit (archive files), never by name of unit and time together. So events are counted into their
 * units, which costs the same for any order, and only the few of one unit are sorted. Memory: 8 bytes an event, some 50 a unit, and the
 * events of one unit twice. */
#pragma once
#include "trainer/kernels/event.h"

/* Called for each unit, in the order of names (bytes), with its events in the order of event_by_unit_and_time. They are copies, which fn may
 * change until it returns. */
typedef bool (*event_unit_fn)(void *arg, struct day_event *events, size_t count, struct err *err);
/* Faster where neighbours of one unit share the bytes of its name. */
bool event_units(const struct day_event *events, size_t count, event_unit_fn fn, void *arg, struct err *err) MUSTCHECK;

/* Events of one unit, in the order of event_by_unit_and_time, into that of event_by_query_and_time. scratch: room for as many. */
void event_sort_by_query(struct day_event *events, size_t count, struct day_event *scratch);
