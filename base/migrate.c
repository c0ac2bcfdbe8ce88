#include "base/migrate.h"

#include <stdio.h>
#include <string.h>

#include "base/pg.h"

enum { STMT_LOCK, STMT_UNLOCK, STMT_STATE, STMT_STRANGER, STMT_APPLIED, STMT_SAME, STMT_RECORD };

/* The lock's number is "expd" in ASCII; the checksum is made by PostgreSQL, so that we need no hash of our own. */
static const struct pg_stmt stmts[] = {
    [STMT_LOCK] = { "migrate_lock", 0, "select pg_advisory_lock(1702391908)" },
    [STMT_UNLOCK] = { "migrate_unlock", 0, "select pg_advisory_unlock(1702391908)" },
    [STMT_STATE] = { "migrate_state", 0, "select to_regclass('schema_migrations') is not null" },
    /* any table, view or sequence of the schema that no extension brought */
    [STMT_STRANGER] = { "migrate_stranger", 0,
                        "select c.relname from pg_class c where c.relnamespace = current_schema()::regnamespace "
                        "and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and not exists (select from pg_depend d "
                        "where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e') "
                        "order by c.relname limit 1" },
    [STMT_APPLIED] = { "migrate_applied", 0, "select version, name from schema_migrations order by version" },
    [STMT_SAME] = { "migrate_same", 2,
                    "select checksum = sha256(convert_to($2::text, 'UTF8')) from schema_migrations "
                    "where version = $1::integer" },
    [STMT_RECORD] = { "migrate_record", 3,
                      "insert into schema_migrations (version, name, checksum) "
                      "values ($1::integer, $2::text, sha256(convert_to($3::text, 'UTF8')))" },
};

static const char make_ledger[] = "create table schema_migrations ("
                                  "version integer constraint schema_migrations_key primary key, name text not null, "
                                  "checksum bytea not null, applied_at timestamptz not null default now())";

static PGresult *run(struct pg *pg, unsigned stmt, const char *const *params, struct err *err)
{
    return pg_run(pg, &stmts[stmt], params, err);
}

static int last_version(const struct migration *list)
{
    int version = 0;
    for (; list->version; list++)
        version = list->version;
    return version;
}

static const struct migration *find(const struct migration *list, int64_t version)
{
    for (; list->version; list++)
        if (list->version == version)
            return list;
    return NULL;
}

/* Whether the database keeps our ledger; a database with tables but without a ledger is not ours to touch. */
static bool read_state(struct pg *pg, bool *out_ledger, struct err *err)
{
    AUTO(pg_result_free) PGresult *state = run(pg, STMT_STATE, NULL, err);
    if (!state)
        return false;
    bool ledger = pg_get_bool(state, 0, 0);
    if (!ledger) {
        AUTO(pg_result_free) PGresult *stranger = run(pg, STMT_STRANGER, NULL, err);
        if (!stranger)
            return false;
        if (PQntuples(stranger) > 0)
            return err_set(err, ERR_CONFLICT,
                           "unknown schema: the database has \"%s\" but no table \"schema_migrations\"; "
                           "give experimentd a database of its own",
                           PQgetvalue(stranger, 0, 0));
    }
    *out_ledger = ledger;
    return true;
}

static bool check_same(struct pg *pg, const struct migration *m, struct err *err)
{
    char version[16];
    (void)snprintf(version, sizeof version, "%d", m->version);
    AUTO(pg_result_free) PGresult *r = run(pg, STMT_SAME, (const char *const[]){ version, m->sql }, err);
    if (!r)
        return false;
    if (PQntuples(r) != 1 || !pg_get_bool(r, 0, 0))
        return err_set(err, ERR_CONFLICT,
                       "migration \"%s\" differs from the one that was applied to the database (checksum)", m->name);
    return true;
}

static bool check_known(const struct migration *list, int64_t version, struct str name, struct err *err)
{
    int last = last_version(list);
    if (version > last)
        return err_set(err, ERR_CONFLICT,
                       "the database has migration \"" STR_FMT "\" and is newer than this program, "
                       "which knows migrations up to %d",
                       STR_ARG(name), last);
    const struct migration *m = find(list, version);
    if (!m || !str_eq_c(name, m->name))
        return err_set(err, ERR_CONFLICT,
                       "the database has migration \"" STR_FMT "\", which this program does not know", STR_ARG(name));
    return true;
}

/* Checks what was applied against the list, which it must be a beginning of; *out_count how many. */
static bool check_applied(struct pg *pg, const struct migration *list, int *out_count, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = run(pg, STMT_APPLIED, NULL, err);
    if (!r)
        return false;
    int count = PQntuples(r);
    for (int i = 0; i < count; i++) {
        int64_t version = pg_get_i64(r, i, 0);
        if (!check_known(list, version, pg_get(r, i, 1), err))
            return false;
        if (list[i].version != version)
            return err_set(err, ERR_CONFLICT,
                           "migration \"%s\" was left out of the database, although a later one is there",
                           list[i].name);
        if (!check_same(pg, &list[i], err))
            return false;
    }
    *out_count = count;
    return true;
}

static bool record(struct pg *pg, const struct migration *m, struct err *err)
{
    char version[16];
    (void)snprintf(version, sizeof version, "%d", m->version);
    AUTO(pg_result_free) PGresult *r = run(pg, STMT_RECORD, (const char *const[]){ version, m->name, m->sql }, err);
    return r != NULL;
}

static bool apply(struct pg *pg, const struct migration *m, struct err *err)
{
    bool ok = pg_begin(pg, err) && pg_exec(pg, m->sql, err);
    if (ok && PQtransactionStatus(pg->conn) != PQTRANS_INTRANS)
        ok = err_set(err, ERR_CONFLICT, "ends its transaction, which it must not");
    if (ok && record(pg, m, err) && pg_commit(pg, err))
        return true;
    pg_rollback(pg);
    return err_prefix(err, "migration \"%s\": ", m->name);
}

static bool run_locked(struct pg *pg, const struct migration *list, int *out_applied, struct err *err)
{
    bool ledger;
    int count, applied = 0;
    if (!read_state(pg, &ledger, err))
        return false;
    if (!ledger && !pg_exec(pg, make_ledger, err))
        return false;
    if (!check_applied(pg, list, &count, err))
        return false;
    for (const struct migration *m = list + count; m->version; m++, applied++)
        if (!apply(pg, m, err))
            return false;
    *out_applied = applied;
    return true;
}

bool migrate_run(struct pg *pg, const struct migration *list, int *out_applied, struct err *err)
{
    AUTO(pg_result_free) PGresult *locked = run(pg, STMT_LOCK, NULL, err);
    if (!locked)
        return false;
    bool ok = run_locked(pg, list, out_applied, err);
    /* The lock belongs to the session: if this fails, the session is gone and the lock with it. */
    PQclear(run(pg, STMT_UNLOCK, NULL, NULL));
    return ok;
}

bool migrate_check(struct pg *pg, const struct migration *list, struct err *err)
{
    bool ledger;
    int count = 0;
    if (!read_state(pg, &ledger, err) || (ledger && !check_applied(pg, list, &count, err)))
        return false;
    if (list[count].version)
        return err_set(err, ERR_CONFLICT, "migration \"%s\" is not in the database; run \"experimentd migrate\"",
                       list[count].name);
    return true;
}
