/* engine.h - pure: a ranker written as each engine or library takes it, so that it scores there as it does here.
 *
 * A tree of ours goes left when value < threshold in float32, with a missing value where the node says. Engines differ in the comparison, in what they
 * add to a threshold and in what a missing value is. Each writer turns ours into the one of its engine that decides alike for every float32:
 *
 *   value <= t      (RankLib, LightGBM)  t is the next float below the threshold
 *   value <= t + s  (Solr, s = 1e-6f)    t is the greatest float for which that sum, rounded, stays below the threshold; near 0 and just
 *                                        above negative powers of two down to −32 no float hits the one before the threshold, which is then a note
 *   a feature's default                  a missing value goes where the default would go
 *
 * Names in the engine carry the version (MODEL_v12): engines do not overwrite. */
#pragma once
#include "base/json.h"
#include "model/ranker.h"

struct engine_ask {
    const struct ranker *r;
    const char *model;
    int version;
    json_t *features; /* section "features", an array; NULL: none */
    struct buf *note; /* what users of the file are to know; one line of text, may stay empty */
};

struct engine_format {
    const char *name, *content_type, *extension, *what;
    bool (*trees)(const struct engine_ask *a, struct buf *out, struct err *err); /* NULL: not for such rankers */
    bool (*linear)(const struct engine_ask *a, struct buf *out, struct err *err);
};
extern const struct engine_format engine_formats[];
extern const size_t engine_formats_count;

/* NULL: not known. */
const struct engine_format *engine_format_of(struct str name);
/* Appends the file. ERR_INVALID when the ranker cannot be said in this format. `out_note`: an empty buf. */
bool engine_export(const struct engine_format *f, const struct ranker *r, const char *model, int version,
                   struct buf *out, struct buf *out_note, struct err *err) MUSTCHECK;

/* ---- for the writers ---- */

/* The fewest digits that read back as the same float, nine at most; and as the same double. */
void engine_float(struct buf *out, float v);
void engine_double(struct buf *out, double v);
void engine_name(const struct engine_ask *a, struct buf *out); /* MODEL_v12 */
/* Of feature f, what its row in section "features" says of the engine; NULL: nothing. */
json_t *engine_words(const struct engine_ask *a, uint32_t f, const char *engine);
/* What stands for a missing value; NaN: trees say where it goes. */
float engine_missing(const struct ranker *r, uint32_t f);
/* Whether a missing value goes left at the node. */
bool engine_missing_left(const struct ranker *r, const struct ranker_tree_node *n);
/* Splits that send a missing value elsewhere than 0: where engines take missing for 0, they decide otherwise. `defaults`: of features with a default too. */
uint32_t engine_missing_is_not_zero(const struct ranker *r, bool defaults);
/* The first note stands; others follow behind "; ". */
void engine_note(const struct engine_ask *a, const char *fmt, ...) PRINTF(2, 3);
/* Nodes of a tree, to be freed. */
struct ranker_tree_node *engine_tree(const struct ranker *r, uint32_t tree);

/* Files of the writers. */
bool solr_trees(const struct engine_ask *a, struct buf *out, struct err *err);
bool solr_linear(const struct engine_ask *a, struct buf *out, struct err *err);
bool solr_features(const struct engine_ask *a, struct buf *out, struct err *err);
bool elastic_trees(const struct engine_ask *a, struct buf *out, struct err *err);
bool elastic_raw(const struct engine_ask *a, struct buf *out, struct err *err);
bool elastic_linear(const struct engine_ask *a, struct buf *out, struct err *err);
bool elastic_features(const struct engine_ask *a, struct buf *out, struct err *err);
bool ranklib_trees(const struct engine_ask *a, struct buf *out, struct err *err);
bool vespa_trees(const struct engine_ask *a, struct buf *out, struct err *err);
bool vespa_linear(const struct engine_ask *a, struct buf *out, struct err *err);
bool vespa_profile(const struct engine_ask *a, struct buf *out, struct err *err);
bool xgboost_trees(const struct engine_ask *a, struct buf *out, struct err *err);
bool lightgbm_trees(const struct engine_ask *a, struct buf *out, struct err *err);
bool summary_write(const struct engine_ask *a, struct buf *out, struct err *err);
bool plain_trees(const struct engine_ask *a, struct buf *out, struct err *err);
bool plain_linear(const struct engine_ask *a, struct buf *out, struct err *err);

/* XGBoost's dump of one tree: names by feature, thresholds as floats or as the doubles that they are. */
struct dump_style {
    const struct str *names;
    bool doubles;
};
void xgboost_dump_tree(const struct ranker *r, uint32_t tree, const struct dump_style *style, struct buf *out);
