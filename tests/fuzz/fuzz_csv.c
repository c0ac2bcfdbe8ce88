#include "experimentd/ingest/load/import_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct import_record record;
    static struct csv_map map = { .experiment = "e",
                                  .timestamp_format = "%Y%m%d%H%M%S",
                                  .missing = { (char *)(uintptr_t) "NA" },
                                  .missing_count = 1 };
    struct arena arena;
    struct err err;
    struct str fields[CSV_COLUMNS_MAX];
    size_t count, lines;
    if (n == 0)
        return 0;
    for (int m = 0; m < MAP_COUNT; m++) {
        map.columns[m] = (char *)(uintptr_t)map_names[m];
        map.index[m] = m;
    }
    FILE *f = fmemopen((void *)(uintptr_t)data, n, "r");
    arena_init(&arena, 4096);
    while (csv_next(f, &arena, fields, &count, &lines, &err))
        (void)!csv_record(&map, fields, count, INT64_C(1790000000000000), &arena, &record, &err);
    bool skip;
    (void)!ndjson_record((struct str){ (const char *)data, n }, INT64_C(1790000000000000), &arena, &record, &err);
    (void)!ubi_record((struct str){ (const char *)data, n }, INT64_C(1790000000000000), &arena, &record, &skip, &err);
    arena_release(&arena);
    (void)fclose(f);
    return 0;
}
