/* parts.h - what the registry's handlers share. Inside experimentd/models/. */
#pragma once
#include "experimentd/http/http.h"
#include "experimentd/worker.h"

/* What a handler waits with. */
struct model_wait {
    struct http_request *req;
    struct worker *worker;
    const char *model, *version, *alias; /* NULL: the path has none */
    int status;
};
struct model_wait *model_wait_new(struct http_request *req, struct worker *worker);
/* The same for a path with {version}; NULL: it is none, which is answered. */
struct model_wait *model_wait_version(struct http_request *req, struct worker *worker);
/* "3" or "@champion". */
bool version_is_text(struct str s);
/* 404: model, or version, is not known. */
void model_not_known(struct model_wait *wait);
/* The key's label. */
const char *model_actor(struct http_request *req);
