/* click_query.h - pure: one query's searches, added up to what click models depend on; from serp_record.h, to the bytes that lie between passes, and back.
 *
 *   places  by document and position: clicks and skips. All that gctr … pbm depend on
 *   slots   likewise by document and slot (its position, and where the click before it was), for ubm
 *   lists   different lists of documents: how many searches of each had their last click at each position. What lies above the last click was looked at for
 *           certain, so of cm … ccm these and sums by document are all that is needed
 *
 * Of both what is trained on, and apart from it what is held out. A million searches of one query are some hundreds of these. Parameters of the documents lie
 * with the query, between passes, too. */
#pragma once
#include "base/buf.h"
#include "model/click_model.h"
#include "trainer/kernels/serps/serp_record.h"

/* Of one document: where the key says. */
struct click_cell {
    uint32_t doc, key; /* key: click_slot, or a position from 0 */
    uint32_t clicks, skips;
};
struct click_cells {
    const struct click_cell *of; /* by document, then key */
    size_t count;
};

/* Sums over searches, of a document. */
struct click_sums {
    uint32_t shown, clicks;
    uint32_t above;       /* not clicked, with a click further down: looked at for certain */
    uint32_t gone_on;     /* clicked, with a click further down */
    uint32_t at_end;      /* the last click, at the list's last position: what came then cannot be seen */
    uint32_t first;       /* first clicks */
    uint32_t above_first; /* not clicked, above the first click, or in a search without any */
    uint32_t last;        /* last clicks */
    uint32_t reached;     /* not clicked, above the last click, or in a search without any */
};
struct click_doc {
    struct click_sums train, held;
    double pbm, ubm, dbn, satisfied, ccm; /* parameters that EM improves: α of each, σ of dbn */
};

/* In `words`, one list behind the other: n, documents, searches whose last click is at position 1 … n by place, before them those without any. Of lists that
 * are held out there are behind it: clicks at each position. */
struct click_lists {
    const uint32_t *words;
    size_t count; /* words */
};
struct click_list {
    uint32_t n;
    const uint32_t *docs, *last /* n + 1: [0] no click */, *clicks /* of held ones */;
};
/* Takes the next list; false at the end. */
bool click_lists_next(struct click_lists *l, bool held, struct click_list *out);

struct click_query {
    struct str text;
    const struct str *docs;
    struct click_doc *of; /* of each document */
    uint32_t docs_count;
    struct click_cells places, slots, held_places, held_slots;
    struct click_lists train, held;
    uint64_t sessions, held_sessions;
};

/* In the arena. Fails when counts pass 32 bits. */
bool click_query_make(const struct serp_query *s, struct arena *arena, struct click_query *out,
                      struct err *err) MUSTCHECK;

#define CLICK_QUERY_BYTES_MAX ((size_t)1 << 30)
/* Bytes, in pieces that fit into records; `scratch` is emptied. */
typedef bool (*click_bytes_fn)(void *arg, struct str record, struct err *err);
bool click_query_write(const struct click_query *q, struct buf *scratch, click_bytes_fn fn, void *arg,
                       struct err *err) MUSTCHECK;
/* Puts pieces together again. *out_whole: *out is a query, in the arena. False: it is damaged. */
bool click_query_take(struct buf *gathered, struct str *block, struct arena *arena, bool *out_whole,
                      struct click_query *out);
