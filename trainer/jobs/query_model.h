/* query_model.h - from lists about queries to a version of a model: judged by a later window, through the gate, into the registry.
 *
 *   query_model_begin → the job trains on m.training, makes sections → query_model_publish
 *
 * Judging is a pass over the queries of the later days, which reads the artifact as those who serve it do. One observation is one query: of each the values of
 * its list are weighed by how often each query came next, or each document was clicked (kernels/queries/query_judge.h). */
#pragma once
#include "model/artifact.h"
#include "trainer/jobs/query_log.h"
#include "trainer/kernels/queries/query_judge.h"
#include "trainer/models/training.h"

struct query_model {
    struct run_context *run;
    struct arena *arena;
    struct query_window training, evaluation;
    struct training t; /* the job sets seed, rows, units, items, days */
    /* Sections with lists that are judged by the next queries and by the clicked documents, and what their metrics are called, by enum
     * query_judge_metric; {NULL}: not judged. The first section that is there is looked at for concentration and coverage. */
    struct str sections[QUERY_JUDGE_SIDES];
    const char *const *names[QUERY_JUDGE_SIDES];
};

/* ERR_INVALID when the model is there with another kind. */
bool query_model_begin(struct query_model *m, struct run_context *run, struct arena *arena, const char *kind,
                       struct err *err) MUSTCHECK;
/* Sections queries_for_query and items_for_query are judged: "ndcg@10", … and "items_ndcg@10", … */
void query_model_judge_queries(struct query_model *m);
/* Adds the card, ends the artifact, judges and publishes it. */
bool query_model_publish(struct query_model *m, struct artifact_out *o, struct err *err) MUSTCHECK;
