#include "experimentd/jobs/dispatch.h"

#include <unistd.h>

#include "base/log.h"
#include "experimentd/jobs/counters.h"
#include "experimentd/jobs/parts.h"
#include "experimentd/jobs/starter.h"

enum { END_PATIENCE_US = 5000000, HOST_MAX = 256 };

/* ---- pure ---- */

bool dispatch_limits_parse(const char *text, unsigned at_once, struct dispatch_limits *out, struct err *err)
{
    struct str rest = str_of(text), part;
    *out = (struct dispatch_limits){ .at_once = at_once };
    while (rest.n && str_split(&rest, ',', &part)) {
        struct str n = part, type;
        uint32_t limit;
        (void)str_split(&n, '=', &type);
        type = str_trim(type);
        if (type.n == part.n || !job_type_find(type) || !parse_u32(str_trim(n), &limit, NULL))
            return err_set(err, ERR_INVALID, "\"" STR_FMT "\" is no type=number of a job type",
                           STR_ARG(str_cut(part, 60)));
        if (out->types_count == DISPATCH_TYPES_MAX)
            return err_set(err, ERR_INVALID, "more than %d types", DISPATCH_TYPES_MAX);
        out->types[out->types_count].type = type;
        out->types[out->types_count++].at_once = limit;
    }
    return true;
}

static unsigned limit_of(const struct dispatch_limits *limits, struct str type)
{
    for (size_t i = 0; i < limits->types_count; i++)
        if (str_eq(limits->types[i].type, type))
            return limits->types[i].at_once;
    return 1;
}

static bool fits(const struct dispatch_run *runs, size_t count, const struct dispatch_run *one,
                 const struct dispatch_limits *limits)
{
    unsigned all = 0, of_type = 0;
    for (size_t i = 0; i < count; i++) {
        if (!runs[i].runs && !runs[i].start)
            continue;
        if (str_eq(runs[i].job, one->job))
            return false;
        all++;
        of_type += str_eq(runs[i].type, one->type);
    }
    return all < limits->at_once && of_type < limit_of(limits, one->type);
}

void dispatch_choose(struct dispatch_run *runs, size_t count, const struct dispatch_limits *limits)
{
    for (size_t i = 0; i < count; i++)
        runs[i].start = runs[i].ready && !runs[i].runs && fits(runs, count, &runs[i], limits);
}

/* ---- starting ---- */

enum { ID, JOB, TYPE, STATE, READY, RESUMES };

static bool start(struct jobs *j, const struct dispatch_run *run, int64_t resumes, struct err *err)
{
    const char *id = arena_cstr(&j->arena, run->id);
    struct err failed;
    log_info("run_starts", "run=%s job=" STR_FMT " resumes=%lld", id, STR_ARG(run->job), (long long)resumes);
    if (starter_start(j->starter, id, &failed))
        return true;
    const char *text[] = { id, failed.text };
    log_error("run_start_failed", "run=%s " LOG_ERR, id, LOG_ERR_ARG(&failed));
    return jobs_do(j, JOBS_FAIL, text, err);
}

static void read_open(struct jobs *j, const PGresult *r, struct dispatch_run *runs)
{
    for (int i = 0; i < PQntuples(r); i++) {
        bool waits = str_eq(pg_get(r, i, STATE), STR("queued"));
        runs[i] = (struct dispatch_run){ .id = pg_get(r, i, ID), .job = pg_get(r, i, JOB), .type = pg_get(r, i, TYPE) };
        runs[i].runs = !waits || starter_has(j->starter, runs[i].id);
        runs[i].ready = waits && pg_get_bool(r, i, READY);
    }
}

bool jobs_dispatch(struct jobs *j, struct err *err)
{
    struct dispatch_limits limits;
    AUTO(pg_result_free) PGresult *r = jobs_run(j, JOBS_OPEN, NULL, err);
    if (!r || !dispatch_limits_parse(j->max_running_types, j->max_running, &limits, err))
        return false;
    size_t count = (size_t)PQntuples(r), running = 0;
    struct dispatch_run *runs = arena_zalloc(&j->arena, (count + 1) * sizeof *runs);
    read_open(j, r, runs);
    dispatch_choose(runs, count, &limits);
    for (size_t i = 0; i < count; i++) {
        running += runs[i].runs || runs[i].start;
        if (runs[i].start && !start(j, &runs[i], pg_get_i64(r, (int)i, RESUMES), err))
            return false;
    }
    tally_open(j->tally, running, count - running);
    return true;
}

/* ---- children that ended ---- */

static const char *host_name(struct jobs *j)
{
    char *host = arena_zalloc(&j->arena, HOST_MAX);
    if (gethostname(host, HOST_MAX - 1) != 0)
        host[0] = '\0';
    return host;
}

/* Its row says how it went. Of one that says nothing: lost, if it had the run; if it never took it, tried again a few times. */
static bool look_after(struct jobs *j, const struct starter_end *end, struct err *err)
{
    const char *lose[] = { end->run, host_name(j), jobs_number(j, end->pid), end->text };
    const char *fail[] = { end->run, end->text };
    if (!jobs_do(j, JOBS_LOSE_ONE, lose, err))
        return false;
    starter_note_failure(j->starter, end->run, true);
    if (starter_failures(j->starter, str_of(end->run)) < STARTER_TRIES)
        return true;
    starter_note_failure(j->starter, end->run, false);
    return jobs_do(j, JOBS_FAIL, fail, err);
}

bool jobs_reap(struct jobs *j, struct err *err)
{
    struct starter_end end;
    while (starter_ended(j->starter, &end)) {
        log_info("run_ended", "run=%s text=\"%s\"", end.run, end.text);
        if (j->pg && !look_after(j, &end, err))
            return false;
    }
    return true;
}

/* The private PostgreSQL ends with this daemon. A coordinator that stayed would find its workers' connections cut one by one; so its run is lost in good
 * order, with what is done kept, and the next leader takes it up. */
void jobs_hand_back(struct jobs *j)
{
    const char *params[] = { host_name(j) };
    struct err err;
    AUTO(pg_result_free) PGresult *r = j->pg ? jobs_run(j, JOBS_HAND_BACK, params, &err) : NULL;
    size_t count = r ? (size_t)PQntuples(r) : 0;
    const char **runs = arena_zalloc(&j->arena, (count + 1) * sizeof *runs);
    pid_t *pids = arena_zalloc(&j->arena, (count + 1) * sizeof *pids);
    for (size_t i = 0; i < count; i++) {
        runs[i] = pg_get(r, (int)i, 0).p;
        pids[i] = (pid_t)pg_get_i64(r, (int)i, 1);
        log_info("run_handed_back", "run=%s pid=%d", runs[i], (int)pids[i]);
    }
    starter_end_all(runs, pids, count, END_PATIENCE_US);
}
