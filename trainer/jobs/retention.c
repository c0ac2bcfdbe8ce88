/* The job "retention": what is too old is deleted: signals that are older than their type is kept, from partitions and from archive files;
 * logs of runs, and runs; versions of models.
 *
 * A rule is type=days; default is for the types that no other rule names. A day is older than so many days when that many days lie between
 * it and today. Exposures are kept. A run stays while something published names it. Each day, and each file, is a transaction of its own: a run
 * that is killed goes on in the next. */
#include <inttypes.h>
#include <stdio.h>

#include "archive/rewrite.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "trainer/jobs/job.h"

enum { RULES_MAX = 64, JSON_MAX = 64 << 10, DAYS_MAX = 100000 };

static const struct pg_stmt read_days = {
    "retention_days", 0,
    "select to_date(right(c.relname, 8), 'YYYYMMDD') - date '1970-01-01' from pg_inherits i join pg_class c "
    "on c.oid = i.inhrelid where i.inhparent = 'signals'::regclass order by 1"
};
static const struct pg_stmt delete_rows = {
    "retention_delete", 3,
    "with d as (delete from signals where at >= ($1::date)::timestamp at time zone 'UTC' and at < ($1::date + "
    "1)::timestamp "
    "at time zone 'UTC' and (type in (select jsonb_array_elements_text($2::jsonb))) <> $3::boolean returning 1) "
    "select count(*) from d"
};

/* Some at a time, so that no transaction is long. */
static const struct pg_stmt delete_logs = {
    "retention_logs", 1,
    "with d as (delete from run_log where run in (select id from runs r where r.finished_at < now() - make_interval("
    "days => $1::int) and exists (select from run_log l where l.run = r.id) limit 500) returning 1) select count(*) "
    "from d"
};
static const struct pg_stmt old_runs = {
    "retention_old_runs", 1,
    "select id from runs where finished_at < now() - make_interval(days => $1::int) and state not in ('queued', "
    "'running', 'publishing') order by finished_at"
};
static const struct pg_stmt delete_run = { "retention_run", 1, "delete from runs where id = $1::uuid" };

static const struct pg_stmt sweep_models = {
    "retention_models", 2, "select s->>'versions', s->>'artifacts' from models_sweep($1::int, $2::int) s"
};

struct rule {
    struct str type;
    uint32_t days;
};

struct retention {
    struct run_context *run;
    struct pg *pg;
    struct arena arena;
    struct rule rules[RULES_MAX];
    size_t rules_count;
    uint32_t default_days; /* UINT32_MAX: for ever */
    uint64_t from_partitions, from_files, files, log_lines, runs, versions, artifacts;
};

/* ---- rules ---- */

static bool read_rules(struct retention *t, struct err *err)
{
    const char *given = t->run->param(t->run, "signals"), *rules = given ? given : t->run->retention;
    const char *what = given ? "parameter \"signals\"" : "setting \"retention.signals\"";
    struct str rest = str_of(rules), one, type;
    t->default_days = UINT32_MAX;
    while (rest.n && str_split(&rest, ',', &one)) {
        struct rule r;
        (void)str_split(&one, '=', &type);
        r.type = str_trim(type);
        if (!r.type.n || !parse_u32(str_trim(one), &r.days, NULL) || r.days < 1 || r.days > DAYS_MAX)
            return err_set(err, ERR_INVALID, "%s: \"%s\" is no list of TYPE=DAYS, days from 1 to %d", what, rules,
                           DAYS_MAX);
        if (str_eq(r.type, STR("default")))
            t->default_days = r.days;
        else if (t->rules_count < RULES_MAX)
            t->rules[t->rules_count++] = r;
        else
            return err_set(err, ERR_INVALID, "%s has more than %d rules", what, RULES_MAX);
    }
    return true;
}

/* Which types of a day of this age go: those listed, or, once the default is over, all but those listed. */
static struct archive_match match_of(struct retention *t, uint32_t age)
{
    bool others = age > t->default_days;
    struct str *values = arena_alloc(&t->arena, (t->rules_count + 1) * sizeof *values);
    struct archive_match m = { .column = "type", .values = values, .others = others, .bucket = -1 };
    for (size_t i = 0; i < t->rules_count; i++)
        if ((age > t->rules[i].days) != others)
            values[m.count++] = t->rules[i].type;
    return m;
}

/* ---- rows ---- */

static bool delete_day(struct retention *t, int32_t day, const struct archive_match *m, struct err *err)
{
    char text[CLOCK_TEXT_MAX];
    struct jsonw w;
    AUTO(buf_release) struct buf b;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '[');
    for (size_t i = 0; i < m->count; i++)
        jsonw_str(&w, NULL, m->values[i]);
    jsonw_close(&w);
    const char *params[] = { clock_format_day(day, text), b.p, m->others ? "true" : "false" };
    AUTO(pg_result_free)
    PGresult *r = buf_ok(&b, "the list of types", err) ? pg_run(t->pg, &delete_rows, params, err) : NULL;
    int64_t n = r ? pg_get_i64(r, 0, 0) : 0;
    if (n)
        run_say(t->run, "retention day=%s rows=%lld from=partitions", text, (long long)n);
    t->from_partitions += (uint64_t)n;
    return r != NULL;
}

static bool delete_from_file(struct retention *t, const struct archive_entry *e, const struct archive_match *m,
                             struct err *err)
{
    uint64_t n;
    char text[CLOCK_TEXT_MAX];
    if (!pg_begin(t->pg, err) || !archive_drop_rows(t->pg, t->run->archive_dir, e, m, &n, err) ||
        !pg_commit(t->pg, err))
        return false;
    if (n)
        run_say(t->run, "retention day=%s rows=%" PRIu64 " from=%s", clock_format_day(e->day, text), n, e->path.p);
    t->from_files += n;
    t->files += n > 0;
    return true;
}

static bool clean_partitions(struct retention *t, int32_t today, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(t->pg, &read_days, NULL, err);
    for (int i = 0; r && i < PQntuples(r); i++) {
        int32_t day = (int32_t)pg_get_i64(r, i, 0);
        struct archive_match m = match_of(t, day < today ? (uint32_t)(today - day) : 0);
        if (!run_tick(t->run, "partitions", (uint32_t)i, (uint32_t)PQntuples(r), err) ||
            ((m.count || m.others) && !delete_day(t, day, &m, err)))
            return false;
    }
    return r != NULL;
}

static bool clean_files(struct retention *t, int32_t today, struct err *err)
{
    const char *dir = t->run->archive_dir;
    struct archive_entry *entries;
    size_t count;
    uint64_t removed;
    bool used;
    if (!archive_store_list(t->pg, "signals", INT32_MIN, today, 0, 4095, &t->arena, &entries, &count, err))
        return false;
    if (!archive_store_find(t->pg, dir, &used, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct archive_match m = match_of(t, (uint32_t)(today - entries[i].day));
        if (!run_tick(t->run, "archive", (uint32_t)i, (uint32_t)count, err) ||
            ((m.count || m.others) && !delete_from_file(t, &entries[i], &m, err)))
            return false;
    }
    return t->files == 0 || archive_store_sweep(t->pg, dir, &removed, err);
}

/* ---- runs ---- */

static bool delete_logs_of(struct retention *t, const char *days, struct err *err)
{
    const char *params[] = { days };
    for (int64_t n = 1; n > 0;) {
        if (!run_tick(t->run, "logs", 0, 1, err))
            return false;
        AUTO(pg_result_free) PGresult *r = pg_run(t->pg, &delete_logs, params, err);
        if (!r)
            return false;
        n = pg_get_i64(r, 0, 0);
        t->log_lines += (uint64_t)n;
    }
    return true;
}

/* One by one: those that something published names cannot go (a foreign key says so, whichever table it is), and stay. */
static bool delete_runs_of(struct retention *t, const char *days, struct err *err)
{
    const char *params[] = { days };
    AUTO(pg_result_free) PGresult *old = pg_run(t->pg, &old_runs, params, err);
    for (int i = 0; old && i < PQntuples(old); i++) {
        const char *run[] = { PQgetvalue(old, i, 0) };
        if (!run_tick(t->run, "runs", (uint32_t)i, (uint32_t)PQntuples(old), err))
            return false;
        AUTO(pg_result_free) PGresult *r = pg_run(t->pg, &delete_run, run, err);
        if (!r && err->kind != ERR_INVALID)
            return false;
        t->runs += r != NULL;
    }
    return old != NULL;
}

static bool clean_runs(struct retention *t, struct err *err)
{
    if (!delete_logs_of(t, t->run->param(t->run, "run_log_days"), err) ||
        !delete_runs_of(t, t->run->param(t->run, "run_days"), err))
        return false;
    if (t->log_lines || t->runs)
        run_say(t->run, "retention: %" PRIu64 " runs and %" PRIu64 " lines of logs deleted", t->runs, t->log_lines);
    return true;
}

/* ---- models ---- */

static bool clean_models(struct retention *t, struct err *err)
{
    const char *params[] = { t->run->param(t->run, "models_keep"), t->run->param(t->run, "models_days") };
    if (!run_tick(t->run, "models", 0, 1, err))
        return false;
    AUTO(pg_result_free) PGresult *r = pg_run(t->pg, &sweep_models, params, err);
    if (!r)
        return false;
    t->versions = (uint64_t)pg_get_i64(r, 0, 0);
    t->artifacts = (uint64_t)pg_get_i64(r, 0, 1);
    if (t->versions || t->artifacts)
        run_say(t->run, "retention: %" PRIu64 " versions of models and %" PRIu64 " artifacts deleted", t->versions,
                t->artifacts);
    return true;
}

/* ---- the job ---- */

static bool clean(struct retention *t, struct err *err)
{
    int32_t today = clock_day(clock_now_us());
    bool got;
    if (!archive_lock_writers(t->pg, true, &got, err) || !clean_partitions(t, today, err) ||
        !clean_files(t, today, err) || !clean_runs(t, err) || !clean_models(t, err))
        return false;
    run_say(t->run, "retention: %" PRIu64 " rows deleted from partitions, %" PRIu64 " from %" PRIu64 " archive files",
            t->from_partitions, t->from_files, t->files);
    t->run->rows_in = t->from_partitions + t->from_files;
    run_result(t->run,
               "{\"rows_from_partitions\":%" PRIu64 ",\"rows_from_files\":%" PRIu64 ",\"files\":%" PRIu64
               ",\"runs\":%" PRIu64 ",\"log_lines\":%" PRIu64 ",\"versions\":%" PRIu64 ",\"artifacts\":%" PRIu64 "}",
               t->from_partitions, t->from_files, t->files, t->runs, t->log_lines, t->versions, t->artifacts);
    return true;
}

static bool run_retention(struct run_context *run, struct err *err)
{
    struct retention t = { .run = run };
    if (!read_rules(&t, err))
        return false;
    arena_init(&t.arena, 1 << 16);
    t.pg = pg_open(run->database_url, "trainer retention", NULL, 0, err);
    bool ok = t.pg && clean(&t, err);
    pg_close(t.pg);
    arena_release(&t.arena);
    return ok && run_publish_begin(run, err) && run_publish_end(run, err);
}

const struct job job_retention = { "retention", run_retention };
