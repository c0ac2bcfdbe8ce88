/* reader.h - an archive file, mapped. Files never change once they have their name; a damaged one gives an error that names the file, the
 * column and the block, as soon as that block is read. */
#pragma once
#include "archive/footer.h"

struct archive;

struct archive *archive_open(const char *path, struct err *err);
/* The same of bytes that the caller keeps; `name` is for errors. */
struct archive *archive_open_bytes(const char *name, struct str bytes, struct err *err);
void archive_close(struct archive *a);
DEFINE_AUTO(struct archive *, archive_close)

const struct archive_footer *archive_footer(const struct archive *a);
/* -1: it has no such column (it was written before there was one). */
int archive_column_named(const struct archive *a, const char *name);
/* A block as it is stored, its checksum checked. */
bool archive_block(const struct archive *a, size_t group, size_t column, struct str *out_stored,
                   struct err *err) MUSTCHECK;
/* The values of one block; they and their texts lie in the arena. */
bool archive_read_vector(const struct archive *a, size_t group, size_t column, struct arena *arena,
                         struct archive_vector *out, struct err *err) MUSTCHECK;
bool archive_read(const struct archive *a, size_t group, size_t column, struct arena *arena,
                  struct archive_value **out_values, struct err *err) MUSTCHECK;
/* Reads every block. */
bool archive_check(const struct archive *a, struct err *err) MUSTCHECK;
