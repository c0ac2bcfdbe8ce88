/* "clicks.weights@1": the records of all days of a part of the queries → rows of query_doc_weights. Units that are marked are left out here, so that
 * a mark that is set or taken back counts for all days at once. */
#include "base/pg.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/clicks/clicks.h"

enum { ROW_MAX = 64 << 10, COUNTS_MAX = 4096 };

struct writing {
    struct task *task;
    const struct click_rules *rules;
    struct buf row, counts;
};

/* {"cart": 1, "click": 12}: types that came at all. */
static struct str counts_of(struct writing *w, const struct click_weight *c)
{
    buf_clear(&w->counts);
    buf_add_byte(&w->counts, '{');
    for (uint32_t i = 0; i < w->rules->types_count; i++) {
        if (!c->counts[i])
            continue;
        if (w->counts.n > 1)
            buf_add_byte(&w->counts, ',');
        buf_add_json_str(&w->counts, w->rules->types[i]);
        buf_add_byte(&w->counts, ':');
        buf_add_u64(&w->counts, c->counts[i]);
    }
    buf_add_byte(&w->counts, '}');
    return buf_str(&w->counts);
}

static bool put_row(void *arg, const struct click_weight *c, struct err *err)
{
    struct writing *w = arg;
    buf_clear(&w->row);
    pg_copy_row(&w->row, CLICKS_COLUMNS);
    pg_copy_text(&w->row, c->filters);
    pg_copy_text(&w->row, c->query);
    pg_copy_i32(&w->row, (int32_t)c->rank);
    pg_copy_text(&w->row, c->doc);
    pg_copy_double(&w->row, c->weight);
    pg_copy_i64(&w->row, (int64_t)c->signals);
    pg_copy_jsonb(&w->row, counts_of(w, c));
    pg_copy_time(&w->row, c->last_us);
    return buf_ok(&w->row, "a row of weights", err) && task_put(w->task, buf_str(&w->row), err);
}

static bool run(struct task *t, struct err *err)
{
    struct click_rules rules;
    AUTO(click_weights_free) struct click_weights *w = NULL;
    if (!clicks_rules_read(task_params(t), &rules, task_arena(t), err) || !(w = clicks_sum(t, &rules, err)))
        return false;
    struct writing out = { .task = t, .rules = &rules };
    buf_init(&out.row, ROW_MAX);
    buf_init(&out.counts, COUNTS_MAX);
    bool ok = click_weights_finish(w, put_row, &out, err);
    buf_release(&out.row);
    buf_release(&out.counts);
    return ok;
}

const struct kernel kernel_clicks_weights = { "clicks.weights@1", run };
