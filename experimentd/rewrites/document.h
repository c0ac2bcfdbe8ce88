/* document.h - pure: what clients write of rewrites: rules of their own, changes, filters, reviews. Errors name the field. */
#pragma once
#include <jansson.h>

#include "base/jsonw.h"
#include "model/rewrite.h"

enum { REWRITES_BULK_MAX = 10000, REWRITE_NOTE_MAX = 1000 };

struct rewrite_doc {
    struct rewrite_rule rule;
    struct str review, note;
};
/* A rule that a person writes: type, input, output; without more approved, of confidence 1. Texts are brought to the normal form. */
bool rewrite_doc_read(json_t *object, struct arena *arena, struct rewrite_doc *out, struct err *err) MUSTCHECK;
/* As rewrites_add() takes it. */
void rewrite_doc_write(struct jsonw *w, const struct rewrite_doc *doc);

/* A merge patch: what of `doc` it changes is changed there, and written to `w`, an open object, as rewrite_edit() takes it. *out_rule: more than review
 * and note. */
bool rewrite_patch_read(json_t *object, struct arena *arena, struct rewrite_doc *doc, struct jsonw *w, bool *out_rule,
                        struct err *err) MUSTCHECK;

/* A filter as rewrite_matches() takes it: each field asks nothing when it is absent. */
enum rewrite_filter_field {
    FILTER_TYPE,
    FILTER_REVIEW,
    FILTER_SOURCE,
    FILTER_CONFIDENCE_CLASS,
    FILTER_JOB,
    FILTER_MIN_CONFIDENCE,
    FILTER_MAX_CONFIDENCE,
    FILTER_MIN_SEARCHES,
    FILTER_TEXT,
    FILTER_COUNT
};
extern const char *const rewrite_filter_names[FILTER_COUNT];
struct rewrite_filter {
    struct str values[FILTER_COUNT]; /* {NULL, 0}: absent */
};
/* Checks each value; brings FILTER_TEXT to the form of queries. */
bool rewrite_filter_check(struct rewrite_filter *f, struct arena *arena, struct err *err) MUSTCHECK;
bool rewrite_filter_read(json_t *object, struct arena *arena, struct rewrite_filter *out, struct err *err) MUSTCHECK;
void rewrite_filter_write(struct jsonw *w, const struct rewrite_filter *f);

struct rewrite_review {
    const int64_t *ids; /* NULL: those of the filter */
    size_t ids_count;
    struct rewrite_filter filter;
    struct str review, note; /* note {NULL, 0}: stays as it is */
    int64_t count;           /* how many these are, as the client sees it; -1: it does not say */
};
bool rewrite_review_read(json_t *object, struct arena *arena, struct rewrite_review *out, struct err *err) MUSTCHECK;
