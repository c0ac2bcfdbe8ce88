/* health.h - can this experiment be believed: every check of it with its numbers, what they mean, and what to do.
 *
 * A finding is ok, a warning, an alarm, or says what is missing. Alarms of checks that spoil the numbers make the verdict "unhealthy"; the others
 * (data that stopped, an effect that wears off) only tell. Within a check that looks at many things (days, segments, metrics) the p-values are
 * adjusted by Holm, so that a whole check is wrong as rarely as one test. docs/health.md tells users.
 *
 * Pure: counts and moments in, findings out; memory from the arena. */
#pragma once
#include "base/jsonw.h"
#include "base/mem.h"
#include "experimentd/results/model.h"

/* Levels of p. SRM: A. Fabijan et al., KDD 2019. The others are looked at with every refresh, too, so they have the same. */
#define HEALTH_ALARM_P 0.001
#define HEALTH_WARNING_P 0.01
/* Share of the units that saw a second variant. */
#define HEALTH_MULTIPLE_WARNING 0.01
#define HEALTH_MULTIPLE_ALARM 0.1
/* Prior units of the sequential test (M. Lindon, A. Malek, NeurIPS 2022). */
#define HEALTH_SRM_CONCENTRATION 1e4
#define HEALTH_SILENCE_WARNING_US (6 * INT64_C(3600000000))
#define HEALTH_SILENCE_ALARM_US (24 * INT64_C(3600000000))
enum {
    HEALTH_EXPECTED_MIN = 5, /* units that a day or segment has to expect of each arm */
    HEALTH_USUAL_MIN = 20,   /* units a day below which a day without any is no surprise */
    HEALTH_UNITS_MIN = 100,  /* of an arm, for effects by day or segment */
    HEALTH_HISTORY_MIN = 8,  /* A/A tests for their p-values to say something */
    HEALTH_TEXT_MAX = 4000,
    HEALTH_ROWS_MAX = 50 /* rows of a finding that are told: the smallest p first */
};

enum health_state { HEALTH_UNKNOWN, HEALTH_OK, HEALTH_WARNING, HEALTH_ALARM, HEALTH_STATE_COUNT };
extern const char *const health_state_names[HEALTH_STATE_COUNT];

enum health_check {
    HEALTH_SPLIT,
    HEALTH_SPLIT_SEQUENTIAL,
    HEALTH_SPLIT_DAYS,
    HEALTH_SPLIT_SEGMENTS,
    HEALTH_ZERO_WEIGHT,
    HEALTH_MULTIPLE,
    HEALTH_MARKED,
    HEALTH_BEFORE,
    HEALTH_NOVELTY,
    HEALTH_SIMPSON,
    HEALTH_SILENCE,
    HEALTH_HISTORY,
    HEALTH_CHECK_COUNT
};
/* The words of a check; `spoils`: an alarm of it makes the verdict unhealthy. */
struct health_words {
    const char *key, *name, *means, *todo;
    bool spoils;
};
extern const struct health_words health_words[HEALTH_CHECK_COUNT];

/* ---- what is known; arrays of variants have one entry for each, in the experiment's order ---- */

/* Units by the day of their first exposure, of all of them (segment "") or of one value of a dimension. */
struct health_count {
    struct str segment; /* "device=phone" */
    int32_t day;
    int64_t *units, *several; /* that count; that were seen in a second variant and do not */
};
/* An A/A test that is over: the p of one metric, of a test of one look. */
struct health_aa {
    struct str metric;
    double p;
};
struct health_input {
    const struct result *r; /* with the parts of its primary metric */
    int64_t now_us;
    int64_t loaded_us;           /* when signals were last written to the database; 0: never */
    struct health_count *counts; /* by segment, then by day */
    size_t counts_count;
    const int64_t *marked; /* units of each variant that are left out as bots or internal; NULL: not known */
    double marked_share;   /* of the units that were looked at for that */
    struct health_aa *history;
    size_t history_count;
};

/* The counts, from rows of QUERY_HEALTH_COUNTS. A variant that the experiment does not have any more is left out. */
void health_read_counts(struct health_input *in, const struct snapshot_experiment *e, const PGresult *r,
                        struct arena *arena);

/* ---- what is found ---- */

struct health_row {
    struct str label;
    const int64_t *observed; /* one per variant; NULL: it is no count */
    const double *expected;
    double value, se;       /* NAN: none */
    double log_p, adjusted; /* natural logarithms; NAN: none */
};
struct health_finding {
    enum health_state state;
    struct str text;
    double log_p; /* that decides: adjusted where there are many; NAN: none */
    struct health_row *rows;
    size_t rows_count;
};
struct health {
    struct health_finding of[HEALTH_CHECK_COUNT];
    enum health_state worst;
};

void health_make(const struct health_input *in, struct arena *arena, struct health *out);
/* The first alarm that spoils the numbers, or HEALTH_CHECK_COUNT. */
enum health_check health_spoilt_by(const struct health *h);
/* For the verdict: r->spoilt and r->first_exposures of a result, from counts alone (the rest of *in is filled in). */
void health_tell(struct health_input *in, struct result *r, struct arena *arena);
void health_write(struct jsonw *w, const struct health_input *in, const struct health *h);

/* ---- the parts; each fills its finding ---- */

/* By p: alarm, warning or ok. */
enum health_state health_state_of(double log_p);
void health_unknown(struct health_finding *out, struct str why);
/* "p = 0.02"; and the text that was built, which is released. */
void health_add_p(struct buf *b, double log_p);
struct str health_take(struct buf *b, struct arena *arena);
/* Adjusts log_p of the rows by Holm, puts the smallest first, cuts them to HEALTH_ROWS_MAX, and sets log_p and state. rows: n > 0. */
void health_judge_rows(struct health_finding *out, struct health_row *rows, size_t n, struct arena *arena);
/* split.c */
void health_split(const struct health_input *in, struct arena *arena, struct health_finding *out);
void health_split_sequential(const struct health_input *in, struct arena *arena, struct health_finding *out);
void health_split_days(const struct health_input *in, struct arena *arena, struct health_finding *out);
void health_split_segments(const struct health_input *in, struct arena *arena, struct health_finding *out);
void health_zero_weight(const struct health_input *in, struct arena *arena, struct health_finding *out);
/* units.c */
void health_multiple(const struct health_input *in, struct arena *arena, struct health_finding *out);
void health_marked(const struct health_input *in, struct arena *arena, struct health_finding *out);
void health_silence(const struct health_input *in, struct arena *arena, struct health_finding *out);
/* effects.c */
void health_before(const struct health_input *in, struct arena *arena, struct health_finding *out);
void health_novelty(const struct health_input *in, struct arena *arena, struct health_finding *out);
void health_simpson(const struct health_input *in, struct arena *arena, struct health_finding *out);
void health_history(const struct health_input *in, struct arena *arena, struct health_finding *out);
