/* artifact_parts.h - an artifact's way into the registry: rows of artifact_parts, a mebibyte each. All else in model/ knows of no database. */
#pragma once
#include "base/pg.h"

enum { ARTIFACT_PART_BYTES = 1 << 20 };

/* In the caller's transaction, behind artifact_open() of the migrations, which makes the row that these belong to. */
bool artifact_parts_send(struct pg *pg, const char *digest, struct str bytes, struct err *err) MUSTCHECK;
