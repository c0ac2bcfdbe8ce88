/* unit_total.h - pure: unit-day records of one range of buckets in, day after day; what is kept of each unit in each experiment.
 *
 * A unit belongs to the variant of its first exposure. From that instant on its facts count; a unit that was seen in a second variant
 * counts in no metric from the day on which that is known, and is counted as a multiple exposure. What is kept are the columns of the
 * program that the experiment's metrics are made of; unit_cells.h makes moments of them.
 *
 * Memory: about 70 bytes and 8 for each column per unit and experiment; 16 for each value of a quantile metric; and of each unit that is
 * in an experiment the sums of each day on which it did something, 8 bytes and 8 for each fact. Of a unit whose exposure is still to come,
 * only those of the days that covariates reach back. */
#pragma once
#include "trainer/kernels/unit_day.h"

struct total_experiment {
    int32_t last_day;        /* up to which it counts; INT32_MAX: no end */
    const uint32_t *metrics; /* numbers of the program's, which it asks for */
    size_t metrics_count;
};

struct total_rules {
    const struct program *program;
    const struct total_experiment *experiments;
    size_t experiments_count;
};

/* A unit in one experiment. */
struct total {
    uint32_t experiment, variant; /* numbers; of unit_totals_variant */
    uint32_t dims;                /* number of unit_totals_dims: what was known at the first exposure */
    int32_t day;                  /* of the first exposure */
    int64_t at_us;
    bool several, marked;
    uint32_t unit, next, first_day; /* inside */
    size_t kept;                    /* inside */
};
/* Whether it counts in metrics. */
static inline bool total_counts(const struct total *t)
{
    return !t->several && !t->marked;
}

struct total_variant {
    uint32_t experiment;
    struct str key;
};

struct unit_totals;
/* The rules are borrowed. */
struct unit_totals *unit_totals_new(const struct total_rules *rules);
void unit_totals_free(struct unit_totals *t);
/* What this unit does counts in no metric; it is counted as marked. Before the first day. */
void unit_totals_mark(struct unit_totals *t, struct str unit);
/* The unit will be exposed: what it does before counts for covariates. Before the first day; not needed where nothing has any. */
void unit_totals_expect(struct unit_totals *t, struct str unit);
/* Records of one day, after those of all days before. */
void unit_totals_add(struct unit_totals *t, const struct unit_day *u, int32_t day);

const struct total_rules *unit_totals_rules(const struct unit_totals *t);
/* Totals of an experiment stand in the order in which units were first exposed, by day and then by name: the same whatever the workers do. */
size_t unit_totals_count(const struct unit_totals *t, uint32_t experiment);
const struct total *unit_totals_at(const struct unit_totals *t, uint32_t experiment, size_t i);
size_t unit_totals_variants(const struct unit_totals *t);
struct total_variant unit_totals_variant(const struct unit_totals *t, uint32_t variant);
size_t unit_totals_dims_count(const struct unit_totals *t);
struct str unit_totals_dims(const struct unit_totals *t, uint32_t dims); /* as in struct day_event */
/* The latest instant of an exposure or signal of the experiment's units; 0 none. */
int64_t unit_totals_last_us(const struct unit_totals *t, uint32_t experiment);

/* hash64 of the unit's name. */
uint64_t unit_total_hash(const struct unit_totals *t, const struct total *total);
/* What is kept in a column that the experiment's metrics name: a sum, or how many steps were reached. */
double unit_total_sum(const struct unit_totals *t, const struct total *total, uint32_t column);
/* The values of a column of values: copies up to `room` of them and returns how many there are. */
size_t unit_total_values(const struct unit_totals *t, const struct total *total, uint32_t column, double *out,
                         size_t room);
/* What a fact summed up to on the days since that of the first exposure, 0 to `days` - 1; of day 0 what came after the exposure. */
void unit_total_since(const struct unit_totals *t, const struct total *total, uint32_t fact, double *out, size_t days);
