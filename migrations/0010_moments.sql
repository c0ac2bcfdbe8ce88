-- Moments of every kind of metric: with what units did before their first exposure, and with sketches of single values.

-- pre: null, or the moments of the metric together with its covariates, of the same n units: of (x, z), or of a ratio of (x, y, z, w);
-- z and w are what the unit's x and y were over the days before its first exposure, 0 for a unit without any. Packed struct cross of
-- stats/adjust/cross.h: mean and rest of each variable, then the upper triangle of the second moments row by row.
-- sketch: null, or of a quantile metric all single values, as stats/ranks/sketch_bytes.h packs them. Its x is the number of a unit's
-- values at or below the variant's quantile, its y the number of all its values.
-- segment: '' all units; 'cohort' units first exposed on `day`; 'since:N' what units did on the N-th day after that of their first exposure
-- (0: on it), of those that had one by `day`; 'DIM=VALUE' units whose first exposure had this value; 'step:N' of a funnel the
-- share of units that reached its step N (from 1). All but '' and 'cohort' are there for the last day only.
alter table moments add column pre double precision[];
alter table moments add column sketch bytea;

-- First exposures of each day, units that are marked left out. segment: '' all, or 'DIM=VALUE' as in moments.
create table exposure_counts (
    experiment text not null references experiments (key) on delete cascade,
    variant text not null,               -- of the first exposure
    segment text not null default '',
    day date not null,                   -- of the first exposure, UTC
    units bigint not null,               -- with those that are counted in `several`
    several bigint not null,             -- units that were seen in another variant, too, by the end of the data
    primary key (experiment, variant, segment, day)
);
