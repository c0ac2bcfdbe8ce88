/* The kernels that workers know. */
#include "trainer/engine/task.h"
#include "trainer/kernels/als/als.h"
#include "trainer/kernels/bpr/bpr.h"
#include "trainer/kernels/classify/classify.h"
#include "trainer/kernels/classify/training_pairs.h"
#include "trainer/kernels/click_models/click_models.h"
#include "trainer/kernels/clicks/clicks.h"
#include "trainer/kernels/clusters/clusters.h"
#include "trainer/kernels/content/content.h"
#include "trainer/kernels/contests.h"
#include "trainer/kernels/factors/factors.h"
#include "trainer/kernels/gate/gate.h"
#include "trainer/kernels/golden.h"
#include "trainer/kernels/items/items.h"
#include "trainer/kernels/matrix/matrix.h"
#include "trainer/kernels/metrics.h"
#include "trainer/kernels/metrics_bootstrap.h"
#include "trainer/kernels/offpolicy/offpolicy.h"
#include "trainer/kernels/queries/queries.h"
#include "trainer/kernels/queries/query_log.h"
#include "trainer/kernels/rank/rank.h"
#include "trainer/kernels/remove/remove_words.h"
#include "trainer/kernels/searches/replay.h"
#include "trainer/kernels/serps/serp_log.h"
#include "trainer/kernels/sessions.h"
#include "trainer/kernels/spelling/spelling.h"
#include "trainer/kernels/sql/sql_day.h"
#include "trainer/kernels/synonyms/synonyms.h"
#include "trainer/kernels/tail/tail.h"
#include "trainer/kernels/trending/trending.h"
#include "trainer/kernels/units/unit_items.h"
#include "trainer/kernels/word2vec/word2vec.h"

/* One a line. */
/* clang-format off */
const struct kernel *const kernels[] = {
    &kernel_metrics_day,
    &kernel_metrics_units,
    &kernel_metrics_bootstrap,
    &kernel_sessions_day,
    &kernel_searches_replay,
    &kernel_contests_range,
    &kernel_golden_rows,
    &kernel_golden_stats,
    &kernel_golden_counts,
    &kernel_golden_gradient,
    &kernel_golden_docs,
    &kernel_clicks_day,
    &kernel_clicks_weights,
    &kernel_boosts_weights,
    &kernel_unit_items_day,
    &kernel_unit_items_range,
    &kernel_als_solve,
    &kernel_bpr_epoch,
    &kernel_factors_units,
    &kernel_factors_similar,
    &kernel_factors_items,
    &kernel_matrix_units,
    &kernel_matrix_rows,
    &kernel_matrix_scatter,
    &kernel_matrix_columns,
    &kernel_gate_units,
    &kernel_query_log_day,
    &kernel_query_log_merge,
    &kernel_query_log_collect,
    &kernel_serps_day,
    &kernel_serps_merge,
    &kernel_serps_collect,
    &kernel_click_prepare,
    &kernel_click_em,
    &kernel_click_evaluate,
    &kernel_click_spread,
    &kernel_click_documents,
    &kernel_click_judge,
    &kernel_queries_similar,
    &kernel_queries_als,
    &kernel_queries_items,
    &kernel_queries_judge,
    &kernel_terms_count,
    &kernel_terms_merge,
    &kernel_spelling_correct,
    &kernel_sql_day,
    &kernel_sql_total,
    &kernel_remove_keys,
    &kernel_remove_cases,
    &kernel_remove_judge,
    &kernel_synonyms_reach,
    &kernel_synonyms_documents,
    &kernel_synonyms_pairs,
    &kernel_synonyms_score,
    &kernel_tail_traffic,
    &kernel_tail_head,
    &kernel_tail_match,
    &kernel_item_pairs_count,
    &kernel_item_pairs_similar,
    &kernel_item_lists_users,
    &kernel_pair_sums_merge,
    &kernel_item_triples_count,
    &kernel_trending_counts,
    &kernel_content_terms,
    &kernel_content_words,
    &kernel_content_vectors,
    &kernel_content_similar,
    &kernel_clusters_assign,
    &kernel_clusters_bisect,
    &kernel_clusters_judge,
    &kernel_w2v_texts,
    &kernel_w2v_queries,
    &kernel_w2v_words,
    &kernel_w2v_encode,
    &kernel_w2v_epoch,
    &kernel_w2v_judge,
    &kernel_w2v_documents,
    &kernel_rank_train,
    &kernel_rank_judge,
    &kernel_rank_permute,
    &kernel_classify_texts,
    &kernel_classify_rows,
    &kernel_classify_gradient,
    &kernel_classify_temperature,
    &kernel_classify_judge,
    &kernel_training_pairs,
    &kernel_offpolicy_day,
    &kernel_offpolicy_policy,
    NULL,
};
/* clang-format on */
