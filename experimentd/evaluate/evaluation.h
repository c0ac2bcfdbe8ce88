/* evaluation.h - one unit on the published snapshot: what every front door (/v1/assign, OFREP, /api/eval, interleaving) shares, so that
 * all of them give the same unit the same variant.
 *
 *   struct evaluation *e = evaluation_new(req, worker, unit);      in the request's arena
 *   e->unit.attributes = …;  e->unit.url = …;                      what else is known
 *   evaluations_begin(&e, 1, on_ready, arg);                       → on_ready, at once or when sticky assignments were read
 *     evaluation_feature(e, i, &answer) …                          as often as wanted
 *     evaluation_commit(e)                                         exposures and sticky assignments are recorded
 *     http_reply…
 *
 * A request that is refused before evaluation_commit has exposed nobody. */
#pragma once
#include "assign/assign.h"
#include "experimentd/config/snapshot.h"

struct worker;
struct pending_exposure;
struct pending_sticky;

enum { EVALUATION_BYTES_MAX = 8 << 20 };

struct evaluation {
    struct http_request *req;
    struct worker *worker;
    const struct snapshot *snapshot; /* from evaluations_begin on; valid until the callback returns */
    struct assign_unit unit;         /* the caller fills in attributes, url, forced_variations, forced_features */
    struct str id;                   /* of the unit; the attribute "id" when the attributes have none */
    int64_t at_us;                   /* of the exposures */
    bool silent;                     /* records no exposure: QA keys, dry runs */
    bool drafts;                     /* QA keys: experiments that are drafts are evaluated as if they ran */
    struct assign_session *session;
    struct assign_arena arena; /* the request's, as libassign wants it */
    size_t arena_bytes;        /* given so far; at most EVALUATION_BYTES_MAX */
    /* A client that reports exposures itself is told of them instead: then none is recorded. */
    void (*on_exposure)(void *arg, const struct assign_run *run);
    void *on_exposure_arg;
    bool bulk; /* most features will be asked for: set before evaluations_begin, hashes them together */
    const struct assign_value
        *experiments; /* list of the names that will be asked for; NULL: any may be. Before evaluations_begin */
    struct pending_exposure *exposures, **exposures_end;
    struct pending_sticky *stickies;
};

/* One feature's answer. */
struct evaluation_answer {
    struct assign_result result;
    const struct snapshot_rule *rule;             /* that answered; NULL: none, the default value */
    const struct snapshot_experiment *experiment; /* that the unit is in or is forced into; NULL: none */
    int variant;                                  /* of it, or -1 */
    const char *
        reason; /* "split", "forced", "held_out", "targeting", "not_in_coverage", …: docs/assignment.md has the table */
};

/* The unit's id may be {NULL, 0}: then only attributes are hashed. at_us is now. */
struct evaluation *evaluation_new(struct http_request *req, struct worker *worker, struct str id);
/* For e->experiments: this one. */
const struct assign_value *evaluation_only(const struct evaluation *e, struct str experiment);
typedef void (*evaluations_fn)(struct evaluation **list, size_t n, void *arg);
/* Calls `ready` once: before it returns when no sticky assignment has to be read, else on a later turn of the loop. */
void evaluations_begin(struct evaluation **list, size_t n, evaluations_fn ready, void *arg);
/* False with ERR_TOO_LARGE when the request's memory limit is passed. */
bool evaluation_feature(struct evaluation *e, size_t feature, struct evaluation_answer *out, struct err *err) MUSTCHECK;
/* Whether the unit is in this experiment, with the reason why not; out->experiment is then NULL. One that e->unit.forced_variations names
 * is answered as forced without a look at anything else (QA). */
bool evaluation_experiment(struct evaluation *e, const struct snapshot_experiment *x, struct evaluation_answer *out,
                           struct err *err) MUSTCHECK;
/* ERR_INVALID naming the attribute when a value that is hashed is longer than a unit may be. After evaluations_begin. */
bool evaluation_check(const struct evaluation *e, struct err *err) MUSTCHECK;
void evaluation_commit(struct evaluation *e);
