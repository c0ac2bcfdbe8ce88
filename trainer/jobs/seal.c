/* The job "seal": days older than archive.after_days → archive files.
 *
 * First, on all of these days, what the loaders could not do: repeats are dropped, and clicks get the text of their query, of the day before
 * too. Then, a day after the other: in one snapshot, each of its partitions is copied into a file, first the day's head, then the rest, each in
 * the order (bucket, unit, at), and the file is synced; then archive_seal(), one statement, makes the files count and drops the partitions, unless rows have come meanwhile: then
 * the day is copied again. Killed at any point, a day is in PostgreSQL or in files, never in both, and files that nobody names are removed by
 * the next run. A row that comes later for such a day gets a new partition, which is sealed in its turn. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "archive/changes.h"
#include "archive/store.h"
#include "archive/table.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "base/pgout.h"
#include "trainer/jobs/job.h"

enum {
    TRIES = 5,
    BUSY_TRIES = 20,
    SQL_MAX = 16 << 10,
    JSON_MAX = 1 << 20,
    TICK_ROWS = 20000,
    GROUP_BUCKETS = BUCKET_COUNT / 16,
    HEAD_ROWS = 128
};

/* materialized: else the condition on the day may be asked of every relation there is, whose name ends in no day. */
static const struct pg_stmt read_days = {
    "seal_days", 1,
    "with d as materialized (select distinct to_date(right(c.relname, 8), 'YYYYMMDD') as day from pg_inherits i "
    "join pg_class c on c.oid = i.inhrelid where i.inhparent in ('signals'::regclass, 'exposures'::regclass)) "
    "select day - date '1970-01-01' from d where day < (now() at time zone 'UTC')::date - $1::int order by 1"
};
/* What is left to do on a day's rows while they are in tables. */
static const struct pg_stmt drop_repeats = { "seal_repeats", 1, "select drop_repeats_of_day($1::date)" };
static const struct pg_stmt fill_texts = { "seal_texts", 1, "select fill_query_texts($1::date)" };
static const struct pg_stmt read_parts = { "seal_parts", 1, "select * from day_parts($1::date)" };
static const struct pg_stmt seal = { "seal", 2, "select archive_seal($1::date, $2::jsonb)" };

enum outcome { SEALED, CHANGED, BUSY }; /* of archive_seal() */

struct part {
    struct str name;
    struct archive_entry entry;
};

struct sealing {
    struct run_context *run;
    struct pg *pg;
    struct arena arena; /* of a day */
    int32_t day;
    char day_text[CLOCK_TEXT_MAX];
    uint32_t days_done, days_count, after_days;
    size_t files; /* of all days */
    struct part *parts;
    size_t parts_count;
};

/* ---- one partition → one file ---- */

struct copying {
    struct sealing *sealing;
    struct archive_writer *writer;
    const struct archive_table *table;
    size_t bucket, at; /* its columns */
    int64_t head_end_us;
    bool head;     /* the last row was of the day's head, */
    int64_t range; /* and in this range of buckets */
    uint64_t rows;
};

/* A pass reads a range of buckets; so groups end where ranges do, as far as they do not get too small. And what is computed of a day reads the
 * next one's head, too: that is in groups of its own, so that the rest is not unpacked for it. */
static bool end_range(struct copying *c, const struct archive_value *row, struct err *err)
{
    int64_t range = row[c->bucket].i / GROUP_BUCKETS;
    bool head = row[c->at].i<c->head_end_us, next = c->rows> 0 && range != c->range, body = c->head && !head;
    c->range = range;
    c->head = head;
    return (!next && !body) || archive_writer_end_group(c->writer, body ? HEAD_ROWS : ARCHIVE_GROUP_SMALL_ROWS, err);
}

static bool copy_row(void *arg, const struct str *fields, size_t count, struct err *err)
{
    struct copying *c = arg;
    const struct archive_schema *s = &c->table->schema;
    struct archive_value row[ARCHIVE_COLUMNS_MAX];
    for (size_t i = 0; i < count && i < s->columns_count; i++)
        row[i] = archive_table_value(s->columns[i].type, fields[i]);
    if (!end_range(c, row, err))
        return false;
    if (++c->rows % TICK_ROWS == 0 &&
        !run_tick(c->sealing->run, "seal", c->sealing->days_done, c->sealing->days_count, err))
        return false;
    return archive_writer_add(c->writer, row, err);
}

static size_t column_named(const struct archive_table *table, const char *name)
{
    size_t i = 0;
    while (i < table->schema.columns_count && !str_eq_c(table->schema.columns[i].name, name))
        i++;
    return i;
}

static bool write_file(struct sealing *s, struct part *p, const struct archive_table *table, struct err *err)
{
    char name[ARCHIVE_PATH_MAX];
    struct archive_summary sum;
    char head_end[CLOCK_TEXT_MAX];
    const int64_t head_end_us = s->day * US_PER_DAY + CHANGES_HEAD_US;
    AUTO(buf_release) struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_addf(&sql,
             "copy (select " STR_FMT " from " STR_FMT
             " order by at >= '%s', bucket, unit collate \"C\", at) to stdout (format binary)",
             STR_ARG(table->select), STR_ARG(p->name), clock_format(head_end_us, head_end));
    if (!archive_store_name(s->pg, &p->entry, name, err) || !buf_ok(&sql, "the statement of a sealing", err))
        return false;
    AUTO(mem_free) char *path = mem_printf("%s/%s", s->run->archive_dir, name);
    AUTO(archive_writer_free) struct archive_writer *w = archive_writer_open(path, &table->schema, err);
    struct copying c = { .sealing = s,
                         .writer = w,
                         .table = table,
                         .bucket = column_named(table, "bucket"),
                         .at = column_named(table, "at"),
                         .head_end_us = head_end_us };
    if (!w || !pg_copy_out(s->pg, sql.p, "copying a day", copy_row, &c, err))
        return false;
    if (c.rows == 0)
        return true;
    if (!archive_writer_finish(w, &sum, err))
        return false;
    p->entry.path = arena_str(&s->arena, str_of(name));
    p->entry.rows = sum.rows;
    p->entry.bytes = sum.bytes;
    p->entry.crc = sum.crc;
    return true;
}

static bool list_parts(struct sealing *s, struct err *err)
{
    const char *params[] = { s->day_text };
    AUTO(pg_result_free) PGresult *r = pg_run(s->pg, &read_parts, params, err);
    if (!r)
        return false;
    s->parts_count = (size_t)PQntuples(r);
    s->parts = arena_zalloc(&s->arena, (s->parts_count + 1) * sizeof *s->parts);
    for (size_t i = 0; i < s->parts_count; i++)
        s->parts[i] = (struct part){ .name = arena_str(&s->arena, pg_get(r, (int)i, 1)),
                                     .entry = { .table = arena_str(&s->arena, pg_get(r, (int)i, 0)),
                                                .day = s->day,
                                                .bucket_lo = (unsigned)pg_get_i64(r, (int)i, 2),
                                                .bucket_hi = (unsigned)pg_get_i64(r, (int)i, 3) } };
    return true;
}

static bool write_files(struct sealing *s, struct err *err)
{
    struct archive_table table = { 0 };
    if (!pg_exec(s->pg, "begin isolation level repeatable read", err) || !list_parts(s, err))
        return false;
    for (size_t i = 0; i < s->parts_count; i++) {
        struct part *p = &s->parts[i];
        if (!str_eq(table.schema.table, p->entry.table) &&
            !archive_table_read(s->pg, p->entry.table.p, s->day, &s->arena, &table, err))
            return false;
        if (!write_file(s, p, &table, err))
            return false;
    }
    return pg_commit(s->pg, err);
}

/* ---- a day ---- */

static void unlink_files(const struct sealing *s)
{
    for (size_t i = 0; i < s->parts_count; i++) {
        AUTO(mem_free) char *path = mem_printf("%s/%s", s->run->archive_dir, s->parts[i].entry.path.p);
        if (s->parts[i].entry.rows)
            (void)unlink(path);
    }
}

static void write_part(struct jsonw *w, const struct part *p)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "of_table", p->entry.table);
    jsonw_str(w, "part", p->name);
    jsonw_str(w, "path", p->entry.path);
    jsonw_i64(w, "bucket_lo", p->entry.bucket_lo);
    jsonw_i64(w, "bucket_hi", p->entry.bucket_hi);
    jsonw_i64(w, "rows", (int64_t)p->entry.rows);
    jsonw_i64(w, "bytes", (int64_t)p->entry.bytes);
    jsonw_i64(w, "checksum", p->entry.crc);
    jsonw_close(w);
}

static bool ask(struct sealing *s, const char *files, enum outcome *out, struct err *err)
{
    const char *params[] = { s->day_text, files };
    if (!archive_lock_readers(s->pg, true, err))
        return false;
    AUTO(pg_result_free) PGresult *r = pg_run(s->pg, &seal, params, err);
    if (!r)
        return false;
    *out = str_eq(pg_get(r, 0, 0), STR("sealed")) ? SEALED : str_eq(pg_get(r, 0, 0), STR("busy")) ? BUSY : CHANGED;
    return archive_unlock_readers(s->pg, err);
}

/* While others use the tables, it is asked again: the files stay good. */
static bool switch_over(struct sealing *s, enum outcome *out, struct err *err)
{
    struct jsonw w;
    AUTO(buf_release) struct buf b;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '[');
    for (size_t i = 0; i < s->parts_count; i++)
        write_part(&w, &s->parts[i]);
    jsonw_close(&w);
    *out = BUSY;
    for (int i = 0; i < BUSY_TRIES && *out == BUSY; i++)
        if (!buf_ok(&b, "the list of files", err) || !ask(s, b.p, out, err) ||
            !run_tick(s->run, "seal", s->days_done, s->days_count, err))
            return false;
    return *out != BUSY ||
           err_set(err, ERR_BUSY, "day %s: somebody uses the tables all the time, see pg_stat_activity", s->day_text);
}

static void tell(struct sealing *s)
{
    uint64_t rows = 0, bytes = 0;
    size_t files = 0;
    for (size_t i = 0; i < s->parts_count; i++) {
        files += s->parts[i].entry.rows > 0;
        rows += s->parts[i].entry.rows;
        bytes += s->parts[i].entry.bytes;
    }
    s->run->rows_in += rows;
    s->files += files;
    run_say(s->run, "seal day=%s files=%zu rows=%" PRIu64 " bytes=%" PRIu64, s->day_text, files, rows, bytes);
    run_result(s->run, "{\"days\":%u,\"rows\":%" PRIu64 ",\"files\":%zu}", s->days_done + 1, s->run->rows_in, s->files);
}

static bool seal_day(struct sealing *s, int32_t day, struct err *err)
{
    enum outcome outcome = CHANGED;
    s->day = day;
    (void)clock_format_day(day, s->day_text);
    for (int i = 0; i < TRIES && outcome == CHANGED; i++) {
        arena_reset(&s->arena);
        if (!write_files(s, err) || !switch_over(s, &outcome, err))
            return false;
        if (outcome == CHANGED)
            unlink_files(s);
    }
    if (outcome == CHANGED)
        return err_set(err, ERR_BUSY, "day %s: rows kept coming in each of %d tries", s->day_text, TRIES);
    tell(s);
    return true;
}

static bool complete_day(struct sealing *s, int32_t day, struct err *err)
{
    char text[CLOCK_TEXT_MAX];
    const char *params[] = { clock_format_day(day, text) };
    AUTO(pg_result_free) PGresult *repeats = pg_run(s->pg, &drop_repeats, params, err);
    AUTO(pg_result_free) PGresult *texts = repeats ? pg_run(s->pg, &fill_texts, params, err) : NULL;
    if (texts && (pg_get_i64(repeats, 0, 0) || pg_get_i64(texts, 0, 0)))
        run_say(s->run, "seal day=%s repeats_dropped=%lld query_texts_filled=%lld", text,
                (long long)pg_get_i64(repeats, 0, 0), (long long)pg_get_i64(texts, 0, 0));
    return texts != NULL;
}

static bool each_day(struct sealing *s, const PGresult *days, bool (*fn)(struct sealing *, int32_t, struct err *),
                     struct err *err)
{
    for (s->days_done = 0; s->days_done < s->days_count; s->days_done++)
        if (!run_tick(s->run, "seal", s->days_done, s->days_count, err) ||
            !fn(s, (int32_t)pg_get_i64(days, (int)s->days_done, 0), err))
            return false;
    return true;
}

/* ---- the job ---- */

static bool seal_days(struct sealing *s, struct err *err)
{
    char after[16];
    bool got;
    uint64_t removed;
    (void)snprintf(after, sizeof after, "%u", s->after_days);
    const char *params[] = { after };
    if (!archive_lock_writers(s->pg, true, &got, err) || !archive_store_make(s->pg, s->run->archive_dir, err) ||
        !archive_store_sweep(s->pg, s->run->archive_dir, &removed, err))
        return false;
    if (removed)
        run_say(s->run, "seal: removed %" PRIu64 " files that no entry names", removed);
    AUTO(pg_result_free) PGresult *r = pg_run(s->pg, &read_days, params, err);
    s->days_count = r ? (uint32_t)PQntuples(r) : 0;
    return r && each_day(s, r, complete_day, err) && each_day(s, r, seal_day, err);
}

static bool run_seal(struct run_context *run, struct err *err)
{
    struct sealing s = { .run = run, .after_days = run->archive_after_days };
    bool ok = true;
    if (run->param(run, "after_days"))
        s.after_days = (uint32_t)run_whole(run, "after_days");
    run_result(run, "{\"days\":0,\"rows\":0,\"files\":0}");
    if (s.after_days == 0) {
        run_say(run, "seal: archive.after_days is 0: nothing is sealed");
    } else if (!run->archive_dir) {
        return err_set(err, ERR_INVALID, "where do archive files go: give --archive-dir DIR or --data-dir DIR");
    } else {
        arena_init(&s.arena, 1 << 16);
        s.pg = pg_open(run->database_url, "trainer seal", NULL, 0, err);
        ok = s.pg && seal_days(&s, err);
        pg_close(s.pg);
        arena_release(&s.arena);
    }
    return ok && run_publish_begin(run, err) && run_publish_end(run, err);
}

const struct job job_seal = { "seal", run_seal };
