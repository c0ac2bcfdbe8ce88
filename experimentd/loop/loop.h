/* loop.h - the loops of models: a version that passed its gate is tried on users, and their result makes it champion or drops it (docs/loop.md).
 *
 * The leader of the jobs (jobs/jobs.h) calls loops_turn in each of its turns; so there is one at a time, and its session is the lead. A turn asks for what has
 * changed of each loop since it was looked at last: aliases, experiment, results, a person's wish, the document. Where something has, it reads the
 * configuration and the result, finds the event and does what the rule says (rule.h) - in one transaction with the experiment's edit, the aliases, the
 * step of the story and its revision. A daemon that is killed has done a step or has not; the next leader goes on from there. The transaction looks once
 * more at what was seen: a person who comes in between goes first. */
#pragma once
#include "base/buf.h"
#include "base/pg.h"

struct loops;
struct loops *loops_new(void);
void loops_free(struct loops *l);
/* What cannot be done for one model keeps no other back: it is told in its story once, and tried again when something has changed. False: the database. */
bool loops_turn(struct loops *l, struct pg *pg, struct err *err) MUSTCHECK;
/* Any thread: metrics in Prometheus' format. */
void loops_write_metrics(struct loops *l, struct buf *b);
