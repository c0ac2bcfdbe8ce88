/* "content.words@1": see content.h. */
#include "trainer/kernels/content/content.h"
#include "trainer/kernels/content/content_read.h"
#include "trainer/kernels/record.h"

struct finding {
    struct task *task;
    struct content_params params;
    const uint64_t *keys; /* ascending */
    bool *told;
    uint32_t count;
    struct buf out;
};

static void add_term(void *arg, struct str term)
{
    struct finding *f = arg;
    const uint64_t key = text_term_key(term);
    uint32_t from = 0, to = f->count;
    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;
        if (f->keys[middle] < key)
            from = middle + 1;
        else
            to = middle;
    }
    if (from == f->count || f->keys[from] != key || f->told[from])
        return;
    f->told[from] = true;
    record_put(&f->out, &from, sizeof from);
    record_put_text(&f->out, term);
}

static void add_text(void *arg, struct str text, double weight)
{
    struct finding *f = arg;
    (void)weight;
    text_terms(text, &f->params.stop, f->params.ngrams, add_term, f);
}

static bool add_document(void *arg, struct str doc, const json_t *fields, struct err *err)
{
    struct finding *f = arg;
    (void)doc;
    (void)err;
    content_texts(fields, &f->params.fields, add_text, f);
    return true;
}

static bool run(struct task *t, struct err *err)
{
    const struct str blob = task_blob(t, 0);
    struct finding f = { .task = t, .keys = (const void *)blob.p, .count = (uint32_t)(blob.n / sizeof(uint64_t)) };
    if (!content_params_read(t, &f.params, err))
        return false;
    f.told = arena_zalloc(task_arena(t), f.count + 1);
    buf_init(&f.out, TASK_COLLECT_MAX);
    bool ok = content_rows(t, add_document, &f, err) && buf_ok(&f.out, "the texts of terms", err) &&
              task_collect(t, buf_str(&f.out), err);
    buf_release(&f.out);
    return ok;
}

const struct kernel kernel_content_words = { CONTENT_WORDS_KERNEL, run };
