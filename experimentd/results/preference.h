/* preference.h - which of two rankings users prefer, of an experiment of kind interleave: read from the table preferences, and tested.
 *
 * The test that decides has the unit for its unit: each unit's mean score (1 a, -1 b, 0 tie, over its queries) is one observation, and the mean of
 * these is tested against 0 (preference_moments of stats/interleave/). Queries of one unit resemble each other, so that the sign test, which takes them for
 * independent, finds preferences that are not there once few units ask much; it stands beside, and so does the mean over queries with its standard
 * error clustered by unit. The effect is on the scale of Chapelle's delta: half a score, -1/2 … 1/2, 0 no preference.
 *
 * Looked at as declared: at any time by a confidence sequence over units; else by Student's t once the experiment has ended, and "not yet" before.
 * Planned looks are not kept of preferences: they too are read at the end. Of several pairs p is Holm's, unless multiplicity is none. */
#pragma once
#include "base/jsonw.h"
#include "experimentd/results/analysis.h"
#include "stats/interleave/preference.h"

/* What had come up to the end of a day, of variants a and b; b stands first in the experiment's list. */
struct preference_day {
    size_t a, b;
    int32_t day;
    struct preference_counts counts;
    struct moments means;
    struct moments2 sums;
};
struct preferences {
    int64_t as_of_us, published_us; /* 0: the job has not run */
    struct preference_day *days;    /* of a pair one behind the other, ascending */
    size_t days_count;
    struct str experiment;
};
struct preferences_list {
    struct preferences *p;
    size_t n;
};
/* From rows of QUERY_PREFERENCES. What the snapshot does not have any more, experiment or variant, is left out. */
void preferences_read(struct preferences_list *out, const struct snapshot *s, const PGresult *rows,
                      struct arena *arena);
/* Those of an experiment, empty when there are none; NULL: it is of another kind. */
const struct preferences *preferences_of(const struct preferences_list *list, const struct snapshot_experiment *e);
/* Units with a query; 0: none. */
int64_t preferences_units(const struct preferences *p);

/* The deciding test of one day. */
struct preference_tested {
    struct preference_users users;
    double delta, lo, hi, log_p; /* lo, hi: of delta */
    double rho;                  /* of the confidence sequence; 0: Student's t */
};
bool preference_test_day(const struct result *r, const struct preference_day *d, struct preference_tested *out,
                         struct err *err) MUSTCHECK;

struct preferred {
    const struct preference_day *days, *last; /* the last one is the result */
    size_t days_count;
    bool tested;
    struct str reason; /* why not */
    struct preference_tested test;
    double log_p_adjusted;
    struct preference sign;
    enum outcome outcome;
};
struct preferred_pairs {
    struct preferred *p;
    size_t n, tested;
    bool adjusted; /* Holm over those that were tested */
};
/* Every pair of the result's preferences. */
void preferences_test(struct preferred_pairs *out, const struct result *r, struct arena *arena);
/* Against the control, the one with the smallest p; NULL: none was tested. */
const struct preferred *preferences_strongest(const struct preferred_pairs *pairs);
/* "\"LTR\" is preferred to \"BM25\": delta +4.2 % (95 % interval 1.0 % to 7.4 %)." */
void preference_say(struct buf *b, const struct result *r, const struct preferred *p);
/* "preference" of the answer: null of other kinds of experiments. */
void preference_write(struct jsonw *w, const struct result *r, struct arena *arena);
