/* query.h - pure: one query of a unit, and what the facts of queries ask of it (metric/metric.h says what each of them is). */
#pragma once
#include "trainer/kernels/event.h"

struct query {
    int64_t at_us;
    struct str text;                /* {NULL, 0}: unknown */
    double results;                 /* NAN: unknown */
    const struct day_event *events; /* with its id, in the order of time, from its request on */
    size_t count;
    int64_t next_us; /* of the unit's next query; INT64_MAX: none is known */
    struct str next_text;
};

/* NAN: there is no value. f is a fact of queries. */
double query_measure(const struct query *q, const struct metric_fact *f);
