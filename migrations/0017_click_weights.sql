-- Which documents people chose for which query, found by `trainer run clicks` (docs/click-weights.md). Readers see the rows of one run.
create table query_doc_weights (
    filters text collate "C" not null,   -- under which was searched; '' none, or they are not told apart
    query text collate "C" not null,     -- lower case, one space between words: trainer/kernels/query_text.h
    rank integer not null,               -- by weight, from 1
    doc text collate "C" not null,
    weight double precision not null,    -- as of the end of query_doc_weights_current.as_of
    signals bigint not null,
    counts jsonb not null,               -- of them, by type: {"cart": 1, "click": 12}
    last_at timestamptz not null,        -- of the last of them
    primary key (query, filters, rank)
);

create table query_doc_weights_current (
    singleton boolean primary key default true constraint query_doc_weights_current_one_row check (singleton),
    run uuid not null references runs (id),
    as_of date not null,                 -- UTC: signals up to the end of this day, weights as of then
    params jsonb not null,               -- what the run was told, defaults filled in
    rows bigint not null,
    published_at timestamptz not null default now()
);
