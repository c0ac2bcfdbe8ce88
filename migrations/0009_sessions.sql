-- Sessions, found by `trainer run sessions`: trainer/kernels/session.h says what one is.
create table sessions (
    day date not null,                   -- on which it began, UTC
    bucket smallint not null,
    unit text not null,
    session text,                        -- the client's id, when it sent one
    started_at timestamptz not null,
    ended_at timestamptz not null,       -- its last signal
    signals bigint not null,
    queries bigint not null,
    clicks bigint not null,
    carts bigint not null,
    purchases bigint not null,
    revenue double precision not null,   -- of purchases whose value is known
    first_query text,
    last_query text
);
create index sessions_day on sessions (day);
create index sessions_unit on sessions (bucket, unit);

create or replace function erase_unit(wanted text, wanted_bucket smallint) returns jsonb language plpgsql as $$
declare
    signals bigint;
    exposures bigint;
    identities bigint;
    sticky bigint;
    marks bigint;
    sessions bigint;
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
    update revisions r set subject = 'mark:', before = null, after = null where r.subject = 'mark:' || wanted;  -- that it was, not whom
    return jsonb_build_object('signals', signals, 'exposures', exposures, 'identities', identities, 'sticky_assignments', sticky,
                              'marks', marks, 'sessions', sessions);
end
$$;
