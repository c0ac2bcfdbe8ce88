#include "experimentd/ingest/load/day_notes.h"

#include <stdlib.h>

#include "archive/changes.h"
#include "base/hash.h"
#include "base/pg.h"

/* A day has eight keys, and rows come by time: nearly all are among the last ones. */
enum { LIST_MAX = 1 << 20, RECENT_KEYS = 32 };

static const struct pg_stmt note_days = {
    "day_notes", 4, "select note_loaded_days($1::date[], $2::smallint[], $3::boolean[], $4::uuid)"
};

/* What is noted, as one number: day, part, whether it is the head. */
struct notes {
    int64_t *keys;
    size_t count;
};

static void add(struct notes *n, int64_t at_us, struct str unit)
{
    int32_t day = clock_day(at_us);
    int64_t part = hash_bucket(unit) / CHANGES_PART_BUCKETS;
    bool head = at_us - day * US_PER_DAY < CHANGES_HEAD_US;
    int64_t key = (day * INT64_C(64) + part) * 2 + head;
    for (size_t i = n->count; i > 0 && n->count - i < RECENT_KEYS; i--)
        if (n->keys[i - 1] == key)
            return;
    n->keys[n->count++] = key;
}

static int by_key(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static bool write_notes(struct pg *pg, const struct notes *n, const char *writer, struct err *err)
{
    AUTO(buf_release) struct buf days;
    AUTO(buf_release) struct buf parts;
    AUTO(buf_release) struct buf heads;
    buf_init(&days, LIST_MAX);
    buf_init(&parts, LIST_MAX);
    buf_init(&heads, LIST_MAX);
    char between = '{';
    for (size_t i = 0; i < n->count; i++) {
        char text[CLOCK_TEXT_MAX];
        if (i && n->keys[i] == n->keys[i - 1])
            continue;
        int64_t place = n->keys[i] >> 1;
        int32_t day = (int32_t)(place >> 6);
        buf_addf(&days, "%c%s", between, clock_format_day(day, text));
        buf_addf(&parts, "%c%d", between, (int)(place & 63));
        buf_addf(&heads, "%c%s", between, n->keys[i] & 1 ? "t" : "f");
        between = ',';
    }
    buf_add_byte(&days, '}');
    buf_add_byte(&parts, '}');
    buf_add_byte(&heads, '}');
    const char *params[] = { days.p, parts.p, heads.p, writer };
    AUTO(pg_result_free)
    PGresult *r = buf_ok(&days, "the list of days", err) ? pg_run(pg, &note_days, params, err) : NULL;
    return r != NULL;
}

bool day_notes_write(struct pg *pg, const struct rows *rows, const char *writer, struct err *err)
{
    size_t count = rows->signals_count + rows->exposures_count;
    if (count == 0)
        return true;
    struct notes n = { mem_alloc(count * sizeof *n.keys), 0 };
    for (size_t i = 0; i < rows->signals_count; i++)
        add(&n, rows->signals[i].at_us, rows->signals[i].unit);
    for (size_t i = 0; i < rows->exposures_count; i++)
        add(&n, rows->exposures[i].at_us, rows->exposures[i].unit);
    qsort(n.keys, n.count, sizeof *n.keys, by_key);
    bool ok = write_notes(pg, &n, writer, err);
    mem_free(n.keys);
    return ok;
}
