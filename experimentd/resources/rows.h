/* rows.h - rows of a statement as JSON: one, all, or a page of them. */
#pragma once
#include "base/jsonw.h"
#include "base/pg.h"
#include "experimentd/http/http.h"

typedef void (*row_write_fn)(struct jsonw *w, const PGresult *r, int row);

struct rows_form {
    row_write_fn write; /* a row as an object */
    const char *list;   /* the member that has them all: "searches" */
    const char *one;    /* in the error of an answer that is too large: "the search" */
    size_t bytes_max;
    const char *all; /* as `one`, of the list; NULL: "the list" */
};

/* {list: [row …]}; or `err`. */
void rows_reply_list(struct http_request *req, const struct rows_form *form, const PGresult *r, const struct err *err);
void rows_reply_one(struct http_request *req, const struct rows_form *form, int status, const PGresult *r);

/* {"version"?, list: [row …], "next_page_token"} */
struct rows_page {
    int shown;           /* the first ones */
    struct str next;     /* {NULL, 0}: nothing is behind this page */
    bool last_without;   /* then there is no "next_page_token", and not null */
    const char *version; /* NULL: without */
};
/* A page was asked for with one row more than it shows. */
int rows_shown(const PGresult *r, uint32_t limit);
void rows_reply_page(struct http_request *req, const struct rows_form *form, const PGresult *r,
                     const struct rows_page *page);

void rows_etag(struct http_request *req, struct str version);
