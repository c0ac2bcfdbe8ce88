#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "experimentd/ingest/load/import_record.h"

#define NOW INT64_C(1790000000000000)

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, 1 << 16);
    clock_freeze(NOW);
}

static void teardown(void)
{
    arena_release(&arena);
}

TestSuite(import_record, .init = setup, .fini = teardown);

static FILE *file_of(const char *text)
{
    return fmemopen((char *)(uintptr_t)text, strlen(text), "r");
}

Test(import_record, csv_has_quotes_line_ends_and_a_byte_order_mark)
{
    FILE *f = file_of("\xEF\xBB\xBF"
                      "a,\"b \"\"x\"\", c\",\"two\nlines\"\r\n,\r\nlast");
    struct str fields[CSV_COLUMNS_MAX];
    size_t n, lines;
    struct err err;
    cr_assert(csv_next(f, &arena, fields, &n, &lines, &err));
    cr_assert(eq(sz, n, 3));
    cr_assert(eq(sz, lines, 2));
    cr_assert(str_eq(fields[0], STR("a")));
    cr_assert(str_eq(fields[1], STR("b \"x\", c")));
    cr_assert(str_eq(fields[2], STR("two\nlines")));
    cr_assert(csv_next(f, &arena, fields, &n, &lines, &err));
    cr_assert(eq(sz, n, 2));
    cr_assert(csv_next(f, &arena, fields, &n, &lines, &err));
    cr_assert(str_eq(fields[0], STR("last")));
    cr_assert(not(csv_next(f, &arena, fields, &n, &lines, &err)));
    cr_assert(eq(int, (int)err.kind, ERR_NONE));
    (void)fclose(f);
}

Test(import_record, csv_that_is_none_is_told)
{
    static const char *const bad[] = { "\"open", "\"a\"b,c" };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        FILE *f = file_of(bad[i]);
        struct str fields[CSV_COLUMNS_MAX];
        size_t n, lines;
        struct err err;
        cr_assert(not(csv_next(f, &arena, fields, &n, &lines, &err)), "%s", bad[i]);
        cr_assert(eq(int, (int)err.kind, ERR_INVALID));
        (void)fclose(f);
    }
}

static struct csv_map map_of(void)
{
    struct csv_map map = {
        .experiment = "test", .timestamp_format = "%Y%m%d%H%M%S", .missing = { "NA", "-Inf" }, .missing_count = 2
    };
    static const char *const columns[MAP_COUNT] = { [MAP_UNIT] = "id",   [MAP_TIMESTAMP] = "t", [MAP_VARIANT] = "v",
                                                    [MAP_RESULTS] = "r", [MAP_CLICKS] = "c",    [MAP_POSITION] = "p" };
    static const struct str header[] = { STR("id"), STR("t"), STR("v"), STR("r"), STR("c"), STR("p") };
    struct err err;
    for (int m = 0; m < MAP_COUNT; m++)
        map.columns[m] = (char *)(uintptr_t)columns[m];
    cr_assert(csv_map_header(&map, header, 6, &err), "%s", err.text);
    return map;
}

static bool row(const char *a, const char *b, const char *c, const char *d, const char *e, const char *f,
                struct import_record *out, struct err *err)
{
    struct csv_map map = map_of();
    struct str fields[] = { str_of(a), str_of(b), str_of(c), str_of(d), str_of(e), str_of(f) };
    return csv_record(&map, fields, 6, NOW, &arena, out, err);
}

Test(import_record, a_row_is_an_exposure_a_request_and_its_clicks)
{
    struct import_record r;
    struct err err;
    cr_assert(row("s1", "20160303165629", "a", "20", "2", "3", &r, &err), "%s", err.text);
    cr_assert(r.has_exposure);
    cr_assert(str_eq(r.exposure.variant, STR("a")));
    cr_assert(eq(sz, r.signals_count, 3));
    cr_assert(str_eq(r.signals[0].type, STR("request")));
    cr_assert(epsilon_eq(dbl, r.signals[0].value, 20, 0));
    cr_assert(eq(int, r.signals[1].position, 3));
    cr_assert(eq(int, r.signals[2].position, SIGNAL_POSITION_NONE));
    cr_assert(eq(i64, r.signals[0].at_us, INT64_C(1457024189000000)));
}

Test(import_record, a_row_without_a_result_page_is_no_query)
{
    struct import_record r;
    struct err err;
    cr_assert(row("s1", "20160303165629", "a", "-Inf", "1", "NA", &r, &err));
    cr_assert(eq(sz, r.signals_count, 1));
    cr_assert(str_eq(r.signals[0].type, STR("click")));
    cr_assert(isnan(r.signals[0].value));
}

Test(import_record, long_numbers_with_an_exponent_are_times)
{
    struct import_record a, b;
    struct err err;
    cr_assert(row("s1", "20160303122e3", "a", "1", "0", "NA", &a, &err), "%s", err.text);
    cr_assert(row("s1", "20160303122000", "a", "1", "0", "NA", &b, &err));
    cr_assert(eq(i64, a.signals[0].at_us, b.signals[0].at_us));
}

Test(import_record, a_bad_cell_is_named_by_its_column)
{
    struct import_record r;
    struct err err;
    cr_assert(not(row("", "20160303165629", "a", "1", "0", "NA", &r, &err)));
    cr_assert(strstr(err.text, "column \"id\"") != NULL, "%s", err.text);
    cr_assert(not(row("s", "noon", "a", "1", "0", "NA", &r, &err)));
    cr_assert(strstr(err.text, "column \"t\"") != NULL, "%s", err.text);
    cr_assert(not(row("s", "20160303165629", "a", "many", "0", "NA", &r, &err)));
    cr_assert(strstr(err.text, "column \"r\"") != NULL, "%s", err.text);
    cr_assert(not(row("s", "20160303165629", "a", "1", "5000", "NA", &r, &err)));
    cr_assert(strstr(err.text, "column \"c\"") != NULL, "%s", err.text);
    cr_assert(not(row("s", "20160303165629", "a", "1", "1", "0", &r, &err)));
    cr_assert(strstr(err.text, "column \"p\"") != NULL, "%s", err.text);
}

Test(import_record, lines_of_ndjson_may_be_exposures)
{
    struct import_record r;
    struct err err;
    bool skip;
    cr_assert(ndjson_record(STR("{\"type\":\"exposure\",\"experiment\":\"e\",\"variant\":\"a\",\"unit\":\"u\","
                                "\"timestamp\":\"2026-01-01\"}"),
                            NOW, &arena, &r, &err),
              "%s", err.text);
    cr_assert(r.has_exposure && r.signals_count == 0);
    cr_assert(ndjson_record(STR("{\"type\":\"click\",\"unit\":\"u\"}"), NOW, &arena, &r, &err));
    cr_assert(r.signals_count == 1 && !r.has_exposure);
    cr_assert(ubi_record(STR("{\"index\":{\"_index\":\"ubi_events\"}}"), NOW, &arena, &r, &skip, &err));
    cr_assert(eq(int, skip, true));
}

static void over(size_t limit_bytes)
{
    (void)limit_bytes;
    abort();
}

/* Each field took as much as was left of its record. */
Test(import_record, fields_in_quotes_take_what_they_have)
{
    struct buf text;
    struct str fields[CSV_COLUMNS_MAX];
    size_t n, lines;
    struct err err;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < CSV_COLUMNS_MAX; i++)
        buf_addf(&text, "%s\"%02000d\"", i ? "," : "", i);
    FILE *f = file_of(buf_str(&text).p);
    mem_limit(4 * text.n, over);
    cr_assert(csv_next(f, &arena, fields, &n, &lines, &err), "%s", err.text);
    cr_assert(eq(sz, n, CSV_COLUMNS_MAX));
    cr_assert(eq(sz, fields[n - 1].n, 2000));
    mem_limit(0, NULL);
    (void)fclose(f);
    buf_release(&text);
}
