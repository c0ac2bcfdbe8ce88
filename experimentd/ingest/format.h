/* format.h - the formats that clients send, the reasons why something is refused, and how many of each a worker has seen. */
#pragma once
#include "base/counter.h"
#include "base/err.h"
#include "base/str.h"

enum signal_format { FORMAT_NATIVE, FORMAT_UBI, FORMAT_SEGMENT, FORMAT_INSIGHTS, FORMAT_EXPOSURES, FORMAT_COUNT };
extern const char *const signal_format_names[FORMAT_COUNT]; /* "native", … */
bool signal_format_of(struct str name, enum signal_format *out, struct err *err) MUSTCHECK;

/* A closed set, for /metrics; the error's text says the rest. */
enum reject_reason {
    REJECT_MALFORMED,     /* no JSON, or another shape */
    REJECT_MISSING_FIELD, /* or empty */
    REJECT_UNKNOWN_FIELD,
    REJECT_BAD_FIELD,   /* its value or its type */
    REJECT_TOO_LARGE,   /* more elements than a request may hold */
    REJECT_DENIED,      /* not with this key */
    REJECT_TOO_FAST,    /* more events a second than the key may send */
    REJECT_UNAVAILABLE, /* the journal takes nothing: the client should come again */
    REJECT_REASON_COUNT
};
extern const char *const reject_reason_names[REJECT_REASON_COUNT]; /* "malformed", … */
/* From the kind, and of ERR_INVALID from how the text begins: errors name the field first. */
enum reject_reason reject_reason_of(const struct err *err);

/* One worker's; see counter.h. Signals and exposures when they are on disk; refused elements, and requests refused as a whole as one. */
struct ingest_counters {
    _Atomic uint64_t signals[FORMAT_COUNT], exposures[FORMAT_COUNT], rejected[FORMAT_COUNT][REJECT_REASON_COUNT];
};
