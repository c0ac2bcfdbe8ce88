/* click_train.h - the passes of the job "click-models" (kernels/click_models/click_models.h): preparation, EM until it has converged, evaluation. */
#pragma once
#include "trainer/jobs/serp_log.h"
#include "trainer/kernels/click_models/click_models.h"

enum { CLICK_TRACE_MAX = 10000 };

/* How EM went with a model. */
struct click_trace {
    uint32_t iterations;
    bool converged, fell; /* fell: the objective did, beyond rounding */
    double first, last;   /* objective */
    double loglikelihood; /* of the last pass, per document shown */
    float *objective;     /* of each pass, per document shown */
};

struct click_train {
    struct run_context *run;
    struct arena *arena;
    int pass; /* data set: queries with their parameters */
    uint32_t parts;
    struct click_globals g;
    struct click_totals totals;
    double shown; /* documents, in what is trained on */
    struct click_trace traces[CLICK_MODEL_COUNT];
    struct click_evaluation evaluation;
    struct click_means means;
    struct click_spread spread;
};

/* Drops its data set; also behind a failure. */
void click_train_release(struct click_train *t);
/* From the log; t->pass is the prepared one. Structures are zero but for run and arena. */
bool click_train_prepare(struct click_train *t, const struct serp_log *s, struct err *err) MUSTCHECK;
/* Says how each model converged. */
bool click_train_em(struct click_train *t, struct err *err) MUSTCHECK;
bool click_train_evaluate(struct click_train *t, struct err *err) MUSTCHECK;
/* A pass over the data set whose splits collect: for documents and judging. */
bool click_train_collect(struct click_train *t, const char *name, const char *kernel, struct str params,
                         const int *blobs, size_t blobs_count, struct engine_result *out, struct err *err) MUSTCHECK;
