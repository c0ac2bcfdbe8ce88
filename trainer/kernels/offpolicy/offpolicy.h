/* offpolicy.h - what the job "off-policy" and its kernels say to each other.
 *
 * A decision is a place of a list that was shown with a propensity of its own (with a logged target also of the whole list): response, else request, of a unit and a query id; `position` of the signal is that of the first
 * document. Its reward is Σ of what the types are worth of which the same unit has a signal with the same query id on that document, within the day
 * or the hour behind it.
 *
 * "offpolicy.day@1": decisions of a day and a range of buckets → struct decision_record, in parts by query; text: day_split.h. Collects for each fold and
 * position u64 decisions and f64 reward (struct decision_totals).
 * "offpolicy.policy@1": all days' decisions of a part → struct policy_counts, then struct policy_row of each, by (query, unit, instant, id, position);
 * blob 0: the model's file, if the other policy is one. */
#pragma once
#include "trainer/engine/task.h"
#include "trainer/kernels/signal_weights.h"

#define OFFPOLICY_DAY_KERNEL "offpolicy.day@1"
#define OFFPOLICY_POLICY_KERNEL "offpolicy.policy@1"
extern const struct kernel kernel_offpolicy_day, kernel_offpolicy_policy;

enum { OFFPOLICY_FOLDS_MAX = 10, OFFPOLICY_POSITIONS_MAX = 50 };
#define OFFPOLICY_BEHIND_US (INT64_C(3600) * 1000000)

enum offpolicy_target { TARGET_UNIFORM, TARGET_LOGGED, TARGET_MODEL, TARGET_COUNT };
extern const char *const offpolicy_target_names[]; /* ends with NULL */

struct decision_totals {
    uint64_t decisions[OFFPOLICY_FOLDS_MAX][OFFPOLICY_POSITIONS_MAX];
    double rewards[OFFPOLICY_FOLDS_MAX][OFFPOLICY_POSITIONS_MAX];
};

struct offpolicy_params {
    struct str archive; /* {NULL, 0}: none is known */
    struct str rewards; /* "click=1" */
    uint32_t folds;
    enum offpolicy_target target;
    uint32_t actions;   /* documents that may be shown for a query; 0: those that were */
    double temperature; /* of a model's scores; 0: its order */
    double prior;       /* decisions that a mean is drawn to the mean of all by */
    double means[OFFPOLICY_FOLDS_MAX][OFFPOLICY_POSITIONS_MAX]; /* of all rewards outside of the fold */
};
bool offpolicy_params_read(struct str json, struct arena *arena, struct offpolicy_params *out,
                           struct err *err) MUSTCHECK;
bool offpolicy_params_write(const struct offpolicy_params *p, struct arena *arena, struct str *out,
                            struct err *err) MUSTCHECK;
static inline uint32_t offpolicy_fold(uint64_t unit, uint32_t folds)
{
    return (uint32_t)((unit >> 32) % folds);
}

struct policy_counts {
    uint64_t decisions, queries;
    uint64_t silent;    /* decisions of queries that the model says nothing of, or without a logged target: left out */
    double unsupported; /* Σ over the others of the probability of documents that were never shown for the query */
};
struct policy_row {
    uint64_t unit;
    double reward, pscore, target, model, model_target; /* the last two NaN: there is no model of the rewards */
};
