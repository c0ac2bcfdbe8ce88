/* params.h - a run's parameter that is a day. Others: run_whole, run_real, run_flag (job.h). */
#pragma once
#include "trainer/jobs/job.h"

/* Days since 1970; `fallback` when it is not given. It was checked: a text that is no day is a bug (asserted). */
int32_t run_day(const struct run_context *run, const char *name, int32_t fallback);
