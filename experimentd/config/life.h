/* life.h - what is done to an experiment: the edits of its life, from draft to concluded. Each adds its writes to an edit. */
#pragma once
#include "experimentd/config/edit.h"

/* Nothing that runs varies the same parameter for the same unit. */
bool life_may_start(const struct snapshot_experiment *e, const struct snapshot *s, struct err *err) MUSTCHECK;

bool life_create(struct edit *e, const struct snapshot *s, struct err *err); /* the request's body */
bool life_patch(struct edit *e, const struct snapshot *s,
                struct err *err); /* its body merged into the document (RFC 7396) */
bool life_delete(struct edit *e, const struct snapshot *s, struct err *err);
/* arg (const struct preflight_report *, may be NULL): a pre-flight that passed; on another snapshot, or without one, it is made again. */
bool life_start(struct edit *e, const struct snapshot *s, struct err *err);
bool life_stop(struct edit *e, const struct snapshot *s, struct err *err); /* arg (const char *, may be NULL): why */
bool life_conclude(struct edit *e, const struct snapshot *s, struct err *err);
/* Refused by what a pre-flight of the phase would refuse. */
bool life_new_phase(struct edit *e, const struct snapshot *s, struct err *err);
/* The same, also of one that was stopped or concluded: it runs again. For experiments that stand and are tried on one thing after the other. */
bool life_reopen(struct edit *e, const struct snapshot *s, struct err *err);
bool life_ramp(struct edit *e, const struct snapshot *s, struct err *err); /* to the next step */
bool life_hold(struct edit *e, const struct snapshot *s,
               struct err *err); /* arg: why what is due by the clock was not done */
/* arg (const char *): the checks of its health that alarm now, comma between them. */
bool life_alarm(struct edit *e, const struct snapshot *s, struct err *err);
/* arg (const struct experiment_look *): a look at planned looks, to be kept. */
bool life_look(struct edit *e, const struct snapshot *s, struct err *err);
bool life_create_holdout(struct edit *e, const struct snapshot *s, struct err *err); /* and starts it */
