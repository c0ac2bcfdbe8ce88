#include "trainer/engine/put.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "trainer/engine/task.h"

enum { SEND_BYTES = 256 << 10, ROW_MAX = 64 << 20, SUM_BYTES = 16, PAUSE_US = 250000 };
#define PATIENCE_US (60 * US_PER_SECOND)

enum stmt { RUN_IS_OURS, LEDGER_ADD, LEDGER_READ, STMT_COUNT };
static const struct pg_stmt statements[STMT_COUNT] = {
    [RUN_IS_OURS] = { "run_is_ours", 2,
                      "select from runs where id = $1::uuid and epoch = $2::int and state = 'running'" },
    [LEDGER_ADD] = { "ledger_add", 7,
                     "insert into run_splits (run, pass, split, attempt, key, rows, checksum) values ($1::uuid, "
                     "$2::smallint, $3::int, $4::int, decode($5, 'hex'), $6::bigint, decode($7, 'hex')) on conflict "
                     "do nothing returning split" },
    [LEDGER_READ] = { "ledger_read", 3,
                      "select encode(checksum, 'hex') from run_splits where run = $1::uuid and pass = $2::smallint and "
                      "split = $3::int" },
};

void put_init(struct put *p, const json_t *publish)
{
    *p = (struct put){ .publish = json_is_object(publish) ? publish : NULL };
    buf_init(&p->rows, ROW_MAX);
}

void put_release(struct put *p)
{
    pg_close(p->pg);
    buf_release(&p->rows);
    p->pg = NULL;
}

static const char *text(const struct put *p, const char *key)
{
    const char *s = json_string_value(json_object_get(p->publish, key));
    return s ? s : "";
}

/* Standing aside for a restart costs less than an attempt. */
static bool connect_patiently(struct put *p, struct task *t, struct err *err)
{
    int64_t until_us = clock_mono_us() + PATIENCE_US;
    for (;;) {
        struct err ticked;
        p->pg = pg_open(task_database_url(t), "trainer worker", statements, STMT_COUNT, err);
        if (p->pg || clock_mono_us() > until_us)
            return p->pg != NULL;
        if (!task_tick(t, 0, &ticked)) {
            *err = ticked;
            return false;
        }
        (void)usleep(PAUSE_US);
    }
}

static bool begin(struct put *p, struct task *t, struct err *err)
{
    (void)crypto_generichash_init(&p->hash, NULL, 0, SUM_BYTES);
    if (!p->publish)
        return err_set(err, ERR_INVALID, "the pass publishes nothing");
    AUTO(mem_free)
    char *sql = mem_printf("copy %s (%s) from stdin (format binary)", text(p, "staging"), text(p, "columns"));
    pg_copy_header(&p->rows);
    return connect_patiently(p, t, err) && pg_begin(p->pg, err) && pg_copy_begin(p->pg, sql, err);
}

static bool send(struct put *p, struct err *err)
{
    bool ok = buf_ok(&p->rows, "rows to be published", err) && pg_copy_send(p->pg, buf_str(&p->rows), err);
    buf_clear(&p->rows);
    return ok;
}

bool put_row(struct put *p, struct task *t, struct str tuple, struct err *err)
{
    if (!p->pg && !begin(p, t, err))
        return false;
    (void)crypto_generichash_update(&p->hash, (const unsigned char *)tuple.p, tuple.n);
    buf_add_str(&p->rows, tuple);
    p->count++;
    return p->rows.n < SEND_BYTES || send(p, err);
}

struct entry {
    char pass[16], split[16], attempt[16], rows[24], sum[2 * SUM_BYTES + 1];
};

static void describe(struct put *p, uint32_t split, uint32_t attempt, struct entry *out)
{
    unsigned char sum[SUM_BYTES];
    (void)crypto_generichash_final(&p->hash, sum, sizeof sum);
    (void)sodium_bin2hex(out->sum, sizeof out->sum, sum, sizeof sum);
    (void)snprintf(out->pass, sizeof out->pass, "%d", (int)json_integer_value(json_object_get(p->publish, "pass")));
    (void)snprintf(out->split, sizeof out->split, "%u", split);
    (void)snprintf(out->attempt, sizeof out->attempt, "%u", attempt);
    (void)snprintf(out->rows, sizeof out->rows, "%llu", (unsigned long long)p->count);
}

/* Another attempt was first: its rows have to be ours. */
static bool compare(struct put *p, const struct entry *e, bool *out_bug, struct err *err)
{
    const char *key[] = { text(p, "run"), e->pass, e->split };
    pg_rollback(p->pg);
    AUTO(pg_result_free) PGresult *r = pg_run(p->pg, &statements[LEDGER_READ], key, err);
    if (!r)
        return false;
    *out_bug = PQntuples(r) == 1 && !str_eq_c(pg_get(r, 0, 0), e->sum);
    return !*out_bug || err_set(err, ERR_INVALID,
                                "another attempt of the split had other rows: the kernel is not "
                                "deterministic");
}

/* The check comes after the rows: COPY's lock keeps the next coordinator from making the table anew in between. */
static bool is_ours(struct put *p, struct err *err)
{
    char epoch[16];
    (void)snprintf(epoch, sizeof epoch, "%d", (int)json_integer_value(json_object_get(p->publish, "epoch")));
    const char *run[] = { text(p, "run"), epoch };
    AUTO(pg_result_free) PGresult *r = pg_run(p->pg, &statements[RUN_IS_OURS], run, err);
    return r && (PQntuples(r) == 1 ||
                 err_set(err, ERR_CONFLICT, "run %s belongs to another coordinator now, or was ended", run[0]));
}

bool put_commit(struct put *p, struct task *t, uint32_t split, uint32_t attempt, bool *out_bug, struct err *err)
{
    struct entry e;
    uint64_t rows;
    *out_bug = false;
    if (!p->pg && !begin(p, t, err))
        return false;
    pg_copy_trailer(&p->rows);
    describe(p, split, attempt, &e);
    if (!send(p, err) || !pg_copy_end(p->pg, &rows, err) || !is_ours(p, err))
        return false;
    const char *entry[] = { text(p, "run"), e.pass, e.split, e.attempt, text(p, "key"), e.rows, e.sum };
    AUTO(pg_result_free) PGresult *r = pg_run(p->pg, &statements[LEDGER_ADD], entry, err);
    if (!r)
        return false;
    return PQntuples(r) == 1 ? pg_commit(p->pg, err) : compare(p, &e, out_bug, err);
}
