/* "tail.traffic@1": how traffic is spread over the queries of a part and over their words; and "tail.head@1": those with much of it. */
#include "trainer/kernels/queries/query_each.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/tail/tail.h"

enum { RECORD_MAX = 4 << 20 };

struct word_sum {
    uint64_t queries, searches, traffic;
};

struct counting {
    struct tail_params params;
    struct traffic traffic;
    struct intern words;
    struct word_sum *sums; /* of each word */
    uint32_t room;
};

/* A word that comes twice in a query counts once. */
static bool is_repeated(const struct words *w, uint32_t i)
{
    for (uint32_t j = 0; j < i; j++)
        if (str_eq(w->texts[j], w->texts[i]))
            return true;
    return false;
}

static void count_word(struct counting *c, struct str word, uint64_t searches, uint64_t traffic)
{
    uint32_t id = intern_add(&c->words, word);
    if (id >= c->room) {
        uint32_t was = c->room;
        c->room = c->room ? 2 * c->room : 1024;
        c->sums = mem_realloc(c->sums, c->room * sizeof *c->sums);
        memset(c->sums + was, 0, (c->room - was) * sizeof *c->sums);
    }
    c->sums[id].queries++;
    c->sums[id].searches += searches;
    c->sums[id].traffic += traffic;
}

static bool count_query(void *arg, const struct query_record *q, struct str bytes, struct err *err)
{
    struct counting *c = arg;
    struct words w;
    uint64_t traffic = tail_traffic_of(&c->params, q);
    (void)bytes;
    (void)err;
    traffic_add(&c->traffic, traffic, 1);
    words_split(q->text, &w);
    for (uint32_t i = 0; i < w.count; i++)
        if (!is_repeated(&w, i))
            count_word(c, w.texts[i], q->searches, traffic);
    return true;
}

static bool collect_counts(struct task *t, struct counting *c, struct err *err)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, TASK_COLLECT_MAX);
    traffic_sort(&c->traffic);
    uint64_t bytes = sizeof(uint64_t) + c->traffic.count * sizeof *c->traffic.steps;
    record_put(&b, &bytes, sizeof bytes);
    traffic_write(&c->traffic, &b);
    for (uint32_t i = 0; i < c->words.count; i++) {
        record_put_text(&b, c->words.texts[i]);
        record_put(&b, &c->sums[i], sizeof c->sums[i]);
    }
    return buf_ok(&b, "what is counted of a part", err) && task_collect(t, buf_str(&b), err);
}

static bool run_traffic(struct task *t, struct err *err)
{
    struct counting c = { .room = 0 };
    if (!tail_params_read(task_params(t), &c.params, err))
        return false;
    traffic_init(&c.traffic);
    intern_init(&c.words);
    bool ok = query_each(t, count_query, &c, err) && collect_counts(t, &c, err);
    traffic_release(&c.traffic);
    intern_release(&c.words);
    mem_free(c.sums);
    return ok;
}

/* ---- the head ---- */

struct choosing {
    struct task *task;
    struct tail_params params;
    struct buf record;
};

static bool choose(void *arg, const struct query_record *q, struct str bytes, struct err *err)
{
    struct choosing *c = arg;
    struct query_record without = *q;
    (void)bytes;
    if (tail_traffic_of(&c->params, q) < c->params.head)
        return true;
    without.lists[QUERY_NEXT].count = without.lists[QUERY_SAME].count = 0; /* every worker holds the head */
    buf_clear(&c->record);
    query_record_write(&c->record, &without);
    return buf_ok(&c->record, "a query of the head", err) && task_collect(c->task, buf_str(&c->record), err);
}

static bool run_head(struct task *t, struct err *err)
{
    struct choosing c = { .task = t };
    buf_init(&c.record, RECORD_MAX);
    bool ok = tail_params_read(task_params(t), &c.params, err) && query_each(t, choose, &c, err);
    buf_release(&c.record);
    return ok;
}

const struct kernel kernel_tail_traffic = { TAIL_TRAFFIC_KERNEL, run_traffic };
const struct kernel kernel_tail_head = { TAIL_HEAD_KERNEL, run_head };
