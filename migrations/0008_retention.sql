-- Old days leave PostgreSQL for archive files: see docs/decisions/0015-archive-files.md.

-- The folder of the files holds a file "id" with this, so that nobody sweeps the files of another database.
create table archive_store (
    singleton boolean primary key default true constraint archive_store_one_row check (singleton),
    id uuid not null default gen_random_uuid()
);
insert into archive_store default values;

-- The files that count. A day and range may have several: what arrives late for a sealed day is sealed again.
create sequence archives_number;
create table archives (
    path text primary key,               -- below the folder of the archive; its number is never given twice
    of_table text not null constraint archives_of_table check (of_table in ('signals', 'exposures')),
    day date not null,
    bucket_lo integer not null,
    bucket_hi integer not null,          -- inclusive
    rows bigint not null,
    bytes bigint not null,
    checksum bigint not null,            -- CRC-32C of the file
    sealed_at timestamptz not null default now()
);
create index archives_day on archives (of_table, day);

-- Experiments that have exposures in files: the tables alone no longer say which have any.
create table archived_exposures (
    experiment text primary key
);

-- The partitions of a day with their ranges of buckets.
create function day_parts(wanted date) returns table (of_table text, part text, bucket_lo integer, bucket_hi integer) language sql stable as $$
    select d.of_table, c.relname::text, b.bounds[1]::integer, b.bounds[2]::integer - 1
    from (values ('signals'), ('exposures')) d(of_table)
    join pg_inherits i on i.inhparent = to_regclass(d.of_table || '_' || to_char(wanted, 'YYYYMMDD'))
    join pg_class c on c.oid = i.inhrelid
    cross join lateral regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''?(\d+)''?\) TO \(''?(\d+)''?\)') b(bounds)
    order by d.of_table desc, 3
$$;

-- The last step of sealing a day: its partitions go, its files count, both or neither. Each of `files` names a partition, its rows, and the
-- file that holds them (no path: it had none). Answers 'sealed'; or changes nothing: 'changed', rows have come since the files were written;
-- 'busy', somebody uses the tables for longer than all others should have to wait behind this. The tables are locked from above, as loaders
-- and readers lock them, so that nobody waits crosswise.
create function archive_seal(wanted date, files jsonb) returns text language plpgsql as $$
declare
    f jsonb;
    n bigint;
    t text;
begin
    begin
        perform set_config('lock_timeout', '3s', true);
        lock table only signals, only exposures in access exclusive mode;
    exception when lock_not_available then
        return 'busy';
    end;
    if (select count(*) from day_parts(wanted)) <> jsonb_array_length(files) then
        return 'changed';
    end if;
    for f in select * from jsonb_array_elements(files) loop
        execute format('select count(*) from %I', f->>'part') into n;
        if n <> (f->>'rows')::bigint then
            return 'changed';
        end if;
        if f->>'of_table' = 'exposures' then
            execute format('insert into archived_exposures select distinct experiment from %I on conflict do nothing', f->>'part');
        end if;
    end loop;
    insert into archives (path, of_table, day, bucket_lo, bucket_hi, rows, bytes, checksum)
    select x->>'path', x->>'of_table', wanted, (x->>'bucket_lo')::integer, (x->>'bucket_hi')::integer, (x->>'rows')::bigint,
           (x->>'bytes')::bigint, (x->>'checksum')::bigint
    from jsonb_array_elements(files) x where x->>'path' is not null;
    for t in select distinct x->>'of_table' from jsonb_array_elements(files) x loop
        execute format('drop table %I', t || '_' || to_char(wanted, 'YYYYMMDD'));
    end loop;
    return 'sealed';
end
$$;

-- Deletion of units on request: a task that is taken up again wherever it stood, and its receipt.
create table unit_deletions (
    id uuid primary key,
    unit text,                           -- null once it is done: the receipt does not name whom it was about
    bucket smallint,
    state text not null default 'waiting' constraint unit_deletions_state check (state in ('waiting', 'unlinking', 'done')),
    requested_by text not null,          -- label of the API key
    requested_at timestamptz not null default now(),
    deleted_at timestamptz,              -- rows are gone from tables, and from the files that count
    finished_at timestamptz,             -- the old files are gone, too
    removed jsonb not null default '{}', -- rows, by place
    error text                           -- why the last try failed
);
create index unit_deletions_open on unit_deletions (requested_at) where state <> 'done';

-- Up to where each journal has to be loaded before a unit's rows are all in the tables: what had been acknowledged by then is deleted.
create table unit_deletion_journals (
    deletion uuid not null references unit_deletions (id) on delete cascade,
    journal uuid not null,
    position bigint not null,
    primary key (deletion, journal)
);

-- Whatever the tables hold of a unit; how many rows, by table. A table that a later migration adds with units in it belongs in here.
create function erase_unit(wanted text, wanted_bucket smallint) returns jsonb language plpgsql as $$
declare
    signals bigint;
    exposures bigint;
    identities bigint;
    sticky bigint;
    marks bigint;
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
    update revisions r set subject = 'mark:', before = null, after = null where r.subject = 'mark:' || wanted;  -- that it was, not whom
    return jsonb_build_object('signals', signals, 'exposures', exposures, 'identities', identities, 'sticky_assignments', sticky,
                              'marks', marks);
end
$$;
