-- Assignment as search teams think of it: layers, domains, holdouts, segments, phases, ramps, sticky assignments.

-- What a user wrote is one JSON document (`spec`), checked whole by the daemon against the rest of the configuration; what the server decided
-- (part of a layer, step of a ramp, a bandit's weights, why it was stopped) is another (`state`). Columns are for what jobs and queries need.
alter table config_version add column updated_at timestamptz not null default now();
-- An instant as daemons count it: µs since 1970, 0 for never.
create function us(at timestamptz) returns bigint language sql immutable as $$
    select coalesce((extract(epoch from at) * 1000000)::bigint, 0)
$$;

alter table experiments drop constraint experiments_status;
alter table experiments
    add constraint experiments_status check (status in ('draft', 'running', 'stopped', 'concluded')),
    add column spec json,
    add column state jsonb not null default '{}',
    add column kind text not null default 'ab' constraint experiments_kind check (kind in ('ab', 'bandit', 'interleave', 'holdout')),
    add column phase integer not null default 1,
    add column phase_started_at timestamptz,
    add column concluded_at timestamptz;

update experiments e set phase_started_at = case when origin = 'live' then started_at end, spec = json_build_object(
    'key', e.key, 'name', e.name, 'hypothesis', e.hypothesis, 'hash_attribute', e.hash_attribute,
    'hash_version', e.hash_version, 'seed', e.seed, 'coverage', e.coverage, 'origin', e.origin,
    'variants', coalesce((select json_agg(json_build_object('key', v.key, 'name', v.name, 'weight', v.weight, 'value', v.value)
                                          order by v.position) from variants v where v.experiment = e.key), '[]'),
    'metrics', coalesce((select json_agg(json_build_object('metric', m.metric, 'role', m.role) order by m.position)
                         from experiment_metrics m where m.experiment = e.key), '[]'));
alter table experiments alter column spec set not null;

drop table variants;
drop table experiment_metrics;
alter table experiments
    drop column name, drop column hypothesis, drop column hash_attribute, drop column hash_version, drop column seed,
    drop column coverage;

-- For people and their queries: an experiment's parts as rows.
create view variants as
    select e.key as experiment, (x.n - 1)::smallint as position, x.v->>'key' as key, coalesce(x.v->>'name', '') as name,
           (x.v->>'weight')::double precision as weight, x.v->'value' as value
    from experiments e, json_array_elements(e.spec->'variants') with ordinality as x(v, n);
create view experiment_metrics as
    select e.key as experiment, x.v->>'metric' as metric, (x.n - 1)::smallint as position, x.v->>'role' as role
    from experiments e, json_array_elements(e.spec->'metrics') with ordinality as x(v, n);

create table config_objects (
    kind text not null constraint config_objects_kind check (kind in ('layer', 'domain', 'segment')),
    key text not null constraint config_objects_key_format check (key ~ '^[a-z0-9][a-z0-9_.-]{0,99}$'),
    version integer not null default 1,
    spec json not null,
    state jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (kind, key)
);
create view layers as select key, version, spec, created_at, updated_at from config_objects where kind = 'layer';
create view domains as select key, version, spec, state, created_at, updated_at from config_objects where kind = 'domain';
create view holdouts as select key, version, spec, status, created_at, started_at, stopped_at from experiments where kind = 'holdout';
create view segments as select key, version, spec, created_at, updated_at from config_objects where kind = 'segment';

-- Which variant a unit got, kept so that a change of weights or a login does not move it: GrowthBook's sticky bucket document, one row an
-- assignment. `experiment` is "key__bucketVersion".
create table sticky_assignments (
    attribute text not null,
    value text not null,
    experiment text not null,
    variant text not null,
    at timestamptz not null default now(),
    primary key (attribute, value, experiment)
) partition by hash (value);
do $$
begin
    for i in 0..7 loop
        execute format('create table sticky_assignments_%s partition of sticky_assignments for values with (modulus 8, remainder %s)', i, i);
    end loop;
end
$$;

-- Every edit of the configuration is one call: all of its writes, their revisions, a higher version and the notification, or nothing.
-- The caller checked the edit against version `expected` of the whole configuration; when another edit came first, nothing is written and the
-- answer is -version (null expected: any). A write is {"kind","key","action"} and "spec" (absent: delete), "state"?, and for experiments
-- "status"?, "phase"?, and instants "started_at"?, "stopped_at"?, "concluded_at"?, "phase_started_at"? in µs ("now": this transaction's time).
create function config_instant(v json, before timestamptz) returns timestamptz language sql stable as $$
    select case when v is null then before when json_typeof(v) = 'null' then null when v #>> '{}' = 'now' then now()
                else to_timestamp((v #>> '{}')::float8 / 1e6) end
$$;

create function config_write_experiment(w json) returns void language plpgsql as $$
declare
    was experiments%rowtype;
begin
    if w->'spec' is null then
        delete from experiments where key = w->>'key';
        return;
    end if;
    select * into was from experiments where key = w->>'key';
    if found then
        update experiments set
            spec = w->'spec', version = was.version + 1, state = coalesce((w->'state')::jsonb, was.state), kind = coalesce(w->'spec'->>'kind', 'ab'),
            status = coalesce(w->>'status', was.status), phase = coalesce((w->>'phase')::int, was.phase),
            started_at = config_instant(w->'started_at', was.started_at), stopped_at = config_instant(w->'stopped_at', was.stopped_at),
            concluded_at = config_instant(w->'concluded_at', was.concluded_at),
            phase_started_at = config_instant(w->'phase_started_at', was.phase_started_at)
        where key = w->>'key';
    else
        insert into experiments (key, spec, state, kind, status, origin, started_at, stopped_at, phase_started_at)
        values (w->>'key', w->'spec', coalesce((w->'state')::jsonb, '{}'), coalesce(w->'spec'->>'kind', 'ab'), coalesce(w->>'status', 'draft'),
                coalesce(w->'spec'->>'origin', 'live'), config_instant(w->'started_at', null), config_instant(w->'stopped_at', null),
                config_instant(w->'phase_started_at', null));
    end if;
end
$$;

create function config_write_object(w json) returns void language plpgsql as $$
begin
    if w->'spec' is null then
        delete from config_objects where kind = w->>'kind' and key = w->>'key';
    else
        insert into config_objects as o (kind, key, spec, state) values (w->>'kind', w->>'key', w->'spec', coalesce((w->'state')::jsonb, '{}'))
        on conflict (kind, key) do update set spec = excluded.spec, state = coalesce((w->'state')::jsonb, o.state),
            version = o.version + 1, updated_at = now();
    end if;
end
$$;

-- A row as its revision tells it.
create function config_row(wanted_kind text, wanted_key text) returns jsonb language sql stable as $$
    select case when wanted_kind = 'experiment' then (select to_jsonb(e) - 'id' from experiments e where e.key = wanted_key)
                else (select to_jsonb(o) from config_objects o where o.kind = wanted_kind and o.key = wanted_key) end
$$;

create function config_edit(expected bigint, writes json, actor text) returns bigint language plpgsql as $$
declare
    at bigint;
    w json;
    was jsonb;
begin
    select version into at from config_version for update;
    if expected is not null and expected <> at then
        return -at;
    end if;
    for w in select * from json_array_elements(writes) loop
        was := config_row(w->>'kind', w->>'key');
        if w->>'kind' = 'experiment' then
            perform config_write_experiment(w);
        else
            perform config_write_object(w);
        end if;
        insert into revisions (actor, subject, action, before, after)
        values (config_edit.actor, (w->>'kind') || ':' || (w->>'key'), w->>'action', was, config_row(w->>'kind', w->>'key'));
    end loop;
    update config_version set version = version + 1, updated_at = now() returning version into at;
    perform pg_notify('config', at::text);
    return at;
end
$$;

-- A bandit's job sets the weights of its experiment's variants, in their order; the payload that every SDK follows carries them with the
-- version. Answers the configuration's new version, or null when there is no such running bandit.
create function config_set_weights(experiment text, weights jsonb, actor text) returns bigint language plpgsql as $$
declare
    e experiments%rowtype;
begin
    perform 1 from config_version for update;
    select * into e from experiments x where x.key = config_set_weights.experiment and x.kind = 'bandit' and x.status = 'running';
    if not found then
        return null;
    end if;
    if jsonb_array_length(weights) <> json_array_length(e.spec->'variants') then
        raise exception 'bandit "%" has % variants, not %', e.key, json_array_length(e.spec->'variants'), jsonb_array_length(weights);
    end if;
    return config_edit(null, json_build_array(json_build_object('kind', 'experiment', 'key', e.key, 'action', 'weights', 'spec', e.spec, 'state',
        e.state || jsonb_build_object('weights', weights, 'weights_version', coalesce((e.state->>'weights_version')::int, 0) + 1))), actor);
end
$$;
