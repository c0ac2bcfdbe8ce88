/* click_events.h - pure: what a day's clicks, carts, purchases … say of queries and documents, gathered by part of the queries, and as records.
 *
 * A record is one query under one set of filters with the events of some of its documents. They are single events still, with their instants, their
 * positions and a hash of who did it: so neither the weights of types, nor half-life, nor who is marked changes a day's records.
 *
 *   u32 bytes behind it | text filters | text query | of each document: text doc, varint events, of each: u64 hash of the unit, varint µs of the
 *   day, u8 number of the type, varint position (0 unknown)
 *
 * A text is a varint length and bytes; numbers are little-endian. Records are in an order of filters, query and document that depends on these texts
 * alone (intern.h), events in the order (unit, instant, type, position), so the bytes do not depend on the order in which signals came. A query with
 * more than CLICK_RECORD_BYTES takes several. */
#pragma once
#include "base/buf.h"
#include "trainer/kernels/signals/typed_queries.h"

enum { CLICK_RECORD_BYTES = 16 << 10, CLICK_TYPES_MAX = 16, CLICK_FILTERS_MAX = 1024, CLICK_DOC_MAX = 1024 };

struct click_event {
    uint32_t filters, query, doc; /* numbers in click_events' tables */
    uint32_t query_id;            /* whose filters it takes; CLICK_OWN: it has its own */
    uint64_t unit;
    int64_t at_us; /* of the day */
    int32_t position;
    uint8_t type;
};
#define CLICK_OWN UINT32_MAX

struct click_events {
    struct typed_queries queries;
    struct intern filters, docs, query_ids;
    struct click_source {
        bool known, request;
        int64_t at_us;
        uint32_t filters;
    } * sources; /* of each query id: the signal that tells its filters */
    size_t sources_room;
    struct click_event *list;
    size_t count, room;
};
#define CLICK_BLANK INTERN_NONE

struct click_signal {
    uint8_t type;
    int64_t at_us; /* of the day */
    int32_t position;
    uint64_t unit;
    uint32_t query, doc;
    struct str query_id; /* {NULL, 0}: filters need not be looked for */
    struct str filters;  /* {NULL, 0}: it has none of its own */
};

void click_events_init(struct click_events *e);
void click_events_release(struct click_events *e);
/* The signal's numbers are those of the tables. One with a blank query or document is left out. */
void click_events_add(struct click_events *e, const struct click_signal *s);
/* Under which filters the query of this id was: a request knows before a response, the earlier before the later. */
void click_events_source(struct click_events *e, struct str query_id, bool request, int64_t at_us, struct str filters);
/* Gives all records, part after part. */
typedef bool (*click_record_fn)(void *arg, uint32_t part, struct str record, struct err *err);
bool click_events_write(struct click_events *e, uint32_t parts, click_record_fn fn, void *arg,
                        struct err *err) MUSTCHECK;

/* The other way round: takes the next record off *block. Texts are borrowed. */
struct click_record {
    struct str filters, query, rest;
};
bool click_record_read(struct str *block, struct click_record *out);
/* Its next document, and how many events of it follow; false: there is none, or what is there is damaged (out_damaged). */
bool click_record_doc(struct click_record *r, struct str *out_doc, uint64_t *out_events, bool *out_damaged);
bool click_record_event(struct click_record *r, struct click_event *out);
