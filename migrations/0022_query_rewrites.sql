-- What is done to a query before it is searched, found by jobs (trainer/jobs/rewrites_put.h) or written by people, and what people say of it
-- (docs/query-rewriting.md). What is served is a version of model `rewrites`, made of what is here with review auto or approved.

-- type          input                    output                   what it does
-- query         a whole query            a whole query            a person's word: takes its place
-- spelling      one word or more         one word or more         takes its place, wherever it stands
-- head_tail     a whole query            a whole query            takes its place
-- remove_words  one word or more         what stays; '' nothing   takes its place, unless that leaves nothing
-- phrase        two words or more        the same                 belongs together: is quoted
-- synonym       one word or more         one word or more         is searched as well; bidirectional: the other way round, too
create table query_rewrites (
    id bigint generated always as identity primary key,
    type text not null constraint query_rewrites_type
        check (type in ('query', 'spelling', 'head_tail', 'remove_words', 'phrase', 'synonym')),
    input text collate "C" not null      -- lower case, one space between words
        constraint query_rewrites_input check (octet_length(input) between 1 and 512),
    output text collate "C" not null
        constraint query_rewrites_output check (octet_length(output) between case when type = 'remove_words' then 0 else 1 end and 512),
    bidirectional boolean not null default false constraint query_rewrites_bidirectional check (not bidirectional or type = 'synonym'),
    confidence real not null constraint query_rewrites_confidence check (confidence between 0 and 1),
    confidence_class text not null generated always as
        (case when confidence >= 0.8 then 'high' when confidence >= 0.5 then 'medium' else 'low' end) stored,
    review text not null constraint query_rewrites_review check (review in ('pending', 'auto', 'approved', 'denied')),
    source text not null constraint query_rewrites_source check (source in ('job', 'manual')),
    job text,                            -- the last one that found it: its id, or its type when it was run from a shell
    run uuid,
    evidence jsonb not null default '{}' constraint query_rewrites_evidence check (jsonb_typeof(evidence) = 'object'),
    searches bigint not null default 0,  -- that it would have changed, in the days that the job read
    note text not null default '',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    reviewed_at timestamptz,
    reviewed_by text,                    -- the name of a key
    version integer not null default 1,
    constraint query_rewrites_once unique (type, input, output),
    constraint query_rewrites_changes check ((input = output) = (type = 'phrase'))
);
create index query_rewrites_review on query_rewrites (review, type);

-- Every write takes it, so that those who write many rows never wait for each other in a circle.
create function rewrites_lock() returns void language sql as $$
    select pg_advisory_xact_lock(hashtext('experimentd query_rewrites'))
$$;

-- What a revision keeps of one.
create function rewrite_document(q query_rewrites) returns jsonb language sql immutable as $$
    select jsonb_build_object('id', q.id, 'type', q.type, 'input', q.input, 'output', q.output, 'bidirectional', q.bidirectional,
                              'confidence', q.confidence, 'review', q.review, 'source', q.source, 'note', q.note, 'version', q.version)
$$;

-- Whether it is one that a filter asks for. Members that are not there ask nothing; type, review, source and confidence_class may be several, with
-- commas between them; text is a part of input or output.
create function rewrite_matches(q query_rewrites, f jsonb) returns boolean language sql immutable as $$
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

-- Makes what people write of {"type", "input", "output", "bidirectional", "confidence", "review", "note"}: one that a job had found becomes theirs.
-- Answers with [{"id", "result": "created|replaced|exists"}], in the order of `docs`.
create function rewrites_add(docs jsonb, actor text) returns jsonb language plpgsql as $$
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

-- Action change: doc has the members that change; delete. `expected`: the version that was read, or null. Of what a job found only review and note
-- change, and it is not deleted: the job would find it again. Answers with {"version"} or {"refused": "missing|version|job|exists", "version", "detail"}.
create function rewrite_edit(wanted bigint, action text, expected bigint, doc jsonb, actor text) returns jsonb language plpgsql as $$
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

-- Sets the review of many: of `ids`, or, where that is null, of all that filter f asks for. `expected`: how many these are, as far as who asks knows, or
-- null. Answers with {"matched", "changed"} or {"refused": "missing|count", "detail"}, and then nothing is changed.
create function rewrites_review(f jsonb, ids bigint[], wanted text, why text, expected bigint, actor text) returns jsonb language plpgsql as $$
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

-- What a run found, in the session's temporary table rewrites_found, takes the place of what the same job had found before. What people decided stays
-- as they decided it; only the figures of it change. One row of counts.
create function rewrites_take(of_run uuid, of_type text, out found_rows bigint, out added bigint, out updated bigint, out unchanged bigint,
                              out decided bigint, out removed bigint) language plpgsql as $$
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
