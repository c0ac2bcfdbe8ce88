/* "serps.day@1": what searches of one day and range of buckets were shown, and their clicks, also of the hour behind it. */
#include "base/clock.h"
#include "base/hash.h"
#include "trainer/kernels/serps/serp_log.h"
#include "trainer/kernels/signals/day_signals.h"
#include "trainer/kernels/task_blocks.h"

enum { NO_KIND = 255 };
enum { AT, TYPE, UNIT, QUERY_ID, QUERY, DOC, POSITION, PARAMS };

struct looked_up {
    uint8_t *kinds;
    uint32_t *queries, *docs, *ids, *lists;
};

struct reading {
    struct task *task;
    const struct log_params *params;
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

static uint8_t kind_of(const struct log_params *p, struct str type)
{
    for (size_t i = 0; i < COUNT_OF(list_types); i++)
        if (str_eq_c(type, list_types[i].type))
            return (uint8_t)list_types[i].kind;
    for (uint32_t i = 0; i < p->clicks_count; i++)
        if (str_eq(p->clicks[i], type))
            return SERP_CLICK;
    return NO_KIND;
}

static void begin_batch(struct reading *r, const struct archive_vector *c)
{
    arena_reset(&r->arena);
    r->known = (struct looked_up){ arena_alloc(&r->arena, c[TYPE].texts_count + (size_t)1),
                                   texts_unknown(&c[QUERY], &r->arena), texts_unknown(&c[DOC], &r->arena),
                                   texts_unknown(&c[QUERY_ID], &r->arena), texts_unknown(&c[PARAMS], &r->arena) };
    for (size_t i = 0; i <= c[TYPE].texts_count; i++)
        r->known.kinds[i] = kind_of(r->params, c[TYPE].texts[i]);
}

static uint32_t list_of(struct serp_day *d, struct str params, struct arena *arena)
{
    struct serp_shown shown;
    return serp_shown_read(params, arena, &shown) ? serp_day_list(d, &shown) : SERP_NONE;
}

static uint32_t list_at(struct reading *r, const struct archive_vector *v, uint32_t row)
{
    uint32_t *number = &r->known.lists[v->codes[row]];
    if (*number == TEXT_UNKNOWN)
        *number = list_of(&r->day, text_at(v, row), &r->arena);
    return *number;
}

static void add_row(struct reading *r, const struct archive_vector *c, uint32_t row, uint8_t kind)
{
    int64_t position = c[POSITION].nulls && c[POSITION].nulls[row] ? 0 : c[POSITION].ints[row];
    struct serp_day *d = &r->day;
    const struct serp_event e = {
        .unit = hash64(text_at(&c[UNIT], row)),
        .at_us = c[AT].ints[row] - r->day_us,
        .id = text_number(r->known.ids, &d->ids, SERP_ID_BYTES, &c[QUERY_ID], row),
        .query = query_number(r->known.queries, &d->queries, &c[QUERY], row),
        .doc = kind < SERP_IMPRESSION ? SERP_NONE : text_number(r->known.docs, &d->docs, SERP_DOC_BYTES, &c[DOC], row),
        .list = kind < SERP_IMPRESSION ? list_at(r, &c[PARAMS], row) : SERP_NONE,
        .position = (int32_t)(position > 0 && position <= INT32_MAX ? position : 0),
        .kind = kind,
    };
    serp_day_add(d, &e);
}

static bool add_batch(void *arg, const struct archive_batch *b, struct err *err)
{
    (void)err;
    struct reading *r = arg;
    begin_batch(r, b->columns);
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t row = b->rows[i];
        uint8_t kind = r->known.kinds[b->columns[TYPE].codes[row]];
        if (kind != NO_KIND)
            add_row(r, b->columns, row, kind);
    }
    return true;
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
    struct arena *arena = task_arena(r->task);
    const char *before = "query_id is not null and type in (";
    for (size_t i = 0; i < COUNT_OF(list_types); i++)
        before = arena_printf(arena, "%s'%s', ", before, list_types[i].type).p;
    const struct day_signals signals = { .task = r->task,
                                         .archive = r->params->archive,
                                         .split = *split,
                                         .columns = columns,
                                         .columns_count = COUNT_OF(columns),
                                         .behind_us = SERP_DAY_BEHIND_US,
                                         .where = day_signals_where(arena, before, r->params->clicks,
                                                                    r->params->clicks_count, ")") };
    return day_signals_read(&signals, add_batch, r, err);
}

static bool run(struct task *t, struct err *err)
{
    struct log_params p;
    struct day_split split;
    if (!log_params_read(task_params(t), &p, task_arena(t), err) || !day_split_read(task_desc(t), &split, err))
        return false;
    struct reading r = { .task = t, .params = &p, .day_us = split.day * US_PER_DAY };
    serp_day_init(&r.day);
    arena_init(&r.arena, 1 << 18);
    bool ok = read_signals(&r, &split, err) && serp_day_write(&r.day, task_parts(t), task_emit_record, t, err);
    arena_release(&r.arena);
    serp_day_release(&r.day);
    return ok;
}

const struct kernel kernel_serps_day = { SERP_DAY_KERNEL, run };
