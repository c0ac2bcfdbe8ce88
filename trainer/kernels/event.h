/* event.h - pure: what the pass over days knows of one exposure or signal, and the one order of such events.
 *
 * Texts are borrowed. A program decides what is filled in (metrics_day.c): `session` when there are facts of sessions, `query` when
 * queries are compared by their texts. */
#pragma once
#include "trainer/kernels/program.h"

enum event_kind {
    EVENT_EXPOSURE,
    EVENT_REQUEST, /* a query */
    EVENT_RESPONSE,
    EVENT_CLICK,
    EVENT_CART,
    EVENT_PURCHASE,
    EVENT_OTHER, /* a signal of another type */
    EVENT_ROW,   /* of a fact of SQL: no signal */
    EVENT_KIND_COUNT
};

/* What the event adds to a fact of signals or SQL. */
struct event_hit {
    uint32_t fact;
    double value;
};

struct day_event {
    enum event_kind kind;
    uint32_t experiment; /* of an exposure: its number */
    int32_t position;    /* 0: unknown */
    uint32_t hits_count;
    int64_t at_us;
    struct str unit;
    struct str query_id; /* of an exposure: the variant */
    struct str
        query; /* text of a request; {NULL, 0} unknown. Of an exposure: its dimensions, "device=phone\ncountry=de" */
    struct str session;           /* the client's id; {NULL, 0} none was sent */
    double value;                 /* of a request or response the number of results; NAN unknown */
    const struct event_hit *hits; /* by fact, ascending */
    int64_t next_us;              /* of the unit's next later signal; INT64_MAX none. Filled by unit_days */
};

/* Signals of the day itself, that is: neither exposures nor rows. */
static inline bool event_is_signal(const struct day_event *e)
{
    return e->kind != EVENT_EXPOSURE && e->kind != EVENT_ROW;
}
enum event_kind event_kind_of(struct str type);
/* -1, 0, 1 by bytes. */
int event_compare_str(struct str a, struct str b);
/* Total orders of everything a kernel looks at: the order in which rows arrive cannot matter. For qsort. */
int event_by_unit_and_time(const void *a, const void *b);
int event_by_query_and_time(const void *a, const void *b);
