-- What was known of a unit when it was exposed: the values of the declared dimensions (setting exposure.dimensions), {"device":"phone"}. Null:
-- none, and of exposures from before.
alter table exposures add column dims jsonb;

-- Which days changed, so that a run of the job "metrics" reads no day again that is as it was: see docs/decisions/0024-refresh.md. `changes`
-- counts the transactions that changed rows of a day in a range of buckets. `head` is the first hour of the day: the day before depends on it,
-- too, by what is clicked behind midnight. Each loader has rows of its own, so that none waits for another; what tells is the sum.
create table day_changes (
    day date not null,
    part smallint not null,              -- bucket / 1024, as the partitions
    head boolean not null,
    writer uuid not null,                -- the loader's journal; zeros: all others
    changes bigint not null,
    primary key (day, part, head, writer)
) with (fillfactor = 50);

-- Changes of which nobody knows the days: whoever puts rows in without note_loaded_days, and truncate.
create table unknown_changes (
    singleton boolean primary key default true constraint unknown_changes_one_row check (singleton),
    changes bigint not null
);
insert into unknown_changes (changes) values (0);

-- Of a loader, in the transaction of its rows and before them: the days, parts and heads that they are of.
create function note_loaded_days(days date[], parts smallint[], heads boolean[], by_writer uuid) returns void language sql as $$
    select set_config('experimentd.days_noted', 'on', true);
    insert into day_changes (day, part, head, writer, changes)
    select d, p, h, by_writer, 1 from unnest(days, parts, heads) as u(d, p, h) order by 1, 2, 3
    on conflict (day, part, head, writer) do update set changes = day_changes.changes + 1
$$;

-- Everything else is noted by itself: deletions of units, of repeats, of what is too old, texts that are filled in, and an operator's hand.
create function note_changed_rows() returns trigger language plpgsql as $$
begin
    insert into day_changes (day, part, head, writer, changes)
    select (at at time zone 'UTC')::date, bucket / 1024, (at at time zone 'UTC')::time < '01:00',
           '00000000-0000-0000-0000-000000000000'::uuid, 1
    from changed group by 1, 2, 3 order by 1, 2, 3
    on conflict (day, part, head, writer) do update set changes = day_changes.changes + 1;
    return null;
end
$$;
create function note_unknown_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'TRUNCATE' or current_setting('experimentd.days_noted', true) is distinct from 'on' then
        update unknown_changes set changes = changes + 1;
    end if;
    return null;
end
$$;

create trigger signals_deleted after delete on signals referencing old table as changed
    for each statement execute function note_changed_rows();
create trigger signals_updated_from after update on signals referencing old table as changed
    for each statement execute function note_changed_rows();
create trigger signals_updated_to after update on signals referencing new table as changed
    for each statement execute function note_changed_rows();
create trigger signals_unknown after insert or truncate on signals for each statement execute function note_unknown_change();
create trigger exposures_deleted after delete on exposures referencing old table as changed
    for each statement execute function note_changed_rows();
create trigger exposures_updated_from after update on exposures referencing old table as changed
    for each statement execute function note_changed_rows();
create trigger exposures_updated_to after update on exposures referencing new table as changed
    for each statement execute function note_changed_rows();
create trigger exposures_unknown after insert or truncate on exposures for each statement execute function note_unknown_change();
