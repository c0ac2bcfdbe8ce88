/* rank_judgments.h - the judgment set that the run's parameter "judgments" names, as labels. */
#pragma once
#include "trainer/jobs/job.h"

/* Each judged document, by query and document (bytes); texts are the arena's. */
typedef void (*rank_judgment_fn)(void *arg, struct str query, struct str doc, float grade);
bool rank_judgments_each(struct run_context *run, struct arena *arena, rank_judgment_fn fn, void *arg,
                         struct err *err) MUSTCHECK;
/* The run's parameter names something that is not there: ERR_INVALID; when it is the default, nobody has made it yet: run_too_little. */
bool rank_set_missing(const struct run_context *run, const char *param, const char *what, struct err *err) MUSTCHECK;
