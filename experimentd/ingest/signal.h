/* signal.h - the one form that every format is turned into. All text is borrowed (from the request's arena or the body). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "experimentd/marks/details.h"

#define SIGNAL_POSITION_NONE 0 /* positions count from 1 */

#define SIGNAL_AHEAD_MAX_US (INT64_C(5) * 60 * US_PER_SECOND) /* what clocks of clients may run ahead */

/* Limits of a signal's texts, in bytes: a client error beyond them. */
enum {
    SIGNAL_ID_MAX = 256,
    SIGNAL_TYPE_MAX = 64,
    SIGNAL_UNIT_MAX = 256,
    SIGNAL_QUERY_MAX = 4096,
    SIGNAL_DOC_MAX = 512,
    SIGNAL_PARAMS_MAX = 65536
};

struct signal {
    unsigned char id[16]; /* UUID; from the client's id by hash, else version 7 */
    bool client_id;       /* the client gave an id: a repeat is found by it */
    int64_t at_us;
    int64_t received_us;
    bool ahead;      /* the client's time was too far ahead: at_us is received_us, params hold "client_time" */
    struct str type; /* request, response, click, cart, purchase, annotation, login, or any [a-z0-9_.-]+ */
    struct str unit;
    struct str user;   /* the logged-in user, {NULL, 0}: not known */
    bool unit_is_user; /* nothing but the user is known: the loader looks for its unit (identity.h) */
    struct str session, query_id, query, doc; /* {NULL, 0}: absent */
    int32_t position;                         /* SIGNAL_POSITION_NONE: absent */
    double value;                             /* NAN: absent. Of a response: its number of results */
    struct str params;                        /* JSON object text, or {NULL, 0} */
    struct details client;                    /* who sent it, as the event tells; for its mark only, never stored */
    enum mark mark;                           /* why it is left out of what is computed */
};

struct exposure {
    int64_t at_us;
    struct str experiment, variant, unit;
    bool unit_is_user;
    enum mark mark;
    struct str
        attributes; /* of the unit, a JSON object as the client gave it, or {NULL, 0}: for its dims only, never stored */
    struct str dims; /* the declared ones of them (dimensions.h), or {NULL, 0} */
};

/* The checks that are the same for every format: lengths, UTF-8, allowed bytes of type, time within reason. Names the field.
 * A signal more than SIGNAL_AHEAD_MAX_US ahead of its receipt is stored at its receipt; params (then in the arena) keep the time given.
 * Addresses in params are shortened; what params tell of the client goes to s->client (details.h). */
bool signal_check(struct signal *s, struct arena *arena, struct err *err) MUSTCHECK;
bool exposure_check(const struct exposure *e, struct err *err) MUSTCHECK;
