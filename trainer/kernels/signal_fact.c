#include "trainer/kernels/signal_fact.h"

static bool needs_params(const struct metric_fact *f)
{
    return f->of == FACT_SIGNALS && (f->params_count > 0 || f->sum == FACT_SUM_PARAM);
}

bool signal_facts_need_params(const struct program *p)
{
    for (size_t i = 0; i < p->facts_count; i++)
        if (needs_params(&p->facts[i].fact))
            return true;
    return false;
}

static bool is_of_type(const struct metric_fact *f, struct str type)
{
    for (size_t i = 0; i < f->types_count; i++)
        if (str_eq(f->types[i], type))
            return true;
    return f->types_count == 0;
}

bool signal_facts_pass_by(const struct program *p, struct str type)
{
    for (size_t i = 0; i < p->facts_count; i++)
        if (p->facts[i].fact.of == FACT_SIGNALS && is_of_type(&p->facts[i].fact, type))
            return false;
    return true;
}

/* As PostgreSQL's ->>, but a number in its shortest form. False: there is none, or it is a list or an object. */
static bool text_of(const json_t *v, struct buf *out)
{
    buf_clear(out);
    if (json_is_string(v))
        buf_add(out, json_string_value(v), json_string_length(v));
    else if (json_is_number(v) || json_is_boolean(v))
        json_write(out, v);
    else
        return false;
    return !out->failed;
}

static bool number_of(const json_t *v, double *out)
{
    if (json_is_number(v)) {
        *out = json_number_value(v);
        return true;
    }
    return json_is_string(v) && parse_double((struct str){ json_string_value(v), json_string_length(v) }, out, NULL);
}

static const json_t *member(const json_t *params, struct str name)
{
    return json_object_getn(params, name.p, name.n);
}

static bool params_match(const struct metric_fact *f, const json_t *params)
{
    enum { TEXT_MAX = 4096 };
    AUTO(buf_release) struct buf text;
    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < f->params_count; i++)
        if (!text_of(member(params, f->params[i].name), &text) || !str_eq(buf_str(&text), f->params[i].value))
            return false;
    return true;
}

/* False: nothing. */
static bool amount_of(const struct metric_fact *f, const struct signal_row *row, const json_t *params, double *out)
{
    switch (f->sum) {
    case FACT_SUM_ONE:
        *out = 1;
        return true;
    case FACT_SUM_VALUE:
        *out = row->value;
        return !isnan(row->value);
    case FACT_SUM_POSITION:
        *out = row->position;
        return row->position > 0;
    case FACT_SUM_PARAM:
        return number_of(member(params, f->sum_param), out);
    case FACT_SUM_COUNT:
        break;
    }
    return false;
}

static bool matches(const struct metric_fact *f, const struct signal_row *row)
{
    double position = row->position > 0 ? row->position : (double)NAN;
    return f->of == FACT_SIGNALS && is_of_type(f, row->type) && fact_bounds_hold(&f->position, position) &&
           fact_bounds_hold(&f->value, row->value);
}

uint32_t signal_facts_of(const struct program *p, const struct signal_row *row, struct event_hit *out)
{
    json_auto_t *params = NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->facts_count; i++) {
        const struct metric_fact *f = &p->facts[i].fact;
        double value;
        if (!matches(f, row))
            continue;
        if (needs_params(f) && !params)
            params = row->params.p ? json_parse(row->params, NULL) : NULL;
        if ((!needs_params(f) || (params && params_match(f, params))) && amount_of(f, row, params, &value))
            out[count++] = (struct event_hit){ i, value };
    }
    return count;
}
