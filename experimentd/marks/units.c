#include "experimentd/marks/units.h"

#include "base/hash.h"
#include "base/jsonw.h"
#include "base/pg.h"

enum { LIST_BYTES_MAX = 64 << 20 };

/* In the order of units, so that two loaders that mark some of the same wait for each other and do not deadlock. */
static const struct pg_stmt note = {
    "marked_units_note", 1,
    "insert into marked_units as m (unit, bucket, mark, first_at, last_at, signals) "
    "select u, min(b), min(k), to_timestamp(min(t) / 1e6), to_timestamp(max(t) / 1e6), sum(s) "
    "from json_to_recordset($1::json) as r(u text, b smallint, k smallint, t float8, s bigint) "
    "group by u order by u collate \"C\" "
    "on conflict (unit) do update set first_at = least(m.first_at, excluded.first_at), "
    "last_at = greatest(m.last_at, excluded.last_at), signals = m.signals + excluded.signals, "
    "mark = case when m.by_hand then m.mark else excluded.mark end"
};

static void add(struct jsonw *w, struct str unit, enum mark mark, int64_t at_us, int signals)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "u", unit);
    jsonw_i64(w, "b", hash_bucket(unit));
    jsonw_i64(w, "k", mark);
    jsonw_i64(w, "t", at_us);
    jsonw_i64(w, "s", signals);
    jsonw_close(w);
}

bool marked_units_note(struct pg *pg, const struct rows *rows, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    size_t n = 0;
    buf_init(&b, LIST_BYTES_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '[');
    for (size_t i = 0; i < rows->signals_count; i++)
        if (rows->signals[i].mark && ++n)
            add(&w, rows->signals[i].unit, rows->signals[i].mark, rows->signals[i].at_us, 1);
    for (size_t i = 0; i < rows->exposures_count; i++)
        if (rows->exposures[i].mark && ++n)
            add(&w, rows->exposures[i].unit, rows->exposures[i].mark, rows->exposures[i].at_us, 0);
    jsonw_close(&w);
    if (!n)
        return true;
    if (!buf_ok(&b, "the marked units of a batch", err))
        return false;
    const char *params[] = { b.p };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &note, params, err);
    return r != NULL;
}
