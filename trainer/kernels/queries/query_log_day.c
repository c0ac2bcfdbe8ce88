/* "query_log.day@1": searches, responses and clicks of one day and range of buckets, and of the hour behind it → what they say of queries. */
#include <math.h>

#include "base/clock.h"
#include "base/hash.h"
#include "trainer/kernels/queries/query_log.h"
#include "trainer/kernels/signals/day_signals.h"
#include "trainer/kernels/task_blocks.h"

enum { NO_KIND = 255, SESSION_TEXT_MAX = 256 };
enum { AT, TYPE, UNIT, QUERY, DOC, QUERY_ID, SESSION, VALUE };

struct looked_up {
    uint8_t *kinds;
    uint32_t *queries, *docs, *ids, *sessions;
};

struct reading {
    struct task *task;
    const struct log_params *params;
    int64_t day_us;
    struct query_day day;
    struct arena arena; /* of a batch */
    struct looked_up known;
};

static uint8_t kind_of(const struct log_params *p, struct str type)
{
    if (str_eq_c(type, "request"))
        return QUERY_REQUEST;
    if (str_eq_c(type, "response"))
        return QUERY_RESPONSE;
    for (uint32_t i = 0; i < p->clicks_count; i++)
        if (str_eq(p->clicks[i], type))
            return QUERY_CLICK;
    return NO_KIND;
}

static void begin_batch(struct reading *r, const struct archive_vector *c)
{
    arena_reset(&r->arena);
    r->known = (struct looked_up){ arena_alloc(&r->arena, c[TYPE].texts_count + 1), texts_unknown(&c[QUERY], &r->arena),
                                   texts_unknown(&c[DOC], &r->arena), texts_unknown(&c[QUERY_ID], &r->arena),
                                   texts_unknown(&c[SESSION], &r->arena) };
    for (size_t i = 0; i <= c[TYPE].texts_count; i++)
        r->known.kinds[i] = kind_of(r->params, c[TYPE].texts[i]);
}

static enum query_results results_of(double value)
{
    return isnan(value) ? QUERY_RESULTS_UNKNOWN : value > 0 ? QUERY_RESULTS_SOME : QUERY_RESULTS_NONE;
}

static void add_row(struct reading *r, const struct archive_vector *c, uint32_t row, uint8_t kind)
{
    bool click = kind == QUERY_CLICK;
    struct query_day *d = &r->day;
    const struct query_event e = {
        .unit = hash64(text_at(&c[UNIT], row)),
        .at_us = c[AT].ints[row] - r->day_us,
        .kind = kind,
        .results = (uint8_t)(click ? QUERY_RESULTS_UNKNOWN : results_of(c[VALUE].reals[row])),
        .query = query_number(r->known.queries, &d->queries, &c[QUERY], row),
        .doc = click ? text_number(r->known.docs, &d->docs, QUERY_DOC_MAX, &c[DOC], row) : QUERY_NONE,
        .id = click ? QUERY_NONE : text_number(r->known.ids, &d->ids, SESSION_TEXT_MAX, &c[QUERY_ID], row),
        .session = text_number(r->known.sessions, &d->sessions, SESSION_TEXT_MAX, &c[SESSION], row),
    };
    query_day_add(d, &e);
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
        [AT] = { STR("at"), ARCHIVE_TIME },           [TYPE] = { STR("type"), ARCHIVE_TEXT },
        [UNIT] = { STR("unit"), ARCHIVE_TEXT },       [QUERY] = { STR("query"), ARCHIVE_TEXT },
        [DOC] = { STR("doc"), ARCHIVE_TEXT },         [QUERY_ID] = { STR("query_id"), ARCHIVE_TEXT },
        [SESSION] = { STR("session"), ARCHIVE_TEXT }, [VALUE] = { STR("value"), ARCHIVE_REAL },
    };
    static const char before[] = "(query is not null or type = 'response') and type in ('request', 'response', ";
    const struct day_signals signals = { .task = r->task,
                                         .archive = r->params->archive,
                                         .split = *split,
                                         .columns = columns,
                                         .columns_count = COUNT_OF(columns),
                                         .behind_us = QUERY_DAY_BEHIND_US,
                                         .where = day_signals_where(task_arena(r->task), before, r->params->clicks,
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
    query_day_init(&r.day, p.gap_us);
    arena_init(&r.arena, 1 << 18);
    bool ok = read_signals(&r, &split, err) && query_day_write(&r.day, task_parts(t), task_emit_record, t, err);
    arena_release(&r.arena);
    query_day_release(&r.day);
    return ok;
}

const struct kernel kernel_query_log_day = { QUERY_LOG_DAY_KERNEL, run };
