/* "metrics.day@2": exposures and signals of one day and range of buckets, from partitions and archive files in the run's snapshot → unit-day
 * records. Memory: the events of the split. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive/scan.h"
#include "base/clock.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/day_split.h"
#include "trainer/kernels/dimensions.h"
#include "trainer/kernels/metrics.h"
#include "trainer/kernels/run_snapshot.h"
#include "trainer/kernels/signal_fact.h"
#include "trainer/kernels/sql_fact.h"

enum { RECORD_MAX = 3 << 20, TICK_ROWS = 4096, WHERE_MAX = 200 };

enum signal_column { AT, TYPE, UNIT, QUERY_ID, POSITION, VALUE, SESSION, QUERY, PARAMS, SIGNAL_COLUMNS };

/* What the program's facts want of the signals around the day. */
struct wants {
    bool sessions;  /* ids of sessions, and all signals from a gap before the day to a day behind it */
    bool all_types; /* also those that no fact is about */
    bool texts, params;
    int64_t ahead_us; /* how far behind the day queries look */
};

struct reading {
    struct task *task;
    const struct metrics_params *params;
    struct arena *arena;
    struct wants wants;
    struct day_event *events;
    size_t count, room;
    uint64_t rows;
    int64_t day_us, day_end_us;
    struct event_hit *hits;     /* scratch */
    int places[SIGNAL_COLUMNS]; /* of the columns that are read; -1 of the others */
};

/* Units that send nothing that a fact is about must be seen, too, where everyone is exposed. */
static bool has_everyone(const struct metrics_params *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->everyone[i])
            return true;
    return false;
}

static struct wants wants_of(const struct program *p)
{
    struct wants w = { .sessions = p->facts_of[FACT_SESSIONS] > 0, .params = signal_facts_need_params(p) };
    double dwell = 0;
    w.all_types = w.sessions;
    for (size_t i = 0; i < p->facts_count; i++) {
        const struct metric_fact *f = &p->facts[i].fact;
        bool satisfied = f->of == FACT_QUERIES && f->query == FACT_QUERY_SATISFIED;
        w.texts = w.texts || (f->of == FACT_QUERIES && f->query == FACT_QUERY_REFORMULATED);
        w.all_types = w.all_types || satisfied;
        dwell = satisfied ? fmax(dwell, f->dwell_seconds) : dwell;
    }
    w.ahead_us = METRIC_QUERY_WINDOW_US + (int64_t)ceil(dwell * 1e6) + 1;
    return w;
}

struct metrics_reach metrics_day_reach(const struct program *p)
{
    const struct wants w = wants_of(p);
    return w.sessions
               ? (struct metrics_reach){ METRIC_SESSION_GAP_US, US_PER_DAY > w.ahead_us ? US_PER_DAY : w.ahead_us }
               : (struct metrics_reach){ 0, w.ahead_us };
}

static struct day_event *event_new(struct reading *r)
{
    if (r->count == r->room) {
        r->room = r->room ? r->room * 2 : 4096;
        r->events = mem_realloc(r->events, r->room * sizeof *r->events);
    }
    r->events[r->count] = (struct day_event){ .value = (double)NAN };
    return &r->events[r->count++];
}

static void keep_hits(const struct reading *r, struct day_event *e, uint32_t count)
{
    struct event_hit *hits = arena_alloc(r->arena, (count + 1) * sizeof *hits);
    memcpy(hits, r->hits, count * sizeof *hits);
    e->hits = hits;
    e->hits_count = count;
}

/* ---- rows ---- */

static bool tick(struct reading *r, struct err *err)
{
    return ++r->rows % TICK_ROWS != 0 || task_tick(r->task, TICK_ROWS, err);
}

static bool add_exposure(void *arg, const struct archive_value *row, struct err *err)
{
    enum { OF_AT, OF_EXPERIMENT, OF_VARIANT, OF_UNIT, OF_DIMS };
    struct reading *r = arg;
    for (size_t i = 0; i < r->params->count; i++) {
        if (!str_eq(r->params->keys[i], row[OF_EXPERIMENT].s) || row[OF_AT].i < r->params->first_us[i])
            continue;
        struct day_event *e = event_new(r);
        e->kind = EVENT_EXPOSURE;
        e->at_us = row[OF_AT].i;
        e->experiment = (uint32_t)i;
        e->query_id = arena_str(r->arena, row[OF_VARIANT].s);
        e->unit = arena_str(r->arena, row[OF_UNIT].s);
        if (!row[OF_DIMS].null)
            e->query = dimensions_read(row[OF_DIMS].s, r->arena);
    }
    return tick(r, err);
}

/* Whether a signal can matter: on its day to a fact, a query or a session; around it to sessions, and behind it to queries. */
static bool matters(const struct reading *r, int64_t at_us, enum event_kind kind, struct str type)
{
    if (r->wants.sessions)
        return true;
    if (at_us >= r->day_end_us)
        return r->wants.all_types || kind == EVENT_CLICK || kind == EVENT_PURCHASE ||
               (r->wants.texts && kind == EVENT_REQUEST);
    return r->wants.all_types || kind == EVENT_REQUEST || kind == EVENT_RESPONSE || kind == EVENT_CLICK ||
           kind == EVENT_PURCHASE || !signal_facts_pass_by(&r->params->program, type);
}

/* A column that is not read is null. */
static struct archive_value value_of(const struct reading *r, const struct archive_value *row, enum signal_column c)
{
    return r->places[c] < 0 ? (struct archive_value){ .null = true } : row[r->places[c]];
}

static struct str text_of(const struct reading *r, const struct archive_value *row, enum signal_column c)
{
    struct archive_value v = value_of(r, row, c);
    return v.null ? (struct str){ NULL, 0 } : v.s;
}

static struct str kept(const struct reading *r, struct str s)
{
    return s.p ? arena_str(r->arena, s) : s;
}

static void fill_signal(struct reading *r, struct day_event *e, const struct archive_value *row)
{
    struct archive_value position = value_of(r, row, POSITION), value = value_of(r, row, VALUE);
    const struct signal_row of = { .type = text_of(r, row, TYPE),
                                   .position = position.null ? 0 : (int32_t)position.i,
                                   .value = value.null ? (double)NAN : value.d,
                                   .params = text_of(r, row, PARAMS) };
    e->unit = kept(r, text_of(r, row, UNIT));
    e->query_id = kept(r, text_of(r, row, QUERY_ID));
    e->session = kept(r, text_of(r, row, SESSION));
    if (e->kind == EVENT_REQUEST)
        e->query = kept(r, text_of(r, row, QUERY));
    e->position = of.position;
    e->value = of.value;
    if (e->at_us >= r->day_us && e->at_us < r->day_end_us)
        keep_hits(r, e, signal_facts_of(&r->params->program, &of, r->hits));
}

static bool add_signal(void *arg, const struct archive_value *row, struct err *err)
{
    struct reading *r = arg;
    struct str type = text_of(r, row, TYPE);
    enum event_kind kind = event_kind_of(type);
    int64_t at_us = value_of(r, row, AT).i;
    if (matters(r, at_us, kind, type)) {
        struct day_event *e = event_new(r);
        e->kind = kind;
        e->at_us = at_us;
        fill_signal(r, e, row);
    }
    return tick(r, err);
}

static bool add_row(void *arg, uint32_t fact, const struct sql_row *row, struct err *err)
{
    struct reading *r = arg;
    struct day_event *e = event_new(r);
    e->kind = EVENT_ROW;
    e->at_us = row->at_us;
    e->unit = arena_str(r->arena, row->unit);
    r->hits[0] = (struct event_hit){ fact, row->value };
    keep_hits(r, e, 1);
    return tick(r, err);
}

/* ---- scans ---- */

static bool read_exposures(struct reading *r, struct pg *pg, const struct day_split *split, struct err *err)
{
    static const struct archive_column columns[] = { { STR("at"), ARCHIVE_TIME },
                                                     { STR("experiment"), ARCHIVE_TEXT },
                                                     { STR("variant"), ARCHIVE_TEXT },
                                                     { STR("unit"), ARCHIVE_TEXT },
                                                     { STR("dims"), ARCHIVE_JSON } };
    const struct archive_scan scan = { .table = "exposures",
                                       .columns = columns,
                                       .columns_count = COUNT_OF(columns),
                                       .from_us = r->day_us,
                                       .to_us = r->day_end_us,
                                       .lo = split->lo,
                                       .hi = split->hi };
    return archive_scan(pg, r->params->archive.p, &scan, add_exposure, r, err);
}

/* Whether the fact can be told to the database: other types are texts of people, and a statement is made of ours alone. */
static bool has_known_types(const struct metric_fact *f)
{
    for (size_t i = 0; i < f->types_count; i++) {
        enum event_kind kind = event_kind_of(f->types[i]);
        if (kind == EVENT_OTHER || kind == EVENT_CART)
            return false;
    }
    return f->types_count > 0;
}

/* NULL: all rows are wanted. */
static const char *where_of(const struct reading *r, char text[WHERE_MAX])
{
    const struct program *p = &r->params->program;
    char end[CLOCK_TEXT_MAX];
    for (size_t i = 0; i < p->facts_count; i++)
        if (p->facts[i].fact.of == FACT_SIGNALS && !has_known_types(&p->facts[i].fact))
            return NULL;
    (void)snprintf(
        text, WHERE_MAX,
        "type in ('request', 'response', 'click', 'purchase') and (at < '%s' or type in ('click', 'purchase'%s))",
        clock_format(r->day_end_us, end), r->wants.texts ? ", 'request'" : "");
    return r->wants.all_types ? NULL : text;
}

/* Those of the table's columns that are wanted. */
static size_t choose_columns(struct reading *r, struct archive_column out[SIGNAL_COLUMNS])
{
    static const struct archive_column columns[SIGNAL_COLUMNS] = {
        [AT] = { STR("at"), ARCHIVE_TIME },
        [TYPE] = { STR("type"), ARCHIVE_TEXT },
        [UNIT] = { STR("unit"), ARCHIVE_TEXT },
        [QUERY_ID] = { STR("query_id"), ARCHIVE_TEXT },
        [POSITION] = { STR("position"), ARCHIVE_INT },
        [VALUE] = { STR("value"), ARCHIVE_REAL },
        [SESSION] = { STR("session"), ARCHIVE_TEXT },
        [QUERY] = { STR("query"), ARCHIVE_TEXT },
        [PARAMS] = { STR("params"), ARCHIVE_JSON },
    };
    size_t count = 0;
    for (int c = 0; c < SIGNAL_COLUMNS; c++) {
        bool wanted = c < SESSION || (c == SESSION && r->wants.sessions) || (c == QUERY && r->wants.texts) ||
                      (c == PARAMS && r->wants.params);
        r->places[c] = wanted ? (int)count : -1;
        if (wanted)
            out[count++] = columns[c];
    }
    return count;
}

static bool read_signals(struct reading *r, struct pg *pg, const struct day_split *split, struct err *err)
{
    struct archive_column columns[SIGNAL_COLUMNS];
    char where[WHERE_MAX];
    const struct metrics_reach reach = metrics_day_reach(&r->params->program);
    const struct archive_scan scan = { .table = "signals",
                                       .columns_count = choose_columns(r, columns),
                                       .columns = columns,
                                       .from_us = r->day_us - reach.before_us,
                                       .to_us = r->day_end_us + reach.ahead_us,
                                       .lo = split->lo,
                                       .hi = split->hi,
                                       .where = where_of(r, where) };
    return archive_scan(pg, r->params->archive.p, &scan, add_signal, r, err);
}

static bool read_day(struct reading *r, const struct day_split *split, struct err *err)
{
    const struct sql_range range = { r->day_us, r->day_end_us, split->lo, split->hi };
    AUTO(pg_close) struct pg *pg = pg_open(task_database_url(r->task), "trainer worker", NULL, 0, err);
    return pg && run_snapshot_enter(pg, task_snapshot(r->task), err) && read_exposures(r, pg, split, err) &&
           read_signals(r, pg, split, err) && sql_facts_scan(pg, &r->params->program, &range, add_row, r, err) &&
           task_tick(r->task, r->rows % TICK_ROWS, err);
}

/* ---- exposing everyone ---- */

static void expose(struct reading *r, struct str unit, uint32_t experiment)
{
    struct day_event *e = event_new(r);
    e->kind = EVENT_EXPOSURE;
    e->at_us = r->day_us;
    e->experiment = experiment;
    e->query_id = METRICS_EVERYONE;
    e->unit = unit;
}

static void expose_everyone(struct reading *r, uint32_t experiment)
{
    size_t count = r->count;
    struct str last = { NULL, 0 };
    qsort(r->events, count, sizeof *r->events, event_by_unit_and_time);
    for (size_t i = 0; i < count; i++) {
        const struct day_event *e = &r->events[i];
        if (!event_is_signal(e) || e->at_us < r->day_us || e->at_us >= r->day_end_us || str_eq(e->unit, last))
            continue;
        last = e->unit;
        expose(r, last, experiment);
    }
}

static void add_everyone(struct reading *r)
{
    for (size_t i = 0; i < r->params->count && r->count; i++)
        if (r->params->everyone[i] && r->day_us >= r->params->first_us[i])
            expose_everyone(r, (uint32_t)i);
}

/* ---- the kernel ---- */

static bool emit(void *arg, const struct unit_day *u, struct err *err)
{
    struct reading *r = arg;
    struct buf b;
    buf_init(&b, RECORD_MAX);
    unit_day_write(&b, u, &r->params->program);
    bool ok = buf_ok(&b, "a unit-day record", err) && task_emit(r->task, 0, buf_str(&b), err);
    buf_release(&b);
    return ok;
}

static bool run(struct task *t, struct err *err)
{
    struct metrics_params p;
    struct day_split split;
    if (!metrics_params_read(task_params(t), &p, task_arena(t), err) || !day_split_read(task_desc(t), &split, err))
        return false;
    struct reading r = { .task = t,
                         .params = &p,
                         .arena = task_arena(t),
                         .wants = wants_of(&p.program),
                         .day_us = split.day * US_PER_DAY,
                         .day_end_us = (split.day + 1) * US_PER_DAY,
                         .hits = arena_alloc(task_arena(t), (p.program.facts_count + 1) * sizeof *r.hits) };
    const struct unit_day_rules rules = { &p.program, r.day_us, r.day_end_us };
    r.wants.all_types = r.wants.all_types || has_everyone(&p);
    bool ok = read_day(&r, &split, err);
    add_everyone(&r);
    ok = ok && unit_days(r.events, r.count, &rules, emit, &r, err);
    mem_free(r.events);
    return ok;
}

const struct kernel kernel_metrics_day = { "metrics.day@2", run };
