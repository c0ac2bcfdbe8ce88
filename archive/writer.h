/* writer.h - makes an archive file: under a name of its own until it is whole and synced, then renamed; so a file that has its name is
 * whole. Memory: one group of rows. */
#pragma once
#include "archive/reader.h"

struct archive_writer;

struct archive_summary {
    uint64_t rows, bytes;
    uint32_t crc; /* CRC-32C of the whole file */
};

/* The folders of `path` are made. The schema is copied. */
struct archive_writer *archive_writer_open(const char *path, const struct archive_schema *schema, struct err *err);
/* One row: a value for each column of the schema. Texts are copied. Give rows in the order (bucket, unit, at), those that are read apart first: then a pass reads units
 * one after the other, and a unit lies in few groups. */
bool archive_writer_add(struct archive_writer *w, const struct archive_value *row, struct err *err) MUSTCHECK;
/* Ends the group that gathers, unless it has fewer rows than that: what comes next is read apart from it. */
enum { ARCHIVE_GROUP_SMALL_ROWS = 1024 };
bool archive_writer_end_group(struct archive_writer *w, uint32_t least_rows, struct err *err) MUSTCHECK;
/* A whole group of another file with the same columns, as it is stored there. */
bool archive_writer_add_group(struct archive_writer *w, const struct archive *from, size_t group,
                              struct err *err) MUSTCHECK;
/* Syncs and renames, and syncs the folder. */
bool archive_writer_finish(struct archive_writer *w, struct archive_summary *out, struct err *err) MUSTCHECK;
/* Removes what was not finished. */
void archive_writer_free(struct archive_writer *w);
DEFINE_AUTO(struct archive_writer *, archive_writer_free)
