-- Search configurations: whom to ask for a ranking, and how (docs/ranking-metrics.md); evaluations: what rankings were worth.
create table search_configs (
    name text collate "C" primary key constraint search_configs_name check (name ~ '^[a-z0-9][a-z0-9_.-]{0,63}$'),
    description text not null default '',
    spec jsonb not null constraint search_configs_spec check (jsonb_typeof(spec) = 'object'), -- as job/search.h has it; no secret: a name of one
    lists integer not null default 0,    -- of engine "run": how many queries have a list
    version bigint not null default 1,   -- raised by each edit of it or of its lists
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    updated_by text
);

-- Of engine "run": rankings that people bring.
create table search_lists (
    config text collate "C" not null constraint search_lists_config references search_configs (name) on delete cascade,
    query text collate "C" not null constraint search_lists_query check (octet_length(query) between 1 and 1024),
    docs jsonb not null constraint search_lists_docs check (jsonb_typeof(docs) = 'array'), -- best first
    primary key (config, query)
);

create table evaluations (
    id uuid primary key,                 -- the run's
    query_set text not null,             -- '': one query, a preview
    judgments text,                      -- null: rankings were only compared with each other
    configs text[] not null,
    metrics text[] not null,
    queries integer not null,
    summary jsonb not null,
    created_at timestamptz not null default now()
);
create index evaluations_newest on evaluations (created_at desc, id);

create table evaluation_queries (
    evaluation uuid not null constraint evaluation_queries_evaluation references evaluations (id) on delete cascade,
    config text collate "C" not null,
    position integer not null,           -- of the query in its set
    query text collate "C" not null,
    weight double precision not null,
    judged integer not null,             -- documents of the query that are judged
    docs jsonb not null,                 -- as they came, best first
    grades jsonb not null,               -- of each of these; null: not judged
    metrics double precision[],          -- in the order of evaluations.metrics; null: nothing is judged, or there was an error
    error text,
    primary key (evaluation, config, position)
);

create function searches_lock() returns void language sql as $$
    select pg_advisory_xact_lock(hashtext('experimentd searches'))
$$;

create function search_document(s search_configs) returns jsonb language sql immutable as $$
    select jsonb_build_object('name', s.name, 'description', s.description, 'spec', s.spec, 'lists', s.lists, 'version', s.version)
$$;

-- Makes one, or takes the place of the one that is there. `expected`: the version that was read, 0 for none, or null for any. Answers with
-- {"version", "created"}, or {"refused": "version|lists", "version"}: one that has lists stays of engine "run".
create function search_put(wanted text, description text, spec jsonb, expected bigint, actor text) returns jsonb language plpgsql as $$
declare
    was search_configs%rowtype;
    now_ search_configs%rowtype;
    found_ boolean;
begin
    perform searches_lock();
    select * into was from search_configs s where s.name = wanted;
    found_ := found;
    if expected is not null and expected <> coalesce(was.version, 0) then
        return jsonb_build_object('refused', 'version', 'version', coalesce(was.version, 0));
    elsif found_ and was.lists > 0 and search_put.spec->>'engine' <> 'run' then
        return jsonb_build_object('refused', 'lists', 'version', was.version);
    elsif found_ and was.spec = search_put.spec and was.description = search_put.description then
        return jsonb_build_object('version', was.version, 'created', false);
    end if;
    insert into search_configs as s (name, description, spec, updated_by) values (wanted, search_put.description, search_put.spec, actor)
    on conflict (name) do update set (description, spec, version, updated_at, updated_by) =
        (excluded.description, excluded.spec, s.version + 1, now(), excluded.updated_by)
    returning * into now_;
    insert into revisions (actor, subject, action, before, after)
    values (search_put.actor, 'search:' || wanted, case when found_ then 'edit' else 'create' end,
            case when found_ then search_document(was) end, search_document(now_));
    return jsonb_build_object('version', now_.version, 'created', not found_);
end
$$;

-- Gives a configuration of engine "run" its lists: [[query, [doc …]] …], in the place of those it has. Answers {"version", "lists"} or
-- {"refused": "missing|version|engine", "version"}.
create function search_lists_put(wanted text, lists jsonb, expected bigint, actor text) returns jsonb language plpgsql as $$
declare
    was search_configs%rowtype;
    now_ search_configs%rowtype;
begin
    perform searches_lock();
    select * into was from search_configs s where s.name = wanted;
    if not found then
        return jsonb_build_object('refused', 'missing');
    elsif expected is not null and expected <> was.version then
        return jsonb_build_object('refused', 'version', 'version', was.version);
    elsif was.spec->>'engine' <> 'run' then
        return jsonb_build_object('refused', 'engine');
    end if;
    delete from search_lists where config = wanted;
    insert into search_lists (config, query, docs) select wanted, l.value ->> 0, l.value -> 1 from jsonb_array_elements(search_lists_put.lists) l;
    update search_configs s set lists = jsonb_array_length(search_lists_put.lists), version = s.version + 1, updated_at = now(), updated_by = actor
    where s.name = wanted returning * into now_;
    insert into revisions (actor, subject, action, before, after)
    values (search_lists_put.actor, 'search:' || wanted, 'edit', search_document(was), search_document(now_));
    return jsonb_build_object('version', now_.version, 'lists', now_.lists);
end
$$;

-- Answers with {} or {"refused": "missing|version|used", "version", "detail"}: one that a job names stays.
create function search_delete(wanted text, expected bigint, actor text) returns jsonb language plpgsql as $$
declare
    was search_configs%rowtype;
    user_ text;
begin
    perform searches_lock();
    select * into was from search_configs s where s.name = wanted;
    if not found then
        return jsonb_build_object('refused', 'missing');
    elsif expected is not null and expected <> was.version then
        return jsonb_build_object('refused', 'version', 'version', was.version);
    end if;
    select j.id into user_ from jobs j where wanted = any (string_to_array(replace(j.params->>'searches', ' ', ''), ',')) order by 1 limit 1;
    if found then
        return jsonb_build_object('refused', 'used', 'detail', user_);
    end if;
    delete from search_configs where name = wanted;
    insert into revisions (actor, subject, action, before, after)
    values (search_delete.actor, 'search:' || wanted, 'delete', search_document(was), null);
    return '{}';
end
$$;
