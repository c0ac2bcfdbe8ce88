#include "trainer/jobs/model_file.h"

#include <assert.h>

enum { CARD_MAX = 256 << 10 };

void model_file_begin(struct model_file *f, const char *kind)
{
    f->count = 0;
    artifact_begin(&f->out, kind);
    buf_init(&f->card, CARD_MAX);
    buf_init(&f->file, ARTIFACT_BYTES_MAX);
}

void model_file_release(struct model_file *f)
{
    for (size_t i = 0; i < f->count; i++)
        buf_release(&f->sections[i]);
    buf_release(&f->card);
    buf_release(&f->file);
    f->count = 0;
}

struct buf *model_file_section(struct model_file *f)
{
    assert(f->count < MODEL_FILE_SECTIONS);
    struct buf *b = &f->sections[f->count++];
    buf_init(b, ARTIFACT_BYTES_MAX);
    return b;
}

bool model_file_lists(struct model_file *f, const char *name, struct lists_out *lists, struct err *err)
{
    struct buf *b = model_file_section(f);
    if (!lists_end(lists, b, err))
        return err_prefix(err, "section \"%s\": ", name);
    artifact_add(&f->out, name, buf_str(b));
    return true;
}

bool model_file_end(struct model_file *f, const struct run_context *run, struct training *t, struct err *err)
{
    t->kind = f->out.kind;
    training_card(run, t, &f->card);
    if (!buf_ok(&f->card, "the model's card", err))
        return false;
    artifact_add(&f->out, "card", buf_str(&f->card));
    if (!artifact_end(&f->out, &f->file, f->digest, err))
        return false;
    t->file = buf_str(&f->file);
    t->digest = f->digest;
    return true;
}
