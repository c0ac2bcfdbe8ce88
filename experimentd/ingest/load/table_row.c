/* Rows of a table by its mapping: cells, units, signals. */
#include <math.h>

#include "base/buf.h"
#include "experimentd/ingest/load/table_parts.h"

#define US_PER_HOUR (INT64_C(3600) * US_PER_SECOND)

struct row {
    const struct table *t;
    const struct str *fields;
    size_t count;
    struct arena *arena;
};

/* ---- the header ---- */

static int column_of(struct str name, const struct str *header, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(str_trim(header[i]), name))
            return (int)i;
    return -1;
}

static bool find_column(struct str name, const struct str *header, size_t count, int *out, struct err *err)
{
    *out = column_of(name, header, count);
    return *out >= 0 ||
           err_set(err, ERR_INVALID, "the file has no column \"" STR_FMT "\"", STR_ARG(str_cut(name, 100)));
}

static bool find_factor(struct table_factor *f, const struct str *header, size_t count, struct err *err)
{
    return !f->given || !isnan(f->number) || find_column(f->column, header, count, &f->index, err);
}

static bool find_cell(struct table_cell *c, const char *file, const struct str *header, size_t count, struct err *err)
{
    if (c->from == CELL_FILE)
        c->text = str_of(file);
    return (c->from != CELL_COLUMN || find_column(c->text, header, count, &c->index, err)) &&
           find_factor(&c->times, header, count, err) && find_factor(&c->over, header, count, err);
}

static bool find_params(struct table_params *p, const char *file, const struct str *header, size_t count,
                        struct err *err)
{
    for (size_t i = 0; i < p->count; i++)
        if (!find_cell(&p->list[i].cell, file, header, count, err))
            return false;
    return true;
}

static bool find_signal(struct table_signal *s, const char *file, const struct str *header, size_t count,
                        struct err *err)
{
    struct table_cell *const cells[] = { &s->only_if, &s->value, &s->position, &s->doc,   &s->query, &s->query_id,
                                         &s->session, &s->at,    &s->count,    &s->units, &s->after };
    for (size_t i = 0; i < COUNT_OF(cells); i++)
        if (!find_cell(cells[i], file, header, count, err))
            return false;
    return find_params(&s->params, file, header, count, err);
}

bool table_header(struct table *t, const char *file, const struct str *header, size_t count, struct err *err)
{
    struct table_cell *const cells[] = { &t->unit, &t->variant, &t->at, &t->units };
    for (size_t i = 0; i < COUNT_OF(cells); i++)
        if (!find_cell(cells[i], file, header, count, err))
            return false;
    if (!find_params(&t->attributes, file, header, count, err))
        return false;
    for (size_t i = 0; i < t->filters_count; i++)
        if (!find_column(t->filters[i].column, header, count, &t->filters[i].index, err))
            return false;
    for (size_t i = 0; i < t->signals_count; i++)
        if (!find_signal(&t->signals[i], file, header, count, err))
            return false;
    return true;
}

/* ---- cells ---- */

static struct str field_of(const struct row *r, int index)
{
    struct str s = (size_t)index < r->count ? str_trim(r->fields[index]) : STR("");
    for (size_t i = 0; i < r->t->missing_count; i++)
        if (str_eq(s, r->t->missing[i]))
            return (struct str){ NULL, 0 };
    return s.n ? s : (struct str){ NULL, 0 };
}

static struct str matched(const struct row *r, const struct table_pattern *find, struct str text)
{
    regmatch_t m[2];
    const char *start = arena_cstr(r->arena, text);
    if (regexec(&find->regex, start, 2, m, 0) != 0)
        return (struct str){ NULL, 0 };
    const regmatch_t *of = find->regex.re_nsub > 0 ? &m[1] : &m[0];
    if (of->rm_so < 0 || of->rm_eo == of->rm_so)
        return (struct str){ NULL, 0 };
    return (struct str){ start + of->rm_so, (size_t)(of->rm_eo - of->rm_so) };
}

/* {NULL, 0}: not there. */
static struct str plain_text(const struct row *r, const struct table_cell *c)
{
    struct str s = { NULL, 0 };
    if (c->from == CELL_COLUMN)
        s = field_of(r, c->index);
    else if (c->from != CELL_NONE)
        s = c->text;
    return s.p && c->find ? matched(r, c->find, s) : s;
}

static const char *name_of(const struct table_cell *c)
{
    return c->from == CELL_COLUMN ? c->text.p : c->from == CELL_FILE ? "(the file's name)" : "(the mapping)";
}

static bool factor_of(const struct row *r, const struct table_factor *f, double *out, struct err *err)
{
    *out = 1;
    if (!f->given)
        return true;
    *out = f->number;
    if (!isnan(f->number))
        return true;
    struct str s = field_of(r, f->index);
    return s.p ? parse_double(s, out, err) || err_prefix(err, "column \"%s\": ", f->column.p)
               : err_set(err, ERR_INVALID, "column \"%s\" is empty", f->column.p);
}

/* NAN: not there. */
static bool number_of(const struct row *r, const struct table_cell *c, double *out, struct err *err)
{
    struct str s = plain_text(r, c);
    double times, over;
    *out = NAN;
    if (!s.p)
        return true;
    if (!parse_double(s, out, err))
        return err_prefix(err, "column \"%s\": ", name_of(c));
    if (!factor_of(r, &c->times, &times, err) || !factor_of(r, &c->over, &over, err))
        return false;
    *out = *out * times / over;
    return isfinite(*out) || err_set(err, ERR_INVALID, "column \"%s\": %.*s times %g over %g is no number", name_of(c),
                                     STR_ARG(str_cut(s, 40)), times, over);
}

/* A whole number from 0 to `most`; `absent` when it is not there. */
static bool count_of(const struct row *r, const struct table_cell *c, int64_t absent, int64_t most, int64_t *out,
                     struct err *err)
{
    double v;
    if (!number_of(r, c, &v, err))
        return false;
    if (isnan(v)) {
        *out = absent;
        return true;
    }
    if (v < 0 || v > (double)most || v != floor(v))
        return err_set(err, ERR_INVALID, "column \"%s\": %g is not a whole number from 0 to %lld", name_of(c), v,
                       (long long)most);
    *out = (int64_t)v;
    return true;
}

/* In the arena: the row's own texts end with the row. */
static bool text_of(const struct row *r, const struct table_cell *c, struct str *out, struct err *err)
{
    struct str s = plain_text(r, c);
    double v;
    *out = s.p ? arena_str(r->arena, s) : s;
    if (!s.p || (!c->times.given && !c->over.given))
        return true;
    if (!number_of(r, c, &v, err))
        return false;
    *out = arena_printf(r->arena, "%.17g", v);
    return true;
}

static bool truth_of(const struct row *r, const struct table_cell *c, bool *out, struct err *err)
{
    static const char *const yes[] = { "true", "t", "yes", "y", "on" }, *const no[] = { "false", "f", "no", "n",
                                                                                        "off" };
    struct str s = plain_text(r, c);
    double v;
    *out = false;
    if (!s.p)
        return true;
    for (size_t i = 0; i < COUNT_OF(yes); i++) {
        if (str_eq_nocase(s, str_of(yes[i]))) {
            *out = true;
            return true;
        }
        if (str_eq_nocase(s, str_of(no[i])))
            return true;
    }
    if (!number_of(r, c, &v, NULL))
        return err_set(err, ERR_INVALID, "column \"%s\": \"%.*s\" is neither true, false nor a number", name_of(c),
                       STR_ARG(str_cut(s, 40)));
    *out = v != 0;
    return true;
}

static bool time_of(const struct row *r, const struct table_cell *c, int64_t *out, struct err *err)
{
    struct str s = plain_text(r, c);
    if (!s.p)
        return err_set(err, ERR_INVALID, "column \"%s\" is empty: when was it", name_of(c));
    return import_time(c->from == CELL_COLUMN ? r->t->timestamp_format : "", s, out, err) ||
           err_prefix(err, "column \"%s\": ", name_of(c));
}

/* ---- units ---- */

bool table_units(const struct table *t, const struct str *fields, size_t count, struct arena *arena, int64_t *out,
                 struct err *err)
{
    const struct row r = { t, fields, count, arena };
    *out = 0;
    for (size_t i = 0; i < t->filters_count; i++)
        if (!str_eq(field_of(&r, t->filters[i].index), t->filters[i].text))
            return true;
    if (t->units.from == CELL_NONE) {
        *out = 1;
        return true;
    }
    return count_of(&r, &t->units, 0, TABLE_UNITS_MAX, out, err);
}

/* Of the row's units those from `after` on, `units` of them, have the signal. */
static bool unit_has(const struct row *r, const struct table_signal *s, int64_t k, bool *out, struct err *err)
{
    int64_t all, units, after;
    *out = true;
    if (r->t->units.from == CELL_NONE)
        return true;
    if (!table_units(r->t, r->fields, r->count, r->arena, &all, err) ||
        !count_of(r, &s->units, s->units.from == CELL_NONE ? all : 0, TABLE_UNITS_MAX, &units, err) ||
        !count_of(r, &s->after, 0, TABLE_UNITS_MAX, &after, err))
        return false;
    if (after + units > all)
        return err_set(err, ERR_INVALID, "signal \"" STR_FMT "\": %lld units behind %lld, of %lld", STR_ARG(s->type),
                       (long long)units, (long long)after, (long long)all);
    *out = k >= after && k < after + units;
    return true;
}

/* ---- signals ---- */

static bool params_of(const struct row *r, const struct table_params *p, struct str *out, struct err *err)
{
    struct buf b;
    struct str text;
    double v;
    bool ok = true;
    buf_init(&b, SIGNAL_PARAMS_MAX);
    for (size_t i = 0; ok && i < p->count; i++) {
        ok = text_of(r, &p->list[i].cell, &text, err);
        if (!ok || !text.p)
            continue;
        buf_add_byte(&b, b.n ? ',' : '{');
        buf_add_json_str(&b, p->list[i].name);
        buf_add_byte(&b, ':');
        if (parse_double(text, &v, NULL))
            buf_add_json_double(&b, v);
        else
            buf_add_json_str(&b, text);
    }
    if (ok && b.n) {
        buf_add_byte(&b, '}');
        ok = buf_ok(&b, "params", err);
        *out = arena_str(r->arena, buf_str(&b));
    }
    buf_release(&b);
    return ok;
}

static bool fill_signal(const struct row *r, const struct table_signal *from, struct signal *s, struct err *err)
{
    int64_t position;
    double value;
    if (!text_of(r, &from->doc, &s->doc, err) || !text_of(r, &from->query, &s->query, err) ||
        !text_of(r, &from->query_id, &s->query_id, err) || !text_of(r, &from->session, &s->session, err) ||
        !number_of(r, &from->value, &value, err) ||
        !count_of(r, &from->position, SIGNAL_POSITION_NONE, INT32_MAX, &position, err) ||
        !params_of(r, &from->params, &s->params, err))
        return false;
    s->value = value;
    s->position = (int32_t)position;
    if (from->at.from != CELL_NONE && !time_of(r, &from->at, &s->at_us, err))
        return false;
    s->at_us += (int64_t)llround(from->after_hours * (double)US_PER_HOUR);
    return true;
}

/* A signal whose `if` is not true, or whose `value` is mapped and not there, did not happen. Where rows have requests, signals without a query
 * id of their own belong to the row's first one. */
static bool add_signal(const struct row *r, const struct table_signal *from, const struct signal *like, int64_t k,
                       struct str name, struct import_record *out, struct err *err)
{
    bool has, is = true;
    int64_t times, once = from->count.from == CELL_NONE;
    struct signal s = *like;
    s.type = from->type;
    if (!unit_has(r, from, k, &has, err) || !count_of(r, &from->count, once, IMPORT_CLICKS_MAX, &times, err) ||
        (from->only_if.from != CELL_NONE && !truth_of(r, &from->only_if, &is, err)) || !fill_signal(r, from, &s, err))
        return false;
    if (!has || !is || (from->value.from != CELL_NONE && isnan(s.value)))
        return true;
    if (out->signals_count + (size_t)times > IMPORT_SIGNALS_MAX)
        return err_set(err, ERR_INVALID, "the row makes more than %d signals", IMPORT_SIGNALS_MAX);
    bool own = s.query_id.p != NULL, request = str_eq(s.type, STR("request"));
    for (int64_t i = 0; i < times; i++) {
        if (!own && r->t->has_requests)
            s.query_id = request && i ? arena_printf(r->arena, STR_FMT "-%lld", STR_ARG(name), (long long)i) : name;
        out->signals[out->signals_count++] = s;
    }
    return true;
}

bool table_unit(const struct table *t, const struct str *fields, size_t count, int64_t k, struct str name,
                int64_t now_us, struct arena *arena, struct import_record *out, struct err *err)
{
    const struct row r = { t, fields, count, arena };
    struct signal like = { .received_us = now_us, .value = NAN };
    struct str variant, attributes = { NULL, 0 };
    out->signals_count = 0;
    out->has_exposure = false;
    if (!time_of(&r, &t->at, &like.at_us, err) || !text_of(&r, &t->variant, &variant, err) ||
        !text_of(&r, &t->unit, &like.unit, err))
        return false;
    if (t->unit.from == CELL_NONE)
        like.unit = name;
    if (!like.unit.p)
        return err_set(err, ERR_INVALID, "column \"%s\" is empty: whose row is it", name_of(&t->unit));
    if (t->variant.from != CELL_NONE && !variant.p)
        return err_set(err, ERR_INVALID, "column \"%s\" is empty: which variant was it", name_of(&t->variant));
    for (size_t i = 0; i < t->signals_count; i++)
        if (!add_signal(&r, &t->signals[i], &like, k, name, out, err))
            return false;
    if (!params_of(&r, &t->attributes, &attributes, err))
        return false;
    out->has_exposure = variant.p != NULL;
    out->exposure = (struct exposure){ .at_us = like.at_us,
                                       .experiment = str_of(t->key),
                                       .variant = variant,
                                       .unit = like.unit,
                                       .attributes = attributes };
    return import_record_check(out, arena, err);
}
