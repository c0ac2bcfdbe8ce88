/* "offpolicy.day@1": see offpolicy.h. Lists and rewards of a day are kept, sorted by unit and query id, and joined. */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "model/query_text.h"
#include "trainer/kernels/offpolicy/decisions.h"
#include "trainer/kernels/offpolicy/logged.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/signals/day_signals.h"

enum { RECORD_MAX = 1 << 20, LIST_RESPONSE = 0, LIST_REQUEST = 1, FIRST_REWARD = 2 };
enum { AT, TYPE, UNIT, QUERY_ID, QUERY, DOC, POSITION, PARAMS };

struct event {
    uint64_t unit, id;
    int64_t at_us;
    int kind;               /* a list, or FIRST_REWARD + which type */
    uint32_t position;      /* of the list's first document */
    struct str query, doc;  /* of a list, of a reward */
    const struct logged *l; /* of a list */
};
struct reading {
    struct task *task;
    struct offpolicy_params params;
    struct signal_weights rewards;
    int64_t day_us;
    struct event *events;
    size_t count, room;
    struct arena arena;
    struct decision_totals totals;
    struct buf record;
};

/* ---- rows ---- */

static int kind_of(const struct reading *r, struct str type)
{
    if (str_eq_c(type, "response"))
        return LIST_RESPONSE;
    if (str_eq_c(type, "request"))
        return LIST_REQUEST;
    return FIRST_REWARD + signal_weights_find(&r->rewards, type);
}

static void add(struct reading *r, const struct event *e)
{
    if (r->count == r->room) {
        r->room = r->room ? 2 * r->room : 4096;
        r->events = mem_realloc(r->events, r->room * sizeof *r->events);
    }
    r->events[r->count++] = *e;
}

static void add_list(struct reading *r, const struct archive_vector *c, uint32_t row, struct event e)
{
    char normal[QUERY_TEXT_MAX];
    struct logged *l = arena_alloc(&r->arena, sizeof *l);
    if (e.at_us >= US_PER_DAY || !logged_read(text_at(&c[PARAMS], row), &r->arena, l))
        return;
    if (l->whole && r->params.target != TARGET_LOGGED)
        return; /* nobody knows with which probability the document of a place was chosen */
    const int64_t position = c[POSITION].nulls && c[POSITION].nulls[row] ? 1 : c[POSITION].ints[row];
    e.position = position >= 1 && position <= OFFPOLICY_POSITIONS_MAX ? (uint32_t)position : 1;
    e.query = arena_str(&r->arena, query_text(text_at(&c[QUERY], row), normal));
    e.l = l;
    add(r, &e);
}

static void add_row(struct reading *r, const struct archive_vector *c, uint32_t row)
{
    struct event e = { .unit = hash64(text_at(&c[UNIT], row)),
                       .id = hash64(text_at(&c[QUERY_ID], row)),
                       .at_us = c[AT].ints[row] - r->day_us,
                       .kind = kind_of(r, text_at(&c[TYPE], row)) };
    if (e.kind < FIRST_REWARD) {
        add_list(r, c, row, e);
    } else {
        e.doc = arena_str(&r->arena, text_at(&c[DOC], row));
        add(r, &e);
    }
}

static bool add_batch(void *arg, const struct archive_batch *b, struct err *err)
{
    (void)err;
    struct reading *r = arg;
    for (uint32_t i = 0; i < b->count; i++)
        add_row(r, b->columns, b->rows[i]);
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
    static const char before[] = "query_id is not null and (type in ('response', 'request') and params is not null or "
                                 "doc is not null and type in (";
    const struct day_signals signals = { .task = r->task,
                                         .archive = r->params.archive,
                                         .split = *split,
                                         .columns = columns,
                                         .columns_count = COUNT_OF(columns),
                                         .behind_us = OFFPOLICY_BEHIND_US,
                                         .where = day_signals_where(task_arena(r->task), before, r->rewards.types,
                                                                    r->rewards.count, "))") };
    return day_signals_read(&signals, add_batch, r, err);
}

/* ---- joining ---- */

/* A response before a request, of several of one kind the earliest; equal ones by what they show. */
static int by_search(const void *va, const void *vb)
{
    const struct event *a = va, *b = vb;
    if (a->unit != b->unit)
        return a->unit < b->unit ? -1 : 1;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->at_us != b->at_us)
        return a->at_us < b->at_us ? -1 : 1;
    const struct str x = a->l ? a->l->docs[0] : a->doc, y = b->l ? b->l->docs[0] : b->doc;
    const int d = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return d ? d : x.n < y.n ? -1 : x.n > y.n;
}

static double reward_of(const struct reading *r, const struct event *events, size_t count, struct str doc)
{
    double sum = 0;
    int last = -1;
    for (size_t i = 0; i < count; i++)
        if (events[i].kind >= FIRST_REWARD && events[i].kind != last && str_eq(events[i].doc, doc)) {
            last = events[i].kind;
            sum += r->rewards.weights[last - FIRST_REWARD];
        }
    return sum;
}

static bool write_search(struct reading *r, const struct event *events, size_t count, struct err *err)
{
    const struct event *e = &events[0];
    const struct logged *l = e->l;
    const int64_t at_us = r->day_us + e->at_us;
    const uint32_t left = OFFPOLICY_POSITIONS_MAX + 1 - e->position, n = l->count < left ? l->count : left;
    const uint32_t fold = offpolicy_fold(e->unit, r->params.folds);
    buf_clear(&r->record);
    record_put_text(&r->record, e->query);
    record_put(&r->record, &e->unit, sizeof e->unit);
    record_put(&r->record, &at_us, sizeof at_us);
    record_put(&r->record, &e->id, sizeof e->id);
    record_put(&r->record, &n, sizeof n);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t position = e->position + i;
        const double reward = reward_of(r, events, count, l->docs[i]);
        record_put(&r->record, &position, sizeof position);
        record_put_text(&r->record, l->docs[i]);
        record_put(&r->record, &l->propensities[i], sizeof(double));
        record_put(&r->record, &l->targets[i], sizeof(double));
        record_put(&r->record, &reward, sizeof reward);
        r->totals.decisions[fold][position - 1]++;
        r->totals.rewards[fold][position - 1] += reward;
    }
    return buf_ok(&r->record, "a list", err) &&
           task_emit(r->task, (uint32_t)(hash64(e->query) % task_parts(r->task)), buf_str(&r->record), err);
}

static bool join(struct reading *r, struct err *err)
{
    if (r->count)
        qsort(r->events, r->count, sizeof *r->events, by_search);
    for (size_t from = 0, to; from < r->count; from = to) {
        const struct event *e = &r->events[from];
        for (to = from + 1; to < r->count && r->events[to].unit == e->unit && r->events[to].id == e->id;)
            to++;
        if (e->kind < FIRST_REWARD && !write_search(r, e, to - from, err))
            return false;
    }
    return task_collect(r->task, (struct str){ (const char *)&r->totals, sizeof r->totals }, err);
}

static bool run(struct task *t, struct err *err)
{
    struct reading *r = arena_zalloc(task_arena(t), sizeof *r);
    struct day_split split;
    r->task = t;
    if (!offpolicy_params_read(task_params(t), task_arena(t), &r->params, err) ||
        !signal_weights_read(r->params.rewards, task_arena(t), &r->rewards, err) ||
        !day_split_read(task_desc(t), &split, err))
        return false;
    r->day_us = split.day * US_PER_DAY;
    arena_init(&r->arena, 1 << 18);
    buf_init(&r->record, RECORD_MAX);
    const bool ok = read_signals(r, &split, err) && join(r, err);
    buf_release(&r->record);
    arena_release(&r->arena);
    mem_free(r->events);
    return ok;
}

const struct kernel kernel_offpolicy_day = { OFFPOLICY_DAY_KERNEL, run };
