#include "trainer/kernels/signals/day_signals.h"

#include "base/clock.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/run_snapshot.h"

struct reading {
    struct task *task;
    archive_batch_fn fn;
    void *arg;
};

static bool take_batch(void *arg, const struct archive_batch *b, struct err *err)
{
    struct reading *r = arg;
    return r->fn(r->arg, b, err) && task_tick(r->task, b->count, err);
}

bool day_signals_read(const struct day_signals *s, archive_batch_fn fn, void *arg, struct err *err)
{
    const int64_t day_us = s->split.day * US_PER_DAY;
    const struct archive_scan scan = { .table = "signals",
                                       .columns = s->columns,
                                       .columns_count = s->columns_count,
                                       .from_us = day_us - s->before_us,
                                       .to_us = day_us + US_PER_DAY + s->behind_us,
                                       .lo = s->split.lo,
                                       .hi = s->split.hi,
                                       .where = s->where };
    struct reading r = { s->task, fn, arg };
    AUTO(run_snapshot_close) struct pg *pg = run_snapshot_open(s->task, err);
    return pg && archive_scan_batches(pg, s->archive.p, &scan, take_batch, &r, err);
}

const char *day_signals_where(struct arena *arena, const char *before, const struct str *types, size_t count,
                              const char *behind)
{
    const char *where = before;
    for (size_t i = 0; i < count; i++)
        where = arena_printf(arena, "%s%s'" STR_FMT "'", where, i ? ", " : "", STR_ARG(types[i])).p;
    return arena_printf(arena, "%s%s", where, behind).p;
}

uint32_t *texts_unknown(const struct archive_vector *v, struct arena *arena)
{
    uint32_t *codes = arena_alloc(arena, (v->texts_count + (size_t)1) * sizeof *codes);
    for (size_t i = 0; i <= v->texts_count; i++)
        codes[i] = TEXT_UNKNOWN;
    return codes;
}

uint32_t text_number(uint32_t *known, struct intern *table, size_t max, const struct archive_vector *v, uint32_t row)
{
    uint32_t *number = &known[v->codes[row]];
    if (*number == TEXT_UNKNOWN)
        *number = intern_cut(table, text_at(v, row), max);
    return *number;
}

uint32_t query_number(uint32_t *known, struct typed_queries *queries, const struct archive_vector *v, uint32_t row)
{
    uint32_t *number = &known[v->codes[row]];
    if (*number == TEXT_UNKNOWN)
        *number = typed_queries_number(queries, text_at(v, row));
    return *number;
}
