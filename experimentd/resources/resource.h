/* resource.h - objects that have a name and a version, over HTTP: the list, one with its ETag, changes by functions of the database.
 *
 * The functions answer with JSON: {"refused": why, "version", "detail"}, or what was done. A kind of object is a table (struct resource_kind); beside it
 * stands only what is its own: how a row is written, how a body is read. `dictionaries/handlers.c` is the shortest one. */
#pragma once
#include <jansson.h>

#include "base/pgloop.h"
#include "experimentd/resources/rows.h"
#include "experimentd/worker.h"

struct resource_wait;

/* Why a change is refused, beside "missing", "version" and "used", which all kinds have. */
struct resource_refusal {
    const char *why;
    int status;
    const char *before, *after; /* the name stands between them; before NULL: `after` alone */
};

struct resource_kind {
    const char *what; /* "search": in errors, of whatever is asked */
    bool plural;      /* "there are no labelled texts" */
    int name_shown;   /* bytes of a name that is not known; 0: all */
    struct rows_form form;
    int read, remove;   /* statements (queries.h): of a name, or NULL; of name, expected version, actor */
    int version_column; /* of `read` */
    const struct resource_refusal *refusals;                        /* up to why = NULL; NULL: none */
    bool (*refuse)(struct resource_wait *w, const json_t *answer);  /* true: it has answered; may be NULL */
    void (*changed)(struct resource_wait *w, const json_t *answer); /* before the object is read back; may be NULL */
    void (*reply)(struct resource_wait *w, const PGresult *r);      /* the found one; NULL: as `form` writes it */
};

/* What a handler waits with; the first member of what it needs beside. */
struct resource_wait {
    struct http_request *req;
    struct worker *worker;
    const struct resource_kind *kind;
    const char *name; /* of the path; NULL: it has none */
    int status;       /* of the answer with the object */
    struct str extra; /* the kind's own: from the change to the answer */
};
struct resource_wait resource_wait_of(struct http_request *req, void *worker, const struct resource_kind *kind);
struct resource_wait *resource_wait_new(struct http_request *req, void *worker, const struct resource_kind *kind);

/* The label of the request's key, for the statement. */
const char *resource_actor(struct http_request *req);
void resource_not_known(struct resource_wait *w);
/* False: it is answered, with the error or that there is none. */
bool resource_found(struct resource_wait *w, const PGresult *r, const struct err *err) MUSTCHECK;
/* False: it was not refused. */
bool resource_refused(struct resource_wait *w, const json_t *answer) MUSTCHECK;

void resource_list(struct http_request *req, void *worker, const struct resource_kind *kind);
void resource_get(struct http_request *req, void *worker, const struct resource_kind *kind);
void resource_delete(struct http_request *req, void *worker, const struct resource_kind *kind);
/* Runs `statement`, whose one value is the function's answer; answers 204 to DELETE, else with the object as it is now. */
void resource_change(struct resource_wait *w, int statement, const char *const *params);
