#include <stddef.h>

#include "stats/ranks/sketch_bytes.h"
#include "trainer/kernels/metrics.h"
#include "trainer/kernels/record.h"

static void put_text(struct buf *b, struct str s)
{
    uint32_t n = (uint32_t)s.n;
    buf_add(b, &n, sizeof n);
    buf_add_str(b, s);
}

static void put_cross(struct buf *b, const struct cross *c)
{
    uint8_t vars = (uint8_t)c->vars;
    buf_add(b, &vars, sizeof vars);
    buf_add(b, &c->n, sizeof c->n);
    buf_add(b, c->mean, c->vars * sizeof *c->mean);
    buf_add(b, c->rest, c->vars * sizeof *c->rest);
    for (size_t i = 0; i < c->vars; i++)
        buf_add(b, c->m2[i], c->vars * sizeof **c->m2);
}

static void put_sketch(struct buf *b, const struct sketch *s)
{
    uint32_t n = 0;
    size_t at = b->n;
    buf_add(b, &n, sizeof n);
    char *to = buf_reserve(b, SKETCH_BYTES_MAX);
    if (!to)
        return;
    n = (uint32_t)sketch_bytes_write(s, (unsigned char *)to);
    b->n += n;
    memcpy(b->p + at, &n, sizeof n);
}

void metrics_write_cell(struct buf *b, enum metrics_record kind, const struct total_cell *c)
{
    buf_add_byte(b, (char)kind);
    buf_add(b, &c->experiment, sizeof c->experiment);
    buf_add(b, &c->metric, sizeof c->metric);
    buf_add(b, &c->day, sizeof c->day);
    put_text(b, c->variant);
    put_text(b, c->segment);
    buf_add(b, &c->m, sizeof c->m);
    buf_add_byte(b, (char)((c->pre != NULL) | (c->sketch != NULL) << 1));
    if (c->pre)
        put_cross(b, c->pre);
    if (c->sketch)
        put_sketch(b, c->sketch);
}

void metrics_write_counts(struct buf *b, uint32_t experiment, const struct total_counts *c)
{
    buf_add_byte(b, METRICS_COUNTS);
    buf_add(b, &experiment, sizeof experiment);
    buf_add(b, c, sizeof *c);
}

void metrics_write_exposures(struct buf *b, const struct total_exposures *e)
{
    buf_add_byte(b, METRICS_EXPOSURES);
    buf_add(b, &e->experiment, sizeof e->experiment);
    buf_add(b, &e->day, sizeof e->day);
    put_text(b, e->variant);
    put_text(b, e->segment);
    buf_add(b, &e->units, sizeof e->units);
    buf_add(b, &e->several, sizeof e->several);
}

/* ---- back ---- */

static bool take_cross(struct str *in, struct cross *out)
{
    uint8_t vars;
    if (!record_take(in, &vars, sizeof vars) || vars < 1 || vars > CROSS_MAX)
        return false;
    *out = cross_none(vars);
    if (!record_take(in, &out->n, sizeof out->n) || !record_take(in, out->mean, vars * sizeof *out->mean) ||
        !record_take(in, out->rest, vars * sizeof *out->rest))
        return false;
    for (size_t i = 0; i < vars; i++)
        if (!record_take(in, out->m2[i], vars * sizeof **out->m2))
            return false;
    return true;
}

static bool take_sketch(struct str *in, struct sketch *out)
{
    struct str bytes;
    return record_take_text(in, &bytes) && sketch_bytes_read(bytes.p, bytes.n, out, NULL);
}

static bool take_cell(struct str *in, struct metrics_read *out)
{
    struct total_cell *c = &out->cell;
    char parts;
    *c = (struct total_cell){ 0 };
    if (!record_take(in, &c->experiment, sizeof c->experiment) || !record_take(in, &c->metric, sizeof c->metric) ||
        !record_take(in, &c->day, sizeof c->day) || !record_take_text(in, &c->variant) ||
        !record_take_text(in, &c->segment) || !record_take(in, &c->m, sizeof c->m) || !record_take(in, &parts, 1))
        return false;
    c->pre = parts & 1 ? &out->pre : NULL;
    c->sketch = parts & 2 ? &out->sketch : NULL;
    return (!c->pre || take_cross(in, &out->pre)) && (!c->sketch || take_sketch(in, &out->sketch));
}

static bool take_exposures(struct str *in, struct total_exposures *e)
{
    return record_take(in, &e->experiment, sizeof e->experiment) && record_take(in, &e->day, sizeof e->day) &&
           record_take_text(in, &e->variant) && record_take_text(in, &e->segment) &&
           record_take(in, &e->units, sizeof e->units) && record_take(in, &e->several, sizeof e->several);
}

enum metrics_record metrics_read(struct str *in, struct metrics_read *out)
{
    char kind;
    bool ok = record_take(in, &kind, 1);
    if (ok && (kind == METRICS_CELL || kind == METRICS_CAP))
        ok = take_cell(in, out);
    else if (ok && kind == METRICS_COUNTS)
        ok = record_take(in, &out->experiment, sizeof out->experiment) &&
             record_take(in, &out->counts, sizeof out->counts);
    else if (ok && kind == METRICS_EXPOSURES)
        ok = take_exposures(in, &out->exposures);
    else
        ok = false;
    return ok ? (enum metrics_record)kind : METRICS_END;
}
