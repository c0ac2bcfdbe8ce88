/* "contests.range@1": impressions and clicks of a range of buckets → contest_cells. Reads them one after the other: what is kept are the lists
 * alone, and of clicks only that they were. */
#include "archive/scan.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/contests.h"
#include "trainer/kernels/day_split.h"
#include "trainer/kernels/marked.h"
#include "trainer/kernels/run_snapshot.h"

enum { TICK_ROWS = 4096 };
enum { AT, TYPE, UNIT, QUERY_ID, DOC, PARAMS };

struct reading {
    struct task *task;
    const struct contests_params *params;
    struct marked marked;
    struct contest *contests;
    size_t count, room, units;
    uint64_t rows;
};

/* ---- params ---- */

static bool read_experiment(json_t *in, struct contest_experiment *out, struct arena *arena, struct err *err)
{
    struct json_reader r;
    json_t *variants = NULL;
    int64_t to_day = 0;
    json_reader_open(&r, in, "params: experiments");
    (void)json_get_str(&r, "key", JSON_REQUIRED, &out->key, arena);
    (void)json_get_i64(&r, "from_us", JSON_REQUIRED, &out->from_us);
    (void)json_get_i64(&r, "to_day", JSON_REQUIRED, &to_day);
    (void)json_get_array(&r, "variants", JSON_REQUIRED, &variants);
    out->to_day = (int32_t)to_day;
    out->variants_count = json_array_size(variants);
    if (out->variants_count > CONTEST_VARIANTS_MAX)
        (void)json_fail(&r, "variants", "has %zu elements, more than %d", out->variants_count, CONTEST_VARIANTS_MAX);
    for (size_t i = 0; i < out->variants_count && i < CONTEST_VARIANTS_MAX; i++) {
        const json_t *v = json_array_get(variants, i);
        out->variants[i] = arena_str(arena, (struct str){ json_string_value(v), json_string_length(v) });
    }
    return json_reader_close(&r, err);
}

bool contests_params_read(struct str json, struct contests_params *out, struct arena *arena, struct err *err)
{
    struct json_reader r;
    json_t *list = NULL;
    json_auto_t *root = json_parse(json, err);
    if (!root)
        return false;
    *out = (struct contests_params){ .to_us = 0 };
    json_reader_open(&r, root, "params");
    (void)json_get_str(&r, "archive", JSON_OPTIONAL, &out->archive, arena);
    (void)json_get_i64(&r, "to_us", JSON_REQUIRED, &out->to_us);
    (void)json_get_array(&r, "experiments", JSON_REQUIRED, &list);
    if (!json_reader_close(&r, err))
        return false;
    out->experiments_count = json_array_size(list);
    out->experiments = arena_zalloc(arena, (out->experiments_count + 1) * sizeof *out->experiments);
    for (size_t i = 0; i < out->experiments_count; i++)
        if (!read_experiment(json_array_get(list, i), &out->experiments[i], arena, err))
            return false;
    return true;
}

/* ---- reading ---- */

static bool tick(struct reading *r, struct err *err)
{
    return ++r->rows % TICK_ROWS != 0 || task_tick(r->task, TICK_ROWS, err);
}

static bool add_list(void *arg, const struct archive_value *row, struct err *err)
{
    struct reading *r = arg;
    struct contest c;
    if (str_eq(row[TYPE].s, STR("interleave")) && !row[QUERY_ID].null && !row[PARAMS].null &&
        !marked_has(&r->marked, row[UNIT].s) &&
        contest_read(row[PARAMS].s, row[AT].i, r->params->experiments, r->params->experiments_count,
                     task_arena(r->task), &c)) {
        c.unit = arena_str(task_arena(r->task), row[UNIT].s);
        c.query_id = arena_str(task_arena(r->task), row[QUERY_ID].s);
        if (r->count == r->room) {
            r->room = r->room ? r->room * 2 : 4096;
            r->contests = mem_realloc(r->contests, r->room * sizeof *r->contests);
        }
        r->contests[r->count++] = c;
    }
    return tick(r, err);
}

static bool add_click(void *arg, const struct archive_value *row, struct err *err)
{
    struct reading *r = arg;
    if (str_eq(row[TYPE].s, STR("click")) && !row[QUERY_ID].null && !row[DOC].null)
        contests_click(r->contests, r->count, row[UNIT].s, row[QUERY_ID].s, row[DOC].s);
    return tick(r, err);
}

static bool read_signals(struct reading *r, struct pg *pg, const struct day_split *split, struct err *err)
{
    static const struct archive_column columns[] = { { STR("at"), ARCHIVE_TIME },   { STR("type"), ARCHIVE_TEXT },
                                                     { STR("unit"), ARCHIVE_TEXT }, { STR("query_id"), ARCHIVE_TEXT },
                                                     { STR("doc"), ARCHIVE_TEXT },  { STR("params"), ARCHIVE_JSON } };
    struct archive_scan scan = { .table = "signals",
                                 .columns = columns,
                                 .columns_count = COUNT_OF(columns),
                                 .from_us = split->day * US_PER_DAY,
                                 .to_us = r->params->to_us,
                                 .lo = split->lo,
                                 .hi = split->hi,
                                 .where = "type = 'interleave'" };
    const char *dir = r->params->archive.p;
    if (!marked_read(pg, split->lo, split->hi, task_arena(r->task), &r->marked, err) ||
        !archive_scan(pg, dir, &scan, add_list, r, err))
        return false;
    r->units = contests_sort(r->contests, r->count);
    scan.columns_count = PARAMS; /* of clicks they are not needed */
    scan.where = "type = 'click' and query_id is not null and doc is not null";
    return r->count == 0 || archive_scan(pg, dir, &scan, add_click, r, err);
}

static bool collect(void *arg, const struct contest_cell *cell, struct err *err)
{
    struct reading *r = arg;
    return task_collect(r->task, (struct str){ (const char *)cell, sizeof *cell }, err);
}

static bool run(struct task *t, struct err *err)
{
    struct contests_params p;
    struct day_split split;
    if (!contests_params_read(task_params(t), &p, task_arena(t), err) || !day_split_read(task_desc(t), &split, err))
        return false;
    struct reading r = { .task = t, .params = &p };
    struct pg *pg = run_snapshot_open(t, err);
    bool ok = pg && read_signals(&r, pg, &split, err);
    run_snapshot_close(pg);
    ok = ok && task_tick(t, r.rows % TICK_ROWS, err) &&
         contests_cells(r.contests, r.count, r.units, p.experiments, task_arena(t), collect, &r, err);
    mem_free(r.contests);
    return ok;
}

const struct kernel kernel_contests_range = { "contests.range@1", run };
