/* ranker_xgboost.h - models of XGBoost: reading what it saved (JSON of save_model and of dump_model, 1.0 to 3.x).
 *
 * What is read scores as XGBoost's predict(output_margin=True): base_score, brought to the margin, is added to the leaves of the first tree, which is
 * how XGBoost's own sum begins. A dump does not hold base_score; there it is 0. Gains and covers are kept. Refused, by name: gblinear and dart,
 * several outputs, categorical splits, objectives whose margin is not known here. */
#pragma once
#include "model/ranker.h"

/* `names`: of the features by their number; NULL: those of the file, or f0, f1, … when it has none. All is the arena's; names are borrowed when they
 * were given. */
bool ranker_xgboost_read(struct str json, const struct str *names, uint32_t features, struct arena *arena,
                         struct ranker_forest *out, struct err *err) MUSTCHECK;
