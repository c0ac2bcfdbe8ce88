/* import_parts.h - inside of import: its state, in the order of its files: import.c (settings, files), import_read.c (records of a file),
 * import_batch.c (rows in transactions). */
#pragma once
#include <sodium.h>
#include <stdio.h>

#include "base/pgcluster.h"
#include "experimentd/ingest/dimensions.h"
#include "experimentd/ingest/load/import_experiment.h"
#include "experimentd/ingest/load/import_record.h"
#include "experimentd/ingest/load/rows.h"
#include "experimentd/ingest/load/table.h"

enum { FILE_HASH_BYTES = 32 };

struct import_settings {
    char *data_dir, *database_url, *pg_user, *pg_bin_dir, *experiment, *weights, *map, *mapping, *missing,
        *timestamp_format, *rejects, *exposure_dimensions;
};

enum format { FORMAT_NDJSON, FORMAT_UBI, FORMAT_CSV, FORMAT_TABLE, FORMAT_COUNT };

enum stmt { POSITION_READ, POSITION_WRITE, OWN_COUNT, STMT_COUNT = OWN_COUNT + IMPORT_EXPERIMENT_STATEMENTS };
extern const struct pg_stmt import_statements[OWN_COUNT];

struct import {
    struct import_settings settings;
    enum format format;
    char **names; /* of the files, one after the other */
    size_t names_count;
    const char *name;
    FILE *file, *rejects;
    char *rejects_path;
    off_t file_bytes;
    unsigned char hash[FILE_HASH_BYTES];
    char hash_hex[2 * FILE_HASH_BYTES + 1];
    struct csv_map map;
    struct dimensions dimensions; /* of exposures */
    struct table table;
    struct str mapping; /* the text of --mapping */
    struct str spec;    /* of the experiment that the table's mapping tells; {NULL, 0}: none */
    struct str metrics; /* writes of those that it defines */
    struct arena kept;  /* both */
    struct pgcluster *cluster;
    struct pg *pg;
    struct rows_loader rows;
    struct rows batch;
    struct arena arena; /* texts of the batch */
    struct import_record *record;
    uint64_t position, signals, exposures, rejected, resumed, line;
    int64_t started_us, told_us;
    bool terminal;
};

/* import_read.c: all records of the file; false: the import cannot go on. */
typedef bool (*import_read_fn)(struct import *im, struct err *err);
extern const import_read_fn import_readers[FORMAT_COUNT];

/* import_batch.c */
void import_tell(struct import *im, bool last);
/* A line that is no record, with the reason, into the file of rejects. */
bool import_set_aside(struct import *im, struct str line, const struct err *why, struct err *err) MUSTCHECK;
/* Takes im->record into the batch, which is written when it is full; im->position says which record it is. */
bool import_add(struct import *im, struct err *err) MUSTCHECK;
/* Writes the batch, the position, and what it says of the experiment. `end`: of the file. */
bool import_flush(struct import *im, bool end, struct err *err) MUSTCHECK;
