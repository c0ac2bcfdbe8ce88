-- Intervals by drawing the units anew, as the job "bootstrap" found them last, beside those that formulas give (docs/bootstrap.md).

-- Their age is that of the run: what came after it began may be missing. Lift: all null where the control is not above 0 in some replicate.
create table bootstrap_intervals (
    experiment text not null references experiments (key) on delete cascade,
    metric text not null,
    variant text not null,
    control text not null,               -- that it was compared with
    n bigint not null,                   -- units; of a quantile single values
    control_n bigint not null,
    difference double precision not null,    -- of the data
    difference_se double precision not null, -- standard deviation of the replicates
    difference_lo double precision not null, -- quantiles of the replicates
    difference_hi double precision not null,
    lift double precision,
    lift_se double precision,
    lift_lo double precision,
    lift_hi double precision,
    level double precision not null,
    replicates integer not null,
    seed bigint not null,
    run uuid not null references runs (id),
    primary key (experiment, metric, variant),
    constraint bootstrap_intervals_lift check (num_nulls(lift, lift_se, lift_lo, lift_hi) in (0, 4))
);
