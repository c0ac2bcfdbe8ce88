/* queries.h - every statement that workers run on their pipelined connection, prepared on each connect. One table; an enum names
 * the rows. What a result means is read in one place, by the module that owns the statement. */
#pragma once
#include "base/pg.h"

enum query {
    /* results/model.h. $1 experiments, $2 prefixes of the parts that are wanted, too */
    QUERY_RESULTS_LATEST,    /* the last day */
    QUERY_RESULTS_DAYS,      /* all days */
    QUERY_RESULTS_BOOTSTRAP, /* $1 experiment → results/drawn.h: what was found by drawing its units anew */
    /* $1 experiments, $2 all days, or the last of each → rows of results/preference.h */
    QUERY_PREFERENCES,
    /* $1 configuration's version that the edit was checked against, $2 writes, $3 actor → the new version, or -version when another edit came
     * first (config/edit.h) */
    QUERY_CONFIG_EDIT,
    QUERY_REVISIONS, /* $1 subject ("experiment:x"), $2 only ids below this, $3 how many → id, instant, actor, action, before, after */
    QUERY_METRIC_SQL, /* $1 a statement (metric/metric.h: fact_sql_rows) → what is wrong with it, or null */
    /* Sticky assignments (evaluate/sticky.h): $1 a list of objects → attribute, value, experiment, variant, sorted bytewise. */
    QUERY_STICKY_READ, /* {"a": attribute, "v": value} → all that stands under them */
    QUERY_STICKY_WRITE, /* and "e", "n" (experiment, its new variant), "o" (what it takes the place of, or null) → what stands */
    /* preflight/gather.h: → until (µs), buckets and days that were looked at, units in them, units of each of the last 7 days, the last one
     * first */
    QUERY_PREFLIGHT_TRAFFIC,
    QUERY_PREFLIGHT_BASELINE, /* $1 metric → a row of results/model.h: the control arm that was measured last and is not 0 */
    /* health/gather.h: $1 experiment → segment, day, variant, units, several, in this order */
    QUERY_HEALTH_COUNTS,
    QUERY_HEALTH_MARKED, /* $1 experiment → buckets of the 4096 that were looked at, variant of the first exposure, marked units in it */
    QUERY_HEALTH_PUBLISHED, /* → experiment, when its results were published (µs) */
    QUERY_HEALTH_LOADED,    /* → when a journal was last loaded (µs) */
    QUERY_HEALTH_MOMENTS, /* $1 experiments, $2 metric → rows of results/model.h: the last day of all metrics, and all parts of this one */
    /* $1 experiment: of its metrics, in A/A tests that are over → experiment, metric, is control, moments; control, then treatment */
    QUERY_HEALTH_HISTORY,
    /* config/key_handlers.h */
    QUERY_KEYS, /* → id, label, scope, created_at (µs), schema */
    QUERY_KEY_SCHEMA, /* $1 id, $2 schema or null, $3 actor → the configuration's new version; no row: there is no such key */
    /* marks/handlers.h */
    QUERY_MARKS, /* $1 behind this unit, $2 mark or -1 for all, $3 how many → units' rows (one of nulls: none), each with [[mark, units, signals]…] */
    QUERY_MARK_SET,    /* $1 unit, $2 bucket, $3 mark, $4 note, $5 actor → its row */
    QUERY_MARK_FORGET, /* $1 unit, $2 actor → its row, as it was */
    /* units/handlers.h: id, unit, state, by whom, instants of request, deletion and end, removed, error; of the first also the users of identities */
    QUERY_UNIT_DELETE,    /* $1 id, $2 unit, $3 bucket, $4 by whom */
    QUERY_UNIT_DELETION,  /* $1 id */
    QUERY_UNIT_DELETIONS, /* the last 200 */
    /* jobs/job_handlers.c */
    QUERY_JOBS, /* $1 id, or null for all → document, version, predefined, running, queued, created, updated, by whom; RUN_COLUMNS of the last run */
    QUERY_JOB_EDIT, /* $1 id, $2 action, $3 expected version or null, $4 document, $5 actor → {"version"} or {"refused", …} (migration 0019) */
    /* jobs/run_handlers.c: RUN_COLUMNS (jobs/run_json.h) */
    QUERY_RUN, /* $1 run, $2 its job or null → and RUN_PASSES */
    QUERY_RUNS, /* $1 job, $2 states, $3 after which run; null: any; $4, $5 only before this (instant in µs, run); $6 how many */
    QUERY_RUN_QUEUE, /* $1 new run, $2 job, $3 trigger, $4 by whom, $5 params or null → run queued or null, run that is in its way; no row: no such job */
    QUERY_RUN_RETRY, /* $1 new run, $2 run, $3 its job, $4 by whom → run queued or null, state of the old one */
    QUERY_RUN_CANCEL, /* $1 run, $2 its job or null, $3 by whom → its state if it was asked to end, state that it had */
    QUERY_JOB_TYPE,   /* $1 job → its type */
    QUERY_RUN_LOG, /* $1 run, $2 its job or null, $3 from this number, $4 how many → state, ended, progress, pass, lines said; number, instant, source, line */
    /* items/handlers.c (migration 0024) */
    QUERY_ITEMS_PUT,    /* $1 [{"id", "fields"} …], $2 merge → created, changed, unchanged */
    QUERY_ITEMS_DELETE, /* $1 [id …], $2 nothing → deleted, unknown */
    QUERY_ITEM,         /* $1 id → id, fields, updated (µs) */
    QUERY_ITEMS, /* $1 behind this id, $2 only ids that begin so, $3 how many → version, documents, upserted, deleted, changed (µs); QUERY_ITEM */
    /* rewrites/: REWRITE_COLUMNS (rewrites/row.h); filters are those of rewrite_matches() (migration 0022) */
    QUERY_REWRITES, /* $1 filter, $2 order, $3 … $5 behind this (number and text of the order, id) or null, $6 how many → and number, text of the order */
    QUERY_REWRITES_COUNTS, /* $1 filter → type, review, how many, searches that they would change */
    QUERY_REWRITE,         /* $1 id */
    QUERY_REWRITES_ADD,    /* $1 documents, $2 actor → [{"id", "result"}] */
    QUERY_REWRITE_EDIT, /* $1 id, $2 action, $3 expected version or null, $4 document, $5 actor → {"version"} or {"refused", …} */
    QUERY_REWRITES_REVIEW, /* $1 filter, $2 ids or null, $3 review, $4 note or null, $5 how many or null, $6 actor → {"matched", "changed"} or {"refused", …} */
    QUERY_REWRITES_RULES, /* $1 filter → what it asks for of those that are to be applied, by type, input, and the best first */
    /* dictionaries/handlers.c: name, words, total, bytes, version, created, updated (µs), by whom */
    QUERY_DICTIONARIES,     /* $1 name, or null for all */
    QUERY_DICTIONARY_WORDS, /* $1 name → and its words */
    QUERY_DICTIONARY_PUT, /* $1 name, $2 words, $3 how many, $4 their sum, $5 expected version or null, $6 actor → {"version", "created"} or {"refused", …} (migration 0023) */
    QUERY_DICTIONARY_DELETE, /* $1 name, $2 expected version or null, $3 actor → {} or {"refused", …} */
    /* judgments/: sets in the order of enum judgment_set_column and of enum query_set_column; edits answer as migration 0026 says */
    QUERY_JUDGMENT_SETS,    /* $1 name, or null for all: then without the conflicts of their spec */
    QUERY_JUDGMENT_SET_PUT, /* $1 name, $2 props, $3 ratings or null, $4 mode, $5 expected version or null, $6 actor */
    QUERY_JUDGMENT_SET_DELETE, /* $1 name, $2 expected version or null, $3 actor */
    QUERY_JUDGMENTS_DELETE,    /* $1 name, $2 [[query, doc] …], $3 expected version or null, $4 actor */
    QUERY_JUDGMENTS, /* $1 name, $2 query or null for all, $3 behind this query and $4 document or null, $5 how many or null → version, description, query, doc, grade, confidence, evidence, source, judge, edited (µs); nulls from query on: none; no row: unknown */
    QUERY_JUDGMENTS_QUERIES, /* $1 name, $2 a part of the query or null, $3 only with unjudged ones, $4 behind this query or null, $5 how many → version, query, documents, judged, by people, highest, mean */
    QUERY_QUERY_SETS,        /* $1 name, or null for all */
    QUERY_QUERY_SET_PUT,     /* as QUERY_JUDGMENT_SET_PUT */
    QUERY_QUERY_SET_DELETE,
    QUERY_QUERY_SET_REMOVE,  /* $1 name, $2 [query …], $3 expected version or null, $4 actor */
    QUERY_QUERY_SET_QUERIES, /* $1 name, $2 behind this position, $3 how many or null → version, description, sampling, position, query, weight, params */
    /* labelled/handlers.c (migration 0029): name, texts, labels, texts of people, version, run, created, updated (µs), by whom, labels as JSON */
    QUERY_LABELLED_SETS,  /* $1 name, or null for all, without their labels */
    QUERY_LABELLED_TEXTS, /* $1 name, $2 label or null, $3 beginning of the text or null, $4 text and $5 label behind which, or null, $6 how many or null → text, label, weight, source; a set without such texts: a row of nulls; no row: unknown */
    QUERY_LABELLED_PUT, /* $1 name, $2 [{"text", "label", "weight"} …], $3 others go, $4 expected version or null, $5 actor → {"version", "created", "added", …} or {"refused", …} */
    QUERY_LABELLED_DELETE,      /* $1 name, $2 expected version or null, $3 actor → {} or {"refused", …} */
    QUERY_LABELLED_TEXT_DELETE, /* $1 name, $2 text, $3 label or null, $4 actor → likewise */
    /* searches/handlers.c: name, description, spec, lists, version, created, updated (µs), by whom */
    QUERY_SEARCHES,   /* $1 name, or null for all */
    QUERY_SEARCH_PUT, /* $1 name, $2 description, $3 spec, $4 expected version or null, $5 actor → {"version", "created"} or {"refused", …} (migration 0027) */
    QUERY_SEARCH_LISTS_PUT, /* $1 name, $2 [[query, [doc …]] …], $3 expected version or null, $4 actor → {"version", "lists"} or {"refused", …} */
    QUERY_SEARCH_DELETE,    /* $1 name, $2 expected version or null, $3 actor → {} or {"refused", …} */
    /* searches/evaluations.c: id, query set, judgments, searches, metrics (JSON), queries, created (µs), summary */
    QUERY_EVALUATIONS,        /* $1 id, or null for all; $2 only those before (µs), $3 how many; newest first */
    QUERY_EVALUATION_QUERIES, /* $1 id, $2 search, $3 another or null, $4 number of a metric, $5 sort, $6 text or null, $7 how many to pass over, $8 how many → position, query, weight, judged, docs, grades, metrics, error of both, count of all */
    QUERY_EVALUATION_POINTS, /* as above → position, query, value of the metric of the one, of the other; those that have both */
    QUERY_EVALUATION_DELETE,   /* $1 id, $2 actor → id; no row: unknown */
    QUERY_FEATURE_SETS,        /* or one of them */
    QUERY_FEATURE_SET_PUT,     /* feature_set_put() */
    QUERY_FEATURE_SET_DELETE,  /* feature_set_delete() */
    QUERY_FEATURE_ROWS,        /* a page, with grades of a judgment set */
    QUERY_FEATURE_ROWS_PUT,    /* feature_rows_put() */
    QUERY_FEATURE_ROWS_DELETE, /* of a query, or all */
    /* models/model_json.h: MODEL_COLUMNS, VERSION_COLUMNS */
    QUERY_MODELS,     /* $1 name, or null for all */
    QUERY_MODEL_EDIT, /* $1 name, $2 edit that was read or null, $3 description, $4 tags; null: stays, $5 actor → edit that it had, edit that it has; no row: unknown, null: another edit */
    QUERY_MODEL_DELETE, /* $1 name, $2 actor → an alias that is in the way or null; no row: unknown */
    QUERY_MODEL_VERSIONS, /* $1 model, $2 version ("3", "@champion") or null for all, $3 only below this, $4 how many, $5 also deleted ones */
    QUERY_MODEL_VERSION_EDIT, /* $1 model, $2 version, $3 to $6 as of a model */
    QUERY_MODEL_VERSION_DELETE, /* $1 model, $2 version, $3 actor → an alias that is in the way or null, status before; no row: unknown */
    QUERY_MODEL_ALIAS_SET, /* $1 model, $2 alias, $3 version, $4 actor, $5 forced, $6 expected version or null → {"version", "was"} or {"refused", …} (migration 0021) */
    QUERY_MODEL_ALIAS_ROLLBACK, /* $1 model, $2 alias, $3 actor → likewise */
    QUERY_MODEL_ALIAS_DELETE,   /* $1 model, $2 alias, $3 actor → version; no row: unknown */
    /* loop/document.h: LOOP_COLUMNS; loop/step_json.h: STEP_COLUMNS. Edits wake the leader. */
    QUERY_LOOP, /* $1 model → LOOP_COLUMNS; no row: unknown */
    QUERY_LOOP_PUT, /* $1 model, $2 document or null, $3 expected version or null, $4 actor → model_loop_put (migration 0030) */
    QUERY_LOOP_WISH,     /* $1 model, $2 approve, reject or stop, $3 actor → model_loop_wish */
    QUERY_LOOP_STEPS,    /* $1 model, $2 only before this, $3 how many → STEP_COLUMNS, newest first */
    QUERY_LOOP_VERSIONS, /* the same → VERSION_COLUMNS of the versions that those steps are about */
    QUERY_COUNT
};

extern const struct pg_stmt queries[];
