/* beat.h - the heartbeat of a run: a thread with a connection of its own.
 *
 * Every two seconds it says in the run's row that the run lives and how far it is, and stores what was said (lines.h). It learns there when the run is
 * to end: somebody asked for it (at once, by NOTIFY), another coordinator has it, its time is up; SIGINT, SIGTERM and SIGHUP come here, too. The
 * coordinator asks beat_asks() at its ticks and ends in good order. One that cannot (it waits in a long statement) is ended by the thread 20 s later:
 * the row is closed first, workers die with the process, and what was not committed is undone by PostgreSQL. A run that has published meanwhile is
 * not: its row says success. A database that is away ends nothing here. */
#pragma once
#include "trainer/run/lines.h"
#include "trainer/run/row.h"

struct beat;

enum beat_ask { BEAT_GO_ON, BEAT_FENCED, BEAT_CANCELLED, BEAT_TIMEOUT, BEAT_ASK_COUNT };

struct beat_options {
    const char *url;
    const struct row *row;
    struct lines *lines;
};

/* Blocks the signals in the calling thread, for good: call it before other threads or processes that want them are made. */
struct beat *beat_start(const struct beat_options *options, struct err *err);
void beat_tell(struct beat *b, const struct row_news *news);
enum beat_ask beat_asks(const struct beat *b);
/* False: another coordinator has it, …, as ERR_CONFLICT. */
bool beat_may_go_on(const struct beat *b, struct err *err) MUSTCHECK;
/* The state that a run ends in that was asked to ("cancelled"); NULL for one that is fenced, or was not asked. */
const char *beat_state(enum beat_ask ask);
/* Ends the thread; it has stored what it could. */
void beat_stop(struct beat *b);
