-- The catalogue: what is known of the documents that signals name (docs/catalogue.md). Fields are the shop's own; jobs read those that they are told.
create table items (
    doc text collate "C" primary key,    -- the id that signals call it by
    fields jsonb not null constraint items_fields_are_an_object check (jsonb_typeof(fields) = 'object'),
    updated_at timestamptz not null default now()
);

-- Edits come in bulk and go into no audit trail; they are counted.
create table items_state (
    singleton boolean primary key default true constraint items_state_one_row check (singleton),
    version bigint not null default 0,   -- raised by every edit that changed something
    documents bigint not null default 0,
    upserted bigint not null default 0,  -- ever: documents that were new or changed
    deleted bigint not null default 0,
    changed_at timestamptz
);
insert into items_state default values;

create aggregate items_merge(jsonb) (sfunc = jsonb_concat, stype = jsonb, initcond = '{}');

-- documents: [{"id", "fields"} …]; of an id that comes twice the later one counts. merge: fields that are given take the place of those that were
-- there, a null takes one away, others stay. What is as it was is not written. Edits come one after the other, so that what one counts and merges is
-- what the one before has left.
create function items_put(documents jsonb, merge boolean, out created bigint, out changed bigint, out unchanged bigint) language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtext('experimentd items'));
    with given as (
        select d.value ->> 'id' as doc, case when merge then items_merge(d.value -> 'fields' order by d.ordinality)
            else (array_agg(d.value -> 'fields' order by d.ordinality desc))[1] end as fields
        from jsonb_array_elements(items_put.documents) with ordinality d group by 1),
    made as (
        select g.doc, i.fields as was, case when not merge then g.fields else (
            select coalesce(jsonb_object_agg(e.key, e.value), '{}') from jsonb_each(coalesce(i.fields, '{}') || g.fields) e
            where e.value <> 'null') end as fields
        from given g left join items i using (doc)),
    written as (
        insert into items as i (doc, fields) select m.doc, m.fields from made m where m.fields is distinct from m.was
        on conflict (doc) do update set fields = excluded.fields, updated_at = now()
        returning i.doc)
    select count(w.doc) filter (where m.was is null), count(w.doc) filter (where m.was is not null), count(*) - count(w.doc)
    into created, changed, unchanged from made m left join written w using (doc);
    if created + changed > 0 then
        update items_state s set version = version + 1, documents = s.documents + items_put.created,
            upserted = upserted + items_put.created + items_put.changed, changed_at = now();
    end if;
end $$;

-- ids: ["a", "b" …]
create function items_delete(ids jsonb, out gone bigint, out unknown bigint) language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtext('experimentd items'));
    with given as (select distinct e.value as doc from jsonb_array_elements_text(ids) e),
    removed as (delete from items i using given g where i.doc = g.doc returning i.doc)
    select (select count(*) from removed), (select count(*) from given) into gone, unknown;
    unknown := unknown - gone;
    if gone > 0 then
        update items_state s set version = version + 1, documents = s.documents - gone, deleted = deleted + gone, changed_at = now();
    end if;
end $$;
