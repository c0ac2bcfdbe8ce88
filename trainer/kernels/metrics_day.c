/* "metrics.day@2": exposures and signals of one day and range of buckets, from partitions and archive files in the run's snapshot → unit-day
 * records. Memory: the events of the split. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive/scan.h"
#include "base/clock.h"
#include "base/hash.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/day_split.h"
#include "trainer/kernels/dimensions.h"
#include "trainer/kernels/metrics.h"
#include "trainer/kernels/run_snapshot.h"
#include "trainer/kernels/signal_fact.h"
#include "trainer/kernels/sql_fact.h"

enum { RECORD_MAX = 3 << 20, TICK_ROWS = 4096, WHERE_MAX = 200, TYPES_MAX = 64, DIMS_SLOTS = 256 };

enum signal_column { AT, TYPE, UNIT, QUERY_ID, POSITION, VALUE, SESSION, QUERY, PARAMS, SIGNAL_COLUMNS };

/* What the program's facts want of the signals around the day. */
struct wants {
    bool sessions;  /* ids of sessions, and all signals from a gap before the day to a day behind it */
    bool all_types; /* also those that no fact is about */
    bool texts, params;
    int64_t ahead_us; /* how far behind the day queries look */
};

/* What is the same of all signals of one type. */
struct type {
    struct str name;
    enum event_kind kind;
    bool counted;      /* a fact is about it */
    bool today, later; /* whether those of the day matter, and those behind it */
};

/* Attributes that were read. */
struct dims {
    struct str json, lines;
};

struct reading {
    struct task *task;
    const struct metrics_params *params;
    const struct day_split *split;
    struct arena *arena;
    struct wants wants;
    struct day_event *events;
    size_t count, room;
    uint64_t rows; /* that nobody was told of */
    int64_t day_us, day_end_us;
    struct event_hit *hits;     /* scratch */
    int places[SIGNAL_COLUMNS]; /* of the columns that are read; -1 of the others */
    struct type types[TYPES_MAX];
    size_t types_count;
    struct dims dims[DIMS_SLOTS];
    struct buf record; /* scratch */
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

static bool tick(struct reading *r, uint64_t rows, struct err *err)
{
    r->rows += rows;
    if (r->rows < TICK_ROWS)
        return true;
    rows = r->rows;
    r->rows = 0;
    return task_tick(r->task, rows, err);
}

/* ---- texts ---- */

/* Texts of a batch that stay: each that comes up often once. */
struct kept_texts {
    const struct archive_vector *from;
    struct str *kept; /* by code; NULL: most come up once */
};

static struct kept_texts kept_texts_of(const struct reading *r, const struct archive_vector *v, uint32_t rows)
{
    struct kept_texts k = { .from = v };
    if (v && v->texts_count <= rows / 2)
        k.kept = arena_zalloc(r->arena, ((size_t)v->texts_count + 1) * sizeof *k.kept);
    return k;
}

static struct str text_at(const struct archive_vector *v, uint32_t row)
{
    return v ? v->texts[v->codes[row]] : (struct str){ NULL, 0 };
}

static struct str kept_at(const struct reading *r, const struct kept_texts *k, uint32_t row)
{
    struct str s = text_at(k->from, row);
    if (!s.p || !k->kept)
        return s.p ? arena_str(r->arena, s) : s;
    struct str *kept = &k->kept[k->from->codes[row]];
    if (!kept->p)
        *kept = arena_str(r->arena, s);
    return *kept;
}

/* ---- exposures ---- */

static int32_t experiment_of(const struct metrics_params *p, struct str key)
{
    for (size_t i = 0; i < p->count; i++)
        if (str_eq(p->keys[i], key))
            return (int32_t)i;
    return -1;
}

/* Reading JSON costs as much as all the rest of an exposure, and few attributes are different. */
static struct str lines_of(struct reading *r, struct str json)
{
    if (!json.p)
        return json;
    struct dims *d = &r->dims[hash64(json) % DIMS_SLOTS];
    if (!d->json.p || !str_eq(d->json, json))
        *d = (struct dims){ arena_str(r->arena, json), dimensions_read(json, r->arena) };
    return d->lines;
}

static bool add_exposures(void *arg, const struct archive_batch *b, struct err *err)
{
    enum { OF_AT, OF_EXPERIMENT, OF_VARIANT, OF_UNIT, OF_DIMS };
    struct reading *r = arg;
    const struct archive_vector *v = b->columns;
    struct kept_texts variants = kept_texts_of(r, &v[OF_VARIANT], b->count),
                      units = kept_texts_of(r, &v[OF_UNIT], b->count);
    uint32_t last = UINT32_MAX, last_dims = UINT32_MAX; /* codes */
    int32_t experiment = -1;
    struct str lines = { NULL, 0 };
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t row = b->rows[i], code = v[OF_EXPERIMENT].codes[row];
        if (code != last)
            experiment = experiment_of(r->params, v[OF_EXPERIMENT].texts[code]);
        last = code;
        if (experiment < 0 || v[OF_AT].ints[row] < r->params->first_us[experiment])
            continue;
        struct day_event *e = event_new(r);
        e->kind = EVENT_EXPOSURE;
        e->at_us = v[OF_AT].ints[row];
        e->experiment = (uint32_t)experiment;
        e->query_id = kept_at(r, &variants, row);
        e->unit = kept_at(r, &units, row);
        if (v[OF_DIMS].codes[row] != last_dims)
            lines = lines_of(r, text_at(&v[OF_DIMS], row));
        last_dims = v[OF_DIMS].codes[row];
        e->query = lines;
    }
    return tick(r, b->count, err);
}

/* ---- signals ---- */

/* Whether a signal can matter: on its day to a fact, a query or a session; around it to sessions, and behind it to queries. */
static struct type type_made(const struct reading *r, struct str name)
{
    enum event_kind k = event_kind_of(name);
    bool clicks = k == EVENT_CLICK || k == EVENT_PURCHASE, queries = k == EVENT_REQUEST || k == EVENT_RESPONSE;
    bool counted = !signal_facts_pass_by(&r->params->program, name), all = r->wants.all_types;
    return (struct type){ .name = name,
                          .kind = k,
                          .counted = counted,
                          .today = all || clicks || queries || counted,
                          .later = all || clicks || (r->wants.texts && k == EVENT_REQUEST) };
}

static struct type type_of(struct reading *r, struct str name)
{
    for (size_t i = 0; i < r->types_count; i++)
        if (str_eq(r->types[i].name, name))
            return r->types[i];
    struct type t = type_made(r, name);
    if (r->types_count == TYPES_MAX)
        return t;
    t.name = arena_str(r->arena, name);
    return r->types[r->types_count++] = t;
}

/* The columns of a batch; NULL is one that is not read. */
struct signals {
    const struct archive_vector *columns[SIGNAL_COLUMNS];
    struct kept_texts units, query_ids, sessions, queries;
};

static void keep_facts(struct reading *r, struct day_event *e, const struct type *t, struct str params)
{
    const struct signal_row of = { t->name, e->position, e->value, params };
    uint32_t count = signal_facts_of(&r->params->program, &of, r->hits);
    if (count)
        keep_hits(r, e, count);
}

static void add_signal(struct reading *r, const struct signals *s, uint32_t row, const struct type *t)
{
    struct day_event *e = event_new(r);
    e->kind = t->kind;
    e->at_us = s->columns[AT]->ints[row];
    e->unit = kept_at(r, &s->units, row);
    e->query_id = kept_at(r, &s->query_ids, row);
    e->session = kept_at(r, &s->sessions, row);
    if (t->kind == EVENT_REQUEST)
        e->query = kept_at(r, &s->queries, row);
    e->position = (int32_t)s->columns[POSITION]->ints[row];
    e->value = s->columns[VALUE]->reals[row];
    if (t->counted && e->at_us >= r->day_us && e->at_us < r->day_end_us)
        keep_facts(r, e, t, text_at(s->columns[PARAMS], row));
}

static bool add_signals(void *arg, const struct archive_batch *b, struct err *err)
{
    struct reading *r = arg;
    struct signals s;
    struct type type = { .name = { NULL, 0 } };
    uint32_t last = UINT32_MAX; /* code */
    for (int c = 0; c < SIGNAL_COLUMNS; c++)
        s.columns[c] = r->places[c] < 0 ? NULL : &b->columns[r->places[c]];
    s.units = kept_texts_of(r, s.columns[UNIT], b->count);
    s.query_ids = kept_texts_of(r, s.columns[QUERY_ID], b->count);
    s.sessions = kept_texts_of(r, s.columns[SESSION], b->count);
    s.queries = kept_texts_of(r, s.columns[QUERY], b->count);
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t row = b->rows[i], code = s.columns[TYPE]->codes[row];
        if (code != last)
            type = type_of(r, s.columns[TYPE]->texts[code]);
        last = code;
        if (s.columns[AT]->ints[row] < r->day_end_us ? type.today : type.later)
            add_signal(r, &s, row, &type);
    }
    return tick(r, b->count, err);
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
    return tick(r, 1, err);
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
    return archive_scan_batches(pg, r->params->archive.p, &scan, add_exposures, r, err);
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
    return archive_scan_batches(pg, r->params->archive.p, &scan, add_signals, r, err);
}

static bool read_day(struct reading *r, const struct day_split *split, struct err *err)
{
    const struct sql_range range = { r->day_us, r->day_end_us, split->lo, split->hi };
    AUTO(run_snapshot_close) struct pg *pg = run_snapshot_open(r->task, err);
    return pg && read_exposures(r, pg, split, err) && read_signals(r, pg, split, err) &&
           sql_facts_scan(pg, &r->params->program, &range, add_row, r, err) && task_tick(r->task, r->rows, err);
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
    buf_clear(&r->record);
    unit_day_write(&r->record, u, &r->params->program);
    return buf_ok(&r->record, "a unit-day record", err) &&
           task_emit(r->task, day_split_part(r->split, u->unit, task_parts(r->task)), buf_str(&r->record), err);
}

static bool run(struct task *t, struct err *err)
{
    struct metrics_params p;
    struct day_split split;
    if (!metrics_params_read(task_params(t), &p, task_arena(t), err) || !day_split_read(task_desc(t), &split, err))
        return false;
    struct reading r = { .task = t,
                         .params = &p,
                         .split = &split,
                         .arena = task_arena(t),
                         .wants = wants_of(&p.program),
                         .day_us = split.day * US_PER_DAY,
                         .day_end_us = (split.day + 1) * US_PER_DAY,
                         .hits = arena_alloc(task_arena(t), (p.program.facts_count + 1) * sizeof *r.hits) };
    const struct unit_day_rules rules = { &p.program, r.day_us, r.day_end_us };
    r.wants.all_types = r.wants.all_types || has_everyone(&p);
    buf_init(&r.record, RECORD_MAX);
    bool ok = read_day(&r, &split, err);
    add_everyone(&r);
    ok = ok && unit_days(r.events, r.count, &rules, emit, &r, err);
    mem_free(r.events);
    buf_release(&r.record);
    return ok;
}

const struct kernel kernel_metrics_day = { "metrics.day@2", run };
