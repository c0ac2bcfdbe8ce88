#include "trainer/run/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

enum { NUMBER_MAX = 32, HOST_MAX = 256 };

enum stmt {
    INSERT,
    ADOPT,
    STATE,
    LOSE,
    RESTART,
    SET_APP,
    PASS_BEGIN,
    PASS_END,
    LOCK,
    END,
    SUCCEEDED,
    ADD_LINES,
    BEAT,
    LAST_PASSES,
    STMT_COUNT
};

static const struct pg_stmt statements[STMT_COUNT] = {
    [INSERT] = { "run_insert", 9,
                 "insert into runs (id, job, params, engine, workers, state, trigger, timeout_seconds, triggered_by, "
                 "host, pid) "
                 "values ($1::uuid, $2, $3::jsonb, $4, $5::int, 'running', 'shell', $6::int, $7, $8, $9::int)" },
    [ADOPT] = { "run_adopt", 5,
                "update runs r set state = 'running', epoch = epoch + 1, started_at = coalesce(started_at, now()), "
                "heartbeat_at = now(), finished_at = null, error = null, result = null, progress = 0, rows_in = 0, "
                "retries = 0, pass = null, host = $2, pid = $3::int where id = $1::uuid and (state in ('queued', "
                "'lost') or (state = 'running' and (epoch = $4::int or heartbeat_at < now() - make_interval(secs => "
                "$5::float8)))) returning epoch, job, params, engine, workers, timeout_seconds, greatest(log_lines, "
                "(select coalesce(max(seq), 0) from run_log l where l.run = r.id))" },
    [STATE] = { "run_state", 1, "select state, host, pid from runs where id = $1::uuid" },
    [LOSE] = { "run_lose", 1, "select count(*) from lose_runs(make_interval(secs => $1::float8))" },
    [RESTART] = { "run_restart", 2,
                  "with mine as (select id from runs where id = $1::uuid and epoch = $2::int and state = 'running'), "
                  "d as (delete from run_passes where run in (select id from mine)) select id from mine" },
    [SET_APP] = { "run_app", 4, "update runs set app_id = $3, ui_url = $4 where id = $1::uuid and epoch = $2::int" },
    [PASS_BEGIN] = { "pass_begin", 4,
                     "insert into run_passes (run, pass, name, splits) values ($1::uuid, $2::smallint, $3, $4::int) on "
                     "conflict (run, pass) do update set name = excluded.name, splits = excluded.splits, done = 0, "
                     "attempts = 0, rows_in = 0, seconds = null, started_at = now()" },
    [PASS_END] = { "pass_end", 5,
                   "update run_passes set done = splits, attempts = $3::int, rows_in = $4::bigint, seconds = "
                   "$5::float8 where run = $1::uuid and pass = $2::smallint" },
    [LOCK] = { "run_lock", 2,
               "select id from runs where id = $1::uuid and epoch = $2::int and state = 'running' for update" },
    [END] = { "run_end", 8,
              "update runs set state = $3, error = case when $3 <> 'skipped' then $4 end, "
              "note = case when $3 = 'skipped' then $4 else note end, result = $5::jsonb, rows_in = $6::bigint, "
              "retries = $7::int, "
              "log_lines = $8::bigint, progress = case when $3 = 'success' then 1 else progress end, pass = null, "
              "finished_at = clock_timestamp() where id = $1::uuid and epoch = $2::int and state in ('running', "
              "'publishing') returning id" },
    [SUCCEEDED] = { "run_succeeded", 2, "select state = 'success' and epoch = $2::int from runs where id = $1::uuid" },
    [ADD_LINES] = { "run_lines", 4,
                    "with mine as (update runs set log_lines = greatest(log_lines, $4::bigint) where id = $1::uuid and "
                    "epoch = $2::int returning id) insert into run_log (run, seq, at, source, line) select mine.id, "
                    "x.seq, x.at, x.source, x.line from mine, jsonb_to_recordset($3::jsonb) x (seq bigint, at "
                    "timestamptz, source text, line text) on conflict do nothing" },
    /* One statement, so that a beat is one round trip. It may come late, behind the end of its pass. */
    [BEAT] = { "run_beat", 9,
               "with p as (update run_passes set done = greatest(done, least($7::int, splits)) where run = $1::uuid "
               "and pass = $6::smallint) update runs set heartbeat_at = now(), progress = $3::real, rows_in = "
               "$4::bigint, retries = $5::int, pass = nullif($8, ''), log_lines = $9::bigint where id = $1::uuid and "
               "epoch = $2::int and state = 'running' returning cancel_requested" },
    [LAST_PASSES] = { "run_last_passes", 3,
                      "select name, coalesce(seconds, 0) from run_passes where run = (select id from runs where job = "
                      "$2 and state = 'success' and params = $3::jsonb and id <> $1::uuid order by queued_at desc "
                      "limit 1) order by pass" },
};

struct pg *row_connect(const char *url, struct err *err)
{
    return pg_open(url, "trainer", statements, STMT_COUNT, err);
}

/* ---- numbers as parameters ---- */

struct number {
    char text[NUMBER_MAX];
};

static const char *whole(struct number *n, int64_t v)
{
    (void)snprintf(n->text, sizeof n->text, "%lld", (long long)v);
    return n->text;
}

static const char *real(struct number *n, double v)
{
    (void)snprintf(n->text, sizeof n->text, "%.6f", v);
    return n->text;
}

static bool mine(const struct row *row, const PGresult *r, struct err *err)
{
    if (r && PQntuples(r) == 0)
        return err_set(err, ERR_CONFLICT, "run %s belongs to another coordinator now, or was ended", row->id);
    return r != NULL;
}

/* ---- its life ---- */

static const char *host_name(char out[HOST_MAX])
{
    if (gethostname(out, HOST_MAX) != 0)
        out[0] = '\0';
    out[HOST_MAX - 1] = '\0';
    return out;
}

bool row_insert(struct pg *pg, struct row *row, struct err *err)
{
    unsigned char id[16];
    char host[HOST_MAX];
    struct number workers, timeout, pid;
    AUTO(mem_free) char *job = mem_strndup(row->job.p, row->job.n);
    AUTO(mem_free) char *json = mem_strndup(row->params.p, row->params.n);
    uuid_v7(id, clock_now_us());
    uuid_format(id, row->id);
    row->epoch = 1;
    const char *params[] = { row->id,
                             job,
                             json,
                             row->engine,
                             whole(&workers, row->workers),
                             whole(&timeout, row->timeout_us / US_PER_SECOND),
                             getenv("USER"),
                             host_name(host),
                             whole(&pid, getpid()) };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[INSERT], params, err);
    return r != NULL;
}

static bool explain(struct pg *pg, const char *id, struct err *err)
{
    const char *params[] = { id };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[STATE], params, err);
    if (!r)
        return false;
    if (PQntuples(r) == 0)
        return err_set(err, ERR_NOT_FOUND, "run %s is not known", id);
    struct str state = pg_get(r, 0, 0);
    if (str_eq_c(state, "running"))
        return err_set(err, ERR_CONFLICT, "run %s is run by process " STR_FMT " on \"" STR_FMT "\"", id,
                       STR_ARG(pg_get(r, 0, 2)), STR_ARG(pg_get(r, 0, 1)));
    return err_set(err, ERR_CONFLICT, "run %s is " STR_FMT "; only one that is queued or lost can be taken", id,
                   STR_ARG(state));
}

bool row_adopt(struct pg *pg, const char *id, int from_epoch, int64_t lost_after_us, struct arena *arena,
               struct row *out, struct err *err)
{
    unsigned char bytes[16];
    char host[HOST_MAX];
    struct number pid, epoch, silent;
    if (!uuid_parse(str_of(id), bytes))
        return err_set(err, ERR_INVALID, "\"%s\" is not the id of a run", id);
    const char *params[] = { id, host_name(host), whole(&pid, getpid()), whole(&epoch, from_epoch),
                             real(&silent, (double)lost_after_us / 1e6) };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[ADOPT], params, err);
    if (!r)
        return false;
    if (PQntuples(r) == 0)
        return explain(pg, id, err);
    *out = (struct row){ .epoch = (int)pg_get_i64(r, 0, 0),
                         .job = arena_str(arena, pg_get(r, 0, 1)),
                         .params = arena_str(arena, pg_get(r, 0, 2)),
                         .engine = arena_cstr(arena, pg_get(r, 0, 3)),
                         .workers = (uint32_t)pg_get_i64(r, 0, 4),
                         .timeout_us = pg_get_i64(r, 0, 5) * US_PER_SECOND,
                         .log_lines = pg_get_i64(r, 0, 6) };
    uuid_format(bytes, out->id);
    return row_restart(pg, out, err);
}

bool row_lose_others(struct pg *pg, int64_t lost_after_us, struct err *err)
{
    struct number silent;
    const char *params[] = { real(&silent, (double)lost_after_us / 1e6) };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[LOSE], params, err);
    return r != NULL;
}

bool row_restart(struct pg *pg, const struct row *row, struct err *err)
{
    struct number epoch;
    const char *params[] = { row->id, whole(&epoch, row->epoch) };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[RESTART], params, err);
    return mine(row, r, err);
}

bool row_set_app(struct pg *pg, const struct row *row, const char *app_id, const char *ui_url, struct err *err)
{
    struct number epoch;
    const char *params[] = { row->id, whole(&epoch, row->epoch), app_id, ui_url };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[SET_APP], params, err);
    return r != NULL;
}

bool row_lock(struct pg *pg, const struct row *row, struct err *err)
{
    struct number epoch;
    const char *params[] = { row->id, whole(&epoch, row->epoch) };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[LOCK], params, err);
    return mine(row, r, err);
}

bool row_end(struct pg *pg, const struct row *row, const struct row_end *end, struct err *err)
{
    struct number epoch, rows, retries, lines;
    const char *params[] = { row->id,
                             whole(&epoch, row->epoch),
                             end->state,
                             end->error,
                             end->result,
                             whole(&rows, (int64_t)end->rows_in),
                             whole(&retries, (int64_t)end->retries),
                             whole(&lines, end->log_lines) };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[END], params, err);
    return mine(row, r, err);
}

bool row_succeeded(struct pg *pg, const struct row *row, bool *out, struct err *err)
{
    struct number epoch;
    const char *params[] = { row->id, whole(&epoch, row->epoch) };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[SUCCEEDED], params, err);
    if (r)
        *out = PQntuples(r) == 1 && pg_get_bool(r, 0, 0);
    return r != NULL;
}

/* ---- passes, progress, log ---- */

bool row_pass_begin(struct pg *pg, const struct row *row, int number, const char *name, uint32_t splits,
                    struct err *err)
{
    struct number pass, count;
    const char *params[] = { row->id, whole(&pass, number), name, whole(&count, splits) };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[PASS_BEGIN], params, err);
    return r != NULL;
}

bool row_pass_end(struct pg *pg, const struct row *row, int number, uint32_t attempts, uint64_t rows, double seconds,
                  struct err *err)
{
    struct number pass, tries, count, took;
    const char *params[] = { row->id, whole(&pass, number), whole(&tries, attempts), whole(&count, (int64_t)rows),
                             real(&took, seconds) };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[PASS_END], params, err);
    return r != NULL;
}

bool row_add_lines(struct pg *pg, const struct row *row, struct str lines, int64_t said, struct err *err)
{
    struct number epoch, count;
    const char *params[] = { row->id, whole(&epoch, row->epoch), lines.p, whole(&count, said) };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[ADD_LINES], params, err);
    return r != NULL;
}

bool row_beat(struct pg *pg, const struct row *row, const struct row_news *news, bool *out_cancel, struct err *err)
{
    struct number epoch, share, rows, retries, pass, done, lines;
    const char *params[] = { row->id,
                             whole(&epoch, row->epoch),
                             real(&share, news->progress),
                             whole(&rows, (int64_t)news->rows_in),
                             whole(&retries, (int64_t)news->retries),
                             whole(&pass, news->pass),
                             whole(&done, news->done),
                             news->name,
                             whole(&lines, news->log_lines) };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[BEAT], params, err);
    if (!mine(row, r, err))
        return false;
    *out_cancel = pg_get_bool(r, 0, 0);
    return true;
}

bool row_last_passes(struct pg *pg, const struct row *row, void (*fn)(void *arg, struct str name, double seconds),
                     void *arg, struct err *err)
{
    AUTO(mem_free) char *job = mem_strndup(row->job.p, row->job.n);
    AUTO(mem_free) char *json = mem_strndup(row->params.p, row->params.n);
    const char *params[] = { row->id, job, json };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[LAST_PASSES], params, err);
    for (int i = 0; r && i < PQntuples(r); i++)
        fn(arg, pg_get(r, i, 0), pg_get_double(r, i, 1));
    return r != NULL;
}
