/* serp_day.h - pure: what the searches of a day were shown, and what was clicked of it: signals in, records in parts by query out; and back.
 *
 * A search is what has one unit and one query id. Its list is, of what there is: params.docs of its response, else of its request, else of its list that was
 * interleaved (serp_shown.h), else its impressions by their positions, up to the first position that is not known. Of several of one kind the earliest counts.
 * It counts for the day on which that list was shown. A click is one on a document of the list by the same unit with the same query id, within the day or
 * the hour behind it (SERP_DAY_BEHIND_US); several on one document count as the last of them. A search without a list, without an id or without a text is
 * left out.
 *
 *   u32 bytes behind it | text query | of each search: u64 hash of the unit, varint µs of the day, u8 documents (bit 7: with propensities), of each: varint
 *   local number and, when it is the first with this number, text; varint clicked documents, u8 place of each, from 0, in the order of time;
 *   propensities: float each
 *
 * Local numbers count the record's documents. Searches are in the order (part, query, instant, unit, id) of texts' own order, so the bytes do not depend on
 * the order in which signals came. Units are told apart still: marks that are set later change no day's records. */
#pragma once
#include "base/buf.h"
#include "trainer/kernels/serps/serp_shown.h"
#include "trainer/kernels/signals/typed_queries.h"

enum { SERP_DAY_RECORD_BYTES = 16 << 10, SERP_ID_BYTES = 256 };
#define SERP_DAY_BEHIND_US (INT64_C(3600) * 1000000)
#define SERP_NONE INTERN_NONE

/* The first ones are lists, in the order of preference. */
enum serp_event_kind { SERP_RESPONSE, SERP_REQUEST, SERP_INTERLEAVED, SERP_IMPRESSION, SERP_CLICK };

struct serp_event {
    uint64_t unit;
    int64_t at_us;                 /* of the day; up to SERP_DAY_BEHIND_US behind its end */
    uint32_t id, query, doc, list; /* numbers in the tables; SERP_NONE */
    int32_t position;              /* from 1; 0: unknown */
    uint8_t kind;
};

struct serp_list {
    uint32_t first, count; /* its documents, in `shown` */
    uint32_t propensities; /* where they begin; SERP_NONE: there are none */
};

struct serp_day {
    struct typed_queries queries;
    struct intern docs, ids;
    struct serp_event *events;
    size_t events_count, events_room;
    struct serp_list *lists;
    uint32_t *shown;
    float *propensities;
    size_t lists_count, lists_room, shown_count, shown_room, propensities_count, propensities_room;
};

void serp_day_init(struct serp_day *d);
void serp_day_release(struct serp_day *d);
uint32_t serp_day_list(struct serp_day *d, const struct serp_shown *s);
/* The event's numbers are those of the day's tables. Of one without id nothing is kept. */
void serp_day_add(struct serp_day *d, const struct serp_event *e);
/* Gives all records, part after part. */
typedef bool (*serp_day_fn)(void *arg, uint32_t part, struct str record, struct err *err);
bool serp_day_write(struct serp_day *d, uint32_t parts, serp_day_fn fn, void *arg, struct err *err) MUSTCHECK;

/* The other way round. Takes the next record off *block; then its searches. Texts are borrowed. False: it is damaged. */
struct serp_day_record {
    struct str query, rest;
    uint32_t docs; /* known so far */
};
struct serp_search {
    uint64_t unit;
    int64_t at_us;
    uint32_t docs[SERP_DOCS_MAX];    /* local numbers */
    struct str fresh[SERP_DOCS_MAX]; /* texts of those that are new, which have the next numbers */
    float propensities[SERP_DOCS_MAX];
    uint8_t clicks[SERP_DOCS_MAX]; /* places from 0, in the order of time */
    uint32_t count, fresh_count, clicks_count;
    bool randomised;
};
bool serp_day_read(struct str *block, struct serp_day_record *out);
bool serp_day_search(struct serp_day_record *r, struct serp_search *out);
