/* foreign.h - what one event of a foreign format (UBI, Segment, Insights) becomes, and how such a body is read: a JSON tree, leniently, since
 * what clients send differs from what their schemas say. */
#pragma once
#include <jansson.h>

#include "base/mem.h"
#include "experimentd/ingest/signal.h"

enum { EVENTS_PER_REQUEST_MAX = 10000 };

struct foreign_event {
    struct signal *signals; /* in the arena */
    size_t signals_count;
    struct exposure exposure;
    bool has_exposure;
};

/* One per element, with its JSON: the event, or the reason why it is none (err). Returns false to stop. */
typedef bool (*foreign_fn)(void *arg, size_t index, const json_t *json, const struct foreign_event *event,
                           const struct err *err);

/* Adds a signal, a copy. */
void foreign_add(struct foreign_event *e, const struct signal *s, struct arena *arena);

/* ---- lenient access ---- */

/* The first of the names that is there and neither null nor ""; b may be NULL. */
json_t *lenient_any(json_t *object, const char *a, const char *b);
/* Text of a string or a number (ids are sent as both); {NULL, 0}: neither. */
struct str lenient_text(json_t *v, struct arena *arena);
struct str lenient_field(json_t *object, const char *a, const char *b, struct arena *arena);
/* An object as compact text; {NULL, 0}: it is none, or empty. */
struct str lenient_object(json_t *v, struct arena *arena);
/* A unit's attributes that came with an event: the object "attributes" of its fields, else those themselves; {NULL, 0}: none. */
struct str lenient_attributes(json_t *fields, struct arena *arena);
/* A finite number, also one that was sent as text; NAN: neither. */
double lenient_number(json_t *v);
/* A whole number from 1, or SIGNAL_POSITION_NONE. */
int32_t lenient_position(json_t *v);
/* Text or number of clock.h's forms; *out stays when the field is absent. The error names the field. */
bool lenient_time(json_t *object, const char *name, int64_t *out, struct arena *arena, struct err *err) MUSTCHECK;
/* A name in the letters that a type may have: "Product Clicked" → "product_clicked". */
struct str lenient_type(struct str name, struct arena *arena);
