/* Commands that read: which jobs there are, which runs, what one said; and the one that asks a run to end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/pg.h"
#include "base/pgcluster.h"
#include "job/schema.h"
#include "trainer/run/commands.h"
#include "trainer/run/settings.h"

enum { JSON_BYTES = 1 << 20 };

static const struct pg_stmt recent_runs = {
    "recent_runs", 0,
    "select id, coalesce(job_id, job), state, to_char(coalesce(started_at, queued_at) at time zone 'UTC', 'YYYY-MM-DD "
    "HH24:MI:SS'), coalesce(round(extract(epoch from coalesce(finished_at, now()) - started_at)::numeric, 1)::text, "
    "'-'), round(progress * 100)::int, rows_in, coalesce(error, note, '') from runs order by queued_at desc, id desc "
    "limit 30"
};
static const struct pg_stmt log_lines = {
    "log_lines", 1,
    "select to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS'), source, line from run_log where run = "
    "$1::uuid order by seq"
};
static const struct pg_stmt known_run = { "known_run", 1, "select log_lines from runs where id = $1::uuid" };
static const struct pg_stmt cancel_run = { "cancel_run", 2, "select cancel_run($1::uuid, $2)" };

/* ---- jobs ---- */

static void jobs_json(struct buf *out)
{
    AUTO(buf_release) struct buf one;
    buf_init(&one, JOB_SCHEMA_BYTES);
    buf_add_byte(out, '[');
    for (size_t i = 0; i < job_types_count; i++) {
        buf_clear(&one);
        job_type_json(&job_types[i], &one);
        buf_add_c(out, i ? ",\n " : "\n ");
        buf_add_str(out, buf_str(&one));
    }
    buf_add_c(out, "\n]\n");
}

int jobs_main(int argc, char **argv)
{
    AUTO(buf_release) struct buf out;
    buf_init(&out, JSON_BYTES);
    bool json = argc == 1 && strcmp(argv[0], "--json") == 0;
    if (argc > 0 && !json) {
        (void)fputs("usage: trainer jobs [--json]\n", stderr);
        return EX_USAGE;
    }
    if (json)
        jobs_json(&out);
    for (size_t i = 0; !json && i < job_types_count; i++)
        job_type_help(&job_types[i], &out);
    (void)fputs(out.p, stdout);
    return EXIT_SUCCESS;
}

/* ---- with a database ---- */

/* Calls fn with a connection and the command's argument (a run's id where `wants_run`). */
static int with_database(int argc, char **argv, bool wants_run, const char *usage,
                         bool (*fn)(struct pg *pg, const char *run, struct err *err))
{
    struct run_settings s = { 0 };
    struct err err = { 0 };
    struct pgcluster *cluster = NULL;
    size_t count = 0;
    unsigned char id[16];
    const char **rest = mem_zalloc((size_t)(argc + 1) * sizeof *rest);
    bool ok = run_settings_load(&s, argc, argv, rest, &count, &err), asked = ok;
    if (ok && (count != wants_run || (wants_run && !uuid_parse(str_of(rest[0]), id))))
        ok = asked = err_set(&err, ERR_INVALID, "%s", usage);
    AUTO(mem_free) char *url = ok ? run_settings_connect(&s, &cluster, &err) : NULL;
    AUTO(pg_close) struct pg *pg = url ? pg_open(url, "trainer", NULL, 0, &err) : NULL;
    ok = pg && fn(pg, rest[0], &err);
    if (!ok)
        (void)fprintf(stderr, "trainer: %s\n", err.text);
    if (cluster)
        pgcluster_stop(cluster);
    run_settings_release(&s);
    mem_free(rest);
    return ok ? EXIT_SUCCESS : asked ? EXIT_FAILURE : EX_USAGE;
}

static bool print_runs(struct pg *pg, const char *none, struct err *err)
{
    (void)none;
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &recent_runs, NULL, err);
    if (r)
        (void)printf("%-36s  %-14s  %-9s  %-19s  %9s  %4s  %12s  %s\n", "RUN", "JOB", "STATE", "STARTED (UTC)",
                     "SECONDS", "DONE", "ROWS", "WHY");
    for (int i = 0; r && i < PQntuples(r); i++)
        (void)printf("%-36s  %-14s  %-9s  %-19s  %9s  %3s%%  %12s  %s\n", PQgetvalue(r, i, 0), PQgetvalue(r, i, 1),
                     PQgetvalue(r, i, 2), PQgetvalue(r, i, 3), PQgetvalue(r, i, 4), PQgetvalue(r, i, 5),
                     PQgetvalue(r, i, 6), PQgetvalue(r, i, 7));
    return r != NULL;
}

static bool print_log(struct pg *pg, const char *run, struct err *err)
{
    const char *params[] = { run };
    AUTO(pg_result_free) PGresult *known = pg_run(pg, &known_run, params, err);
    if (!known)
        return false;
    if (PQntuples(known) == 0)
        return err_set(err, ERR_NOT_FOUND, "run %s is not known", run);
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &log_lines, params, err);
    for (int i = 0; r && i < PQntuples(r); i++)
        (void)printf("%s  %-9s  %s\n", PQgetvalue(r, i, 0), PQgetvalue(r, i, 1), PQgetvalue(r, i, 2));
    if (r && pg_get_i64(known, 0, 0) > PQntuples(r))
        (void)printf("%lld more lines were said and not kept\n", (long long)(pg_get_i64(known, 0, 0) - PQntuples(r)));
    return r != NULL;
}

static bool ask_to_end(struct pg *pg, const char *run, struct err *err)
{
    const char *params[] = { run, getenv("USER") };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &cancel_run, params, err);
    if (!r)
        return false;
    if (PQgetisnull(r, 0, 0))
        return err_set(err, ERR_NOT_FOUND, "run %s is not known, or has ended", run);
    (void)printf("%s\n", strcmp(PQgetvalue(r, 0, 0), "cancelled") == 0 ? "cancelled" : "asked to end");
    return true;
}

int runs_main(int argc, char **argv)
{
    return with_database(argc, argv, false, "usage: trainer runs --data-dir DIR | --database-url URL", print_runs);
}

int log_main(int argc, char **argv)
{
    return with_database(argc, argv, true, "usage: trainer log RUN --data-dir DIR | --database-url URL", print_log);
}

int cancel_main(int argc, char **argv)
{
    return with_database(argc, argv, true, "usage: trainer cancel RUN --data-dir DIR | --database-url URL", ask_to_end);
}
