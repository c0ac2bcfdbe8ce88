/* click_models.h - what the job "click-models" and its kernels say to each other. Structures are handed over as they lie in memory.
 *
 * "click_models.prepare@1": one part of a serp log (serps/serp_record.h); params {"min_sessions": n}: queries with fewer searches are left out. Its data set:
 * queries (click_query.h); it collects a struct click_totals.
 * "click_models.em@1": blob: struct click_globals. Its data set: the same queries with improved parameters; it collects a struct click_counts.
 * "click_models.evaluate@1": the same blob; it collects a struct click_evaluation.
 * "click_models.spread@1": the same blob, and struct click_means; it collects a struct click_spread.
 * "click_models.documents@1": the same blob; params {"model": "ubm"}; it collects for each query: text, u32 documents, of each: text, f32 × CLICK_COLUMNS, the
 * most relevant first; sorted by query.
 * "click_models.judge@1": blobs: artifacts of kind "clicks", the candidate and, if there is one, the champion; it collects a struct click_judged. */
#pragma once
#include "stats/moments.h"
#include "trainer/kernels/click_models/click_em.h"

#define CLICK_PREPARE_KERNEL "click_models.prepare@1"
#define CLICK_EM_KERNEL "click_models.em@1"
#define CLICK_EVALUATE_KERNEL "click_models.evaluate@1"
#define CLICK_SPREAD_KERNEL "click_models.spread@1"
#define CLICK_DOCUMENTS_KERNEL "click_models.documents@1"
#define CLICK_JUDGE_KERNEL "click_models.judge@1"
extern const struct kernel kernel_click_prepare, kernel_click_em, kernel_click_evaluate, kernel_click_spread,
    kernel_click_documents, kernel_click_judge;

/* Randomised lists: of documents that were shown both at the first position and at r, what is expected there without the randomisation: each search weighs
 * 1 / propensity. v = (clicks at r, shown at r, clicks at the first, shown there), added up by query; moments: Σ over queries of v vᵀ, the upper triangle. */
enum { CLICK_SWAP_SUMS = 4, CLICK_SWAP_MOMENTS = 10 };
struct click_swaps {
    double sums[CLICK_POSITIONS][CLICK_SWAP_SUMS], moments[CLICK_POSITIONS][CLICK_SWAP_MOMENTS];
    double queries[CLICK_POSITIONS];
};

struct click_totals {
    double queries, documents, sessions, held, clicks; /* of queries with searches enough */
    double shown_at[CLICK_POSITIONS], clicks_at[CLICK_POSITIONS], last_at[CLICK_POSITIONS];
    struct click_swaps swaps;
};

/* Of what is held out. moments2: over queries, x: log-likelihood, y: documents shown. */
struct click_evaluation {
    struct moments2 loglikelihood[CLICK_MODEL_COUNT];
    double bits[CLICK_MODEL_COUNT][CLICK_POSITIONS];   /* Σ log2 P of what came */
    double looked[CLICK_MODEL_COUNT][CLICK_POSITIONS]; /* Σ P(E), of the searches that were trained on */
    double searches[CLICK_POSITIONS], trained[CLICK_POSITIONS];
};
/* bits / searches of each model and position, and what the mean perplexity changes with each query's. */
struct click_means {
    double bits[CLICK_MODEL_COUNT][CLICK_POSITIONS], searches[CLICK_POSITIONS];
    uint32_t positions, unused;
};
/* Σ over queries of the square of what each adds to the perplexity beyond its share: variances (linearised). */
struct click_spread {
    double all[CLICK_MODEL_COUNT], at[CLICK_MODEL_COUNT][CLICK_POSITIONS];
};
/* Over queries: a, b: log-likelihood by candidate and champion; n: documents shown. */
struct click_judged {
    struct moments2 an, bn, ab;
};

enum {
    CLICK_RELEVANCE,
    CLICK_ATTRACTIVENESS,
    CLICK_SATISFACTION,
    CLICK_LOW,
    CLICK_HIGH,
    CLICK_SESSIONS,
    CLICK_CLICKS,
    CLICK_COLUMNS
};

/* A query of a task's inputs, borrowed until the function returns; its parameters may be changed. */
struct task;
typedef bool (*click_each_fn)(void *arg, struct click_query *q, struct err *err);
bool click_each(struct task *t, click_each_fn fn, void *arg, struct err *err) MUSTCHECK;
/* Blob i, which is of so many bytes. */
bool click_blob(struct task *t, size_t i, void *out, size_t bytes, struct err *err) MUSTCHECK;
