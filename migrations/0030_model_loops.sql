-- Loops: a version that passed its gate proves itself on users before it becomes champion (docs/loop.md, decision 0048).

create table model_loops (
    model text primary key constraint model_loops_model references models (name) on delete cascade,
    spec jsonb not null,                 -- what a person wrote: kind, experiment, traffic, metrics, days, approval
    state jsonb not null default '{"phase": "idle"}', -- what the loop decided: what is tried, against what, since when, and what a person wants of it
    version bigint not null default 1,   -- of the spec: the ETag
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

-- The story of a model, step by step; it stays when its loop is deleted.
create table model_loop_steps (
    id bigint generated always as identity primary key,
    model text not null constraint model_loop_steps_model references models (name) on delete cascade,
    at timestamptz not null default clock_timestamp(),
    step text not null constraint model_loop_steps_step check (step in ('on', 'changed', 'off', 'trained', 'refused', 'queued', 'challenger', 'started',
        'noticed', 'paused', 'awaiting', 'approved', 'rejected', 'promoted', 'dropped', 'timed_out', 'rolled_back', 'stopped')),
    version integer,                     -- that it is about
    experiment text,
    phase integer,
    who text not null,                   -- the label of a key, "job als", or "loop"
    reason text not null,
    evidence jsonb not null default '{}',
    url text,                            -- who is to be told; null: nobody
    told_at timestamptz,                 -- the message arrived
    tell_attempts integer not null default 0
);
create index model_loop_steps_of on model_loop_steps (model, id);
create index model_loop_steps_untold on model_loop_steps (id) where url is not null and told_at is null;

-- A step: what it says, its revision, and what the loop is now (null: as it was). All in the transaction of the caller, who holds the model's row.
create function model_loop_step(of_model text, of_step text, of_version integer, of_experiment text, of_phase integer, actor text, why text, proof jsonb,
                                next jsonb) returns bigint language plpgsql as $$
declare
    l model_loops%rowtype;
    entry bigint;
begin
    select * into l from model_loops where model = of_model for update;
    if next is not null then
        update model_loops set state = next, updated_at = now() where model = of_model;
    end if;
    insert into model_loop_steps (model, step, version, experiment, phase, who, reason, evidence, url)
    values (of_model, of_step, of_version, of_experiment, of_phase, actor, why, coalesce(proof, '{}'), l.spec->'notify'->>'url') returning id into entry;
    insert into revisions (actor, subject, action, before, after)
    values (actor, 'model:' || of_model, 'loop ' || of_step, l.state,
            jsonb_strip_nulls(jsonb_build_object('step', entry, 'version', of_version, 'experiment', of_experiment, 'phase', of_phase, 'reason', why,
                                                 'state', next)));
    return entry;
end
$$;

-- A version that a job trained for a model with a loop; the caller holds the model's row. Null: there is no loop, or no champion to beat, and all is as without
-- one. Else the alias that it got: "challenger" when nothing is being tried, or "next"; of versions that wait the newest is the one.
create function model_loop_offer(of_model text, of_version integer, passed boolean, actor text, why text, proof jsonb) returns text language plpgsql as $$
declare
    champion integer;
    challenger integer;
    waiting integer;
    given text;
begin
    perform 1 from model_loops where model = of_model for update;
    if not found then
        return null;
    end if;
    select version into champion from model_aliases where model = of_model and alias = 'champion';
    if champion is null or not passed then
        perform model_loop_step(of_model, case when passed then 'trained' else 'refused' end, of_version, null, null, actor, why, proof, null);
        return null;
    end if;
    select version into challenger from model_aliases where model = of_model and alias = 'challenger';
    given := case when challenger is null or challenger = champion then 'challenger' else 'next' end;
    select version into waiting from model_aliases where model = of_model and alias = given;
    perform model_alias_set(of_model, given, of_version, 'publish', actor);
    perform model_loop_step(of_model, case given when 'next' then 'queued' else 'challenger' end, of_version, null, null, actor,
                            case when given = 'next' then 'version ' || challenger || ' is being tried' ||
                                 case when waiting is not null then '; version ' || waiting || ' waits no longer' else '' end || '. Its gate: ' || why
                                 else 'it passed its gate: ' || why end, proof, null);
    return given;
end
$$;

-- Takes an alias away, if it is there and points to this version (null: whichever). Answers whether.
create function model_alias_drop(of_model text, of_alias text, of_version integer, actor text) returns boolean language plpgsql as $$
declare
    gone model_aliases%rowtype;
begin
    delete from model_aliases where model = of_model and alias = of_alias and (of_version is null or version = of_version) returning * into gone;
    if not found then
        return false;
    end if;
    insert into model_alias_log (model, alias, before, action, set_by) values (of_model, of_alias, gone.log, 'delete', actor);
    return true;
end
$$;

-- What a person writes of a loop. `wanted` null: it is deleted; what is being tried stays as it is. `expected`: the version that it must have, or null.
-- Answers {"version"}, {"refused": "model"}, {"refused": "expected", "detail": version}, {"refused": "loop"} (nothing to delete).
create function model_loop_put(of_model text, wanted jsonb, expected bigint, actor text) returns jsonb language plpgsql as $$
declare
    l model_loops%rowtype;
    trying integer;
begin
    perform 1 from models where name = of_model for update;
    if not found then
        return jsonb_build_object('refused', 'model');
    end if;
    select * into l from model_loops where model = of_model for update;
    if expected is not null and coalesce(l.version, 0) <> expected then
        return jsonb_build_object('refused', 'expected', 'detail', coalesce(l.version, 0));
    elsif wanted is null and l.model is null then
        return jsonb_build_object('refused', 'loop');
    end if;
    trying := (l.state->>'version')::int;
    if wanted is null then
        perform model_loop_step(of_model, 'off', trying, case when trying is not null then l.spec->>'experiment' end,
                                (l.state->>'experiment_phase')::int, actor, case when trying is null then 'the loop was deleted' else
                                'the loop was deleted while version ' || trying || ' was being tried: its experiment and aliases stay as they are' end, '{}', null);
        delete from model_loops where model = of_model;
        return jsonb_build_object('version', 0);
    end if;
    insert into model_loops (model, spec) values (of_model, wanted)
    on conflict (model) do update set spec = excluded.spec, version = model_loops.version + 1, updated_at = now();
    perform model_loop_step(of_model, case when l.model is null then 'on' else 'changed' end, null, null, null, actor,
                            case when l.model is null then 'the loop was turned on' when trying is not null then
                            'the loop was changed; what is being tried goes on as it began' else 'the loop was changed' end,
                            jsonb_strip_nulls(jsonb_build_object('before', l.spec, 'after', wanted)), null);
    return jsonb_build_object('version', coalesce(l.version, 0) + 1);
end
$$;

-- What a person wants of what is being tried: approve, reject, stop. The leader does it. Answers {"state"} or {"refused": "loop|state", "detail"}.
create function model_loop_wish(of_model text, wanted text, actor text) returns jsonb language plpgsql as $$
declare
    l model_loops%rowtype;
    phase text;
begin
    perform 1 from models where name = of_model for update;
    select * into l from model_loops where model = of_model for update;
    if not found then
        return jsonb_build_object('refused', 'loop');
    end if;
    phase := l.state->>'phase';
    if phase = 'idle' or (wanted <> 'stop' and phase = 'trying') then
        return jsonb_build_object('refused', 'state', 'detail', phase);
    end if;
    update model_loops set state = l.state || jsonb_build_object('wish', wanted, 'wished_by', actor) where model = of_model;
    return jsonb_build_object('state', phase);
end
$$;
