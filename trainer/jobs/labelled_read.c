#include "trainer/jobs/labelled_read.h"

static const struct pg_stmt read_state = {
    "labelled_state", 1, "select pg_export_snapshot(), version, us(updated_at) from labelled_sets where name = $1"
};
static const struct pg_stmt read_labels = {
    "labelled_labels", 1, "select label, count(*) from labelled_texts where set_name = $1 group by label order by label"
};
/* $2: of so many ranges. */
static const struct pg_stmt read_bounds = {
    "labelled_bounds", 2,
    "select distinct text from (select text, row_number() over w - 1 as n, count(*) over () as all_of_them from "
    "labelled_texts where set_name = $1 window w as (order by text, label)) i where n = 0 or n * $2::bigint / "
    "all_of_them > (n - 1) * $2::bigint / all_of_them order by text"
};

static bool read_set(struct labelled_read *r, struct arena *arena, struct err *err)
{
    const char *params[] = { r->set };
    AUTO(pg_result_free) PGresult *s = pg_run(r->pg, &read_state, params, err);
    AUTO(pg_result_free) PGresult *l = s ? pg_run(r->pg, &read_labels, params, err) : NULL;
    if (!l)
        return false;
    if (PQntuples(s) == 0)
        return err_set(err, ERR_INVALID, "parameter \"texts\": there are no labelled texts \"%s\"", r->set);
    r->snapshot = arena_str(arena, pg_get(s, 0, 0));
    r->version = pg_get_i64(s, 0, 1);
    r->updated_us = pg_get_i64(s, 0, 2);
    r->labels_count = (uint32_t)PQntuples(l);
    r->labels = arena_alloc(arena, ((size_t)r->labels_count + 1) * sizeof *r->labels);
    for (uint32_t i = 0; i < r->labels_count; i++)
        r->labels[i] = (struct labelled_label){ arena_str(arena, pg_get(l, (int)i, 0)),
                                                (uint64_t)pg_get_i64(l, (int)i, 1) };
    return true;
}

static bool cut(struct labelled_read *r, const char *ranges, struct arena *arena, struct err *err)
{
    const char *params[] = { r->set, ranges };
    AUTO(pg_result_free) PGresult *b = pg_run(r->pg, &read_bounds, params, err);
    if (!b)
        return false;
    r->ranges = (uint32_t)PQntuples(b);
    r->bounds = arena_alloc(arena, ((size_t)r->ranges + 1) * sizeof *r->bounds);
    for (uint32_t i = 0; i < r->ranges; i++)
        r->bounds[i] = arena_str(arena, pg_get(b, (int)i, 0));
    return true;
}

bool labelled_read_open(struct labelled_read *r, struct run_context *run, struct arena *arena, struct err *err)
{
    *r = (struct labelled_read){ .pg = pg_open(run->database_url, "trainer labelled texts", NULL, 0, err),
                                 .set = run->param(run, "texts") };
    return r->pg && pg_exec(r->pg, "begin isolation level repeatable read read only", err) && read_set(r, arena, err) &&
           cut(r, run->param(run, "ranges"), arena, err);
}

void labelled_read_close(struct labelled_read *r)
{
    pg_close(r->pg);
    r->pg = NULL;
}
