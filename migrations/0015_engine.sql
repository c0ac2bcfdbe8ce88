-- Passes that publish: each split's rows go to a staging table of the run, exactly once, and from there to their table when the run is published
-- (docs/decisions/0026-engine.md).

create schema staging;

-- Which splits' rows are in the staging table. Written in the transaction that copies them.
create table run_splits (
    run uuid not null references runs (id) on delete cascade,
    pass smallint not null,
    split integer not null,
    attempt integer not null,
    key bytea not null,                  -- what the rows were made of (trainer/engine/store.h)
    rows bigint not null,
    checksum bytea not null,             -- BLAKE2b of the rows
    committed_at timestamptz not null default now(),
    primary key (run, pass, split)
);

create function staging_name(target text, run uuid, pass integer) returns text language sql immutable as $$
    select target || '_' || replace(run::text, '-', '') || '_' || pass
$$;

-- The staging table of a pass, made like its target. One that is there is used further if all that is in it was made of what would be made now
-- (keys[split + 1]); else it is made anew. Null: the run has another coordinator, or was ended.
create function staging_open(target text, of_run uuid, of_epoch integer, of_pass integer, keys bytea[]) returns text language plpgsql as $$
declare
    name constant text := staging_name(target, of_run, of_pass);
    qualified constant text := format('staging.%I', name);
begin
    perform 1 from runs where id = of_run and epoch = of_epoch and state = 'running' for update;
    if not found then
        return null;
    end if;
    if length(name) > 63 then
        raise exception 'table "%": its name is too long for a staging table', target using errcode = '22023';
    end if;
    if to_regclass(qualified) is not null and not exists (
        select from run_splits where run = of_run and pass = of_pass and key is distinct from keys[split + 1])
    then
        return qualified;
    end if;
    execute format('drop table if exists %s', qualified);
    delete from run_splits where run = of_run and pass = of_pass;
    execute format('create table %s (like %I including defaults including generated)', qualified, target);
    return qualified;
end
$$;

-- Moves a pass' rows to their table and drops the staging table: for the transaction that publishes. How many there were.
create function staging_take(target text, columns text, of_run uuid, of_pass integer) returns bigint language plpgsql as $$
declare
    name constant text := staging_name(target, of_run, of_pass);
    list constant text := (select string_agg(quote_ident(btrim(c)), ', ' order by n) from unnest(string_to_array(columns, ',')) with ordinality as t (c, n));
    moved bigint;
begin
    execute format('insert into %I (%s) select %s from staging.%I', target, list, list, name);
    get diagnostics moved = row_count;
    execute format('drop table staging.%I', name);
    delete from run_splits where run = of_run and pass = of_pass;
    return moved;
end
$$;

-- Drops staging tables of runs that are over, or were lost for longer than `lost_for` (nobody takes them over any more). How many.
create function staging_sweep(lost_for interval default '7 days') returns integer language plpgsql as $$
declare
    t text;
    dropped integer := 0;
begin
    for t in
        select s.tablename from pg_tables s
        left join runs r on r.id = substring(s.tablename from '_([0-9a-f]{32})_[0-9]+$')::uuid
        where s.schemaname = 'staging' and s.tablename ~ '_[0-9a-f]{32}_[0-9]+$' and
              (r.id is null or r.state not in ('queued', 'running', 'publishing', 'lost') or
               (r.state = 'lost' and r.finished_at < now() - lost_for))
        order by 1
    loop
        execute format('drop table staging.%I', t);
        dropped := dropped + 1;
    end loop;
    delete from run_splits s using runs r where r.id = s.run and
        (r.state not in ('queued', 'running', 'publishing', 'lost') or (r.state = 'lost' and r.finished_at < now() - lost_for));
    return dropped;
end
$$;

-- What the job "golden" publishes: how often each made-up document was clicked, by the run that was last.
create table golden_docs (
    doc text primary key,
    clicks bigint not null,
    weight double precision not null
);
