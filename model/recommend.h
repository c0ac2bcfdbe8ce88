/* recommend.h - answers of a recommender: a request in, ranked items with score and source out.
 *
 * Pure and deterministic: what the daemon serves and what the gate of training evaluates is this code over the same bytes. A recommender
 * is an artifact with some of these sections (lists.h), all optional:
 *   items_for_user, items_for_item, users_for_item, items_for_query, queries_for_query, popular (key "": all), seen (unit → items that it
 *   had, the first column is the weight), factors (factors.h)
 *
 * Where an answer comes from, in this order, until there are n:
 *   user   items_for_user; with a history that training has not seen, folded in:
 *          with factors, one vector from seen and history together, which scores all items (above RECOMMEND_SCAN_MAX items: those similar
 *          to the history's, the unit's list and the popular ones); without, the sum of weight × similarity over items_for_item of the
 *          history, merged with the unit's list, each scaled so that its best is 1
 *   item   items_for_item      query    items_for_query      users   users_for_item      queries   queries_for_query
 *   top    popular of the category `id`
 *   and then popular, when `fill` is set and items are asked for
 * A candidate counts once, is dropped when excluded or refused by `keep`; equal scores are ordered by text. Diversity is maximal marginal
 * relevance (Carbonell, Goldstein 1998): each place goes to the largest (1 - d) · relevance - d · greatest similarity to those above. */
#pragma once
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/artifact.h"
#include "model/factors.h"
#include "model/lists.h"

enum recommend_for {
    RECOMMEND_USER,
    RECOMMEND_ITEM,
    RECOMMEND_QUERY,
    RECOMMEND_USERS,
    RECOMMEND_QUERIES,
    RECOMMEND_TOP,
    RECOMMEND_FOR_COUNT
};
extern const char *const recommend_for_names[RECOMMEND_FOR_COUNT]; /* "user", "item", … */

enum recommend_source {
    RECOMMEND_PERSONAL, /* the unit's own list */
    RECOMMEND_FOLD_IN,  /* from its history, now */
    RECOMMEND_SIMILAR,  /* to the item, the query */
    RECOMMEND_POPULAR,
    RECOMMEND_SOURCE_COUNT
};
extern const char *const recommend_source_names[RECOMMEND_SOURCE_COUNT];

/* Why an answer is not what was asked for. */
enum recommend_note {
    RECOMMEND_FINE,
    RECOMMEND_UNKNOWN,    /* the model does not know the id (nor anything of the history) */
    RECOMMEND_NO_SECTION, /* the model has no lists of this kind */
    RECOMMEND_NOTE_COUNT
};

enum {
    RECOMMEND_N_MAX = 1000,
    RECOMMEND_DIVERSE_MAX = 100, /* diversity is for answers up to this length */
    RECOMMEND_SCAN_MAX = 20000,
    RECOMMEND_HISTORY_MAX = FACTORS_HISTORY_MAX
};

enum recommend_section {
    SECTION_ITEMS_FOR_USER,
    SECTION_ITEMS_FOR_ITEM,
    SECTION_USERS_FOR_ITEM,
    SECTION_ITEMS_FOR_QUERY,
    SECTION_QUERIES_FOR_QUERY,
    SECTION_POPULAR,
    SECTION_SEEN,
    RECOMMEND_SECTION_COUNT
};
extern const char *const recommend_section_names[RECOMMEND_SECTION_COUNT];

/* An opened artifact: views into its bytes, which must stay. */
struct recommender {
    bool has[RECOMMEND_SECTION_COUNT], has_factors;
    struct lists lists[RECOMMEND_SECTION_COUNT];
    struct factors factors;
};
/* ERR_INVALID when a section is damaged, or there is none to answer from. What it computes is the arena's. */
bool recommender_open(const struct artifact *a, struct recommender *out, struct arena *arena,
                      struct err *err) MUSTCHECK;

struct recommend_event {
    struct str item;
    double weight; /* not above 0: counts as 1 */
};

struct recommend_request {
    enum recommend_for of;
    struct str id;   /* unit, item, query; of TOP: a category, {"", 0}: all */
    struct str unit; /* whose seen items are excluded, when `id` is not a unit; {NULL, 0}: nobody's */
    uint32_t n;      /* 1 … RECOMMEND_N_MAX */
    const struct recommend_event *history; /* beyond RECOMMEND_HISTORY_MAX not looked at */
    size_t history_count;
    const struct str *exclude;
    size_t exclude_count;
    bool exclude_seen; /* what `seen` has of the unit, and the history */
    bool fill;
    bool forget;                              /* the model is not to know `id` and `unit`: they were deleted */
    double diversity;                         /* 0: by score alone … 1 */
    bool (*keep)(void *arg, struct str item); /* NULL: all; asked at most once for an item */
    void *keep_arg;
};

struct recommend_item {
    struct str item; /* the artifact's bytes */
    double score;    /* of its source: comparable only within one */
    enum recommend_source source;
};

struct recommend_answer {
    struct recommend_item *items; /* the arena's */
    size_t count;
    enum recommend_note note;
    size_t history_known; /* events of items that the model knows */
};
/* Allocates from the arena alone. */
void recommend(const struct recommender *r, const struct recommend_request *q, struct arena *arena,
               struct recommend_answer *out);
