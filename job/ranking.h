/* ranking.h - parameters of the jobs about ranking (docs/click-models.md); included by types.c alone, whose macros it uses. */
#pragma once
#include "job/training.h"

/* What trainer/jobs/serp_log.h reads, beside AS_OF, DAYS and HOLDOUT. Data sets of days are shared as long as click_types are the same. */
#define SERP_LOG                                                                                               \
    { .name = "positions",                                                                                     \
      .type = JOB_WHOLE,                                                                                       \
      .fallback = "10",                                                                                        \
      .min = 1,                                                                                                \
      .max = 50,                                                                                               \
      .help = "lists are cut behind so many documents: what lies further down, and its clicks, is not read" }, \
        CLICK_TYPES, RANGES, FULL

static const char *const click_models[] = { "auto", "dctr", "coec", "cm",  "dcm", "sdbn",
                                            "pbm",  "ubm",  "dbn",  "ccm", NULL };
static const char *const click_choices[] = { "perplexity", "loglikelihood", NULL };
static const char *const click_metrics[] = { "loglikelihood", NULL };
static const struct job_param click_models_params[] = {
    MODEL("click-models"),
    AS_OF,
    DAYS("90"),
    HOLDOUT("1"),
    { .name = "holdout_share",
      .type = JOB_REAL,
      .fallback = "0",
      .min = 0,
      .max = 0.9,
      .help = "of the searches of each query, the last ones in time: held out, in the place of holdout_days" },
    SERP_LOG,
    { .name = "min_sessions",
      .type = JOB_WHOLE,
      .fallback = "1000",
      .min = 1,
      .max = 1e12,
      .unit = "searches",
      .help = "with a list; fewer are too little data" },
    { .name = "min_query_sessions",
      .type = JOB_WHOLE,
      .fallback = "10",
      .min = 1,
      .max = 1e9,
      .unit = "searches",
      .help = "a query with fewer is left out" },
    { .name = "click_model",
      .type = JOB_CHOICE,
      .fallback = "auto",
      .choices = click_models,
      .help = "whose relevance is published; auto: the one that foretells best what is held out" },
    { .name = "choose_by",
      .type = JOB_CHOICE,
      .fallback = "perplexity",
      .choices = click_choices,
      .help =
          "click_model=auto: perplexity looks at each position by itself, loglikelihood also at the clicks above it" },
    { .name = "prior_sessions",
      .type = JOB_REAL,
      .fallback = "2",
      .min = 0,
      .max = 1e6,
      .open = true,
      .unit = "searches",
      .help = "at the mean, with which each document begins" },
    { .name = "max_iterations", .type = JOB_WHOLE, .fallback = "50", .min = 1, .max = 10000, .help = "passes of EM" },
    { .name = "sweeps",
      .type = JOB_WHOLE,
      .fallback = "3",
      .min = 1,
      .max = 100,
      .help = "in a pass: so often documents are improved before what all queries share is" },
    { .name = "tolerance",
      .type = JOB_REAL,
      .fallback = "0.000001",
      .min = 0,
      .max = 1,
      .help = "a model whose log-likelihood rises by less, as a share of it, has converged" },
    GATE_PARAMS(click_metrics, "loglikelihood"),
};
