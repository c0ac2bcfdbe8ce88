-- Edits of jobs, each with its checks in one transaction; and how often a run was taken up again.

alter table runs add column resumes integer not null default 0; -- after its coordinator was lost

-- What a revision keeps of a job: what its owner wrote.
create function job_document(j jobs) returns jsonb language sql immutable as $$
    select to_jsonb(j) - 'scheduled_to' - 'created_at' - 'updated_at' - 'updated_by'
$$;

-- What is wrong with the job triggers of `wanted`, were these its triggers: a job that is not there, or a circle. Null: nothing.
create function job_triggers_check(wanted text, triggers jsonb) returns text language sql stable as $$
    with recursive after as (
        select e.id, t->>'job' as job from (select id, j.triggers from jobs j where id <> wanted union all select wanted, job_triggers_check.triggers) e,
               jsonb_array_elements(e.triggers) t where t->>'type' = 'job'),
    up as (
        select job, array[wanted, job] as path from after where id = wanted
        union all select a.job, u.path || a.job from up u join after a on a.id = u.job where u.job <> wanted and not a.job = any (u.path[2:]))
    select coalesce(
        (select format('job "%s" is not known', job) from after where id = wanted and job <> wanted and not exists (select from jobs j where j.id = job) limit 1),
        (select format('would run in a circle: %s', array_to_string(path, ' after ')) from up where job = wanted order by cardinality(path) limit 1))
$$;

-- Action create: doc is the whole job; change: the members that change; delete. `expected`: the version that was read, or null. Answers
-- {"version"} or {"refused": "exists|missing|version|predefined|used|busy|triggers", "detail", "version"}.
create function job_edit(wanted text, action text, expected bigint, doc jsonb, actor text) returns jsonb language plpgsql as $$
declare
    was jobs%rowtype;
    now_ jobs%rowtype;
    found_ boolean;
    wrong text;
begin
    perform pg_advisory_xact_lock(hashtext('job_edit'));
    select * into was from jobs where id = wanted for update;
    found_ := found;
    if action = 'create' and found_ then
        return jsonb_build_object('refused', 'exists');
    elsif action <> 'create' and not found_ then
        return jsonb_build_object('refused', 'missing');
    elsif expected is not null and expected <> was.version then
        return jsonb_build_object('refused', 'version', 'version', was.version);
    end if;
    if action = 'delete' then
        select j.id into wrong from jobs j, jsonb_array_elements(j.triggers) t where t->>'job' = wanted limit 1;
        if was.predefined then
            return jsonb_build_object('refused', 'predefined');
        elsif wrong is not null then
            return jsonb_build_object('refused', 'used', 'detail', wrong);
        elsif exists (select from runs where job_id = wanted and state in ('queued', 'running', 'publishing')) then
            return jsonb_build_object('refused', 'busy');
        end if;
        delete from jobs where id = wanted;
    else
        wrong := job_triggers_check(wanted, coalesce(doc->'triggers', was.triggers));
        if wrong is not null then
            return jsonb_build_object('refused', 'triggers', 'detail', wrong);
        end if;
        if action = 'create' then
            now_ := jsonb_populate_record(null::jobs, doc || jsonb_build_object('id', wanted, 'version', 1, 'scheduled_to', now(), 'created_at', now()));
        else
            now_ := jsonb_populate_record(was, doc || jsonb_build_object('id', wanted, 'predefined', was.predefined, 'version', was.version + 1));
            if (now_.triggers, now_.timezone) is distinct from (was.triggers, was.timezone) or (now_.enabled and not was.enabled) then
                now_.scheduled_to := now(); -- what it says counts from now on
            end if;
        end if;
        now_.updated_at := now();
        now_.updated_by := actor;
        insert into jobs select now_.* on conflict (id) do update set
            (type, name, params, enabled, engine, workers, triggers, concurrency, catch_up, max_retries, retry_after_seconds, timeout_seconds, notify,
             timezone, version, scheduled_to, updated_at, updated_by) =
            (excluded.type, excluded.name, excluded.params, excluded.enabled, excluded.engine, excluded.workers, excluded.triggers, excluded.concurrency,
             excluded.catch_up, excluded.max_retries, excluded.retry_after_seconds, excluded.timeout_seconds, excluded.notify, excluded.timezone,
             excluded.version, excluded.scheduled_to, excluded.updated_at, excluded.updated_by);
    end if;
    insert into revisions (actor, subject, action, before, after)
    values (job_edit.actor, 'job:' || wanted, action, case when found_ then job_document(was) end, case when action <> 'delete' then job_document(now_) end);
    perform pg_notify('runs', ''); -- who leads looks at once
    return jsonb_build_object('version', now_.version);
end
$$;
