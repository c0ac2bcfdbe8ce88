#include "archive/store.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum { DAY_MIN = -100000, DAY_MAX = 100000 };
static const char *const tables[] = { "signals", "exposures" };

enum stmt {
    READERS_SHARED,
    READERS_EXCLUSIVE,
    READERS_UNLOCK,
    WRITERS_LOCK,
    WRITERS_TRY,
    WRITERS_UNLOCK,
    STORE_ID,
    NUMBER,
    LIST,
    REMOVE,
    INSERT
};
#define READERS "(hashtext('experimentd archive readers'))"
#define WRITERS "(hashtext('experimentd archive writers'))"
static const struct pg_stmt statements[] = {
    [READERS_SHARED] = { "archive_readers", 0, "select pg_advisory_lock_shared" READERS },
    [READERS_EXCLUSIVE] = { "archive_readers_exclusive", 0, "select pg_advisory_lock" READERS },
    [READERS_UNLOCK] = { "archive_readers_unlock", 0, "select pg_advisory_unlock" READERS },
    [WRITERS_LOCK] = { "archive_writers", 0, "select pg_advisory_lock" WRITERS ", true" },
    [WRITERS_TRY] = { "archive_writers_try", 0, "select null, pg_try_advisory_lock" WRITERS },
    [WRITERS_UNLOCK] = { "archive_writers_unlock", 0, "select pg_advisory_unlock" WRITERS },
    [STORE_ID] = { "archive_store_id", 0, "select id, (select is_called from archives_number) from archive_store" },
    [NUMBER] = { "archive_number", 0, "select nextval('archives_number')" },
    [LIST] = { "archive_list", 5,
               "select path, of_table, day - date '1970-01-01', bucket_lo, bucket_hi, rows, bytes, checksum "
               "from archives where ($1::text is null or of_table = $1) and day between date '1970-01-01' + $2::int "
               "and date '1970-01-01' + $3::int and bucket_lo <= $5::int and bucket_hi >= $4::int "
               "order by of_table desc, day, bucket_lo, sealed_at, path" },
    [REMOVE] = { "archive_remove", 1, "delete from archives where path = $1 returning path" },
    [INSERT] = { "archive_insert", 8,
                 "insert into archives (path, of_table, day, bucket_lo, bucket_hi, rows, bytes, checksum) values ($1, "
                 "$2, date '1970-01-01' + $3::int, $4::int, $5::int, $6::bigint, $7::bigint, $8::bigint)" },
};

static bool execute(struct pg *pg, enum stmt stmt, const char *const *params, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[stmt], params, err);
    return r != NULL;
}

/* ---- locks ---- */

bool archive_lock_readers(struct pg *pg, bool exclusive, struct err *err)
{
    return execute(pg, exclusive ? READERS_EXCLUSIVE : READERS_SHARED, NULL, err);
}

bool archive_unlock_readers(struct pg *pg, struct err *err)
{
    return execute(pg, READERS_UNLOCK, NULL, err);
}

bool archive_lock_writers(struct pg *pg, bool wait, bool *out_got, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[wait ? WRITERS_LOCK : WRITERS_TRY], NULL, err);
    if (r)
        *out_got = pg_get_bool(r, 0, 1);
    return r != NULL;
}

bool archive_unlock_writers(struct pg *pg, struct err *err)
{
    return execute(pg, WRITERS_UNLOCK, NULL, err);
}

/* ---- the folder ---- */

/* It appears whole or not at all: half of one, after a kill, would be another database's for ever. Somebody may have been faster. */
static bool write_id(const char *path, struct str id, struct err *err)
{
    AUTO(mem_free) char *whole = mem_printf("%s.new", path);
    FILE *f = fopen(whole, "we");
    bool ok = f && fwrite(id.p, 1, id.n, f) == id.n && fflush(f) == 0 && fsync(fileno(f)) == 0 &&
              (link(whole, path) == 0 || errno == EEXIST);
    if (!ok)
        (void)err_set_errno(err, "cannot write \"%s\"", path);
    if (f)
        (void)fclose(f);
    (void)unlink(whole);
    return ok;
}

/* *out_there: the folder has a marker; false with ERR_CONFLICT when it is another database's. */
static bool check_id(const char *dir, const char *path, struct str id, bool *out_there, struct err *err)
{
    char there[UUID_TEXT_MAX] = "";
    FILE *f = fopen(path, "re");
    *out_there = f != NULL;
    if (!f)
        return errno == ENOENT || err_set_errno(err, "cannot read \"%s\"", path);
    size_t n = fread(there, 1, sizeof there - 1, f);
    (void)fclose(f);
    return str_eq((struct str){ there, n }, id) ||
           err_set(err, ERR_CONFLICT, "folder \"%s\" holds the archive of another database (its file \"id\")", dir);
}

bool archive_store_make(struct pg *pg, const char *dir, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[STORE_ID], NULL, err);
    AUTO(mem_free) char *path = mem_printf("%s/id", dir);
    bool there;
    if (!r)
        return false;
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, "cannot make the archive's folder \"%s\"", dir);
    return check_id(dir, path, pg_get(r, 0, 0), &there, err) &&
           (there || (write_id(path, pg_get(r, 0, 0), err) && check_id(dir, path, pg_get(r, 0, 0), &there, err)));
}

bool archive_store_find(struct pg *pg, const char *dir, bool *out_used, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[STORE_ID], NULL, err);
    AUTO(mem_free) char *path = dir ? mem_printf("%s/id", dir) : NULL;
    bool there = false;
    if (!r)
        return false;
    *out_used = pg_get_bool(r, 0, 1);
    if (!*out_used)
        return true;
    if (!dir)
        return err_set(err, ERR_INVALID, "rows lie in archive files: give --archive-dir DIR");
    return check_id(dir, path, pg_get(r, 0, 0), &there, err) &&
           (there ||
            err_set(err, ERR_INVALID, "setting \"archive.dir\": \"%s\" holds no archive, but rows lie in files", dir));
}

bool archive_store_name(struct pg *pg, const struct archive_entry *e, char out[ARCHIVE_PATH_MAX], struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[NUMBER], NULL, err);
    char day[CLOCK_TEXT_MAX];
    if (!r)
        return false;
    (void)snprintf(out, ARCHIVE_PATH_MAX, STR_FMT "/%s_%u-%u.%s.arc", STR_ARG(e->table), clock_format_day(e->day, day),
                   e->bucket_lo, e->bucket_hi, pg_get(r, 0, 0).p);
    return true;
}

/* ---- entries ---- */

static void read_entry(const PGresult *r, int row, struct arena *arena, struct archive_entry *out)
{
    *out = (struct archive_entry){ .path = arena_str(arena, pg_get(r, row, 0)),
                                   .table = arena_str(arena, pg_get(r, row, 1)),
                                   .day = (int32_t)pg_get_i64(r, row, 2),
                                   .bucket_lo = (unsigned)pg_get_i64(r, row, 3),
                                   .bucket_hi = (unsigned)pg_get_i64(r, row, 4),
                                   .rows = (uint64_t)pg_get_i64(r, row, 5),
                                   .bytes = (uint64_t)pg_get_i64(r, row, 6),
                                   .crc = (uint32_t)pg_get_i64(r, row, 7) };
}

bool archive_store_list(struct pg *pg, const char *table, int32_t from_day, int32_t to_day, unsigned lo, unsigned hi,
                        struct arena *arena, struct archive_entry **out, size_t *out_count, struct err *err)
{
    char numbers[4][16];
    (void)snprintf(numbers[0], 16, "%d", from_day < DAY_MIN ? DAY_MIN : from_day);
    (void)snprintf(numbers[1], 16, "%d", to_day > DAY_MAX ? DAY_MAX : to_day);
    (void)snprintf(numbers[2], 16, "%u", lo);
    (void)snprintf(numbers[3], 16, "%u", hi);
    const char *params[] = { table, numbers[0], numbers[1], numbers[2], numbers[3] };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[LIST], params, err);
    if (!r)
        return false;
    *out_count = (size_t)PQntuples(r);
    *out = arena_alloc(arena, (*out_count + 1) * sizeof **out);
    for (size_t i = 0; i < *out_count; i++)
        read_entry(r, (int)i, arena, &(*out)[i]);
    return true;
}

static bool insert_entry(struct pg *pg, const struct archive_entry *e, struct err *err)
{
    char n[6][24];
    (void)snprintf(n[0], 24, "%d", e->day);
    (void)snprintf(n[1], 24, "%u", e->bucket_lo);
    (void)snprintf(n[2], 24, "%u", e->bucket_hi);
    (void)snprintf(n[3], 24, "%" PRIu64, e->rows);
    (void)snprintf(n[4], 24, "%" PRIu64, e->bytes);
    (void)snprintf(n[5], 24, "%" PRIu32, e->crc);
    const char *params[] = { e->path.p, e->table.p, n[0], n[1], n[2], n[3], n[4], n[5] };
    return execute(pg, INSERT, params, err);
}

bool archive_store_replace(struct pg *pg, struct str old, const struct archive_entry *next, struct err *err)
{
    const char *params[] = { old.p };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[REMOVE], params, err);
    if (r && PQntuples(r) == 0)
        return err_set(err, ERR_CONFLICT, "archive file \"%s\" was replaced by somebody else", old.p);
    return r && (next->rows == 0 || insert_entry(pg, next, err));
}

/* ---- sweeping ---- */

static int by_path(const void *a, const void *b)
{
    const struct archive_entry *x = a, *y = b;
    return strcmp(x->path.p, y->path.p);
}

static uint64_t sweep_folder(const char *dir, const char *table, const struct archive_entry *known, size_t count)
{
    AUTO(mem_free) char *folder = mem_printf("%s/%s", dir, table);
    uint64_t removed = 0;
    DIR *d = opendir(folder);
    for (struct dirent *f; d && (f = readdir(d));) {
        AUTO(mem_free) char *path = mem_printf("%s/%s", table, f->d_name);
        AUTO(mem_free) char *full = mem_printf("%s/%s", dir, path);
        struct archive_entry key = { .path = str_of(path) };
        if (f->d_name[0] != '.' && !bsearch(&key, known, count, sizeof key, by_path))
            removed += unlink(full) == 0;
    }
    if (d) {
        (void)fsync(dirfd(d));
        (void)closedir(d);
    }
    return removed;
}

bool archive_store_sweep(struct pg *pg, const char *dir, uint64_t *out_removed, struct err *err)
{
    struct arena arena;
    struct archive_entry *known;
    size_t count;
    if (!archive_lock_readers(pg, true, err))
        return false;
    arena_init(&arena, 1 << 16);
    bool ok = archive_store_list(pg, NULL, DAY_MIN, DAY_MAX, 0, 4095, &arena, &known, &count, err);
    if (ok) {
        qsort(known, count, sizeof *known, by_path);
        *out_removed = 0;
        for (size_t i = 0; i < COUNT_OF(tables); i++)
            *out_removed += sweep_folder(dir, tables[i], known, count);
    }
    arena_release(&arena);
    struct err ignored;
    bool unlocked = archive_unlock_readers(pg, ok ? err : &ignored);
    return ok && unlocked;
}
