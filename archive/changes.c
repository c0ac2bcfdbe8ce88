#include "archive/changes.h"

#include "base/pg.h"

static const struct pg_stmt read_changes = {
    "changes_read", 0,
    "select day - date '1970-01-01', part, coalesce(sum(changes) filter (where head), 0)::bigint, "
    "coalesce(sum(changes) filter (where not head), 0)::bigint from day_changes group by 1, 2 order by 1, 2"
};
static const struct pg_stmt read_unknown = {
    "changes_unknown", 0,
    "select changes, concat_ws(' ', system_identifier, timeline_id, 'day_changes'::regclass::oid) "
    "from unknown_changes, pg_control_system(), pg_control_checkpoint()"
};

bool changes_read(struct pg *pg, struct arena *arena, struct changes *out, struct err *err)
{
    AUTO(pg_result_free) PGresult *unknown = pg_run(pg, &read_unknown, NULL, err);
    AUTO(pg_result_free) PGresult *r = unknown ? pg_run(pg, &read_changes, NULL, err) : NULL;
    if (!r)
        return false;
    out->unknown = (uint64_t)pg_get_i64(unknown, 0, 0);
    out->origin = arena_str(arena, pg_get(unknown, 0, 1));
    out->count = (size_t)PQntuples(r);
    out->list = arena_alloc(arena, (out->count + 1) * sizeof *out->list);
    for (int i = 0; i < (int)out->count; i++)
        out->list[i] = (struct change){ (int32_t)pg_get_i64(r, i, 0), (unsigned)pg_get_i64(r, i, 1),
                                        (uint64_t)pg_get_i64(r, i, 2), (uint64_t)pg_get_i64(r, i, 3) };
    return true;
}

static size_t first_of(const struct changes *c, int32_t day)
{
    size_t lo = 0, hi = c->count;
    while (lo < hi) {
        size_t middle = lo + (hi - lo) / 2;
        if (c->list[middle].day < day)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;
}

struct change changes_of(const struct changes *c, int32_t day, unsigned lo, unsigned hi)
{
    struct change sum = { .day = day, .part = lo / CHANGES_PART_BUCKETS };
    for (size_t i = first_of(c, day); i < c->count && c->list[i].day == day; i++) {
        if (c->list[i].part < lo / CHANGES_PART_BUCKETS || c->list[i].part > hi / CHANGES_PART_BUCKETS)
            continue;
        sum.head += c->list[i].head;
        sum.rest += c->list[i].rest;
    }
    return sum;
}
