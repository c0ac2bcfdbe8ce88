-- The registry of models: names, versions, aliases, artifacts (docs/models.md). The database holds the artifacts, so its backup is theirs.

-- A file that never changes (model/artifact.h), in parts of 1 MiB. Parts are numbers and texts that hardly shrink: stored as they are.
create table artifacts (
    digest text primary key constraint artifacts_digest check (digest ~ '^[0-9a-f]{64}$'),
    bytes bigint not null constraint artifacts_bytes check (bytes > 0),
    kind text not null,
    created_at timestamptz not null default now()
);
create table artifact_parts (
    digest text not null references artifacts (digest) on delete cascade,
    part integer not null,               -- from 0
    content bytea not null,
    primary key (digest, part)
);
alter table artifact_parts alter column content set storage external;

create table models (
    name text primary key constraint models_name check (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    kind text not null,                  -- of its artifacts: recommender, queries, boosts, rewrites …
    description text not null default '',
    tags jsonb not null default '{}' constraint models_tags check (jsonb_typeof(tags) = 'object'),
    last_version integer not null default 0,
    edit bigint not null default 1,      -- of what people write: the ETag
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table model_versions (
    model text not null references models (name) on delete cascade,
    version integer not null,
    status text not null constraint model_versions_status check (status in ('pending', 'ready', 'refused', 'deleted')),
    run uuid references runs (id) on delete set null, -- null: it was uploaded, or its run is known no more (card has its id)
    job_id text,
    artifact text references artifacts (digest) constraint model_versions_artifact check (artifact is not null or status in ('pending', 'deleted')),
    bytes bigint not null default 0,
    card jsonb not null default '{}',    -- job, parameters, windows, seed, engine, build, rows, units, items
    metrics jsonb not null default '{}', -- {"ndcg@10": {"value", "low", "high", "level", "method", "n"}}
    gate jsonb,                          -- {"decision", "rule", "reason", "checks"}; null: nothing looked at it
    parent_version integer,              -- the champion when it was trained
    description text not null default '',
    tags jsonb not null default '{}' constraint model_versions_tags check (jsonb_typeof(tags) = 'object'),
    edit bigint not null default 1,
    created_at timestamptz not null default now(),
    created_by text,
    primary key (model, version)
);
create index model_versions_artifact on model_versions (artifact) where artifact is not null;

-- Each time an alias was set. `before`: the row to which a roll-back leads, so that two roll-backs lead two steps back.
create table model_alias_log (
    id bigint generated always as identity primary key,
    model text not null references models (name) on delete cascade,
    alias text not null,
    version integer,                     -- null: it was taken away
    before bigint,
    action text not null constraint model_alias_log_action check (action in ('publish', 'set', 'rollback', 'delete')),
    set_at timestamptz not null default now(),
    set_by text
);
create index model_alias_log_of on model_alias_log (model, alias, id);

create table model_aliases (
    model text not null references models (name) on delete cascade,
    alias text not null constraint model_aliases_alias check (alias ~ '^[a-z][a-z0-9._-]{0,63}$'),
    version integer not null,
    log bigint not null,                 -- its row in model_alias_log
    set_at timestamptz not null default now(),
    set_by text,
    primary key (model, alias),
    constraint model_aliases_version foreign key (model, version) references model_versions (model, version)
);

-- Daemons that serve models listen: the name of a model whose aliases are others now.
create function tell_models() returns trigger language plpgsql as $$
begin
    perform pg_notify('experimentd_models', coalesce(new.model, old.model));
    return null;
end
$$;
create trigger model_aliases_told after insert or update or delete on model_aliases for each row execute function tell_models();

-- Opens an artifact for writing: its parts are to be sent in the same transaction. One that is there already is written anew, which mends it; nothing
-- is swept meanwhile.
create function artifact_open(of_digest text, of_bytes bigint, of_kind text) returns void language plpgsql as $$
begin
    perform pg_advisory_xact_lock_shared(hashtext('artifacts'));
    insert into artifacts (digest, bytes, kind) values (of_digest, of_bytes, of_kind) on conflict (digest) do update set bytes = excluded.bytes;
    delete from artifact_parts where digest = of_digest;
end
$$;

-- A new version of a model, which is made when it is not there. `doc` has the columns that are known. Answers {"version"} or {"refused": "kind", "detail"}.
create function model_version_add(of_model text, of_kind text, doc jsonb) returns jsonb language plpgsql as $$
declare
    m models%rowtype;
begin
    insert into models (name, kind) values (of_model, of_kind) on conflict (name) do nothing;
    select * into m from models where name = of_model for update;
    if m.kind <> of_kind then
        return jsonb_build_object('refused', 'kind', 'detail', m.kind);
    end if;
    update models set last_version = last_version + 1, updated_at = now() where name = of_model returning * into m;
    insert into model_versions (model, version, status, run, job_id, artifact, bytes, card, metrics, gate, parent_version, description, tags, created_by)
    values (of_model, m.last_version, doc->>'status', (doc->>'run')::uuid,
            coalesce(doc->>'job_id', (select r.job_id from runs r where r.id = (doc->>'run')::uuid)), doc->>'artifact',
            coalesce((doc->>'bytes')::bigint, 0), coalesce(doc->'card', '{}'), coalesce(doc->'metrics', '{}'), nullif(doc->'gate', 'null'),
            (doc->>'parent_version')::int, coalesce(doc->>'description', ''), coalesce(doc->'tags', '{}'), doc->>'created_by');
    return jsonb_build_object('version', m.last_version);
end
$$;

-- Points an alias to a version. `forced`: to one that its gate refused, too. `expected`: what it points to now (0: to none), or null: whatever.
-- Answers {"version", "was"} or {"refused": "model|version|gate|status|expected", "detail"}.
create function model_alias_set(of_model text, of_alias text, wanted integer, of_action text, actor text, forced boolean default false,
                                expected integer default null) returns jsonb language plpgsql as $$
declare
    v model_versions%rowtype;
    a model_aliases%rowtype;
    entry bigint;
begin
    perform 1 from models where name = of_model for update;
    if not found then
        return jsonb_build_object('refused', 'model');
    end if;
    select * into v from model_versions where model = of_model and version = wanted;
    if not found or v.status = 'deleted' then
        return jsonb_build_object('refused', 'version');
    elsif v.status = 'pending' then
        return jsonb_build_object('refused', 'status', 'detail', v.status);
    elsif v.status = 'refused' and not forced then
        return jsonb_build_object('refused', 'gate', 'detail', v.gate->>'reason');
    end if;
    select * into a from model_aliases where model = of_model and alias = of_alias;
    if expected is not null and coalesce(a.version, 0) <> expected then
        return jsonb_build_object('refused', 'expected', 'detail', coalesce(a.version, 0));
    elsif a.version = wanted then
        return jsonb_build_object('version', wanted, 'was', wanted);
    end if;
    insert into model_alias_log (model, alias, version, before, action, set_by) values (of_model, of_alias, wanted, a.log, of_action, actor)
    returning id into entry;
    insert into model_aliases (model, alias, version, log, set_by) values (of_model, of_alias, wanted, entry, actor)
    on conflict (model, alias) do update set version = excluded.version, log = excluded.log, set_at = now(), set_by = excluded.set_by;
    return jsonb_build_object('version', wanted, 'was', a.version);
end
$$;

-- The row of the log to which a roll-back from `entry` leads: the first before it whose version is still there. Null: there is none.
create function model_alias_before(entry bigint) returns bigint language sql stable as $$
    with recursive back as (
        select l.before as id from model_alias_log l where l.id = entry
        union all
        select l.before from back b join model_alias_log l on l.id = b.id
        join model_versions v on v.model = l.model and v.version = l.version where v.status = 'deleted')
    select l.id from back b join model_alias_log l on l.id = b.id
    join model_versions v on v.model = l.model and v.version = l.version where v.status <> 'deleted' limit 1
$$;

-- Points an alias to the version of before. Answers {"version", "was"} or {"refused": "alias|before"}.
create function model_alias_rollback(of_model text, of_alias text, actor text) returns jsonb language plpgsql as $$
declare
    a model_aliases%rowtype;
    target model_alias_log%rowtype;
    entry bigint;
begin
    perform 1 from models where name = of_model for update;
    select * into a from model_aliases where model = of_model and alias = of_alias;
    if not found then
        return jsonb_build_object('refused', 'alias');
    end if;
    select l.* into target from model_alias_log l where l.id = model_alias_before(a.log);
    if not found then
        return jsonb_build_object('refused', 'before');
    end if;
    insert into model_alias_log (model, alias, version, before, action, set_by)
    values (of_model, of_alias, target.version, target.before, 'rollback', actor) returning id into entry;
    update model_aliases set version = target.version, log = entry, set_at = now(), set_by = actor where model = of_model and alias = of_alias;
    return jsonb_build_object('version', target.version, 'was', a.version);
end
$$;

-- Forgets what a version was made of; its row stays, so that numbers and lineage do.
create function model_version_drop(of_model text, of_version integer) returns void language sql as $$
    update model_versions set status = 'deleted', artifact = null, edit = edit + 1 where model = of_model and version = of_version
$$;

-- Drops versions that are older than so many days and not among the newest `keep` of their model. One that an alias points to, or that a roll-back
-- would lead to, stays. Then artifacts of no version go. Answers {"versions", "artifacts"}.
create function models_sweep(keep integer, days integer) returns jsonb language plpgsql as $$
declare
    dropped integer;
    swept integer;
begin
    perform pg_advisory_xact_lock(hashtext('artifacts'));
    perform 1 from models order by name for update;
    update model_versions v set status = 'deleted', artifact = null, edit = edit + 1
    from (select model, version, row_number() over (partition by model order by version desc) as place from model_versions where status <> 'deleted') n
    where n.model = v.model and n.version = v.version and n.place > keep and v.created_at < now() - make_interval(days => days) and
          not exists (select from model_aliases a where a.model = v.model and (a.version = v.version or v.version = (
              select l.version from model_alias_log l where l.id = model_alias_before(a.log))));
    get diagnostics dropped = row_count;
    delete from artifacts a where not exists (select from model_versions v where v.artifact = a.digest);
    get diagnostics swept = row_count;
    return jsonb_build_object('versions', dropped, 'artifacts', swept);
end
$$;
