/* The job "ranking-metrics": a query set, search configurations, judgments → what their rankings are worth, and which of two is better.
 *
 * One pass asks the engines (trainer/kernels/searches/); all else is arithmetic over what came back, here. An evaluation has the run's id and is published in one
 * transaction with the run's success. */
#include <inttypes.h>
#include <math.h>

#include "base/jsonw.h"
#include "trainer/jobs/evaluation.h"

enum { ARENA_FIRST = 1 << 20, SUMMARY_MAX = 16 << 20, ROWS_BYTES = 1 << 20, JSON_MAX = 8 << 20 };

static const struct pg_stmt insert_evaluation = {
    "evaluation_insert", 7,
    "insert into evaluations (id, query_set, judgments, configs, metrics, queries, summary) values ($1::uuid, $2, $3, "
    "array(select jsonb_array_elements_text($4::jsonb)), array(select jsonb_array_elements_text($5::jsonb)), $6::int, "
    "$7::jsonb)"
};
static const struct pg_stmt delete_old = { "evaluations_delete_old", 2,
                                           "delete from evaluations o using evaluations n where n.id = $1::uuid and "
                                           "o.query_set = n.query_set and o.judgments is "
                                           "not distinct from n.judgments and o.configs = n.configs and o.id in "
                                           "(select e.id from evaluations e where e.query_set "
                                           "= n.query_set and e.judgments is not distinct from n.judgments and "
                                           "e.configs = n.configs order by e.created_at desc, "
                                           "e.id offset $2::int)" };

static struct str json_list(struct evaluation *e, bool of_metrics)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '[');
    for (size_t i = 0; i < (of_metrics ? e->metrics_count : e->searches_count); i++)
        jsonw_str(&w, NULL, of_metrics ? str_of(e->names[i]) : e->searches[i].name);
    jsonw_close(&w);
    return arena_str(&e->arena, buf_str(&b));
}

/* ---- rows ---- */

static void add_docs(struct buf *b, const struct evaluation_list *l)
{
    AUTO(buf_release) struct buf docs;
    AUTO(buf_release) struct buf grades;
    buf_init(&docs, JSON_MAX);
    buf_init(&grades, JSON_MAX);
    buf_add_byte(&docs, '[');
    buf_add_byte(&grades, '[');
    for (size_t i = 0; i < l->count; i++) {
        if (i) {
            buf_add_byte(&docs, ',');
            buf_add_byte(&grades, ',');
        }
        buf_add_json_str(&docs, l->docs[i]);
        buf_add_json_double(&grades, l->grades[i]);
    }
    buf_add_byte(&docs, ']');
    buf_add_byte(&grades, ']');
    pg_copy_jsonb(b, buf_str(&docs));
    pg_copy_jsonb(b, buf_str(&grades));
}

static void add_row(const struct evaluation *e, size_t search, size_t query, const unsigned char id[16], struct buf *b)
{
    const struct evaluation_list *l = evaluation_list(e, search, query);
    const struct selected_query *q = &e->queries.queries[query];
    const struct judged_query *judged = e->of_query[query].judged;
    pg_copy_row(b, 10);
    pg_copy_uuid(b, id);
    pg_copy_text(b, e->searches[search].name);
    pg_copy_i32(b, (int32_t)query + 1);
    pg_copy_text(b, q->text);
    pg_copy_double(b, q->weight);
    pg_copy_i32(b, judged ? (int32_t)judged->count : 0);
    add_docs(b, l);
    pg_copy_doubles(b, l->metrics, l->metrics ? e->metrics_count : 0);
    pg_copy_text(b, l->error);
}

static bool copy_rows(struct evaluation *e, struct err *err)
{
    AUTO(buf_release) struct buf b;
    unsigned char id[16];
    uint64_t rows;
    buf_init(&b, SUMMARY_MAX);
    if (!uuid_parse(str_of(e->run->id), id) ||
        !pg_copy_begin(
            e->run->pg,
            "copy evaluation_queries (evaluation, config, position, query, weight, judged, docs, grades, metrics, "
            "error) from stdin (format binary)",
            err))
        return false;
    pg_copy_header(&b);
    for (size_t i = 0; i < e->searches_count * e->queries.count; i++) {
        add_row(e, i / e->queries.count, i % e->queries.count, id, &b);
        if (b.n < ROWS_BYTES && !b.failed)
            continue;
        if (!buf_ok(&b, "the rows of an evaluation", err) || !pg_copy_send(e->run->pg, buf_str(&b), err))
            return false;
        buf_clear(&b);
    }
    pg_copy_trailer(&b);
    return buf_ok(&b, "the rows of an evaluation", err) && pg_copy_send(e->run->pg, buf_str(&b), err) &&
           pg_copy_end(e->run->pg, &rows, err);
}

/* ---- publishing ---- */

static bool insert(struct evaluation *e, const struct buf *summary, struct err *err)
{
    const struct run_context *run = e->run;
    const char *set = run->param(run, "query_set");
    const char *params[] = { run->id,
                             set ? set : "",
                             run->param(run, "judgments"),
                             json_list(e, false).p,
                             json_list(e, true).p,
                             arena_printf(&e->arena, "%zu", e->queries.count).p,
                             summary->p };
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &insert_evaluation, params, err);
    return r != NULL;
}

static bool remove_old(struct evaluation *e, struct err *err)
{
    const char *params[] = { e->run->id, e->run->param(e->run, "keep") };
    AUTO(pg_result_free) PGresult *r = pg_run(e->run->pg, &delete_old, params, err);
    return r != NULL;
}

static void say(const struct evaluation *e)
{
    const struct run_context *run = e->run;
    for (size_t s = 0; s < e->searches_count; s++) {
        double sum = 0, n = 0;
        for (size_t q = 0; q < e->queries.count; q++) {
            const double *m = evaluation_list(e, s, q)->metrics;
            sum += m ? m[0] : 0;
            n += m ? 1 : 0;
        }
        if (n > 0)
            run_say(run, "search " STR_FMT ": %s %.4f over %.0f queries, %u errors", STR_ARG(e->searches[s].name),
                    e->names[0], sum / n, n, e->searches[s].errors);
        else
            run_say(run, "search " STR_FMT ": %zu queries, %u errors", STR_ARG(e->searches[s].name), e->queries.count,
                    e->searches[s].errors);
    }
}

static bool publish(struct evaluation *e, struct err *err)
{
    AUTO(buf_release) struct buf summary;
    uint32_t errors = 0;
    buf_init(&summary, SUMMARY_MAX);
    if (!evaluation_report(e, &summary, err) || !run_publish_begin(e->run, err) || !insert(e, &summary, err) ||
        !copy_rows(e, err) || !remove_old(e, err))
        return false;
    for (size_t s = 0; s < e->searches_count; s++)
        errors += e->searches[s].errors;
    run_result(e->run, "{\"evaluation\":\"%s\",\"queries\":%zu,\"searches\":%zu,\"errors\":%u}", e->run->id,
               e->queries.count, e->searches_count, errors);
    if (!run_publish_end(e->run, err))
        return false;
    say(e);
    return true;
}

static bool run_ranking_metrics(struct run_context *run, struct err *err)
{
    struct evaluation *e = mem_zalloc(sizeof *e);
    e->run = run;
    arena_init(&e->arena, ARENA_FIRST);
    bool ok = evaluation_read(e, err) && evaluation_replay(e, err) && evaluation_measure(e, err) && publish(e, err);
    arena_release(&e->arena);
    mem_free(e);
    return ok;
}

const struct job job_ranking_metrics = { "ranking-metrics", run_ranking_metrics };
