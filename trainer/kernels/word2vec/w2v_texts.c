/* "word2vec.texts@1": see word2vec.h. */
#include "trainer/kernels/content/content_read.h"
#include "trainer/kernels/word2vec/w2v_text.h"
#include "trainer/kernels/word2vec/word2vec.h"

struct reading {
    struct w2v_text text;
    struct content_params params;
    uint64_t of;
    bool ok;
    struct err *err;
};

static void add_text(void *arg, struct str text, double weight)
{
    struct reading *r = arg;
    (void)weight;
    text_terms(text, &r->params.stop, 1, w2v_text_word, &r->text);
    r->ok = r->ok && w2v_text_end(&r->text, r->of, 1, r->err);
}

static bool add_document(void *arg, struct str doc, const json_t *fields, struct err *err)
{
    struct reading *r = arg;
    r->err = err;
    r->of = hash64(doc);
    content_texts(fields, &r->params.fields, add_text, r);
    return r->ok;
}

static bool run(struct task *t, struct err *err)
{
    struct reading r = { .ok = true };
    if (!content_params_read(t, &r.params, err))
        return false;
    w2v_text_open(&r.text, t);
    bool ok = content_rows(t, add_document, &r, err) && w2v_text_flush(&r.text, err);
    w2v_text_close(&r.text);
    return ok;
}

const struct kernel kernel_w2v_texts = { W2V_TEXTS_KERNEL, run };
