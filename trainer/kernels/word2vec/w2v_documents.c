/* "word2vec.documents@1": see word2vec.h. */
#include <math.h>

#include "base/hash.h"
#include "trainer/kernels/content/content_read.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/word2vec/w2v_numbers.h"
#include "trainer/kernels/word2vec/word2vec.h"

struct summing {
    struct task *task;
    struct content_params params;
    struct w2v_numbers words;
    const float *rows; /* words × dims, each of length 1 */
    size_t dims;
    double *sum;
    uint64_t found;
    struct buf out;
};

static void add_term(void *arg, struct str term)
{
    struct summing *s = arg;
    uint32_t number;
    if (!w2v_numbers_find(&s->words, hash64(term), &number))
        return;
    for (size_t k = 0; k < s->dims; k++)
        s->sum[k] += (double)s->rows[number * s->dims + k];
    s->found++;
}

static void add_text(void *arg, struct str text, double weight)
{
    struct summing *s = arg;
    (void)weight;
    text_terms(text, &s->params.stop, 1, add_term, s);
}

static bool add_document(void *arg, struct str doc, const json_t *fields, struct err *err)
{
    struct summing *s = arg;
    memset(s->sum, 0, s->dims * sizeof *s->sum);
    s->found = 0;
    content_texts(fields, &s->params.fields, add_text, s);
    if (!s->found)
        return true;
    buf_clear(&s->out);
    record_put_text(&s->out, doc);
    for (size_t k = 0; k < s->dims; k++) {
        const float mean = (float)(s->sum[k] / (double)s->found);
        record_put(&s->out, &mean, sizeof mean);
    }
    return buf_ok(&s->out, "a document's vector", err) && task_collect(s->task, buf_str(&s->out), err);
}

static bool run(struct task *t, struct err *err)
{
    struct summing s = { .task = t, .words = w2v_numbers_read(task_blob(t, 0)) };
    const struct str rows = task_blob(t, 1);
    if (!content_params_read(t, &s.params, err))
        return false;
    s.rows = (const void *)rows.p;
    s.dims = s.words.count ? rows.n / sizeof(float) / s.words.count : 0;
    s.sum = arena_alloc(task_arena(t), (s.dims + 1) * sizeof *s.sum);
    buf_init(&s.out, 1 << 20);
    bool ok = content_rows(t, add_document, &s, err);
    buf_release(&s.out);
    return ok;
}

const struct kernel kernel_w2v_documents = { W2V_DOCUMENTS_KERNEL, run };
