/* store.h - the run's folder of what splits have made, under names that say what it was made of: a split whose file is there, whole, is a
 * split that is done, by whichever coordinator of the run.
 *
 *   p<pass>.s<split>.<key>      its data set (spool.h), committed by a rename from its name with ".<coordinator>.a<attempt>" behind it
 *   p<pass>.s<split>.<key>.r    its result: "XPR1", u64 rows, what was collected, 16 bytes BLAKE2b of all before
 *   blob.<hash>                 what is broadcast
 *
 * A key is BLAKE2b of the build, the kernel, its parameters, the split's desc, `seen`, the keys of its inputs, the blobs, the parts, the seed
 * and the pass' name. A split that reads the database and does not say what of it has a key that no other coordinator has. */
#pragma once
#include <stdbool.h>

#include "trainer/engine/engine.h"

enum { STORE_KEY_BYTES = 16, STORE_KEY_TEXT = 2 * STORE_KEY_BYTES + 1 };

struct store_key {
    char text[STORE_KEY_TEXT]; /* hex */
};
/* blobs: their hashes; inputs: the keys of the splits that it reads, one for each of split->inputs; nonce: what no other coordinator has. */
struct store_key store_key_of(const struct engine_pass *pass, const struct engine_split *split,
                              const struct store_key *inputs, const struct store_key *blobs, struct str nonce);
struct store_key store_key_of_bytes(struct str bytes);

/* The caller frees each. */
char *store_path(const char *dir, int pass, uint32_t split, const struct store_key *key);
char *store_attempt_path(const char *dir, int pass, uint32_t split, const struct store_key *key, uint32_t attempt);
char *store_blob_path(const char *dir, const struct store_key *hash);

/* Written under another name, then renamed. */
bool store_write_result(const char *path, uint64_t rows, struct str result, struct err *err) MUSTCHECK;
/* False: there is none, or it is not whole. */
bool store_read_result(const char *path, uint64_t *out_rows, struct buf *out_result);
bool store_write_file(const char *path, struct str bytes, struct err *err) MUSTCHECK;
/* Removes what attempts of other coordinators left unfinished. */
void store_clean(const char *dir);
/* Removes the folder with all in it. */
void store_remove(const char *dir);
