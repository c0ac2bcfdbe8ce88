/* search.h - a search configuration: whom to ask for a ranking, how to ask, and where the documents stand in the answer. Pure.
 *
 *   {"engine": "solr", "url": "http://search:8983/solr/products/select", "params": "q={{query}}&rows={{k}}&fl=id", "docs_path": "response.docs", "id_field": "id"}
 *
 *   engine      solr, elasticsearch, opensearch, json (any that answers with JSON), run (nobody is asked: lists that were brought)
 *   url         http or https, without ? and without a user
 *   params      the query string: a template. Absent, with no body: that of the engine (below); json needs one of both
 *   body        a JSON body: a template, as text or as an object; then the request is a POST
 *   docs_path   where the list of documents stands: names and numbers with dots between them; an engine's own when absent
 *   id_field    where its id stands in a document, likewise; "": the document is its id
 *   headers     {"name": "value"}; those that carry secrets are refused: they come from a file of the trainer, under the name `secret` (search.secrets)
 *   verify      false: a certificate is not checked
 *
 * Templates. {{query}} is the text of the query, {{k}} how many documents are wanted, any other name a parameter of the query (query sets have them). In a query
 * string values are percent-encoded. In a body within quotes they are escaped as JSON text; outside of quotes they become JSON values. */
#pragma once
#include "base/json.h"
#include "base/jsonw.h"

enum search_engine {
    SEARCH_SOLR,
    SEARCH_ELASTICSEARCH,
    SEARCH_OPENSEARCH,
    SEARCH_JSON,
    SEARCH_RUN,
    SEARCH_ENGINE_COUNT
};
extern const char *const search_engine_names[]; /* ends with NULL */

enum { SEARCH_HEADERS_MAX = 20, SEARCH_TEXT_MAX = 65536, SEARCH_URL_MAX = 2000, SEARCH_ID_MAX = 512 };

struct search_header {
    struct str name, value;
};
struct search_config {
    enum search_engine engine;
    struct str url, params, body, docs_path, id_field, secret; /* n 0: none */
    struct search_header headers[SEARCH_HEADERS_MAX];
    size_t headers_count;
    bool verify;
};

/* Texts in the arena, what is absent filled in. */
bool search_config_read(json_t *spec, struct arena *arena, struct search_config *out, struct err *err) MUSTCHECK;
/* The same as search_config_read takes it, all fields that the engine has. */
void search_config_write(struct jsonw *w, const char *key, const struct search_config *c);

/* A value of a template: its text, and as JSON. */
struct search_value {
    struct str name, text, json;
};
/* The names in the order they stand, each at its place; false at the end. *at begins at 0. ERR_INVALID: an open {{ without its }}, or no name between. */
bool search_template_next(struct str template, size_t *at, struct str *out_name, struct err *err);
bool search_template_query(struct str template, const struct search_value *values, size_t count, struct buf *out,
                           struct err *err) MUSTCHECK;
bool search_template_body(struct str template, const struct search_value *values, size_t count, struct buf *out,
                          struct err *err) MUSTCHECK;

/* The ids of at most k documents of an answer's text, in their order, in the arena; of an id that comes again the later one is left out and counted. An answer that
 * says that it is partial (Solr's partialResults, Elasticsearch's timed_out and failed shards) is an error. */
struct search_docs {
    struct str *ids;
    size_t count, repeated;
};
bool search_docs_read(const struct search_config *c, struct str answer, size_t k, struct arena *arena,
                      struct search_docs *out, struct err *err) MUSTCHECK;
