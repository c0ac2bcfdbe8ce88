-- Texts with what they are: what classifiers learn from (docs/query-intent.md). People bring them, or a job makes them of searches and clicks.
create table labelled_sets (
    name text collate "C" primary key
        constraint labelled_sets_name check (name ~ '^[a-z0-9][a-z0-9_.-]{0,63}$'),
    version bigint not null default 1,   -- raised by every edit that changed something
    run uuid,                            -- the run that wrote it last
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    updated_by text not null
);

create table labelled_texts (
    set_name text collate "C" not null references labelled_sets on delete cascade,
    text text collate "C" not null
        constraint labelled_texts_text check (octet_length(text) between 1 and 2000),
    label text collate "C" not null
        constraint labelled_texts_label check (octet_length(label) between 1 and 200),
    weight real not null default 1
        constraint labelled_texts_weight check (weight > 0 and weight <= 1e9),
    source text collate "C" not null
        constraint labelled_texts_source check (source in ('job', 'manual')),
    run uuid,                            -- of source job
    primary key (set_name, text, label)
);
create index labelled_texts_by_label on labelled_texts (set_name, label, text);

-- What a revision keeps of a set: not its texts.
create function labelled_set_document(s labelled_sets) returns jsonb language sql stable as $$
    select jsonb_build_object('name', s.name, 'version', s.version, 'texts', count(*), 'labels', count(distinct t.label))
    from labelled_texts t where t.set_name = s.name
$$;

-- The set, made where it is not there, and locked: edits come one after the other. Null: `expected`, the version that was read (0: none; null: any),
-- is not the one that it has.
create function labelled_set_open(wanted text, expected bigint, actor text, out made boolean, out before jsonb) language plpgsql as $$
declare
    was labelled_sets%rowtype;
begin
    perform pg_advisory_xact_lock(hashtext('experimentd labelled texts'));
    select * into was from labelled_sets s where s.name = wanted;
    made := not found;
    if expected is not null and expected <> coalesce(was.version, 0) then
        made := null;
    elsif made then
        insert into labelled_sets (name, version, updated_by) values (wanted, 0, actor);
    else
        before := labelled_set_document(was);
    end if;
end
$$;

-- Behind an edit: another version, and who did what.
create function labelled_set_end(wanted text, made boolean, before jsonb, of_run uuid, actor text) returns bigint language plpgsql as $$
declare
    now_ labelled_sets%rowtype;
begin
    update labelled_sets s set version = s.version + 1, updated_at = now(), updated_by = labelled_set_end.actor, run = coalesce(of_run, s.run)
    where s.name = wanted returning * into now_;
    insert into revisions (actor, subject, action, before, after)
    values (labelled_set_end.actor, 'labelled-texts:' || wanted, case when made then 'create' else 'change' end, labelled_set_end.before,
            labelled_set_document(now_));
    return now_.version;
end
$$;

-- rows: [{"text", "label", "weight"} …]; of a text and label that come twice the later weight counts. What is given becomes source manual, and
-- takes the place of what jobs said of the same texts. all_: what is not given goes. Answers with {"version", "created", "added", "changed", "unchanged", "deleted"} or {"refused": "version", "version"}.
create function labelled_texts_put(wanted text, rows jsonb, all_ boolean, expected bigint, actor text) returns jsonb language plpgsql as $$
declare
    o record;
    c record;
begin
    select * into o from labelled_set_open(wanted, expected, actor);
    if o.made is null then
        return jsonb_build_object('refused', 'version', 'version', (select coalesce(max(s.version), 0) from labelled_sets s where s.name = wanted));
    end if;
    with given as (
        select distinct on (g.value ->> 'text', g.value ->> 'label') g.value ->> 'text' as text, g.value ->> 'label' as label, (g.value ->> 'weight')::real as weight
        from jsonb_array_elements(labelled_texts_put.rows) with ordinality g order by 1, 2, g.ordinality desc),
    joined as (
        select g.*, t.text is not null as there, t.weight is not distinct from g.weight and t.source = 'manual' as same
        from given g left join labelled_texts t on t.set_name = wanted and t.text = g.text and t.label = g.label),
    written as (
        insert into labelled_texts (set_name, text, label, weight, source)
        select wanted, j.text, j.label, j.weight, 'manual' from joined j where not (j.there and j.same)
        on conflict (set_name, text, label) do update set weight = excluded.weight, source = 'manual', run = null
        returning 1),
    gone as (
        delete from labelled_texts t where t.set_name = wanted and -- "in" is a hash table; "exists" may be planned as a nested loop
            (all_ or t.source = 'job' and t.text in (select g.text from given g)) and
            (t.text, t.label) not in (select g.text, g.label from given g)
        returning 1)
    select count(*) filter (where not there) as added, count(*) filter (where there and not same) as changed,
        count(*) filter (where there and same) as unchanged, (select count(*) from gone) as deleted, (select count(*) from written) as written
    into c from joined;
    return jsonb_build_object('version', case when o.made or c.written > 0 or c.deleted > 0
            then labelled_set_end(wanted, o.made, o.before, null, actor)
            else (select s.version from labelled_sets s where s.name = wanted) end,
        'created', o.made, 'added', c.added, 'changed', c.changed, 'unchanged', c.unchanged, 'deleted', c.deleted);
end
$$;

-- Of a run, in the transaction that publishes it: labelled_set_open(), what runs made before goes (source job), this as often as there are rows left
-- (as above), labelled_set_end(). A text that people labelled keeps their labels alone. How many rows were put in.
create function labelled_texts_add(wanted text, rows jsonb, of_run uuid) returns bigint language plpgsql as $$
declare
    added bigint;
begin
    insert into labelled_texts (set_name, text, label, weight, source, run)
    select wanted, g.value ->> 'text', g.value ->> 'label', (g.value ->> 'weight')::real, 'job', of_run
    from jsonb_array_elements(labelled_texts_add.rows) g
    where not exists (select from labelled_texts t where t.set_name = wanted and t.text = g.value ->> 'text' and t.source = 'manual');
    get diagnostics added = row_count;
    return added;
end
$$;

-- One text: with `with_label` null under all its labels. Answers with {"version", "deleted"} or {"refused": "missing"}.
create function labelled_text_delete(wanted text, of_text text, with_label text, actor text) returns jsonb language plpgsql as $$
declare
    was labelled_sets%rowtype;
    before_ jsonb;
    gone bigint;
begin
    perform pg_advisory_xact_lock(hashtext('experimentd labelled texts'));
    select * into was from labelled_sets s where s.name = wanted;
    before_ := labelled_set_document(was);
    delete from labelled_texts t where t.set_name = wanted and t.text = of_text and (with_label is null or t.label = with_label);
    get diagnostics gone = row_count;
    if gone = 0 then
        return jsonb_build_object('refused', 'missing');
    end if;
    return jsonb_build_object('version', labelled_set_end(wanted, false, before_, null, actor), 'deleted', gone);
end
$$;

-- Answers with {} or {"refused": "missing|version|used", "version", "detail"}: one that a job names stays.
create function labelled_set_delete(wanted text, expected bigint, actor text) returns jsonb language plpgsql as $$
declare
    was labelled_sets%rowtype;
    user_ text;
begin
    perform pg_advisory_xact_lock(hashtext('experimentd labelled texts'));
    select * into was from labelled_sets s where s.name = wanted;
    if not found then
        return jsonb_build_object('refused', 'missing');
    elsif expected is not null and expected <> was.version then
        return jsonb_build_object('refused', 'version', 'version', was.version);
    end if;
    select j.id into user_ from jobs j where j.type in ('training-data', 'query-intent') and j.params->>'texts' = wanted order by 1 limit 1;
    if found then
        return jsonb_build_object('refused', 'used', 'detail', user_);
    end if;
    insert into revisions (actor, subject, action, before, after)
    values (labelled_set_delete.actor, 'labelled-texts:' || wanted, 'delete', labelled_set_document(was), null);
    delete from labelled_sets s where s.name = wanted;
    return '{}';
end
$$;
