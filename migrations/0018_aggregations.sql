-- What aggregation jobs make of signals: docs/aggregations.md. Rows of units that are deleted go at once (erase_unit, below).

-- Of `trainer run preferences`: which documents a unit likes, best first.
create table user_item_prefs (
    bucket smallint not null,
    unit text collate "C" not null,
    doc text collate "C" not null,
    rank integer not null,               -- 1: its best
    weight double precision not null,    -- as of the end of the day `as_of` of the run
    signals bigint not null,             -- of all types that have a weight
    last_at timestamptz not null,
    counts jsonb not null,               -- {"click": 3, "cart": 1}
    primary key (unit, doc)
);

-- Of `trainer run history`: what a unit asked, last first.
create table user_query_history (
    bucket smallint not null,
    unit text collate "C" not null,
    query text collate "C" not null,                -- lower case, white space collapsed
    rank integer not null,               -- 1: its last
    weight double precision not null,
    signals bigint not null,
    last_at timestamptz not null,
    counts jsonb not null,
    queries bigint not null,
    clicks bigint not null,
    docs jsonb not null,                 -- [{"doc": "p-1", "at": "…"}]: the last documents that it chose with this query
    primary key (unit, query)
);

-- Of what the rows of `sessions` were computed, by day and range of buckets: a run computes those anew of which it changed. And which units
-- were left out, being marked: a mark that is taken back makes its range be computed anew.
create table session_days (
    day date not null,
    bucket_lo integer not null,
    bucket_hi integer not null,          -- inclusive
    seen text not null,                  -- trainer/rollup/kept_days.h
    primary key (day, bucket_lo)
);
create table session_marks (
    unit text primary key,
    bucket smallint not null
);

-- How far each of the tables of units is: readers see the rows of one run.
create table unit_tables_current (
    of_table text primary key constraint unit_tables_current_table check (of_table in ('user_item_prefs', 'user_query_history')),
    run uuid not null,
    as_of date not null,                 -- UTC: signals up to the end of this day, weights as of then
    params jsonb not null,               -- what the kernels were told
    rows bigint not null,
    published_at timestamptz not null default now()
);

-- Tables that `trainer run sql` makes. Each is one of this schema; what is here of them says who made it.
create schema aggregations;
create table aggregation_tables (
    name text primary key,               -- of the table in schema aggregations
    of_units boolean not null,           -- it has a column "unit"
    params jsonb not null,               -- of the run that made it as it is
    run uuid not null,
    rows bigint not null,
    from_day date,                       -- of what its rows were made; null: there were no signals
    to_day date,
    published_at timestamptz not null default now()
);

-- Staging tables are made like tables of any schema; the pass' number tells those of one run apart, so a long name may be cut.
create or replace function staging_name(target text, run uuid, pass integer) returns text language sql immutable as $$
    select left(target, 25) || '_' || replace(run::text, '-', '') || '_' || pass
$$;

create or replace function staging_open(target text, of_run uuid, of_epoch integer, of_pass integer, keys bytea[]) returns text language plpgsql as $$
declare
    name constant text := staging_name(target, of_run, of_pass);
    qualified constant text := format('staging.%I', name);
begin
    perform 1 from runs where id = of_run and epoch = of_epoch and state = 'running' for update;
    if not found then
        return null;
    end if;
    if to_regclass(qualified) is not null and not exists (
        select from run_splits where run = of_run and pass = of_pass and key is distinct from keys[split + 1])
    then
        return qualified;
    end if;
    execute format('drop table if exists %s', qualified);
    delete from run_splits where run = of_run and pass = of_pass;
    execute format('create table %s (like %s including defaults including generated)', qualified, target::regclass);
    return qualified;
end
$$;

create function erase_aggregated(wanted text) returns bigint language plpgsql as $$
declare
    t text;
    n bigint;
    erased bigint := 0;
begin
    for t in select a.name from aggregation_tables a where a.of_units and to_regclass(format('aggregations.%I', a.name)) is not null order by 1 loop
        execute format('delete from aggregations.%I where unit = $1', t) using wanted;
        get diagnostics n = row_count;
        erased := erased + n;
    end loop;
    return erased;
end
$$;

create or replace function erase_unit(wanted text, wanted_bucket smallint) returns jsonb language plpgsql as $$
declare
    signals bigint;
    exposures bigint;
    identities bigint;
    sticky bigint;
    marks bigint;
    sessions bigint;
    preferences bigint;
    history bigint;
begin
    delete from signals s where s.bucket = wanted_bucket and s.unit = wanted;
    get diagnostics signals = row_count;
    delete from exposures e where e.bucket = wanted_bucket and e.unit = wanted;
    get diagnostics exposures = row_count;
    delete from identities i where i.unit = wanted or i.user_id = wanted;
    get diagnostics identities = row_count;
    delete from sticky_assignments a where a.value = wanted;
    get diagnostics sticky = row_count;
    delete from marked_units m where m.unit = wanted;
    get diagnostics marks = row_count;
    delete from sessions s where s.bucket = wanted_bucket and s.unit = wanted;
    get diagnostics sessions = row_count;
    delete from session_marks s where s.unit = wanted;
    delete from user_item_prefs p where p.unit = wanted;
    get diagnostics preferences = row_count;
    delete from user_query_history h where h.unit = wanted;
    get diagnostics history = row_count;
    update revisions r set subject = 'mark:', before = null, after = null where r.subject = 'mark:' || wanted;  -- that it was, not whom
    return jsonb_build_object('signals', signals, 'exposures', exposures, 'identities', identities, 'sticky_assignments', sticky,
                              'marks', marks, 'sessions', sessions, 'preferences', preferences, 'history', history,
                              'aggregations', erase_aggregated(wanted));
end
$$;
