/* "training.pairs@1": see training_pairs.h. */
#include "trainer/kernels/classify/training_pairs.h"

#include "base/json.h"
#include "model/classifier.h"
#include "model/lists.h"
#include "trainer/kernels/pair_table.h"

enum { CATEGORIES_MAX = 256 }; /* of one query's documents; further ones are not the most clicked ones */

struct tally {
    struct str category;
    uint32_t id;
    uint64_t clicks;
};

static void add(struct tally *t, uint32_t *count, const struct lists *l, uint32_t entry, uint64_t clicks)
{
    const uint32_t id = lists_entry_id(l, entry);
    uint32_t i = 0;
    while (i < *count && t[i].id != id)
        i++;
    if (i == *count && *count < CATEGORIES_MAX)
        t[(*count)++] = (struct tally){ lists_entry(l, entry), id, 0 };
    if (i < *count)
        t[i].clicks += clicks;
}

enum training_result training_pair_of(const struct training_rules *r, const struct lists *categories,
                                      const struct query_record *q, struct training_pair *out)
{
    struct tally t[CATEGORIES_MAX], *top = NULL;
    uint32_t count = 0;
    uint64_t all = 0;
    if (q->units < r->min_units)
        return PAIR_UNITS_FEW;
    for (uint32_t i = 0; i < q->lists[QUERY_DOCS].count; i++) {
        const struct query_entry *e = &q->lists[QUERY_DOCS].entries[i];
        struct lists_row row;
        if (!lists_find(categories, e->text, &row) || row.count == 0)
            continue;
        all += e->count;
        for (uint32_t k = 0; k < row.count; k++)
            add(t, &count, categories, row.first + k, e->count);
    }
    for (uint32_t i = 0; i < count; i++)
        if (!top || t[i].clicks > top->clicks ||
            (t[i].clicks == top->clicks && pair_text_compare(t[i].category, top->category) < 0))
            top = &t[i];
    if (!top)
        return PAIR_UNCATEGORISED;
    *out = (struct training_pair){ top->category, top->clicks };
    if (top->clicks < r->min_pair_count)
        return PAIR_CLICKS_FEW;
    return (double)top->clicks < r->proportion * (double)all ? PAIR_UNDECIDED : PAIR_LABELLED;
}

/* ---- the kernel ---- */

struct pairing {
    struct task *task;
    struct training_rules rules;
    struct lists categories;
    struct training_counts counts;
    struct buf out;
};

static bool read_params(struct pairing *p, struct err *err)
{
    json_auto_t *root = json_parse(task_params(p->task), err);
    struct json_reader r;
    int64_t units = 0, pairs = 0;
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "min_units", JSON_REQUIRED, &units);
    (void)json_get_i64(&r, "min_pair_count", JSON_REQUIRED, &pairs);
    (void)json_get_double(&r, "proportion", JSON_REQUIRED, &p->rules.proportion);
    p->rules.min_units = (uint64_t)units;
    p->rules.min_pair_count = (uint64_t)pairs;
    return json_reader_close(&r, err);
}

static void add_query(struct pairing *p, const struct query_record *q)
{
    uint64_t *const of[] = { [PAIR_UNITS_FEW] = &p->counts.units_few,
                             [PAIR_UNCATEGORISED] = &p->counts.uncategorised,
                             [PAIR_CLICKS_FEW] = &p->counts.clicks_few,
                             [PAIR_UNDECIDED] = &p->counts.undecided,
                             [PAIR_LABELLED] = &p->counts.labelled };
    struct training_pair pair;
    const enum training_result result = training_pair_of(&p->rules, &p->categories, q, &pair);
    p->counts.queries++;
    ++*of[result];
    if (result != PAIR_LABELLED)
        return;
    const double clicks = (double)pair.clicks;
    record_put_text(&p->out, q->text);
    record_put_text(&p->out, pair.category);
    record_put(&p->out, &clicks, sizeof clicks);
}

static bool read_all(struct pairing *p, struct arena *arena, struct err *err)
{
    struct str block;
    for (bool end = false;;) {
        uint64_t rows = 0;
        if (!task_next(p->task, 0, &block, &end, err))
            return false;
        if (end)
            return true;
        for (; block.n; rows++) {
            struct query_record q;
            arena_reset(arena);
            if (!query_record_read(&block, arena, &q, NULL))
                return err_set(err, ERR_SYSTEM, "a record of a query is damaged");
            add_query(p, &q);
        }
        if (!task_tick(p->task, rows, err))
            return false;
    }
}

static bool run(struct task *t, struct err *err)
{
    struct pairing p = { .task = t };
    struct arena arena;
    if (!read_params(&p, err) || !lists_read(task_blob(t, 0), &p.categories, err))
        return false;
    arena_init(&arena, 1 << 16);
    buf_init(&p.out, TASK_COLLECT_MAX - sizeof p.counts);
    const bool ok = read_all(&p, &arena, err) && buf_ok(&p.out, "the labelled queries", err) &&
                    task_collect(t, (struct str){ (const char *)&p.counts, sizeof p.counts }, err) &&
                    task_collect(t, buf_str(&p.out), err);
    buf_release(&p.out);
    arena_release(&arena);
    return ok;
}

const struct kernel kernel_training_pairs = { TRAINING_PAIRS_KERNEL, run };
