/* The statements of the jobs' thread. */
#include "experimentd/jobs/parts.h"
#include "experimentd/jobs/run_json.h"
#include "experimentd/loop/step_json.h"

#define INSTANT(parameter) "timestamptz 'epoch' + " parameter "::bigint * interval '1 microsecond'"
/* The run of the job that is under way, if there is one: also one that is lost and will be taken up again. */
#define UNDER_WAY(job)                                                                                           \
    "left join lateral (select o.id from runs o where o.job_id = " job " and (o.state in ('queued', 'running', " \
    "'publishing') or (o.state = 'lost' and o.settled_at is null)) limit 1) b on true "
#define LEFT_OUT(flag, state) "case when " flag "::boolean and b.id is not null then 'skipped' else " state " end"
#define LEFT_OUT_NOTE(flag, note) \
    "case when " flag "::boolean and b.id is not null then 'run ' || b.id || ' is under way' else " note " end"

const struct pg_stmt jobs_statements[JOBS_STMT_COUNT] = {
    [JOBS_LOCK] = { "jobs_lock", 0, "select pg_try_advisory_lock(hashtext('experimentd jobs'))" },
    [JOBS_ALL] = { "jobs_all", 0, "select job_document(j)::text, us(j.scheduled_to) from jobs j order by j.id" },
    [JOBS_SEED] = { "jobs_seed", 1,
                    "insert into jobs select (jsonb_populate_record(null::jobs, $1::jsonb || jsonb_build_object("
                    "'predefined', true, 'version', 1, 'scheduled_to', now(), 'created_at', now(), 'updated_at', "
                    "now()))).* on conflict (id) do nothing" },
    [JOBS_SCHEDULED] = { "jobs_scheduled", 2,
                         "update jobs set scheduled_to = greatest(scheduled_to, " INSTANT("$2") ") where id = $1" },
    [JOBS_QUEUE_DUE] = { "jobs_queue_due", 6,
                         "select queue_run($1::uuid, j.id, 'schedule', due => " INSTANT("$3") ", state => " LEFT_OUT(
                             "$6",
                             "$4") ", note => " LEFT_OUT_NOTE("$6",
                                                              "$5") ") from jobs j " UNDER_WAY("j.id") "where j.id = "
                                                                                                       "$2" },
    [JOBS_QUEUE_NEXT] = { "jobs_queue_next", 4,
                          "select queue_run($1::uuid, j.id, 'job', after_run => $3::uuid, state => " LEFT_OUT(
                              "$4",
                              "'queued'") ", note => " LEFT_OUT_NOTE("$4",
                                                                     "null") ") from jobs j " UNDER_WAY("j.id") "where "
                                                                                                                "j.id "
                                                                                                                "= "
                                                                                                                "$2" },
    [JOBS_QUEUE_RETRY] = { "jobs_queue_retry", 3,
                           "select queue_run($1::uuid, r.job_id, 'retry', after_run => r.id, attempt => r.attempt + 1, "
                           "not_before => now() + make_interval(secs => $3::float8), params => r.params) from runs r "
                           "where r.id = $2::uuid" },
    [JOBS_LOSE] = { "jobs_lose", 1, "select lose_runs(make_interval(secs => $1::float8))" },
    [JOBS_LOSE_ONE] = { "jobs_lose_one", 4,
                        "update runs set state = 'lost', epoch = epoch + 1, finished_at = now(), error = $4 where id = "
                        "$1::uuid and state in ('running', 'publishing') and host = $2 and pid = $3::int" },
    [JOBS_GIVE_UP] = { "jobs_give_up", 0,
                       "update runs set state = 'cancelled', error = null where state = 'lost' and cancel_requested "
                       "and settled_at is null and job_id is not null" },
    [JOBS_ENDED] = { "jobs_ended", 1,
                     "select id, job_id, job, state, attempt, coalesce(extract(epoch from finished_at - started_at), "
                     "0)::float8, us(finished_at), started_at is not null from runs where job_id is not null and "
                     "settled_at is null and state "
                     "not in ('queued', 'running', 'publishing') and (state <> 'lost' or resumes >= $1::int) order by "
                     "finished_at, id limit 100" },
    [JOBS_SETTLE] = { "jobs_settle", 2,
                      "update runs set settled_at = now(), notified_at = case when $2::boolean then null else now() "
                      "end "
                      "where id = $1::uuid and settled_at is null returning id" },
    [JOBS_OPEN] = { "jobs_open", 0,
                    "select id, job_id, job, state, coalesce(not_before, '-infinity') <= now(), resumes from runs "
                    "where "
                    "job_id is not null and state in ('queued', 'running', 'publishing') order by queued_at, id" },
    [JOBS_RESUME] = { "jobs_resume", 1,
                      "update runs set state = 'queued', finished_at = null, resumes = resumes + 1 where state = "
                      "'lost' "
                      "and settled_at is null and job_id is not null and resumes < $1::int returning id" },
    [JOBS_FAIL] = { "jobs_fail", 2,
                    "update runs set state = 'failed', finished_at = now(), error = $2 where id = $1::uuid and state = "
                    "'queued'" },
    /* A run of a shell is its owner's to end: its coordinator waits for PostgreSQL. */
    [JOBS_HAND_BACK] = { "jobs_hand_back", 1,
                         "update runs set state = 'queued', epoch = epoch + 1, error = 'the daemon that runs "
                         "PostgreSQL was stopped' where state in "
                         "('running', 'publishing') and host = $1 and job_id is not null returning id, pid" },
    [JOBS_UNTOLD] = { "jobs_untold", 0,
                      "select " RUN_COLUMNS ", j.name, j.notify->>'url' from runs r join jobs j on j.id = r.job_id "
                      "where r.settled_at is not null and r.notified_at is null and r.notify_attempts < 8 and j.notify "
                      "is not null order by r.finished_at, r.id limit 50" },
    [JOBS_TOLD] = { "jobs_told", 3,
                    "update runs set notified_at = case when $2::boolean then now() end, notify_attempts = $3::int "
                    "where "
                    "id = $1::uuid" },
    [JOBS_STEPS_UNTOLD] = { "jobs_steps_untold", 0,
                            "select " STEP_COLUMNS ", s.url from model_loop_steps s where s.url is not null and "
                            "s.told_at is null and s.tell_attempts < 8 order by s.id limit 50" },
    [JOBS_STEP_TOLD] = { "jobs_step_told", 3,
                         "update model_loop_steps set told_at = case when $2::boolean then now() end, tell_attempts = "
                         "$3::int where id = $1::bigint" },
    [JOBS_SUCCESSES] = { "jobs_successes", 0,
                         "select job_id, job, us(max(finished_at)) from runs where state = 'success' and job_id is not "
                         "null group by job_id, job" },
};
