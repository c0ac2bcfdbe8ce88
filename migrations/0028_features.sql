-- What documents are described by when they are ranked for a query (docs/learning-to-rank.md): sets of features, and their values by query and document.
create table feature_sets (
    name text collate "C" primary key
        constraint feature_sets_name check (name ~ '^[a-z0-9][a-z0-9_.-]{0,63}$'),
    description text not null default '',
    spec jsonb not null                  -- {"features": [{"name", "source", "default", "monotone", "solr", "elasticsearch", "vespa"}]}
        constraint feature_sets_spec check (jsonb_typeof(spec -> 'features') = 'array'),
    rows bigint not null default 0,      -- of feature_rows
    version bigint not null default 1,   -- of what people write: the ETag
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    rows_at timestamptz,                 -- of the last import
    updated_by text not null
);

-- Values stand in the order of the set's features; NaN: missing, as is what is behind the end of an array. Queries are as they were given.
create table feature_rows (
    set_name text collate "C" not null
        constraint feature_rows_set references feature_sets (name) on delete cascade,
    query text collate "C" not null,
    doc text collate "C" not null,
    values real[] not null,
    updated_at timestamptz not null default now(),
    primary key (set_name, query, doc)
);

create function feature_set_document(s feature_sets) returns jsonb language sql immutable as $$
    select jsonb_build_object('name', s.name, 'description', s.description, 'spec', s.spec, 'rows', s.rows, 'version', s.version)
$$;

create function feature_names(spec jsonb) returns text[] language sql immutable as $$
    select array(select e.value ->> 'name' from jsonb_array_elements(spec -> 'features') with ordinality e order by e.ordinality)
$$;

-- Makes it, or takes the place of the one that is there. `expected`: the version that was read, 0 for none, or null for any. Answers with
-- {"version", "created"}, or {"refused": "version|columns", "version"}: as long as there are rows, features only come behind those that are there.
create function feature_set_put(wanted text, description text, spec jsonb, expected bigint, actor text) returns jsonb language plpgsql as $$
declare
    was feature_sets%rowtype;
    now_ feature_sets%rowtype;
    found_ boolean;
    names text[];
begin
    perform pg_advisory_xact_lock(hashtext('experimentd features'));
    select * into was from feature_sets s where s.name = wanted;
    found_ := found;
    if expected is not null and expected <> coalesce(was.version, 0) then
        return jsonb_build_object('refused', 'version', 'version', coalesce(was.version, 0));
    end if;
    names := feature_names(was.spec);
    if found_ and was.rows > 0 and names <> (feature_names(feature_set_put.spec))[1:cardinality(names)] then
        return jsonb_build_object('refused', 'columns', 'version', was.version);
    elsif found_ and was.spec = feature_set_put.spec and was.description = feature_set_put.description then
        return jsonb_build_object('version', was.version, 'created', false);
    end if;
    insert into feature_sets as s (name, description, spec, updated_by)
    values (wanted, feature_set_put.description, feature_set_put.spec, actor)
    on conflict (name) do update set (description, spec, version, updated_at, updated_by) =
        (excluded.description, excluded.spec, s.version + 1, now(), excluded.updated_by)
    returning * into now_;
    insert into revisions (actor, subject, action, before, after)
    values (feature_set_put.actor, 'feature-set:' || wanted, case when found_ then 'replace' else 'create' end,
            case when found_ then feature_set_document(was) end, feature_set_document(now_));
    return jsonb_build_object('version', now_.version, 'created', not found_);
end
$$;

-- Answers with {} or {"refused": "missing|version|used", "version", "detail"}: one that a job names stays.
create function feature_set_delete(wanted text, expected bigint, actor text) returns jsonb language plpgsql as $$
declare
    was feature_sets%rowtype;
    user_ text;
begin
    perform pg_advisory_xact_lock(hashtext('experimentd features'));
    select * into was from feature_sets s where s.name = wanted;
    if not found then
        return jsonb_build_object('refused', 'missing');
    elsif expected is not null and expected <> was.version then
        return jsonb_build_object('refused', 'version', 'version', was.version);
    end if;
    select j.id into user_ from jobs j where j.params ->> 'feature_set' = wanted order by 1 limit 1;
    if found then
        return jsonb_build_object('refused', 'used', 'detail', user_);
    end if;
    delete from feature_sets where name = wanted;
    insert into revisions (actor, subject, action, before, after)
    values (feature_set_delete.actor, 'feature-set:' || wanted, 'delete', feature_set_document(was), null);
    return '{}';
end
$$;

-- given: [{"q": query, "d": doc, "v": "{1,NaN,0.5}"} …], no (query, doc) twice; `features`: how many the set had when they were read. What is as it was is not
-- written. In bulk, so without an audit trail. Answers with {"created", "changed", "unchanged"} or {"refused": "missing|columns"}.
create function feature_rows_put(wanted text, features integer, given jsonb) returns jsonb language plpgsql as $$
declare
    was feature_sets%rowtype;
    total bigint;
    fresh bigint;
    changed_ bigint;
begin
    perform pg_advisory_xact_lock(hashtext('experimentd features'));
    select * into was from feature_sets s where s.name = wanted;
    if not found then
        return jsonb_build_object('refused', 'missing');
    elsif jsonb_array_length(was.spec -> 'features') <> feature_rows_put.features then
        return jsonb_build_object('refused', 'columns');
    end if;
    with written as (
        insert into feature_rows as r (set_name, query, doc, values)
        select wanted, g.q, g.d, g.v::real[] from jsonb_to_recordset(given) g (q text, d text, v text)
        on conflict (set_name, query, doc) do update set (values, updated_at) = (excluded.values, now())
            where r.values is distinct from excluded.values
        returning xmax = 0 as made)
    select count(*) filter (where made), count(*) filter (where not made) into fresh, changed_ from written;
    total := jsonb_array_length(given);
    update feature_sets s set rows = s.rows + fresh, rows_at = now() where s.name = wanted and fresh + changed_ > 0;
    return jsonb_build_object('created', fresh, 'changed', changed_, 'unchanged', total - fresh - changed_);
end
$$;

-- Rows of a query, or all of them. Null: there is no such set.
create function feature_rows_delete(wanted text, of_query text) returns bigint language plpgsql as $$
declare
    gone bigint;
begin
    perform pg_advisory_xact_lock(hashtext('experimentd features'));
    if not exists (select from feature_sets s where s.name = wanted) then
        return null;
    end if;
    delete from feature_rows r where r.set_name = wanted and (of_query is null or r.query = of_query);
    get diagnostics gone = row_count;
    update feature_sets s set rows = s.rows - gone, rows_at = now() where s.name = wanted and gone > 0;
    return gone;
end
$$;
