/* ask.h - a request for recommendations: read, checked, and asked of the model that it names. */
#pragma once
#include "experimentd/serving/filter.h"
#include "experimentd/serving/serving.h"
#include "model/recommend.h"

struct http_request;
struct worker;

struct recommend_ask {
    struct recommend_request request; /* texts in the request's arena */
    struct str model, alias;
    bool recent; /* what this daemon saw of the unit lately belongs to the history */
    size_t recent_count;
    const struct assign_value *condition; /* NULL: none */
};

/* Of GET: the query string; of POST: the body. */
bool recommend_ask_read(struct http_request *req, struct recommend_ask *out, struct err *err) MUSTCHECK;
/* Of an object, as /v1/models/{name}/predict has them. */
bool recommend_ask_of(const struct assign_value *object, struct arena *arena, struct recommend_ask *out,
                      struct err *err) MUSTCHECK;
/* The model that is to answer: that of the ask, of the setting models.recommender, or the first that has lists of this kind; for a user without such, one
 * that a history tells something. */
const struct serving_entry *recommend_ask_model(const struct recommend_ask *ask, const struct serving *s,
                                                struct str usual, struct err *err);
/* Answers as one JSON object, appended. */
bool recommend_answer_write(struct recommend_ask *ask, const struct serving *s, const struct serving_entry *e,
                            struct worker *worker, struct arena *arena, struct buf *out, struct err *err) MUSTCHECK;
