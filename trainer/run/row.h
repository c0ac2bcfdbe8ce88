/* row.h - a run's row in PostgreSQL: made, taken over, ended; and the fence of publication.
 *
 * Every statement that changes a row names the epoch under which its run was started or taken over: ERR_CONFLICT when the row has another one. */
#pragma once
#include "base/mem.h"
#include "base/pg.h"

struct row {
    char id[UUID_TEXT_MAX];
    int epoch;
    struct str job, params; /* name of the type; JSON */
    char *engine;
    uint32_t workers;
    int64_t timeout_us; /* 0: none */
    int64_t log_lines;
};

struct pg *row_connect(const char *url, struct err *err);

/* A new one, state running; makes its id and epoch. */
bool row_insert(struct pg *pg, struct row *row, struct err *err) MUSTCHECK;
/* Takes the run `id`: one that is queued or lost, one that nobody has beaten for in `lost_after_us`, or one that runs under the epoch `from_epoch`,
 * whose holder hands it over (0: none does). Fills the row, texts in the arena. ERR_NOT_FOUND; ERR_CONFLICT says what state it is in. */
bool row_adopt(struct pg *pg, const char *id, int from_epoch, int64_t lost_after_us, struct arena *arena,
               struct row *out, struct err *err) MUSTCHECK;
/* Runs that nobody has beaten for become lost. */
bool row_lose_others(struct pg *pg, int64_t lost_after_us, struct err *err) MUSTCHECK;
/* It begins once more: its passes are forgotten. */
bool row_restart(struct pg *pg, const struct row *row, struct err *err) MUSTCHECK;

/* `number`: of the passes and phases of a run, from 0. */
bool row_pass_begin(struct pg *pg, const struct row *row, int number, const char *name, uint32_t splits,
                    struct err *err) MUSTCHECK;
bool row_pass_end(struct pg *pg, const struct row *row, int number, uint32_t attempts, uint64_t rows, double seconds,
                  struct err *err) MUSTCHECK;

/* What runs its passes, and the link to its page; NULL: none. */
bool row_set_app(struct pg *pg, const struct row *row, const char *app_id, const char *ui_url,
                 struct err *err) MUSTCHECK;

/* In a transaction: locks the row. */
bool row_lock(struct pg *pg, const struct row *row, struct err *err) MUSTCHECK;
struct row_end {
    const char *state, *error, *result; /* error, result: may be NULL */
    uint64_t rows_in, retries;
    int64_t log_lines;
};
bool row_end(struct pg *pg, const struct row *row, const struct row_end *end, struct err *err) MUSTCHECK;
/* Whether the run ended in success under this epoch: asked when a commit's answer was lost. */
bool row_succeeded(struct pg *pg, const struct row *row, bool *out, struct err *err) MUSTCHECK;
/* Stores a batch of lines.h, and how many were said; also of a run that has ended. */
bool row_add_lines(struct pg *pg, const struct row *row, struct str lines, int64_t said, struct err *err) MUSTCHECK;

struct row_news {
    double progress;
    uint64_t rows_in, retries;
    uint32_t done; /* splits of the pass */
    int pass;      /* its number; -1: none yet */
    char name[40];
    int64_t log_lines;
};
/* *out_cancel: somebody asked for its end. */
bool row_beat(struct pg *pg, const struct row *row, const struct row_news *news, bool *out_cancel,
              struct err *err) MUSTCHECK;
/* Seconds of the passes of the last run of this job that succeeded, each given to fn. */
bool row_last_passes(struct pg *pg, const struct row *row, void (*fn)(void *arg, struct str name, double seconds),
                     void *arg, struct err *err) MUSTCHECK;
