-- Units that were deleted, so that models which were trained before do not know them any more: docs/serving.md.

-- A hash says nothing of a unit that one does not have; it goes when no artifact is as old.
create table erased_units (
    hash bigint primary key,             -- hash64 of the unit (base/hash.h)
    erased_at timestamptz not null default clock_timestamp()
);

-- In the transaction that deletes the unit's rows. Daemons that serve models hear of it.
create function erased_unit_add(of_hash bigint) returns void language plpgsql as $$
begin
    insert into erased_units (hash) values (of_hash) on conflict (hash) do update set erased_at = excluded.erased_at;
    perform pg_notify('experimentd_models', '');
end
$$;

-- A run that began before a deletion may publish up to a day behind it.
create function erased_units_sweep() returns bigint language plpgsql as $$
declare
    swept bigint;
begin
    delete from erased_units e where e.erased_at < now() - interval '1 day' and
        not exists (select from artifacts a where a.created_at < e.erased_at + interval '1 day');
    get diagnostics swept = row_count;
    return swept;
end
$$;
