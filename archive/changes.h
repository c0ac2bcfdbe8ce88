/* changes.h - the table day_changes: which days changed since somebody last looked.
 *
 * Each transaction that puts rows into a day, or changes or deletes some there, raises a number of (day, part of the buckets, head of the day
 * or rest); so what was computed of a day's rows holds as long as the numbers are what they were when it was computed, in the snapshot that it
 * was computed from. Loaders raise them (note_loaded_days), triggers all others; a change of which nobody knows the days raises a number of
 * all. What lies in archive files changes only with the list of files. */
#pragma once
#include "base/clock.h"

enum { CHANGES_PART_BUCKETS = 1024 };
/* A day's head: what is computed of the day before may look so far behind midnight. The migration says '01:00'. */
#define CHANGES_HEAD_US (INT64_C(3600) * US_PER_SECOND)
