#include "trainer/jobs/day_plan.h"

#include "archive/store.h"
#include "base/hash.h"
#include "base/log.h"

enum { RANGES_DEFAULT = 16, RANGES_MAX = 1024, DAYS_TEXT_MAX = 8 << 20 };

static const struct pg_stmt read_snapshot = { "day_plan_snapshot", 0, "select pg_export_snapshot(), us(now())" };
/* $1, $2: days since 1970. */
static const struct pg_stmt read_days = {
    "day_plan_days", 2,
    "with d as materialized (select to_date(right(c.relname, 8), 'YYYYMMDD') - date '1970-01-01' as day, (select "
    "coalesce(sum(pg_relation_size(s.inhrelid)), 0) from pg_inherits s where s.inhparent = c.oid) as bytes "
    "from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'signals'::regclass "
    "union all select day - date '1970-01-01', bytes from archives) "
    "select day, sum(bytes)::bigint from d where day between $1::int and $2::int group by day order by day"
};

/* ---- the snapshot ---- */

bool day_plan_ranges(const struct run_context *run, uint32_t *out, struct err *err)
{
    const char *text = run->param(run, "ranges");
    *out = RANGES_DEFAULT;
    if (text && (!parse_u32(str_of(text), out, NULL) || *out < 1 || *out > RANGES_MAX || (*out & (*out - 1)) != 0))
        return err_set(err, ERR_INVALID, "--param ranges=%s: must be a power of two from 1 to %d", text, RANGES_MAX);
    return true;
}

bool day_plan_open(struct day_plan *p, struct run_context *run, struct arena *arena, const struct pg_stmt *table,
                   size_t count, struct err *err)
{
    *p = (struct day_plan){ .run = run, .arena = arena, .pass = -1 };
    if (!day_plan_ranges(run, &p->ranges, err))
        return false;
    p->pg = pg_open(run->database_url, "trainer plan", table, count, err);
    if (!p->pg || !archive_lock_readers(p->pg, false, err) ||
        !pg_exec(p->pg, "begin isolation level repeatable read read only", err))
        return false;
    AUTO(pg_result_free) PGresult *r = pg_run(p->pg, &read_snapshot, NULL, err);
    if (!r)
        return false;
    p->snapshot = arena_str(arena, pg_get(r, 0, 0));
    p->now_us = pg_get_i64(r, 0, 1);
    return true;
}

void day_plan_close(struct day_plan *p)
{
    kept_days_free(p->kept);
    pg_close(p->pg);
    p->kept = NULL;
    p->pg = NULL;
}

bool day_plan_days(struct day_plan *p, int32_t from, int32_t to, struct err *err)
{
    const char *params[] = { arena_printf(p->arena, "%d", from).p, arena_printf(p->arena, "%d", to).p };
    AUTO(pg_result_free) PGresult *r = pg_run(p->pg, &read_days, params, err);
    if (!r)
        return false;
    p->days_count = (size_t)PQntuples(r);
    int32_t *days = arena_zalloc(p->arena, (p->days_count + 1) * sizeof *days);
    uint64_t *weights = arena_zalloc(p->arena, (p->days_count + 1) * sizeof *weights);
    for (int i = 0; i < (int)p->days_count; i++) {
        days[i] = (int32_t)pg_get_i64(r, i, 0);
        weights[i] = (uint64_t)pg_get_i64(r, i, 1);
    }
    p->days = days;
    p->weights = weights;
    return true;
}

/* ---- what is kept ---- */

/* Whoever emits to one part alone makes a data set of each range. */
static void split_days(struct day_plan *p, const struct day_rules *rules)
{
    uint32_t joined = p->ranges < DAY_PLAN_JOINED ? p->ranges : DAY_PLAN_JOINED;
    p->splits = rules->by_unit || rules->parts > 1 ? p->ranges / joined : p->ranges;
}

static uint32_t parts_of(const struct day_plan *p, const struct day_rules *rules)
{
    return rules->by_unit ? p->ranges / p->splits : rules->parts;
}

static void find_kept(struct day_plan *p, const struct day_rules *rules)
{
    const char *full = p->run->param(p->run, "full"), *why = rules->not_why;
    struct err err;
    if (!p->run->archive_dir)
        why = "there is no folder for it: give --archive-dir DIR";
    if (why) {
        run_say(p->run, "all days are read: %s", why);
        return;
    }
    p->rules = (struct kept_rules){ .kernel = rules->kernel,
                                    .program = rules->program,
                                    .neighbours = rules->neighbours,
                                    .parts = parts_of(p, rules),
                                    .days = p->days,
                                    .days_count = p->days_count,
                                    .ranges = p->splits };
    if (archive_store_make(p->run->pg, p->run->archive_dir, &err))
        p->kept = kept_days_open(p->pg, p->run->archive_dir, &p->rules, &err);
    if (!p->kept) {
        log_warn("days_not_kept", LOG_ERR, LOG_ERR_ARG(&err));
        return;
    }
    if (full && strcmp(full, "true") == 0)
        kept_days_distrust(p->kept);
    run_say(p->run, "%zu of %zu days and ranges of buckets are as they were", kept_days_found(p->kept),
            p->days_count * p->splits);
}

/* What is kept may turn out to be damaged. Nothing is lost with it: once more, without. */
bool day_plan_compute(struct day_plan *p, const struct day_rules *rules, day_plan_fn compute, void *arg,
                      struct err *err)
{
    split_days(p, rules);
    find_kept(p, rules);
    bool ok = compute(arg, err);
    if (!ok && p->kept && kept_days_found(p->kept) && err->kind == ERR_SYSTEM) {
        log_warn("kept_days_distrusted", LOG_ERR, LOG_ERR_ARG(err));
        kept_days_distrust(p->kept);
        ok = compute(arg, err);
    }
    if (ok && p->kept)
        kept_days_sweep(p->kept);
    return ok;
}

size_t day_plan_kept(const struct day_plan *p)
{
    return p->kept ? kept_days_found(p->kept) : 0;
}

/* ---- passes ---- */

static struct engine_split split_of(const struct day_plan *p, uint32_t i)
{
    uint32_t width = BUCKET_COUNT / p->splits, range = i % p->splits, day = i / p->splits;
    return (struct engine_split){
        .desc = arena_printf(p->arena, "%d %u %u", p->days[day], range * width, (range + 1) * width - 1),
        .weight = p->weights[day],
        .kept = p->kept ? kept_days_find(p->kept, i) : NULL,
        .seen = p->kept ? kept_days_seen(p->kept, i) : (struct str){ NULL, 0 },
    };
}

bool day_plan_pass(struct day_plan *p, const struct day_rules *rules, const char *name, struct str params,
                   struct err *err)
{
    split_days(p, rules);
    uint32_t count = (uint32_t)p->days_count * p->splits;
    struct engine_split *splits = arena_zalloc(p->arena, (count + 1) * sizeof *splits);
    for (uint32_t i = 0; i < count; i++)
        splits[i] = split_of(p, i);
    struct engine_pass pass = { .name = name,
                                .kernel = rules->kernel,
                                .params = params,
                                .snapshot = p->snapshot,
                                .splits = splits,
                                .splits_count = count,
                                .input_pass = -1,
                                .out = ENGINE_DATASET,
                                .parts = parts_of(p, rules),
                                .reads_database = true,
                                .on_dataset = p->kept ? kept_days_add : NULL,
                                .on_dataset_arg = p->kept };
    return run_pass_numbered(p->run, &pass, &p->pass, err);
}

/* "A B DAY DAY …" */
static struct str text_of(const struct day_plan *p, uint32_t a, uint32_t b)
{
    AUTO(buf_release) struct buf text;
    buf_init(&text, DAYS_TEXT_MAX);
    buf_addf(&text, "%u %u", a, b);
    for (size_t i = 0; i < p->days_count; i++)
        buf_addf(&text, " %d", p->days[i]);
    return arena_str(p->arena, buf_str(&text));
}

struct engine_split day_plan_range(const struct day_plan *p, uint32_t range)
{
    uint32_t width = BUCKET_COUNT / p->ranges, joined = p->ranges / p->splits;
    struct engine_input *inputs = arena_alloc(p->arena, (p->days_count + 1) * sizeof *inputs);
    for (uint32_t day = 0; day < p->days_count; day++)
        inputs[day] = (struct engine_input){ day * p->splits + range / joined, range % joined };
    return (struct engine_split){ .desc = text_of(p, range * width, (range + 1) * width - 1),
                                  .weight = 1,
                                  .inputs = inputs,
                                  .inputs_count = p->days_count };
}

struct engine_split day_plan_part(const struct day_plan *p, uint32_t part)
{
    size_t count = p->days_count * p->splits;
    struct engine_input *inputs = arena_alloc(p->arena, (count + 1) * sizeof *inputs);
    for (uint32_t i = 0; i < count; i++)
        inputs[i] = (struct engine_input){ i, part };
    return (struct engine_split){
        .desc = text_of(p, part, p->splits), .weight = 1, .inputs = inputs, .inputs_count = count
    };
}
