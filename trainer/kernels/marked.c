#include "trainer/kernels/marked.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/pg.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/run_snapshot.h"

static const struct pg_stmt read_units = {
    "marked_read", 2,
    "select unit from marked_units where mark <> 0 and bucket between $1::int and $2::int order by unit collate \"C\""
};

bool marked_read(struct pg *pg, uint32_t lo, uint32_t hi, struct arena *arena, struct marked *out, struct err *err)
{
    const char *params[] = { arena_printf(arena, "%u", lo).p, arena_printf(arena, "%u", hi).p };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &read_units, params, err);
    if (!r)
        return false;
    out->count = (size_t)PQntuples(r);
    out->units = arena_alloc(arena, (out->count + 1) * sizeof *out->units);
    for (size_t i = 0; i < out->count; i++)
        out->units[i] = arena_str(arena, pg_get(r, (int)i, 0));
    return true;
}

static int by_bytes(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    int d = n ? memcmp(x->p, y->p, n) : 0;
    return d ? d : (x->n > y->n) - (x->n < y->n);
}

bool marked_has(const struct marked *m, struct str unit)
{
    return m->count && bsearch(&unit, m->units, m->count, sizeof *m->units, by_bytes);
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

bool marked_read_hashes(struct pg *pg, struct arena *arena, struct marked_hashes *out, struct err *err)
{
    struct marked m;
    if (!marked_read(pg, 0, BUCKET_COUNT - 1, arena, &m, err))
        return false;
    out->count = m.count;
    out->units = arena_alloc(arena, (m.count + 1) * sizeof *out->units);
    for (size_t i = 0; i < m.count; i++)
        out->units[i] = hash64(m.units[i]);
    qsort(out->units, out->count, sizeof *out->units, by_number);
    return true;
}

bool marked_of_run(struct task *t, struct marked_hashes *out, struct err *err)
{
    AUTO(run_snapshot_close) struct pg *pg = run_snapshot_open(t, err);
    return pg && marked_read_hashes(pg, task_arena(t), out, err);
}

bool marked_has_hash(const struct marked_hashes *m, uint64_t unit)
{
    return m->count && bsearch(&unit, m->units, m->count, sizeof *m->units, by_number);
}
