/* "content.vectors@2": see content.h. */
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "trainer/kernels/content/content.h"
#include "trainer/kernels/content/content_index.h"
#include "trainer/kernels/items/best.h"
#include "trainer/kernels/record.h"

enum { RECORD_MAX = 32 << 20 };

struct weighing {
    struct task *task;
    const struct content_word *words;
    uint32_t words_count;
    const float *rows; /* of each word, when dims is above 0 */
    double *sum;
    int64_t max_terms, dims;
    struct best best;
    struct buf out;
};

static bool read_params(struct weighing *w, struct err *err)
{
    struct json_reader r;
    json_auto_t *root = json_parse(task_params(w->task), err);
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "max_terms", JSON_REQUIRED, &w->max_terms);
    (void)json_get_i64(&r, "dims", JSON_REQUIRED, &w->dims);
    return json_reader_close(&r, err);
}

/* Both are by key. */
static const struct content_word *find(const struct weighing *w, uint64_t key)
{
    uint32_t from = 0, to = w->words_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (w->words[middle].key < key)
            from = middle + 1;
        else
            to = middle;
    }
    return from < w->words_count && w->words[from].key == key ? &w->words[from] : NULL;
}

static int by_number(const void *a, const void *b)
{
    const struct best_entry *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static void put_terms(struct weighing *w)
{
    double squares = 0;
    for (uint32_t i = 0; i < w->best.count; i++)
        squares += w->best.entries[i].score * w->best.entries[i].score;
    record_put(&w->out, &w->best.count, sizeof w->best.count);
    for (uint32_t i = 0; i < w->best.count; i++) {
        const struct best_entry *b = &w->best.entries[i];
        const struct content_entry e = { b->number, (float)(b->score / sqrt(squares)) };
        record_put(&w->out, &e, sizeof e);
    }
}

/* The sum of its words' vectors; none when they cancel each other out. */
static void put_sum(struct weighing *w)
{
    const uint32_t dims = (uint32_t)w->dims;
    double squares = 0;
    memset(w->sum, 0, dims * sizeof *w->sum);
    for (uint32_t i = 0; i < w->best.count; i++)
        for (uint32_t k = 0; k < dims; k++)
            w->sum[k] += w->best.entries[i].score * (double)w->rows[(size_t)w->best.entries[i].number * dims + k];
    for (uint32_t k = 0; k < dims; k++)
        squares += w->sum[k] * w->sum[k];
    const uint32_t count = squares > 0 ? dims : 0;
    record_put(&w->out, &count, sizeof count);
    for (uint32_t k = 0; k < count; k++) {
        const struct content_entry e = { k, (float)(w->sum[k] / sqrt(squares)) };
        record_put(&w->out, &e, sizeof e);
    }
}

static void put_vector(struct weighing *w, struct str doc, uint32_t words)
{
    best_sort(&w->best);
    if (w->best.count)
        qsort(w->best.entries, w->best.count, sizeof *w->best.entries, by_number);
    buf_clear(&w->out);
    record_put_text(&w->out, doc);
    record_put(&w->out, &words, sizeof words);
    if (w->dims)
        put_sum(w);
    else
        put_terms(w);
    best_clear(&w->best);
}

static bool weigh(struct weighing *w, struct str *in, struct err *err)
{
    struct str doc;
    uint32_t words, count;
    if (!record_take_text(in, &doc) || !record_take(in, &words, sizeof words) || !record_take(in, &count, sizeof count))
        return err_set(err, ERR_SYSTEM, "the terms of a document are damaged");
    for (uint32_t i = 0; i < count; i++) {
        struct content_term term;
        if (!record_take(in, &term, sizeof term))
            return err_set(err, ERR_SYSTEM, "the terms of a document are damaged");
        const struct content_word *word = find(w, term.key);
        if (word)
            best_add(&w->best, term.weight * word->idf, (uint32_t)(word - w->words), 0);
    }
    put_vector(w, doc, words);
    return buf_ok(&w->out, "a document's vector", err) && task_collect(w->task, buf_str(&w->out), err);
}

static bool weigh_all(struct weighing *w, struct err *err)
{
    for (size_t i = 0; i < task_inputs(w->task); i++) {
        struct str block;
        for (bool end = false;;) {
            uint64_t rows = 0;
            if (!task_next(w->task, i, &block, &end, err))
                return false;
            if (end)
                break;
            for (; block.n; rows++)
                if (!weigh(w, &block, err))
                    return false;
            if (!task_tick(w->task, rows, err))
                return false;
        }
    }
    return true;
}

static bool run(struct task *t, struct err *err)
{
    struct str blob = task_blob(t, 0);
    struct weighing w = { .task = t,
                          .words = (const void *)blob.p,
                          .words_count = (uint32_t)(blob.n / sizeof(struct content_word)) };
    if (!read_params(&w, err))
        return false;
    if (w.dims) {
        const struct str rows = task_blob(t, 1);
        if (rows.n != (size_t)w.words_count * (size_t)w.dims * sizeof *w.rows)
            return err_set(err, ERR_INVALID, "the vectors of terms have %zu bytes", rows.n);
        w.rows = (const void *)rows.p;
        w.sum = arena_alloc(task_arena(t), (size_t)w.dims * sizeof *w.sum);
    }
    best_init(&w.best, (uint32_t)w.max_terms, task_arena(t));
    buf_init(&w.out, RECORD_MAX);
    bool ok = weigh_all(&w, err);
    buf_release(&w.out);
    return ok;
}

const struct kernel kernel_content_vectors = { CONTENT_VECTORS_KERNEL, run };
