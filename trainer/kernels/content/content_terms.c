/* "content.terms@2": see content.h. */
#include <math.h>

#include "trainer/kernels/content/content.h"
#include "trainer/kernels/content/content_read.h"
#include "trainer/kernels/items/sums_out.h"
#include "trainer/kernels/record.h"

enum { RECORD_MAX = 32 << 20 };

struct reading {
    struct task *task;
    struct content_params params;
    struct pair_sums terms; /* of the document under way: Σ weight of each */
    uint32_t words;         /* of the document under way */
    double weight;          /* of the field under way */
    struct sums_out out;
    struct buf record;
};

static void add_term(void *arg, struct str term)
{
    struct reading *r = arg;
    r->words += memchr(term.p, ' ', term.n) == NULL;
    pair_sums_add(&r->terms, text_term_key(term), 1, r->weight);
}

static void add_text(void *arg, struct str text, double weight)
{
    struct reading *r = arg;
    r->weight = weight;
    text_terms(text, &r->params.stop, r->params.ngrams, add_term, r);
}

/* The document counts once for each of its terms. */
static bool emit_document(struct reading *r, struct str doc, struct err *err)
{
    buf_clear(&r->record);
    record_put_text(&r->record, doc);
    record_put(&r->record, &r->words, sizeof r->words);
    record_put(&r->record, &r->terms.count, sizeof r->terms.count);
    pair_sums_sort(&r->terms);
    for (uint32_t i = 0; i < r->terms.count; i++) {
        const struct pair_sum *e = &r->terms.entries[i];
        const struct content_term term = { e->key, sqrt(e->sum) };
        record_put(&r->record, &term, sizeof term);
        if (!sums_out_add(&r->out, e->key, 0, err))
            return false;
    }
    pair_sums_clear(&r->terms);
    r->words = 0;
    return buf_ok(&r->record, "the terms of a document", err) &&
           task_emit(r->task, task_parts(r->task) - 1, buf_str(&r->record), err);
}

static bool add_document(void *arg, struct str doc, const json_t *fields, struct err *err)
{
    struct reading *r = arg;
    content_texts(fields, &r->params.fields, add_text, r);
    return emit_document(r, doc, err);
}

static bool run(struct task *t, struct err *err)
{
    struct reading *r = arena_zalloc(task_arena(t), sizeof *r);
    r->task = t;
    if (!content_params_read(t, &r->params, err))
        return false;
    pair_sums_init(&r->terms);
    sums_out_open(&r->out, t, TEXT_KEYS);
    r->out.parts = task_parts(t) - 1;
    buf_init(&r->record, RECORD_MAX);
    bool ok = content_rows(t, add_document, r, err) && sums_out_flush(&r->out, err);
    buf_release(&r->record);
    sums_out_close(&r->out);
    pair_sums_release(&r->terms);
    return ok;
}

const struct kernel kernel_content_terms = { CONTENT_TERMS_KERNEL, run };
