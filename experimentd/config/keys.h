/* keys.h - API keys: made once, shown once, stored as a hash. */
#pragma once
#include "base/err.h"
#include "experimentd/http/http.h"

struct pg;

enum { KEY_TEXT_MAX = 96 }; /* "xd_analyst_" and 64 hexadecimal digits, with room for a stray line end */

/* Makes a key (32 random bytes) and stores its BLAKE2b-256. Blocking connection. */
bool key_create(struct pg *pg, enum key_scope scope, const char *label, char out_key[KEY_TEXT_MAX],
                struct err *err) MUSTCHECK;
/* First start: DIR/admin.key and DIR/client.key (mode 0600). Those that are there are made known to this database. */
bool keys_make_first(struct pg *pg, const char *data_dir, struct err *err) MUSTCHECK;
