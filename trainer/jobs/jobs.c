#include "trainer/jobs/job.h"

/* By the names of job/types.c; one a line. */
/* clang-format off */
const struct job *const jobs[] = {
    &job_metrics,
    &job_preview,
    &job_bootstrap,
    &job_bandit,
    &job_seal,
    &job_retention,
    &job_sessions,
    &job_interleave,
    &job_golden,
    &job_clicks,
    &job_preferences,
    &job_history,
    &job_sql,
    &job_catalogue,
    &job_popular,
    &job_item_similarity,
    &job_association_rules,
    &job_similar_queries,
    &job_query_similarity,
    &job_head_tail,
    &job_synonyms,
    &job_remove_words,
    &job_spelling,
    &job_phrases,
    &job_als,
    &job_bpr,
    &job_publish_rewrites,
    &job_trending,
    &job_boosts,
    &job_content,
    NULL,
};
/* clang-format on */
