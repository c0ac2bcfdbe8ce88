#include "trainer/engine/publish.h"

#include <stdio.h>

#include "base/pg.h"

enum { KEYS_MAX = 64 << 20 };

enum stmt { SWEEP, STAGING_OPEN, SPLITS, STMT_COUNT };
static const struct pg_stmt statements[STMT_COUNT] = {
    [SWEEP] = { "staging_sweep", 0, "select staging_sweep()" },
    [STAGING_OPEN] = { "staging_open", 5, "select staging_open($1, $2::uuid, $3::int, $4::int, $5::bytea[])" },
    [SPLITS] = { "splits", 2, "select split from run_splits where run = $1::uuid and pass = $2::int order by split" },
};

/* "{"\\x0123…",…}" */
static void add_keys(struct buf *b, const struct engine *e)
{
    for (uint32_t i = 0; i < e->pass->splits_count; i++)
        buf_addf(b, "%s\"\\\\x%s\"", i ? "," : "{", e->splits[i].key.text);
    buf_add_c(b, e->pass->splits_count ? "}" : "{}");
}

static bool make_staging(struct engine *e, const char *pass, struct err *err)
{
    AUTO(buf_release) struct buf keys;
    char epoch[16];
    (void)snprintf(epoch, sizeof epoch, "%d", e->options.epoch);
    buf_init(&keys, KEYS_MAX);
    add_keys(&keys, e);
    const char *params[] = { e->pass->table, e->options.run, epoch, pass, keys.p };
    AUTO(pg_result_free)
    PGresult *r = buf_ok(&keys, "the keys of the splits", err) ? pg_run(e->pg, &statements[STAGING_OPEN], params, err)
                                                               : NULL;
    if (!r)
        return false;
    struct str name = pg_get(r, 0, 0);
    if (!name.p)
        return err_set(err, ERR_CONFLICT, "run %s belongs to another coordinator now, or was ended", e->options.run);
    e->datasets[e->pass_number].staging = mem_strndup(name.p, name.n);
    return true;
}

static bool read_ledger(struct engine *e, const char *pass, struct err *err)
{
    const char *params[] = { e->options.run, pass };
    AUTO(pg_result_free) PGresult *r = pg_run(e->pg, &statements[SPLITS], params, err);
    for (int i = 0; r && i < PQntuples(r); i++) {
        int64_t split = pg_get_i64(r, i, 0);
        if (split >= 0 && split < e->pass->splits_count)
            e->splits[split].published = true;
    }
    return r != NULL;
}

/* The first time what dead runs left goes, too. */
static bool open_database(struct engine *e, struct err *err)
{
    if (e->pg)
        return pg_is_alive(e->pg) || pg_reopen(e->pg, err);
    e->pg = pg_open(e->options.database_url, "trainer engine", statements, STMT_COUNT, err);
    AUTO(pg_result_free) PGresult *r = e->pg ? pg_run(e->pg, &statements[SWEEP], NULL, err) : NULL;
    return r != NULL;
}

bool publish_open(struct engine *e, struct err *err)
{
    char pass[16];
    (void)snprintf(pass, sizeof pass, "%d", e->pass_number);
    return open_database(e, err) && make_staging(e, pass, err) && read_ledger(e, pass, err);
}

bool publish_has(const struct engine *e, uint32_t split)
{
    return e->splits[split].published;
}
