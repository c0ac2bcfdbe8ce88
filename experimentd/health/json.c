/* The answer of GET /v1/experiments/{key}/health. */
#include <math.h>

#include "experimentd/health/health.h"

static void write_p(struct jsonw *w, double log_p)
{
    jsonw_double(w, "p", exp(log_p));
    jsonw_double(w, "log10_p", log_p / M_LN10);
}

static void write_row(struct jsonw *w, const struct health_row *row, size_t variants)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "of", row->label);
    if (row->observed) {
        jsonw_open(w, "observed", '[');
        for (size_t i = 0; i < variants; i++)
            jsonw_i64(w, NULL, row->observed[i]);
        jsonw_close(w);
        jsonw_open(w, "expected", '[');
        for (size_t i = 0; i < variants; i++)
            jsonw_double(w, NULL, row->expected[i]);
        jsonw_close(w);
    } else {
        jsonw_double(w, "value", row->value);
        jsonw_double(w, "se", row->se);
    }
    write_p(w, row->log_p);
    jsonw_double(w, "adjusted_p", exp(row->adjusted));
    jsonw_close(w);
}

static void write_finding(struct jsonw *w, const struct health_words *words, const struct health_finding *f,
                          size_t variants)
{
    jsonw_open(w, NULL, '{');
    jsonw_text(w, "check", words->key);
    jsonw_text(w, "name", words->name);
    jsonw_text(w, "state", health_state_names[f->state]);
    jsonw_str(w, "text", f->text);
    jsonw_text(w, "means", words->means);
    if (f->state == HEALTH_WARNING || f->state == HEALTH_ALARM)
        jsonw_text(w, "todo", words->todo);
    else
        jsonw_null(w, "todo");
    jsonw_bool(w, "spoils", words->spoils);
    write_p(w, f->log_p);
    jsonw_open(w, "rows", '[');
    for (size_t i = 0; i < f->rows_count; i++)
        write_row(w, &f->rows[i], variants);
    jsonw_close(w);
    jsonw_close(w);
}

void health_write(struct jsonw *w, const struct health_input *in, const struct health *h)
{
    const struct snapshot_experiment *e = in->r->experiment;
    enum health_check spoilt = health_spoilt_by(h);
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "experiment", e->key);
    jsonw_text(w, "state", health_state_names[h->worst]);
    jsonw_text(w, "spoilt_by", spoilt < HEALTH_CHECK_COUNT ? health_words[spoilt].key : NULL);
    jsonw_time(w, "as_of", in->r->as_of_us);
    jsonw_i64(w, "phase", e->phase);
    jsonw_double(w, "alarm_below", HEALTH_ALARM_P);
    jsonw_double(w, "warning_below", HEALTH_WARNING_P);
    jsonw_open(w, "variants", '[');
    for (size_t i = 0; i < e->variants_count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "variant", e->variants[i].key);
        jsonw_double(w, "weight", e->variants[i].weight);
        jsonw_close(w);
    }
    jsonw_close(w);
    jsonw_open(w, "findings", '[');
    for (size_t i = 0; i < HEALTH_CHECK_COUNT; i++)
        write_finding(w, &health_words[i], &h->of[i], e->variants_count);
    jsonw_close(w);
    jsonw_close(w);
}
