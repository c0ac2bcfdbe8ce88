/* query_record.h - pure: all that is known of one query over the days of a window, as bytes.
 *
 *   u32 bytes behind it | text | u64 searches, zero results, clicks, sessions, units | of each list: u32 entries, of each: text, u64 count
 *
 * Texts of queries are in the form of query_text.h. Lists come best first: the greatest count, of equal ones by text (bytes), at most QUERY_LIST_MAX. */
#pragma once
#include "base/mem.h"
#include "trainer/kernels/record.h"

enum { QUERY_LIST_MAX = 200 };
enum query_list_kind {
    QUERY_DOCS, /* documents that were clicked for it, clicks */
    QUERY_NEXT, /* the next other query of the same session, how often */
    QUERY_SAME, /* other queries of the same sessions, in how many */
    QUERY_LIST_KIND_COUNT
};

struct query_entry {
    struct str text;
    uint64_t count;
};
struct query_list {
    const struct query_entry *entries;
    uint32_t count;
};
struct query_record {
    struct str text;
    uint64_t searches;
    uint64_t zero_results; /* of the searches, those that are known to have found nothing */
    uint64_t clicks;       /* all of them, beyond the list, too */
    uint64_t sessions;     /* with this query */
    uint64_t units;        /* who searched for it */
    struct query_list lists[QUERY_LIST_KIND_COUNT];
};

void query_record_write(struct buf *out, const struct query_record *q);
/* Takes the next record off *block. Texts are borrowed from it, lists lie in the arena; arena NULL: they are left empty. out_bytes: the record as it
 * is; NULL: not wanted. False: what is there is damaged. */
bool query_record_read(struct str *block, struct arena *arena, struct query_record *out, struct str *out_bytes);
