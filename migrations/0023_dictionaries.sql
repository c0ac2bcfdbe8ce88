-- Lists of words that people bring: what jobs take for correct (docs/spelling.md).
create table dictionaries (
    name text collate "C" primary key
        constraint dictionaries_name check (name ~ '^[a-z0-9][a-z0-9_.-]{0,63}$'),
    content text not null,               -- of each word a line: the word, a space, its count; no line twice in the same form
    words integer not null,
    total bigint not null,               -- sum of the counts
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    updated_by text not null
);

-- What a revision keeps of one: not the words.
create function dictionary_document(d dictionaries) returns jsonb language sql immutable as $$
    select jsonb_build_object('name', d.name, 'words', d.words, 'total', d.total, 'md5', md5(d.content), 'version', d.version)
$$;

-- Makes it, or takes the place of the one that is there. `expected`: the version that was read, 0 for none, or null for any. Answers with
-- {"version", "created"}, or {"refused": "version", "version"}. What is the same already is not written.
create function dictionary_put(wanted text, content text, words integer, total bigint, expected bigint, actor text) returns jsonb language plpgsql as $$
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

-- Answers with {} or {"refused": "missing|version|used", "version", "detail"}: one that a job names stays.
create function dictionary_delete(wanted text, expected bigint, actor text) returns jsonb language plpgsql as $$
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
