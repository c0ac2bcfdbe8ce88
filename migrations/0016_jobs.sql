-- Jobs that the daemon starts by itself, and what is known of each run of one. No unit's name is in here: lines of a log name experiments, days and
-- counts.

create table jobs (
    id text primary key constraint jobs_id check (id ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    type text not null,                  -- a row of job/types.c
    name text not null,
    params jsonb not null default '{}' constraint jobs_params check (jsonb_typeof(params) = 'object'),
    enabled boolean not null default true,
    engine text not null default 'local' constraint jobs_engine check (engine in ('local', 'spark')),
    workers integer not null default 0 constraint jobs_workers check (workers >= 0),             -- 0: as many as there are cores
    triggers jsonb not null default '[]' constraint jobs_triggers check (jsonb_typeof(triggers) = 'array'),
    concurrency text not null default 'skip' constraint jobs_concurrency check (concurrency in ('skip', 'queue')),
    catch_up text not null default 'once' constraint jobs_catch_up check (catch_up in ('skip', 'once', 'all')),
    max_retries integer not null default 0 constraint jobs_max_retries check (max_retries >= 0),
    retry_after_seconds integer not null default 60 constraint jobs_retry_after check (retry_after_seconds >= 0),
    timeout_seconds integer not null default 0 constraint jobs_timeout check (timeout_seconds >= 0), -- 0: none
    notify jsonb constraint jobs_notify check (jsonb_typeof(notify) = 'object'),
    timezone text not null default 'UTC',
    predefined boolean not null default false,
    version bigint not null default 1,
    scheduled_to timestamptz not null default now(), -- what was due up to here is in runs
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    updated_by text
);

alter table runs
    drop constraint runs_state,
    add constraint runs_state check (state in ('queued', 'running', 'publishing', 'success', 'failed', 'cancelled', 'timeout', 'skipped', 'lost')),
    alter column started_at drop not null, -- null: not yet, or never
    add column job_id text references jobs (id) on delete set null,
    add column trigger text not null default 'shell'
        constraint runs_trigger check (trigger in ('schedule', 'manual', 'job', 'api', 'shell', 'retry')),
    add column trigger_run uuid,           -- after which run it was queued; that one may be gone by now
    add column triggered_by text,          -- who asked for it: the name of a key
    add column due_at timestamptz,         -- of the schedule: for when
    add column queued_at timestamptz not null default now(),
    add column not_before timestamptz,     -- of a retry: it waits until then
    add column attempt integer not null default 1,
    add column timeout_seconds integer not null default 0,
    add column host text,
    add column pid integer,
    add column cancel_requested boolean not null default false,
    add column pass text,                  -- the one that runs
    add column log_lines bigint not null default 0, -- that were said; run_log keeps the first 10000
    add column result jsonb,
    add column app_id text,
    add column ui_url text,
    add column note text,
    add column settled_at timestamptz,     -- when what follows from its end (a retry, jobs after it) was queued
    add column notify_attempts integer not null default 0,
    add column notified_at timestamptz;

alter table run_passes
    add column done integer not null default 0,
    add column started_at timestamptz not null default now();

-- What is due is queued once, whoever leads; likewise what follows from a run.
create unique index runs_due on runs (job_id, due_at) where due_at is not null;
create unique index runs_after on runs (job_id, trigger, trigger_run) where trigger in ('job', 'retry');
create index runs_of_job on runs (job_id, queued_at desc);
create index runs_by_time on runs (queued_at desc, id desc);
create index runs_open on runs (state) where state in ('queued', 'running', 'publishing');
create index runs_unsettled on runs (finished_at) where job_id is not null and settled_at is null;
create index runs_unnotified on runs (finished_at) where job_id is not null and notified_at is null;

create table run_log (
    run uuid not null references runs (id) on delete cascade,
    seq bigint not null,                 -- from 1
    at timestamptz not null,
    source text not null,                -- run: the coordinator and its job; worker N
    line text not null,
    primary key (run, seq)
);

-- Queues a run of a job with what the job says now. Null: there is no such job, or that run was queued before (same due_at, or a follower of the
-- same run). `state` is 'queued', or 'skipped' with a note that says why. Params of null are the job's.
create function queue_run(run uuid, job text, trigger text, due timestamptz default null, after_run uuid default null, attempt integer default 1,
                          asked_by text default null, not_before timestamptz default null, state text default 'queued', note text default null,
                          params jsonb default null) returns uuid language sql as $$
    insert into runs (id, job, params, engine, workers, state, started_at, finished_at, job_id, trigger, trigger_run, triggered_by, due_at, attempt,
                      timeout_seconds, not_before, note)
    select queue_run.run, j.type, coalesce(queue_run.params, j.params), j.engine, j.workers, queue_run.state, null,
           case when queue_run.state = 'skipped' then now() end, j.id, queue_run.trigger, queue_run.after_run, queue_run.asked_by, queue_run.due,
           queue_run.attempt, j.timeout_seconds, queue_run.not_before, queue_run.note
    from jobs j where j.id = queue_run.job
    on conflict do nothing returning id
$$;

-- A coordinator that was killed leaves its row behind; nobody beats for it any more. Raises the epoch, so that one that only slept cannot publish.
create function lose_runs(silent interval) returns setof uuid language sql as $$
    update runs set state = 'lost', epoch = epoch + 1, finished_at = now(), error = 'the coordinator ended without a word'
    where state in ('running', 'publishing') and heartbeat_at < now() - silent returning id
$$;

-- Ends a run: one that is queued at once; one that runs is asked to, and its coordinator sees it at its next beat. The state that it is in now; null:
-- there is none, or it has ended.
create function cancel_run(run uuid, asked_by text default null) returns text language sql as $$
    update runs set cancel_requested = true, note = coalesce('cancelled by ' || asked_by, note),
                    state = case when state = 'queued' then 'cancelled' else state end,
                    finished_at = case when state = 'queued' then now() end
    where id = cancel_run.run and state in ('queued', 'running', 'publishing') returning state
$$;

-- Who waits for a run hears of it: channel runs, "UUID STATE", with " cancel" behind it when it is asked to end.
create function tell_run() returns trigger language plpgsql as $$
begin
    perform pg_notify('runs', new.id || ' ' || new.state || case when new.cancel_requested then ' cancel' else '' end);
    return null;
end
$$;

create trigger runs_told_new after insert on runs for each row execute function tell_run();
create trigger runs_told after update on runs for each row
    when (old.state is distinct from new.state or old.cancel_requested is distinct from new.cancel_requested) execute function tell_run();
