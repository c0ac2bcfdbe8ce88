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
