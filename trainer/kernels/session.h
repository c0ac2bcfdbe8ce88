/* session.h - pure: the signals of some units around one day in, the sessions that began on that day out. No database, no clock, no order of
 * input.
 *
 * A session is a run of one unit's signals in which no two neighbours lie further apart than the gap, and in which no two
 * neighbours carry different session ids of the client (a signal without one goes with both its neighbours). It belongs to the day on which it begins, so a day's sessions depend on
 * the signals from one gap before the day to the end of its last session, and on nothing else: computing days anew gives the same rows. */
#pragma once
#include "base/mem.h"

enum session_kind { SESSION_OTHER, SESSION_QUERY, SESSION_CLICK, SESSION_CART, SESSION_PURCHASE, SESSION_KIND_COUNT };
/* "request": a query; of other types click, cart and purchase are told apart. */
enum session_kind session_kind_of(struct str type);

struct session_event {
    int64_t at_us;
    struct str unit, session, query; /* {NULL, 0}: none; query counts of kind QUERY only */
    enum session_kind kind;
    double value; /* counts of kind PURCHASE only; NAN unknown */
};

struct session {
    struct str unit, id; /* the client's id; {NULL, 0}: none was sent */
    int64_t started_us, ended_us;
    int64_t signals, counts[SESSION_KIND_COUNT];
    double revenue;
    struct str first_query, last_query; /* {NULL, 0}: there was none */
};

/* events is sorted in place. fn is called in the order of units (bytes) and beginnings; texts are the events'. Sessions begin in
 * [from_us, to_us). */
typedef bool (*session_fn)(void *arg, const struct session *s, struct err *err);
bool sessions_find(struct session_event *events, size_t count, int64_t from_us, int64_t to_us, int64_t gap_us,
                   session_fn fn, void *arg, struct err *err) MUSTCHECK;
