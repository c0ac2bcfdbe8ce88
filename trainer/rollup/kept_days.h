/* kept_days.h - the data sets of a pass over (day × range of buckets): which are there from an earlier run, and which of this one are kept.
 *
 * A split is number day · ranges + range, and its data set depends on: the kernel and its program; the numbers of its day in day_changes; those
 * of the next day's head, or, where rules say so, of the whole day before and behind; and the archive files of these days (archive/changes.h,
 * store.h); and which database it is. All that is hashed into the name of its file (archive/kept.h). Everything is read through the run's own snapshot, so the name says
 * exactly what the kernel saw. */
#pragma once
#include "base/pg.h"
#include "trainer/engine/engine.h"

struct kept_rules {
    const char *kernel; /* with its version */
    struct str program; /* all that the kernel is told, but day and buckets */
    bool neighbours;    /* what lies on the day before and on all of the next day matters */
    uint32_t parts;     /* of each data set; 0: one */
    const int32_t *days;
    size_t days_count;
    uint32_t ranges;
};

struct kept_days;
/* `pg` is in the run's snapshot and holds the archive readers' lock for as long as kept files are used; `dir` is the archive's folder. The rules
 * are borrowed. */
struct kept_days *kept_days_open(struct pg *pg, const char *dir, const struct kept_rules *rules, struct err *err);
void kept_days_free(struct kept_days *k);
DEFINE_AUTO(struct kept_days *, kept_days_free)

/* The file of a split that need not be run, or NULL. */
const char *kept_days_find(const struct kept_days *k, uint32_t split);
size_t kept_days_found(const struct kept_days *k);
/* All that the split's data set depends on, hashed: struct engine_split's `seen`. */
struct str kept_days_seen(const struct kept_days *k, uint32_t split);
/* Keeps a data set: struct engine_pass' `on_dataset`, with the kept_days as its argument. So a run that dies leaves its days to the next one. A
 * failure costs the next run its time and is told, nothing more; when the connection has gone, and with it the lock, nothing is kept. */
void kept_days_add(void *kept, uint32_t split, const char *path);
/* Removes what this run did not use of its days: those of others, a run over another window may want. */
void kept_days_sweep(const struct kept_days *k);
/* Removes what was found, to be made again: a file may be damaged. */
void kept_days_distrust(struct kept_days *k);
