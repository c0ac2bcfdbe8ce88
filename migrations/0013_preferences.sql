-- What users preferred: results of experiments of kind interleave, made by `trainer run interleave`. No unit's name is in here.

-- One row per pair of variants and day; everything up to the end of that day. `a` stands behind `b` in the experiment's list, so that b is the
-- control where there is one in the pair. A query is a contest, of the day on which its list was shown; its score is 1 when the clicks gave a more
-- credit, -1 when they gave b more, 0 else.
create table preferences (
    experiment text not null references experiments (key) on delete cascade,
    a text not null,
    b text not null,
    segment text not null default '',    -- '' all units
    day date not null,                   -- UTC
    wins_a bigint not null,              -- queries
    wins_b bigint not null,
    ties bigint not null,
    units bigint not null,               -- with a query
    mean_unit double precision not null, -- over units: of their mean scores
    m2_unit double precision not null,   -- and its sum of squared deviations
    mean_x double precision not null,    -- over units: of their sums of scores (x) and counts of queries (y), as in moments
    m2_x double precision not null,
    mean_y double precision not null,
    m2_y double precision not null,
    cxy double precision not null,
    primary key (experiment, a, b, segment, day)
);

create table preferences_current (
    experiment text primary key references experiments (key) on delete cascade,
    run uuid not null,
    as_of timestamptz not null,          -- nothing is known of what lies behind it
    published_at timestamptz not null default now()
);
