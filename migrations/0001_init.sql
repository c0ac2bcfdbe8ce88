-- The first schema: experiments, keys, signals and exposures, runs, rollups.

-- Every edit of configuration raises `version` in its own transaction; daemons learn of it by NOTIFY config and reload.
create table config_version (
    singleton boolean primary key default true constraint config_version_one_row check (singleton),
    version bigint not null
);
insert into config_version (version) values (1);

create table metrics (
    key text primary key,
    name text not null,
    description text not null,
    kind text not null constraint metrics_kind check (kind in ('proportion', 'mean', 'ratio')),
    direction text not null constraint metrics_direction check (direction in ('increase', 'decrease')),
    display text not null constraint metrics_display check (display in ('share', 'count', 'seconds', 'score'))
);

create table experiments (
    key text primary key constraint experiments_key_format check (key ~ '^[a-z0-9][a-z0-9_.-]{0,99}$'),
    id integer generated always as identity constraint experiments_id_unique unique,
    name text not null,
    hypothesis text not null default '',
    status text not null constraint experiments_status check (status in ('draft', 'running', 'stopped')),
    hash_attribute text not null default 'id',
    hash_version smallint not null default 2 constraint experiments_hash_version check (hash_version in (1, 2)),
    seed text not null,
    coverage double precision not null constraint experiments_coverage check (coverage >= 0 and coverage <= 1),
    -- 'live': this server assigns; 'imported': a log of an experiment that ran elsewhere; 'simulated': made by script/demo
    origin text not null default 'live' constraint experiments_origin check (origin in ('live', 'imported', 'simulated')),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    stopped_at timestamptz
);

create table variants (
    experiment text not null references experiments (key) on delete cascade,
    position smallint not null,          -- 0 is the control
    key text not null,
    name text not null default '',
    weight double precision not null constraint variants_weight check (weight >= 0 and weight <= 1),
    value json not null,                 -- json: served as it was given, key order and numbers kept
    primary key (experiment, position),
    constraint variants_key_unique unique (experiment, key)
);

create table experiment_metrics (
    experiment text not null references experiments (key) on delete cascade,
    metric text not null references metrics (key),
    position smallint not null,
    role text not null constraint experiment_metrics_role check (role in ('primary', 'secondary', 'guardrail')),
    primary key (experiment, metric)
);

-- Who changed what, when, from what to what.
create table revisions (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    actor text not null,                 -- label of the API key
    subject text not null,               -- "experiment:ranker-q4"
    action text not null,
    before jsonb,
    after jsonb
);
create index revisions_subject on revisions (subject, id);

-- A key itself is never stored: `hash` is its BLAKE2b-256.
create table api_keys (
    id uuid primary key,
    label text not null,
    scope text not null constraint api_keys_scope check (scope in ('client', 'analyst', 'admin')),
    hash bytea not null constraint api_keys_hash_unique unique,
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);

-- Partitioned by day of `at`, each day in ranges of buckets, so that a pass over (day, bucket range) reads only its own.
-- Partitions are made by the loader when a day first appears (signals_20260301_0 …). No index on random values: see
-- docs/decisions/0002-partitions-by-bucket-range.md.
create table signals (
    id uuid not null,
    at timestamptz not null,
    received_at timestamptz not null,
    bucket smallint not null,
    type text not null,
    unit text not null,
    session text,
    query_id text,
    query text,
    doc text,
    position integer,
    value double precision,
    params jsonb
) partition by range (at);

-- Ids that clients gave: a repeat is found here, whichever daemon took it.
create table signal_ids (
    id uuid primary key,
    at timestamptz not null
);

create table exposures (
    at timestamptz not null,
    bucket smallint not null,
    experiment text not null,
    variant text not null,
    unit text not null
) partition by range (at);

-- How far each journal has been loaded; written in the transaction of the rows.
create table journal_position (
    journal uuid primary key,
    position bigint not null,
    host text not null,
    updated_at timestamptz not null default now()
);

-- How far each imported file has been loaded (`file` is the hash of its contents and the mapping).
create table import_position (
    file bytea primary key,
    name text not null,
    position bigint not null,
    signals bigint not null,
    exposures bigint not null,
    rejected bigint not null,
    done boolean not null default false,
    updated_at timestamptz not null default now()
);

create table runs (
    id uuid primary key,
    job text not null,
    params jsonb not null,
    engine text not null,
    workers integer not null,
    state text not null constraint runs_state
        check (state in ('running', 'publishing', 'success', 'failed', 'cancelled', 'lost')),
    epoch integer not null default 1,    -- fencing: who holds another epoch may not publish
    started_at timestamptz not null default now(),
    heartbeat_at timestamptz not null default now(),
    finished_at timestamptz,
    progress real not null default 0,
    rows_in bigint not null default 0,
    retries integer not null default 0,
    error text
);

create table run_passes (
    run uuid not null references runs (id) on delete cascade,
    pass smallint not null,
    name text not null,
    splits integer not null,
    attempts integer not null default 0,
    rows_in bigint not null default 0,
    seconds double precision,
    primary key (run, pass)
);

-- Sufficient statistics, cumulative: what had been seen by the end of `day` (UTC) of the units first exposed by then.
-- n units; x is the metric's value or numerator per unit, y its denominator per unit (kind ratio, else null).
-- m2 = sum of squared deviations, cxy = sum of products of deviations.
create table moments (
    experiment text not null references experiments (key) on delete cascade,
    metric text not null references metrics (key),
    variant text not null,
    segment text not null default '',
    day date not null,
    n bigint not null,
    mean_x double precision not null,
    m2_x double precision not null,
    mean_y double precision,
    m2_y double precision,
    cxy double precision,
    primary key (experiment, metric, variant, segment, day)
);

-- What the current moments of an experiment come from.
create table moments_current (
    experiment text primary key references experiments (key) on delete cascade,
    run uuid not null references runs (id),
    as_of timestamptz not null,          -- latest instant of a signal or exposure that was counted
    units bigint not null,
    multiple_exposures bigint not null,  -- units seen in more than one variant: left out of every metric
    published_at timestamptz not null default now()
);

-- Makes the partitions of a day, four ranges of buckets each, unless they are there. Made apart and attached: attaching takes a lock
-- that readers do not wait for. Callers hold the advisory lock so that two of them do not make the same one.
create function ensure_partition(wanted date) returns void language plpgsql as $$
declare
    parent text;
    day_name text;
    part text;
begin
    foreach parent in array array['signals', 'exposures'] loop
        day_name := parent || '_' || to_char(wanted, 'YYYYMMDD');
        continue when to_regclass(day_name) is not null;
        perform pg_advisory_xact_lock(hashtext('experimentd partitions'));
        continue when to_regclass(day_name) is not null;
        execute format('create table %I (like %I including all) partition by range (bucket)', day_name, parent);
        for i in 0..3 loop
            part := day_name || '_' || i;
            execute format('create table %I partition of %I for values from (%s) to (%s)', part, day_name, i * 1024, (i + 1) * 1024);
        end loop;
        execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, day_name,
                       wanted::timestamp at time zone 'UTC', (wanted + 1)::timestamp at time zone 'UTC');
    end loop;
end
$$;

insert into metrics (key, name, description, kind, direction, display) values
    ('ctr', 'Click-through', 'share of units with at least one click after their first exposure', 'proportion', 'increase', 'share'),
    ('clicks_per_unit', 'Clicks per unit', 'clicks of a unit after its first exposure', 'mean', 'increase', 'count'),
    ('clicks_per_query', 'Clicks per query', 'clicks over queries, both after first exposure; variance clustered by unit (delta method)', 'ratio', 'increase', 'count'),
    ('mrr', 'Mean reciprocal rank', '1 / position of the first click within 30 minutes of a query, 0 without one; mean over queries, clustered by unit', 'ratio', 'increase', 'score'),
    ('zero_result_rate', 'Zero-result rate', 'queries without a result over queries whose number of results is known; clustered by unit', 'ratio', 'decrease', 'share'),
    ('time_to_first_click', 'Time to first click', 'seconds from a query to its first click within 30 minutes, mean over queries with a timed click; clustered by unit', 'ratio', 'decrease', 'seconds');
