/* contest.h - interleaved queries as contests: from impressions and clicks to what each pair of variants came to, by day.
 *
 * A contest is one interleaved list (a signal of type "interleave", see experimentd/interleave/impression.h). Clicks of the same unit with the
 * same query id on its documents give credit to variants, by the method of the list: to owners, weighted ("credit"), or by ranks. A document that
 * is clicked twice counts once; clicks count whenever they come, for the day of the list. Of each pair of variants the one with more
 * credit wins the query; within CONTEST_TIE it is a tie, and so is a query without a click.
 *
 * Pure; texts in the arena or borrowed. The order in which lists and clicks came changes nothing. */
#pragma once
#include "base/mem.h"
#include "stats/moments.h"

enum { CONTEST_VARIANTS_MAX = 10 };
#define CONTEST_TIE 1e-9 /* credits of optimised lists are sums of reals */

struct contest_experiment {
    struct str key;
    struct str variants[CONTEST_VARIANTS_MAX]; /* the control first */
    size_t variants_count;
    int64_t from_us; /* lists shown before count nowhere */
    int32_t to_day;  /* nor behind this day */
};

struct contest {
    size_t experiment; /* its number */
    int64_t at_us;
    int32_t day;
    struct str unit, query_id;
    size_t n;
    struct str *docs;
    int8_t *owners;       /* INTERLEAVE_NEUTRAL: counts for nobody */
    double *credit;       /* of optimised lists, or NULL */
    uint16_t (*ranks)[2]; /* of balanced ones, or NULL */
    bool *clicked;
    size_t number; /* of its unit, by contests_sort */
};

/* What params say of a list. False: it is of no experiment that is known or out of its time, or nothing that this server wrote; unit and query id
 * are the caller's to fill in. */
bool contest_read(struct str params, int64_t at_us, const struct contest_experiment *experiments, size_t count,
                  struct arena *arena, struct contest *out);
/* By unit and query id; numbers the units. Returns how many there are. */
size_t contests_sort(struct contest *contests, size_t count);
/* Marks what was clicked, in contests that are sorted so. */
void contests_click(struct contest *contests, size_t count, struct str unit, struct str query_id, struct str doc);
/* The credit of each variant. */
void contest_credit(const struct contest *c, size_t variants, double *out_credit);

/* Of one pair (numbers of variants, a > b), all that came up to the end of `day`; `segment` of the table preferences is ''. No padding: kernels
 * hand it over as it lies in memory. */
struct contest_cell {
    int32_t experiment, a, b, day;
    int64_t wins_a, wins_b, ties;
    struct moments means; /* over units, of their mean scores: 1 a wins, -1 b wins, 0 tie */
    struct moments2 sums; /* over units: Σ score, queries */
};
typedef bool (*contest_cell_fn)(void *arg, const struct contest_cell *cell, struct err *err);
/* Cells of every experiment, pair and day that had a contest, in this order. Sorts the contests anew, by experiment and day. */
bool contests_cells(struct contest *contests, size_t count, size_t units, const struct contest_experiment *experiments,
                    struct arena *arena, contest_cell_fn fn, void *arg, struct err *err) MUSTCHECK;
/* Cells of ranges of units that have nobody in common, each in the order of contests_cells, → those of all units: on each day every range counts with
 * its last cell up to then. Merged in the order of the ranges. */
struct contest_cells {
    const struct contest_cell *p;
    size_t n;
};
bool contest_cells_merge(const struct contest_cells *ranges, size_t count, struct arena *arena, contest_cell_fn fn,
                         void *arg, struct err *err) MUSTCHECK;
