/* The job "clicks": clicks, carts, purchases … → the weight of each document for each query.
 *
 * Pass 1 over (day × bucket range) gathers the events of a day by query and leaves them in parts; what it makes of days that are as they were is kept
 * from an earlier run. Pass 2, a split for each part, adds them up day after day, without units that are marked. All rows are published together, in
 * place of those that were there. Whether days were kept or read, and into how many ranges they were cut, the rows are the same to the last bit. */
#include <stdio.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "trainer/jobs/day_plan.h"
#include "trainer/jobs/params.h"
#include "trainer/kernels/clicks/clicks.h"

enum { PARTS = 16, JSON_MAX = 16384, TYPE_MAX = 64, FIELD_MAX = 100 };
#define HALF_LIFE_MIN 0.25

enum stmt { LOCK, DELETE, TAKE_ROWS, CURRENT, STMT_COUNT };
static const struct pg_stmt statements[STMT_COUNT] = {
    /* Two runs at once: what the second one deletes has to be what the first one wrote, so it looks only when that is there. */
    [LOCK] = { "clicks_lock", 0, "select pg_advisory_xact_lock(hashtext('experimentd query_doc_weights'))" },
    [DELETE] = { "clicks_delete", 0, "delete from query_doc_weights" },
    [TAKE_ROWS] = { "clicks_take", 2,
                    "select staging_take('query_doc_weights', '" CLICKS_COLUMN_NAMES "', $1::uuid, $2::int)" },
    [CURRENT] = { "clicks_current", 4,
                  "insert into query_doc_weights_current (run, as_of, params, rows) values ($1::uuid, $2::date, "
                  "$3::jsonb, $4::bigint) on conflict (singleton) do update set run = excluded.run, as_of = "
                  "excluded.as_of, params = excluded.params, rows = excluded.rows, published_at = now()" },
};

struct clicks {
    struct run_context *run;
    struct arena arena;
    struct day_plan days;
    struct day_rules day_rules;
    struct click_rules rules;
    struct str filters;         /* {NULL, 0}: searches are not told apart by them */
    uint32_t window;            /* days; 0: all */
    struct str params, program; /* of pass 1: with the archive's folder, and without */
    struct str merging;         /* of pass 2 */
    int weights_pass;           /* its number */
};

/* ---- parameters ---- */

static bool is_name(struct str s, size_t max)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
              (s.p[i] >= '0' && s.p[i] <= '9') || strchr("_.-", s.p[i])))
            return false;
    return s.n > 0 && s.n <= max;
}

/* Into its place in the order of names: the order in which they were given says nothing. */
static bool add_type(struct click_rules *r, struct str name, double weight)
{
    uint32_t i = r->types_count;
    for (; i > 0; i--) {
        size_t n = name.n < r->types[i - 1].n ? name.n : r->types[i - 1].n;
        int d = memcmp(name.p, r->types[i - 1].p, n);
        if (d == 0 && name.n == r->types[i - 1].n)
            return false;
        if (d > 0 || (d == 0 && name.n > r->types[i - 1].n))
            break;
        r->types[i] = r->types[i - 1];
        r->weights[i] = r->weights[i - 1];
    }
    r->types[i] = name;
    r->weights[i] = weight;
    r->types_count++;
    return true;
}

/* "click=1,cart=10" */
static bool read_weights(struct clicks *c, struct err *err)
{
    const char *text = c->run->param(c->run, "weights");
    struct str rest = str_of(text), pair, name;
    while (str_split(&rest, ',', &pair)) {
        double weight;
        if (!str_split(&pair, '=', &name) || !is_name(name, TYPE_MAX) || !parse_double(pair, &weight, NULL) ||
            !(weight >= 0 && weight <= CLICK_WEIGHT_MAX))
            return err_set(err, ERR_INVALID,
                           "--param weights=%s: must be like click=1,cart=10, each weight from 0 to %g", text,
                           CLICK_WEIGHT_MAX);
        if (c->rules.types_count == CLICK_TYPES_MAX || !add_type(&c->rules, name, weight))
            return err_set(err, ERR_INVALID, "--param weights=%s: names a type twice, or more than %d", text,
                           CLICK_TYPES_MAX);
    }
    return true;
}

/* What a parameter alone can be wrong in was checked before (job/params.h). */
static bool read_params(struct clicks *c, struct err *err)
{
    const struct run_context *run = c->run;
    const char *filters = run->param(run, "filters");
    c->rules.as_of = run_day(run, "as_of", clock_day(c->days.now_us));
    c->rules.half_life_days = run_real(run, "half_life_days");
    c->rules.position_power = run_real(run, "position_power");
    c->window = (uint32_t)run_whole(run, "days");
    c->rules.min_signals = (uint64_t)run_whole(run, "min_signals");
    c->rules.top = (uint32_t)run_whole(run, "top");
    if (!read_weights(c, err))
        return false;
    if (c->rules.half_life_days > 0 && c->rules.half_life_days < HALF_LIFE_MIN)
        return err_set(err, ERR_INVALID, "--param half_life_days=%g: must be 0, for no decay, or at least %g",
                       c->rules.half_life_days, HALF_LIFE_MIN);
    if (filters && !is_name(str_of(filters), FIELD_MAX))
        return err_set(err, ERR_INVALID, "--param filters=%s: must be the name of a field of params", filters);
    c->filters = filters ? str_of(filters) : (struct str){ NULL, 0 };
    return true;
}

static void write_types(struct jsonw *w, const struct click_rules *r)
{
    jsonw_open(w, "types", '[');
    for (uint32_t i = 0; i < r->types_count; i++)
        jsonw_str(w, NULL, r->types[i]);
    jsonw_close(w);
}

static bool write_program(struct clicks *c, const char *archive, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "archive", archive);
    write_types(&w, &c->rules);
    jsonw_str(&w, "filters", c->filters);
    jsonw_close(&w);
    *out = arena_str(&c->arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

static bool write_merging(struct clicks *c, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    write_types(&w, &c->rules);
    jsonw_open(&w, "weights", '[');
    for (uint32_t i = 0; i < c->rules.types_count; i++)
        jsonw_double(&w, NULL, c->rules.weights[i]);
    jsonw_close(&w);
    jsonw_i64(&w, "as_of", c->rules.as_of);
    jsonw_double(&w, "half_life_days", c->rules.half_life_days);
    jsonw_double(&w, "position_power", c->rules.position_power);
    jsonw_i64(&w, "min_signals", (int64_t)c->rules.min_signals);
    jsonw_i64(&w, "top", c->rules.top);
    jsonw_close(&w);
    c->merging = arena_str(&c->arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

/* What readers of the table are told. */
static bool write_told(const struct clicks *c, struct buf *b, struct err *err)
{
    struct jsonw w;
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "weights", '{');
    for (uint32_t i = 0; i < c->rules.types_count; i++)
        jsonw_double(&w, arena_cstr((struct arena *)(uintptr_t)&c->arena, c->rules.types[i]), c->rules.weights[i]);
    jsonw_close(&w);
    jsonw_double(&w, "half_life_days", c->rules.half_life_days);
    jsonw_double(&w, "position_power", c->rules.position_power);
    jsonw_i64(&w, "days", c->window);
    jsonw_i64(&w, "min_signals", (int64_t)c->rules.min_signals);
    jsonw_i64(&w, "top", c->rules.top);
    jsonw_str(&w, "filters", c->filters);
    jsonw_close(&w);
    return buf_ok(b, "the parameters", err);
}

/* ---- passes ---- */

/* Its rows go to a staging table. */
static bool pass_weights(struct clicks *c, struct err *err)
{
    struct engine_split *splits = arena_zalloc(&c->arena, PARTS * sizeof *splits);
    for (uint32_t i = 0; i < PARTS; i++)
        splits[i] = day_plan_part(&c->days, i);
    const struct engine_pass pass = { .name = "weights",
                                      .kernel = "clicks.weights@1",
                                      .params = c->merging,
                                      .snapshot = c->days.snapshot,
                                      .reads_database = true, /* which units are marked */
                                      .splits = splits,
                                      .splits_count = PARTS,
                                      .input_pass = c->days.pass,
                                      .out = ENGINE_PUBLISH,
                                      .table = "query_doc_weights",
                                      .columns = CLICKS_COLUMN_NAMES };
    return run_pass_numbered(c->run, &pass, &c->weights_pass, err);
}

/* ---- publishing ---- */

static bool write_current(struct clicks *c, const char *rows, const char *as_of, struct err *err)
{
    AUTO(buf_release) struct buf told;
    buf_init(&told, JSON_MAX);
    if (!write_told(c, &told, err))
        return false;
    const char *params[] = { c->run->id, as_of, told.p, rows };
    AUTO(pg_result_free) PGresult *r = pg_run(c->run->pg, &statements[CURRENT], params, err);
    return r != NULL;
}

static bool publish(struct clicks *c, struct err *err)
{
    char as_of[CLOCK_TEXT_MAX];
    const char *pass[] = { c->run->id, arena_printf(&c->arena, "%d", c->weights_pass).p };
    if (!run_publish_begin(c->run, err))
        return false;
    AUTO(pg_result_free) PGresult *l = pg_run(c->run->pg, &statements[LOCK], NULL, err);
    AUTO(pg_result_free) PGresult *d = l ? pg_run(c->run->pg, &statements[DELETE], NULL, err) : NULL;
    AUTO(pg_result_free) PGresult *t = d ? pg_run(c->run->pg, &statements[TAKE_ROWS], pass, err) : NULL;
    const char *rows = t ? PQgetvalue(t, 0, 0) : "";
    if (!t || !write_current(c, rows, clock_format_day(c->rules.as_of, as_of), err))
        return false;
    run_result(c->run, "{\"rows\":%s,\"as_of\":\"%s\",\"days\":%zu,\"splits\":%zu,\"kept\":%zu}", rows, as_of,
               c->days.days_count, c->days.days_count * c->days.ranges, day_plan_kept(&c->days));
    if (!run_publish_end(c->run, err))
        return false;
    run_say(c->run, "clicks: %s weights as of the end of %s", rows, as_of);
    return true;
}

/* ---- the job ---- */

static bool compute(void *arg, struct err *err)
{
    struct clicks *c = arg;
    return day_plan_pass(&c->days, &c->day_rules, "days", c->params, err) && pass_weights(c, err) && publish(c, err);
}

static bool plan_and_compute(struct clicks *c, struct err *err)
{
    if (!day_plan_open(&c->days, c->run, &c->arena, NULL, 0, err) || !read_params(c, err) ||
        !write_program(c, c->run->archive_dir, &c->params, err) || !write_program(c, NULL, &c->program, err) ||
        !write_merging(c, err))
        return false;
    c->day_rules = (struct day_rules){
        .kernel = "clicks.day@1", .program = c->program, .neighbours = c->filters.p, .parts = PARTS
    };
    int32_t from = c->window ? c->rules.as_of - (int32_t)c->window + 1 : INT32_MIN;
    return day_plan_days(&c->days, from, c->rules.as_of, err) &&
           day_plan_compute(&c->days, &c->day_rules, compute, c, err);
}

static bool run_clicks(struct run_context *run, struct err *err)
{
    struct clicks c = { .run = run };
    arena_init(&c.arena, 1 << 16);
    bool ok = plan_and_compute(&c, err);
    day_plan_close(&c.days);
    arena_release(&c.arena);
    return ok;
}

const struct job job_clicks = { "clicks", run_clicks };
