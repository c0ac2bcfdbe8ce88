#include "trainer/kernels/sql/rollup.h"

#include <assert.h>
#include <math.h>

#include "base/hash.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/record.h"

enum { ROW_MAX = 1 << 20 };

/* ---- records ---- */

static bool is_text(enum rollup_type type)
{
    return type == ROLLUP_TEXT;
}

static void put_value(struct buf *b, enum rollup_type type, const struct rollup_value *v)
{
    buf_add_byte(b, (char)v->null);
    if (v->null)
        return;
    if (is_text(type))
        record_put_text(b, v->s);
    else if (type == ROLLUP_REAL)
        record_put(b, &v->d, sizeof v->d);
    else
        record_put(b, &v->i, sizeof v->i);
}

static bool take_value(struct str *in, enum rollup_type type, struct rollup_value *out)
{
    char null;
    *out = (struct rollup_value){ .null = true };
    if (!record_take(in, &null, 1))
        return false;
    out->null = null != 0;
    if (out->null)
        return true;
    if (is_text(type))
        return record_take_text(in, &out->s);
    return type == ROLLUP_REAL ? record_take(in, &out->d, sizeof out->d) : record_take(in, &out->i, sizeof out->i);
}

static bool take_values(struct str *in, const struct rollup *r, uint32_t from, uint32_t to, struct rollup_value *out)
{
    for (uint32_t c = from; c < to; c++)
        if (!take_value(in, r->columns[c].type, &out[c]))
            return false;
    return true;
}

/* ---- one day ---- */

/* A pair of keys as bytes and nothing; its value: the other columns as bytes. */
struct rollup_day {
    const struct rollup *rules;
    struct pair_table *rows;
    struct buf keys, values;
};

struct rollup_day *rollup_day_new(const struct rollup *r)
{
    struct rollup_day *d = mem_zalloc(sizeof *d);
    d->rules = r;
    d->rows = pair_table_new(sizeof(struct str));
    buf_init(&d->keys, ROW_MAX);
    buf_init(&d->values, ROW_MAX);
    return d;
}

void rollup_day_free(struct rollup_day *d)
{
    if (!d)
        return;
    pair_table_free(d->rows);
    buf_release(&d->keys);
    buf_release(&d->values);
    mem_free(d);
}

bool rollup_day_add(struct rollup_day *d, const struct rollup_value *row, struct err *err)
{
    const struct rollup *r = d->rules;
    buf_clear(&d->keys);
    buf_clear(&d->values);
    for (uint32_t c = 0; c < r->columns_count; c++)
        put_value(c < r->keys_count ? &d->keys : &d->values, r->columns[c].type, &row[c]);
    if (!buf_ok(&d->keys, "the keys of a row", err) || !buf_ok(&d->values, "the values of a row", err))
        return false;
    struct str *values = pair_table_at(d->rows, STR(""), buf_str(&d->keys));
    if (values->p)
        return err_set(err, ERR_INVALID, "two rows of one day have the same keys: group by all keys and nothing else");
    *values = pair_table_keep(d->rows, buf_str(&d->values));
    return true;
}

bool rollup_day_each(const struct rollup_day *d, rollup_record_fn fn, void *arg, struct err *err)
{
    struct buf b;
    uint32_t *order = pair_table_sort(d->rows);
    bool ok = true;
    buf_init(&b, 2 * ROW_MAX + 16);
    for (size_t i = 0; ok && i < pair_table_count(d->rows); i++) {
        struct str keys = pair_table_second(d->rows, order[i]);
        buf_clear(&b);
        record_put_text(&b, keys);
        record_put_text(&b, *(struct str *)pair_table_value(d->rows, order[i]));
        ok = buf_ok(&b, "a record", err) && fn(arg, buf_str(&b), hash64(keys), err);
    }
    buf_release(&b);
    mem_free(order);
    return ok;
}

/* ---- many days ---- */

/* Of one group and measure. */
struct cell {
    bool has;
    int64_t i;
    double d, over;
    struct str s;
};

struct rollup_total {
    const struct rollup *rules;
    struct pair_table *groups;
};

struct rollup_total *rollup_total_new(const struct rollup *r)
{
    struct rollup_total *t = mem_zalloc(sizeof *t);
    t->rules = r;
    t->groups = pair_table_new((r->measures_count ? r->measures_count : 1) * sizeof(struct cell));
    return t;
}

void rollup_total_free(struct rollup_total *t)
{
    if (t)
        pair_table_free(t->groups);
    mem_free(t);
}

static double number_of(const struct rollup_value *v, enum rollup_type type)
{
    return v->null ? 0 : type == ROLLUP_REAL ? v->d : (double)v->i;
}

static int compare(const struct cell *c, const struct rollup_value *v, enum rollup_type type)
{
    if (type == ROLLUP_TEXT)
        return pair_text_compare(v->s, c->s);
    if (type == ROLLUP_REAL)
        return (v->d > c->d) - (v->d < c->d);
    return (v->i > c->i) - (v->i < c->i);
}

static void set(struct rollup_total *t, struct cell *c, const struct rollup_value *v, enum rollup_type type)
{
    c->has = true;
    c->i = v->i;
    c->d = v->d;
    if (type == ROLLUP_TEXT)
        c->s = pair_table_keep(t->groups, v->s);
}

static bool add_whole(struct cell *c, int64_t v, const struct rollup_measure *m, struct err *err)
{
    c->has = true;
    return !__builtin_add_overflow(c->i, v, &c->i) ||
           err_set(err, ERR_INVALID, "the sum of \"" STR_FMT "\" is greater than a bigint", STR_ARG(m->name));
}

static bool add_value(struct rollup_total *t, struct cell *c, const struct rollup_measure *m,
                      const struct rollup_value *row, struct err *err)
{
    const struct rollup_value *v = &row[m->of];
    enum rollup_type type = t->rules->columns[m->of].type;
    if (m->how == ROLLUP_MEAN) {
        c->has = c->has || !v->null;
        c->d += number_of(v, type);
        c->over += number_of(&row[m->over], t->rules->columns[m->over].type);
        return true;
    }
    if (v->null)
        return true;
    switch (m->how) {
    case ROLLUP_SUM:
    case ROLLUP_COUNT:
        if (type == ROLLUP_WHOLE)
            return add_whole(c, v->i, m, err);
        c->has = true;
        c->d += v->d;
        return true;
    case ROLLUP_DAYS:
        return add_whole(c, 1, m, err);
    case ROLLUP_MIN:
        if (!c->has || compare(c, v, type) < 0)
            set(t, c, v, type);
        return true;
    case ROLLUP_MAX:
        if (!c->has || compare(c, v, type) > 0)
            set(t, c, v, type);
        return true;
    case ROLLUP_FIRST:
        if (!c->has)
            set(t, c, v, type);
        return true;
    default:
        set(t, c, v, type); /* last */
        return true;
    }
}

bool rollup_total_add(struct rollup_total *t, struct str *block, struct err *err)
{
    const struct rollup *r = t->rules;
    struct rollup_value row[ROLLUP_COLUMNS_MAX];
    struct str keys, values;
    if (!record_take_text(block, &keys) || !record_take_text(block, &values) ||
        !take_values(&values, r, r->keys_count, r->columns_count, row))
        return err_set(err, ERR_SYSTEM, "a record of a day is damaged");
    struct cell *cells = pair_table_at(t->groups, STR(""), keys);
    for (uint32_t m = 0; m < r->measures_count; m++)
        if (!add_value(t, &cells[m], &r->measures[m], row, err))
            return false;
    return true;
}

static struct rollup_value result_of(const struct cell *c, const struct rollup_measure *m)
{
    struct rollup_value v = { .null = !c->has, .i = c->i, .d = c->d, .s = c->s };
    if (m->how == ROLLUP_COUNT || m->how == ROLLUP_DAYS)
        v.null = false;
    if (m->how == ROLLUP_MEAN) {
        v.null = !c->has || c->over == 0;
        v.d = v.null ? 0 : c->d / c->over;
    }
    return v;
}

bool rollup_total_each(const struct rollup_total *t, rollup_row_fn fn, void *arg, struct err *err)
{
    const struct rollup *r = t->rules;
    struct rollup_value row[2 * ROLLUP_COLUMNS_MAX];
    uint32_t *order = pair_table_sort(t->groups);
    bool ok = true;
    for (size_t i = 0; ok && i < pair_table_count(t->groups); i++) {
        struct str keys = pair_table_second(t->groups, order[i]);
        const struct cell *cells = pair_table_value(t->groups, order[i]);
        ok = take_values(&keys, r, 0, r->keys_count, row) ||
             err_set(err, ERR_SYSTEM, "the keys of a group are damaged");
        for (uint32_t m = 0; m < r->measures_count; m++)
            row[r->keys_count + m] = result_of(&cells[m], &r->measures[m]);
        ok = ok && fn(arg, row, err);
    }
    mem_free(order);
    return ok;
}
