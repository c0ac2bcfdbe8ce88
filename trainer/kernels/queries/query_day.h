/* query_day.h - pure: the searches, responses and clicks of a day → what it says of each query, by unit, as records in parts by query; and back.
 *
 * A session is a run of one unit's events in which no two neighbours lie further apart than the gap, and in which no two neighbours carry different
 * session ids of the client. A day knows the events of QUERY_DAY_BEHIND_US behind it and none before it: a session that goes on behind midnight is
 * followed that far, and what it goes on with counts as a session of the next day, too. What is counted:
 *
 *   searches   requests; those with one query id and one text are one
 *   zero       searches of which a response (or the request) says that nothing was found, and none that something was. A response belongs to the
 *              request with its query id, one without an id to the last search before it in the session
 *   sessions   of each query: those in which it is searched; it counts for the day of the session's first search for it
 *   click      documents that were chosen for the query
 *   next       the next search of the session, if it is for another query
 *   same       another query of the session, of the first QUERY_SESSION_MAX that differ; for the day of the earlier of the two, and for both of them
 *
 * A record is one query with some of its units. They are told apart still, by a hash, so marks that are set later change no day's records.
 *
 *   u32 bytes behind it | text query | of each unit: u64 hash, varint facts, of each: u8 kind, varint count, varint bytes and text of the other side
 *
 * The query "" holds the number of sessions with any query. Records come in an order that depends on texts alone, so the bytes do not depend on the
 * order of events. */
#pragma once
#include "base/buf.h"
#include "trainer/kernels/signals/typed_queries.h"

enum { QUERY_DAY_RECORD_BYTES = 16 << 10, QUERY_DOC_MAX = 512, QUERY_SESSION_MAX = 50 };
#define QUERY_DAY_BEHIND_US (INT64_C(3600) * 1000000)
#define QUERY_NONE INTERN_NONE

enum query_event_kind { QUERY_REQUEST, QUERY_RESPONSE, QUERY_CLICK };
enum query_results { QUERY_RESULTS_UNKNOWN, QUERY_RESULTS_NONE, QUERY_RESULTS_SOME };

struct query_event {
    uint64_t unit;
    int64_t at_us;                    /* of the day; up to QUERY_DAY_BEHIND_US behind its end */
    uint32_t query, doc, id, session; /* numbers in the tables; QUERY_NONE */
    uint8_t kind, results;
};

enum query_fact_kind {
    QUERY_FACT_SEARCHES,
    QUERY_FACT_ZERO,
    QUERY_FACT_SESSIONS,
    QUERY_FACT_CLICK, /* other: the document */
    QUERY_FACT_NEXT,  /* other: the other query */
    QUERY_FACT_SAME,
    QUERY_FACT_KIND_COUNT
};

struct query_day {
    int64_t gap_us;
    struct typed_queries queries;
    struct intern docs, ids, sessions;
    struct query_event *events;
    size_t events_count, events_room;
    struct query_fact *facts;
    size_t facts_count, facts_room;
};

void query_day_init(struct query_day *d, int64_t gap_us);
void query_day_release(struct query_day *d);
/* The event's numbers are those of the day's tables. */
void query_day_add(struct query_day *d, const struct query_event *e);
/* Gives all records, part after part. */
typedef bool (*query_day_fn)(void *arg, uint32_t part, struct str record, struct err *err);
bool query_day_write(struct query_day *d, uint32_t parts, query_day_fn fn, void *arg, struct err *err) MUSTCHECK;

/* The other way round. Takes the next record off *block; then its units, and their facts. Texts are borrowed. False: it is damaged. */
struct query_day_record {
    struct str query, rest;
};
bool query_day_read(struct str *block, struct query_day_record *out);
bool query_day_unit(struct query_day_record *r, uint64_t *out_unit, uint64_t *out_facts);
bool query_day_fact(struct query_day_record *r, enum query_fact_kind *out_kind, struct str *out_other,
                    uint64_t *out_count);
