-- judgment_set_put of 0026, but for what a replaced set no longer has: "not in" is looked up in a hash table, whatever was known of the table when the
-- plan was made. "not exists" became a nested loop when that was little: the square of a set's size.

-- Makes a set, or changes it. props: {"must": "be_new|exist", "description", "source", "max_grade", "spec", "edited"}: what is not in it stays.
-- ratings: [[query, doc, grade, confidence, evidence, source, judge] …], of one that comes twice the later one counts; null: none are given. mode:
-- 'merge', or 'replace': those that are not given go. expected: the version that was read, 0 for none, or null for any. of_run: a job makes it: not
-- out of what people brought, and what they put in one by one stays. Answers {"version", "new", "created", "changed", "unchanged", "deleted"}, or
-- {"refused": "exists|missing|version|source|grade", "version", "detail"}. What is the same already is not written.
create or replace function judgment_set_put(wanted text, props jsonb, ratings jsonb, mode text, expected bigint, of_run uuid, actor text) returns jsonb language plpgsql as $$
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
                and (j.query, j.doc) not in (select g.query, g.doc from given g)
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
