#include "experimentd/ingest/rows.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/pg.h"
#include "experimentd/ingest/identity.h"

enum { COPY_MAX_BYTES = 512 << 20 };

static const struct pg_stmt ensure_partition = { "rows_partition", 1, "select ensure_partition($1::date)" };
static const struct pg_stmt insert_ids = { "rows_ids", 2,
                                           "insert into signal_ids (id, at) select * from unnest($1::uuid[], "
                                           "$2::timestamptz[]) on conflict do nothing returning id" };

void rows_loader_init(struct rows_loader *l, struct pg *pg)
{
    *l = (struct rows_loader){ .pg = pg };
    buf_init(&l->copy, COPY_MAX_BYTES);
    arena_init(&l->texts, 4096);
}

void rows_loader_release(struct rows_loader *l)
{
    buf_release(&l->copy);
    arena_release(&l->texts);
    mem_free(l->days);
}

/* ---- partitions ---- */

static bool day_known(const struct rows_loader *l, int32_t day)
{
    for (size_t i = l->days_count; i > 0; i--) /* the newest are asked for most */
        if (l->days[i - 1] == day)
            return true;
    return false;
}

static bool make_day(struct rows_loader *l, int32_t day, struct err *err)
{
    char text[CLOCK_TEXT_MAX];
    const char *params[] = { clock_format_day(day, text) };
    AUTO(pg_result_free) PGresult *r = pg_run(l->pg, &ensure_partition, params, err);
    if (!r)
        return false;
    if (l->days_count == l->days_room) {
        l->days_room = l->days_room ? l->days_room * 2 : 64;
        l->days = mem_realloc(l->days, l->days_room * sizeof *l->days);
    }
    l->days[l->days_count++] = day;
    return true;
}

bool rows_prepare(struct rows_loader *l, const struct rows *rows, struct err *err)
{
    for (size_t i = 0; i < rows->signals_count; i++)
        if (!day_known(l, clock_day(rows->signals[i].at_us)) && !make_day(l, clock_day(rows->signals[i].at_us), err))
            return false;
    for (size_t i = 0; i < rows->exposures_count; i++)
        if (!day_known(l, clock_day(rows->exposures[i].at_us)) &&
            !make_day(l, clock_day(rows->exposures[i].at_us), err))
            return false;
    return true;
}

/* ---- repeats ---- */

static int by_id(const void *a, const void *b)
{
    const struct signal *const *x = a, *const *y = b;
    int d = memcmp((*x)->id, (*y)->id, 16);
    return d ? d : (*x > *y) - (*x < *y);
}

static int text_to_signal(const void *key, const void *element)
{
    const struct signal *const *s = element;
    return memcmp(key, (*s)->id, 16);
}

/* Ids go in sorted, so that two loaders that share some wait for each other and do not deadlock. */
static void id_arrays(struct signal *const *with_id, size_t n, struct buf *ids, struct buf *times)
{
    char id[UUID_TEXT_MAX], at[CLOCK_TEXT_MAX];
    for (size_t i = 0; i < n; i++) {
        uuid_format(with_id[i]->id, id);
        buf_addf(ids, "%c%s", i ? ',' : '{', id);
        buf_addf(times, "%c\"%s\"", i ? ',' : '{', clock_format(with_id[i]->at_us, at));
    }
    buf_add_byte(ids, '}');
    buf_add_byte(times, '}');
}

/* Marks repeats by an empty type: of each id that the database took now, the first signal stays. */
static void mark_repeats(struct signal **with_id, size_t n, const PGresult *taken)
{
    bool *stays = mem_zalloc(n * sizeof *stays);
    for (int row = 0; row < PQntuples(taken); row++) {
        unsigned char id[16];
        (void)uuid_parse(pg_get(taken, row, 0), id);
        struct signal **hit = bsearch(id, with_id, n, sizeof *with_id, text_to_signal);
        while (hit && hit > with_id && memcmp(hit[-1]->id, id, 16) == 0)
            hit--;
        if (hit)
            stays[hit - with_id] = true;
    }
    for (size_t i = 0; i < n; i++)
        if (!stays[i])
            with_id[i]->type.n = 0;
    mem_free(stays);
}

static bool drop_repeats(struct rows_loader *l, struct rows *rows, uint64_t *out_duplicates, struct err *err)
{
    struct signal **with_id = mem_alloc(rows->signals_count * sizeof *with_id);
    size_t n = 0, kept = 0;
    bool ok = true;
    for (size_t i = 0; i < rows->signals_count; i++)
        if (rows->signals[i].client_id)
            with_id[n++] = &rows->signals[i];
    if (n) {
        struct buf ids, times;
        buf_init(&ids, COPY_MAX_BYTES);
        buf_init(&times, COPY_MAX_BYTES);
        qsort(with_id, n, sizeof *with_id, by_id);
        id_arrays(with_id, n, &ids, &times);
        const char *params[] = { ids.p, times.p };
        AUTO(pg_result_free) PGresult *r = pg_run(l->pg, &insert_ids, params, err);
        ok = r != NULL;
        if (ok)
            mark_repeats(with_id, n, r);
        buf_release(&ids);
        buf_release(&times);
    }
    mem_free(with_id);
    for (size_t i = 0; ok && i < rows->signals_count; i++)
        if (rows->signals[i].type.n)
            rows->signals[kept++] = rows->signals[i];
    if (ok) {
        *out_duplicates = rows->signals_count - kept;
        rows->signals_count = kept;
    }
    return ok;
}

/* ---- COPY ---- */

static void add_signal(struct buf *b, const struct signal *s)
{
    pg_copy_row(b, 14);
    pg_copy_uuid(b, s->id);
    pg_copy_time(b, s->at_us);
    pg_copy_time(b, s->received_us);
    pg_copy_i16(b, (int16_t)hash_bucket(s->unit));
    pg_copy_text(b, s->type);
    pg_copy_text(b, s->unit);
    pg_copy_text(b, s->session);
    pg_copy_text(b, s->query_id);
    pg_copy_text(b, s->query);
    pg_copy_text(b, s->doc);
    if (s->position == SIGNAL_POSITION_NONE)
        pg_copy_null(b);
    else
        pg_copy_i32(b, s->position);
    pg_copy_double(b, s->value);
    pg_copy_jsonb(b, s->params);
    pg_copy_text(b, s->user);
}

static bool copy_out(struct rows_loader *l, const char *sql, struct err *err)
{
    uint64_t rows;
    pg_copy_trailer(&l->copy);
    return pg_copy_begin(l->pg, sql, err) && pg_copy_send(l->pg, buf_str(&l->copy), err) &&
           pg_copy_end(l->pg, &rows, err);
}

static bool copy_signals(struct rows_loader *l, const struct rows *rows, struct err *err)
{
    buf_clear(&l->copy);
    pg_copy_header(&l->copy);
    for (size_t i = 0; i < rows->signals_count; i++)
        add_signal(&l->copy, &rows->signals[i]);
    return copy_out(l,
                    "copy signals (id, at, received_at, bucket, type, unit, session, query_id, query, doc, position, "
                    "value, params, user_id) "
                    "from stdin (format binary)",
                    err);
}

static bool copy_exposures(struct rows_loader *l, const struct rows *rows, struct err *err)
{
    buf_clear(&l->copy);
    pg_copy_header(&l->copy);
    for (size_t i = 0; i < rows->exposures_count; i++) {
        const struct exposure *e = &rows->exposures[i];
        pg_copy_row(&l->copy, 5);
        pg_copy_time(&l->copy, e->at_us);
        pg_copy_i16(&l->copy, (int16_t)hash_bucket(e->unit));
        pg_copy_text(&l->copy, e->experiment);
        pg_copy_text(&l->copy, e->variant);
        pg_copy_text(&l->copy, e->unit);
    }
    return copy_out(l, "copy exposures (at, bucket, experiment, variant, unit) from stdin (format binary)", err);
}

bool rows_load(struct rows_loader *l, struct rows *rows, uint64_t *out_duplicates, struct err *err)
{
    *out_duplicates = 0;
    if (rows->signals_count && !drop_repeats(l, rows, out_duplicates, err))
        return false;
    arena_reset(&l->texts);
    if (!identity_apply(l->pg, rows, &l->texts, err))
        return false;
    return (rows->signals_count == 0 || copy_signals(l, rows, err)) &&
           (rows->exposures_count == 0 || copy_exposures(l, rows, err));
}
