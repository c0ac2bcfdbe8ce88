#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive/rewrite.h"
#include "archive/scan.h"
#include "archive/table.h"
#include "base/clock.h"
#include "base/pgout.h"
#include "tests/support/pgtest.h"

/* 2026-03-01, ten rows of each of ten buckets, and one of the day after. */
static const int32_t day = 20513;
static const char fill[] =
    "select ensure_partition('2026-03-01'); select ensure_partition('2026-03-02'); "
    "insert into signals (id, at, received_at, bucket, type, unit, value) "
    "select gen_random_uuid(), timestamptz '2026-03-01 00:00Z' + n * interval '10 minutes', now(), n % 10, "
    "case when n % 3 = 0 then 'click' else 'view' end, 'u' || n % 10, nullif(n % 5, 0) / 2.0 from generate_series(0, "
    "99) n; "
    "insert into signals (id, at, received_at, bucket, type, unit) "
    "values (gen_random_uuid(), '2026-03-02 00:00Z', now(), 3, 'click', 'late')";

struct seen {
    uint64_t rows, clicks, nulls;
    double values;
};

static bool see(void *arg, const struct archive_value *row, struct err *err)
{
    struct seen *s = arg;
    (void)err;
    s->rows++;
    s->clicks += str_eq(row[0].s, STR("click"));
    s->nulls += row[1].null;
    s->values += row[1].null ? 0 : row[1].d;
    return true;
}

static struct seen scan(struct pg *pg, const char *dir, unsigned lo, unsigned hi, int64_t to_us)
{
    static const struct archive_column columns[] = { { STR("type"), ARCHIVE_TEXT }, { STR("value"), ARCHIVE_REAL } };
    struct archive_scan scan = { "signals", columns, 2, day * US_PER_DAY, to_us, lo, hi, NULL };
    struct seen s = { 0 };
    struct err err = { 0 };
    cr_assert(archive_scan(pg, dir, &scan, see, &s, &err), "%s", err.text);
    return s;
}

struct copying {
    struct archive_writer *w;
    const struct archive_table *table;
};

static bool copy_row(void *arg, const struct str *fields, size_t count, struct err *err)
{
    struct copying *c = arg;
    struct archive_value row[ARCHIVE_COLUMNS_MAX];
    for (size_t i = 0; i < count; i++)
        row[i] = archive_table_value(c->table->schema.columns[i].type, fields[i]);
    return archive_writer_add(c->w, row, err);
}

/* The day's rows in one file, whose entry is stored; the partitions' rows go. */
static struct archive_entry seal(struct pg *pg, const char *dir, struct arena *arena)
{
    struct archive_table table;
    struct archive_summary sum;
    struct err err = { 0 };
    char name[ARCHIVE_PATH_MAX], sql[1000];
    struct archive_entry e = { .table = STR("signals"), .day = day, .bucket_hi = 1023 };
    cr_assert(archive_store_make(pg, dir, &err) && archive_table_read(pg, "signals", day, arena, &table, &err), "%s",
              err.text);
    cr_assert(archive_store_name(pg, &e, name, &err));
    e.path = arena_str(arena, str_of(name));
    AUTO(mem_free) char *path = mem_printf("%s/%s", dir, name);
    AUTO(archive_writer_free) struct archive_writer *w = archive_writer_open(path, &table.schema, &err);
    struct copying c = { w, &table };
    (void)snprintf(
        sql, sizeof sql,
        "copy (select %s from signals_20260301 order by bucket, unit collate \"C\", at) to stdout (format binary)",
        table.select.p);
    cr_assert(pg_copy_out(pg, sql, "copying", copy_row, &c, &err) && archive_writer_finish(w, &sum, &err), "%s",
              err.text);
    pgtest_exec(pg, "drop table signals_20260301");
    pgtest_exec(pg, "insert into archives (path, of_table, day, bucket_lo, bucket_hi, rows, bytes, checksum) values "
                    "('', 'signals', "
                    "'2026-03-01', 0, 1023, 1, 1, 1)");
    e.rows = sum.rows;
    e.bytes = sum.bytes;
    e.crc = sum.crc;
    cr_assert(archive_store_replace(pg, STR(""), &e, &err), "%s", err.text);
    return e;
}

static void same(struct seen a, struct seen b)
{
    cr_assert(eq(u64, a.rows, b.rows));
    cr_assert(eq(u64, a.clicks, b.clicks));
    cr_assert(eq(u64, a.nulls, b.nulls));
    cr_assert(eq(dbl, a.values, b.values));
}

struct fixture {
    struct pg *pg;
    char dir[64];
    struct arena arena;
};

static void open_fixture(struct fixture *f)
{
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/archive-scan-XXXXXX");
    cr_assert(mkdtemp(f->dir) != NULL);
    f->pg = pgtest_open(NULL, 0);
    pgtest_exec(f->pg, fill);
    arena_init(&f->arena, 1 << 16);
}

static void close_fixture(struct fixture *f)
{
    AUTO(mem_free) char *command = mem_printf("rm -r %s", f->dir);
    cr_assert(eq(int, system(command), 0));
    arena_release(&f->arena);
    pg_close(f->pg);
}

Test(scan, rows_are_the_same_from_partitions_and_files)
{
    static const struct {
        unsigned lo, hi;
        int64_t minutes;
    } cases[] = {
        { 0, 4095, 2880 }, { 0, 4095, 1440 }, { 3, 3, 2880 }, { 2, 7, 305 }, { 11, 4095, 2880 }, { 0, 0, 0 }
    };
    struct fixture f;
    struct seen before[6];
    open_fixture(&f);
    for (int i = 0; i < 6; i++)
        before[i] = scan(f.pg, f.dir, cases[i].lo, cases[i].hi,
                         day * US_PER_DAY + cases[i].minutes * 60 * US_PER_SECOND);
    cr_assert(eq(u64, before[0].rows, 101));
    cr_assert(eq(u64, before[2].rows, 11));
    (void)seal(f.pg, f.dir, &f.arena);
    for (int i = 0; i < 6; i++)
        same(scan(f.pg, f.dir, cases[i].lo, cases[i].hi, day * US_PER_DAY + cases[i].minutes * 60 * US_PER_SECOND),
             before[i]);
    close_fixture(&f);
}

Test(scan, rows_are_dropped_from_a_file_and_the_rest_stays)
{
    struct fixture f;
    struct err err = { 0 };
    uint64_t dropped, removed;
    struct str unit = STR("u3"), click = STR("click");
    struct archive_match of_unit = { "unit", &unit, 1, false, 3 }, nobody = { "unit", &unit, 1, false, 4 },
                         others = { "type", &click, 1, true, -1 };
    open_fixture(&f);
    struct archive_entry e = seal(f.pg, f.dir, &f.arena), *now;
    size_t count;
    cr_assert(archive_drop_rows(f.pg, f.dir, &e, &nobody, &dropped, &err) &&
              dropped == 0); /* that bucket has no such unit */
    cr_assert(archive_drop_rows(f.pg, f.dir, &e, &of_unit, &dropped, &err), "%s", err.text);
    cr_assert(eq(u64, dropped, 10));
    cr_assert(eq(u64, scan(f.pg, f.dir, 0, 4095, (day + 1) * US_PER_DAY).rows, 90));
    cr_assert(eq(u64, scan(f.pg, f.dir, 3, 3, (day + 1) * US_PER_DAY).rows, 0));
    cr_assert(not(archive_drop_rows(f.pg, f.dir, &e, &of_unit, &dropped, &err))); /* it counts no longer */
    cr_assert(eq(int, (int)err.kind, ERR_CONFLICT));
    cr_assert(archive_store_list(f.pg, "signals", day, day, 0, 4095, &f.arena, &now, &count, &err) && count == 1);
    cr_assert(eq(u64, now[0].rows, 90));
    cr_assert(archive_drop_rows(f.pg, f.dir, &now[0], &others, &dropped, &err), "%s", err.text);
    struct seen left = scan(f.pg, f.dir, 0, 4095, (day + 1) * US_PER_DAY);
    cr_assert(left.rows == left.clicks && left.rows + dropped == 90);
    cr_assert(archive_store_sweep(f.pg, f.dir, &removed, &err), "%s", err.text);
    cr_assert(eq(u64, removed, 3)); /* the first, the second, and the one that came too late */
    cr_assert(eq(u64, scan(f.pg, f.dir, 0, 4095, (day + 1) * US_PER_DAY).rows, left.rows));
    close_fixture(&f);
}

Test(scan, files_without_their_folder_are_an_error)
{
    static const struct archive_column columns[] = { { STR("type"), ARCHIVE_TEXT } };
    struct archive_scan all = { "signals", columns, 1, day * US_PER_DAY, (day + 1) * US_PER_DAY, 0, 4095, NULL };
    struct fixture f;
    struct err err = { 0 };
    struct seen s = { 0 };
    open_fixture(&f);
    (void)seal(f.pg, f.dir, &f.arena);
    cr_assert(not(archive_scan(f.pg, NULL, &all, see, &s, &err)));
    cr_assert(eq(str, err.text, "rows lie in archive files: give --archive-dir DIR"));
    close_fixture(&f);
}

/* Of a file that was written before the columns were. */
static bool see_nothing(void *arg, const struct archive_batch *b, struct err *err)
{
    (void)err;
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t row = b->rows[i];
        cr_assert(b->columns[0].nulls[row] && b->columns[1].nulls[row] && b->columns[2].nulls[row]);
        cr_assert(b->columns[0].texts[b->columns[0].codes[row]].p == NULL && b->columns[1].ints[row] == 0);
        cr_assert(isnan(b->columns[2].reals[row]));
    }
    *(uint64_t *)arg += b->count;
    return true;
}

Test(scan, columns_that_a_file_lacks_are_null)
{
    static const struct archive_column columns[] = { { STR("word"), ARCHIVE_TEXT },
                                                     { STR("number"), ARCHIVE_INT },
                                                     { STR("share"), ARCHIVE_REAL } };
    struct archive_scan all = { "signals", columns, 3, day * US_PER_DAY, (day + 2) * US_PER_DAY, 0, 4095, NULL };
    struct fixture f;
    struct err err = { 0 };
    uint64_t rows = 0;
    open_fixture(&f);
    (void)seal(f.pg, f.dir, &f.arena);
    pgtest_exec(f.pg, "alter table signals add word text, add number bigint, add share double precision");
    cr_assert(archive_scan_batches(f.pg, f.dir, &all, see_nothing, &rows, &err), "%s", err.text);
    cr_assert(eq(u64, rows, 101));
    close_fixture(&f);
}
