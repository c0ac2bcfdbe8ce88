#include "model/clicks.h"

/* ---- writing ---- */

static void put(void *arg, struct str name, double *value)
{
    lists_add(arg, name, (const float[]){ (float)*value });
}

void clicks_write_parameters(const struct click_globals *g, const enum click_model *models, size_t count,
                             struct lists_out *out)
{
    static const char *const columns[] = { "value" };
    struct click_globals copy = *g;
    lists_begin(out, columns, COUNT_OF(columns));
    for (size_t i = 0; i < count; i++) {
        lists_key(out, str_of(click_model_name(models[i])));
        lists_add(out, STR("positions"), (const float[]){ (float)g->positions });
        click_each_parameter(models[i], &copy, put, out);
    }
}

/* ---- reading ---- */

struct reading {
    const struct lists *lists;
    struct lists_row row;
    uint32_t at; /* entries come in the order in which they are asked for */
    bool ok;
};

static double value_of(struct reading *r, struct str name)
{
    uint32_t i = r->row.first + r->at++;
    r->ok = r->ok && i < r->row.first + r->row.count && str_eq(lists_entry(r->lists, i), name);
    return r->ok ? (double)lists_value(r->lists, i, 0) : 0;
}

static void take(void *arg, struct str name, double *value)
{
    *value = value_of(arg, name);
}

/* Probabilities, but for those of coec, which are rates. */
static void check(void *arg, struct str name, double *value)
{
    bool *ok = arg;
    (void)name;
    *ok = *ok && *value >= 0 && *value <= 1;
}

static bool read_parameters(const struct artifact *a, struct clicks *out, struct err *err)
{
    struct lists l;
    struct str section = artifact_section(a, "parameters"), key;
    struct reading r = { .lists = &l, .ok = true };
    if (!section.p || !lists_read(section, &l, err))
        return section.p ? false : err_set(err, ERR_INVALID, "section \"parameters\" is missing");
    if (l.columns != 1 || !lists_key_at(&l, 0, &key, &r.row))
        return err_set(err, ERR_INVALID, "section \"parameters\" names no model");
    out->model = click_model_named(key);
    if (out->model == CLICK_MODEL_COUNT)
        return err_set(err, ERR_INVALID, "section \"parameters\": \"" STR_FMT "\" is no click model", STR_ARG(key));
    double positions = value_of(&r, STR("positions"));
    if (!(positions >= 1 && positions <= CLICK_POSITIONS))
        return err_set(err, ERR_INVALID, "section \"parameters\": positions are not from 1 to %d", CLICK_POSITIONS);
    click_globals_init(&out->g, (uint32_t)positions, 0);
    click_each_parameter(out->model, &out->g, take, &r);
    click_each_parameter(out->model, &out->g, check, &r.ok);
    return r.ok ||
           err_set(err, ERR_INVALID, "section \"parameters\": those of %s are not whole", click_model_name(out->model));
}

bool clicks_open(const struct artifact *a, struct clicks *out, struct err *err)
{
    struct str documents = artifact_section(a, "documents");
    if (strcmp(a->kind, CLICKS_KIND) != 0)
        return err_set(err, ERR_INVALID, "the artifact is of kind \"%s\", not \"%s\"", a->kind, CLICKS_KIND);
    if (!read_parameters(a, out, err))
        return false;
    if (!documents.p)
        return err_set(err, ERR_INVALID, "section \"documents\" is missing");
    if (!lists_read(documents, &out->documents, err))
        return false;
    int alpha = lists_column_named(&out->documents, "attractiveness"),
        sigma = lists_column_named(&out->documents, "satisfaction");
    if (alpha < 0 || sigma < 0)
        return err_set(err, ERR_INVALID,
                       "section \"documents\" has no columns \"attractiveness\" and \"satisfaction\"");
    out->alpha = (uint32_t)alpha;
    out->sigma = (uint32_t)sigma;
    return true;
}

/* Rounded to 32 bits a probability may be 0 or 1. Of coec the section has the probability at the first position. */
struct click_params clicks_params(const struct clicks *c, uint32_t i)
{
    double alpha = click_within((double)lists_value(&c->documents, i, c->alpha)),
           sigma = (double)lists_value(&c->documents, i, c->sigma);
    bool satisfies = c->model == CLICK_DBN || c->model == CLICK_SDBN;
    return (struct click_params){ c->model == CLICK_COEC ? alpha / c->g.ctr_at[0] : alpha,
                                  satisfies ? click_within(sigma) : 1 };
}
