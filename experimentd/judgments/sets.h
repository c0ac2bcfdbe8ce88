/* sets.h - what judgment sets and query sets have beyond resources/resource.h: a description and a spec, POST and PATCH of properties, rows that are put in and
 * taken out (functions of migration 0026). Inside experimentd/judgments/. */
#pragma once
#include "base/bad_lines.h"
#include "experimentd/resources/resource.h"

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
    struct resource_kind resource;
    int put; /* statement */
    bool (*read)(struct http_request *req, const char *must, struct jsonw *props, struct str *out_name,
                 struct err *err); /* the body of POST and PATCH */
};

/* What both show of a set, before and behind what is its kind's own. */
void set_write_head(struct jsonw *w, const PGresult *r, int row);
void set_write_tail(struct jsonw *w, const PGresult *r, int row);

void sets_create(struct http_request *req, void *worker, const struct set_kind *kind);
void sets_patch(struct http_request *req, void *worker, const struct set_kind *kind);

/* Rows into a set, and what that came to. props: a JSON object; rows: a JSON array. If-Match is read here. `extra` of the wait: more members of the answer,
 * ",\"rows\":3". */
void set_put(struct resource_wait *w, const char *props, const char *rows, const char *mode);
/* By a statement of name, rows, expected version, actor. */
void set_take_out(struct resource_wait *w, int statement, const char *rows);
/* {"refused": "grade"}; for resource_kind.refuse. */
bool set_refuse_grade(struct resource_wait *w, const json_t *answer) MUSTCHECK;
/* A file that cannot be taken: its lines, or all of it. */
void set_reply_bad_lines(struct resource_wait *w, const struct bad_lines *bad, const struct err *err);
