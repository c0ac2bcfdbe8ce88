-- Bots and internal traffic are marked, not deleted. See docs/decisions/0014-marks.md.

alter table signals add column mark smallint not null default 0;  -- 0 none, 1 bot, 2 internal, 3 rate

-- Units of which something was marked: what they did counts in no experiment.
create table marked_units (
    unit text primary key,
    bucket smallint not null,
    mark smallint not null constraint marked_units_mark check (mark between 0 and 4),  -- 0: by hand, it is none of them; 4: by hand
    by_hand boolean not null default false,  -- rules do not change it any more
    first_at timestamptz,
    last_at timestamptz,
    signals bigint not null default 0,       -- marked ones
    note text not null default '',
    updated_at timestamptz not null default now()
);
create index marked_units_bucket on marked_units (bucket);

alter table moments_current add column marked_units bigint not null default 0;

-- Signals of the day that name a query by its id only get its text, from requests of the day, the day before and the day after: the loader
-- gives it to those whose request it has seen lately (experimentd/ingest/load/query_texts.h); this is for the rest.
create function fill_query_texts(wanted date) returns bigint language plpgsql as $$
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
