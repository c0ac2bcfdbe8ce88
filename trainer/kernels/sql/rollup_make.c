/* Keys and measures as people write them → struct rollup. */
#include <assert.h>

#include "trainer/kernels/sql/rollup.h"

enum { SHOWN_MAX = 60 };

const char *const rollup_type_names[ROLLUP_TYPE_COUNT] = {
    [ROLLUP_WHOLE] = "bigint", [ROLLUP_REAL] = "double precision",
    [ROLLUP_TEXT] = "text",    [ROLLUP_TIME] = "timestamp with time zone",
    [ROLLUP_DATE] = "date",    [ROLLUP_BOOL] = "boolean"
};

#define ANY 0x3f
#define NUMBERS (1 << ROLLUP_WHOLE | 1 << ROLLUP_REAL)
static const struct {
    const char *name;
    int types;  /* that it takes */
    int result; /* -1: the type of its column */
} hows[ROLLUP_HOW_COUNT] = {
    [ROLLUP_SUM] = { "sum", NUMBERS, -1 },
    [ROLLUP_MIN] = { "min", ANY, -1 },
    [ROLLUP_MAX] = { "max", ANY, -1 },
    [ROLLUP_COUNT] = { "count", 1 << ROLLUP_WHOLE, ROLLUP_WHOLE },
    [ROLLUP_MEAN] = { "mean", NUMBERS, ROLLUP_REAL },
    [ROLLUP_FIRST] = { "first", ANY, -1 },
    [ROLLUP_LAST] = { "last", ANY, -1 },
    [ROLLUP_DAYS] = { "days", ANY, ROLLUP_WHOLE },
};
static_assert(ROLLUP_TYPE_COUNT == 6, "ANY above is of six types");

struct making {
    const struct rollup_column *found;
    size_t found_count;
    struct arena *arena;
    struct rollup *out;
};

static const struct rollup_column *find(const struct making *m, struct str name)
{
    for (size_t i = 0; i < m->found_count; i++)
        if (str_eq(m->found[i].name, name))
            return &m->found[i];
    return NULL;
}

int rollup_key(const struct rollup *r, struct str name)
{
    for (uint32_t i = 0; i < r->keys_count; i++)
        if (str_eq(r->columns[i].name, name))
            return (int)i;
    return -1;
}

/* A column is read once, however many measures are of it. */
static bool read_column(struct making *m, const char *param, struct str name, uint32_t *out, struct err *err)
{
    struct rollup *r = m->out;
    const struct rollup_column *c = find(m, name);
    if (!c)
        return err_set(err, ERR_INVALID, "%s: the select has no column \"" STR_FMT "\"", param,
                       STR_ARG(str_cut(name, SHOWN_MAX)));
    for (*out = r->keys_count; *out < r->columns_count; ++*out)
        if (str_eq(r->columns[*out].name, name))
            return true;
    if (r->columns_count == ROLLUP_COLUMNS_MAX)
        return err_set(err, ERR_INVALID, "%s: more than %d columns", param, ROLLUP_COLUMNS_MAX);
    r->columns[r->columns_count++] = (struct rollup_column){ arena_str(m->arena, c->name), c->type };
    return true;
}

static bool make_keys(struct making *m, struct str keys, struct err *err)
{
    struct str rest = keys, name;
    struct rollup *r = m->out;
    while (str_split(&rest, ',', &name)) {
        uint32_t at;
        name = str_trim(name);
        if (rollup_key(r, name) >= 0)
            return err_set(err, ERR_INVALID, "keys: \"" STR_FMT "\" stands there twice", STR_ARG(name));
        if (!read_column(m, "keys", name, &at, err))
            return false;
        r->keys_count = r->columns_count;
    }
    return r->keys_count > 0 || err_set(err, ERR_INVALID, "keys: name at least one column");
}

static bool how_of(struct str text, enum rollup_how *out)
{
    for (int i = 0; i < ROLLUP_HOW_COUNT; i++)
        if (str_eq_c(text, hows[i].name)) {
            *out = (enum rollup_how)i;
            return true;
        }
    return false;
}

static bool check_type(const struct rollup *r, const struct rollup_measure *m, uint32_t column, struct err *err)
{
    const struct rollup_column *c = &r->columns[column];
    return hows[m->how].types & (1 << c->type) ||
           err_set(err, ERR_INVALID, "measures: \"" STR_FMT "\" is of type %s, of which there is no %s",
                   STR_ARG(c->name), rollup_type_names[c->type], hows[m->how].name);
}

static bool add_measure(struct making *m, struct rollup_measure measure, struct str of, struct str over,
                        struct err *err)
{
    struct rollup *r = m->out;
    if (measure.name.n == 0 || measure.name.n > ROLLUP_NAME_MAX)
        return err_set(err, ERR_INVALID, "measures: a name has 1 to %d bytes", ROLLUP_NAME_MAX);
    for (uint32_t i = 0; i < r->measures_count; i++)
        if (str_eq(r->measures[i].name, measure.name))
            return err_set(err, ERR_INVALID, "measures: \"" STR_FMT "\" stands there twice", STR_ARG(measure.name));
    if (rollup_key(r, measure.name) >= 0)
        return err_set(err, ERR_INVALID, "measures: \"" STR_FMT "\" is a key", STR_ARG(measure.name));
    if (r->measures_count == ROLLUP_COLUMNS_MAX || !read_column(m, "measures", of, &measure.of, err) ||
        !check_type(r, &measure, measure.of, err))
        return r->measures_count < ROLLUP_COLUMNS_MAX
                   ? false
                   : err_set(err, ERR_INVALID, "measures: more than %d", ROLLUP_COLUMNS_MAX);
    if (measure.how == ROLLUP_MEAN &&
        (!read_column(m, "measures", over, &measure.over, err) || !check_type(r, &measure, measure.over, err)))
        return false;
    measure.name = arena_str(m->arena, measure.name);
    measure.type = hows[measure.how].result < 0 ? r->columns[measure.of].type
                                                : (enum rollup_type)hows[measure.how].result;
    r->measures[r->measures_count++] = measure;
    return true;
}

static bool bad_measure(struct str text, struct err *err)
{
    return err_set(err, ERR_INVALID,
                   "measures: \"" STR_FMT
                   "\" is not COLUMN:sum, min, max, count, first, last or days, nor NAME:mean(SUM/COUNT)",
                   STR_ARG(str_cut(text, SHOWN_MAX)));
}

/* "n:sum", or "price:mean(spent/orders)". */
static bool make_measure(struct making *m, struct str text, struct err *err)
{
    struct str rest = str_trim(text), of, over = { NULL, 0 };
    struct rollup_measure measure = { .how = ROLLUP_MEAN };
    if (!str_split(&rest, ':', &measure.name) || !rest.p)
        return bad_measure(text, err);
    measure.name = of = str_trim(measure.name);
    rest = str_trim(rest);
    if (str_starts(rest, STR("mean(")) && rest.p[rest.n - 1] == ')') {
        over = (struct str){ rest.p + 5, rest.n - 6 };
        if (!str_split(&over, '/', &of) || !over.p)
            return bad_measure(text, err);
        of = str_trim(of);
        over = str_trim(over);
    } else if (!how_of(rest, &measure.how) || measure.how == ROLLUP_MEAN) {
        return bad_measure(text, err);
    }
    return add_measure(m, measure, of, over, err);
}

/* Numbers are added; of others somebody has to say what is to become of them. */
static bool make_all(struct making *m, struct err *err)
{
    for (size_t i = 0; i < m->found_count; i++) {
        const struct rollup_column *c = &m->found[i];
        if (rollup_key(m->out, c->name) >= 0)
            continue;
        if (!(NUMBERS & (1 << c->type)))
            return err_set(err, ERR_INVALID,
                           "measures: say how days of \"" STR_FMT "\" (%s) are put together, as in " STR_FMT ":max",
                           STR_ARG(c->name), rollup_type_names[c->type], STR_ARG(c->name));
        if (!add_measure(m, (struct rollup_measure){ .name = c->name, .how = ROLLUP_SUM }, c->name,
                         (struct str){ NULL, 0 }, err))
            return false;
    }
    return true;
}

bool rollup_make(struct str keys, struct str measures, const struct rollup_column *found, size_t found_count,
                 struct arena *arena, struct rollup *out, struct err *err)
{
    struct making m = { found, found_count, arena, out };
    struct str rest = measures, one;
    *out = (struct rollup){ .columns_count = 0 };
    if (!make_keys(&m, keys, err))
        return false;
    if (str_trim(measures).n == 0)
        return make_all(&m, err);
    while (str_split(&rest, ',', &one))
        if (!make_measure(&m, one, err))
            return false;
    return true;
}
