/* job.h - job programs: what `trainer run JOB` runs, and what a run gives them.
 *
 * A program may be run again from its beginning in the same process, when the database had gone away in mid-run: it plans anew, on a snapshot of its
 * own, and keeps nothing of an earlier call. What types of jobs there are and what each can be told stands in job/types.c, under the same names. */
#pragma once
#include "base/pg.h"
#include "trainer/engine/engine.h"

struct run;
struct job_type;

struct run_context {
    const struct job_type *type; /* of the job (job/types.h): its name, its parameters */
    const char *engine_name;     /* "local", "spark" */
    const char *database_url;
    struct pg *pg; /* for the run's own row and for publication */
    struct engine *engine;
    char id[UUID_TEXT_MAX];
    int epoch;
    /* A parameter as text: what was given, else its default in job/types.c, else NULL, as for a name that is none of the job's. Checked before the
     * job is run: a whole number is one, and between its bounds. */
    const char *(*param)(const struct run_context *run, const char *name);
    const char *archive_dir; /* NULL: none is known */
    uint32_t archive_after_days;
    const char *retention;                  /* of signals: "default=400,impression=90" */
    const char *search_secrets, *search_ca; /* files; "": none is known */
    uint64_t rows_in, retries;              /* of all passes; added by run_pass */
    int passes;
    struct run *run;
};

struct job {
    const char *name;
    bool (*run)(struct run_context *run, struct err *err);
};
extern const struct job *const jobs[]; /* ends with NULL */
/* clang-format off */
extern const struct job job_metrics;
extern const struct job job_preview;
extern const struct job job_bootstrap;
extern const struct job job_bandit;
extern const struct job job_seal;
extern const struct job job_retention;
extern const struct job job_sessions;
extern const struct job job_interleave;
extern const struct job job_golden;
extern const struct job job_clicks;
extern const struct job job_preferences;
extern const struct job job_history;
extern const struct job job_sql;
extern const struct job job_catalogue;
extern const struct job job_popular;
extern const struct job job_item_similarity;
extern const struct job job_association_rules;
extern const struct job job_similar_queries;
extern const struct job job_query_similarity;
extern const struct job job_head_tail;
extern const struct job job_synonyms;
extern const struct job job_remove_words;
extern const struct job job_spelling;
extern const struct job job_phrases;
extern const struct job job_als;
extern const struct job job_bpr;
extern const struct job job_publish_rewrites;
extern const struct job job_trending;
extern const struct job job_boosts;
extern const struct job job_click_models;
extern const struct job job_content;
extern const struct job job_clusters;
extern const struct job job_word2vec;
extern const struct job job_cluster_labels;
extern const struct job job_judgments;
extern const struct job job_query_set;
extern const struct job job_learn_to_rank;
extern const struct job job_query_intent;
extern const struct job job_ranking_metrics;
extern const struct job job_training_data;
extern const struct job job_off_policy;
/* clang-format on */

/* Parameters that have a value (given, required or by default: asserted). */
int64_t run_whole(const struct run_context *run, const char *name);
double run_real(const struct run_context *run, const char *name);
bool run_flag(const struct run_context *run, const char *name);

/* Says a line to whoever looks on, and keeps it in the run's log. Names no unit. */
void run_say(const struct run_context *run, const char *fmt, ...) PRINTF(2, 3);
/* There is too little data, or nothing to do it with: fills *err and returns false, for the program to end with. The run ends as "skipped" and not as failed:
 * nothing is broken, jobs behind it go on, and nobody is alarmed night after night while a shop is young. */
bool run_too_little(const struct run_context *run, struct err *err, const char *fmt, ...) PRINTF(3, 4);
/* What the run came to, as a JSON object: rows published, days read, what was kept. It is stored when the run ends, whatever its state; a later call
 * takes the place of an earlier one. Call it before run_publish_end. */
void run_result(struct run_context *run, const char *fmt, ...) PRINTF(2, 3);

/* Runs a pass and keeps its row in run_passes. */
bool run_pass(struct run_context *run, const struct engine_pass *pass, struct engine_result *out,
              struct err *err) MUSTCHECK;
/* The same for a pass whose kernels collect nothing; *out_number is what later passes and engine_staging call it by. */
bool run_pass_numbered(struct run_context *run, const struct engine_pass *pass, int *out_number,
                       struct err *err) MUSTCHECK;
/* For work without a pass: `done` of `total` of the phase `what`. ERR_CONFLICT when the run is to end. */
bool run_tick(struct run_context *run, const char *what, uint32_t done, uint32_t total, struct err *err) MUSTCHECK;
/* Opens the publishing transaction: the run's row is locked and its epoch checked; ERR_CONFLICT when another coordinator has it. */
bool run_publish_begin(struct run_context *run, struct err *err) MUSTCHECK;
/* Marks the run a success and commits. */
bool run_publish_end(struct run_context *run, struct err *err) MUSTCHECK;
