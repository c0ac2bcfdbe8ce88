/* import_record.h - inside of import: one record of a file turned into signals and exposures, by format. */
#pragma once
#include <stdio.h>

#include "base/mem.h"
#include "experimentd/ingest/signal.h"

enum { IMPORT_SIGNALS_MAX = 1002, IMPORT_CLICKS_MAX = 1000, CSV_COLUMNS_MAX = 256, IMPORT_LINE_MAX = 4 << 20 };

struct import_record {
    struct signal signals[IMPORT_SIGNALS_MAX];
    size_t signals_count;
    struct exposure exposure;
    bool has_exposure;
};

/* The checks of signal.h for all of it. */
bool import_record_check(struct import_record *r, struct arena *arena, struct err *err) MUSTCHECK;
/* A time in a file: in the format, as for strptime, in UTC; "": RFC 3339 or a number. */
bool import_time(const char *format, struct str s, int64_t *out, struct err *err) MUSTCHECK;

/* Which column holds what; an index of -1: not given. */
enum map_field {
    MAP_UNIT,
    MAP_VARIANT,
    MAP_TIMESTAMP,
    MAP_SESSION,
    MAP_QUERY_ID,
    MAP_QUERY,
    MAP_RESULTS,
    MAP_CLICKS,
    MAP_POSITION,
    MAP_CLICK_TIMESTAMP,
    MAP_COUNT
};
extern const char *const map_names[MAP_COUNT];

struct csv_map {
    char *columns[MAP_COUNT]; /* names, owned; NULL not mapped */
    int index[MAP_COUNT];
    const char *experiment, *timestamp_format; /* strptime's; "" RFC 3339 or a number */
    char *missing[16];                         /* texts that stand for "not there", beside the empty one */
    size_t missing_count;
};

/* Reads one record (of one or more lines) into the arena; false at the end of the file or with err. *out_lines: lines it took. */
bool csv_next(FILE *f, struct arena *arena, struct str *out_fields, size_t *out_count, size_t *out_lines,
              struct err *err);
/* Finds the mapped columns in the header. */
bool csv_map_header(struct csv_map *map, const struct str *header, size_t count, struct err *err) MUSTCHECK;
bool csv_record(const struct csv_map *map, const struct str *fields, size_t count, int64_t now_us, struct arena *arena,
                struct import_record *out, struct err *err) MUSTCHECK;
/* A line of native NDJSON, or {"type":"exposure","experiment","variant","unit","timestamp","attributes"?}. */
bool ndjson_record(struct str line, int64_t now_us, struct arena *arena, struct import_record *out,
                   struct err *err) MUSTCHECK;
/* A line of UBI NDJSON; *out_skip: an action line of a bulk file, which is none. */
bool ubi_record(struct str line, int64_t now_us, struct arena *arena, struct import_record *out, bool *out_skip,
                struct err *err) MUSTCHECK;
