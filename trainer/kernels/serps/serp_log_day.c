/* "serps.day@1": what searches of one day and range of buckets were shown, and their clicks, also of the hour behind it. */
#include "archive/scan.h"
#include "base/clock.h"
#include "base/hash.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/day_split.h"
#include "trainer/kernels/run_snapshot.h"
#include "trainer/kernels/serps/serp_log.h"

enum { WHERE_MAX = 4096, NO_KIND = 255 };
enum { AT, TYPE, UNIT, QUERY_ID, QUERY, DOC, POSITION, PARAMS };

/* What is known of the different texts of a batch, by their codes: each is looked at once, when a row that counts has it. */
#define UNKNOWN (SERP_NONE - 1)
struct looked_up {
    uint8_t *kinds;
    uint32_t *queries, *docs, *ids, *lists;
};

struct reading {
    struct task *task;
    const struct serp_day_params *params;
    int64_t day_us;
    struct serp_day day;
    struct arena arena; /* of a batch */
    struct looked_up known;
};

static const struct {
    const char *type;
    enum serp_event_kind kind;
} list_types[] = { { "response", SERP_RESPONSE },
                   { "request", SERP_REQUEST },
                   { "interleave", SERP_INTERLEAVED },
                   { "impression", SERP_IMPRESSION } };

static uint8_t kind_of(const struct serp_day_params *p, struct str type)
{
    for (size_t i = 0; i < COUNT_OF(list_types); i++)
        if (str_eq_c(type, list_types[i].type))
            return (uint8_t)list_types[i].kind;
    for (uint32_t i = 0; i < p->clicks_count; i++)
        if (str_eq(p->clicks[i], type))
            return SERP_CLICK;
    return NO_KIND;
}

static uint32_t *unknown(struct reading *r, const struct archive_vector *v)
{
    uint32_t *codes = arena_alloc(&r->arena, (v->texts_count + (size_t)1) * sizeof *codes);
    for (size_t i = 0; i <= v->texts_count; i++)
        codes[i] = UNKNOWN;
    return codes;
}

static void begin_batch(struct reading *r, const struct archive_vector *c)
{
    arena_reset(&r->arena);
    r->known = (struct looked_up){ arena_alloc(&r->arena, c[TYPE].texts_count + (size_t)1), unknown(r, &c[QUERY]),
                                   unknown(r, &c[DOC]), unknown(r, &c[QUERY_ID]), unknown(r, &c[PARAMS]) };
    for (size_t i = 0; i <= c[TYPE].texts_count; i++)
        r->known.kinds[i] = kind_of(r->params, c[TYPE].texts[i]);
}

static uint32_t list_of(struct serp_day *d, struct str params, struct arena *arena)
{
    struct serp_shown shown;
    return serp_shown_read(params, arena, &shown) ? serp_day_list(d, &shown) : SERP_NONE;
}

/* The number of a text of a row, by what `of` makes of it. */
static uint32_t number_at(struct reading *r, uint32_t *known, const struct archive_vector *v, uint32_t row,
                          uint32_t (*of)(struct serp_day *, struct str))
{
    uint32_t *number = &known[v->codes[row]];
    if (*number == UNKNOWN)
        *number = of(&r->day, v->texts[v->codes[row]]);
    return *number;
}

static uint32_t list_at(struct reading *r, const struct archive_vector *v, uint32_t row)
{
    uint32_t *number = &r->known.lists[v->codes[row]];
    if (*number == UNKNOWN)
        *number = list_of(&r->day, v->texts[v->codes[row]], &r->arena);
    return *number;
}

static void add_row(struct reading *r, const struct archive_vector *c, uint32_t row, uint8_t kind)
{
    int64_t position = c[POSITION].nulls && c[POSITION].nulls[row] ? 0 : c[POSITION].ints[row];
    const struct serp_event e = {
        .unit = hash64(c[UNIT].texts[c[UNIT].codes[row]]),
        .at_us = c[AT].ints[row] - r->day_us,
        .id = number_at(r, r->known.ids, &c[QUERY_ID], row, serp_day_id),
        .query = number_at(r, r->known.queries, &c[QUERY], row, serp_day_query),
        .doc = kind < SERP_IMPRESSION ? SERP_NONE : number_at(r, r->known.docs, &c[DOC], row, serp_day_doc),
        .list = kind < SERP_IMPRESSION ? list_at(r, &c[PARAMS], row) : SERP_NONE,
        .position = (int32_t)(position > 0 && position <= INT32_MAX ? position : 0),
        .kind = kind,
    };
    serp_day_add(&r->day, &e);
}

static bool add_batch(void *arg, const struct archive_batch *b, struct err *err)
{
    struct reading *r = arg;
    begin_batch(r, b->columns);
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t row = b->rows[i];
        uint8_t kind = r->known.kinds[b->columns[TYPE].codes[row]];
        if (kind != NO_KIND)
            add_row(r, b->columns, row, kind);
    }
    return task_tick(r->task, b->count, err);
}

/* Names of types have no quotes: the job sees to that. */
static bool make_where(const struct serp_day_params *p, struct buf *out, struct err *err)
{
    buf_add_c(out, "query_id is not null and type in (");
    for (size_t i = 0; i < COUNT_OF(list_types); i++)
        buf_addf(out, "%s'%s'", i ? ", " : "", list_types[i].type);
    for (uint32_t i = 0; i < p->clicks_count; i++)
        buf_addf(out, ", '" STR_FMT "'", STR_ARG(p->clicks[i]));
    buf_add_c(out, ")");
    return buf_ok(out, "the list of types", err);
}

static bool read_signals(struct reading *r, const struct day_split *split, struct err *err)
{
    static const struct archive_column columns[] = {
        [AT] = { STR("at"), ARCHIVE_TIME },
        [TYPE] = { STR("type"), ARCHIVE_TEXT },
        [UNIT] = { STR("unit"), ARCHIVE_TEXT },
        [QUERY_ID] = { STR("query_id"), ARCHIVE_TEXT },
        [QUERY] = { STR("query"), ARCHIVE_TEXT },
        [DOC] = { STR("doc"), ARCHIVE_TEXT },
        [POSITION] = { STR("position"), ARCHIVE_INT },
        [PARAMS] = { STR("params"), ARCHIVE_JSON },
    };
    AUTO(buf_release) struct buf where;
    buf_init(&where, WHERE_MAX);
    if (!make_where(r->params, &where, err))
        return false;
    const struct archive_scan scan = { .table = "signals",
                                       .columns = columns,
                                       .columns_count = COUNT_OF(columns),
                                       .from_us = r->day_us,
                                       .to_us = r->day_us + US_PER_DAY + SERP_DAY_BEHIND_US,
                                       .lo = split->lo,
                                       .hi = split->hi,
                                       .where = where.p };
    AUTO(run_snapshot_close) struct pg *pg = run_snapshot_open(r->task, err);
    return pg && archive_scan_batches(pg, r->params->archive.p, &scan, add_batch, r, err);
}

static bool emit(void *arg, uint32_t part, struct str record, struct err *err)
{
    return task_emit(arg, part, record, err);
}

static bool run(struct task *t, struct err *err)
{
    struct serp_day_params p;
    struct day_split split;
    if (!serp_day_params_read(task_params(t), &p, task_arena(t), err) || !day_split_read(task_desc(t), &split, err))
        return false;
    struct reading r = { .task = t, .params = &p, .day_us = split.day * US_PER_DAY };
    serp_day_init(&r.day);
    arena_init(&r.arena, 1 << 18);
    bool ok = read_signals(&r, &split, err) && serp_day_write(&r.day, task_parts(t), emit, t, err);
    arena_release(&r.arena);
    serp_day_release(&r.day);
    return ok;
}

const struct kernel kernel_serps_day = { SERP_DAY_KERNEL, run };
