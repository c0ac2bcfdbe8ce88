/* sets.h - what judgment sets and query sets have in common over HTTP: named, versioned, edited by functions of the database (migration 0026) whose
 * answers and refusals are the same. Inside experimentd/judgments/. */
#pragma once
#include "base/jsonw.h"
#include "base/pgloop.h"
#include "experimentd/http/http.h"
#include "experimentd/judgments/lines.h"
#include "experimentd/worker.h"

enum { SETS_ANSWER_MAX = 128 << 20, SETS_PAGE = 100, SETS_PAGE_MAX = 1000, SETS_PER_REQUEST_MAX = 10000 };

/* The first columns of both. */
enum set_column {
    SET_NAME,
    SET_VERSION,
    SET_DESCRIPTION,
    SET_SPEC,
    SET_RUN,
    SET_CREATED,
    SET_UPDATED,
    SET_BY,
    SET_COLUMN_COUNT
};

struct set_kind {
    const char *what, *list;                                    /* "judgment set"; a member of the list's answer */
    int all, put, remove;                                       /* statements (queries.h) */
    void (*write)(struct jsonw *w, const PGresult *r, int row); /* the columns that are its own */
    bool (*read)(struct http_request *req, const char *must, struct jsonw *props, struct str *out_name,
                 struct err *err); /* the body of POST and PATCH */
};

struct set_wait {
    struct http_request *req;
    struct worker *worker;
    const struct set_kind *kind;
    const char *name;
    int status;       /* of an answer that reads the set back; 0: the answer is what the edit came to */
    struct str extra; /* more members of that: ",\"rows\":3" */
};
/* Of the path's {name}, when it has one. */
struct set_wait *set_wait_new(struct http_request *req, void *worker, const struct set_kind *kind);
void set_fail(struct set_wait *w, const struct err *err);
void set_not_known(struct set_wait *w);
void set_reply_bad_lines(struct set_wait *w, const struct bad_lines *bad, const struct err *err);
void set_etag(struct set_wait *w, struct str version);

void sets_list(struct http_request *req, void *worker, const struct set_kind *kind);
void sets_get(struct http_request *req, void *worker, const struct set_kind *kind);
void sets_create(struct http_request *req, void *worker, const struct set_kind *kind);
void sets_patch(struct http_request *req, void *worker, const struct set_kind *kind);
void sets_remove(struct http_request *req, void *worker, const struct set_kind *kind);

/* Edits, and answers. props: a JSON object; rows: a JSON array, or NULL. If-Match is read here. */
void set_put(struct set_wait *w, const char *props, const char *rows, const char *mode);
/* By a statement of name, rows, expected version, actor. */
void set_take_out(struct set_wait *w, int statement, const char *rows);
