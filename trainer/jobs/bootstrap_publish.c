#include "trainer/jobs/bootstrap_publish.h"

#include <stdio.h>

#include "base/jsonw.h"

enum { ROWS_MAX = 8 << 20, LINE_MAX_BYTES = 4096 };

enum stmt { DELETE, INSERT, STMT_COUNT };
static const struct pg_stmt statements[STMT_COUNT] = {
    [DELETE] = { "bootstrap_delete", 2,
                 "delete from bootstrap_intervals where experiment = $1 and ($2::text is null or metric = $2)" },
    [INSERT] = { "bootstrap_insert", 3,
                 "insert into bootstrap_intervals (experiment, run, metric, variant, control, n, control_n, "
                 "difference, difference_se, difference_lo, difference_hi, lift, lift_se, lift_lo, lift_hi, level, "
                 "replicates, seed) select $1, $2::uuid, r.* from json_to_recordset($3::json) as r (metric text, "
                 "variant text, control text, n bigint, control_n bigint, difference float8, difference_se float8, "
                 "difference_lo float8, difference_hi float8, lift float8, lift_se float8, lift_lo float8, "
                 "lift_hi float8, level float8, replicates int, seed bigint)" },
};

/* ---- into PostgreSQL ---- */

static void add_interval(struct jsonw *w, const struct drawn_interval *i, const char *const keys[4])
{
    const double values[] = { i->estimate, i->se, i->low, i->high };
    for (size_t k = 0; k < COUNT_OF(values); k++)
        if (i->known)
            jsonw_double(w, keys[k], values[k]);
        else
            jsonw_null(w, keys[k]);
}

static void add_row(struct jsonw *w, const struct drawn_rows *d, const struct drawn_row *row)
{
    static const char *const difference[] = { "difference", "difference_se", "difference_lo", "difference_hi" };
    static const char *const lift[] = { "lift", "lift_se", "lift_lo", "lift_hi" };
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "metric", row->metric);
    jsonw_str(w, "variant", row->variant);
    jsonw_str(w, "control", d->control);
    jsonw_i64(w, "n", row->n);
    jsonw_i64(w, "control_n", row->control_n);
    add_interval(w, &row->difference, difference);
    add_interval(w, &row->lift, lift);
    jsonw_double(w, "level", d->level);
    jsonw_i64(w, "replicates", d->replicates);
    jsonw_i64(w, "seed", d->seed);
    jsonw_close(w);
}

static bool insert_rows(struct run_context *run, const struct drawn_rows *d, const char *experiment, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, ROWS_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '[');
    for (size_t i = 0; i < d->n; i++)
        if (d->p[i].difference.known)
            add_row(&w, d, &d->p[i]);
    jsonw_close(&w);
    buf_add_byte(&b, '\0');
    if (!buf_ok(&b, "the intervals", err))
        return false;
    const char *params[] = { experiment, run->id, b.p };
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &statements[INSERT], params, err);
    return r != NULL;
}

bool drawn_publish(struct run_context *run, const struct drawn_rows *d, struct str only, struct err *err)
{
    AUTO(mem_free) char *experiment = mem_printf(STR_FMT, STR_ARG(d->experiment));
    AUTO(mem_free) char *metric = only.p ? mem_printf(STR_FMT, STR_ARG(only)) : NULL;
    const char *params[] = { experiment, metric };
    if (!run_publish_begin(run, err))
        return false;
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &statements[DELETE], params, err);
    run_result(run, "{\"rows\":%zu}", d->n);
    return r && insert_rows(run, d, experiment, err) && run_publish_end(run, err);
}

/* ---- onto standard output ---- */

static void write_interval(struct jsonw *w, const char *key, const struct drawn_interval *i)
{
    if (!i->known) {
        jsonw_null(w, key);
        return;
    }
    jsonw_open(w, key, '{');
    jsonw_double(w, "estimate", i->estimate);
    jsonw_double(w, "se", i->se);
    jsonw_double(w, "low", i->low);
    jsonw_double(w, "high", i->high);
    jsonw_close(w);
}

static bool print_line(const struct drawn_rows *d, const struct drawn_row *row, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, LINE_MAX_BYTES);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "experiment", d->experiment);
    jsonw_str(&w, "metric", row->metric);
    jsonw_str(&w, "variant", row->variant);
    jsonw_str(&w, "control", d->control);
    jsonw_i64(&w, "n", row->n);
    jsonw_i64(&w, "control_n", row->control_n);
    jsonw_i64(&w, "replicates", d->replicates);
    jsonw_i64(&w, "seed", d->seed);
    jsonw_double(&w, "level", d->level);
    jsonw_double(&w, "value", row->value);
    jsonw_double(&w, "control_value", row->control_value);
    write_interval(&w, "difference", &row->difference);
    write_interval(&w, "lift", &row->lift);
    jsonw_close(&w);
    buf_add_byte(&b, '\n');
    if (!buf_ok(&b, "a line", err))
        return false;
    return fwrite(b.p, 1, b.n, stdout) == b.n || err_set(err, ERR_SYSTEM, "writing to standard output failed");
}

bool drawn_print(const struct drawn_rows *d, struct err *err)
{
    for (size_t i = 0; i < d->n; i++)
        if (!print_line(d, &d->p[i], err))
            return false;
    return true;
}
