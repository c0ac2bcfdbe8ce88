CREATE SCHEMA aggregations;

CREATE SCHEMA staging;

CREATE FUNCTION public.archive_seal(wanted date, files jsonb) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
    f jsonb;
    n bigint;
    t text;
begin
    begin
        perform set_config('lock_timeout', '3s', true);
        lock table only signals, only exposures in access exclusive mode;
    exception when lock_not_available then
        return 'busy';
    end;
    if (select count(*) from day_parts(wanted)) <> jsonb_array_length(files) then
        return 'changed';
    end if;
    for f in select * from jsonb_array_elements(files) loop
        execute format('select count(*) from %I', f->>'part') into n;
        if n <> (f->>'rows')::bigint then
            return 'changed';
        end if;
        if f->>'of_table' = 'exposures' then
            execute format('insert into archived_exposures select distinct experiment from %I on conflict do nothing', f->>'part');
        end if;
    end loop;
    insert into archives (path, of_table, day, bucket_lo, bucket_hi, rows, bytes, checksum)
    select x->>'path', x->>'of_table', wanted, (x->>'bucket_lo')::integer, (x->>'bucket_hi')::integer, (x->>'rows')::bigint,
           (x->>'bytes')::bigint, (x->>'checksum')::bigint
    from jsonb_array_elements(files) x where x->>'path' is not null;
    for t in select distinct x->>'of_table' from jsonb_array_elements(files) x loop
        execute format('drop table %I', t || '_' || to_char(wanted, 'YYYYMMDD'));
    end loop;
    return 'sealed';
end
$$;

CREATE FUNCTION public.artifact_open(of_digest text, of_bytes bigint, of_kind text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    perform pg_advisory_xact_lock_shared(hashtext('artifacts'));
    insert into artifacts (digest, bytes, kind) values (of_digest, of_bytes, of_kind) on conflict (digest) do update set bytes = excluded.bytes;
    delete from artifact_parts where digest = of_digest;
end
$$;

CREATE FUNCTION public.cancel_run(run uuid, asked_by text DEFAULT NULL::text) RETURNS text
    LANGUAGE sql
    AS $$
    update runs set cancel_requested = true, note = coalesce('cancelled by ' || asked_by, note),
                    state = case when state = 'queued' then 'cancelled' else state end,
                    finished_at = case when state = 'queued' then now() end
    where id = cancel_run.run and state in ('queued', 'running', 'publishing') returning state
$$;

CREATE FUNCTION public.config_edit(expected bigint, writes json, actor text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
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
        elsif w->>'kind' = 'metric' then
            perform config_write_metric(w);
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

CREATE FUNCTION public.config_instant(v json, before timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
    select case when v is null then before when json_typeof(v) = 'null' then null when v #>> '{}' = 'now' then now()
                else to_timestamp((v #>> '{}')::float8 / 1e6) end
$$;

CREATE FUNCTION public.config_row(wanted_kind text, wanted_key text) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select case wanted_kind
        when 'experiment' then (select to_jsonb(e) - 'id' from experiments e where e.key = wanted_key)
        when 'metric' then (select jsonb_build_object('key', m.key, 'version', m.version, 'spec', m.spec) from metrics m where m.key = wanted_key)
        else (select to_jsonb(o) from config_objects o where o.kind = wanted_kind and o.key = wanted_key) end
$$;

CREATE FUNCTION public.config_set_weights(experiment text, weights jsonb, actor text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.config_write_experiment(w json) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.config_write_metric(w json) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    if w->'spec' is null then
        delete from moments o using metrics m where m.key = w->>'key' and not m.builtin and o.metric = m.key;  -- of experiments that named it once
        delete from metrics where key = w->>'key' and not builtin;
    else
        insert into metrics as m (key, spec) values (w->>'key', w->'spec')
        on conflict (key) do update set spec = excluded.spec, version = m.version + 1, updated_at = now() where not m.builtin;
    end if;
end
$$;

CREATE FUNCTION public.config_write_object(w json) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.day_parts(wanted date) RETURNS TABLE(of_table text, part text, bucket_lo integer, bucket_hi integer)
    LANGUAGE sql STABLE
    AS $$
    select d.of_table, c.relname::text, b.bounds[1]::integer, b.bounds[2]::integer - 1
    from (values ('signals'), ('exposures')) d(of_table)
    join pg_inherits i on i.inhparent = to_regclass(d.of_table || '_' || to_char(wanted, 'YYYYMMDD'))
    join pg_class c on c.oid = i.inhrelid
    cross join lateral regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''?(\d+)''?\) TO \(''?(\d+)''?\)') b(bounds)
    order by d.of_table desc, 3
$$;

CREATE FUNCTION public.dictionary_delete(wanted text, expected bigint, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    was dictionaries%rowtype;
    user_ text;
begin
    perform pg_advisory_xact_lock(hashtext('experimentd dictionaries'));
    select * into was from dictionaries d where d.name = wanted;
    if not found then
        return jsonb_build_object('refused', 'missing');
    elsif expected is not null and expected <> was.version then
        return jsonb_build_object('refused', 'version', 'version', was.version);
    end if;
    select j.id into user_ from jobs j where j.params->>'dictionary' = wanted order by 1 limit 1;
    if found then
        return jsonb_build_object('refused', 'used', 'detail', user_);
    end if;
    delete from dictionaries where name = wanted;
    insert into revisions (actor, subject, action, before, after)
    values (dictionary_delete.actor, 'dictionary:' || wanted, 'delete', dictionary_document(was), null);
    return '{}';
end
$$;

CREATE TABLE public.dictionaries (
    name text NOT NULL COLLATE pg_catalog."C",
    content text NOT NULL,
    words integer NOT NULL,
    total bigint NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text NOT NULL,
    CONSTRAINT dictionaries_name CHECK ((name ~ '^[a-z0-9][a-z0-9_.-]{0,63}$'::text))
);

CREATE FUNCTION public.dictionary_document(d public.dictionaries) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
    select jsonb_build_object('name', d.name, 'words', d.words, 'total', d.total, 'md5', md5(d.content), 'version', d.version)
$$;

CREATE FUNCTION public.dictionary_put(wanted text, content text, words integer, total bigint, expected bigint, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    was dictionaries%rowtype;
    now_ dictionaries%rowtype;
    found_ boolean;
begin
    perform pg_advisory_xact_lock(hashtext('experimentd dictionaries'));
    select * into was from dictionaries d where d.name = wanted;
    found_ := found;
    if expected is not null and expected <> coalesce(was.version, 0) then
        return jsonb_build_object('refused', 'version', 'version', coalesce(was.version, 0));
    elsif found_ and was.content = dictionary_put.content then
        return jsonb_build_object('version', was.version, 'created', false);
    end if;
    insert into dictionaries as d (name, content, words, total, updated_by)
    values (wanted, dictionary_put.content, dictionary_put.words, dictionary_put.total, actor)
    on conflict (name) do update set (content, words, total, version, updated_at, updated_by) =
        (excluded.content, excluded.words, excluded.total, d.version + 1, now(), excluded.updated_by)
    returning * into now_;
    insert into revisions (actor, subject, action, before, after)
    values (dictionary_put.actor, 'dictionary:' || wanted, case when found_ then 'replace' else 'create' end,
            case when found_ then dictionary_document(was) end, dictionary_document(now_));
    return jsonb_build_object('version', now_.version, 'created', not found_);
end
$$;

CREATE FUNCTION public.drop_repeats_of_day(wanted date) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
    dropped bigint;
begin
    delete from signals s using (
        select tableoid as part, ctid as place, row_number() over (partition by id order by received_at, tableoid, ctid) as nth
        from signals
        where at >= wanted::timestamp at time zone 'UTC' and at < (wanted + 1)::timestamp at time zone 'UTC'
    ) r
    where s.tableoid = r.part and s.ctid = r.place and r.nth > 1
      and s.at >= wanted::timestamp at time zone 'UTC' and s.at < (wanted + 1)::timestamp at time zone 'UTC';
    get diagnostics dropped = row_count;
    return dropped;
end
$$;

CREATE FUNCTION public.ensure_partition(wanted date) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    parent text;
    day_name text;
    part text;
begin
    foreach parent in array array['signals', 'exposures'] loop
        day_name := parent || '_' || to_char(wanted, 'YYYYMMDD');
        continue when to_regclass(day_name) is not null;
        perform pg_advisory_xact_lock(hashtext('experimentd partitions'));
        continue when to_regclass(day_name) is not null;
        execute format('create table %I (like %I including all) partition by range (bucket)', day_name, parent);
        for i in 0..3 loop
            part := day_name || '_' || i;
            execute format('create table %I partition of %I for values from (%s) to (%s)', part, day_name, i * 1024, (i + 1) * 1024);
        end loop;
        execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, day_name,
                       wanted::timestamp at time zone 'UTC', (wanted + 1)::timestamp at time zone 'UTC');
    end loop;
end
$$;

CREATE FUNCTION public.erase_aggregated(wanted text) RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
declare
    t text;
    n bigint;
    erased bigint := 0;
begin
    for t in select a.name from aggregation_tables a where a.of_units and to_regclass(format('aggregations.%I', a.name)) is not null order by 1 loop
        execute format('delete from aggregations.%I where unit = $1', t) using wanted;
        get diagnostics n = row_count;
        erased := erased + n;
    end loop;
    return erased;
end
$_$;

CREATE FUNCTION public.erase_unit(wanted text, wanted_bucket smallint) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    signals bigint;
    exposures bigint;
    identities bigint;
    sticky bigint;
    marks bigint;
    sessions bigint;
    preferences bigint;
    history bigint;
begin
    delete from signals s where s.bucket = wanted_bucket and s.unit = wanted;
    get diagnostics signals = row_count;
    delete from exposures e where e.bucket = wanted_bucket and e.unit = wanted;
    get diagnostics exposures = row_count;
    delete from identities i where i.unit = wanted or i.user_id = wanted;
    get diagnostics identities = row_count;
    delete from sticky_assignments a where a.value = wanted;
    get diagnostics sticky = row_count;
    delete from marked_units m where m.unit = wanted;
    get diagnostics marks = row_count;
    delete from sessions s where s.bucket = wanted_bucket and s.unit = wanted;
    get diagnostics sessions = row_count;
    delete from session_marks s where s.unit = wanted;
    delete from user_item_prefs p where p.unit = wanted;
    get diagnostics preferences = row_count;
    delete from user_query_history h where h.unit = wanted;
    get diagnostics history = row_count;
    update revisions r set subject = 'mark:', before = null, after = null where r.subject = 'mark:' || wanted;  -- that it was, not whom
    return jsonb_build_object('signals', signals, 'exposures', exposures, 'identities', identities, 'sticky_assignments', sticky,
                              'marks', marks, 'sessions', sessions, 'preferences', preferences, 'history', history,
                              'aggregations', erase_aggregated(wanted));
end
$$;

CREATE FUNCTION public.erased_unit_add(of_hash bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    insert into erased_units (hash) values (of_hash) on conflict (hash) do update set erased_at = excluded.erased_at;
    perform pg_notify('experimentd_models', '');
end
$$;

CREATE FUNCTION public.erased_units_sweep() RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
    swept bigint;
begin
    delete from erased_units e where e.erased_at < now() - interval '1 day' and
        not exists (select from artifacts a where a.created_at < e.erased_at + interval '1 day');
    get diagnostics swept = row_count;
    return swept;
end
$$;

CREATE FUNCTION public.feature_names(spec jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE
    AS $$
    select array(select e.value ->> 'name' from jsonb_array_elements(spec -> 'features') with ordinality e order by e.ordinality)
$$;

CREATE FUNCTION public.feature_rows_delete(wanted text, of_query text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.feature_rows_put(wanted text, features integer, given jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.feature_set_delete(wanted text, expected bigint, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE TABLE public.feature_sets (
    name text NOT NULL COLLATE pg_catalog."C",
    description text DEFAULT ''::text NOT NULL,
    spec jsonb NOT NULL,
    rows bigint DEFAULT 0 NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    rows_at timestamp with time zone,
    updated_by text NOT NULL,
    CONSTRAINT feature_sets_name CHECK ((name ~ '^[a-z0-9][a-z0-9_.-]{0,63}$'::text)),
    CONSTRAINT feature_sets_spec CHECK ((jsonb_typeof((spec -> 'features'::text)) = 'array'::text))
);

CREATE FUNCTION public.feature_set_document(s public.feature_sets) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
    select jsonb_build_object('name', s.name, 'description', s.description, 'spec', s.spec, 'rows', s.rows, 'version', s.version)
$$;

CREATE FUNCTION public.feature_set_put(wanted text, description text, spec jsonb, expected bigint, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.fill_query_texts(wanted date) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
    from_at timestamptz := wanted::timestamp at time zone 'UTC';
    to_at timestamptz := (wanted + 1)::timestamp at time zone 'UTC';
    filled bigint;
begin
    update signals s set query = q.query
    from (select distinct on (r.query_id) r.query_id, r.query from signals r
          where r.at >= from_at - interval '1 day' and r.at < to_at + interval '1 day'
            and r.query_id is not null and r.query is not null
          order by r.query_id, (r.type = 'request') desc, r.at) q
    where s.at >= from_at and s.at < to_at and s.query is null and s.query_id = q.query_id;
    get diagnostics filled = row_count;
    return filled;
end
$$;

CREATE FUNCTION public.items_delete(ids jsonb, OUT gone bigint, OUT unknown bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.items_put(documents jsonb, merge boolean, OUT created bigint, OUT changed bigint, OUT unchanged bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
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

CREATE TABLE public.jobs (
    id text NOT NULL,
    type text NOT NULL,
    name text NOT NULL,
    params jsonb DEFAULT '{}'::jsonb NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    engine text DEFAULT 'local'::text NOT NULL,
    workers integer DEFAULT 0 NOT NULL,
    triggers jsonb DEFAULT '[]'::jsonb NOT NULL,
    concurrency text DEFAULT 'skip'::text NOT NULL,
    catch_up text DEFAULT 'once'::text NOT NULL,
    max_retries integer DEFAULT 0 NOT NULL,
    retry_after_seconds integer DEFAULT 60 NOT NULL,
    timeout_seconds integer DEFAULT 0 NOT NULL,
    notify jsonb,
    timezone text DEFAULT 'UTC'::text NOT NULL,
    predefined boolean DEFAULT false NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    scheduled_to timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text,
    CONSTRAINT jobs_catch_up CHECK ((catch_up = ANY (ARRAY['skip'::text, 'once'::text, 'all'::text]))),
    CONSTRAINT jobs_concurrency CHECK ((concurrency = ANY (ARRAY['skip'::text, 'queue'::text]))),
    CONSTRAINT jobs_engine CHECK ((engine = ANY (ARRAY['local'::text, 'spark'::text]))),
    CONSTRAINT jobs_id CHECK ((id ~ '^[a-z0-9][a-z0-9._-]{0,63}$'::text)),
    CONSTRAINT jobs_max_retries CHECK ((max_retries >= 0)),
    CONSTRAINT jobs_notify CHECK ((jsonb_typeof(notify) = 'object'::text)),
    CONSTRAINT jobs_params CHECK ((jsonb_typeof(params) = 'object'::text)),
    CONSTRAINT jobs_retry_after CHECK ((retry_after_seconds >= 0)),
    CONSTRAINT jobs_timeout CHECK ((timeout_seconds >= 0)),
    CONSTRAINT jobs_triggers CHECK ((jsonb_typeof(triggers) = 'array'::text)),
    CONSTRAINT jobs_workers CHECK ((workers >= 0))
);

CREATE FUNCTION public.job_document(j public.jobs) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
    select to_jsonb(j) - 'scheduled_to' - 'created_at' - 'updated_at' - 'updated_by'
$$;

CREATE FUNCTION public.job_edit(wanted text, action text, expected bigint, doc jsonb, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.job_triggers_check(wanted text, triggers jsonb) RETURNS text
    LANGUAGE sql STABLE
    AS $$
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

CREATE FUNCTION public.judgment_set_delete(wanted text, expected bigint, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    was judgment_sets%rowtype;
    user_ text;
begin
    perform judgments_lock();
    select * into was from judgment_sets s where s.name = wanted;
    if not found then
        return jsonb_build_object('refused', 'missing');
    elsif expected is not null and expected <> was.version then
        return jsonb_build_object('refused', 'version', 'version', was.version);
    end if;
    select j.id into user_ from jobs j where wanted in (j.params->>'judgments', j.params->>'human') order by 1 limit 1;
    if found then
        return jsonb_build_object('refused', 'used', 'detail', user_);
    end if;
    delete from judgment_sets where name = wanted;
    insert into revisions (actor, subject, action, before, after)
    values (judgment_set_delete.actor, 'judgments:' || wanted, 'delete', judgment_set_document(was), null);
    return '{}';
end
$$;

CREATE TABLE public.judgment_sets (
    name text NOT NULL COLLATE pg_catalog."C",
    description text DEFAULT ''::text NOT NULL,
    source text DEFAULT 'human'::text NOT NULL,
    max_grade real DEFAULT 3 NOT NULL,
    spec jsonb DEFAULT '{}'::jsonb NOT NULL,
    tally jsonb DEFAULT '{}'::jsonb NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    run uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text,
    CONSTRAINT judgment_sets_max_grade CHECK (((max_grade > (0)::double precision) AND (max_grade <= ('1000000'::numeric)::double precision))),
    CONSTRAINT judgment_sets_name CHECK ((name ~ '^[a-z0-9][a-z0-9_.-]{0,63}$'::text)),
    CONSTRAINT judgment_sets_source CHECK ((source = ANY (ARRAY['human'::text, 'clicks'::text, 'merged'::text, 'import'::text]))),
    CONSTRAINT judgment_sets_spec CHECK ((jsonb_typeof(spec) = 'object'::text))
);

CREATE FUNCTION public.judgment_set_document(s public.judgment_sets) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
    select jsonb_build_object('name', s.name, 'description', s.description, 'source', s.source, 'max_grade', s.max_grade, 'spec', s.spec,
                              'tally', s.tally, 'version', s.version)
$$;

CREATE FUNCTION public.judgment_set_put(wanted text, props jsonb, ratings jsonb, mode text, expected bigint, of_run uuid, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    was judgment_sets%rowtype;
    now_ judgment_sets%rowtype;
    found_ boolean;
    highest real;
    over_ jsonb;
    before_ jsonb;
    few boolean := ratings is not null and jsonb_array_length(ratings) <= 50;
    created bigint := 0;
    changed bigint := 0;
    unchanged bigint := 0;
    deleted bigint := 0;
begin
    perform judgments_lock();
    select * into was from judgment_sets s where s.name = wanted;
    found_ := found;
    if found_ and props->>'must' = 'be_new' then
        return jsonb_build_object('refused', 'exists');
    elsif not found_ and props->>'must' = 'exist' then
        return jsonb_build_object('refused', 'missing');
    elsif expected is not null and expected <> coalesce(was.version, 0) then
        return jsonb_build_object('refused', 'version', 'version', coalesce(was.version, 0));
    elsif found_ and of_run is not null and was.source in ('human', 'import') then
        return jsonb_build_object('refused', 'source', 'detail', was.source);
    end if;
    highest := coalesce((props->>'max_grade')::real, was.max_grade,
                        greatest(1, (select max((r.value ->> 2)::real) from jsonb_array_elements(ratings) r)));
    select jsonb_build_array(r.value ->> 0, r.value ->> 1, r.value -> 2, r.ordinality) into over_
    from jsonb_array_elements(ratings) with ordinality r where (r.value ->> 2)::real > highest order by r.ordinality limit 1;
    if over_ is null and found_ and highest < was.max_grade then
        select jsonb_build_array(j.query, j.doc, j.grade, 0) into over_ from judgments j
        where j.set_name = wanted and j.grade > highest and (ratings is null or mode <> 'replace' or (of_run is not null and j.edited_at is not null))
        order by j.grade desc, j.query, j.doc limit 1;
    end if;
    if over_ is not null then
        return jsonb_build_object('refused', 'grade', 'detail', over_, 'max_grade', highest);
    end if;
    insert into judgment_sets as s (name, description, source, max_grade, spec, run, updated_by)
    values (wanted, coalesce(props->>'description', was.description, ''), coalesce(props->>'source', was.source, 'human'), highest,
            coalesce(props->'spec', was.spec, '{}'), coalesce(of_run, was.run), actor)
    on conflict (name) do update set (description, source, max_grade, spec, run) =
        (excluded.description, excluded.source, excluded.max_grade, excluded.spec, excluded.run)
    returning * into now_;
    if ratings is not null then
        before_ := case when few then judgments_named(wanted, ratings) end;
        with given as materialized (
            select distinct on (1, 2) r.value ->> 0 as query, r.value ->> 1 as doc, (r.value ->> 2)::real as grade,
                (r.value ->> 3)::real as confidence, (r.value ->> 4)::real as evidence, coalesce(r.value ->> 5, 'human') as source,
                r.value ->> 6 as judge
            from jsonb_array_elements(ratings) with ordinality r order by 1, 2, r.ordinality desc),
        gone as (
            delete from judgments j where j.set_name = wanted and mode = 'replace' and (of_run is null or j.edited_at is null)
                and (j.query, j.doc) not in (select g.query, g.doc from given g) -- a hash table; "not exists" may be planned as a nested loop
            returning 1),
        written as (
            insert into judgments as j (set_name, query, doc, grade, confidence, evidence, source, judge, edited_at)
            select wanted, g.query, g.doc, g.grade, g.confidence, g.evidence, g.source, g.judge,
                case when (props->>'edited')::boolean then now() end
            from given g
            on conflict (set_name, query, doc) do update
            set (grade, confidence, evidence, source, judge, edited_at) =
                (excluded.grade, excluded.confidence, excluded.evidence, excluded.source, excluded.judge, excluded.edited_at)
            where (j.grade, j.confidence, j.evidence, j.source, j.judge)
                is distinct from (excluded.grade, excluded.confidence, excluded.evidence, excluded.source, excluded.judge)
                and (of_run is null or j.edited_at is null)
            returning (xmax = 0) as made)
        select count(*) filter (where made), count(*) filter (where not made), (select count(*) from given) - count(*), (select count(*) from gone)
        into created, changed, unchanged, deleted from written;
        delete from judgments p where p.set_name = wanted and p.doc = ''
            and exists (select from judgments j where j.set_name = wanted and j.query = p.query and j.doc <> '');
    end if;
    if found_ and created + changed + deleted = 0 and (now_.description, now_.source, now_.max_grade, now_.spec) =
        (was.description, was.source, was.max_grade, was.spec) then
        return jsonb_build_object('version', was.version, 'new', false, 'created', 0, 'changed', 0, 'unchanged', unchanged, 'deleted', 0);
    end if;
    update judgment_sets s set tally = judgments_tally(wanted, highest), version = case when found_ then s.version + 1 else 1 end,
        updated_at = now(), updated_by = actor where s.name = wanted returning * into now_;
    insert into revisions (actor, subject, action, before, after)
    values (judgment_set_put.actor, 'judgments:' || wanted, case when found_ then 'edit' else 'create' end,
            case when found_ then judgment_set_document(was) || case when few then jsonb_build_object('ratings', before_) else '{}' end end,
            judgment_set_document(now_) || case when few then jsonb_build_object('ratings', judgments_named(wanted, ratings)) else '{}' end);
    return jsonb_build_object('version', now_.version, 'new', not found_, 'created', created, 'changed', changed, 'unchanged', unchanged,
                              'deleted', deleted);
end
$$;

CREATE FUNCTION public.judgments_delete(wanted text, ratings jsonb, expected bigint, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    was judgment_sets%rowtype;
    now_ judgment_sets%rowtype;
    before_ jsonb;
    gone bigint;
begin
    perform judgments_lock();
    select * into was from judgment_sets s where s.name = wanted;
    if not found then
        return jsonb_build_object('refused', 'missing');
    elsif expected is not null and expected <> was.version then
        return jsonb_build_object('refused', 'version', 'version', was.version);
    end if;
    before_ := case when jsonb_array_length(ratings) <= 50 then judgments_named(wanted, ratings) end;
    delete from judgments j using (select distinct r.value ->> 0 as query, r.value ->> 1 as doc from jsonb_array_elements(ratings) r) g
    where j.set_name = wanted and j.query = g.query and (j.doc = g.doc or g.doc is null);
    get diagnostics gone = row_count;
    if gone > 0 then
        update judgment_sets s set tally = judgments_tally(wanted, s.max_grade), version = s.version + 1, updated_at = now(), updated_by = actor
        where s.name = wanted returning * into now_;
        insert into revisions (actor, subject, action, before, after)
        values (judgments_delete.actor, 'judgments:' || wanted, 'edit',
                judgment_set_document(was) || case when before_ is null then '{}' else jsonb_build_object('ratings', before_) end,
                judgment_set_document(now_));
    end if;
    return jsonb_build_object('version', was.version + (gone > 0)::int, 'new', false, 'created', 0, 'changed', 0, 'unchanged', 0, 'deleted', gone);
end
$$;

CREATE FUNCTION public.judgments_lock() RETURNS void
    LANGUAGE sql
    AS $$
    select pg_advisory_xact_lock(hashtext('experimentd judgments'))
$$;

CREATE FUNCTION public.judgments_named(wanted text, ratings jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select coalesce(jsonb_agg(jsonb_build_array(j.query, j.doc, j.grade, j.confidence, j.evidence, j.source, j.judge) order by j.query, j.doc), '[]')
    from (select distinct r.value ->> 0 as query, r.value ->> 1 as doc from jsonb_array_elements(ratings) r) g
    join judgments j on j.set_name = wanted and j.query = g.query and (j.doc = g.doc or g.doc is null)
$$;

CREATE FUNCTION public.judgments_tally(wanted text, highest real) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    with j as materialized (select query, doc, grade, source from judgments where set_name = wanted),
    grade as (select grade, count(*) as n from j where grade is not null group by 1),
    few as (select count(*) <= 12 as yes from grade),
    bar as (
        select grade as low, grade as high, n from grade, few where yes
        union all
        select (highest * b / 10)::real, (highest * (b + 1) / 10)::real, sum(n)
        from (select least(9, floor(grade / highest * 10)) as b, n from grade) x, few where not yes group by b)
    select jsonb_build_object(
        'queries', (select count(distinct query) from j), 'documents', (select count(distinct doc) from j where doc <> ''),
        'judgments', (select count(*) from j where grade is not null), 'unjudged', (select count(*) from j where grade is null),
        'human', (select count(*) from j where grade is not null and source = 'human'),
        'grades', (select coalesce(jsonb_agg(jsonb_build_object('from', low, 'to', high, 'count', n) order by low), '[]') from bar))
$$;

CREATE FUNCTION public.labelled_set_delete(wanted text, expected bigint, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE TABLE public.labelled_sets (
    name text NOT NULL COLLATE pg_catalog."C",
    version bigint DEFAULT 1 NOT NULL,
    run uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text NOT NULL,
    CONSTRAINT labelled_sets_name CHECK ((name ~ '^[a-z0-9][a-z0-9_.-]{0,63}$'::text))
);

CREATE FUNCTION public.labelled_set_document(s public.labelled_sets) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select jsonb_build_object('name', s.name, 'version', s.version, 'texts', count(*), 'labels', count(distinct t.label))
    from labelled_texts t where t.set_name = s.name
$$;

CREATE FUNCTION public.labelled_set_end(wanted text, made boolean, before jsonb, of_run uuid, actor text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.labelled_set_open(wanted text, expected bigint, actor text, OUT made boolean, OUT before jsonb) RETURNS record
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.labelled_text_delete(wanted text, of_text text, with_label text, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.labelled_texts_add(wanted text, rows jsonb, of_run uuid) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.labelled_texts_put(wanted text, rows jsonb, all_ boolean, expected bigint, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.lose_runs(silent interval) RETURNS SETOF uuid
    LANGUAGE sql
    AS $$
    update runs set state = 'lost', epoch = epoch + 1, finished_at = now(), error = 'the coordinator ended without a word'
    where id in (select id from runs where state in ('running', 'publishing') and heartbeat_at < now() - silent for update skip locked)
    returning id
$$;

CREATE FUNCTION public.metric_sql_check(query text) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
    rows refcursor;
    why text;
begin
    if (select rolsuper from pg_roles where rolname = current_user) then
        return 'this server''s database role is a superuser, as which no SQL of a metric is run';
    end if;
    perform set_config('transaction_read_only', 'on', true);
    open rows for execute query;    -- one statement that gives rows, or an error; nothing is fetched
    close rows;
    return null;
exception when others then
    get stacked diagnostics why = message_text;
    return why;
end
$$;

CREATE FUNCTION public.model_alias_before(entry bigint) RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
    with recursive back as (
        select l.before as id from model_alias_log l where l.id = entry
        union all
        select l.before from back b join model_alias_log l on l.id = b.id
        join model_versions v on v.model = l.model and v.version = l.version where v.status = 'deleted')
    select l.id from back b join model_alias_log l on l.id = b.id
    join model_versions v on v.model = l.model and v.version = l.version where v.status <> 'deleted' limit 1
$$;

CREATE FUNCTION public.model_alias_drop(of_model text, of_alias text, of_version integer, actor text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.model_alias_rollback(of_model text, of_alias text, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.model_alias_set(of_model text, of_alias text, wanted integer, of_action text, actor text, forced boolean DEFAULT false, expected integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.model_loop_offer(of_model text, of_version integer, passed boolean, actor text, why text, proof jsonb) RETURNS text
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.model_loop_put(of_model text, wanted jsonb, expected bigint, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.model_loop_step(of_model text, of_step text, of_version integer, of_experiment text, of_phase integer, actor text, why text, proof jsonb, next jsonb) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.model_loop_wish(of_model text, wanted text, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.model_version_add(of_model text, of_kind text, doc jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.model_version_drop(of_model text, of_version integer) RETURNS void
    LANGUAGE sql
    AS $$
    update model_versions set status = 'deleted', artifact = null, edit = edit + 1 where model = of_model and version = of_version
$$;

CREATE FUNCTION public.models_sweep(keep integer, days integer) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.note_changed_rows() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    insert into day_changes (day, part, head, writer, changes)
    select (at at time zone 'UTC')::date, bucket / 1024, (at at time zone 'UTC')::time < '01:00',
           '00000000-0000-0000-0000-000000000000'::uuid, 1
    from changed group by 1, 2, 3 order by 1, 2, 3
    on conflict (day, part, head, writer) do update set changes = day_changes.changes + 1;
    return null;
end
$$;

CREATE FUNCTION public.note_loaded_days(days date[], parts smallint[], heads boolean[], by_writer uuid) RETURNS void
    LANGUAGE sql
    AS $$
    select set_config('experimentd.days_noted', 'on', true);
    insert into day_changes (day, part, head, writer, changes)
    select d, p, h, by_writer, 1 from unnest(days, parts, heads) as u(d, p, h) order by 1, 2, 3
    on conflict (day, part, head, writer) do update set changes = day_changes.changes + 1
$$;

CREATE FUNCTION public.note_unknown_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if tg_op = 'TRUNCATE' or current_setting('experimentd.days_noted', true) is distinct from 'on' then
        update unknown_changes set changes = changes + 1;
    end if;
    return null;
end
$$;

CREATE FUNCTION public.query_set_content(wanted text) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select coalesce(jsonb_agg(jsonb_build_array(q.query, q.weight, q.params) order by q.position), '[]') from query_set_queries q where q.set_name = wanted
$$;

CREATE FUNCTION public.query_set_delete(wanted text, expected bigint, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    was query_sets%rowtype;
    user_ text;
begin
    perform judgments_lock();
    select * into was from query_sets s where s.name = wanted;
    if not found then
        return jsonb_build_object('refused', 'missing');
    elsif expected is not null and expected <> was.version then
        return jsonb_build_object('refused', 'version', 'version', was.version);
    end if;
    select j.id into user_ from jobs j where j.params->>'query_set' = wanted order by 1 limit 1;
    if found then
        return jsonb_build_object('refused', 'used', 'detail', user_);
    end if;
    delete from query_sets where name = wanted;
    insert into revisions (actor, subject, action, before, after)
    values (query_set_delete.actor, 'query-set:' || wanted, 'delete', query_set_document(was), null);
    return '{}';
end
$$;

CREATE TABLE public.query_sets (
    name text NOT NULL COLLATE pg_catalog."C",
    description text DEFAULT ''::text NOT NULL,
    sampling text DEFAULT 'manual'::text NOT NULL,
    spec jsonb DEFAULT '{}'::jsonb NOT NULL,
    queries integer DEFAULT 0 NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    run uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text,
    CONSTRAINT query_sets_name CHECK ((name ~ '^[a-z0-9][a-z0-9_.-]{0,63}$'::text)),
    CONSTRAINT query_sets_sampling CHECK ((sampling = ANY (ARRAY['manual'::text, 'topn'::text, 'pptss'::text, 'random'::text, 'stratified'::text]))),
    CONSTRAINT query_sets_spec CHECK ((jsonb_typeof(spec) = 'object'::text))
);

CREATE FUNCTION public.query_set_document(s public.query_sets) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
    select jsonb_build_object('name', s.name, 'description', s.description, 'sampling', s.sampling, 'spec', s.spec, 'queries', s.queries,
                              'version', s.version)
$$;

CREATE FUNCTION public.query_set_fill(wanted text, content jsonb) RETURNS void
    LANGUAGE sql
    AS $$
    delete from query_set_queries where set_name = wanted;
    insert into query_set_queries (set_name, position, query, weight, params)
    select wanted, row_number() over (order by c.ordinality), c.value ->> 0, coalesce((c.value ->> 1)::real, 1), nullif(c.value -> 2, 'null')
    from jsonb_array_elements(content) with ordinality c
$$;

CREATE FUNCTION public.query_set_put(wanted text, props jsonb, queries jsonb, mode text, expected bigint, of_run uuid, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    was query_sets%rowtype;
    now_ query_sets%rowtype;
    found_ boolean;
    before_ jsonb;
    after_ jsonb;
begin
    perform judgments_lock();
    select * into was from query_sets s where s.name = wanted;
    found_ := found;
    if found_ and props->>'must' = 'be_new' then
        return jsonb_build_object('refused', 'exists');
    elsif not found_ and props->>'must' = 'exist' then
        return jsonb_build_object('refused', 'missing');
    elsif expected is not null and expected <> coalesce(was.version, 0) then
        return jsonb_build_object('refused', 'version', 'version', coalesce(was.version, 0));
    elsif found_ and of_run is not null and was.sampling = 'manual' then
        return jsonb_build_object('refused', 'source', 'detail', was.sampling);
    end if;
    before_ := query_set_content(wanted);
    select coalesce(jsonb_agg(c.value order by c.first), '[]') into after_ from (
        select (array_agg(a.value order by a.n desc))[1] as value, min(a.n) as first
        from jsonb_array_elements(case when mode = 'replace' and queries is not null then '[]' else before_ end || coalesce(queries, '[]'))
            with ordinality a (value, n) group by a.value ->> 0) c;
    insert into query_sets as s (name, description, sampling, spec, run, updated_by)
    values (wanted, coalesce(props->>'description', was.description, ''), coalesce(props->>'sampling', was.sampling, 'manual'),
            coalesce(props->'spec', was.spec, '{}'), coalesce(of_run, was.run), actor)
    on conflict (name) do update set (description, sampling, spec, run) = (excluded.description, excluded.sampling, excluded.spec, excluded.run)
    returning * into now_;
    if after_ is distinct from before_ then
        perform query_set_fill(wanted, after_);
        after_ := query_set_content(wanted);
    end if;
    if found_ and after_ = before_ and (now_.description, now_.sampling, now_.spec) = (was.description, was.sampling, was.spec) then
        return jsonb_build_object('version', was.version, 'new', false, 'queries', was.queries);
    end if;
    update query_sets s set queries = jsonb_array_length(after_), version = case when found_ then s.version + 1 else 1 end, updated_at = now(),
        updated_by = actor where s.name = wanted returning * into now_;
    insert into revisions (actor, subject, action, before, after)
    values (query_set_put.actor, 'query-set:' || wanted, case when found_ then 'edit' else 'create' end,
            case when found_ then query_set_document(was) end, query_set_document(now_));
    return jsonb_build_object('version', now_.version, 'new', not found_, 'queries', now_.queries);
end
$$;

CREATE FUNCTION public.query_set_remove(wanted text, gone jsonb, expected bigint, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    before_ jsonb := query_set_content(wanted);
    after_ jsonb;
    answer jsonb;
begin
    perform judgments_lock();
    before_ := query_set_content(wanted);
    select coalesce(jsonb_agg(c.value order by c.n), '[]') into after_ from jsonb_array_elements(before_) with ordinality c (value, n)
    where not gone ? (c.value ->> 0);
    answer := query_set_put(wanted, '{"must": "exist"}', after_, 'replace', expected, null, actor);
    return answer || case when answer ? 'refused' then '{}' else
        jsonb_build_object('deleted', jsonb_array_length(before_) - jsonb_array_length(after_)) end;
end
$$;

CREATE FUNCTION public.queue_run(run uuid, job text, trigger text, due timestamp with time zone DEFAULT NULL::timestamp with time zone, after_run uuid DEFAULT NULL::uuid, attempt integer DEFAULT 1, asked_by text DEFAULT NULL::text, not_before timestamp with time zone DEFAULT NULL::timestamp with time zone, state text DEFAULT 'queued'::text, note text DEFAULT NULL::text, params jsonb DEFAULT NULL::jsonb) RETURNS uuid
    LANGUAGE sql
    AS $$
    insert into runs (id, job, params, engine, workers, state, started_at, finished_at, job_id, trigger, trigger_run, triggered_by, due_at, attempt,
                      timeout_seconds, not_before, note)
    select queue_run.run, j.type, coalesce(queue_run.params, j.params), j.engine, j.workers, queue_run.state, null,
           case when queue_run.state = 'skipped' then now() end, j.id, queue_run.trigger, queue_run.after_run, queue_run.asked_by, queue_run.due,
           queue_run.attempt, j.timeout_seconds, queue_run.not_before, queue_run.note
    from jobs j where j.id = queue_run.job
    on conflict do nothing returning id
$$;

CREATE TABLE public.query_rewrites (
    id bigint NOT NULL,
    type text NOT NULL,
    input text NOT NULL COLLATE pg_catalog."C",
    output text NOT NULL COLLATE pg_catalog."C",
    bidirectional boolean DEFAULT false NOT NULL,
    confidence real NOT NULL,
    confidence_class text GENERATED ALWAYS AS (
CASE
    WHEN (confidence >= (0.8)::double precision) THEN 'high'::text
    WHEN (confidence >= (0.5)::double precision) THEN 'medium'::text
    ELSE 'low'::text
END) STORED NOT NULL,
    review text NOT NULL,
    source text NOT NULL,
    job text,
    run uuid,
    evidence jsonb DEFAULT '{}'::jsonb NOT NULL,
    searches bigint DEFAULT 0 NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    reviewed_at timestamp with time zone,
    reviewed_by text,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT query_rewrites_bidirectional CHECK (((NOT bidirectional) OR (type = 'synonym'::text))),
    CONSTRAINT query_rewrites_changes CHECK (((input = output) = (type = 'phrase'::text))),
    CONSTRAINT query_rewrites_confidence CHECK (((confidence >= (0)::double precision) AND (confidence <= (1)::double precision))),
    CONSTRAINT query_rewrites_evidence CHECK ((jsonb_typeof(evidence) = 'object'::text)),
    CONSTRAINT query_rewrites_input CHECK (((octet_length(input) >= 1) AND (octet_length(input) <= 512))),
    CONSTRAINT query_rewrites_output CHECK (((octet_length(output) >=
CASE
    WHEN (type = 'remove_words'::text) THEN 0
    ELSE 1
END) AND (octet_length(output) <= 512))),
    CONSTRAINT query_rewrites_review CHECK ((review = ANY (ARRAY['pending'::text, 'auto'::text, 'approved'::text, 'denied'::text]))),
    CONSTRAINT query_rewrites_source CHECK ((source = ANY (ARRAY['job'::text, 'manual'::text]))),
    CONSTRAINT query_rewrites_type CHECK ((type = ANY (ARRAY['query'::text, 'spelling'::text, 'head_tail'::text, 'remove_words'::text, 'phrase'::text, 'synonym'::text])))
);

CREATE FUNCTION public.rewrite_document(q public.query_rewrites) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
    select jsonb_build_object('id', q.id, 'type', q.type, 'input', q.input, 'output', q.output, 'bidirectional', q.bidirectional,
                              'confidence', q.confidence, 'review', q.review, 'source', q.source, 'note', q.note, 'version', q.version)
$$;

CREATE FUNCTION public.rewrite_edit(wanted bigint, action text, expected bigint, doc jsonb, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    was query_rewrites%rowtype;
    now_ query_rewrites%rowtype;
    fixed text;
    other bigint;
begin
    perform rewrites_lock();
    select * into was from query_rewrites where id = wanted for update;
    if not found then
        return jsonb_build_object('refused', 'missing');
    elsif expected is not null and expected <> was.version then
        return jsonb_build_object('refused', 'version', 'version', was.version);
    end if;
    if action = 'delete' then
        if was.source = 'job' then
            return jsonb_build_object('refused', 'job');
        end if;
        delete from query_rewrites where id = wanted;
    else
        select k into fixed from jsonb_object_keys(doc) k where was.source = 'job' and k not in ('review', 'note') order by k limit 1;
        if fixed is not null then
            return jsonb_build_object('refused', 'job', 'detail', fixed);
        end if;
        now_ := jsonb_populate_record(was, doc);
        select id into other from query_rewrites q where (q.type, q.input, q.output) = (now_.type, now_.input, now_.output) and q.id <> wanted;
        if found then
            return jsonb_build_object('refused', 'exists', 'detail', other::text);
        end if;
        update query_rewrites q set (input, output, bidirectional, confidence, review, note, updated_at, version) =
            (now_.input, now_.output, now_.bidirectional, now_.confidence, now_.review, now_.note, now(), was.version + 1),
            reviewed_at = case when doc ? 'review' then now() else q.reviewed_at end,
            reviewed_by = case when doc ? 'review' then rewrite_edit.actor else q.reviewed_by end
        where id = wanted returning * into now_;
    end if;
    insert into revisions (actor, subject, action, before, after)
    values (rewrite_edit.actor, 'rewrite:' || wanted, action, rewrite_document(was), case when action <> 'delete' then rewrite_document(now_) end);
    return jsonb_build_object('version', now_.version);
end
$$;

CREATE FUNCTION public.rewrite_matches(q public.query_rewrites, f jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    select (f->>'type' is null or q.type = any (string_to_array(f->>'type', ',')))
       and (f->>'review' is null or q.review = any (string_to_array(f->>'review', ',')))
       and (f->>'source' is null or q.source = any (string_to_array(f->>'source', ',')))
       and (f->>'confidence_class' is null or q.confidence_class = any (string_to_array(f->>'confidence_class', ',')))
       and (f->>'job' is null or q.job = f->>'job')
       and (f->>'min_confidence' is null or q.confidence >= (f->>'min_confidence')::real)
       and (f->>'max_confidence' is null or q.confidence <= (f->>'max_confidence')::real)
       and (f->>'min_searches' is null or q.searches >= (f->>'min_searches')::bigint)
       and (f->>'text' is null or position(f->>'text' in q.input) > 0 or position(f->>'text' in q.output) > 0)
$$;

CREATE FUNCTION public.rewrites_add(docs jsonb, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    doc jsonb;
    was query_rewrites%rowtype;
    now_ query_rewrites%rowtype;
    result text;
    answer jsonb := '[]';
begin
    perform rewrites_lock();
    for doc in select d from jsonb_array_elements(docs) with ordinality x (d, n) order by n loop
        select * into was from query_rewrites q
        where q.type = doc->>'type' and q.input = doc->>'input' and q.output = doc->>'output' for update;
        result := case when not found then 'created' when was.source = 'job' then 'replaced' else 'exists' end;
        if result = 'exists' then
            now_ := was;
        else
            insert into query_rewrites as q (type, input, output, bidirectional, confidence, review, source, note, reviewed_at, reviewed_by)
            values (doc->>'type', doc->>'input', doc->>'output', (doc->>'bidirectional')::boolean, (doc->>'confidence')::real, doc->>'review',
                    'manual', doc->>'note', now(), actor)
            on conflict (type, input, output) do update set
                (bidirectional, confidence, review, source, note, reviewed_at, reviewed_by, updated_at, version) =
                (excluded.bidirectional, excluded.confidence, excluded.review, 'manual', excluded.note, now(), excluded.reviewed_by, now(), q.version + 1)
            returning * into now_;
            insert into revisions (actor, subject, action, before, after)
            values (rewrites_add.actor, 'rewrite:' || now_.id, case result when 'created' then 'create' else 'replace' end,
                    case result when 'replaced' then rewrite_document(was) end, rewrite_document(now_));
        end if;
        answer := answer || jsonb_build_object('id', now_.id, 'result', result);
    end loop;
    return answer;
end
$$;

CREATE FUNCTION public.rewrites_lock() RETURNS void
    LANGUAGE sql
    AS $$
    select pg_advisory_xact_lock(hashtext('experimentd query_rewrites'))
$$;

CREATE FUNCTION public.rewrites_review(f jsonb, ids bigint[], wanted text, why text, expected bigint, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    found_ bigint[];
    missing bigint;
    changed bigint;
begin
    perform rewrites_lock();
    select coalesce(array_agg(q.id order by q.id), '{}') into found_ from query_rewrites q
    where case when ids is null then rewrite_matches(q, f) else q.id = any (ids) end;
    select i into missing from unnest(ids) i where not exists (select from query_rewrites q where q.id = i) order by i limit 1;
    if missing is not null then
        return jsonb_build_object('refused', 'missing', 'detail', missing::text);
    elsif expected is not null and expected <> cardinality(found_) then
        return jsonb_build_object('refused', 'count', 'detail', cardinality(found_)::text);
    end if;
    with was as (
        select q as row from query_rewrites q
        where q.id = any (found_) and (q.review <> wanted or (why is not null and q.note <> why)) for update),
    now_ as (
        update query_rewrites q set review = wanted, note = coalesce(why, q.note), reviewed_at = now(), reviewed_by = rewrites_review.actor,
               updated_at = now(), version = q.version + 1
        from was where q.id = (was.row).id returning was.row as before, q as after),
    told as (
        insert into revisions (actor, subject, action, before, after)
        select rewrites_review.actor, 'rewrite:' || (before).id, 'review', rewrite_document(before), rewrite_document(after)
        from now_ order by (before).id returning id)
    select count(*) into changed from told;
    return jsonb_build_object('matched', cardinality(found_), 'changed', changed);
end
$$;

CREATE FUNCTION public.rewrites_take(of_run uuid, of_type text, OUT found_rows bigint, OUT added bigint, OUT updated bigint, OUT unchanged bigint, OUT decided bigint, OUT removed bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
declare
    of_job text;
begin
    perform rewrites_lock();
    select coalesce(r.job_id, r.job) into of_job from runs r where r.id = of_run;
    create temporary table rewrites_taken on commit drop as
        select n.*, q.id, q.source, q.review,
               (q.confidence, q.bidirectional, q.evidence, q.searches, q.review) is distinct from
               (n.confidence, n.bidirectional, n.evidence, n.searches, case when n.automatic then 'auto' else 'pending' end) as differs
        from (select distinct on (input, output) * from pg_temp.rewrites_found order by input, output, confidence desc, automatic desc, searches desc) n
        left join query_rewrites q on q.type = of_type and q.input = n.input and q.output = n.output;
    select count(*), count(*) filter (where id is null), count(*) filter (where source = 'job' and review in ('pending', 'auto') and differs),
           count(*) filter (where source = 'job' and review in ('pending', 'auto') and not differs),
           count(*) filter (where source = 'manual' or review in ('approved', 'denied'))
    into found_rows, added, updated, unchanged, decided from pg_temp.rewrites_taken;
    update query_rewrites q set
        (job, run, confidence, evidence, searches) = (of_job, of_run, n.confidence, n.evidence, n.searches),
        bidirectional = case when n.review in ('pending', 'auto') then n.bidirectional else q.bidirectional end,
        review = case when n.review in ('pending', 'auto') then case when n.automatic then 'auto' else 'pending' end else q.review end,
        updated_at = case when n.differs and n.review in ('pending', 'auto') then now() else q.updated_at end,
        version = q.version + case when n.differs and n.review in ('pending', 'auto') then 1 else 0 end
    from pg_temp.rewrites_taken n where q.id = n.id and q.source = 'job';
    insert into query_rewrites (type, input, output, bidirectional, confidence, review, source, job, run, evidence, searches)
    select of_type, n.input, n.output, n.bidirectional, n.confidence, case when n.automatic then 'auto' else 'pending' end, 'job', of_job, of_run,
           n.evidence, n.searches
    from pg_temp.rewrites_taken n where n.id is null order by n.input, n.output;
    delete from query_rewrites q
    where q.type = of_type and q.source = 'job' and q.job = of_job and q.run is distinct from of_run and q.review in ('pending', 'auto');
    get diagnostics removed = row_count;
end
$$;

CREATE FUNCTION public.search_delete(wanted text, expected bigint, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE TABLE public.search_configs (
    name text NOT NULL COLLATE pg_catalog."C",
    description text DEFAULT ''::text NOT NULL,
    spec jsonb NOT NULL,
    lists integer DEFAULT 0 NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text,
    CONSTRAINT search_configs_name CHECK ((name ~ '^[a-z0-9][a-z0-9_.-]{0,63}$'::text)),
    CONSTRAINT search_configs_spec CHECK ((jsonb_typeof(spec) = 'object'::text))
);

CREATE FUNCTION public.search_document(s public.search_configs) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
    select jsonb_build_object('name', s.name, 'description', s.description, 'spec', s.spec, 'lists', s.lists, 'version', s.version)
$$;

CREATE FUNCTION public.search_lists_put(wanted text, lists jsonb, expected bigint, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.search_put(wanted text, description text, spec jsonb, expected bigint, actor text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.searches_lock() RETURNS void
    LANGUAGE sql
    AS $$
    select pg_advisory_xact_lock(hashtext('experimentd searches'))
$$;

CREATE FUNCTION public.staging_name(target text, run uuid, pass integer) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
    select left(target, 25) || '_' || replace(run::text, '-', '') || '_' || pass
$$;

CREATE FUNCTION public.staging_open(target text, of_run uuid, of_epoch integer, of_pass integer, keys bytea[]) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
    name constant text := staging_name(target, of_run, of_pass);
    qualified constant text := format('staging.%I', name);
begin
    perform 1 from runs where id = of_run and epoch = of_epoch and state = 'running' for update;
    if not found then
        return null;
    end if;
    if to_regclass(qualified) is not null and not exists (
        select from run_splits where run = of_run and pass = of_pass and key is distinct from keys[split + 1])
    then
        return qualified;
    end if;
    execute format('drop table if exists %s', qualified);
    delete from run_splits where run = of_run and pass = of_pass;
    execute format('create table %s (like %s including defaults including generated)', qualified, target::regclass);
    return qualified;
end
$$;

CREATE FUNCTION public.staging_sweep(lost_for interval DEFAULT '7 days'::interval) RETURNS integer
    LANGUAGE plpgsql
    AS $_$
declare
    t text;
    dropped integer := 0;
begin
    for t in
        select s.tablename from pg_tables s
        left join runs r on r.id = substring(s.tablename from '_([0-9a-f]{32})_[0-9]+$')::uuid
        where s.schemaname = 'staging' and s.tablename ~ '_[0-9a-f]{32}_[0-9]+$' and
              (r.id is null or r.state not in ('queued', 'running', 'publishing', 'lost') or
               (r.state = 'lost' and r.finished_at < now() - lost_for))
        order by 1
    loop
        execute format('drop table staging.%I', t);
        dropped := dropped + 1;
    end loop;
    delete from run_splits s using runs r where r.id = s.run and
        (r.state not in ('queued', 'running', 'publishing', 'lost') or (r.state = 'lost' and r.finished_at < now() - lost_for));
    return dropped;
end
$_$;

CREATE FUNCTION public.staging_take(target text, columns text, of_run uuid, of_pass integer) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
    name constant text := staging_name(target, of_run, of_pass);
    list constant text := (select string_agg(quote_ident(btrim(c)), ', ' order by n) from unnest(string_to_array(columns, ',')) with ordinality as t (c, n));
    moved bigint;
begin
    execute format('insert into %I (%s) select %s from staging.%I', target, list, list, name);
    get diagnostics moved = row_count;
    execute format('drop table staging.%I', name);
    delete from run_splits where run = of_run and pass = of_pass;
    return moved;
end
$$;

CREATE FUNCTION public.tell_models() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform pg_notify('experimentd_models', coalesce(new.model, old.model));
    return null;
end
$$;

CREATE FUNCTION public.tell_run() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform pg_notify('runs', new.id || ' ' || new.state || case when new.cancel_requested then ' cancel' else '' end);
    return null;
end
$$;

CREATE FUNCTION public.us(at timestamp with time zone) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    AS $$
    select coalesce((extract(epoch from at) * 1000000)::bigint, 0)
$$;

CREATE AGGREGATE public.items_merge(jsonb) (
    SFUNC = jsonb_concat,
    STYPE = jsonb,
    INITCOND = '{}'
);

CREATE TABLE public.aggregation_tables (
    name text NOT NULL,
    of_units boolean NOT NULL,
    params jsonb NOT NULL,
    run uuid NOT NULL,
    rows bigint NOT NULL,
    from_day date,
    to_day date,
    published_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.api_keys (
    id uuid NOT NULL,
    label text NOT NULL,
    scope text NOT NULL,
    hash bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    revoked_at timestamp with time zone,
    schema json,
    CONSTRAINT api_keys_scope CHECK ((scope = ANY (ARRAY['client'::text, 'qa'::text, 'analyst'::text, 'admin'::text])))
);

CREATE TABLE public.archive_store (
    singleton boolean DEFAULT true NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    CONSTRAINT archive_store_one_row CHECK (singleton)
);

CREATE TABLE public.archived_exposures (
    experiment text NOT NULL
);

CREATE TABLE public.archives (
    path text NOT NULL,
    of_table text NOT NULL,
    day date NOT NULL,
    bucket_lo integer NOT NULL,
    bucket_hi integer NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    checksum bigint NOT NULL,
    sealed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT archives_of_table CHECK ((of_table = ANY (ARRAY['signals'::text, 'exposures'::text])))
);

CREATE SEQUENCE public.archives_number
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.artifact_parts (
    digest text NOT NULL,
    part integer NOT NULL,
    content bytea NOT NULL
);
ALTER TABLE ONLY public.artifact_parts ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE TABLE public.artifacts (
    digest text NOT NULL,
    bytes bigint NOT NULL,
    kind text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT artifacts_bytes CHECK ((bytes > 0)),
    CONSTRAINT artifacts_digest CHECK ((digest ~ '^[0-9a-f]{64}$'::text))
);

CREATE TABLE public.bootstrap_intervals (
    experiment text NOT NULL,
    metric text NOT NULL,
    variant text NOT NULL,
    control text NOT NULL,
    n bigint NOT NULL,
    control_n bigint NOT NULL,
    difference double precision NOT NULL,
    difference_se double precision NOT NULL,
    difference_lo double precision NOT NULL,
    difference_hi double precision NOT NULL,
    lift double precision,
    lift_se double precision,
    lift_lo double precision,
    lift_hi double precision,
    level double precision NOT NULL,
    replicates integer NOT NULL,
    seed bigint NOT NULL,
    run uuid NOT NULL,
    CONSTRAINT bootstrap_intervals_lift CHECK ((num_nulls(lift, lift_se, lift_lo, lift_hi) = ANY (ARRAY[0, 4])))
);

CREATE TABLE public.config_objects (
    kind text NOT NULL,
    key text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    spec json NOT NULL,
    state jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT config_objects_key_format CHECK ((key ~ '^[a-z0-9][a-z0-9_.-]{0,99}$'::text)),
    CONSTRAINT config_objects_kind CHECK ((kind = ANY (ARRAY['layer'::text, 'domain'::text, 'segment'::text])))
);

CREATE TABLE public.config_version (
    singleton boolean DEFAULT true NOT NULL,
    version bigint NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT config_version_one_row CHECK (singleton)
);

CREATE TABLE public.day_changes (
    day date NOT NULL,
    part smallint NOT NULL,
    head boolean NOT NULL,
    writer uuid NOT NULL,
    changes bigint NOT NULL
)
WITH (fillfactor='50');

CREATE VIEW public.domains AS
 SELECT config_objects.key,
    config_objects.version,
    config_objects.spec,
    config_objects.state,
    config_objects.created_at,
    config_objects.updated_at
   FROM public.config_objects
  WHERE (config_objects.kind = 'domain'::text);

CREATE TABLE public.erased_units (
    hash bigint NOT NULL,
    erased_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE public.evaluation_queries (
    evaluation uuid NOT NULL,
    config text NOT NULL COLLATE pg_catalog."C",
    "position" integer NOT NULL,
    query text NOT NULL COLLATE pg_catalog."C",
    weight double precision NOT NULL,
    judged integer NOT NULL,
    docs jsonb NOT NULL,
    grades jsonb NOT NULL,
    metrics double precision[],
    error text
);

CREATE TABLE public.evaluations (
    id uuid NOT NULL,
    query_set text NOT NULL,
    judgments text,
    configs text[] NOT NULL,
    metrics text[] NOT NULL,
    queries integer NOT NULL,
    summary jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.experiments (
    key text NOT NULL,
    id integer NOT NULL,
    status text NOT NULL,
    origin text DEFAULT 'live'::text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    stopped_at timestamp with time zone,
    spec json NOT NULL,
    state jsonb DEFAULT '{}'::jsonb NOT NULL,
    kind text DEFAULT 'ab'::text NOT NULL,
    phase integer DEFAULT 1 NOT NULL,
    phase_started_at timestamp with time zone,
    concluded_at timestamp with time zone,
    CONSTRAINT experiments_key_format CHECK ((key ~ '^[a-z0-9][a-z0-9_.-]{0,99}$'::text)),
    CONSTRAINT experiments_kind CHECK ((kind = ANY (ARRAY['ab'::text, 'bandit'::text, 'interleave'::text, 'holdout'::text]))),
    CONSTRAINT experiments_origin CHECK ((origin = ANY (ARRAY['live'::text, 'imported'::text, 'simulated'::text]))),
    CONSTRAINT experiments_status CHECK ((status = ANY (ARRAY['draft'::text, 'running'::text, 'stopped'::text, 'concluded'::text])))
);

CREATE VIEW public.experiment_metrics AS
 SELECT e.key AS experiment,
    (x.v ->> 'metric'::text) AS metric,
    ((x.n - 1))::smallint AS "position",
    (x.v ->> 'role'::text) AS role
   FROM public.experiments e,
    LATERAL json_array_elements((e.spec -> 'metrics'::text)) WITH ORDINALITY x(v, n);

ALTER TABLE public.experiments ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.experiments_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.exposure_counts (
    experiment text NOT NULL,
    variant text NOT NULL,
    segment text DEFAULT ''::text NOT NULL,
    day date NOT NULL,
    units bigint NOT NULL,
    several bigint NOT NULL
);

CREATE TABLE public.exposures (
    at timestamp with time zone NOT NULL,
    bucket smallint NOT NULL,
    experiment text NOT NULL,
    variant text NOT NULL,
    unit text NOT NULL,
    dims jsonb
)
PARTITION BY RANGE (at);

CREATE TABLE public.feature_rows (
    set_name text NOT NULL COLLATE pg_catalog."C",
    query text NOT NULL COLLATE pg_catalog."C",
    doc text NOT NULL COLLATE pg_catalog."C",
    "values" real[] NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.golden_docs (
    doc text NOT NULL,
    clicks bigint NOT NULL,
    weight double precision NOT NULL
);

CREATE VIEW public.holdouts AS
 SELECT experiments.key,
    experiments.version,
    experiments.spec,
    experiments.status,
    experiments.created_at,
    experiments.started_at,
    experiments.stopped_at
   FROM public.experiments
  WHERE (experiments.kind = 'holdout'::text);

CREATE TABLE public.identities (
    user_id text NOT NULL,
    unit text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.import_position (
    file bytea NOT NULL,
    name text NOT NULL,
    "position" bigint NOT NULL,
    signals bigint NOT NULL,
    exposures bigint NOT NULL,
    rejected bigint NOT NULL,
    done boolean DEFAULT false NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.items (
    doc text NOT NULL COLLATE pg_catalog."C",
    fields jsonb NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT items_fields_are_an_object CHECK ((jsonb_typeof(fields) = 'object'::text))
);

CREATE TABLE public.items_state (
    singleton boolean DEFAULT true NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    documents bigint DEFAULT 0 NOT NULL,
    upserted bigint DEFAULT 0 NOT NULL,
    deleted bigint DEFAULT 0 NOT NULL,
    changed_at timestamp with time zone,
    CONSTRAINT items_state_one_row CHECK (singleton)
);

CREATE TABLE public.journal_position (
    journal uuid NOT NULL,
    "position" bigint NOT NULL,
    host text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.judgments (
    set_name text NOT NULL COLLATE pg_catalog."C",
    query text NOT NULL COLLATE pg_catalog."C",
    doc text NOT NULL COLLATE pg_catalog."C",
    grade real,
    confidence real,
    evidence real,
    source text NOT NULL,
    judge text,
    edited_at timestamp with time zone,
    CONSTRAINT judgments_confidence CHECK (((confidence >= (0)::double precision) AND (confidence <= (1)::double precision))),
    CONSTRAINT judgments_doc CHECK ((octet_length(doc) <= 512)),
    CONSTRAINT judgments_evidence CHECK ((evidence >= (0)::double precision)),
    CONSTRAINT judgments_grade CHECK (((grade >= (0)::double precision) AND (grade <= ('1000000'::numeric)::double precision))),
    CONSTRAINT judgments_of_a_document CHECK (((doc <> ''::text) OR (grade IS NULL))),
    CONSTRAINT judgments_query CHECK (((octet_length(query) >= 1) AND (octet_length(query) <= 1024))),
    CONSTRAINT judgments_source CHECK ((source = ANY (ARRAY['human'::text, 'clicks'::text])))
);

CREATE TABLE public.labelled_texts (
    set_name text NOT NULL COLLATE pg_catalog."C",
    text text NOT NULL COLLATE pg_catalog."C",
    label text NOT NULL COLLATE pg_catalog."C",
    weight real DEFAULT 1 NOT NULL,
    source text NOT NULL COLLATE pg_catalog."C",
    run uuid,
    CONSTRAINT labelled_texts_label CHECK (((octet_length(label) >= 1) AND (octet_length(label) <= 200))),
    CONSTRAINT labelled_texts_source CHECK ((source = ANY (ARRAY['job'::text, 'manual'::text]))),
    CONSTRAINT labelled_texts_text CHECK (((octet_length(text) >= 1) AND (octet_length(text) <= 2000))),
    CONSTRAINT labelled_texts_weight CHECK (((weight > (0)::double precision) AND (weight <= ('1000000000'::numeric)::double precision)))
);

CREATE VIEW public.layers AS
 SELECT config_objects.key,
    config_objects.version,
    config_objects.spec,
    config_objects.created_at,
    config_objects.updated_at
   FROM public.config_objects
  WHERE (config_objects.kind = 'layer'::text);

CREATE TABLE public.load_batches (
    seq bigint NOT NULL,
    count integer NOT NULL,
    ids bytea NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY public.load_batches ALTER COLUMN ids SET STORAGE EXTERNAL;

ALTER TABLE public.load_batches ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.load_batches_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.marked_units (
    unit text NOT NULL,
    bucket smallint NOT NULL,
    mark smallint NOT NULL,
    by_hand boolean DEFAULT false NOT NULL,
    first_at timestamp with time zone,
    last_at timestamp with time zone,
    signals bigint DEFAULT 0 NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT marked_units_mark CHECK (((mark >= 0) AND (mark <= 4)))
);

CREATE TABLE public.metrics (
    key text NOT NULL,
    spec json NOT NULL,
    builtin boolean DEFAULT false NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    name text GENERATED ALWAYS AS ((spec ->> 'name'::text)) STORED,
    description text GENERATED ALWAYS AS ((spec ->> 'description'::text)) STORED,
    kind text GENERATED ALWAYS AS ((spec ->> 'kind'::text)) STORED NOT NULL,
    direction text GENERATED ALWAYS AS ((spec ->> 'direction'::text)) STORED NOT NULL,
    display text GENERATED ALWAYS AS ((spec ->> 'display'::text)) STORED NOT NULL,
    CONSTRAINT metrics_direction CHECK ((direction = ANY (ARRAY['increase'::text, 'decrease'::text]))),
    CONSTRAINT metrics_display CHECK ((display = ANY (ARRAY['share'::text, 'count'::text, 'seconds'::text, 'score'::text, 'money'::text]))),
    CONSTRAINT metrics_key_format CHECK ((key ~ '^[a-z0-9][a-z0-9_.-]{0,99}$'::text)),
    CONSTRAINT metrics_key_of_spec CHECK ((key = (spec ->> 'key'::text))),
    CONSTRAINT metrics_kind CHECK ((kind = ANY (ARRAY['proportion'::text, 'mean'::text, 'count'::text, 'ratio'::text, 'quantile'::text, 'retention'::text, 'funnel'::text])))
);

CREATE TABLE public.model_alias_log (
    id bigint NOT NULL,
    model text NOT NULL,
    alias text NOT NULL,
    version integer,
    before bigint,
    action text NOT NULL,
    set_at timestamp with time zone DEFAULT now() NOT NULL,
    set_by text,
    CONSTRAINT model_alias_log_action CHECK ((action = ANY (ARRAY['publish'::text, 'set'::text, 'rollback'::text, 'delete'::text])))
);

ALTER TABLE public.model_alias_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.model_alias_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.model_aliases (
    model text NOT NULL,
    alias text NOT NULL,
    version integer NOT NULL,
    log bigint NOT NULL,
    set_at timestamp with time zone DEFAULT now() NOT NULL,
    set_by text,
    CONSTRAINT model_aliases_alias CHECK ((alias ~ '^[a-z][a-z0-9._-]{0,63}$'::text))
);

CREATE TABLE public.model_loop_steps (
    id bigint NOT NULL,
    model text NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    step text NOT NULL,
    version integer,
    experiment text,
    phase integer,
    who text NOT NULL,
    reason text NOT NULL,
    evidence jsonb DEFAULT '{}'::jsonb NOT NULL,
    url text,
    told_at timestamp with time zone,
    tell_attempts integer DEFAULT 0 NOT NULL,
    CONSTRAINT model_loop_steps_step CHECK ((step = ANY (ARRAY['on'::text, 'changed'::text, 'off'::text, 'trained'::text, 'refused'::text, 'queued'::text, 'challenger'::text, 'started'::text, 'noticed'::text, 'paused'::text, 'awaiting'::text, 'approved'::text, 'rejected'::text, 'promoted'::text, 'dropped'::text, 'timed_out'::text, 'rolled_back'::text, 'stopped'::text])))
);

ALTER TABLE public.model_loop_steps ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.model_loop_steps_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.model_loops (
    model text NOT NULL,
    spec jsonb NOT NULL,
    state jsonb DEFAULT '{"phase": "idle"}'::jsonb NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.model_versions (
    model text NOT NULL,
    version integer NOT NULL,
    status text NOT NULL,
    run uuid,
    job_id text,
    artifact text,
    bytes bigint DEFAULT 0 NOT NULL,
    card jsonb DEFAULT '{}'::jsonb NOT NULL,
    metrics jsonb DEFAULT '{}'::jsonb NOT NULL,
    gate jsonb,
    parent_version integer,
    description text DEFAULT ''::text NOT NULL,
    tags jsonb DEFAULT '{}'::jsonb NOT NULL,
    edit bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text,
    CONSTRAINT model_versions_artifact CHECK (((artifact IS NOT NULL) OR (status = ANY (ARRAY['pending'::text, 'deleted'::text])))),
    CONSTRAINT model_versions_status CHECK ((status = ANY (ARRAY['pending'::text, 'ready'::text, 'refused'::text, 'deleted'::text]))),
    CONSTRAINT model_versions_tags CHECK ((jsonb_typeof(tags) = 'object'::text))
);

CREATE TABLE public.models (
    name text NOT NULL,
    kind text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    tags jsonb DEFAULT '{}'::jsonb NOT NULL,
    last_version integer DEFAULT 0 NOT NULL,
    edit bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT models_name CHECK ((name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'::text)),
    CONSTRAINT models_tags CHECK ((jsonb_typeof(tags) = 'object'::text))
);

CREATE TABLE public.moments (
    experiment text NOT NULL,
    metric text NOT NULL,
    variant text NOT NULL,
    segment text DEFAULT ''::text NOT NULL,
    day date NOT NULL,
    n bigint NOT NULL,
    mean_x double precision NOT NULL,
    m2_x double precision NOT NULL,
    mean_y double precision,
    m2_y double precision,
    cxy double precision,
    pre double precision[],
    sketch bytea
);

CREATE TABLE public.moments_current (
    experiment text NOT NULL,
    run uuid NOT NULL,
    as_of timestamp with time zone NOT NULL,
    units bigint NOT NULL,
    multiple_exposures bigint NOT NULL,
    published_at timestamp with time zone DEFAULT now() NOT NULL,
    marked_units bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.preferences (
    experiment text NOT NULL,
    a text NOT NULL,
    b text NOT NULL,
    segment text DEFAULT ''::text NOT NULL,
    day date NOT NULL,
    wins_a bigint NOT NULL,
    wins_b bigint NOT NULL,
    ties bigint NOT NULL,
    units bigint NOT NULL,
    mean_unit double precision NOT NULL,
    m2_unit double precision NOT NULL,
    mean_x double precision NOT NULL,
    m2_x double precision NOT NULL,
    mean_y double precision NOT NULL,
    m2_y double precision NOT NULL,
    cxy double precision NOT NULL
);

CREATE TABLE public.preferences_current (
    experiment text NOT NULL,
    run uuid NOT NULL,
    as_of timestamp with time zone NOT NULL,
    published_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.query_doc_weights (
    filters text NOT NULL COLLATE pg_catalog."C",
    query text NOT NULL COLLATE pg_catalog."C",
    rank integer NOT NULL,
    doc text NOT NULL COLLATE pg_catalog."C",
    weight double precision NOT NULL,
    signals bigint NOT NULL,
    counts jsonb NOT NULL,
    last_at timestamp with time zone NOT NULL
);

CREATE TABLE public.query_doc_weights_current (
    singleton boolean DEFAULT true NOT NULL,
    run uuid NOT NULL,
    as_of date NOT NULL,
    params jsonb NOT NULL,
    rows bigint NOT NULL,
    published_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT query_doc_weights_current_one_row CHECK (singleton)
);

ALTER TABLE public.query_rewrites ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.query_rewrites_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.query_set_queries (
    set_name text NOT NULL COLLATE pg_catalog."C",
    "position" integer NOT NULL,
    query text NOT NULL COLLATE pg_catalog."C",
    weight real DEFAULT 1 NOT NULL,
    params jsonb,
    CONSTRAINT query_set_queries_params CHECK ((jsonb_typeof(params) = 'object'::text)),
    CONSTRAINT query_set_queries_query CHECK (((octet_length(query) >= 1) AND (octet_length(query) <= 1024))),
    CONSTRAINT query_set_queries_weight CHECK (((weight >= (0)::double precision) AND (weight <= ('1000000000000000000000000000000'::numeric)::double precision)))
);

CREATE TABLE public.revisions (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    actor text NOT NULL,
    subject text NOT NULL,
    action text NOT NULL,
    before jsonb,
    after jsonb
);

ALTER TABLE public.revisions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.revisions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.run_log (
    run uuid NOT NULL,
    seq bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    source text NOT NULL,
    line text NOT NULL
);

CREATE TABLE public.run_passes (
    run uuid NOT NULL,
    pass smallint NOT NULL,
    name text NOT NULL,
    splits integer NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    rows_in bigint DEFAULT 0 NOT NULL,
    seconds double precision,
    done integer DEFAULT 0 NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.run_splits (
    run uuid NOT NULL,
    pass smallint NOT NULL,
    split integer NOT NULL,
    attempt integer NOT NULL,
    key bytea NOT NULL,
    rows bigint NOT NULL,
    checksum bytea NOT NULL,
    committed_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.runs (
    id uuid NOT NULL,
    job text NOT NULL,
    params jsonb NOT NULL,
    engine text NOT NULL,
    workers integer NOT NULL,
    state text NOT NULL,
    epoch integer DEFAULT 1 NOT NULL,
    started_at timestamp with time zone DEFAULT now(),
    heartbeat_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    progress real DEFAULT 0 NOT NULL,
    rows_in bigint DEFAULT 0 NOT NULL,
    retries integer DEFAULT 0 NOT NULL,
    error text,
    job_id text,
    trigger text DEFAULT 'shell'::text NOT NULL,
    trigger_run uuid,
    triggered_by text,
    due_at timestamp with time zone,
    queued_at timestamp with time zone DEFAULT now() NOT NULL,
    not_before timestamp with time zone,
    attempt integer DEFAULT 1 NOT NULL,
    timeout_seconds integer DEFAULT 0 NOT NULL,
    host text,
    pid integer,
    cancel_requested boolean DEFAULT false NOT NULL,
    pass text,
    log_lines bigint DEFAULT 0 NOT NULL,
    result jsonb,
    app_id text,
    ui_url text,
    note text,
    settled_at timestamp with time zone,
    notify_attempts integer DEFAULT 0 NOT NULL,
    notified_at timestamp with time zone,
    resumes integer DEFAULT 0 NOT NULL,
    CONSTRAINT runs_state CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'publishing'::text, 'success'::text, 'failed'::text, 'cancelled'::text, 'timeout'::text, 'skipped'::text, 'lost'::text]))),
    CONSTRAINT runs_trigger CHECK ((trigger = ANY (ARRAY['schedule'::text, 'manual'::text, 'job'::text, 'api'::text, 'shell'::text, 'retry'::text])))
);

CREATE TABLE public.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    checksum bytea NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.search_lists (
    config text NOT NULL COLLATE pg_catalog."C",
    query text NOT NULL COLLATE pg_catalog."C",
    docs jsonb NOT NULL,
    CONSTRAINT search_lists_docs CHECK ((jsonb_typeof(docs) = 'array'::text)),
    CONSTRAINT search_lists_query CHECK (((octet_length(query) >= 1) AND (octet_length(query) <= 1024)))
);

CREATE VIEW public.segments AS
 SELECT config_objects.key,
    config_objects.version,
    config_objects.spec,
    config_objects.created_at,
    config_objects.updated_at
   FROM public.config_objects
  WHERE (config_objects.kind = 'segment'::text);

CREATE TABLE public.session_days (
    day date NOT NULL,
    bucket_lo integer NOT NULL,
    bucket_hi integer NOT NULL,
    seen text NOT NULL
);

CREATE TABLE public.session_marks (
    unit text NOT NULL,
    bucket smallint NOT NULL
);

CREATE TABLE public.sessions (
    day date NOT NULL,
    bucket smallint NOT NULL,
    unit text NOT NULL,
    session text,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    signals bigint NOT NULL,
    queries bigint NOT NULL,
    clicks bigint NOT NULL,
    carts bigint NOT NULL,
    purchases bigint NOT NULL,
    revenue double precision NOT NULL,
    first_query text,
    last_query text
);

CREATE TABLE public.signals (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    bucket smallint NOT NULL,
    type text NOT NULL,
    unit text NOT NULL,
    session text,
    query_id text,
    query text,
    doc text,
    "position" integer,
    value double precision,
    params jsonb,
    user_id text,
    mark smallint DEFAULT 0 NOT NULL
)
PARTITION BY RANGE (at);

CREATE TABLE public.sticky_assignments (
    attribute text NOT NULL,
    value text NOT NULL,
    experiment text NOT NULL,
    variant text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
)
PARTITION BY HASH (value);

CREATE TABLE public.sticky_assignments_0 (
    attribute text NOT NULL,
    value text NOT NULL,
    experiment text NOT NULL,
    variant text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.sticky_assignments_1 (
    attribute text NOT NULL,
    value text NOT NULL,
    experiment text NOT NULL,
    variant text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.sticky_assignments_2 (
    attribute text NOT NULL,
    value text NOT NULL,
    experiment text NOT NULL,
    variant text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.sticky_assignments_3 (
    attribute text NOT NULL,
    value text NOT NULL,
    experiment text NOT NULL,
    variant text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.sticky_assignments_4 (
    attribute text NOT NULL,
    value text NOT NULL,
    experiment text NOT NULL,
    variant text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.sticky_assignments_5 (
    attribute text NOT NULL,
    value text NOT NULL,
    experiment text NOT NULL,
    variant text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.sticky_assignments_6 (
    attribute text NOT NULL,
    value text NOT NULL,
    experiment text NOT NULL,
    variant text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.sticky_assignments_7 (
    attribute text NOT NULL,
    value text NOT NULL,
    experiment text NOT NULL,
    variant text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.unit_deletion_journals (
    deletion uuid NOT NULL,
    journal uuid NOT NULL,
    "position" bigint NOT NULL
);

CREATE TABLE public.unit_deletions (
    id uuid NOT NULL,
    unit text,
    bucket smallint,
    state text DEFAULT 'waiting'::text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    finished_at timestamp with time zone,
    removed jsonb DEFAULT '{}'::jsonb NOT NULL,
    error text,
    CONSTRAINT unit_deletions_state CHECK ((state = ANY (ARRAY['waiting'::text, 'unlinking'::text, 'done'::text])))
);

CREATE TABLE public.unit_tables_current (
    of_table text NOT NULL,
    run uuid NOT NULL,
    as_of date NOT NULL,
    params jsonb NOT NULL,
    rows bigint NOT NULL,
    published_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT unit_tables_current_table CHECK ((of_table = ANY (ARRAY['user_item_prefs'::text, 'user_query_history'::text])))
);

CREATE TABLE public.unknown_changes (
    singleton boolean DEFAULT true NOT NULL,
    changes bigint NOT NULL,
    CONSTRAINT unknown_changes_one_row CHECK (singleton)
);

CREATE TABLE public.user_item_prefs (
    bucket smallint NOT NULL,
    unit text NOT NULL COLLATE pg_catalog."C",
    doc text NOT NULL COLLATE pg_catalog."C",
    rank integer NOT NULL,
    weight double precision NOT NULL,
    signals bigint NOT NULL,
    last_at timestamp with time zone NOT NULL,
    counts jsonb NOT NULL
);

CREATE TABLE public.user_query_history (
    bucket smallint NOT NULL,
    unit text NOT NULL COLLATE pg_catalog."C",
    query text NOT NULL COLLATE pg_catalog."C",
    rank integer NOT NULL,
    weight double precision NOT NULL,
    signals bigint NOT NULL,
    last_at timestamp with time zone NOT NULL,
    counts jsonb NOT NULL,
    queries bigint NOT NULL,
    clicks bigint NOT NULL,
    docs jsonb NOT NULL
);

CREATE VIEW public.variants AS
 SELECT e.key AS experiment,
    ((x.n - 1))::smallint AS "position",
    (x.v ->> 'key'::text) AS key,
    COALESCE((x.v ->> 'name'::text), ''::text) AS name,
    ((x.v ->> 'weight'::text))::double precision AS weight,
    (x.v -> 'value'::text) AS value
   FROM public.experiments e,
    LATERAL json_array_elements((e.spec -> 'variants'::text)) WITH ORDINALITY x(v, n);

ALTER TABLE ONLY public.sticky_assignments ATTACH PARTITION public.sticky_assignments_0 FOR VALUES WITH (modulus 8, remainder 0);

ALTER TABLE ONLY public.sticky_assignments ATTACH PARTITION public.sticky_assignments_1 FOR VALUES WITH (modulus 8, remainder 1);

ALTER TABLE ONLY public.sticky_assignments ATTACH PARTITION public.sticky_assignments_2 FOR VALUES WITH (modulus 8, remainder 2);

ALTER TABLE ONLY public.sticky_assignments ATTACH PARTITION public.sticky_assignments_3 FOR VALUES WITH (modulus 8, remainder 3);

ALTER TABLE ONLY public.sticky_assignments ATTACH PARTITION public.sticky_assignments_4 FOR VALUES WITH (modulus 8, remainder 4);

ALTER TABLE ONLY public.sticky_assignments ATTACH PARTITION public.sticky_assignments_5 FOR VALUES WITH (modulus 8, remainder 5);

ALTER TABLE ONLY public.sticky_assignments ATTACH PARTITION public.sticky_assignments_6 FOR VALUES WITH (modulus 8, remainder 6);

ALTER TABLE ONLY public.sticky_assignments ATTACH PARTITION public.sticky_assignments_7 FOR VALUES WITH (modulus 8, remainder 7);

ALTER TABLE ONLY public.aggregation_tables
    ADD CONSTRAINT aggregation_tables_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_hash_unique UNIQUE (hash);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.archive_store
    ADD CONSTRAINT archive_store_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY public.archived_exposures
    ADD CONSTRAINT archived_exposures_pkey PRIMARY KEY (experiment);

ALTER TABLE ONLY public.archives
    ADD CONSTRAINT archives_pkey PRIMARY KEY (path);

ALTER TABLE ONLY public.artifact_parts
    ADD CONSTRAINT artifact_parts_pkey PRIMARY KEY (digest, part);

ALTER TABLE ONLY public.artifacts
    ADD CONSTRAINT artifacts_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.bootstrap_intervals
    ADD CONSTRAINT bootstrap_intervals_pkey PRIMARY KEY (experiment, metric, variant);

ALTER TABLE ONLY public.config_objects
    ADD CONSTRAINT config_objects_pkey PRIMARY KEY (kind, key);

ALTER TABLE ONLY public.config_version
    ADD CONSTRAINT config_version_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY public.day_changes
    ADD CONSTRAINT day_changes_pkey PRIMARY KEY (day, part, head, writer);

ALTER TABLE ONLY public.dictionaries
    ADD CONSTRAINT dictionaries_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.erased_units
    ADD CONSTRAINT erased_units_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.evaluation_queries
    ADD CONSTRAINT evaluation_queries_pkey PRIMARY KEY (evaluation, config, "position");

ALTER TABLE ONLY public.evaluations
    ADD CONSTRAINT evaluations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.experiments
    ADD CONSTRAINT experiments_id_unique UNIQUE (id);

ALTER TABLE ONLY public.experiments
    ADD CONSTRAINT experiments_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.exposure_counts
    ADD CONSTRAINT exposure_counts_pkey PRIMARY KEY (experiment, variant, segment, day);

ALTER TABLE ONLY public.feature_rows
    ADD CONSTRAINT feature_rows_pkey PRIMARY KEY (set_name, query, doc);

ALTER TABLE ONLY public.feature_sets
    ADD CONSTRAINT feature_sets_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.golden_docs
    ADD CONSTRAINT golden_docs_pkey PRIMARY KEY (doc);

ALTER TABLE ONLY public.identities
    ADD CONSTRAINT identities_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.import_position
    ADD CONSTRAINT import_position_pkey PRIMARY KEY (file);

ALTER TABLE ONLY public.items
    ADD CONSTRAINT items_pkey PRIMARY KEY (doc);

ALTER TABLE ONLY public.items_state
    ADD CONSTRAINT items_state_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.journal_position
    ADD CONSTRAINT journal_position_pkey PRIMARY KEY (journal);

ALTER TABLE ONLY public.judgment_sets
    ADD CONSTRAINT judgment_sets_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.judgments
    ADD CONSTRAINT judgments_pkey PRIMARY KEY (set_name, query, doc);

ALTER TABLE ONLY public.labelled_sets
    ADD CONSTRAINT labelled_sets_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.labelled_texts
    ADD CONSTRAINT labelled_texts_pkey PRIMARY KEY (set_name, text, label);

ALTER TABLE ONLY public.load_batches
    ADD CONSTRAINT load_batches_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY public.marked_units
    ADD CONSTRAINT marked_units_pkey PRIMARY KEY (unit);

ALTER TABLE ONLY public.metrics
    ADD CONSTRAINT metrics_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.model_alias_log
    ADD CONSTRAINT model_alias_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.model_aliases
    ADD CONSTRAINT model_aliases_pkey PRIMARY KEY (model, alias);

ALTER TABLE ONLY public.model_loop_steps
    ADD CONSTRAINT model_loop_steps_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.model_loops
    ADD CONSTRAINT model_loops_pkey PRIMARY KEY (model);

ALTER TABLE ONLY public.model_versions
    ADD CONSTRAINT model_versions_pkey PRIMARY KEY (model, version);

ALTER TABLE ONLY public.models
    ADD CONSTRAINT models_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.moments_current
    ADD CONSTRAINT moments_current_pkey PRIMARY KEY (experiment);

ALTER TABLE ONLY public.moments
    ADD CONSTRAINT moments_pkey PRIMARY KEY (experiment, metric, variant, segment, day);

ALTER TABLE ONLY public.preferences_current
    ADD CONSTRAINT preferences_current_pkey PRIMARY KEY (experiment);

ALTER TABLE ONLY public.preferences
    ADD CONSTRAINT preferences_pkey PRIMARY KEY (experiment, a, b, segment, day);

ALTER TABLE ONLY public.query_doc_weights_current
    ADD CONSTRAINT query_doc_weights_current_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY public.query_doc_weights
    ADD CONSTRAINT query_doc_weights_pkey PRIMARY KEY (query, filters, rank);

ALTER TABLE ONLY public.query_rewrites
    ADD CONSTRAINT query_rewrites_once UNIQUE (type, input, output);

ALTER TABLE ONLY public.query_rewrites
    ADD CONSTRAINT query_rewrites_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.query_set_queries
    ADD CONSTRAINT query_set_queries_once UNIQUE (set_name, query);

ALTER TABLE ONLY public.query_set_queries
    ADD CONSTRAINT query_set_queries_pkey PRIMARY KEY (set_name, "position");

ALTER TABLE ONLY public.query_sets
    ADD CONSTRAINT query_sets_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.revisions
    ADD CONSTRAINT revisions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.run_log
    ADD CONSTRAINT run_log_pkey PRIMARY KEY (run, seq);

ALTER TABLE ONLY public.run_passes
    ADD CONSTRAINT run_passes_pkey PRIMARY KEY (run, pass);

ALTER TABLE ONLY public.run_splits
    ADD CONSTRAINT run_splits_pkey PRIMARY KEY (run, pass, split);

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_key PRIMARY KEY (version);

ALTER TABLE ONLY public.search_configs
    ADD CONSTRAINT search_configs_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.search_lists
    ADD CONSTRAINT search_lists_pkey PRIMARY KEY (config, query);

ALTER TABLE ONLY public.session_days
    ADD CONSTRAINT session_days_pkey PRIMARY KEY (day, bucket_lo);

ALTER TABLE ONLY public.session_marks
    ADD CONSTRAINT session_marks_pkey PRIMARY KEY (unit);

ALTER TABLE ONLY public.sticky_assignments
    ADD CONSTRAINT sticky_assignments_pkey PRIMARY KEY (attribute, value, experiment);

ALTER TABLE ONLY public.sticky_assignments_0
    ADD CONSTRAINT sticky_assignments_0_pkey PRIMARY KEY (attribute, value, experiment);

ALTER TABLE ONLY public.sticky_assignments_1
    ADD CONSTRAINT sticky_assignments_1_pkey PRIMARY KEY (attribute, value, experiment);

ALTER TABLE ONLY public.sticky_assignments_2
    ADD CONSTRAINT sticky_assignments_2_pkey PRIMARY KEY (attribute, value, experiment);

ALTER TABLE ONLY public.sticky_assignments_3
    ADD CONSTRAINT sticky_assignments_3_pkey PRIMARY KEY (attribute, value, experiment);

ALTER TABLE ONLY public.sticky_assignments_4
    ADD CONSTRAINT sticky_assignments_4_pkey PRIMARY KEY (attribute, value, experiment);

ALTER TABLE ONLY public.sticky_assignments_5
    ADD CONSTRAINT sticky_assignments_5_pkey PRIMARY KEY (attribute, value, experiment);

ALTER TABLE ONLY public.sticky_assignments_6
    ADD CONSTRAINT sticky_assignments_6_pkey PRIMARY KEY (attribute, value, experiment);

ALTER TABLE ONLY public.sticky_assignments_7
    ADD CONSTRAINT sticky_assignments_7_pkey PRIMARY KEY (attribute, value, experiment);

ALTER TABLE ONLY public.unit_deletion_journals
    ADD CONSTRAINT unit_deletion_journals_pkey PRIMARY KEY (deletion, journal);

ALTER TABLE ONLY public.unit_deletions
    ADD CONSTRAINT unit_deletions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.unit_tables_current
    ADD CONSTRAINT unit_tables_current_pkey PRIMARY KEY (of_table);

ALTER TABLE ONLY public.unknown_changes
    ADD CONSTRAINT unknown_changes_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY public.user_item_prefs
    ADD CONSTRAINT user_item_prefs_pkey PRIMARY KEY (unit, doc);

ALTER TABLE ONLY public.user_query_history
    ADD CONSTRAINT user_query_history_pkey PRIMARY KEY (unit, query);

CREATE INDEX archives_day ON public.archives USING btree (of_table, day);

CREATE INDEX evaluations_newest ON public.evaluations USING btree (created_at DESC, id);

CREATE INDEX labelled_texts_by_label ON public.labelled_texts USING btree (set_name, label, text);

CREATE INDEX marked_units_bucket ON public.marked_units USING btree (bucket);

CREATE INDEX model_alias_log_of ON public.model_alias_log USING btree (model, alias, id);

CREATE INDEX model_loop_steps_of ON public.model_loop_steps USING btree (model, id);

CREATE INDEX model_loop_steps_untold ON public.model_loop_steps USING btree (id) WHERE ((url IS NOT NULL) AND (told_at IS NULL));

CREATE INDEX model_versions_artifact ON public.model_versions USING btree (artifact) WHERE (artifact IS NOT NULL);

CREATE INDEX query_rewrites_review ON public.query_rewrites USING btree (review, type);

CREATE INDEX revisions_subject ON public.revisions USING btree (subject, id);

CREATE UNIQUE INDEX runs_after ON public.runs USING btree (job_id, trigger, trigger_run) WHERE (trigger = ANY (ARRAY['job'::text, 'retry'::text]));

CREATE INDEX runs_by_time ON public.runs USING btree (queued_at DESC, id DESC);

CREATE UNIQUE INDEX runs_due ON public.runs USING btree (job_id, due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX runs_of_job ON public.runs USING btree (job_id, queued_at DESC);

CREATE INDEX runs_open ON public.runs USING btree (state) WHERE (state = ANY (ARRAY['queued'::text, 'running'::text, 'publishing'::text]));

CREATE INDEX runs_unnotified ON public.runs USING btree (finished_at) WHERE ((job_id IS NOT NULL) AND (notified_at IS NULL));

CREATE INDEX runs_unsettled ON public.runs USING btree (finished_at) WHERE ((job_id IS NOT NULL) AND (settled_at IS NULL));

CREATE INDEX sessions_day ON public.sessions USING btree (day);

CREATE INDEX sessions_unit ON public.sessions USING btree (bucket, unit);

CREATE INDEX unit_deletions_open ON public.unit_deletions USING btree (requested_at) WHERE (state <> 'done'::text);

ALTER INDEX public.sticky_assignments_pkey ATTACH PARTITION public.sticky_assignments_0_pkey;

ALTER INDEX public.sticky_assignments_pkey ATTACH PARTITION public.sticky_assignments_1_pkey;

ALTER INDEX public.sticky_assignments_pkey ATTACH PARTITION public.sticky_assignments_2_pkey;

ALTER INDEX public.sticky_assignments_pkey ATTACH PARTITION public.sticky_assignments_3_pkey;

ALTER INDEX public.sticky_assignments_pkey ATTACH PARTITION public.sticky_assignments_4_pkey;

ALTER INDEX public.sticky_assignments_pkey ATTACH PARTITION public.sticky_assignments_5_pkey;

ALTER INDEX public.sticky_assignments_pkey ATTACH PARTITION public.sticky_assignments_6_pkey;

ALTER INDEX public.sticky_assignments_pkey ATTACH PARTITION public.sticky_assignments_7_pkey;

CREATE TRIGGER exposures_deleted AFTER DELETE ON public.exposures REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.note_changed_rows();

CREATE TRIGGER exposures_unknown AFTER INSERT OR TRUNCATE ON public.exposures FOR EACH STATEMENT EXECUTE FUNCTION public.note_unknown_change();

CREATE TRIGGER exposures_updated_from AFTER UPDATE ON public.exposures REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.note_changed_rows();

CREATE TRIGGER exposures_updated_to AFTER UPDATE ON public.exposures REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.note_changed_rows();

CREATE TRIGGER model_aliases_told AFTER INSERT OR DELETE OR UPDATE ON public.model_aliases FOR EACH ROW EXECUTE FUNCTION public.tell_models();

CREATE TRIGGER runs_told AFTER UPDATE ON public.runs FOR EACH ROW WHEN (((old.state IS DISTINCT FROM new.state) OR (old.cancel_requested IS DISTINCT FROM new.cancel_requested))) EXECUTE FUNCTION public.tell_run();

CREATE TRIGGER runs_told_new AFTER INSERT ON public.runs FOR EACH ROW EXECUTE FUNCTION public.tell_run();

CREATE TRIGGER signals_deleted AFTER DELETE ON public.signals REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.note_changed_rows();

CREATE TRIGGER signals_unknown AFTER INSERT OR TRUNCATE ON public.signals FOR EACH STATEMENT EXECUTE FUNCTION public.note_unknown_change();

CREATE TRIGGER signals_updated_from AFTER UPDATE ON public.signals REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.note_changed_rows();

CREATE TRIGGER signals_updated_to AFTER UPDATE ON public.signals REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.note_changed_rows();

ALTER TABLE ONLY public.artifact_parts
    ADD CONSTRAINT artifact_parts_digest_fkey FOREIGN KEY (digest) REFERENCES public.artifacts(digest) ON DELETE CASCADE;

ALTER TABLE ONLY public.bootstrap_intervals
    ADD CONSTRAINT bootstrap_intervals_experiment_fkey FOREIGN KEY (experiment) REFERENCES public.experiments(key) ON DELETE CASCADE;

ALTER TABLE ONLY public.bootstrap_intervals
    ADD CONSTRAINT bootstrap_intervals_run_fkey FOREIGN KEY (run) REFERENCES public.runs(id);

ALTER TABLE ONLY public.evaluation_queries
    ADD CONSTRAINT evaluation_queries_evaluation FOREIGN KEY (evaluation) REFERENCES public.evaluations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.exposure_counts
    ADD CONSTRAINT exposure_counts_experiment_fkey FOREIGN KEY (experiment) REFERENCES public.experiments(key) ON DELETE CASCADE;

ALTER TABLE ONLY public.feature_rows
    ADD CONSTRAINT feature_rows_set FOREIGN KEY (set_name) REFERENCES public.feature_sets(name) ON DELETE CASCADE;

ALTER TABLE ONLY public.judgments
    ADD CONSTRAINT judgments_set_name FOREIGN KEY (set_name) REFERENCES public.judgment_sets(name) ON DELETE CASCADE;

ALTER TABLE ONLY public.labelled_texts
    ADD CONSTRAINT labelled_texts_set_name_fkey FOREIGN KEY (set_name) REFERENCES public.labelled_sets(name) ON DELETE CASCADE;

ALTER TABLE ONLY public.model_alias_log
    ADD CONSTRAINT model_alias_log_model_fkey FOREIGN KEY (model) REFERENCES public.models(name) ON DELETE CASCADE;

ALTER TABLE ONLY public.model_aliases
    ADD CONSTRAINT model_aliases_model_fkey FOREIGN KEY (model) REFERENCES public.models(name) ON DELETE CASCADE;

ALTER TABLE ONLY public.model_aliases
    ADD CONSTRAINT model_aliases_version FOREIGN KEY (model, version) REFERENCES public.model_versions(model, version);

ALTER TABLE ONLY public.model_loop_steps
    ADD CONSTRAINT model_loop_steps_model FOREIGN KEY (model) REFERENCES public.models(name) ON DELETE CASCADE;

ALTER TABLE ONLY public.model_loops
    ADD CONSTRAINT model_loops_model FOREIGN KEY (model) REFERENCES public.models(name) ON DELETE CASCADE;

ALTER TABLE ONLY public.model_versions
    ADD CONSTRAINT model_versions_artifact_fkey FOREIGN KEY (artifact) REFERENCES public.artifacts(digest);

ALTER TABLE ONLY public.model_versions
    ADD CONSTRAINT model_versions_model_fkey FOREIGN KEY (model) REFERENCES public.models(name) ON DELETE CASCADE;

ALTER TABLE ONLY public.model_versions
    ADD CONSTRAINT model_versions_run_fkey FOREIGN KEY (run) REFERENCES public.runs(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.moments_current
    ADD CONSTRAINT moments_current_experiment_fkey FOREIGN KEY (experiment) REFERENCES public.experiments(key) ON DELETE CASCADE;

ALTER TABLE ONLY public.moments_current
    ADD CONSTRAINT moments_current_run_fkey FOREIGN KEY (run) REFERENCES public.runs(id);

ALTER TABLE ONLY public.moments
    ADD CONSTRAINT moments_experiment_fkey FOREIGN KEY (experiment) REFERENCES public.experiments(key) ON DELETE CASCADE;

ALTER TABLE ONLY public.moments
    ADD CONSTRAINT moments_metric_fkey FOREIGN KEY (metric) REFERENCES public.metrics(key);

ALTER TABLE ONLY public.preferences_current
    ADD CONSTRAINT preferences_current_experiment_fkey FOREIGN KEY (experiment) REFERENCES public.experiments(key) ON DELETE CASCADE;

ALTER TABLE ONLY public.preferences
    ADD CONSTRAINT preferences_experiment_fkey FOREIGN KEY (experiment) REFERENCES public.experiments(key) ON DELETE CASCADE;

ALTER TABLE ONLY public.query_doc_weights_current
    ADD CONSTRAINT query_doc_weights_current_run_fkey FOREIGN KEY (run) REFERENCES public.runs(id);

ALTER TABLE ONLY public.query_set_queries
    ADD CONSTRAINT query_set_queries_set_name FOREIGN KEY (set_name) REFERENCES public.query_sets(name) ON DELETE CASCADE;

ALTER TABLE ONLY public.run_log
    ADD CONSTRAINT run_log_run_fkey FOREIGN KEY (run) REFERENCES public.runs(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.run_passes
    ADD CONSTRAINT run_passes_run_fkey FOREIGN KEY (run) REFERENCES public.runs(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.run_splits
    ADD CONSTRAINT run_splits_run_fkey FOREIGN KEY (run) REFERENCES public.runs(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.search_lists
    ADD CONSTRAINT search_lists_config FOREIGN KEY (config) REFERENCES public.search_configs(name) ON DELETE CASCADE;

ALTER TABLE ONLY public.unit_deletion_journals
    ADD CONSTRAINT unit_deletion_journals_deletion_fkey FOREIGN KEY (deletion) REFERENCES public.unit_deletions(id) ON DELETE CASCADE;
