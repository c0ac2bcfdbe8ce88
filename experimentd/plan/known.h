/* known.h - what a plan is made from: the traffic of the last weeks, and how a metric was in the control arm that was measured last.
 *
 * Read from the rows of QUERY_PREFLIGHT_TRAFFIC and QUERY_PREFLIGHT_BASELINE, or given by hand. What cannot be had (a timeout, a metric that nobody
 * has measured) says why; it fails nothing. */
#pragma once
#include <libpq-fe.h>

#include "base/jsonw.h"
#include "base/mem.h"
#include "experimentd/config/snapshot.h"
#include "experimentd/plan/traffic.h"

/* Four whole weeks, so that each weekday counts as often as any other, and no day more than another. */
enum { KNOWN_WEEK = 7, KNOWN_DAYS = 4 * KNOWN_WEEK };

/* Distinct units of the last whole weeks. Of big traffic only some are counted, for fewer weeks or days, and scaled up. */
struct known_traffic {
    const char *why_not;      /* NULL: the rest holds */
    int64_t until_us;         /* 0: given by hand */
    int days;                 /* that were looked at: of a young site one week, up to KNOWN_DAYS */
    double share;             /* of the units that were counted */
    double units;             /* in all the days */
    double daily[KNOWN_DAYS]; /* [0]: the last 24 hours */
};

/* A control arm, lately. */
struct known_baseline {
    const char *why_not;   /* NULL: the rest holds */
    struct str experiment; /* {NULL, 0}: given by hand */
    int64_t as_of_us, n;
    double mean,
        variance; /* of a unit; of a ratio by the delta method; of a quantile n se², without what ranks made it too large by */
    double rank_sd;     /* of a quantile, whose standard error comes from ranks (plan.h); 0: it is none */
    bool is_share;      /* a unit has it or not: proportion, retention, funnel */
    bool has_reduction; /* covariates are known */
    double reduction;   /* of the variance by them, 1 - ρ² */
};

void known_traffic_read(struct known_traffic *out, const PGresult *r, const struct err *err, struct arena *arena);
void known_baseline_read(struct known_baseline *out, struct str metric, const struct snapshot *s, const PGresult *r,
                         const struct err *err, struct arena *arena);
/* As growing units; none when why_not. */
struct traffic known_traffic(const struct known_traffic *t);
void known_write_traffic(struct jsonw *w, const struct known_traffic *t);
void known_write_baseline(struct jsonw *w, const struct known_baseline *b);
