/* rank_clicks.h - searches of some days (serp_log.h) as the job learn-to-rank needs them: labels of documents, and features counted from clicks. */
#pragma once
#include "model/lists.h"
#include "trainer/jobs/serp_log.h"
#include "trainer/kernels/intern.h"
#include "trainer/kernels/rank/click_labels.h"

struct rank_clicks {
    struct run_context *run;
    struct arena *arena;
    struct serp_log log;
    struct serp_set set;
    bool open;
    struct click_rules rules;
    struct click_places places;
    struct click_sums **sums; /* of each query, by its documents */
    struct click_sums total;
    struct intern docs; /* of all queries */
    struct click_sums *of_docs;
};
/* Parameters debias, clip, prior and, when something is to be corrected, click_model and propensity: from the champion's lists "propensity". */
bool rank_click_rules(struct run_context *run, struct click_rules *out, struct err *err) MUSTCHECK;
/* `what` as of serp_log_open; queries with at least so many searches. Release it in any case. */
bool rank_clicks_open(struct rank_clicks *c, struct run_context *run, struct arena *arena, const char *what,
                      struct query_window window, uint64_t min_sessions, const struct click_rules *rules,
                      struct err *err) MUSTCHECK;
void rank_clicks_release(struct rank_clicks *c);
/* What was seen of it; NULL: it was not shown for the query (in any list). */
const struct click_sums *rank_clicks_find(const struct rank_clicks *c, struct str query, struct str doc);
const struct click_sums *rank_clicks_doc(const struct rank_clicks *c, struct str doc);
/* Section "signals" of a ranker: of these features, each named. */
bool rank_clicks_lists(const struct rank_clicks *c, const enum click_feature *features, uint32_t count,
                       struct lists_out *out, struct err *err) MUSTCHECK;
