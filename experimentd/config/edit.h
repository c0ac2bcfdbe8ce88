/* edit.h - changing the configuration: checked against a whole snapshot, written if nobody changed anything meanwhile, answered when this
 * daemon's own snapshot has the edit.
 *
 * `make` looks at a snapshot and adds the writes; the database takes them all with config_edit(), or none when its version is no longer
 * the snapshot's. Then `make` is called again on a newer snapshot. So a check over several objects (the slots of a layer, say) holds,
 * without a lock that outlives a statement. */
#pragma once
#include "base/json.h"
#include "base/jsonw.h"
#include "experimentd/config/snapshot.h"

struct edit;
struct pg;
struct worker;

/* Adds writes with edit_write; false refuses the edit with err (and edit->status, when it is no status of err's kind). */
typedef bool (*edit_make_fn)(struct edit *e, const struct snapshot *s, struct err *err);
/* Answers the request, on a snapshot that has the edit. */
typedef void (*edit_reply_fn)(struct edit *e, const struct snapshot *s);

struct edit {
    struct http_request *req;
    struct worker *worker;
    struct arena *arena;
    const char *kind, *action; /* "experiment", "start": told by the revision */
    struct str key;
    const char *actor; /* the request's key */
    struct str body;   /* the request's; of an edit without one, what it would have sent */
    edit_make_fn make;
    edit_reply_fn reply;
    int refused_status; /* set by make: 412, or 0 */
    struct buf writes;
    struct jsonw w;
    int64_t version; /* of the configuration that has it */
    unsigned attempts;
    const void *arg; /* make's own */
};

/* In the request's arena; the actor is the request's key. */
struct edit *edit_new(struct http_request *req, struct worker *worker, const char *kind, const char *action,
                      struct str key, edit_make_fn make, edit_reply_fn reply);
void edit_run(struct edit *e);
/* The same on a blocking connection, for the control thread: no request, no reply. False: refused, or another edit came first (ERR_BUSY). */
bool edit_run_blocking(struct edit *e, struct pg *pg, const struct snapshot *s, const char *actor,
                       struct err *err) MUSTCHECK;

/* One write. `spec` {NULL, 0} deletes; `state` {NULL, 0} leaves it. Members for an experiment's columns may follow, before edit_write_end. */
void edit_write_begin(struct edit *e, const char *kind, struct str key, const char *action, struct str spec,
                      struct str state);
void edit_write_end(struct edit *e);

/* The document `was` as the request's body changes it: members of the body take the place of its own, null removes. The caller's. */
json_t *edit_patched(struct edit *e, struct str was, struct err *err);
/* If-Match of the request against the object's version; false with status 400 or 412. */
bool edit_match(struct edit *e, const char *kind, struct str key, int64_t version, struct err *err);
