-- Repeats are found in memory, by the ids of the last signals, which every loader tells the others with each of its batches.
-- See docs/decisions/0009-repeats.md.

create table load_batches (
    seq bigint generated always as identity primary key,  -- in the order of their commits
    count integer not null,
    ids bytea not null,                  -- of the signals that have an id of their client: 16 bytes each
    at timestamptz not null default now()
);
alter table load_batches alter column ids set storage external;  -- ids do not compress

insert into load_batches (count, ids)
select count(*), string_agg(uuid_send(id), ''::bytea)
from (select id from signal_ids order by at desc limit 3000000) recent
having count(*) > 0;

drop table signal_ids;

-- The last word on repeats that came too late for the loaders: of each id of the day, the signal that came first stays.
create function drop_repeats_of_day(wanted date) returns bigint language plpgsql as $$
declare
    dropped bigint;
begin
    delete from signals s using (
        select tableoid as part, ctid as place, row_number() over (partition by id order by received_at, tableoid, ctid) as nth
        from signals
        where at >= wanted::timestamp at time zone 'UTC' and at < (wanted + 1)::timestamp at time zone 'UTC'
    ) r
    where s.tableoid = r.part and s.ctid = r.place and r.nth > 1
      and s.at >= wanted::timestamp at time zone 'UTC' and s.at < (wanted + 1)::timestamp at time zone 'UTC';
    get diagnostics dropped = row_count;
    return dropped;
end
$$;
