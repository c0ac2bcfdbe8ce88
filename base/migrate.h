/* migrate.h - numbered migrations with checksums, under an advisory lock.
 *
 * migrations/NNNN_topic.sql are compiled into the programs (cmake/embed.cmake) and applied in order, one transaction each.
 * Refused, with the file's name: a database whose applied migration differs from ours (checksum), or that is newer than us. */
#pragma once
#include "base/err.h"

struct pg;

struct migration {
    int version;
    const char *name; /* "0001_init" */
    const char *sql;
};
extern const struct migration migrations[]; /* ascending; ends with version 0 */

/* Applies what is missing; *out_applied how many. */
bool migrate_run(struct pg *pg, const struct migration *list, int *out_applied, struct err *err) MUSTCHECK;
/* ERR_CONFLICT unless the database is exactly at our version. */
bool migrate_check(struct pg *pg, const struct migration *list, struct err *err) MUSTCHECK;
