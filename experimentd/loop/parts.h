/* parts.h - what the files of the leader's part share. Inside experimentd/loop/. */
#pragma once
#include "base/pg.h"
#include "experimentd/config/snapshot.h"
#include "experimentd/loop/evidence.h"
#include "experimentd/loop/rule.h"
#include "experimentd/loop/spec.h"

enum loop_stmt {
    LOOP_SEEN, /* $1 model, or null for all → enum loop_column */
    LOOP_LOCK, /* $1 model: nobody else moves its aliases now */
    LOOP_STEP, /* $1 model, $2 step, $3 version, $4 experiment, $5 phase, $6 who, $7 reason, $8 evidence, $9 state or null */
    LOOP_POINT,      /* $1 model, $2 alias, $3 version, $4 who → {"version", "was"} or {"refused"} */
    LOOP_DROP_ALIAS, /* $1 model, $2 alias, $3 version or null, $4 who */
    LOOP_STATE,      /* $1 model, $2 state: a change that is no step */
    LOOP_STMT_COUNT
};
extern const struct pg_stmt loop_statements[LOOP_STMT_COUNT];

enum loop_column {
    LC_MODEL,
    LC_SPEC,
    LC_STATE,
    LC_CHAMPION,
    LC_CHALLENGER,
    LC_NEXT,
    LC_CHAMPION_BY,
    LC_CHALLENGER_BY,
    LC_EXPERIMENT_BY,
    LC_OVER,
    LC_FINGERPRINT,
    LC_COUNT
};

/* What model_loops.state holds of what is being tried. */
struct loop_trial {
    int version, against; /* the latter: the champion when it began */
    struct str experiment;
    int phase;
    int64_t since_us;
};

/* One loop as it is looked at in a turn; in the turn's arena. */
struct loop_case {
    struct pg *pg;
    struct arena *arena;
    const struct snapshot *s;
    struct str model, fingerprint;
    struct str champion_by, challenger_by, experiment_by; /* who moved it last; {NULL, 0}: nobody */
    struct loop_spec spec;
    enum loop_state state;
    struct loop_trial trial;
    struct str held, wished_by; /* why it could not go on, as it was told; {NULL, 0}: it could */
    struct loop_seen seen;
    const struct snapshot_experiment *e; /* of the trial, or the one that the loop would take; NULL: not there */
    struct loop_evidence evidence;
    const char *done[4]; /* steps of this turn's transaction, for the counters */
    size_t done_count;
};

/* acts.c: the action and its steps, in a transaction of its own. ERR_BUSY: somebody came in between, look again. *out_changed: the loop is not as it was. */
bool loop_act_run(struct loop_case *c, enum loop_act act, enum loop_event event, bool *out_changed,
                  struct err *err) MUSTCHECK;
/* Tells in the story, once, why the action was not done. */
bool loop_act_hold(struct loop_case *c, enum loop_act act, const struct err *why, bool *out_changed,
                   struct err *err) MUSTCHECK;
