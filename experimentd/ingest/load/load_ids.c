#include "experimentd/ingest/load/load_ids.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"

enum { ID_BYTES = 16, IDS_MAX_BYTES = 16 << 20, BATCHES_A_READ = 50, COMMITS_A_PRUNE = 500 };

enum stmt { LOCK, READ, WRITE, PRUNE };
static const struct pg_stmt statements[] = {
    [LOCK] = { "load_ids_lock", 0, "select pg_advisory_xact_lock(hashtext('experimentd load_ids'))" },
    [READ] = { "load_ids_read", 2, "select seq, ids from load_batches where seq > $1::bigint order by seq limit $2" },
    [WRITE] = { "load_ids_write", 2,
                "insert into load_batches (count, ids) values ($1::integer, $2::bytea) returning seq" },
    /* What every loader has forgotten: batches with more than two windows of ids behind them. */
    [PRUNE] = { "load_ids_prune", 1,
                "delete from load_batches where seq <= (select max(seq) from (select seq, sum(count) over (order by "
                "seq "
                "desc) as ids from load_batches) b where ids > $1::bigint)" },
};

void load_ids_init(struct load_ids *l, struct pg *pg)
{
    *l = (struct load_ids){ .pg = pg };
    buf_init(&l->ids, IDS_MAX_BYTES);
}

void load_ids_release(struct load_ids *l)
{
    repeats_release(&l->known);
    buf_release(&l->ids);
}

bool load_ids_lock(struct load_ids *l, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(l->pg, &statements[LOCK], NULL, err);
    return r != NULL;
}

static bool add_all(struct load_ids *l, const char *hex, struct err *err)
{
    size_t n;
    unsigned char *bytes = PQunescapeBytea((const unsigned char *)hex, &n);
    if (!bytes)
        return err_set(err, ERR_SYSTEM, "no memory for %zu bytes of ids", strlen(hex) / 2);
    for (size_t i = 0; i + ID_BYTES <= n; i += ID_BYTES)
        repeats_add(&l->known, bytes + i);
    PQfreemem(bytes);
    return true;
}

bool load_ids_catch_up(struct load_ids *l, struct err *err)
{
    for (int n = BATCHES_A_READ; n == BATCHES_A_READ;) {
        char from[24], limit[16];
        (void)snprintf(from, sizeof from, "%" PRId64, l->seq);
        (void)snprintf(limit, sizeof limit, "%d", BATCHES_A_READ);
        const char *params[] = { from, limit };
        AUTO(pg_result_free) PGresult *r = pg_run(l->pg, &statements[READ], params, err);
        if (!r)
            return false;
        n = PQntuples(r);
        for (int i = 0; i < n; i++) {
            if (!add_all(l, PQgetvalue(r, i, 1), err))
                return false;
            l->seq = pg_get_i64(r, i, 0);
        }
    }
    return true;
}

bool load_ids_write(struct load_ids *l, struct err *err)
{
    char count[24];
    (void)snprintf(count, sizeof count, "%zu", l->ids.n / ID_BYTES);
    const char *values[] = { count, l->ids.p };
    const int lengths[] = { 0, (int)l->ids.n }, formats[] = { 0, 1 };
    AUTO(pg_result_free) PGresult *r = pg_run_binary(l->pg, &statements[WRITE], values, lengths, formats, err);
    l->written = r ? pg_get_i64(r, 0, 0) : 0;
    return r != NULL;
}

/* Outside of any transaction that anybody waits for; what fails now is done another time. */
static void prune(struct load_ids *l)
{
    char window[24];
    struct err err;
    (void)snprintf(window, sizeof window, "%d", 2 * REPEATS_WINDOW);
    const char *params[] = { window };
    AUTO(pg_result_free) PGresult *r = pg_run(l->pg, &statements[PRUNE], params, &err);
    if (!r)
        log_warn("load_batches_stay", LOG_ERR, LOG_ERR_ARG(&err));
}

void load_ids_committed(struct load_ids *l)
{
    if (!l->written)
        return;
    for (size_t i = 0; i + ID_BYTES <= l->ids.n; i += ID_BYTES)
        repeats_add(&l->known, (const unsigned char *)l->ids.p + i);
    l->seq = l->written;
    l->written = 0;
    if (++l->commits % COMMITS_A_PRUNE == 0)
        prune(l);
}
