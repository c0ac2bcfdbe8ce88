/* launch.h - a run whose coordinator is started elsewhere: on Spark, by the driver that spark-submit starts (trainer/spark/submit.h).
 *
 * This process makes the run's row (or is given a run that is queued), hands it to the coordinator by its epoch, and waits. The row is the truth: if
 * nobody has taken or ended it when spark-submit ends, it is closed here. */
#pragma once
#include "trainer/run/settings.h"

/* Whether the run, or the one of `settings->run`, is for Spark. False with an error: the database cannot be asked. */
bool launch_is_wanted(const struct run_settings *settings, bool *out, struct err *err) MUSTCHECK;
/* Its exit status. */
int launch(const struct run_settings *settings, const char *job);
