/* journal_file.h - the files of a journal: numbered by position, appended, synced, cut, read.
 *
 * A position counts record bytes since the journal began. Segment DIR/XXXXXXXXXXXXXXXX.seg holds records from the position of its
 * name on, behind a head of SEGMENT_HEAD_BYTES ("XDJ1", the journal's UUID). Space is allocated when a segment is made, so that a
 * full disk shows before a record is half written; unused space reads as zeros, which end the records. DIR/id names the journal; a lock
 * on DIR/lock (flock) says which process owns it, and ends with that process, however it ends. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "experimentd/ingest/journal/record.h"

enum { SEGMENT_HEAD_BYTES = 32 };

struct journal_file {
    char *dir;
    unsigned char id[16];
    uint64_t segment_bytes;
    int lock_fd;
    int fd;              /* of the segment that is written; -1 none */
    uint64_t start, end; /* positions: where that segment starts, where the next record goes */
};

/* Opens or makes the directory's journal and cuts a torn tail: everything behind the last whole record of the last segment.
 * ERR_CONFLICT when another live process has it. */
bool journal_file_open(struct journal_file *f, const char *dir, uint64_t segment_bytes, struct err *err) MUSTCHECK;
void journal_file_close(struct journal_file *f);
/* Appends and syncs. On failure nothing counts: the file is cut back to where it was, and the segment is given up. */
bool journal_file_append(struct journal_file *f, struct str bytes, struct err *err) MUSTCHECK;
/* The next record goes to this position, behind the end, in a new segment. */
void journal_file_go_to(struct journal_file *f, uint64_t position);
/* Deletes segments that end at or below the position (never the one that is written). */
void journal_file_forget(const struct journal_file *f, uint64_t position);
/* The first position that there is still a segment for. */
uint64_t journal_file_first(const struct journal_file *f);

/* Reading, from another thread, of what is synced. */
struct journal_reader {
    const char *dir;
    int fd;
    uint64_t start, position; /* of the segment; of the next record */
    int failed;               /* errno: the disk refused to read; no damage, try again */
    uint64_t bad;             /* records that were damaged and left out */
    struct buf buffer;        /* bytes of the segment */
    size_t at;                /* of the next record in the buffer */
};
void journal_reader_init(struct journal_reader *r, const char *dir, uint64_t position);
void journal_reader_release(struct journal_reader *r);
/* The next record before `limit` (a synced position, or UINT64_MAX while recovering); false when there is none. The payload is valid
 * until the next call. A damaged record with whole ones behind it is counted, logged with file and offset, and passed over, also when
 * its length is what is damaged; before a synced limit, where only whole records were written, also without one behind it. */
bool journal_reader_next(struct journal_reader *r, uint64_t limit, enum record_type *out_type, struct str *out_payload);
