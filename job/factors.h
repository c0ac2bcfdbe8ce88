/* factors.h - parameters of the jobs that learn vectors of units and items (docs/recommenders.md); for job/types.c alone. */
#pragma once
#include "job/items.h"

/* What they end with (trainer/jobs/factor_lists.h). */
#define FACTOR_PARAMS                                                                                     \
    { .name = "factors",                                                                                  \
      .type = JOB_WHOLE,                                                                                  \
      .fallback = "64",                                                                                   \
      .min = 1,                                                                                           \
      .max = 1000,                                                                                        \
      .help = "numbers that a unit and an item are described by" },                                       \
        { .name = "num_items",                                                                            \
          .type = JOB_WHOLE,                                                                              \
          .fallback = "50",                                                                               \
          .min = 1,                                                                                       \
          .max = 1000,                                                                                    \
          .unit = "items",                                                                                \
          .help = "of the list of a unit, and of the popular ones" },                                     \
        { .name = "num_similar",                                                                          \
          .type = JOB_WHOLE,                                                                              \
          .fallback = "20",                                                                               \
          .min = 1,                                                                                       \
          .max = 1000,                                                                                    \
          .unit = "items",                                                                                \
          .help = "of the list of an item" },                                                             \
    {                                                                                                     \
        .name = "num_users", .type = JOB_WHOLE, .fallback = "10", .min = 0, .max = 1000, .unit = "units", \
        .help = "of the list of units for an item; 0: there are no such lists"                            \
    }

static const char *const als_solvers[] = { "cg", "cholesky", NULL };
static const struct job_param als_params[] = {
    MODEL("als"),
    AS_OF,
    DAYS("180"),
    HOLDOUT("1"),
    ITEMS_WEIGHTS("click=1,cart=10,purchase=25"),
    HALF_LIFE("0"),
    ITEMS_MATRIX("2", "2", "1000"),
    MIN_UNITS("100"),
    FACTOR_PARAMS,
    { .name = "alpha",
      .type = JOB_REAL,
      .fallback = "1",
      .min = 0,
      .max = 1e6,
      .open = true,
      .help = "how much surer a signal of weight 1 makes: confidence is 1 + alpha * weight" },
    { .name = "lambda",
      .type = JOB_REAL,
      .fallback = "5",
      .min = 0,
      .max = 1e6,
      .open = true,
      .help = "how much large factors cost: more of it for little data" },
    { .name = "iterations",
      .type = JOB_WHOLE,
      .fallback = "15",
      .min = 1,
      .max = 1000,
      .help = "of units, then items" },
    { .name = "solver",
      .type = JOB_CHOICE,
      .fallback = "cg",
      .choices = als_solvers,
      .help = "cg: some steps of conjugate gradients, faster and nearly as good; cholesky: exact" },
    { .name = "cg_steps", .type = JOB_WHOLE, .fallback = "3", .min = 1, .max = 100, .help = "solver=cg: so many" },
    SEED,
    GATE_PARAMS(job_recommender_metrics, "ndcg@10"),
    GATE_LISTS("0.8"),
    RANGES,
    FULL,
};

static const struct job_param bpr_params[] = {
    MODEL("bpr"),
    AS_OF,
    DAYS("180"),
    HOLDOUT("1"),
    ITEMS_WEIGHTS("click=1,cart=10,purchase=25"),
    HALF_LIFE("0"),
    ITEMS_MATRIX("2", "2", "1000"),
    MIN_UNITS("100"),
    FACTOR_PARAMS,
    { .name = "epochs",
      .type = JOB_WHOLE,
      .fallback = "60",
      .min = 1,
      .max = 10000,
      .help = "in each, as many pairs are drawn as there are interactions" },
    { .name = "learning_rate",
      .type = JOB_REAL,
      .fallback = "0.05",
      .min = 0,
      .max = 10,
      .open = true,
      .help = "how far a pair that is in the wrong order moves its factors" },
    { .name = "regularization",
      .type = JOB_REAL,
      .fallback = "0.01",
      .min = 0,
      .max = 10,
      .help = "how much factors shrink with each step" },
    { .name = "steps_of_units",
      .type = JOB_WHOLE,
      .fallback = "1000000",
      .min = 1,
      .max = 1e12,
      .help = "interactions that one worker goes through in a row; items' factors are put together behind that" },
    SEED,
    GATE_PARAMS(job_recommender_metrics, "ndcg@10"),
    GATE_LISTS("0.8"),
    RANGES,
    FULL,
};
