#include "experimentd/ingest/load/rows.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "experimentd/ingest/load/day_notes.h"
#include "experimentd/ingest/load/identity.h"
#include "experimentd/marks/units.h"

/* Rows go out while the next ones are written: PostgreSQL reads a message only when it has it whole. */
enum { COPY_PIECE = 64 << 10, COPY_MAX_BYTES = 16 << 20 };

static const struct pg_stmt ensure_partition = { "rows_partition", 1, "select ensure_partition($1::date)" };

void rows_loader_init(struct rows_loader *l, struct pg *pg, const char *writer, uint32_t unit_per_minute)
{
    *l = (struct rows_loader){ .pg = pg, .unit_per_minute = unit_per_minute };
    (void)snprintf(l->writer, sizeof l->writer, "%s", writer);
    load_ids_init(&l->ids, pg);
    buf_init(&l->copy, COPY_MAX_BYTES);
    arena_init(&l->texts, 4096);
}

void rows_loader_release(struct rows_loader *l)
{
    load_ids_release(&l->ids);
    query_texts_release(&l->queries);
    rates_release(&l->rates);
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

bool rows_forget_days(struct rows_loader *l)
{
    bool may_help = !l->days_forgotten;
    l->days_count = 0;
    l->days_forgotten = true;
    return may_help;
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

/* Marks repeats by an empty type: those that are known, and of those that share an id in these rows all but the first. */
static void mark_repeats(struct rows_loader *l, struct rows *rows)
{
    struct signal **with_id = mem_alloc((rows->signals_count + 1) * sizeof(void *));
    size_t n = 0;
    for (size_t i = 0; i < rows->signals_count; i++)
        if (rows->signals[i].client_id)
            with_id[n++] = &rows->signals[i];
    qsort(with_id, n, sizeof(void *), by_id);
    buf_clear(&l->ids.ids);
    for (size_t i = 0; i < n; i++) {
        bool repeat = (i && memcmp(with_id[i - 1]->id, with_id[i]->id, 16) == 0) ||
                      repeats_has(&l->ids.known, with_id[i]->id);
        if (repeat)
            with_id[i]->type.n = 0;
        else
            buf_add(&l->ids.ids, with_id[i]->id, 16);
    }
    mem_free(with_id);
}

/* How many were left out. The ids of the rest are in l->ids.ids. */
static size_t drop_repeats(struct rows_loader *l, struct rows *rows)
{
    size_t kept = 0, before = rows->signals_count;
    mark_repeats(l, rows);
    for (size_t i = 0; i < before; i++)
        if (rows->signals[i].type.n)
            rows->signals[kept++] = rows->signals[i];
    rows->signals_count = kept;
    return before - kept;
}

/* ---- marks ---- */

/* Rows that were rolled back come again: rather than count them twice, which would mark people, all counts are forgotten. */
static void mark_rates(struct rows_loader *l, struct rows *rows)
{
    if (l->counting)
        rates_release(&l->rates);
    l->counting = l->unit_per_minute > 0;
    for (size_t i = 0; i < rows->signals_count && l->counting; i++) {
        struct signal *s = &rows->signals[i];
        if (rates_add(&l->rates, s->unit, s->at_us) > l->unit_per_minute && !s->mark)
            s->mark = MARK_RATE;
    }
}

/* ---- COPY ---- */

static void add_signal(struct buf *b, const struct signal *s)
{
    pg_copy_row(b, 15);
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
    pg_copy_i16(b, (int16_t)s->mark);
}

static bool copy_begin(struct rows_loader *l, const char *sql, struct err *err)
{
    buf_clear(&l->copy);
    pg_copy_header(&l->copy);
    return pg_copy_begin(l->pg, sql, err);
}

static bool copy_piece(struct rows_loader *l, size_t least, struct err *err)
{
    if (l->copy.n < least)
        return true;
    bool ok = buf_ok(&l->copy, "a row", err) && pg_copy_send(l->pg, buf_str(&l->copy), err);
    buf_clear(&l->copy);
    return ok;
}

static bool copy_end(struct rows_loader *l, struct err *err)
{
    uint64_t rows;
    pg_copy_trailer(&l->copy);
    return copy_piece(l, 0, err) && pg_copy_end(l->pg, &rows, err);
}

static bool copy_signals(struct rows_loader *l, const struct rows *rows, struct err *err)
{
    bool ok = copy_begin(l,
                         "copy signals (id, at, received_at, bucket, type, unit, session, query_id, query, doc, "
                         "position, value, params, user_id, mark) "
                         "from stdin (format binary)",
                         err);
    for (size_t i = 0; ok && i < rows->signals_count; i++) {
        add_signal(&l->copy, &rows->signals[i]);
        ok = copy_piece(l, COPY_PIECE, err);
    }
    return ok && copy_end(l, err);
}

static void add_exposure(struct buf *b, const struct exposure *e)
{
    pg_copy_row(b, 6);
    pg_copy_time(b, e->at_us);
    pg_copy_i16(b, (int16_t)hash_bucket(e->unit));
    pg_copy_text(b, e->experiment);
    pg_copy_text(b, e->variant);
    pg_copy_text(b, e->unit);
    pg_copy_jsonb(b, e->dims);
}

static bool copy_exposures(struct rows_loader *l, const struct rows *rows, struct err *err)
{
    bool ok = copy_begin(l, "copy exposures (at, bucket, experiment, variant, unit, dims) from stdin (format binary)",
                         err);
    for (size_t i = 0; ok && i < rows->exposures_count; i++) {
        add_exposure(&l->copy, &rows->exposures[i]);
        ok = copy_piece(l, COPY_PIECE, err);
    }
    return ok && copy_end(l, err);
}

static bool copy_all(struct rows_loader *l, const struct rows *rows, struct err *err)
{
    return (rows->signals_count == 0 || copy_signals(l, rows, err)) &&
           (rows->exposures_count == 0 || copy_exposures(l, rows, err));
}

/* ---- loading ---- */

/* The rows are copied; then, for the moment until the commit, no other loader commits ids. Has one got an id of ours in between, the rows
 * are copied again without it, under the lock. */
static bool copy_once(struct rows_loader *l, struct rows *rows, uint64_t *out_duplicates, struct err *err)
{
    size_t late;
    if (!pg_exec(l->pg, "savepoint rows", err) || !copy_all(l, rows, err) || !load_ids_lock(&l->ids, err) ||
        !load_ids_catch_up(&l->ids, err))
        return false;
    if ((late = drop_repeats(l, rows)) > 0) {
        if (!pg_exec(l->pg, "rollback to savepoint rows", err) || !load_ids_lock(&l->ids, err) ||
            !load_ids_catch_up(&l->ids, err))
            return false;
        *out_duplicates += late + drop_repeats(l, rows);
        if (!copy_all(l, rows, err))
            return false;
    }
    return l->ids.ids.n == 0 || load_ids_write(&l->ids, err);
}

bool rows_load(struct rows_loader *l, struct rows *rows, uint64_t *out_duplicates, struct err *err)
{
    bool any = false;
    *out_duplicates = 0;
    l->ids.written = 0;
    for (size_t i = 0; i < rows->signals_count && !any; i++)
        any = rows->signals[i].client_id;
    if (any && !load_ids_catch_up(&l->ids, err))
        return false;
    *out_duplicates = drop_repeats(l, rows);
    arena_reset(&l->texts);
    if (!identity_apply(l->pg, rows, &l->texts, err))
        return false;
    query_texts_apply(&l->queries, rows->signals, rows->signals_count);
    mark_rates(l, rows);
    if (!marked_units_note(l->pg, rows, err) || !day_notes_write(l->pg, rows, l->writer, err))
        return false;
    return l->ids.ids.n ? copy_once(l, rows, out_duplicates, err) : copy_all(l, rows, err);
}

void rows_committed(struct rows_loader *l)
{
    l->days_forgotten = false;
    load_ids_committed(&l->ids);
    l->counting = false;
}
