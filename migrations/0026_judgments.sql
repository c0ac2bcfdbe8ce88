-- What people, or clicks, say a document is worth to who searches for something (docs/judgments.md), and lists of queries to try rankings with.
-- Both are edited by the functions below, one after the other, so that what one counts is what the one before has left; each edit is one revision.
create table judgment_sets (
    name text collate "C" primary key constraint judgment_sets_name check (name ~ '^[a-z0-9][a-z0-9_.-]{0,63}$'),
    description text not null default '',
    source text not null default 'human' constraint judgment_sets_source check (source in ('human', 'clicks', 'merged', 'import')),
    max_grade real not null default 3 constraint judgment_sets_max_grade check (max_grade > 0 and max_grade <= 1e6),
    spec jsonb not null default '{}' constraint judgment_sets_spec check (jsonb_typeof(spec) = 'object'), -- how it was made
    tally jsonb not null default '{}',   -- {"queries", "documents", "judgments", "unjudged", "human", "grades": [{"from", "to", "count"}]}
    version bigint not null default 1,   -- raised by each edit of it or of its judgments
    run uuid,                            -- that made it, when a job did
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    updated_by text
);

create table judgments (
    set_name text collate "C" not null constraint judgments_set_name references judgment_sets (name) on delete cascade,
    query text collate "C" not null constraint judgments_query check (octet_length(query) between 1 and 1024),
    doc text collate "C" not null constraint judgments_doc check (octet_length(doc) <= 512), -- '': a query without documents
    grade real constraint judgments_grade check (grade between 0 and 1e6),                   -- null: to be judged
    confidence real constraint judgments_confidence check (confidence between 0 and 1),
    evidence real constraint judgments_evidence check (evidence >= 0),                       -- sessions behind it
    source text not null constraint judgments_source check (source in ('human', 'clicks')),
    judge text,
    edited_at timestamptz,               -- when a person put it here, one by one: a job that makes the set anew leaves it
    primary key (set_name, query, doc),
    constraint judgments_of_a_document check (doc <> '' or grade is null)
);

create table query_sets (
    name text collate "C" primary key constraint query_sets_name check (name ~ '^[a-z0-9][a-z0-9_.-]{0,63}$'),
    description text not null default '',
    sampling text not null default 'manual' constraint query_sets_sampling check (sampling in ('manual', 'topn', 'pptss', 'random', 'stratified')),
    spec jsonb not null default '{}' constraint query_sets_spec check (jsonb_typeof(spec) = 'object'),
    queries integer not null default 0,
    version bigint not null default 1,
    run uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    updated_by text
);

create table query_set_queries (
    set_name text collate "C" not null constraint query_set_queries_set_name references query_sets (name) on delete cascade,
    position integer not null,           -- from 1
    query text collate "C" not null constraint query_set_queries_query check (octet_length(query) between 1 and 1024),
    weight real not null default 1 constraint query_set_queries_weight check (weight >= 0 and weight <= 1e30),
    params jsonb constraint query_set_queries_params check (jsonb_typeof(params) = 'object'), -- what a template names beside the query
    primary key (set_name, position),
    constraint query_set_queries_once unique (set_name, query)
);

-- ---- judgments ----

create function judgments_lock() returns void language sql as $$
    select pg_advisory_xact_lock(hashtext('experimentd judgments'))
$$;

-- What a revision keeps of one: not its judgments.
create function judgment_set_document(s judgment_sets) returns jsonb language sql immutable as $$
    select jsonb_build_object('name', s.name, 'description', s.description, 'source', s.source, 'max_grade', s.max_grade, 'spec', s.spec,
                              'tally', s.tally, 'version', s.version)
$$;

-- Judgments as edits give them: [[query, doc, grade, confidence, evidence, source, judge] …]; of those the named ones that are there.
create function judgments_named(wanted text, ratings jsonb) returns jsonb language sql stable as $$
    select coalesce(jsonb_agg(jsonb_build_array(j.query, j.doc, j.grade, j.confidence, j.evidence, j.source, j.judge) order by j.query, j.doc), '[]')
    from (select distinct r.value ->> 0 as query, r.value ->> 1 as doc from jsonb_array_elements(ratings) r) g
    join judgments j on j.set_name = wanted and j.query = g.query and (j.doc = g.doc or g.doc is null)
$$;

-- Grades one by one while they are few, else in ten parts of the scale.
create function judgments_tally(wanted text, highest real) returns jsonb language sql stable as $$
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

-- Makes a set, or changes it. props: {"must": "be_new|exist", "description", "source", "max_grade", "spec", "edited"}: what is not in it stays.
-- ratings: [[query, doc, grade, confidence, evidence, source, judge] …], of one that comes twice the later one counts; null: none are given. mode:
-- 'merge', or 'replace': those that are not given go. expected: the version that was read, 0 for none, or null for any. of_run: a job makes it: not
-- out of what people brought, and what they put in one by one stays. Answers {"version", "new", "created", "changed", "unchanged", "deleted"}, or
-- {"refused": "exists|missing|version|source|grade", "version", "detail"}. What is the same already is not written.
create function judgment_set_put(wanted text, props jsonb, ratings jsonb, mode text, expected bigint, of_run uuid, actor text) returns jsonb language plpgsql as $$
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

-- Takes judgments away: [[query, doc] …]; doc null: all of the query. Answers as judgment_set_put.
create function judgments_delete(wanted text, ratings jsonb, expected bigint, actor text) returns jsonb language plpgsql as $$
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

-- Answers with {} or {"refused": "missing|version|used", "version", "detail"}: one that a job names stays.
create function judgment_set_delete(wanted text, expected bigint, actor text) returns jsonb language plpgsql as $$
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

-- ---- query sets ----

create function query_set_document(s query_sets) returns jsonb language sql immutable as $$
    select jsonb_build_object('name', s.name, 'description', s.description, 'sampling', s.sampling, 'spec', s.spec, 'queries', s.queries,
                              'version', s.version)
$$;

create function query_set_content(wanted text) returns jsonb language sql stable as $$
    select coalesce(jsonb_agg(jsonb_build_array(q.query, q.weight, q.params) order by q.position), '[]') from query_set_queries q where q.set_name = wanted
$$;

-- Writes what a set is to have: [[query, weight, params] …] in this order.
create function query_set_fill(wanted text, content jsonb) returns void language sql as $$
    delete from query_set_queries where set_name = wanted;
    insert into query_set_queries (set_name, position, query, weight, params)
    select wanted, row_number() over (order by c.ordinality), c.value ->> 0, coalesce((c.value ->> 1)::real, 1), nullif(c.value -> 2, 'null')
    from jsonb_array_elements(content) with ordinality c
$$;

-- Makes a set, or changes it. props: {"must": "be_new|exist", "description", "sampling", "spec"}; queries: [[query, weight, params] …], the later one of
-- two counts, at the place of the first; null: none are given. mode: 'replace', or 'merge': those that are there stay, new ones come behind them.
-- expected, of_run and the answer as of judgment_set_put; refused: "exists|missing|version|source".
create function query_set_put(wanted text, props jsonb, queries jsonb, mode text, expected bigint, of_run uuid, actor text) returns jsonb language plpgsql as $$
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

-- Takes queries out: ["query" …].
create function query_set_remove(wanted text, gone jsonb, expected bigint, actor text) returns jsonb language plpgsql as $$
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

create function query_set_delete(wanted text, expected bigint, actor text) returns jsonb language plpgsql as $$
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
