/* "boosts.weights@1": the records of all days of a part of the queries → of each query the documents with the greatest weights, and how many signals it
 * had. */
#include "trainer/engine/task.h"
#include "trainer/kernels/clicks/boosts.h"
#include "trainer/kernels/clicks/clicks.h"

enum { RECORD_MAX = 256 << 20 };

struct writing {
    struct task *task;
    const struct click_rules *rules; /* as they were given: what is listed */
    struct boost_query query;
    struct boost_doc *docs;
    size_t room;
    struct buf record;
    uint64_t rows;
};

static bool end_query(struct writing *w, struct err *err)
{
    if (w->query.count) {
        w->query.docs = w->docs;
        buf_clear(&w->record);
        boost_query_write(&w->record, &w->query);
        if (!buf_ok(&w->record, "the boosts of a query", err) || !task_collect(w->task, buf_str(&w->record), err))
            return false;
    }
    w->query = (struct boost_query){ .count = 0 };
    return true;
}

/* Rows come by query, the greatest weight first; of one query the texts are one. */
static bool add_row(void *arg, const struct click_weight *c, struct err *err)
{
    struct writing *w = arg;
    if (c->rank == 1 && !end_query(w, err))
        return false;
    w->query.filters = c->filters;
    w->query.query = c->query;
    w->query.signals += c->signals;
    if (c->signals < w->rules->min_signals || (w->rules->top && w->query.count == w->rules->top))
        return true;
    if (w->query.count == w->room) {
        w->room = w->room ? 2 * w->room : 256;
        w->docs = mem_realloc(w->docs, w->room * sizeof *w->docs);
    }
    w->docs[w->query.count++] = (struct boost_doc){ c->doc, c->weight, c->signals };
    return ++w->rows % 4096 != 0 || task_tick(w->task, 0, err);
}

static bool run(struct task *t, struct err *err)
{
    struct click_rules given, rules;
    AUTO(click_weights_free) struct click_weights *sums = NULL;
    if (!clicks_rules_read(task_params(t), &given, task_arena(t), err))
        return false;
    rules = given;
    rules.top = 0; /* all of a query's signals are counted */
    rules.min_signals = 0;
    if (!(sums = clicks_sum(t, &rules, err)))
        return false;
    struct writing w = { .task = t, .rules = &given };
    buf_init(&w.record, RECORD_MAX);
    bool ok = click_weights_finish(sums, add_row, &w, err) && end_query(&w, err);
    buf_release(&w.record);
    mem_free(w.docs);
    return ok;
}

const struct kernel kernel_boosts_weights = { "boosts.weights@1", run };
