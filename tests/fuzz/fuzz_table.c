/* A mapping, a byte 0, and a CSV file: what is read of both, and what the rows become. */
#include "experimentd/ingest/load/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { UNITS_MAX = 20 };

static void rows(struct table *t, struct str csv, struct arena *arena)
{
    static struct import_record record;
    struct str fields[CSV_COLUMNS_MAX];
    struct err err;
    size_t count, lines;
    int64_t units;
    FILE *f = fmemopen((void *)(uintptr_t)csv.p, csv.n, "r");
    bool ok = csv_next(f, arena, fields, &count, &lines, &err) && table_header(t, "logs/a/b.csv", fields, count, &err);
    while (ok && csv_next(f, arena, fields, &count, &lines, &err))
        if (table_units(t, fields, count, arena, &units, &err))
            for (int64_t k = 0; k < units && k < UNITS_MAX; k++)
                (void)!table_unit(t, fields, count, k, STR("row"), INT64_C(1790000000000000), arena, &record, &err);
    (void)fclose(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *end = memchr(data, 0, n);
    struct table t;
    struct arena arena;
    struct err err;
    if (!end || end + 1 == data + n)
        return 0;
    struct str mapping = { (const char *)data, (size_t)(end - data) };
    struct str csv = { (const char *)end + 1, n - mapping.n - 1 };
    if (!table_read(mapping, "", "", "NA", &t, &err))
        return 0;
    arena_init(&arena, 4096);
    rows(&t, csv, &arena);
    arena_release(&arena);
    table_release(&t);
    return 0;
}
