/* recommender.h - the frame of jobs that train a recommender on the matrix: what is before and behind the training itself.
 *
 *   name and kind of the model → matrix → the job's own passes and sections → section "popular" → card, artifact → gate → version */
#pragma once
#include "trainer/jobs/matrix.h"
#include "trainer/jobs/model_file.h"

struct recommender_job {
    struct run_context *run;
    struct arena arena;
    struct matrix m;
    struct model_file file;
    struct training t;
};
/* Adds its sections to j->file. */
typedef bool (*recommender_fn)(struct recommender_job *j, struct err *err);
bool recommender_run(struct run_context *run, recommender_fn train, struct err *err) MUSTCHECK;
/* The same for what is trained on no signals: no matrix, no popular items, nothing to be judged by. */
bool recommender_run_alone(struct run_context *run, recommender_fn train, struct err *err) MUSTCHECK;

/* Splits of a pass over the rows, and over parts 0 … parts - 1 that a pass over the rows has left. In the job's arena. */
const struct engine_split *recommender_rows(struct recommender_job *j);
const struct engine_split *recommender_parts(struct recommender_job *j, uint32_t parts);
