-- Metrics that people define. A metric is one document (`spec`, metric/metric.h), as experiments and segments are; what queries ask for are
-- columns made of it. Built-in ones cannot be changed; who wants another makes one of their own.
alter table metrics
    drop column name, drop column description, drop column kind, drop column direction, drop column display,
    add column spec json;

create temporary table metric_specs (spec json) on commit drop;
insert into metric_specs values
('{"key": "ctr", "name": "Click-through", "kind": "proportion", "numerator": {"of": "signals", "type": "click"},
   "description": "Share of units with at least one click after their first exposure."}'),
('{"key": "clicks_per_unit", "name": "Clicks per unit", "kind": "mean", "numerator": {"of": "signals", "type": "click"},
   "description": "Clicks of a unit after its first exposure, mean over all exposed units, those without a click too."}'),
('{"key": "clicks_per_query", "name": "Clicks per query", "kind": "ratio", "display": "count",
   "numerator": {"of": "signals", "type": "click"}, "denominator": {"of": "queries"},
   "description": "Clicks over queries, both after first exposure. Variance clustered by unit (delta method)."}'),
('{"key": "query_ctr", "name": "Queries with a click", "kind": "ratio",
   "numerator": {"of": "queries", "that": "clicked"}, "denominator": {"of": "queries"},
   "description": "Share of queries with a click within 30 minutes. Variance clustered by unit."}'),
('{"key": "ctr_at_1", "name": "CTR@1", "kind": "ratio",
   "numerator": {"of": "queries", "that": "clicked", "k": 1}, "denominator": {"of": "queries"},
   "description": "Share of queries with a click on the first result within 30 minutes. Clicks without a position do not count. Clustered by unit."}'),
('{"key": "ctr_at_3", "name": "CTR@3", "kind": "ratio",
   "numerator": {"of": "queries", "that": "clicked", "k": 3}, "denominator": {"of": "queries"},
   "description": "Share of queries with a click on one of the first 3 results within 30 minutes. Clicks without a position do not count. Clustered by unit."}'),
('{"key": "ctr_at_10", "name": "CTR@10", "kind": "ratio",
   "numerator": {"of": "queries", "that": "clicked", "k": 10}, "denominator": {"of": "queries"},
   "description": "Share of queries with a click on one of the first 10 results within 30 minutes. Clicks without a position do not count. Clustered by unit."}'),
('{"key": "satisfied_ctr", "name": "Satisfied clicks", "kind": "ratio",
   "numerator": {"of": "queries", "that": "satisfied", "dwell_seconds": 30}, "denominator": {"of": "queries"},
   "description": "Share of queries with a click within 30 minutes behind which the unit sends nothing for 30 seconds or more: it stayed with what it found. Clustered by unit."}'),
('{"key": "mrr", "name": "Mean reciprocal rank", "kind": "ratio", "display": "score",
   "numerator": {"of": "queries", "that": "reciprocal_rank"}, "denominator": {"of": "queries"},
   "description": "1 / position of the first click within 30 minutes of a query, 0 without one; mean over queries. Clustered by unit."}'),
('{"key": "ndcg_at_10", "name": "nDCG@10", "kind": "ratio", "display": "score",
   "numerator": {"of": "queries", "that": "ndcg", "k": 10}, "denominator": {"of": "queries"},
   "description": "Clicked results among the first 10, each worth 1 / log2(1 + position), over the most that as many clicks could be worth; 0 without a click; mean over queries. Clustered by unit."}'),
('{"key": "abandonment_rate", "name": "Abandonment", "kind": "ratio", "direction": "decrease",
   "numerator": {"of": "queries", "that": "abandoned"}, "denominator": {"of": "queries"},
   "description": "Share of queries without a click within 30 minutes, though they are not known to have had no results. Good answers in the page itself raise it too. Clustered by unit."}'),
('{"key": "zero_result_rate", "name": "Zero-result rate", "kind": "ratio", "direction": "decrease",
   "numerator": {"of": "queries", "that": "zero_results"}, "denominator": {"of": "queries", "that": "known_results"},
   "description": "Queries without a result over queries whose number of results is known. Clustered by unit."}'),
('{"key": "reformulation_rate", "name": "Reformulation", "kind": "ratio", "direction": "decrease",
   "numerator": {"of": "queries", "that": "reformulated"}, "denominator": {"of": "queries"},
   "description": "Share of queries without a click behind which the same unit sends another text within 5 minutes. Clustered by unit."}'),
('{"key": "time_to_first_click", "name": "Time to first click", "kind": "ratio", "direction": "decrease", "display": "seconds",
   "numerator": {"of": "queries", "that": "seconds_to_first_click"}, "denominator": {"of": "queries", "that": "timed"},
   "description": "Seconds from a query to its first click within 30 minutes, mean over queries with a click that has a time of its own. Clustered by unit."}'),
('{"key": "time_to_first_click_p95", "name": "Time to first click, 95th percentile", "kind": "quantile", "direction": "decrease", "display": "seconds",
   "quantile": 0.95, "numerator": {"of": "queries", "that": "seconds_to_first_click"},
   "description": "Of 100 queries with a timed click within 30 minutes, 95 had it at least this soon. Clustered by unit."}'),
('{"key": "queries_per_unit", "name": "Queries per unit", "kind": "count", "numerator": {"of": "queries"},
   "description": "Queries of a unit after its first exposure. More can mean that people like to search, or that they must search again: read it beside sessions per unit."}'),
('{"key": "sessions_per_unit", "name": "Sessions per unit", "kind": "count", "numerator": {"of": "sessions"},
   "description": "Sessions of a unit after its first exposure; a pause of 30 minutes ends one. People who were served well come back."}'),
('{"key": "revenue_per_search", "name": "Revenue per search", "kind": "ratio", "display": "money",
   "numerator": {"of": "queries", "that": "revenue"}, "denominator": {"of": "queries"},
   "description": "Value of purchases with a query''s id within 30 minutes of it, over all queries. Clustered by unit."}'),
('{"key": "revenue_per_unit", "name": "Revenue per unit", "kind": "mean", "display": "money",
   "numerator": {"of": "signals", "type": "purchase", "sum": "value"},
   "description": "Sum of the values of a unit''s purchases after its first exposure, 0 without one; mean over all exposed units."}'),
('{"key": "conversion", "name": "Conversion", "kind": "proportion", "numerator": {"of": "signals", "type": "purchase"},
   "description": "Share of units with at least one purchase after their first exposure."}'),
('{"key": "add_to_cart", "name": "Add to cart", "kind": "proportion", "numerator": {"of": "signals", "type": "cart"},
   "description": "Share of units that put something into the cart after their first exposure."}'),
('{"key": "average_order_value", "name": "Average order value", "kind": "ratio", "display": "money",
   "numerator": {"of": "signals", "type": "purchase", "where": {"value": {"gte": 0}}, "sum": "value"},
   "denominator": {"of": "signals", "type": "purchase", "where": {"value": {"gte": 0}}},
   "description": "Sum of the values of purchases over the number of purchases whose value is known. Only units that buy are in it: a change of who buys moves it too. Clustered by unit."}'),
('{"key": "retention_7d", "name": "7-day retention", "kind": "retention", "numerator": {"of": "signals"},
   "window": {"from_hours": 168, "to_hours": 336},
   "description": "Share of units that came back (any signal) in the second week after their first exposure, from day 7 up to day 14. Units count once those two weeks are over."}'),
('{"key": "search_funnel", "name": "Search, click, purchase", "kind": "funnel",
   "steps": [{"of": "signals", "type": "request"}, {"of": "signals", "type": "click"}, {"of": "signals", "type": "purchase"}],
   "description": "Share of units that searched, then clicked, then bought, in this order, after their first exposure."}');

insert into metrics (key, spec) select spec->>'key', spec from metric_specs on conflict (key) do update set spec = excluded.spec;
update metrics set spec = (spec::jsonb || jsonb_build_object('direction', coalesce(spec->>'direction', 'increase'),
    'display', coalesce(spec->>'display', case when spec->>'kind' in ('count', 'mean') then 'count' else 'share' end)))::json;

alter table metrics
    alter column spec set not null,
    add column builtin boolean not null default false,
    add column version integer not null default 1,
    add column created_at timestamptz not null default now(),
    add column updated_at timestamptz not null default now(),
    add column name text generated always as (spec->>'name') stored,
    add column description text generated always as (spec->>'description') stored,
    add column kind text not null generated always as (spec->>'kind') stored constraint metrics_kind
        check (kind in ('proportion', 'mean', 'count', 'ratio', 'quantile', 'retention', 'funnel')),
    add column direction text not null generated always as (spec->>'direction') stored constraint metrics_direction
        check (direction in ('increase', 'decrease')),
    add column display text not null generated always as (spec->>'display') stored constraint metrics_display
        check (display in ('share', 'count', 'seconds', 'score', 'money')),
    add constraint metrics_key_format check (key ~ '^[a-z0-9][a-z0-9_.-]{0,99}$'),
    add constraint metrics_key_of_spec check (key = spec->>'key');
update metrics set builtin = true;

-- Whether a metric's SQL can be planned, read only, as this role; what is wrong with it, or null. The daemon asks before it stores one.
create function metric_sql_check(query text) returns text language plpgsql as $$
declare
    rows refcursor;
    why text;
begin
    if (select rolsuper from pg_roles where rolname = current_user) then
        return 'this server''s database role is a superuser, as which no SQL of a metric is run';
    end if;
    perform set_config('transaction_read_only', 'on', true);
    open rows for execute query;    -- one statement that gives rows, or an error; nothing is fetched
    close rows;
    return null;
exception when others then
    get stacked diagnostics why = message_text;
    return why;
end
$$;

create function config_write_metric(w json) returns void language plpgsql as $$
begin
    if w->'spec' is null then
        delete from moments o using metrics m where m.key = w->>'key' and not m.builtin and o.metric = m.key;  -- of experiments that named it once
        delete from metrics where key = w->>'key' and not builtin;
    else
        insert into metrics as m (key, spec) values (w->>'key', w->'spec')
        on conflict (key) do update set spec = excluded.spec, version = m.version + 1, updated_at = now() where not m.builtin;
    end if;
end
$$;

create or replace function config_row(wanted_kind text, wanted_key text) returns jsonb language sql stable as $$
    select case wanted_kind
        when 'experiment' then (select to_jsonb(e) - 'id' from experiments e where e.key = wanted_key)
        when 'metric' then (select jsonb_build_object('key', m.key, 'version', m.version, 'spec', m.spec) from metrics m where m.key = wanted_key)
        else (select to_jsonb(o) from config_objects o where o.kind = wanted_kind and o.key = wanted_key) end
$$;

create or replace function config_edit(expected bigint, writes json, actor text) returns bigint language plpgsql as $$
declare
    at bigint;
    w json;
    was jsonb;
begin
    select version into at from config_version for update;
    if expected is not null and expected <> at then
        return -at;
    end if;
    for w in select * from json_array_elements(writes) loop
        was := config_row(w->>'kind', w->>'key');
        if w->>'kind' = 'experiment' then
            perform config_write_experiment(w);
        elsif w->>'kind' = 'metric' then
            perform config_write_metric(w);
        else
            perform config_write_object(w);
        end if;
        insert into revisions (actor, subject, action, before, after)
        values (config_edit.actor, (w->>'kind') || ':' || (w->>'key'), w->>'action', was, config_row(w->>'kind', w->>'key'));
    end loop;
    update config_version set version = version + 1, updated_at = now() returning version into at;
    perform pg_notify('config', at::text);
    return at;
end
$$;
