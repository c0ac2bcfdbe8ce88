/* registry.h - artifacts in the database, for threads that may wait: read whole and checked, or stored as a new version. */
#pragma once
#include "base/pg.h"
#include "model/artifact.h"

extern const struct pg_stmt registry_statements[];
extern const size_t registry_statements_count;

/* A version with its artifact. Release it in any case. */
struct registry_version {
    int version;
    struct buf file;
    struct artifact artifact; /* borrows the file */
    struct str card, metrics; /* JSON; of `arena` */
};
enum { REGISTRY_FILE_MAX = 1 << 30 }; /* of what is read into memory for one answer */

/* version: "3" or "@champion". ERR_NOT_FOUND: no such model or version; ERR_CONFLICT: deleted; ERR_SYSTEM: the artifact is damaged, ERR_TOO_LARGE. */
bool registry_read(struct pg *pg, const char *model, const char *version, struct arena *arena,
                   struct registry_version *out, struct err *err) MUSTCHECK;
void registry_version_release(struct registry_version *v);

/* Checks all of a file as a model: its checksum, and what its kind says of its sections. ERR_INVALID says what is wrong. */
bool registry_check(struct str file, struct artifact *out, struct err *err) MUSTCHECK;
/* A new version from a file that was checked, status ready; card: JSON. ERR_CONFLICT when the model is of another kind. In a transaction of its own, with
 * its revision. */
bool registry_add(struct pg *pg, const char *model, const struct artifact *a, const char *description, struct str card,
                  const char *actor, int *out_version, struct err *err) MUSTCHECK;
