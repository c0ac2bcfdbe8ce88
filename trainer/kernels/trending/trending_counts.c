/* "trending.counts@1": see trending.h. */
#include "trainer/kernels/trending/trending.h"

#include "base/clock.h"
#include "trainer/kernels/intern.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/trending/trend.h"
#include "trainer/kernels/units/unit_items.h"
#include "trainer/kernels/units/unit_items_reading.h"

enum { RECORD_MAX = 8192 };

struct counting {
    struct unit_items_params params;
    struct intern units, things;
    struct trend_counts *counts;
    uint32_t room;
};

static struct trend_counts *counts_of(struct counting *c, struct str thing)
{
    uint32_t at = intern_add(&c->things, thing);
    if (at >= c->room) {
        uint32_t room = c->things.room;
        c->counts = mem_realloc(c->counts, room * sizeof *c->counts);
        memset(c->counts + c->room, 0, (room - c->room) * sizeof *c->counts);
        c->room = room;
    }
    return &c->counts[at];
}

static void add(void *arg, int32_t day, const struct unit_item *i)
{
    struct counting *c = arg;
    struct trend_counts *counts = counts_of(c, i->item);
    bool lately = (day + 1) * US_PER_DAY > c->params.as_of_us;
    uint64_t hits = 0;
    (void)intern_add(&c->units, i->unit);
    for (uint32_t k = 0; k < c->params.weights.count; k++)
        hits += i->sums[k].count;
    *(lately ? &counts->trgt_hits : &counts->ref_hits) += hits;
    *(lately ? &counts->trgt_unit_days : &counts->ref_unit_days) += 1;
}

static bool tell(struct task *t, const struct counting *c, struct err *err)
{
    const uint64_t units = c->units.count;
    AUTO(buf_release) struct buf b;
    buf_init(&b, RECORD_MAX);
    if (!task_collect(t, (struct str){ (const char *)&units, sizeof units }, err))
        return false;
    for (uint32_t i = 0; i < c->things.count; i++) {
        buf_clear(&b);
        record_put_text(&b, c->things.texts[i]);
        record_put(&b, &c->counts[i], sizeof c->counts[i]);
        if (!buf_ok(&b, "the counts of a document", err) || !task_collect(t, buf_str(&b), err))
            return false;
    }
    return true;
}

static bool run(struct task *t, struct err *err)
{
    struct counting *c = arena_zalloc(task_arena(t), sizeof *c);
    if (!unit_items_params_read(task_params(t), &c->params, task_arena(t), err))
        return false;
    const struct unit_item_rules rules = unit_items_rules(&c->params);
    intern_init(&c->units);
    intern_init(&c->things);
    bool ok = unit_items_read(t, &rules, add, c, err) && tell(t, c, err);
    intern_release(&c->units);
    intern_release(&c->things);
    mem_free(c->counts);
    return ok;
}

const struct kernel kernel_trending_counts = { TRENDING_COUNTS_KERNEL, run };
