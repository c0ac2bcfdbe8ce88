/* boosts_ask.h - a request for boosts: read, checked, asked of its model (model/boosts.h), and written for who searches: as JSON that tells where each
 * comes from, as parameters of Solr, or as a query of Elasticsearch and OpenSearch. */
#pragma once
#include "assign/assign.h"
#include "experimentd/serving/serving.h"
#include "model/boosts.h"

struct http_request;

enum boosts_format { BOOSTS_JSON, BOOSTS_SOLR, BOOSTS_ELASTICSEARCH, BOOSTS_FORMAT_COUNT };
/* How an engine is to use them: added to its score, or multiplied with it. */
enum boosts_method { BOOSTS_ADD, BOOSTS_MULTIPLY, BOOSTS_METHOD_COUNT };

struct boosts_ask {
    struct boosts_request request;
    struct str model, alias, field;
    enum boosts_format format;
    enum boosts_method method;
};

bool boosts_ask_read(struct http_request *req, struct boosts_ask *out, struct err *err) MUSTCHECK;
bool boosts_ask_of(const struct assign_value *object, struct arena *arena, struct boosts_ask *out,
                   struct err *err) MUSTCHECK;
bool boosts_answer_write(const struct boosts_ask *ask, const struct serving_entry *e, struct arena *arena,
                         struct buf *out, struct err *err) MUSTCHECK;
