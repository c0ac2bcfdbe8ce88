#include "experimentd/queries.h"

#include <assert.h>

#include "experimentd/jobs/run_json.h"
#include "experimentd/loop/document.h"
#include "experimentd/loop/step_json.h"
#include "experimentd/models/model_json.h"
#include "experimentd/rewrites/row.h"

/* What is known of an experiment's result as a whole, once and not for every row of moments. */
#define RESULTS_OF(experiments, dimensions)                                                                       \
    "with h as materialized (select c.experiment, c.as_of, c.published_at, c.units, c.multiple_exposures, "       \
    "c.marked_units, c.run, r.engine, r.workers, r.rows_in, r.finished_at - r.started_at as took, r.retries, "    \
    "(select coalesce(sum(q.splits), 0) from run_passes q where q.run = r.id) as splits, l.last, l.days, "        \
    "" dimensions " as dimensions from moments_current c join runs r on r.id = c.run "                            \
    "cross join lateral (select max(l.day) as last, coalesce(max(l.day) - min(l.day), 0) as days from moments l " \
    "where l.experiment = c.experiment and l.segment = '') l where " experiments ") "
#define RESULTS_HEAD(dimensions) RESULTS_OF("c.experiment = any($1::text[])", dimensions)
/* Columns in the order of enum results_column; instants as µs and days as days since 1970, so that no text is parsed. */
#define RESULTS_COLUMNS                                                                                          \
    "select h.experiment, m.metric, m.variant, m.segment, m.day - date '1970-01-01', m.n, m.mean_x, m.m2_x, "    \
    "m.mean_y, m.m2_y, m.cxy, m.pre, m.sketch, us(h.as_of), us(h.published_at), h.units, h.multiple_exposures, " \
    "h.marked_units, h.run, h.engine, h.workers, h.rows_in, extract(epoch from h.took)::float8, h.retries, "     \
    "h.splits, h.dimensions, h.days from h left join lateral ("
/* Apart from the others, so that the index alone finds them. */
#define RESULTS_LAST "select * from moments a where a.experiment = h.experiment and a.segment = '' and a.day = h.last "
#define RESULTS_ORDER ") m on true order by h.experiment, m.metric, m.segment collate \"C\", m.day"

/* Columns in the order of enum mark_column (marks/handlers.c). */
#define MARK_ROW "unit, mark, by_hand, us(first_at), us(last_at), signals, note, us(updated_at)"

#define STICKY_SORTED "order by attribute collate \"C\", value collate \"C\", experiment collate \"C\""

#define ITEM_COLUMNS "doc, fields, us(updated_at)"

#define DICTIONARY_COLUMNS \
    "name, words, total, octet_length(content), version, us(created_at), us(updated_at), updated_by"

#define DELETION_COLUMNS \
    "id, unit, state, requested_by, us(requested_at), us(deleted_at), us(finished_at), removed, error"

/* Bytes, as SQL text. */
#define PREFLIGHT_EXACT "33554432::bigint"
#define PREFLIGHT_BYTES "67108864::bigint"
/* Units by day, as columns: `days` has a bit for each day, from the last one on. */
#define SEEN_ON(from, day) ", count(*) filter (where (days >> (" from " + " day ")) & 1 = 1)"
#define SEEN_IN_WEEK(from) \
    SEEN_ON(from, "0")     \
    SEEN_ON(from, "1") SEEN_ON(from, "2") SEEN_ON(from, "3") SEEN_ON(from, "4") SEEN_ON(from, "5") SEEN_ON(from, "6")
#define HEALTH_BYTES "67108864::bigint"

const struct pg_stmt queries[] = {
    /* Every metric has the same dimensions, so one is looked at, and only for who asks for parts. */
    [QUERY_RESULTS_LATEST] = { "results_latest", 2,
                               RESULTS_HEAD("(select string_agg(distinct split_part(s.segment, '=', 1), ',') from "
                                            "moments s where cardinality($2::text[]) > 0 and s.experiment = "
                                            "c.experiment and s.metric = (select f.metric from moments f where "
                                            "f.experiment = c.experiment limit 1) and strpos(s.segment, '=') > 0)")
                                   RESULTS_COLUMNS RESULTS_LAST
                               "union all select * from moments b where cardinality($2::text[]) > 0 and "
                               "b.experiment = h.experiment and b.segment ^@ any($2::text[])" RESULTS_ORDER },
    [QUERY_RESULTS_DAYS] = { "results_days", 2,
                             RESULTS_HEAD("null::text") RESULTS_COLUMNS
                             "select * from moments a where a.experiment = h.experiment and a.segment = '' "
                             "union all select * from moments b where cardinality($2::text[]) > 0 and "
                             "b.experiment = h.experiment and b.segment ^@ any($2::text[])" RESULTS_ORDER },
    [QUERY_RESULTS_BOOTSTRAP] = { "results_bootstrap", 1,
                                  "select b.metric, b.variant, b.control, b.n, b.control_n, b.difference, "
                                  "b.difference_se, b.difference_lo, b.difference_hi, b.lift, b.lift_se, b.lift_lo, "
                                  "b.lift_hi, b.level, b.replicates, b.seed, b.run, us(d.started_at), "
                                  "d.started_at < m.started_at from bootstrap_intervals b join runs d on d.id = b.run "
                                  "join moments_current c on c.experiment = b.experiment "
                                  "join runs m on m.id = c.run where b.experiment = $1" },
    /* One of nulls, of an experiment whose job has run and found no query. */
    [QUERY_PREFERENCES] = { "preferences", 2,
                            "select c.experiment, us(c.as_of), us(c.published_at), p.a, p.b, p.day - date "
                            "'1970-01-01', p.wins_a, p.wins_b, p.ties, p.units, p.mean_unit, p.m2_unit, p.mean_x, "
                            "p.m2_x, p.mean_y, p.m2_y, p.cxy from preferences_current c left join preferences p on "
                            "p.experiment = c.experiment and p.segment = '' and ($2::boolean or p.day = (select "
                            "max(l.day) from preferences l where l.experiment = c.experiment)) where c.experiment = "
                            "any($1::text[]) order by c.experiment, p.b collate \"C\", p.a collate \"C\", p.day" },
    [QUERY_CONFIG_EDIT] = { "config_edit", 3, "select config_edit($1::bigint, $2::json, $3)" },
    [QUERY_REVISIONS] = { "revisions", 3,
                          "select id, us(at), actor, action, before::text, after::text from revisions "
                          "where subject = $1 and id < $2::bigint order by id desc limit $3::int" },
    [QUERY_METRIC_SQL] = { "metric_sql", 1, "select metric_sql_check($1)" },
    [QUERY_STICKY_READ] = { "sticky_read", 1,
                            "select s.attribute, s.value, s.experiment, s.variant "
                            "from (select distinct a, v from json_to_recordset($1::json) as k(a text, v text)) k "
                            "join sticky_assignments s on s.attribute = k.a and s.value = k.v " STICKY_SORTED },
    /* Rows go in sorted, so that two daemons that write some of the same wait for each other and do not deadlock. A row that is there already is
     * "updated" with what it says, for only so is it in what comes back, also when another session wrote it a moment ago. */
    [QUERY_STICKY_WRITE] = { "sticky_write", 1,
                             "with w as materialized (select distinct on (a collate \"C\", v collate \"C\", e collate "
                             "\"C\") "
                             "a, v, e, n, o from json_to_recordset($1::json) as w(a text, v text, e text, n text, o "
                             "text) "
                             "order by a collate \"C\", v collate \"C\", e collate \"C\"), "
                             "done as (insert into sticky_assignments as s (attribute, value, experiment, variant) "
                             "select a, v, e, n from w on conflict (attribute, value, experiment) do update set "
                             "variant = "
                             "case when s.variant = (select o from w where a = s.attribute and v = s.value and e = "
                             "s.experiment) then excluded.variant else s.variant end "
                             "returning attribute, value, experiment, variant) "
                             "select * from done " STICKY_SORTED },
    /* Of as many whole weeks, up to four, as there are signals of; with less than a week all there are. What is counted is bounded, for a worker
     * waits behind it. Of more than PREFLIGHT_EXACT, one bucket range of the four (a unit is in one bucket, so a share of the buckets is a
     * share of the units); when that is more than PREFLIGHT_BYTES, as many of the last weeks as fit, or days of the last one; and when
     * one day does not, fewer buckets of it. Units are told apart by a 64-bit hash: a third of the time of their texts. */
    [QUERY_PREFLIGHT_TRAFFIC] = { "preflight_traffic", 0,
                                  "with parts as (select (now() at time zone 'UTC')::date - to_date(substring(p.name "
                                  "from 9 for 8), 'YYYYMMDD') as age, right(p.name, 2) = '_0' as first, "
                                  "pg_relation_size(p.relid) as bytes from (select relid, relid::text as name from "
                                  "pg_partition_tree('signals') "
                                  "where isleaf) p "
                                  "where p.name >= 'signals_' || to_char((now() - interval '28 days') at time zone "
                                  "'UTC', 'YYYYMMDD')), "
                                  "fits as (select age, bytes, sum(bytes) over (order by age) as read from parts where "
                                  "first), "
                                  "size as (select (select coalesce(sum(bytes), 0) from parts) as whole, "
                                  "(select coalesce(max(age), 0) from parts where bytes > 0) as oldest, "
                                  "coalesce(sum(bytes), 0) as range, coalesce(max(bytes), 0) as day, "
                                  "coalesce(max(age) filter (where read <= " PREFLIGHT_BYTES "), 0) as fit from fits), "
                                  "plan as (select case when whole <= " PREFLIGHT_EXACT
                                  " then 4096 when day <= " PREFLIGHT_BYTES " then 1024 "
                                  "else greatest(16, 1024 * " PREFLIGHT_BYTES " / day)::int end as b, "
                                  "case when range <= " PREFLIGHT_BYTES " then greatest(7, oldest / 7 * 7) "
                                  "when fit >= 7 then fit / 7 * 7 else greatest(1, fit) end as d from size), "
                                  "units as (select bit_or(1 << least(27, floor(extract(epoch from now() - at) / "
                                  "86400)::int)) as days from "
                                  "signals where at > now() - (select d from plan) * interval '1 day' and at <= now() "
                                  "and bucket < (select b from plan) group by hashtextextended(unit, 0)) "
                                  "select us(now()), (select b from plan), (select d from plan), count(*)" SEEN_IN_WEEK(
                                      "0") SEEN_IN_WEEK("7") SEEN_IN_WEEK("14") SEEN_IN_WEEK("21") " from units" },
    [QUERY_PREFLIGHT_BASELINE] = { "preflight_baseline", 1,
                                   RESULTS_OF("true", "null::text") RESULTS_COLUMNS
                                   "select * from moments a where a.experiment = h.experiment and a.metric = $1 and "
                                   "a.segment = '' and a.day = h.last and a.variant = (select e.spec->'variants'->0->>"
                                   "'key' from experiments e where e.key = h.experiment)) m on true "
                                   "where m.n >= 2 and m.mean_x <> 0 order by h.as_of desc limit 1" },
    [QUERY_HEALTH_COUNTS] = { "health_counts", 1,
                              "select segment, day - date '1970-01-01', variant, units, several from exposure_counts "
                              "where experiment = $1 order by segment collate \"C\", day, variant" },
    /* Bounded as the traffic of the pre-flight is: beyond HEALTH_BYTES of exposures only some buckets are looked at. A row of nulls in the
     * place of variants when nothing is marked. */
    [QUERY_HEALTH_MARKED] = { "health_marked", 1,
                              "with size as (select coalesce(sum(pg_relation_size(relid)), 0) as bytes from "
                              "pg_partition_tree('exposures') where isleaf), "
                              "plan as (select case when bytes <= " HEALTH_BYTES
                              " then 4096 else greatest(16, 4096 * " HEALTH_BYTES " / bytes)::int end as b from size), "
                              "phase as (select case when phase > 1 then phase_started_at else '-infinity' end as at "
                              "from experiments where key = $1), "
                              "first as (select distinct on (x.unit) x.unit, x.variant from exposures x, phase "
                              "where x.experiment = $1 and x.at >= phase.at and x.bucket < (select b from plan) "
                              "and x.unit in (select m.unit from marked_units m where m.mark > 0) order by x.unit, "
                              "x.at), "
                              "counts as (select variant, count(*) as units from first group by variant) "
                              "select plan.b, counts.variant, counts.units from plan left join counts on true" },
    [QUERY_HEALTH_PUBLISHED] = { "health_published", 0, "select experiment, us(published_at) from moments_current" },
    [QUERY_HEALTH_LOADED] = { "health_loaded", 0, "select us(max(updated_at)) from journal_position" },
    [QUERY_HEALTH_MOMENTS] = { "health_moments", 2,
                               RESULTS_HEAD("null::text") RESULTS_COLUMNS RESULTS_LAST
                               "union all select * from moments b where b.experiment = h.experiment and "
                               "b.segment <> '' and b.metric = $2" RESULTS_ORDER },
    /* A/A: all variants have the same value. An imported log has no values of its own. */
    [QUERY_HEALTH_HISTORY] = { "health_history", 1,
                               "with mine as (select metric from experiment_metrics where experiment = $1), "
                               "aa as (select e.key, e.spec->'variants'->0->>'key' as control, "
                               "e.spec->'variants'->1->>'key' as treatment from experiments e "
                               "where e.status in ('stopped', 'concluded') and e.kind = 'ab' and e.origin <> "
                               "'imported' and "
                               "(select count(*) > 1 and count(distinct (v->'value')::text) = 1 "
                               "from json_array_elements(e.spec->'variants') v) order by e.stopped_at desc limit 1000) "
                               "select aa.key, m.metric, m.variant = aa.control, m.n, m.mean_x, m.m2_x, m.mean_y, "
                               "m.m2_y, "
                               "m.cxy from aa cross join lateral (select max(l.day) as day from moments l where "
                               "l.experiment = aa.key and l.segment = '') d join moments m on m.experiment = aa.key "
                               "and "
                               "m.segment = '' and m.day = d.day and m.variant in (aa.control, aa.treatment) and "
                               "m.metric "
                               "in (select metric from mine) order by aa.key, m.metric, 3 desc" },
    [QUERY_KEYS] = { "keys", 0,
                     "select id, label, scope, us(created_at), schema::text from api_keys where revoked_at is null "
                     "order by created_at, id" },
    [QUERY_KEY_SCHEMA] = { "key_schema", 3,
                           "with was as (select schema from api_keys where id::text = $1), "
                           "k as (update api_keys set schema = $2::json where id::text = $1 and revoked_at is null "
                           "returning id), "
                           "r as (insert into revisions (actor, subject, action, before, after) "
                           "select $3, 'key:' || id, 'schema', (select schema::jsonb from was), $2::jsonb from k), "
                           "b as (update config_version set version = version + 1 where exists (select 1 from k) "
                           "returning version) "
                           "select version, pg_notify('config', version::text) from b" },
    [QUERY_MARKS] = { "marks", 3,
                      "with page as (select " MARK_ROW " from marked_units where unit collate \"C\" > $1 "
                      "and ($2::int = -1 or mark = $2::int) order by unit collate \"C\" limit $3::int), "
                      "counts as (select coalesce(json_agg(json_build_array(mark, units, signals) order by mark), "
                      "'[]') "
                      "as all_marks from (select mark, count(*) as units, sum(signals)::bigint as signals "
                      "from marked_units group by mark) m) "
                      "select page.*, all_marks from counts left join page on true order by unit collate \"C\"" },
    [QUERY_MARK_SET] = { "mark_set", 5,
                         "with was as (select to_jsonb(u) as row from marked_units u where unit = $1), "
                         "m as (insert into marked_units as m (unit, bucket, mark, by_hand, note) "
                         "values ($1, $2::smallint, $3::smallint, true, $4) on conflict (unit) do update set "
                         "mark = excluded.mark, by_hand = true, note = excluded.note, updated_at = now() returning *), "
                         "r as (insert into revisions (actor, subject, action, before, after) "
                         "select $5, 'mark:' || $1, 'mark', (select row from was), to_jsonb(m) from m) "
                         "select " MARK_ROW " from m" },
    [QUERY_MARK_FORGET] = { "mark_forget", 2,
                            "with m as (delete from marked_units where unit = $1 returning *), "
                            "r as (insert into revisions (actor, subject, action, before) "
                            "select $2, 'mark:' || $1, 'forget', to_jsonb(m) from m) "
                            "select " MARK_ROW " from m" },
    [QUERY_UNIT_DELETE] = { "unit_delete", 4,
                            "insert into unit_deletions (id, unit, bucket, requested_by) values ($1::uuid, $2, "
                            "$3::smallint, $4) returning " DELETION_COLUMNS
                            ", (select coalesce(jsonb_agg(i.user_id order by i.user_id), '[]') from identities i where "
                            "i.unit = $2)" },
    [QUERY_UNIT_DELETION] = { "unit_deletion", 1,
                              "select " DELETION_COLUMNS " from unit_deletions where id = $1::uuid" },
    [QUERY_UNIT_DELETIONS] = { "unit_deletions", 0,
                               "select " DELETION_COLUMNS
                               " from unit_deletions order by requested_at desc, id desc limit 200" },
    [QUERY_JOBS] = { "jobs", 1,
                     "select job_document(j)::text, j.version, j.predefined, "
                     "(select count(*) from runs o where o.job_id = j.id and o.state in ('running', 'publishing')), "
                     "(select count(*) from runs o where o.job_id = j.id and o.state = 'queued'), us(j.created_at), "
                     "us(j.updated_at), j.updated_by, " RUN_COLUMNS
                     " from jobs j left join lateral (select * from runs l where l.job_id = j.id "
                     "order by l.queued_at desc, l.id desc limit 1) r on true where $1::text is null or j.id = $1 "
                     "order by j.id" },
    [QUERY_JOB_EDIT] = { "job_edit", 5, "select job_edit($1, $2, $3::bigint, $4::jsonb, $5)::text" },
    [QUERY_RUN] = { "run", 2,
                    "select " RUN_COLUMNS ", " RUN_PASSES
                    " from runs r where r.id = $1::uuid and ($2::text is null or r.job_id = $2)" },
    [QUERY_RUNS] = { "runs", 6,
                     "select " RUN_COLUMNS " from runs r where ($1::text is null or r.job_id = $1) "
                     "and ($2::text[] is null or r.state = any($2::text[])) "
                     "and ($3::uuid is null or r.trigger_run = $3::uuid) "
                     "and ($4::bigint is null or (r.queued_at, r.id) < (timestamptz 'epoch' + $4::bigint * interval "
                     "'1 microsecond', $5::uuid)) order by r.queued_at desc, r.id desc limit $6::int" },
    /* Of a job that skips, a run waits for none: what is under way is told. */
    [QUERY_RUN_QUEUE] = { "run_queue", 5,
                          "select case when j.concurrency = 'queue' or b.id is null then queue_run($1::uuid, j.id, $3, "
                          "asked_by => $4, params => $5::jsonb) end, b.id from jobs j left join lateral (select o.id "
                          "from runs o where o.job_id = j.id and o.state in ('queued', 'running', 'publishing') limit "
                          "1) b on true where j.id = $2" },
    [QUERY_RUN_RETRY] = { "run_retry", 4,
                          "select case when r.state not in ('queued', 'running', 'publishing') then queue_run("
                          "$1::uuid, r.job_id, 'retry', after_run => r.id, attempt => r.attempt + 1, asked_by => $4, "
                          "params => r.params) end, r.state from runs r where r.id = $2::uuid and r.job_id = $3" },
    [QUERY_RUN_CANCEL] = { "run_cancel", 3,
                           "select cancel_run(r.id, $3), r.state from runs r where r.id = $1::uuid and ($2::text is "
                           "null or r.job_id = $2)" },
    [QUERY_JOB_TYPE] = { "job_type", 1, "select type from jobs where id = $1" },
    [QUERY_RUN_LOG] = { "run_log", 4,
                        "select r.state, r.state not in ('queued', 'running', 'publishing'), r.progress, r.pass, "
                        "r.log_lines, l.seq, us(l.at), l.source, l.line from runs r left join lateral (select * from "
                        "run_log k where k.run = r.id and k.seq >= $3::bigint order by k.seq limit $4::int) l on true "
                        "where r.id = $1::uuid and ($2::text is null or r.job_id = $2) order by l.seq" },
    [QUERY_ITEMS_PUT] = { "items_put", 2, "select created, changed, unchanged from items_put($1::jsonb, $2::boolean)" },
    [QUERY_ITEMS_DELETE] = { "items_delete", 2,
                             "select gone, unknown from items_delete($1::jsonb) where $2::boolean is not null" },
    [QUERY_ITEM] = { "item", 1, "select " ITEM_COLUMNS " from items where doc = $1" },
    [QUERY_ITEMS] = { "items", 3,
                      "select s.version, s.documents, s.upserted, s.deleted, us(s.changed_at), i.* from items_state s "
                      "left join lateral (select " ITEM_COLUMNS " from items where doc > $1 and starts_with(doc, $2) "
                      "and doc >= $2 order by doc limit $3::int) i on true order by i.doc" },
    [QUERY_REWRITES] = { "rewrites", 6,
                         "select " REWRITE_COLUMNS ", q.k1, q.k2 from (select r.*, case $2 when 'confidence' then "
                         "-confidence::numeric when 'searches' then -searches::numeric when 'created_at' then "
                         "-us(created_at)::numeric when 'updated_at' then -us(updated_at)::numeric else 0 end as k1, "
                         "case "
                         "$2 when 'input' then input else '' end as k2 from query_rewrites r where rewrite_matches(r, "
                         "$1::jsonb)) q where $5::bigint is null or (q.k1, q.k2, q.id) > ($3::numeric, $4 collate "
                         "\"C\", $5::bigint) order by q.k1, q.k2, q.id limit $6::int" },
    [QUERY_REWRITES_COUNTS] = { "rewrites_counts", 1,
                                "select type, review, count(*), sum(searches)::bigint from query_rewrites q where "
                                "rewrite_matches(q, $1::jsonb) group by type, review order by type, review" },
    [QUERY_REWRITE] = { "rewrite", 1, "select " REWRITE_COLUMNS " from query_rewrites q where q.id = $1::bigint" },
    [QUERY_REWRITES_ADD] = { "rewrites_add", 2, "select rewrites_add($1::jsonb, $2)::text" },
    [QUERY_REWRITE_EDIT] = { "rewrite_edit", 5,
                             "select rewrite_edit($1::bigint, $2, $3::bigint, $4::jsonb, $5)::text" },
    [QUERY_REWRITES_REVIEW] = { "rewrites_review", 6,
                                "select rewrites_review($1::jsonb, $2::bigint[], $3, $4, $5::bigint, $6)::text" },
    [QUERY_REWRITES_RULES] = { "rewrites_rules", 1,
                               "select " REWRITE_COLUMNS " from query_rewrites q where q.review in ('auto', "
                               "'approved') and rewrite_matches(q, $1::jsonb) order by q.type, q.input, q.source = "
                               "'manual' desc, q.confidence desc, q.output" },
    [QUERY_DICTIONARIES] = { "dictionaries", 1,
                             "select " DICTIONARY_COLUMNS " from dictionaries where $1::text is null or name = $1 "
                             "order by name" },
    [QUERY_DICTIONARY_WORDS] = { "dictionary_words", 1,
                                 "select " DICTIONARY_COLUMNS ", content from dictionaries where name = $1" },
    [QUERY_DICTIONARY_PUT] = { "dictionary_put", 6,
                               "select dictionary_put($1, $2, $3::integer, $4::bigint, $5::bigint, $6)" },
    [QUERY_DICTIONARY_DELETE] = { "dictionary_delete", 3, "select dictionary_delete($1, $2::bigint, $3)" },
    [QUERY_JUDGMENT_SETS] = { "judgment_sets", 1,
                              "select name, version, description, case when $1::text is null then spec - 'conflicts' "
                              "else spec end, run, "
                              "us(created_at), us(updated_at), updated_by, source, max_grade::float8, tally from "
                              "judgment_sets "
                              "where $1::text is null or name = $1 order by name" },
    [QUERY_JUDGMENT_SET_PUT] = { "judgment_set_put", 6,
                                 "select judgment_set_put($1, $2::jsonb, $3::jsonb, $4, $5::bigint, null, $6)" },
    [QUERY_JUDGMENT_SET_DELETE] = { "judgment_set_delete", 3, "select judgment_set_delete($1, $2::bigint, $3)" },
    [QUERY_JUDGMENTS_DELETE] = { "judgments_delete", 4, "select judgments_delete($1, $2::jsonb, $3::bigint, $4)" },
    [QUERY_JUDGMENTS] = { "judgments", 5,
                          "select s.version, s.description, j.query, j.doc, j.grade, j.confidence, j.evidence, "
                          "j.source, "
                          "j.judge, us(j.edited_at) from judgment_sets s left join lateral (select * from judgments k "
                          "where "
                          "k.set_name = s.name and ($2::text is null or k.query = $2) and ($3::text is null or "
                          "(k.query, "
                          "k.doc) > ($3, $4)) order by k.query, k.doc limit $5::int) j on true where s.name = $1 "
                          "order by j.query, j.doc" },
    [QUERY_JUDGMENTS_QUERIES] = { "judgments_queries", 5,
                                  "select s.version, q.* from judgment_sets s left join lateral (select k.query, "
                                  "count(*) "
                                  "filter (where k.doc <> ''), count(k.grade), count(k.grade) filter (where k.source = "
                                  "'human'), max(k.grade), avg(k.grade) from judgments k where k.set_name = s.name and "
                                  "($2::text is null or position(lower($2) in lower(k.query)) > 0) and ($4::text is "
                                  "null or "
                                  "k.query > $4) group by k.query having not $3::boolean or count(*) > count(k.grade) "
                                  "order by "
                                  "k.query limit $5::int) q on true where s.name = $1 order by q.query" },
    [QUERY_QUERY_SETS] = { "query_sets", 1,
                           "select name, version, description, spec, run, us(created_at), us(updated_at), updated_by, "
                           "sampling, queries from query_sets where $1::text is null or name = $1 order by name" },
    [QUERY_QUERY_SET_PUT] = { "query_set_put", 6,
                              "select query_set_put($1, $2::jsonb, $3::jsonb, $4, $5::bigint, null, $6)" },
    [QUERY_QUERY_SET_DELETE] = { "query_set_delete", 3, "select query_set_delete($1, $2::bigint, $3)" },
    [QUERY_QUERY_SET_REMOVE] = { "query_set_remove", 4, "select query_set_remove($1, $2::jsonb, $3::bigint, $4)" },
    [QUERY_QUERY_SET_QUERIES] = { "query_set_queries", 3,
                                  "select s.version, s.description, s.sampling, q.position, q.query, q.weight, "
                                  "q.params from "
                                  "query_sets s left join lateral (select * from query_set_queries k where k.set_name "
                                  "= s.name "
                                  "and k.position > $2::int order by k.position limit $3::int) q on true where s.name "
                                  "= $1 "
                                  "order by q.position" },
    [QUERY_LABELLED_SETS] = { "labelled_sets", 1,
                              "select s.name, count(t.text), count(distinct t.label), count(*) filter (where t.source "
                              "= 'manual'), s.version, s.run, us(s.created_at), us(s.updated_at), s.updated_by, case "
                              "when $1::text is not null then (select coalesce(jsonb_agg(jsonb_build_object('label', "
                              "l.label, 'texts', l.texts, 'weight', l.weight) order by l.texts desc, l.label), '[]') "
                              "from (select label, count(*) as texts, sum(weight) as weight from labelled_texts where "
                              "set_name = s.name group by label) l) end from labelled_sets s left join labelled_texts "
                              "t on t.set_name = s.name where $1::text is null or s.name = $1 group by s.name order by "
                              "s.name" },
    [QUERY_LABELLED_TEXTS] = { "labelled_texts", 6,
                               "select t.text, t.label, t.weight, t.source from labelled_sets s left join "
                               "labelled_texts t on t.set_name = s.name and ($2::text is null or t.label = $2) and "
                               "($3::text is null or starts_with(t.text, $3)) and ($4::text is null or (t.text, "
                               "t.label) > ($4, $5::text)) where s.name = $1 order by t.text, t.label limit "
                               "$6::bigint" },
    [QUERY_LABELLED_PUT] = { "labelled_put", 5,
                             "select labelled_texts_put($1, $2::jsonb, $3::boolean, $4::bigint, $5)" },
    [QUERY_LABELLED_DELETE] = { "labelled_delete", 3, "select labelled_set_delete($1, $2::bigint, $3)" },
    [QUERY_LABELLED_TEXT_DELETE] = { "labelled_text_delete", 4, "select labelled_text_delete($1, $2, $3, $4)" },
    [QUERY_SEARCHES] = { "searches", 1,
                         "select name, description, spec, lists, version, us(created_at), us(updated_at), updated_by "
                         "from search_configs where $1::text is null or name = $1 order by name" },
    [QUERY_SEARCH_PUT] = { "search_put", 5, "select search_put($1, $2, $3::jsonb, $4::bigint, $5)" },
    [QUERY_SEARCH_LISTS_PUT] = { "search_lists_put", 4, "select search_lists_put($1, $2::jsonb, $3::bigint, $4)" },
    [QUERY_SEARCH_DELETE] = { "search_delete", 3, "select search_delete($1, $2::bigint, $3)" },
    [QUERY_EVALUATIONS] = { "evaluations", 3,
                            "select id, query_set, judgments, to_jsonb(configs), to_jsonb(metrics), queries, "
                            "us(created_at), summary from evaluations where ($1::uuid is null or id = $1::uuid) and "
                            "us(created_at) < $2::bigint order by created_at desc, id limit $3::int" },
    [QUERY_EVALUATION_QUERIES] = { "evaluation_queries", 8,
                                   "select a.position, a.query, a.weight, a.judged, a.docs, a.grades, "
                                   "to_jsonb(a.metrics), a.error, b.docs, b.grades, to_jsonb(b.metrics), b.error, "
                                   "count(*) over () from evaluation_queries a left join evaluation_queries b on "
                                   "b.evaluation = a.evaluation and b.config = $3 and b.position = a.position where "
                                   "a.evaluation = $1::uuid and a.config = $2 and ($6::text is null or "
                                   "strpos(lower(a.query), lower($6)) > 0) order by case $5 when 'gain' then "
                                   "a.metrics[$4::int] - b.metrics[$4::int] when 'loss' then b.metrics[$4::int] - "
                                   "a.metrics[$4::int] when 'low' then a.metrics[$4::int] when 'holes' then -(select "
                                   "count(*) from jsonb_array_elements(a.grades || coalesce(b.grades, '[]')) g where "
                                   "g = 'null')::double precision end nulls last, a.position offset $7::int limit "
                                   "$8::int" },
    [QUERY_EVALUATION_POINTS] = { "evaluation_points", 8,
                                  "select a.position, a.query, a.metrics[$4::int], b.metrics[$4::int] from "
                                  "evaluation_queries a left join evaluation_queries b on b.evaluation = a.evaluation "
                                  "and b.config = $3 and b.position = a.position where a.evaluation = $1::uuid and "
                                  "a.config = $2 and a.metrics is not null and ($3::text is null or b.metrics is not "
                                  "null) and ($5::text <> '' and ($6::text is null or strpos(lower(a.query), "
                                  "lower($6)) > 0)) and $7::int + $8::int >= 0 order by a.position limit 20000" },
    [QUERY_EVALUATION_DELETE] = { "evaluation_delete", 2,
                                  "with gone as (delete from evaluations where id = $1::uuid returning *), told as "
                                  "(insert into revisions (actor, subject, action, before) select $2, 'evaluation:' || "
                                  "id, 'delete', to_jsonb(gone) - 'summary' from gone) select id from gone" },
    [QUERY_FEATURE_SETS] = { "feature_sets", 1,
                             "select name, description, spec, rows, version, us(created_at), us(updated_at), "
                             "us(rows_at), updated_by "
                             "from feature_sets where $1::text is null or name = $1 order by name" },
    [QUERY_FEATURE_SET_PUT] = { "feature_set_put", 5, "select feature_set_put($1, $2, $3::jsonb, $4::bigint, $5)" },
    [QUERY_FEATURE_SET_DELETE] = { "feature_set_delete", 3, "select feature_set_delete($1, $2::bigint, $3)" },
    [QUERY_FEATURE_ROWS] = { "feature_rows", 7,
                             "with page as (select r.query, r.doc, r.values, j.grade, coalesce(j.confidence, 1) as "
                             "weight "
                             "from feature_rows r left join judgments j on j.set_name = $2 and j.query = r.query and "
                             "j.doc = r.doc "
                             "where r.set_name = $1 and (not $3::boolean or j.grade is not null) and ($4::text is null "
                             "or r.query = $4) "
                             "and ($5::text is null or (r.query, r.doc) > ($5, $6)) order by r.query, r.doc limit "
                             "$7::int) "
                             "select query, doc, values, grade, case when grade is not null then weight end, "
                             "(select count(distinct b.query) from feature_rows b where b.set_name = $1 and "
                             "b.query < (select min(query) from page)) from page order by query, doc" },
    [QUERY_FEATURE_ROWS_PUT] = { "feature_rows_put", 6,
                                 "with fits as (select case when exists (select from feature_sets s where s.name = $1) "
                                 "then exists (select from feature_sets s where s.name = $1 and "
                                 "jsonb_array_length(s.spec -> 'features') = $2::int) "
                                 "else $4::jsonb is not null end as yes), "
                                 "graded as materialized (select case when yes and $5::text is not null then "
                                 "judgment_set_put($5, '{\"source\": \"import\"}', "
                                 "(select coalesce(jsonb_agg(jsonb_build_array(g.q, g.d, g.g, null, null, 'human', "
                                 "null)), '[]') "
                                 "from jsonb_to_recordset($3::jsonb) g (q text, d text, g real) where g.g is not "
                                 "null), 'merge', null, null, $6) end as g from fits), "
                                 "made as materialized (select g, case when g ->> 'refused' is null and $4::jsonb is "
                                 "not null and not exists (select from feature_sets where name = $1) "
                                 "then feature_set_put($1, '', $4::jsonb, 0, $6) end as m from graded) "
                                 "select case when g ->> 'refused' is not null then jsonb_build_object('refused', "
                                 "'judgments', 'detail', g) "
                                 "else feature_rows_put($1, $2::int, $3::jsonb) || jsonb_build_object('judgments', g) "
                                 "end from made where m is null or m is not null" },
    [QUERY_FEATURE_ROWS_DELETE] = { "feature_rows_delete", 2, "select feature_rows_delete($1, $2)" },
    [QUERY_MODELS] = { "models", 1,
                       "select " MODEL_COLUMNS " from models m where $1::text is null or m.name = $1 order by m.name" },
    [QUERY_MODEL_EDIT] = { "model_edit", 5,
                           "with was as (select * from models where name = $1 for update), "
                           "now_ as (update models m set description = coalesce($3, m.description), tags = "
                           "coalesce($4::jsonb, m.tags), edit = m.edit + 1, updated_at = now() from was where m.name = "
                           "was.name and ($2::bigint is null or was.edit = $2::bigint) returning m.*), "
                           "told as (insert into revisions (actor, subject, action, before, after) select $5, 'model:' "
                           "|| $1, 'change', jsonb_build_object('description', was.description, 'tags', was.tags), "
                           "jsonb_build_object('description', now_.description, 'tags', now_.tags) from was, now_) "
                           "select was.edit, (select edit from now_) from was" },
    [QUERY_MODEL_DELETE] = { "model_delete", 2,
                             "with was as (select name, (select min(alias) from model_aliases a where a.model = name) "
                             "as alias from models where name = $1 for update), "
                             "gone as (delete from models m using was where m.name = was.name and was.alias is null "
                             "returning m.*), "
                             "told as (insert into revisions (actor, subject, action, before) select $2, 'model:' || "
                             "name, 'delete', to_jsonb(gone) from gone) select alias from was" },
    [QUERY_MODEL_VERSIONS] = { "model_versions", 5,
                               "select " VERSION_COLUMNS " from model_versions v where v.model = $1 and ($2::text is "
                               "null or v.version = " VERSION_OF(
                                   "$1", "$2") ") and v.version < $3::int and ($5::bool "
                                               "or v.status <> 'deleted') order by v.version desc limit $4::int" },
    [QUERY_MODEL_VERSION_EDIT] = { "model_version_edit", 6,
                                   "with was as (select * from model_versions where model = $1 and version "
                                   "= " VERSION_OF("$1", "$2") " and status <> 'deleted' for update), "
                                                               "now_ as (update model_versions v set description = "
                                                               "coalesce($4, v.description), "
                                                               "tags = coalesce($5::jsonb, v.tags), edit = v.edit + 1 "
                                                               "from was where v.model = "
                                                               "was.model and v.version = was.version and ($3::bigint "
                                                               "is null or was.edit = "
                                                               "$3::bigint) returning v.*), "
                                                               "told as (insert into revisions (actor, subject, "
                                                               "action, before, after) select $6, "
                                                               "'model:' || $1, 'change version', "
                                                               "jsonb_build_object('version', was.version, "
                                                               "'description', was.description, 'tags', was.tags), "
                                                               "jsonb_build_object('version', "
                                                               "was.version, 'description', now_.description, 'tags', "
                                                               "now_.tags) from was, now_) "
                                                               "select was.edit, (select edit from now_) from was" },
    [QUERY_MODEL_VERSION_DELETE] = { "model_version_delete", 3,
                                     "with was as (select model, version, status, (select min(alias) from "
                                     "model_aliases a where a.model = v.model and a.version = v.version) as alias from "
                                     "model_versions v where model = $1 and version = " VERSION_OF(
                                         "$1", "$2") " and "
                                                     "status <> 'deleted' for update), "
                                                     "gone as (select was.*, model_version_drop(model, version) from "
                                                     "was where alias "
                                                     "is null), "
                                                     "told as (insert into revisions (actor, subject, action, before) "
                                                     "select $3, "
                                                     "'model:' || model, 'delete version', "
                                                     "jsonb_build_object('version', version, "
                                                     "'status', status) from gone) select alias, status from was" },
    [QUERY_MODEL_ALIAS_SET] = { "model_alias_set", 6,
                                "with s as materialized (select model_alias_set($1, $2, coalesce(" VERSION_OF(
                                    "$1",
                                    "$3") ", 0), 'set', $4, $5::bool, $6::int) as a), "
                                          "told as (insert into revisions (actor, subject, action, before, after) "
                                          "select $4, "
                                          "'model:' || $1, 'alias', jsonb_build_object('alias', $2::text, 'version', "
                                          "a->'was'), "
                                          "jsonb_build_object('alias', $2::text, 'version', a->'version', 'forced', "
                                          "$5::bool) "
                                          "from s where a ? 'version' and a->'was' is distinct from a->'version') "
                                          "select a::text from s" },
    [QUERY_MODEL_ALIAS_ROLLBACK] = { "model_alias_rollback", 3,
                                     "with s as materialized (select model_alias_rollback($1, $2, $3) as a), "
                                     "told as (insert into revisions (actor, subject, action, before, after) select "
                                     "$3, 'model:' || $1, 'rollback', jsonb_build_object('alias', $2::text, 'version', "
                                     "a->'was'), jsonb_build_object('alias', $2::text, 'version', a->'version') from s "
                                     "where a ? 'version') select a::text from s" },
    [QUERY_MODEL_ALIAS_DELETE] = { "model_alias_delete", 3,
                                   "with gone as (delete from model_aliases where model = $1 and alias = $2 returning "
                                   "*), noted as (insert into model_alias_log (model, alias, before, action, set_by) "
                                   "select model, alias, log, 'delete', $3 from gone), "
                                   "told as (insert into revisions (actor, subject, action, before) select $3, "
                                   "'model:' || model, 'delete alias', jsonb_build_object('alias', alias, 'version', "
                                   "version) from gone) select version from gone" },
    [QUERY_LOOP] = { "loop", 1,
                     "select " LOOP_COLUMNS " from models m left join model_loops l on l.model = m.name where m.name = "
                     "$1" },
    [QUERY_LOOP_PUT] = { "loop_put", 4,
                         "select model_loop_put($1, $2::jsonb, $3::bigint, $4)::text, pg_notify('runs', '')" },
    [QUERY_LOOP_WISH] = { "loop_wish", 3, "select model_loop_wish($1, $2, $3)::text, pg_notify('runs', '')" },
    [QUERY_LOOP_STEPS] = { "loop_steps", 3,
                           "select " STEP_COLUMNS " from model_loop_steps s where s.model = $1 and s.id < $2::bigint "
                           "order by s.id desc limit $3::int" },
    [QUERY_LOOP_VERSIONS] = { "loop_versions", 3,
                              "select " VERSION_COLUMNS " from model_versions v where v.model = $1 and v.version in "
                              "(select s.version from model_loop_steps s where s.model = $1 and s.id < $2::bigint "
                              "order by s.id desc limit $3::int) order by v.version desc" },
};
static_assert(sizeof queries / sizeof *queries == QUERY_COUNT, "a statement for every query");
