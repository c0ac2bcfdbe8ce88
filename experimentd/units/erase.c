#include "experimentd/units/erase.h"

#include <inttypes.h>
#include <stdio.h>

#include "archive/kept.h"
#include "archive/rewrite.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "base/log.h"

enum { JSON_MAX = 4096 };

/* Rows that runs made and have not published; of those that are under way it waits (below). */
static const struct pg_stmt drop_staging = { "drop_staging", 0, "select staging_sweep(interval '0')" };
static const struct pg_stmt erase_unit = { "erase_unit", 2, "select erase_unit($1, $2::smallint)" };
/* Models that were trained before are not to know it any more. */
static const struct pg_stmt erased_add = { "erased_unit_add", 1, "select erased_unit_add($1::bigint)" };
static const struct pg_stmt set_unlinking = { "erase_unlinking", 3,
                                              "update unit_deletions set state = 'unlinking', removed = $2::jsonb || "
                                              "$3::jsonb, deleted_at = clock_timestamp(), error = "
                                              "null where id = $1::uuid and state = 'waiting' returning id" };
static const struct pg_stmt set_done = {
    "erase_done", 1,
    "with j as (delete from unit_deletion_journals where deletion = $1::uuid) update unit_deletions set state = "
    "'done', unit = "
    "null, bucket = null, finished_at = clock_timestamp(), error = null where id = $1::uuid"
};

struct counts {
    uint64_t signals, exposures, files;
};

/* ---- archive files ---- */

static bool erase_from_files(struct erase *e, const struct archive_entry *entries, size_t count, struct counts *out,
                             struct err *err)
{
    const struct archive_match m = {
        .column = "unit", .values = &e->unit, .count = 1, .bucket = (int)hash_bucket(e->unit)
    };
    for (size_t i = 0; i < count; i++) {
        uint64_t n;
        if (!archive_drop_rows(e->pg, e->archive_dir, &entries[i], &m, &n, err))
            return false;
        *(str_eq(entries[i].table, STR("signals")) ? &out->signals : &out->exposures) += n;
        out->files += n > 0;
    }
    return true;
}

static bool erase_archived(struct erase *e, struct counts *out, struct err *err)
{
    struct arena arena;
    struct archive_entry *entries;
    size_t count;
    unsigned bucket = hash_bucket(e->unit);
    arena_init(&arena, 1 << 16);
    bool used,
        ok = archive_store_find(e->pg, e->archive_dir, &used, err) &&
             archive_store_list(e->pg, NULL, INT32_MIN, INT32_MAX, bucket, bucket, &arena, &entries, &count, err) &&
             erase_from_files(e, entries, count, out, err);
    arena_release(&arena);
    return ok;
}

/* ---- steps ---- */

static bool mark_unlinking(struct erase *e, const char *tables, const struct counts *c, struct err *err)
{
    struct jsonw w;
    AUTO(buf_release) struct buf b;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_i64(&w, "archived_signals", (int64_t)c->signals);
    jsonw_i64(&w, "archived_exposures", (int64_t)c->exposures);
    jsonw_i64(&w, "archive_files", (int64_t)c->files);
    jsonw_close(&w);
    const char *params[] = { e->id.p, tables, b.p };
    AUTO(pg_result_free) PGresult *r = pg_run(e->pg, &set_unlinking, params, err);
    if (r && PQntuples(r) == 0)
        return err_set(err, ERR_CONFLICT, "deletion %s is no longer waiting", e->id.p);
    return r != NULL;
}

/* Tables and files in one transaction: a unit is there or it is gone. */
static bool erase_rows(struct erase *e, struct err *err)
{
    char bucket[16], hash[24];
    struct counts counts = { 0 };
    (void)snprintf(bucket, sizeof bucket, "%u", hash_bucket(e->unit));
    (void)snprintf(hash, sizeof hash, "%" PRId64, (int64_t)hash64(e->unit));
    const char *params[] = { e->unit.p, bucket }, *hashes[] = { hash };
    if (!pg_begin(e->pg, err))
        return false;
    AUTO(pg_result_free) PGresult *r = pg_run(e->pg, &erase_unit, params, err);
    AUTO(pg_result_free) PGresult *known = r ? pg_run(e->pg, &erased_add, hashes, err) : NULL;
    return known && erase_archived(e, &counts, err) && mark_unlinking(e, pg_get(r, 0, 0).p, &counts, err) &&
           pg_commit(e->pg, err);
}

/* What passes keep of days holds what the unit did: it can be made again, so it goes for the unit's whole range of buckets. */
static bool drop_kept(struct erase *e, struct err *err)
{
    uint64_t removed;
    if (!e->archive_dir)
        return true;
    if (!archive_lock_readers(e->pg, true, err))
        return false;
    AUTO(pg_result_free) PGresult *r = pg_run(e->pg, &drop_staging, NULL, err);
    bool ok = r && kept_drop(e->archive_dir, (int)hash_bucket(e->unit), &removed, err);
    struct err unlocking;
    return archive_unlock_readers(e->pg, ok ? err : &unlocking) && ok;
}

static bool unlink_files(struct erase *e, struct err *err)
{
    uint64_t removed;
    bool used;
    return drop_kept(e, err) && archive_store_find(e->pg, e->archive_dir, &used, err) &&
           (!used || archive_store_sweep(e->pg, e->archive_dir, &removed, err));
}

bool erase_run(struct erase *e, struct err *err)
{
    const char *params[] = { e->id.p };
    if (str_eq(e->state, STR("waiting")) && !erase_rows(e, err))
        return false;
    if (!unlink_files(e, err))
        return false;
    AUTO(pg_result_free) PGresult *r = pg_run(e->pg, &set_done, params, err);
    if (r)
        log_info("unit_deleted", "deletion=%s", e->id.p);
    return r != NULL;
}
